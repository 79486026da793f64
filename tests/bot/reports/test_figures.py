"""What each figure of a report counts: by tables of cases, the edges first."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.reports.figures import figures_of, tally_of, trend_of
from bot.reports.records import Period, PromisedStop, RaisedEscalation
from bot.reports.report import SlaFigures, Tally, TrendWord, is_met
from bot.reports.spreads import spread_of
from bot.sla.outcomes import Outcome
from connectors.base import DeliveryWindow, FailureReason, StopStatus
from tests.bot.reports.month import (
    AFTERWARDS,
    LABELS,
    NEW_YORK,
    OCTOBER,
    STRICT,
    TERMS,
    escalation,
    month,
    stop,
)

A_WEEK = Period(date(2026, 10, 5), date(2026, 10, 11))


def figures(
    *stops: PromisedStop,
    raised: tuple[RaisedEscalation, ...] = (),
    period: Period = OCTOBER,
    now: datetime = AFTERWARDS,
) -> SlaFigures:
    return figures_of(stops, raised, period, now, LABELS)


@pytest.mark.parametrize(
    ("minutes_after_the_end", "late"),
    [(-1, 0), (0, 0), (9.98, 0), (10, 1), (11, 1)],
    ids=["before", "at the end", "within the grace", "exactly at the grace's end", "after it"],
)
def test_grace_belongs_to_the_window_and_its_end_does_not(minutes_after_the_end: float, late: int) -> None:
    assert figures(stop(done_after=minutes_after_the_end)).total.late == late


def test_a_service_without_grace_is_late_at_the_window_s_end() -> None:
    assert figures(stop(done_after=0, terms=STRICT)).total.late == 1


def test_nothing_promised_has_no_rate_and_meets_nothing() -> None:
    found = figures()
    assert found.total.on_time_percent is None
    assert found.is_met is None
    assert found.target_percent is None
    assert found.trend.word is TrendWord.TOO_FEW
    assert len(found.days) == 31
    assert (found.zones, found.causes, found.missed) == ([], [], [])


def test_one_stop_is_a_whole_report() -> None:
    found = figures(stop(date(2026, 10, 6)))
    assert found.total.on_time_percent == 100.0
    assert [each.day for each in found.days if each.tally.promised] == [date(2026, 10, 6)]
    assert found.is_met


def test_cancelled_stops_count_nowhere() -> None:
    assert figures(stop(status=StopStatus.CANCELLED, done_after=None)).total == Tally()


def test_a_window_that_is_not_over_counts_nowhere_yet() -> None:
    waiting = stop(date(2026, 10, 31), status=StopStatus.OUT_FOR_DELIVERY, done_after=None)
    before_its_end = waiting.window.end_at - timedelta(minutes=1)
    assert figures(waiting, now=before_its_end).total == Tally(open=1)
    after_its_grace = waiting.window.end_at + TERMS.grace
    assert figures(waiting, now=after_its_grace).total.late == 1


def test_exclusions_leave_the_rate_but_stay_to_be_seen() -> None:
    found = figures(
        stop(number=1),
        stop(number=2, status=StopStatus.FAILED, exclusion="recipient_absent"),
        stop(number=3, done_after=60, exclusion="force_majeure"),
        stop(number=4, done_after=60),
    ).total
    assert (found.promised, found.excluded, found.counted) == (4, 2, 2)
    assert found.on_time_percent == 50.0
    assert found.on_time_percent_with_excluded == 25.0


def test_an_on_time_stop_cannot_be_excluded() -> None:
    found = figures(stop(exclusion="force_majeure")).total
    assert (found.excluded, found.on_time_percent) == (0, 100.0)


def test_only_late_stops_that_count_carry_the_penalty_of_their_own_terms() -> None:
    found = figures(
        stop(number=1, done_after=60),
        stop(number=2, done_after=60, terms=STRICT),
        stop(number=3, done_after=60, exclusion="force_majeure"),
        stop(number=4, status=StopStatus.FAILED),
    )
    assert found.total.penalty_usd == 25 + 40
    assert sum(each.penalty_usd for each in found.missed) == found.total.penalty_usd


def test_a_rate_is_never_rounded_up_to_its_target() -> None:
    almost = Tally(on_time=9599, late=401)
    assert almost.on_time_percent == 95.9
    assert is_met(almost, 96.0) is False
    assert is_met(Tally(on_time=96, late=4), 96.0) is True
    assert Tally(on_time=9999, late=1).on_time_percent == 99.9


@pytest.mark.parametrize(
    ("timezone", "hours", "day"),
    [
        (NEW_YORK, (17, 21), date(2026, 10, 6)),
        (NEW_YORK, (20, 24), date(2026, 10, 6)),
        ("Pacific/Auckland", (8, 12), date(2026, 10, 6)),
        ("Nowhere/AtAll", (8, 12), date(2026, 10, 6)),
    ],
    ids=["evening", "until midnight", "already tomorrow in UTC terms", "a zone that nobody knows"],
)
def test_the_day_is_the_stop_s_own(timezone: str, hours: tuple[int, int], day: date) -> None:
    given_in = "UTC" if timezone == "Nowhere/AtAll" else timezone
    asked = stop(day, timezone=given_in, hours=hours)
    assert figures(asked).days[day.day - 1].tally.promised == 1


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_ends() -> None:
    found = figures(stop(date(2026, 10, 6), hours=(22, 26)))
    assert [each.day.day for each in found.days if each.tally.promised] == [7]


@pytest.mark.parametrize(
    ("the_day", "begins", "ends"),
    [
        (date(2026, 11, 1), datetime(2026, 11, 1, 4, tzinfo=UTC), datetime(2026, 11, 2, 5, tzinfo=UTC)),
        (date(2026, 3, 8), datetime(2026, 3, 8, 5, tzinfo=UTC), datetime(2026, 3, 9, 4, tzinfo=UTC)),
    ],
    ids=["25 hours", "23 hours"],
)
def test_a_day_on_which_clocks_change_has_all_its_hours(
    the_day: date, begins: datetime, ends: datetime
) -> None:
    hour, instant = timedelta(hours=1), timedelta(microseconds=1)
    edges = {begins: 0, begins + instant: 1, ends: 1, ends + instant: 0}
    for end_at, promised in edges.items():
        window = DeliveryWindow(start_at=end_at - hour, end_at=end_at)
        at_the_edge = replace(stop(the_day), window=window, completed_at=end_at)
        found = figures(at_the_edge, period=Period(the_day, the_day), now=ends + hour * 9)
        assert found.total.promised == promised, end_at


def test_zones_have_their_own_targets_and_a_stop_without_one_is_shown_too() -> None:
    found = figures(
        stop(number=1, zone="North"),
        stop(number=2, zone="Airport", terms=STRICT, done_after=60),
        stop(number=3, zone=""),
    )
    assert [(zone.name, zone.target_percent, zone.is_met) for zone in found.zones] == [
        ("Airport", 98.0, False),
        ("No zone", 96.0, True),
        ("North", 96.0, True),
    ]
    assert found.target_percent == pytest.approx((96 + 98 + 96) / 3, abs=0.01)


def test_services_are_shown_when_there_are_several() -> None:
    assert figures(stop()).services == []
    found = figures(stop(number=1), stop(number=2, service="white_glove"))
    assert [each.name for each in found.services] == ["Standard", "white_glove"]


def test_causes_come_most_frequent_first_and_the_unknown_last_among_equals() -> None:
    found = figures(
        stop(number=1, done_after=60, cause=FailureReason.TRAFFIC),
        stop(number=2, done_after=60, cause=FailureReason.TRAFFIC, exclusion="force_majeure"),
        stop(number=3, done_after=60),
        stop(number=4, status=StopStatus.FAILED, cause=FailureReason.REFUSED),
        stop(number=5, cause=FailureReason.VEHICLE),
    )
    assert [(each.cause, each.late, each.failed, each.excluded) for each in found.causes] == [
        ("traffic", 1, 0, 1),
        ("refused", 0, 1, 0),
        ("", 1, 0, 0),
    ]
    assert [(each.label, each.stops) for each in found.exclusions] == [("Force majeure", 1)]


def test_an_escalation_of_many_stops_is_acknowledged_once() -> None:
    van = [stop(number=number, done_after=30, raised_before=40) for number in range(1, 6)]
    alone = stop(number=9, done_after=-5, raised_before=90)
    found = figures(
        *van, alone, raised=(escalation(*van, number=1, taken=8), escalation(alone, number=2, taken=2))
    )
    assert found.responses.escalations == 2
    assert (found.responses.acknowledged.count, found.responses.acknowledged.median_minutes) == (2, 2.0)
    assert found.responses.acknowledged.p90_minutes == 8.0


def test_warning_is_nothing_when_the_alert_came_after_the_window() -> None:
    found = figures(stop(number=1, done_after=60, raised_before=-15), stop(number=2, done_after=60))
    assert found.responses.warning.median_minutes == 0.0
    assert found.responses.unseen == 1


def test_recovered_is_at_risk_and_on_time() -> None:
    found = figures(
        stop(number=1, raised_before=40),
        stop(number=2, raised_before=40, done_after=60),
        stop(number=3, raised_before=40, status=StopStatus.FAILED),
        stop(number=4),
    )
    assert (found.recovery.at_risk, found.recovery.recovered) == (3, 1)


def test_escalations_of_other_days_and_clients_are_not_ours() -> None:
    elsewhere = stop(date(2026, 7, 1), number=77, raised_before=30)
    found = figures(stop(), elsewhere, raised=(escalation(elsewhere),))
    assert found.responses.escalations == 0


def test_late_is_counted_from_the_window_not_from_the_grace() -> None:
    (missed,) = figures(stop(done_after=25)).missed
    assert missed.minutes_late == 25
    (open_still,) = figures(stop(status=StopStatus.OUT_FOR_DELIVERY, done_after=None)).missed
    assert (open_still.minutes_late, open_still.outcome) == (None, Outcome.LATE)


@pytest.mark.parametrize(
    ("now", "before", "word"),
    [
        ((29, 0), (500, 0), TrendWord.TOO_FEW),
        ((500, 0), (29, 0), TrendWord.TOO_FEW),
        ((95, 5), (93, 7), TrendWord.STEADY),
        ((950, 50), (900, 100), TrendWord.UP),
        ((900, 100), (950, 50), TrendWord.DOWN),
        ((100, 0), (100, 0), TrendWord.STEADY),
        ((0, 40), (0, 40), TrendWord.STEADY),
    ],
)
def test_a_trend_is_told_when_chance_would_seldom_bring_it(
    now: tuple[int, int], before: tuple[int, int], word: TrendWord
) -> None:
    trend = trend_of(Tally(on_time=now[0], late=now[1]), Tally(on_time=before[0], late=before[1]))
    assert trend.word is word
    assert (trend.points is None) == (word is TrendWord.TOO_FEW)


def test_the_period_before_has_the_same_length_and_ends_the_day_before() -> None:
    assert A_WEEK.before == Period(date(2026, 9, 28), date(2026, 10, 4))
    found = figures(stop(date(2026, 10, 4)), stop(date(2026, 10, 5), number=2), period=A_WEEK)
    assert (found.total.promised, found.before.promised) == (1, 1)


def test_nine_in_ten_is_a_value_that_did_occur() -> None:
    assert spread_of(timedelta(minutes=each) for each in range(1, 11)).p90_minutes == 9.0
    assert spread_of([timedelta(seconds=30)]).median_minutes == 0.5
    assert spread_of([]).median_minutes is None


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), per_day=st.integers(1, 12))
def test_the_parts_of_any_month_make_its_whole(seed: int, per_day: int) -> None:
    stops, raised = month(seed=seed, per_day=per_day)
    found = figures(*stops, raised=tuple(raised))
    for parts in (found.days, found.zones):
        for name in ("on_time", "late", "failed", "excluded", "penalty_usd"):
            assert sum(getattr(each.tally, name) for each in parts) == getattr(found.total, name)
    assert (
        sum(each.total for each in found.causes) == len(found.missed) == found.total.late + found.total.failed
    )
    assert found.recovery.recovered <= found.recovery.at_risk
    assert found.total.excluded == sum(each.stops for each in found.exclusions)


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_records_does_not_matter(shuffler: object) -> None:
    stops, raised = month(seed=3, per_day=4)
    expected = figures(*stops, raised=tuple(raised))
    shuffler.shuffle(stops)  # type: ignore[attr-defined]
    shuffler.shuffle(raised)  # type: ignore[attr-defined]
    assert figures(*stops, raised=tuple(raised)) == expected


def test_a_tally_of_nothing_is_empty() -> None:
    assert tally_of([]) == Tally()
