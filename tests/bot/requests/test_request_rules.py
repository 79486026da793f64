"""What a request asks of a dispatcher, and when it is moot: tables of every case."""

from datetime import UTC, datetime

import pytest

from bot.requests.models import DispatchRequest, RequestKind
from bot.requests.rules import ASKS, Wanted, decision_of, is_moot
from connectors.base import DeliveryWindow, StopStatus
from tests.harness.rows import row_with

EVENING = DeliveryWindow(
    start_at=datetime(2026, 11, 24, 22, 0, tzinfo=UTC), end_at=datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
)


def request(kind: RequestKind, wanted: Wanted, status: StopStatus = StopStatus.ASSIGNED) -> DispatchRequest:
    return row_with(DispatchRequest, kind=kind, wanted=wanted.model_dump(mode="json"), stop_status=status)


@pytest.mark.parametrize(
    ("kind", "wanted", "asked"),
    [
        (RequestKind.RESCHEDULE, Wanted(window=EVENING), "Move it to Tue, Nov 24, 5 pm-9 pm?"),
        (RequestKind.RESCHEDULE, Wanted(), "Move it to another window?"),
        (RequestKind.REDELIVER, Wanted(window=EVENING), "Try again Tue, Nov 24, 5 pm-9 pm?"),
        (RequestKind.REDELIVER, Wanted(), "Try again?"),
        (RequestKind.HOLD, Wanted(window=EVENING), "Hold it until Tue, Nov 24, 5 pm-9 pm?"),
        (RequestKind.HOLD, Wanted(), "Hold it at the depot?"),
        (RequestKind.SEND_BACK, Wanted(), "Send it back to Acme?"),
        (RequestKind.CHANGE_ADDRESS, Wanted(words="9 Oak Ave"), "Change the address? They wrote: 9 Oak Ave"),
        (RequestKind.CHANGE_ADDRESS, Wanted(), "Change the address?"),
        (RequestKind.NOTE, Wanted(words="gate code 4471"), "Give the driver this note? gate code ••••"),
    ],
)
def test_the_decision_is_one_sentence_without_codes(kind: RequestKind, wanted: Wanted, asked: str) -> None:
    assert decision_of(request(kind, wanted), "Acme", "America/New_York") == asked


def test_every_kind_says_why_dispatchers_are_asked() -> None:
    assert set(ASKS) == set(RequestKind)


@pytest.mark.parametrize(
    ("asked_at", "now", "moot"),
    [
        (StopStatus.ASSIGNED, StopStatus.ASSIGNED, False),
        (StopStatus.ASSIGNED, StopStatus.OUT_FOR_DELIVERY, False),
        (StopStatus.ASSIGNED, StopStatus.DELIVERED, True),
        (StopStatus.OUT_FOR_DELIVERY, StopStatus.FAILED, True),
        (StopStatus.FAILED, StopStatus.FAILED, False),
        (StopStatus.FAILED, StopStatus.PLANNED, False),
        (StopStatus.FAILED, StopStatus.RETURNED, True),
        (StopStatus.FAILED, StopStatus.DELIVERED, True),
    ],
)
def test_a_request_is_moot_once_its_stop_is_over(
    asked_at: StopStatus, now: StopStatus, *, moot: bool
) -> None:
    assert is_moot(request(RequestKind.RESCHEDULE, Wanted(), asked_at), now) is moot
