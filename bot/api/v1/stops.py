"""Stops in the plan: listed, read, moved, cancelled."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, select
from sqlmodel import col
from starlette.responses import Response

from bot.api.v1.auth import CallerIn, ServicesIn
from bot.api.v1.bodies import Day, Instant, Name, Text, reads
from bot.api.v1.pages import Cursor, Limit, after, cursor_at
from bot.api.v1.problems import ProblemError, Reason, not_found, problems
from bot.api.v1.shown import ChangeOut, StopOut, StopPage, show_change, show_stop
from bot.clients.service import Caller
from bot.intake.changes import ChangeWanted
from bot.intake.forms import window_of
from bot.intake.models import ChangeKind, ChangeState, Source, StopChange
from bot.intake.queries import day_bounds
from bot.intake.reasons import Because, text_of
from bot.services import Services
from bot.stops.models import StopRecord
from connectors.base import StopStatus

PATIENCE = timedelta(seconds=4)
"""How long an answer waits for the platform before it says that the change is on its way."""
NOTHING = func.coalesce(col(StopRecord.window_start_at), func.to_timestamp(0))

router = APIRouter(tags=["stops"])


class WindowIn(BaseModel):
    """Instants with an offset, such as `2026-11-23T14:00:00-05:00`."""

    model_config = ConfigDict(extra="forbid")

    start_at: Instant
    end_at: Instant
    note: Name = ""
    """Why, for the dispatcher."""


@router.get("/stops", responses=problems())
async def list_stops(
    caller: CallerIn,
    services: ServicesIn,
    date: Annotated[Day | None, Query(description="Local day of the window, in the operator's zone.")] = None,
    status: StopStatus | None = None,
    order_ref: Annotated[Text | None, Query(max_length=200)] = None,
    tracking: Annotated[Text | None, Query(max_length=200)] = None,
    changed_since: Annotated[
        Instant | None, Query(description="Changed at the platform at this instant or later.")
    ] = None,
    client: Annotated[Text | None, Query(max_length=200, description="Operators only; else ignored.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> StopPage:
    """The client's stops, by window. Those without a window come first."""
    whose = caller.client if caller.client is not None else client
    query = select(StopRecord, NOTHING).where(*after(cursor, NOTHING, col(StopRecord.id)))
    if whose is not None:
        query = query.where(col(StopRecord.client) == whose)
    if status is not None:
        query = query.where(col(StopRecord.status) == status)
    if order_ref is not None:
        query = query.where(func.lower(col(StopRecord.order_ref)) == order_ref.lower())
    if tracking is not None:
        query = query.where(func.lower(col(StopRecord.tracking)) == tracking.lower())
    if changed_since is not None:
        query = query.where(col(StopRecord.changed_at) >= changed_since)
    if date is not None:
        since, until = day_bounds(date, services.sop.current.operator.timezone)
        begins = col(StopRecord.window_start_at)
        query = query.where(begins >= since, begins < until)
    async with services.database.transaction() as session:
        found = await session.execute(query.order_by(NOTHING, col(StopRecord.id)).limit(limit + 1))
        rows = list(found)
    last = rows[limit - 1] if len(rows) > limit else None
    return StopPage(
        stops=[show_stop(stop) for stop, _ in rows[:limit]],
        next_cursor=cursor_at(last[1], last[0].id) if last else None,
    )


@router.get("/stops/{stop_id}", responses=problems(404))
async def get_stop(stop_id: UUID, caller: CallerIn, services: ServicesIn) -> StopOut:
    return show_stop(await stop_of(caller, services, stop_id))


_CHANGED: dict[int | str, dict[str, Any]] = {
    200: {"description": "Done: the platform holds it."},
    202: {"model": ChangeOut, "description": "On its way, or a dispatcher decides; its state tells which."},
}


@router.delete("/stops/{stop_id}", responses=_CHANGED | problems(404, 409))
async def cancel_stop(stop_id: UUID, caller: CallerIn, services: ServicesIn, response: Response) -> ChangeOut:
    """Cancels it. A stop whose driver is out is a dispatcher's to take back; a finished one is 409."""
    await stop_of(caller, services, stop_id)
    wanted = ChangeWanted(stop_id, ChangeKind.CANCEL, Source.API, caller.actor, f"api:{uuid4()}")
    return await _change(services, wanted, response)


@router.patch(
    "/stops/{stop_id}/window",
    responses=_CHANGED | problems(400, 403, 404, 409, 413, 415),
    dependencies=[Depends(reads("application/json"))],
)
async def move_window(
    stop_id: UUID, body: WindowIn, caller: CallerIn, services: ServicesIn, response: Response
) -> ChangeOut:
    """Promises another window, if the client may move this stop by itself; else a dispatcher decides."""
    await stop_of(caller, services, stop_id)
    window = window_of(body.start_at, body.end_at)
    if window is None:
        raise _refused([Because.BAD_WINDOW], stop_id)
    wanted = ChangeWanted(
        stop_id, ChangeKind.WINDOW, Source.API, caller.actor, f"api:{uuid4()}", window, body.note
    )
    return await _change(services, wanted, response)


@router.get("/window-changes/{change_id}", responses=problems(404))
async def get_window_change(change_id: UUID, caller: CallerIn, services: ServicesIn) -> ChangeOut:
    return show_change(await _change_of(caller, services, change_id, ChangeKind.WINDOW))


@router.get("/cancellations/{change_id}", responses=problems(404))
async def get_cancellation(change_id: UUID, caller: CallerIn, services: ServicesIn) -> ChangeOut:
    return show_change(await _change_of(caller, services, change_id, ChangeKind.CANCEL))


async def stop_of(caller: Caller, services: Services, stop_id: UUID) -> StopRecord:
    """Raises `ProblemError` 404, also for another client's."""
    async with services.database.transaction() as session:
        stop = await session.get(StopRecord, stop_id)
    if stop is None or not caller.may_see(stop.client):
        raise not_found("stop")
    return stop


async def _change(services: Services, wanted: ChangeWanted, response: Response) -> ChangeOut:
    answered = await services.changes.ask(wanted)
    if answered.change is None:
        raise _refused(answered.codes, wanted.stop_id)
    change = await services.changes.settled(answered.change.id, PATIENCE)
    if change.state is ChangeState.REFUSED:
        raise _refused(change.codes, wanted.stop_id)
    if change.state is not ChangeState.APPLIED:
        response.status_code = HTTPStatus.ACCEPTED
        kind = "window-changes" if change.kind is ChangeKind.WINDOW else "cancellations"
        response.headers["Location"] = f"/api/v1/{kind}/{change.id}"
    return show_change(change)


def _refused(codes: list[Because] | tuple[str, ...], stop_id: UUID) -> ProblemError:
    reasons = [Reason(code=code, text=text_of(code)) for code in codes]
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    if Because.FINISHED in codes:
        status = HTTPStatus.CONFLICT
    elif Because.NOT_ALLOWED in codes:
        status = HTTPStatus.FORBIDDEN
    code = codes[0] if codes else "refused"
    return ProblemError(status, code, text_of(code), reasons=reasons, subject_id=stop_id)


async def _change_of(caller: Caller, services: Services, change_id: UUID, kind: ChangeKind) -> StopChange:
    change = await services.changes.find(change_id)
    if change is None or change.kind is not kind or not caller.may_see(change.client):
        raise not_found("change")
    return change
