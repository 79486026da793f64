"""Failed deliveries, their follow-ups and what recipients were told: what each figure counts."""

import csv
import io
import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.recovery.models import RecoveryState
from bot.reports.figures import figures_of
from bot.reports.records import FailedTry, Period
from bot.reports.recovered import by_reason, in_period, second_tries, told_of
from bot.reports.report import SecondTries
from bot.reports.writing import as_csv
from bot.sla.outcomes import Outcome
from connectors.base import FailureReason, StopStatus
from tests.bot.reports.month import AFTERWARDS, LABELS, NEW_YORK, OCTOBER, failures_of, month, report, stop

NOON = datetime(2026, 10, 6, 16, tzinfo=UTC)


def failure(number: int = 1, **facts: object) -> FailedTry:
    """Asked two minutes after it failed; nothing came of it yet."""
    common: dict[str, object] = {
        "stop_id": UUID(int=number),
        "zone": "North",
        "timezone": NEW_YORK,
        "reason": FailureReason.ACCESS_ISSUE,
        "failed_at": NOON,
        "state": RecoveryState.ASKING,
        "asked_at": NOON + timedelta(minutes=2),
    }
    return FailedTry(**(common | facts))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("case", "counted"),
    [
        (failure(state=None, asked_at=None), {"failed": 1}),
        (failure(), {"failed": 1, "followed_up": 1, "asked": 1}),
        (
            failure(state=RecoveryState.WITH_DISPATCHER, asked_at=None),
            {"failed": 1, "followed_up": 1},
        ),
        (
            failure(state=RecoveryState.BOOKED, answered_at=NOON + timedelta(minutes=9)),
            {"failed": 1, "followed_up": 1, "asked": 1, "answered": 1, "booked": 1},
        ),
        (
            failure(state=RecoveryState.BOOKED, again=StopStatus.DELIVERED),
            {"followed_up": 1, "asked": 1, "booked": 1, "over": 1, "delivered": 1, "unanswered": 1},
        ),
        (
            failure(state=RecoveryState.BOOKED, again=StopStatus.FAILED),
            {"followed_up": 1, "asked": 1, "booked": 1, "over": 1, "delivered": 0, "unanswered": 1},
        ),
        (failure(state=RecoveryState.BOOKED, again=StopStatus.ASSIGNED), {"booked": 1, "over": 0}),
        (failure(state=RecoveryState.SENT_BACK), {"sent_back": 1, "unanswered": 1, "booked": 0}),
        (failure(state=RecoveryState.PICK_UP, answered_at=NOON), {"picked_up": 1, "unanswered": 0}),
        (failure(state=RecoveryState.BOOKED, again=StopStatus.CANCELLED), {"booked": 1, "over": 1}),
        (failure(state=RecoveryState.CLOSED, again=StopStatus.CANCELLED), {"booked": 0, "over": 0}),
        (failure(state=RecoveryState.WITH_DISPATCHER, again=StopStatus.CANCELLED), {"booked": 0, "over": 0}),
    ],
)
def test_what_one_failure_counts(case: FailedTry, counted: dict[str, int]) -> None:
    figures = second_tries([case])
    assert {name: getattr(figures, name) for name in counted} == counted


def test_the_time_to_answer_runs_from_the_question() -> None:
    minutes = (3, 40, 10)
    failures = [
        failure(number, answered_at=NOON + timedelta(minutes=2 + each)) for number, each in enumerate(minutes)
    ]
    figures = second_tries([*failures, failure(9)])
    assert (figures.answer.median_minutes, figures.answered_percent) == (10.0, 75.0)


def test_nothing_asked_has_no_share() -> None:
    assert second_tries([]) == SecondTries()
    assert (
        SecondTries().answered_percent,
        SecondTries().booked_percent,
        SecondTries().delivered_percent,
    ) == (
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    ("failed_at", "is_in"),
    [
        (datetime(2026, 10, 1, 4, 0, tzinfo=UTC), True),
        (datetime(2026, 10, 1, 3, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 1, 3, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 1, 4, 0, tzinfo=UTC), False),
    ],
)
def test_a_failure_belongs_to_the_local_day_on_which_it_happened(failed_at: datetime, is_in: bool) -> None:
    assert bool(in_period([failure(failed_at=failed_at)], OCTOBER)) is is_in


def test_reasons_come_most_frequent_first_and_the_unknown_last_among_equals() -> None:
    reasons = [None, FailureReason.WEATHER, FailureReason.ACCESS_ISSUE, FailureReason.ACCESS_ISSUE]
    found = by_reason([failure(number, reason=each) for number, each in enumerate(reasons)])
    assert [each.reason for each in found] == ["access_issue", "weather", ""]


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_the_reasons_and_the_days_make_the_whole(seed: int) -> None:
    week = Period(date(2026, 10, 5), date(2026, 10, 11))
    stops, escalations = month(week, seed=seed, per_day=40)
    failures = failures_of(stops, seed=seed)
    figures = figures_of(stops, escalations, week, AFTERWARDS, LABELS, failures)
    for name in ("failed", "followed_up", "asked", "answered", "booked", "over", "delivered", "unanswered"):
        whole = getattr(figures.failures, name)
        assert sum(getattr(each.tries, name) for each in figures.failures_by_reason) == whole
        assert sum(getattr(zone.tries, name) for day in figures.days for zone in day.recovery) == whole
    random.Random(seed).shuffle(failures)
    assert figures_of(stops, escalations, week, AFTERWARDS, LABELS, failures) == figures


@pytest.mark.parametrize(("told_before_the_end", "counted"), [(1, 1), (0, 0), (-5, 0), (None, 0)])
def test_told_in_time_is_before_the_window_ended(told_before_the_end: float | None, counted: int) -> None:
    late = stop(done_after=40)
    told_at = (
        None if told_before_the_end is None else late.window.end_at - timedelta(minutes=told_before_the_end)
    )
    told = told_of([(replace(late, told_late_at=told_at), Outcome.LATE)])
    assert (told.late, told.late_told) == (1, counted)


def test_messages_are_counted_per_promised_stop_and_not_of_windows_that_are_not_over() -> None:
    stops = [(replace(stop(number=number), messages=number), Outcome.ON_TIME) for number in (1, 2, 4)]
    told = told_of([*stops, (replace(stop(number=9), messages=50), Outcome.OPEN)])
    assert (told.promised, told.messages, told.messages_per_stop) == (3, 7, 2.33)


def test_csv_tells_a_failure_on_a_day_on_which_nothing_was_promised_there() -> None:
    sunday = datetime(2026, 10, 11, 16, tzinfo=UTC)
    failures = [failure(zone="South", failed_at=sunday, state=RecoveryState.SENT_BACK)]
    rows = list(csv.DictReader(io.StringIO(as_csv(report([stop()], [], failures=failures)))))
    told = {(row["day"], row["zone"]): row for row in rows}
    only = told["2026-10-11", "South"]
    assert (only["promised"], only["target_percent"], only["failures"], only["unanswered"]) == (
        "0",
        "",
        "1",
        "1",
    )
    assert told["2026-10-06", "North"]["failures"] == "0"
