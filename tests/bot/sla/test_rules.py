"""On track, at risk or breached: the edges first, then properties that hold for any stop."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sla.rules import Assessment, Cause, WatchedStop, assess, clock_time
from bot.sop_sla import SlaRules
from bot.stops.models import SlaState
from connectors.base import DeliveryWindow, StopStatus

END = datetime(2026, 6, 9, 20, 0, tzinfo=UTC)
"""4 pm in New York."""
MINUTE = timedelta(minutes=1)
INSTANT = timedelta(microseconds=1)
RULES = SlaRules(
    at_risk_margin_minutes=0,
    back_on_track_minutes=5,
    confirm_minutes=3,
    unconfirmed_margin_minutes=30,
    on_time_target_percent=97,
    penalty_usd=75,
)


def stop(
    eta: timedelta | None = -60 * MINUTE,
    *,
    was: SlaState = SlaState.ON_TRACK,
    since: datetime | None = None,
    news_age: timedelta = timedelta(0),
    status: StopStatus = StopStatus.OUT_FOR_DELIVERY,
    end: datetime = END,
    timezone: str = "America/New_York",
) -> WatchedStop:
    """`eta` counts from the window's end."""
    return WatchedStop(
        status=status,
        window=DeliveryWindow(start_at=end - timedelta(hours=2), end_at=end),
        timezone=timezone,
        eta_at=None if eta is None else end + eta,
        news_age=news_age,
        was=was,
        risk_since=since,
    )


def look(stop: WatchedStop, before_end: timedelta, rules: SlaRules = RULES) -> Assessment:
    return assess(stop, rules, END - before_end)


def confirmed(stop: WatchedStop, before_end: timedelta = 90 * MINUTE, rules: SlaRules = RULES) -> SlaState:
    """The state once the risk has lasted long enough to be believed."""
    first = look(stop, before_end, rules)
    if first.risk_since is None:
        return first.state
    lasting = WatchedStop(
        stop.status,
        stop.window,
        stop.timezone,
        stop.eta_at,
        stop.news_age,
        stop.was,
        END - before_end - timedelta(minutes=rules.confirm_minutes),
    )
    return look(lasting, before_end, rules).state


# --- the window's end -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before_end", "state"),
    [(INSTANT, SlaState.ON_TRACK), (timedelta(0), SlaState.BREACHED), (-INSTANT, SlaState.BREACHED)],
)
def test_a_window_that_closes_exactly_now_is_over(before_end: timedelta, state: SlaState) -> None:
    assert look(stop(-2 * MINUTE), before_end).state is state


@pytest.mark.parametrize(
    ("eta", "state"),
    [(-INSTANT, SlaState.ON_TRACK), (timedelta(0), SlaState.AT_RISK), (25 * MINUTE, SlaState.AT_RISK)],
)
def test_arriving_exactly_at_the_end_is_late(eta: timedelta, state: SlaState) -> None:
    assert confirmed(stop(eta)) is state


def test_a_margin_makes_an_eta_shortly_before_the_end_a_risk() -> None:
    careful = RULES.model_copy(update={"at_risk_margin_minutes": 10})
    assert confirmed(stop(-10 * MINUTE), rules=careful) is SlaState.AT_RISK
    assert confirmed(stop(-10 * MINUTE - INSTANT), rules=careful) is SlaState.ON_TRACK


def test_a_breach_needs_no_confirmation_and_counts_from_the_end_or_the_eta() -> None:
    assert look(stop(-10 * MINUTE), -7 * MINUTE) == Assessment(
        SlaState.BREACHED, Cause.WINDOW_OVER, "Window ended 4:00 pm, ETA 3:50 pm", 7, END + 7 * MINUTE
    )
    assert look(stop(45 * MINUTE), -7 * MINUTE).minutes_late == 45
    assert look(stop(None), -7 * MINUTE).why == "Window ended 4:00 pm, no ETA"


def test_a_breach_ends_when_the_window_is_moved_out_of_the_past() -> None:
    later = stop(-60 * MINUTE, was=SlaState.BREACHED, since=END - 3 * MINUTE, end=END + timedelta(hours=3))
    assert look(later, timedelta(0)).state is SlaState.ON_TRACK


# --- debounce and hysteresis ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lasted", "state"),
    [
        (timedelta(0), SlaState.ON_TRACK),
        (3 * MINUTE - INSTANT, SlaState.ON_TRACK),
        (3 * MINUTE, SlaState.AT_RISK),
    ],
)
def test_a_new_risk_counts_once_it_has_lasted(lasted: timedelta, state: SlaState) -> None:
    now = END - 90 * MINUTE
    found = assess(stop(10 * MINUTE, since=now - lasted), RULES, now)
    assert found.state is state
    assert found.risk_since == now - lasted


def test_a_first_sight_starts_the_count_and_a_clear_look_forgets_it() -> None:
    assert look(stop(10 * MINUTE), 90 * MINUTE).risk_since == END - 90 * MINUTE
    assert look(stop(-10 * MINUTE, since=END - 95 * MINUTE), 90 * MINUTE).risk_since is None


def test_without_confirmation_time_a_risk_counts_at_once() -> None:
    hasty = RULES.model_copy(update={"confirm_minutes": 0})
    assert look(stop(10 * MINUTE), 90 * MINUTE, hasty).state is SlaState.AT_RISK


@pytest.mark.parametrize(
    ("eta", "state"),
    [
        (-4 * MINUTE, SlaState.AT_RISK),
        (-5 * MINUTE, SlaState.AT_RISK),
        (-5 * MINUTE - INSTANT, SlaState.ON_TRACK),
    ],
)
def test_a_raised_risk_ends_only_when_the_eta_is_clear(eta: timedelta, state: SlaState) -> None:
    raised = stop(eta, was=SlaState.AT_RISK, since=END - 100 * MINUTE)
    assert look(raised, 90 * MINUTE).state is state


# --- unconfirmed ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before_end", "state"),
    [(30 * MINUTE + INSTANT, SlaState.ON_TRACK), (30 * MINUTE, SlaState.AT_RISK), (MINUTE, SlaState.AT_RISK)],
)
def test_a_near_end_without_any_eta_is_a_risk(before_end: timedelta, state: SlaState) -> None:
    assert confirmed(stop(None), before_end) is state


@pytest.mark.parametrize(
    ("age", "state"), [(20 * MINUTE, SlaState.ON_TRACK), (20 * MINUTE + INSTANT, SlaState.AT_RISK)]
)
def test_an_old_eta_confirms_nothing_when_the_end_is_near(age: timedelta, state: SlaState) -> None:
    assert confirmed(stop(-10 * MINUTE, news_age=age), 25 * MINUTE) is state


def test_old_news_far_from_the_end_worry_nobody() -> None:
    assert confirmed(stop(-60 * MINUTE, news_age=timedelta(hours=2)), 90 * MINUTE) is SlaState.ON_TRACK


def test_an_eta_that_has_passed_confirms_nothing_either() -> None:
    # ETA 3:40, it is 3:50, the window ends at 4:00, and the driver is not there.
    assert confirmed(stop(-20 * MINUTE), 10 * MINUTE) is SlaState.AT_RISK
    assert confirmed(stop(-20 * MINUTE), 18 * MINUTE) is SlaState.ON_TRACK, "a few minutes are no delay"


def test_a_driver_at_the_door_is_no_risk_whatever_the_eta_said() -> None:
    assert confirmed(stop(-20 * MINUTE, status=StopStatus.ARRIVING), 10 * MINUTE) is SlaState.ON_TRACK


# --- words ----------------------------------------------------------------------------------------


def test_the_sentence_says_eta_and_end_where_the_stop_is() -> None:
    assert look(stop(25 * MINUTE), 90 * MINUTE).why == "ETA 4:25 pm, window ends 4:00 pm"
    assert look(stop(25 * MINUTE), 90 * MINUTE).minutes_late == 25
    assert look(stop(None), 10 * MINUTE).why == "Window ends 4:00 pm, no ETA"
    old = stop(-5 * MINUTE, news_age=48 * MINUTE)
    assert look(old, 10 * MINUTE).why == "Window ends 4:00 pm, last news 48 min ago"
    assert look(stop(-20 * MINUTE), 10 * MINUTE).why == "Window ends 4:00 pm, ETA 3:40 pm has passed"


@pytest.mark.parametrize(
    ("moment", "spoken"),
    [
        ("2026-03-08T06:59:00+00:00", "1:59 am"),
        ("2026-03-08T07:00:00+00:00", "3:00 am"),
        ("2026-11-01T05:30:00+00:00", "1:30 am"),
        ("2026-11-01T06:30:00+00:00", "1:30 am"),
        ("2026-06-09T04:00:00+00:00", "12:00 am"),
        ("2026-06-09T16:00:00+00:00", "12:00 pm"),
    ],
)
def test_clock_times_over_the_changes_of_daylight_saving(moment: str, spoken: str) -> None:
    assert clock_time(datetime.fromisoformat(moment), "America/New_York") == spoken


def test_a_window_over_the_autumn_change_is_as_long_as_it_really_is() -> None:
    # 1 am to 2 am of that night are two hours.
    end = datetime(2026, 11, 1, 7, 0, tzinfo=UTC)
    watched = stop(-INSTANT, end=end)
    assert assess(watched, RULES, end - timedelta(minutes=61)).state is SlaState.ON_TRACK
    assert assess(watched, RULES, end).state is SlaState.BREACHED


# --- for any stop ---------------------------------------------------------------------------------

minutes = st.integers(-300, 300).map(lambda count: count * MINUTE)
stops = st.builds(
    stop,
    st.none() | minutes,
    was=st.sampled_from(SlaState),
    since=st.none() | minutes.map(lambda before: END - abs(before)),
    news_age=st.integers(0, 200).map(lambda count: count * MINUTE),
    status=st.sampled_from([status for status in StopStatus if not status.is_closed]),
)
rules = st.builds(
    SlaRules,
    at_risk_margin_minutes=st.integers(0, 60),
    back_on_track_minutes=st.integers(0, 30),
    confirm_minutes=st.integers(0, 15),
    unconfirmed_margin_minutes=st.integers(0, 120),
    on_time_target_percent=st.just(97.0),
    penalty_usd=st.just(75),
)


@given(stops, rules, minutes)
def test_breached_exactly_when_the_window_is_over(
    watched: WatchedStop, sla: SlaRules, before_end: timedelta
) -> None:
    found = look(watched, before_end, sla)
    assert (found.state is SlaState.BREACHED) == (before_end <= timedelta(0))
    assert (found.cause is Cause.NONE) == (found.risk_since is None) == (found.why == "")
    assert found.minutes_late >= 0


@given(stops, rules, minutes)
def test_looking_twice_at_one_instant_changes_nothing(
    watched: WatchedStop, sla: SlaRules, before_end: timedelta
) -> None:
    first = look(watched, before_end, sla)
    again = WatchedStop(
        watched.status, watched.window, watched.timezone, watched.eta_at, watched.news_age, first.state, first.risk_since
    )  # fmt: skip
    assert look(again, before_end, sla).state is first.state


@given(stops, rules, minutes, minutes.map(abs))
def test_a_later_eta_is_never_the_better_news(
    watched: WatchedStop, sla: SlaRules, before_end: timedelta, later: timedelta
) -> None:
    if watched.eta_at is None or watched.eta_at < END - before_end:
        return
    worse = WatchedStop(
        watched.status, watched.window, watched.timezone, watched.eta_at + later, watched.news_age, watched.was, watched.risk_since
    )  # fmt: skip
    order = list(SlaState)
    assert order.index(look(worse, before_end, sla).state) >= order.index(
        look(watched, before_end, sla).state
    )
