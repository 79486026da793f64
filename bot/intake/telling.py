"""What clients are told of what they asked, and what dispatchers are shown of it."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.conversations.privacy import masked
from bot.desk.service import TaskWanted
from bot.intake.forms import CleanStop
from bot.intake.models import ChangeState, RequestState, StopChange, StopRequest
from bot.stops.models import StopRecord
from connectors.desk import Choice, TaskFacts, TaskKind

WORDS_SHOWN = 300


TellClient = Callable[[AsyncSession, str, str, UUID, dict[str, Any]], Awaitable[None]]
"""Hands an event over to the client's own system, in the transaction of the change that it tells of:
the client, the kind (`bot.handover.events.EventKind`), the request's or change's id, and its facts."""

TOLD_OF_REQUESTS = {
    RequestState.ENTERED: "stop_request.entered",
    RequestState.NEEDS_DISPATCHER: "stop_request.needs_dispatcher",
    RequestState.DECLINED: "stop_request.declined",
}
"""A refused one was answered at once, a withdrawn one was withdrawn by the client itself."""
TOLD_OF_WINDOWS = {
    ChangeState.APPLIED: "window_change.applied",
    ChangeState.DECLINED: "window_change.declined",
    ChangeState.REFUSED: "window_change.declined",
}
"""What became of a cancellation, the stop's own events tell."""


def request_facts(request: StopRequest) -> dict[str, Any]:
    """Of an event `stop_request.*`: no names, phones or addresses."""
    return {
        "state": request.state.value,
        "order_ref": request.order_ref,
        "stop_id": str(request.stop_id) if request.stop_id else None,
        "duplicate_of": str(request.duplicate_of) if request.duplicate_of else None,
        "reasons": list(request.codes),
    }


def change_facts(change: StopChange) -> dict[str, Any]:
    """Of an event `window_change.*` or `cancellation.*`."""
    return {
        "state": change.state.value,
        "stop_id": str(change.stop_id),
        "wanted": change.wanted.model_dump(mode="json") if change.wanted else None,
        "reasons": list(change.codes),
    }


def task_of_request(request: StopRequest, timezone: str, *, detail: str = "") -> TaskWanted:
    """Approve enters it all the same; Done says that somebody has entered it by hand."""
    wanted = CleanStop.model_validate(request.form)
    return TaskWanted(
        kind=TaskKind.NEW_STOP,
        key=request_key(request.id),
        timezone=timezone,
        zone=request.zone,
        client=request.client,
        choices=(Choice.APPROVE, Choice.DONE, Choice.DECLINE),
        expires_at=wanted.window.end_at,
        facts=TaskFacts(
            address_line=_whole(wanted),
            order_ref=request.order_ref or "",
            recipient_name=wanted.recipient_name,
            wanted_window=wanted.window,
            reasons=request.codes,
            detail=detail,
            words=masked(wanted.notes)[:WORDS_SHOWN],
            asked_by=_asker(request.source.value, request.asked_by),
        ),
    )


def task_of_change(
    change: StopChange, stop: StopRecord, kind: TaskKind, *, detail: str = "", approvals: int = 1
) -> TaskWanted:
    return TaskWanted(
        kind=kind,
        key=change_key(change.id),
        timezone=stop.timezone,
        zone=stop.zone,
        client=stop.client,
        choices=(Choice.APPROVE, Choice.DONE, Choice.DECLINE),
        approvals_needed=approvals,
        expires_at=change.wanted.end_at if change.wanted else None,
        approved_by=(change.asked_by,) if approvals > 1 else (),
        facts=TaskFacts(
            address_line=stop.address_line,
            tracking=stop.tracking,
            order_ref=stop.order_ref or "",
            recipient_name=stop.recipient_name,
            window=stop.window,
            wanted_window=change.wanted,
            reasons=change.codes,
            detail=detail,
            words=change.note[:WORDS_SHOWN],
            asked_by=_asker(change.source.value, change.asked_by),
        ),
    )


def request_key(request_id: UUID) -> str:
    return f"stop_request:{request_id}"


def change_key(change_id: UUID) -> str:
    return f"stop_change:{change_id}"


def id_of_key(key: str) -> UUID:
    return UUID(key.rpartition(":")[2])


def _asker(source: str, asked_by: str) -> str:
    return asked_by if source == "slack" else source


def _whole(wanted: CleanStop) -> str:
    place = " ".join(part for part in (wanted.address.city, wanted.address.postcode) if part)
    return f"{wanted.address.line}, {place}" if place else wanted.address.line
