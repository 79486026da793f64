"""What a driver's word is worth: by the platform's news since, and by the time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.drivers.keeping import etas_of
from bot.drivers.reading import DriverAnswer
from bot.drivers.words import StopWord, eta_by_word, is_vouched, next_turn
from bot.sla.rules import Cause, WatchedStop, assess, next_look
from bot.sop_sla import SlaRules
from bot.stops.models import SlaState, StopRecord
from connectors.base import DeliveryWindow, FailureReason, StopStatus
from tests.harness.rows import row_with

NOON = datetime(2026, 6, 9, 16, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TINY = timedelta(microseconds=1)


def at(minutes: float | None) -> datetime | None:
    return None if minutes is None else NOON + minutes * MINUTE


def word(was: float | None, said: float | None) -> StopWord:
    return StopWord("van-1", NOON, at(was), at(said))


@pytest.mark.parametrize(
    ("was", "said", "eta", "now", "by_word"),
    [
        pytest.param(10, 30, 10, 0, 30, id="the platform has not moved: the word"),
        pytest.param(10, 30, 10, 34, 30, id="and for a little while after its time"),
        pytest.param(10, 30, 10, 35, 30, id="five minutes exactly"),
        pytest.param(10, 30, 10, 35.1, None, id="the time has proved it wrong"),
        pytest.param(40, 30, 40, 0, 30, id="an earlier word counts too"),
        pytest.param(None, 30, None, 20, 30, id="no ETA at all"),
        pytest.param(10, 30, 12, 2, 30, id="an ETA that creeps on is no news"),
        pytest.param(10, 30, 12, 15, 30, id="for a quarter of an hour"),
        pytest.param(10, 30, 12, 15.1, None, id="then the platform has had its time to see"),
        pytest.param(10, 30, 33, 2, None, id="the platform says later still"),
        pytest.param(40, 30, 35, 2, None, id="it came earlier by itself: believed"),
        pytest.param(10, 30, None, 2, 30, id="the platform lost its ETA"),
        pytest.param(10, None, 10, 0, None, id="in time is no time"),
    ],
)
def test_whose_eta_counts(
    was: float | None, said: float | None, eta: float | None, now: float, by_word: float | None
) -> None:
    moment = NOON + now * MINUTE
    assert eta_by_word(word(was, said), at(eta), moment) == at(by_word)


@pytest.mark.parametrize(("minutes", "vouched"), [(0, True), (20, True), (20.1, False)])
def test_in_time_counts_for_twenty_minutes(minutes: float, vouched: bool) -> None:
    assert is_vouched(word(10, None), NOON + minutes * MINUTE) is vouched


MINUTES = st.integers(-60, 120)


@given(was=st.none() | MINUTES, said=st.none() | MINUTES, eta=st.none() | MINUTES, now=st.integers(0, 120))
def test_nothing_changes_by_time_before_the_next_turn(
    was: int | None, said: int | None, eta: int | None, now: int
) -> None:
    spoken, moment = word(was, said), NOON + now * MINUTE
    turn = next_turn(spoken, moment)
    just_before = (turn or NOON + timedelta(days=1)) - TINY
    assert eta_by_word(spoken, at(eta), just_before) == eta_by_word(spoken, at(eta), moment)
    assert is_vouched(spoken, just_before) == is_vouched(spoken, moment)


def a_stop(eta: float | None, sequence: int | None = None) -> StopRecord:
    return row_with(
        StopRecord,
        id=uuid4(),
        status=StopStatus.OUT_FOR_DELIVERY,
        eta_at=at(eta),
        sequence=sequence,
        driver_ref="van-1",
    )


def test_what_comes_after_is_as_much_later_and_what_comes_before_is_not() -> None:
    before, asked, after, unknown = a_stop(5, 0), a_stop(15, 1), a_stop(40, 2), a_stop(None, 3)
    answer = DriverAnswer(root_cause=FailureReason.TRAFFIC, minutes=45)
    etas = etas_of(asked, [before, asked, after, unknown], answer, NOON)
    assert {key: told["at"] for key, told in etas.items()} == {
        str(asked.id): (NOON + 45 * MINUTE).isoformat(),
        str(after.id): (NOON + 70 * MINUTE).isoformat(),
    }


def test_a_word_that_is_earlier_than_the_eta_moves_nothing_else() -> None:
    asked, after = a_stop(60, 0), a_stop(70, 1)
    assert list(etas_of(asked, [asked, after], DriverAnswer(minutes=20), NOON)) == [str(asked.id)]


def test_a_cause_alone_tells_no_time() -> None:
    asked = a_stop(60, 0)
    assert etas_of(asked, [asked], DriverAnswer(root_cause=FailureReason.TRAFFIC), NOON) == {}


# --- what the watch makes of it -----------------------------------------------------------------

RULES = SlaRules(
    at_risk_margin_minutes=5,
    unconfirmed_margin_minutes=30,
    confirm_minutes=0,
    back_on_track_minutes=0,
    grace_minutes=0,
    on_time_target_percent=95,
    penalty_usd=25,
)


def watched(**changes: Any) -> WatchedStop:
    """Its window ends in an hour, in New York."""
    stop = WatchedStop(
        status=StopStatus.OUT_FOR_DELIVERY,
        window=DeliveryWindow(start_at=NOON - 60 * MINUTE, end_at=NOON + 60 * MINUTE),
        timezone="America/New_York",
        eta_at=NOON + 20 * MINUTE,
        news_age=timedelta(0),
        was=SlaState.ON_TRACK,
        risk_since=None,
    )
    return replace(stop, **changes)


def test_a_late_word_is_a_risk_and_says_whose_it_is() -> None:
    found = assess(watched(eta_at=NOON + 80 * MINUTE, is_said=True), RULES, NOON)
    assert (found.state, found.minutes_late) == (SlaState.AT_RISK, 20)
    assert found.why == "ETA 1:20 pm by the driver's word, window ends 1:00 pm"


def test_a_word_counts_although_the_platforms_news_are_old() -> None:
    old = watched(news_age=timedelta(hours=2), is_said=True, eta_at=NOON + 30 * MINUTE)
    assert assess(old, RULES, NOON + 40 * MINUTE).cause is Cause.NONE
    silent = replace(old, is_said=False)
    assert assess(silent, RULES, NOON + 40 * MINUTE).cause is Cause.UNCONFIRMED


def test_who_vouches_is_believed_where_nothing_else_is_known() -> None:
    unknown, near = watched(eta_at=None), NOON + 40 * MINUTE
    assert assess(unknown, RULES, near).cause is Cause.UNCONFIRMED
    assert assess(replace(unknown, is_vouched=True), RULES, near).cause is Cause.NONE
    late = watched(eta_at=NOON + 80 * MINUTE, is_vouched=True)
    assert assess(late, RULES, NOON).cause is Cause.ETA_LATE


def test_the_watch_looks_again_when_the_word_loses_its_worth() -> None:
    until = NOON + 15 * MINUTE
    assert next_look(watched(said_until=until), RULES, NOON, news_age=False) == until
