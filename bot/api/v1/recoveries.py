"""Failed deliveries and what becomes of them: listed, read."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from bot.api.v1.auth import CallerIn, ServicesIn
from bot.api.v1.bodies import Day, Text
from bot.api.v1.pages import Cursor, Limit, after, cursor_at
from bot.api.v1.problems import not_found, problems
from bot.api.v1.shown import RecoveryOut, RecoveryPage, show_recovery
from bot.clients.service import Caller
from bot.intake.queries import day_bounds
from bot.recovery.models import Recovery, RecoveryState
from bot.stops.models import StopRecord
from connectors.base import FailureReason

router = APIRouter(tags=["recoveries"])

Second = aliased(StopRecord)


@router.get("/recoveries", responses=problems())
async def list_recoveries(
    caller: CallerIn,
    services: ServicesIn,
    first: Annotated[Day | None, Query(alias="from", description="Followed up since this day.")] = None,
    last: Annotated[
        Day | None,
        Query(alias="to", description="... up to this day, included; days of the operator's zone."),
    ] = None,
    state: RecoveryState | None = None,
    reason: FailureReason | None = None,
    order_ref: Annotated[Text | None, Query(max_length=200)] = None,
    client: Annotated[Text | None, Query(max_length=200, description="Operators only; else ignored.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> RecoveryPage:
    """The client's failed deliveries, in the order in which their follow-up began."""
    opened_at, row_id = col(Recovery.opened_at), col(Recovery.id)
    wanted = [*after(cursor, opened_at, row_id), *_seen_by(caller, client)]
    wanted += [] if state is None else [col(Recovery.state) == state]
    wanted += [] if reason is None else [col(Recovery.reason) == reason]
    wanted += [] if order_ref is None else [func.lower(col(StopRecord.order_ref)) == order_ref.lower()]
    timezone = services.sop.current.operator.timezone
    wanted += [] if first is None else [opened_at >= day_bounds(first, timezone)[0]]
    wanted += [] if last is None else [opened_at < day_bounds(last, timezone)[1]]
    query = _query().where(*wanted).order_by(opened_at, row_id).limit(limit + 1)
    async with services.database.transaction() as session:
        rows = [(each, stop, second) for each, stop, second in await session.execute(query)]
    end = rows[limit - 1][0] if len(rows) > limit else None
    return RecoveryPage(
        recoveries=[show_recovery(*row) for row in rows[:limit]],
        next_cursor=cursor_at(end.opened_at, end.id) if end else None,
    )


@router.get("/recoveries/{recovery_id}", responses=problems(404))
async def get_recovery(recovery_id: UUID, caller: CallerIn, services: ServicesIn) -> RecoveryOut:
    """Another client's is not there."""
    query = _query().where(col(Recovery.id) == recovery_id, *_seen_by(caller, None))
    async with services.database.transaction() as session:
        row = (await session.execute(query)).one_or_none()
    if row is None:
        raise not_found("recovery")
    return show_recovery(*row)


def _query() -> Select[Recovery, StopRecord, StopRecord]:
    return (
        select(Recovery, StopRecord, Second)
        .join(StopRecord, col(StopRecord.id) == col(Recovery.stop_id))
        .outerjoin(Second, col(Second.id) == col(Recovery.reattempt_id))
    )


def _seen_by(caller: Caller, client: str | None) -> list[Any]:
    """Judged by the stop and by the follow-up: what disagrees is nobody's but an operator's."""
    whose = caller.client if caller.client is not None else client
    if whose is None:
        return []
    return [col(Recovery.client) == whose, col(StopRecord.client) == whose]
