"""Finds what one mailbox may read of: stops of the clients under which it stands, and of nobody else."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.incidents.models import BrokenKind, BrokenState, PromiseIncident
from bot.intake.queries import day_bounds
from bot.recovery.models import Recovery
from bot.stops.models import StopRecord
from connectors.base import StopStatus

MOST = 300
MARGIN = timedelta(days=2)
"""A delivery fails at most so long before or after its window, as far as a day's list is concerned."""


async def numbered(
    session: AsyncSession, clients: Sequence[str], numbers: Sequence[str]
) -> Mapping[str, list[StopRecord]]:
    """By number in lower case; one order may have several stops, oldest window first."""
    wanted = {number.lower() for number in numbers}
    if not wanted:
        return {}
    found = await session.scalars(
        select(StopRecord)
        .where(
            col(StopRecord.client).in_(clients),
            or_(
                func.lower(col(StopRecord.order_ref)).in_(wanted),
                func.lower(col(StopRecord.tracking)).in_(wanted),
                col(StopRecord.own_ref).in_({number.upper() for number in numbers}),
            ),
        )
        .order_by(
            func.coalesce(col(StopRecord.window_start_at), col(StopRecord.changed_at)),
            col(StopRecord.tracking),
        )
        .limit(MOST)
    )
    by_number: dict[str, list[StopRecord]] = {}
    for stop in found:
        for name in {each.lower() for each in (stop.order_ref, stop.tracking, stop.own_ref) if each} & wanted:
            by_number.setdefault(name, []).append(stop)
    return by_number


async def failed_on(
    session: AsyncSession, clients: Sequence[str], day: date, timezone: str
) -> list[StopRecord]:
    since, until = day_bounds(day, timezone)
    ended = func.coalesce(
        col(StopRecord.completed_at), col(StopRecord.window_end_at), col(StopRecord.changed_at)
    )
    end = col(StopRecord.window_end_at)
    return await _listed(
        session,
        select(StopRecord).where(
            col(StopRecord.client).in_(clients),
            col(StopRecord.status).in_((StopStatus.FAILED, StopStatus.RETURNED)),
            or_(end.is_(None), end.between(since - MARGIN, until + MARGIN)),
            ended >= since,
            ended < until,
        ),
    )


async def late_on(
    session: AsyncSession, clients: Sequence[str], day: date, timezone: str
) -> list[StopRecord]:
    """Windows that ended on that day and were not kept."""
    since, until = day_bounds(day, timezone)
    return await _listed(
        session,
        select(StopRecord)
        .join(PromiseIncident, col(PromiseIncident.stop_id) == col(StopRecord.id))
        .where(
            col(StopRecord.client).in_(clients),
            col(PromiseIncident.client).in_(clients),
            col(PromiseIncident.kind) == BrokenKind.BREACH,
            col(PromiseIncident.by_hand).is_(False),
            col(PromiseIncident.state) != BrokenState.WITHDRAWN,
            col(PromiseIncident.promised_end_at) > since,
            col(PromiseIncident.promised_end_at) <= until,
        ),
    )


async def followed_on(
    session: AsyncSession, clients: Sequence[str], day: date, timezone: str
) -> list[StopRecord]:
    """Those that failed on that day and were followed up."""
    since, until = day_bounds(day, timezone)
    return await _listed(
        session,
        select(StopRecord)
        .join(Recovery, col(Recovery.stop_id) == col(StopRecord.id))
        .where(
            col(StopRecord.client).in_(clients),
            col(Recovery.failed_at) >= since,
            col(Recovery.failed_at) < until,
        ),
    )


async def recoveries_of(
    session: AsyncSession, stops: Sequence[StopRecord]
) -> Mapping[UUID, tuple[Recovery, StopRecord | None]]:
    """By the failed stop: the follow-up of its last failure, and the stop that tries again."""
    rows = list(
        await session.scalars(
            select(Recovery).where(
                col(Recovery.stop_id).in_([stop.id for stop in stops]), col(Recovery.is_past).is_(False)
            )
        )
    )
    wanted = [row.reattempt_id for row in rows if row.reattempt_id is not None]
    seconds = await session.scalars(select(StopRecord).where(col(StopRecord.id).in_(wanted)))
    by_id = {stop.id: stop for stop in seconds}
    return {
        row.stop_id: (row, by_id.get(row.reattempt_id) if row.reattempt_id is not None else None)
        for row in rows
    }


async def _listed(session: AsyncSession, query: "Select[StopRecord]") -> list[StopRecord]:
    order = (col(StopRecord.window_end_at).nulls_first(), col(StopRecord.tracking))
    return list((await session.scalars(query.order_by(*order).limit(MOST))).unique())
