"""What the API shows of our tables. No phone numbers, notes or access codes leave by it."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from bot.api.v1.problems import Reason
from bot.clients.facts import new_window
from bot.intake.models import ChangeKind, ChangeState, RequestState, Source, StopChange, StopRequest
from bot.intake.reasons import text_of
from bot.recovery.answers import Choice
from bot.recovery.models import Recovery, RecoveryState
from bot.stops.models import StopRecord
from connectors.base import DeliveryWindow, FailureReason, StopStatus


class Shown(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Window(Shown):
    """Half open, in UTC: an arrival exactly at `end_at` is late."""

    start_at: datetime
    end_at: datetime


class StopOut(Shown):
    id: UUID
    client: str
    order_ref: str | None
    tracking: str
    status: StopStatus
    zone: str
    timezone: str
    """IANA; where the stop is."""
    address_line: str
    postcode: str
    recipient_name: str
    window: Window | None
    eta_at: datetime | None
    arrived_at: datetime | None
    completed_at: datetime | None
    failure_reason: FailureReason | None
    tracking_url: str | None
    changed_at: datetime


class StopPage(Shown):
    stops: list[StopOut]
    next_cursor: str | None
    """To be sent as `cursor` for the next page; null at the end."""


class RecoveryOut(Shown):
    """A failed delivery and what becomes of it. What the recipient wrote is not in it, only what was chosen."""

    id: UUID
    client: str
    stop_id: UUID
    """The stop that failed."""
    order_ref: str | None
    tracking: str
    zone: str
    timezone: str
    """IANA; where the stop is."""
    reason: FailureReason
    attempt: int
    """Which try of the parcel it was that failed."""
    state: RecoveryState
    failed_at: datetime
    opened_at: datetime
    asked_at: datetime | None
    answered_at: datetime | None
    deadline_at: datetime | None
    """When it is decided without an answer; null where there is no such moment."""
    settled_at: datetime | None
    choice: Choice | None
    """What the recipient wants; null while nothing is agreed."""
    window: Window | None
    """When it is tried again."""
    second_stop_id: UUID | None
    """The stop that tries again, once it is in the plan."""


class RecoveryPage(Shown):
    recoveries: list[RecoveryOut]
    next_cursor: str | None


class RequestOut(Shown):
    """A wanted stop. `stop_id` is there once it is entered."""

    id: UUID
    client: str
    source: Source
    state: RequestState
    reasons: list[Reason]
    duplicate_of: UUID | None
    order_ref: str | None
    zone: str
    window: Window | None
    stop_id: UUID | None
    asked_at: datetime
    changed_at: datetime


class RequestPage(Shown):
    stop_requests: list[RequestOut]
    next_cursor: str | None


class ChangeOut(Shown):
    """Another window, or a cancellation: applied, on its way, or waiting for a dispatcher."""

    id: UUID
    kind: ChangeKind
    stop_id: UUID
    state: ChangeState
    reasons: list[Reason]
    wanted: Window | None
    """Null for a cancellation."""
    earlier: Window | None
    asked_at: datetime
    settled_at: datetime | None


class TokenOut(Shown):
    token_id: UUID
    name: str
    client: str | None
    """Null for an operator's, which sees every client's stops."""
    is_operator: bool


def show_window(window: DeliveryWindow | None) -> Window | None:
    return Window(start_at=window.start_at, end_at=window.end_at) if window else None


def show_stop(stop: StopRecord) -> StopOut:
    same = stop.model_dump(include=set(StopOut.model_fields) - {"window"})
    return StopOut(window=show_window(stop.window), **same)


def show_recovery(recovery: Recovery, stop: StopRecord, second: StopRecord | None) -> RecoveryOut:
    same = recovery.model_dump(include=set(RecoveryOut.model_fields) - {"window"})
    window = new_window(recovery, second)
    return RecoveryOut(
        order_ref=stop.order_ref,
        tracking=stop.tracking,
        choice=recovery.preference.get("choice"),
        window=Window.model_validate(window) if window is not None else None,
        second_stop_id=recovery.reattempt_id,
        **same,
    )


def show_request(request: StopRequest) -> RequestOut:
    same = request.model_dump(include=set(RequestOut.model_fields) - {"window", "reasons"})
    return RequestOut(window=show_window(request.window), reasons=show_reasons(request.reasons), **same)


def show_change(change: StopChange) -> ChangeOut:
    same = change.model_dump(include={"id", "kind", "stop_id", "state", "asked_at", "settled_at"})
    return ChangeOut(
        wanted=show_window(change.wanted),
        earlier=show_window(change.earlier),
        reasons=show_reasons(change.reasons),
        **same,
    )


def show_reasons(reasons: list[dict[str, str]]) -> list[Reason]:
    return [
        Reason(code=each["code"], text=text_of(each["code"]), field=each.get("field", "")) for each in reasons
    ]
