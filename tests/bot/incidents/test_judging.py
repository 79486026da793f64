"""When a promise is broken, and what later news makes of its incident. Edges first."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.incidents.judging import FOLLOWED_FOR, StopFacts, Terms, broken, compare, is_done_with
from bot.incidents.models import BrokenKind, BrokenState, PromiseIncident
from connectors.base import DeliveryWindow, FailureReason, StopStatus

END = datetime(2026, 6, 9, 20, 0, tzinfo=UTC)
WINDOW = DeliveryWindow(start_at=END - timedelta(hours=2), end_at=END)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
TERMS = Terms(grace=5 * MINUTE, penalty_usd=75)
OUT, DELIVERED, FAILED = StopStatus.OUT_FOR_DELIVERY, StopStatus.DELIVERED, StopStatus.FAILED
BREACH, FAILURE = BrokenKind.BREACH, BrokenKind.FAILED_DELIVERY


@pytest.mark.parametrize(
    ("status", "window", "completed", "now", "expected"),
    [
        (OUT, WINDOW, None, END + 5 * MINUTE - SECOND, None),
        (OUT, WINDOW, None, END + 5 * MINUTE, (BREACH, 5, 75)),
        (DELIVERED, WINDOW, END + 5 * MINUTE - SECOND, END + 60 * MINUTE, None),
        (DELIVERED, WINDOW, END + 5 * MINUTE, END + 60 * MINUTE, (BREACH, 5, 75)),
        (DELIVERED, WINDOW, END + 90 * SECOND + 4 * MINUTE, END + 60 * MINUTE, (BREACH, 5, 75)),
        (DELIVERED, WINDOW, None, END + 60 * MINUTE, None),
        (DELIVERED, None, END + 60 * MINUTE, END + 60 * MINUTE, None),
        (FAILED, WINDOW, END - MINUTE, END + 60 * MINUTE, (FAILURE, 0, 0)),
        (FAILED, WINDOW, END + 5 * MINUTE, END + 60 * MINUTE, (FAILURE, 0, 75)),
        (FAILED, None, END, END, (FAILURE, 0, 0)),
        (StopStatus.RETURNED, WINDOW, END - MINUTE, END, (FAILURE, 0, 0)),
        (StopStatus.CANCELLED, WINDOW, END + 60 * MINUTE, END + 60 * MINUTE, None),
    ],
)
def test_a_promise_is_broken_at_the_end_of_its_window_and_grace(
    status: StopStatus,
    window: DeliveryWindow | None,
    completed: datetime | None,
    now: datetime,
    expected: tuple[BrokenKind, int, int] | None,
) -> None:
    found = broken(StopFacts(status, window, completed), TERMS, now)
    assert (found and (found.kind, found.minutes_late, found.penalty_usd)) == expected


def incident(kind: BrokenKind = BREACH, state: BrokenState = BrokenState.OPEN) -> PromiseIncident:
    return PromiseIncident(
        kind=kind,
        state=state,
        timezone="UTC",
        promised_end_at=END,
        opened_at=END + 5 * MINUTE,
        opened_by="doorline",
    )


def at(status: StopStatus, completed: datetime | None = None, window: DeliveryWindow = WINDOW) -> StopFacts:
    return StopFacts(status, window, completed)


LATER = DeliveryWindow(start_at=END + 22 * 60 * MINUTE, end_at=END + 24 * 60 * MINUTE)


@pytest.mark.parametrize(
    ("stop", "kind", "state", "minutes"),
    [
        (at(OUT), BREACH, BrokenState.OPEN, 60),
        (at(DELIVERED, END + 25 * MINUTE), BREACH, BrokenState.OPEN, 25),
        # Told late: it was delivered in time.
        (at(DELIVERED, END - MINUTE), BREACH, BrokenState.WITHDRAWN, 7),
        (at(FAILED, END + 30 * MINUTE), FAILURE, BrokenState.OPEN, 0),
        (at(StopStatus.CANCELLED, END + 30 * MINUTE), BREACH, BrokenState.WITHDRAWN, 7),
        # Another window, once the first was over, does not unbreak the promise.
        (at(OUT, window=LATER), BREACH, BrokenState.OPEN, 7),
        (at(DELIVERED, END + 23 * 60 * MINUTE, window=LATER), BREACH, BrokenState.OPEN, 7),
    ],
)
def test_an_incident_follows_its_stop(
    stop: StopFacts, kind: BrokenKind, state: BrokenState, minutes: int
) -> None:
    seen = incident()
    seen.minutes_late = 7
    compare(seen, stop, TERMS, END + 60 * MINUTE)
    assert (seen.kind, seen.state, seen.minutes_late) == (kind, state, minutes)


def test_what_was_withdrawn_comes_back_when_the_platform_takes_its_word_back() -> None:
    seen = incident()
    compare(seen, at(DELIVERED, END - MINUTE), TERMS, END + 10 * MINUTE)
    assert (seen.state, seen.exposure_usd) == (BrokenState.WITHDRAWN, 0)
    assert compare(seen, at(DELIVERED, END + 20 * MINUTE), TERMS, END + 30 * MINUTE)
    assert (seen.state, seen.closed_at, seen.minutes_late, seen.exposure_usd) == (
        BrokenState.OPEN,
        None,
        20,
        75,
    )


def test_a_failed_stop_that_is_tried_again_failed_nevertheless_unless_it_comes_in_time() -> None:
    seen = incident(FAILURE)
    before = END - 60 * MINUTE
    assert not compare(seen, at(OUT), TERMS, before)
    assert (seen.kind, seen.state) == (FAILURE, BrokenState.OPEN)
    assert compare(seen, at(DELIVERED, END - MINUTE), TERMS, END)
    assert seen.state is BrokenState.WITHDRAWN


def test_a_stop_is_looked_at_until_nothing_of_it_is_corrected_any_more() -> None:
    seen = incident()
    compare(seen, at(OUT), TERMS, END + 100 * FOLLOWED_FOR)
    assert seen.look_at is not None
    done = END + 20 * MINUTE
    compare(seen, at(DELIVERED, done), TERMS, done + FOLLOWED_FOR - SECOND)
    assert seen.look_at is not None
    compare(seen, at(DELIVERED, done), TERMS, done + FOLLOWED_FOR)
    assert seen.look_at is None


@pytest.mark.parametrize(
    ("facts", "cause", "by_hand", "expected"),
    [
        ((True, True, 0, 0), FailureReason.TRAFFIC, False, True),
        ((True, True, 0, 0), None, False, False),
        ((False, True, 0, 0), FailureReason.TRAFFIC, False, False),
        ((True, False, 0, 0), FailureReason.TRAFFIC, False, False),
        ((True, True, 1, 2), FailureReason.TRAFFIC, False, False),
        ((True, True, 0, 2), FailureReason.TRAFFIC, False, True),
        ((True, True, 0, 0), FailureReason.TRAFFIC, True, False),
        ((True, True, 0, 1), FailureReason.TRAFFIC, True, True),
    ],
)
def test_it_closes_when_its_cause_is_known_and_all_is_done(
    facts: tuple[bool, bool, int, int], cause: FailureReason | None, by_hand: bool, expected: bool
) -> None:
    seen = incident()
    seen.root_cause, seen.by_hand = cause, by_hand
    is_over, is_resolved, undone, everything = facts
    assert (
        is_done_with(
            seen, is_over=is_over, is_resolved=is_resolved, open_follow_ups=undone, follow_ups=everything
        )
        is expected
    )
