"""Pure: what the shipper is told of a followed-up failure. No name, phone, email, words or code of a recipient."""

from enum import StrEnum
from typing import Any

from bot.recovery.models import Recovery
from bot.stops.models import StopRecord
from connectors.base import DeliveryWindow


class RecoveryNews(StrEnum):
    """The kinds of events that clients can hear of."""

    OPENED = "recovery.opened"
    REATTEMPT_BOOKED = "recovery.reattempt_booked"
    PICK_UP = "recovery.pick_up"
    SENT_BACK = "recovery.sent_back"
    WITH_DISPATCHER = "recovery.with_dispatcher"
    CLOSED = "recovery.closed"


def client_facts(recovery: Recovery, stop: StopRecord, again: StopRecord | None = None) -> dict[str, Any]:
    """Plain JSON, instants as UTC ISO strings; `window` and `reattempt_…` are null until a second try is booked."""
    return {
        "recovery_id": str(recovery.id),
        "stop_id": str(stop.id),
        "order_ref": stop.order_ref,
        "own_ref": stop.own_ref,
        "tracking": stop.tracking,
        "state": recovery.state.value,
        "reason": recovery.reason.value,
        "attempt": recovery.attempt,
        "failed_at": recovery.failed_at.isoformat(),
        "window": _window(again.window) if again is not None else None,
        "reattempt_stop_id": str(again.id) if again is not None else None,
        "reattempt_tracking": again.tracking if again is not None else None,
    }


def _window(window: DeliveryWindow | None) -> dict[str, str] | None:
    return window.model_dump(mode="json") if window is not None else None
