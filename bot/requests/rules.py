"""Pure: what a request asks of a dispatcher, when it is moot, what became of carrying it out."""

from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from bot.conversations.privacy import masked
from bot.requests.models import DispatchRequest, RequestKind
from bot.sla.rules import clock_time
from connectors.base import DeliveryWindow, StopStatus


class Wanted(BaseModel):
    """What exactly is wished: a window to move to, and words: the address, or the note."""

    model_config = ConfigDict(frozen=True)

    window: DeliveryWindow | None = None
    words: str = ""


class Carried(StrEnum):
    DONE = "done"
    """The platform was read back and holds it."""
    BY_HAND = "by_hand"
    """No platform can: approving means that the dispatcher has done it, or will."""
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"


class Outcome(BaseModel):
    """What became of an approved request at the platform; `detail` says why not, for dispatchers."""

    model_config = ConfigDict(frozen=True)

    result: Carried
    detail: str = ""


ASKS = {
    RequestKind.RESCHEDULE: "Wants another delivery window",
    RequestKind.CHANGE_ADDRESS: "Wants another address",
    RequestKind.SEND_BACK: "Refuses the parcel",
    RequestKind.HOLD: "Wants it held",
    RequestKind.NOTE: "Has a note for the driver",
    RequestKind.REDELIVER: "Wants another try",
}
"""Why dispatchers are asked, as they read it."""


def decision_of(request: DispatchRequest, client: str, timezone: str) -> str:
    """What is to be decided, in one sentence: `Move it to Tue, Nov 24, 5 pm-9 pm?`"""
    wanted = Wanted.model_validate(request.wanted)
    when = _when(wanted.window, timezone)
    words = masked(wanted.words)
    match request.kind:
        case RequestKind.RESCHEDULE:
            return f"Move it to {when}?" if when else "Move it to another window?"
        case RequestKind.CHANGE_ADDRESS:
            return f"Change the address? They wrote: {words}" if words else "Change the address?"
        case RequestKind.SEND_BACK:
            return f"Send it back to {client}?" if client else "Send it back?"
        case RequestKind.HOLD:
            return f"Hold it until {when}?" if when else "Hold it at the depot?"
        case RequestKind.NOTE:
            return f"Give the driver this note? {words}"
        case RequestKind.REDELIVER:
            return f"Try again {when}?" if when else "Try again?"


def why_not(outcome: Outcome) -> str:
    """Why an approved request was not carried out, as dispatchers read it."""
    refused = outcome.result is Carried.REFUSED
    why = "The platform refused it" if refused else "The platform cannot be reached"
    return f"{why} ({outcome.detail})" if outcome.detail else why


def is_moot(request: DispatchRequest, status: StopStatus) -> bool:
    """Whether the stop was over before anybody decided."""
    return status.is_closed and status is not request.stop_status


def _when(window: DeliveryWindow | None, timezone: str) -> str:
    if window is None:
        return ""
    day: date = window.start_at.astimezone(ZoneInfo(timezone)).date()
    hours = [clock_time(moment, timezone).replace(":00", "") for moment in (window.start_at, window.end_at)]
    return f"{day:%a, %b} {day.day}, {hours[0]}-{hours[1]}"
