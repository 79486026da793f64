"""Which change is which event, and when it is tried again: edges first."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ConfigurationError
from bot.handover.kinds import EventKind
from bot.handover.rules import (
    eta_is_news,
    judge,
    kinds_of,
    patience,
    pause_after,
    pause_of_all,
    stop_facts,
    window_before,
)
from bot.handover.sealing import Seal, new_secret
from bot.sop_desk import HandOver
from bot.stops.models import StopRecord
from connectors.base import FailureReason, StopStatus
from connectors.hand_over import PostAnswer, Taking

NOON = datetime(2026, 6, 9, 16, 0, tzinfo=UTC)
RULES = HandOver(retry_minutes=(0, 1, 5, 30))
K = EventKind


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({"status": [None, "planned"]}, [K.STOP_CREATED]),
        ({"status": [None, "delivered"]}, [K.STOP_CREATED]),
        ({"status": [None, "assigned"], "driver_ref": [None, "d1"]}, [K.STOP_CREATED]),
        ({"status": ["planned", "assigned"], "driver_ref": [None, "d1"]}, [K.STOP_ASSIGNED]),
        ({"status": ["assigned", "planned"], "driver_ref": ["d1", None]}, []),
        ({"driver_ref": ["d1", "d2"]}, [K.STOP_ASSIGNED]),
        ({"driver_ref": [None, "d1"]}, []),
        ({"status": ["assigned", "out_for_delivery"]}, [K.STOP_OUT_FOR_DELIVERY]),
        ({"status": ["out_for_delivery", "arriving"]}, []),
        ({"status": ["arriving", "delivered"]}, [K.STOP_DELIVERED]),
        ({"status": ["out_for_delivery", "failed"], "failure_reason": [None, "refused"]}, [K.STOP_FAILED]),
        ({"status": ["planned", "cancelled"]}, [K.STOP_CANCELLED]),
        ({"status": ["failed", "returned"]}, [K.STOP_RETURNED]),
        ({"window_end_at": [None, "2026-06-09T20:00:00+00:00"]}, [K.STOP_WINDOW_CHANGED]),
        ({"eta_at": [None, "2026-06-09T19:00:00+00:00"]}, [K.STOP_ETA_CHANGED]),
        ({"eta_at": ["2026-06-09T19:00:00+00:00", None]}, []),
        (
            {"status": ["out_for_delivery", "delivered"], "eta_at": [None, "2026-06-09T19:00:00+00:00"]},
            [K.STOP_DELIVERED],
        ),
        (
            {"status": ["planned", "assigned"], "window_start_at": [None, "2026-06-09T19:00:00+00:00"]},
            [K.STOP_ASSIGNED, K.STOP_WINDOW_CHANGED],
        ),
        ({"route_ref": ["r1", "r2"]}, []),
        ({}, []),
    ],
)
def test_a_change_is_these_events(changes: dict[str, Any], kinds: list[EventKind]) -> None:
    assert kinds_of(changes, None) == kinds


@pytest.mark.parametrize(
    ("moved", "is_news"),
    [(0, False), (9.99, False), (10, True), (-9.99, False), (-10, True), (60, True)],
)
def test_an_eta_is_news_from_ten_minutes_on(moved: float, is_news: bool) -> None:
    assert eta_is_news(NOON + minutes(moved), NOON) is is_news


def test_many_small_moves_add_up_to_news() -> None:
    told, told_times = NOON, 0
    for step in range(1, 13):
        eta = NOON + minutes(4 * step)
        if eta_is_news(eta, told):
            told, told_times = eta, told_times + 1
    assert told_times == 4


def stop(**changes: Any) -> StopRecord:
    values: dict[str, Any] = {
        "id": uuid4(),
        "platform": "onfleet",
        "platform_ref": "t1",
        "tracking": "abc123",
        "order_ref": "PO-7",
        "status": StopStatus.DELIVERED,
        "client": "Acme",
        "zone": "North",
        "timezone": "America/New_York",
        "address_line": "14 Elm St",
        "postcode": "10001",
        "recipient_name": "Robin Doe",
        "recipient_phone": "+12125550100",
        "recipient_email": "robin@mail.example",
        "notes": "Access code: 4711",
        "window_start_at": NOON,
        "window_end_at": NOON + minutes(120),
        "completed_at": NOON + minutes(30),
        "failure_reason": FailureReason.REFUSED,
    }
    return StopRecord(**values | changes)


def test_facts_are_as_they_were_then_and_hold_nobodys_data() -> None:
    facts = stop_facts(stop(), {"status": "assigned", "window_end_at": "2026-06-09T14:00:00-04:00"})
    assert facts["status"] == "assigned"
    assert facts["completed_at"] is None
    assert facts["window"] == {"start_at": "2026-06-09T16:00:00Z", "end_at": "2026-06-09T18:00:00Z"}
    for private in ("Robin", "2125550100", "mail.example", "4711", "Elm"):
        assert private not in str(facts)


def test_half_a_window_is_none() -> None:
    assert stop_facts(stop(window_end_at=None), {})["window"] is None
    assert window_before({"window_start_at": [None, NOON.isoformat()]}, stop()) is None


def test_the_window_before_is_whole_where_one_end_moved() -> None:
    before = window_before({"window_end_at": ["2026-06-09T17:00:00+00:00", "x"]}, stop())
    assert before == {"start_at": "2026-06-09T16:00:00Z", "end_at": "2026-06-09T17:00:00Z"}


# --- trying again -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tries", "pause"), [(1, 1), (2, 5), (3, 30), (4, None), (9, None)])
def test_after_so_many_tries_it_waits_so_long(tries: int, pause: float | None) -> None:
    assert pause_after(tries, RULES, 0) == (minutes(pause) if pause is not None else None)


@pytest.mark.parametrize(("failures", "pause"), [(1, 1), (2, 5), (3, 30), (4, 30), (100, 30)])
def test_a_system_that_is_down_is_left_alone_for_longer_and_longer(failures: int, pause: float) -> None:
    assert pause_of_all(failures, RULES, 0) == minutes(pause)


@given(st.floats(0, 1), st.integers(1, 3))
def test_luck_makes_a_pause_longer_by_a_tenth_at_most(luck: float, tries: int) -> None:
    planned, with_luck = pause_after(tries, RULES, 0), pause_after(tries, RULES, luck)
    assert planned is not None
    assert with_luck is not None
    assert planned <= with_luck <= planned * 1.1


def judged(taking: Taking, tries: int = 1, failures: int = 0, age: float = 0, **answer: Any) -> Any:
    return judge(
        PostAnswer(taking=taking, **answer), tries, failures, NOON - minutes(age), NOON, RULES, luck=0
    )


def test_what_is_taken_is_delivered() -> None:
    assert judged(Taking.TAKEN, tries=4, failures=9, age=1000).is_delivered


def test_a_refusal_holds_up_nothing_else_and_ends_with_the_last_try() -> None:
    verdict = judged(Taking.REFUSED, tries=1)
    assert (verdict.next_at, verdict.pause_until, verdict.is_dead) == (NOON + minutes(1), None, False)
    assert judged(Taking.REFUSED, tries=3).next_at == NOON + minutes(30)
    assert judged(Taking.REFUSED, tries=4).is_dead


def test_nobody_there_pauses_everything() -> None:
    verdict = judged(Taking.UNAVAILABLE, failures=1)
    assert verdict.next_at == verdict.pause_until == NOON + minutes(5)
    assert not verdict.is_dead


@pytest.mark.parametrize(("age", "is_dead"), [(0, False), (35.99, False), (36, True), (37, True)])
def test_patience_ends_exactly_with_the_schedule(age: float, is_dead: bool) -> None:
    assert patience(RULES) == minutes(36)
    assert judged(Taking.UNAVAILABLE, tries=1, failures=50, age=age).is_dead is is_dead


def test_a_longer_pause_that_is_asked_for_counts_a_shorter_one_does_not() -> None:
    assert judged(Taking.UNAVAILABLE, retry_after=minutes(20)).pause_until == NOON + minutes(20)
    assert judged(Taking.UNAVAILABLE, retry_after=minutes(0)).pause_until == NOON + minutes(1)


def test_gone_is_gone() -> None:
    verdict = judged(Taking.GONE)
    assert (verdict.is_gone, verdict.is_dead, verdict.next_at) == (True, True, None)


def test_a_single_try_is_a_schedule_too() -> None:
    once = HandOver(retry_minutes=(0,))
    answer = PostAnswer(taking=Taking.UNAVAILABLE)
    verdict = judge(answer, 1, 0, NOON, NOON, once, luck=0)
    assert verdict.is_dead


# --- secrets ------------------------------------------------------------------------------------------


def test_a_sealed_secret_opens_with_the_same_key_only() -> None:
    secret = new_secret()
    sealed = Seal("one key").close(secret)
    assert Seal("one key").open(sealed) == secret
    assert secret not in sealed
    with pytest.raises(ConfigurationError):
        Seal("another key").open(sealed)
