"""What else is on the routes of the stops that the watch looks at: for their pace, and how far behind plan they are."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, cast, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.sla.pace import Pace, RouteStop, pace_of, told_behind
from bot.sop import local_day
from bot.sop_sla import Estimate
from bot.stops.models import StopRecord

Van = tuple[str, str]
"""Account and the driver's reference there."""

day_at = lru_cache(maxsize=10_000)(local_day)
"""Kept, as a round asks for the days of the same few windows again and again."""

REACHES = timedelta(hours=18)
"""A driver's stops whose windows end farther from now than this are of another day."""

_COLUMNS = (
    col(StopRecord.platform),
    col(StopRecord.driver_ref),
    col(StopRecord.id),
    col(StopRecord.timezone),
    col(StopRecord.window_end_at),
    col(StopRecord.status),
    col(StopRecord.sequence),
    col(StopRecord.planned_at),
    col(StopRecord.arrived_at),
    col(StopRecord.completed_at),
    col(StopRecord.service_seconds),
    col(StopRecord.latitude),
    col(StopRecord.longitude),
)


async def paces_of(
    session: AsyncSession, vans: Mapping[Van, datetime], rules: Estimate, now: datetime
) -> Mapping[Van, Pace]:
    """The pace of each van's stops of today, local to the stops; `vans` gives up to when each was heard of.

    Of a driver who fell silent it is the pace they had: not hearing of stops is no sign that they are not done.
    """
    if not vans:
        return {}
    names, refs = [van[0] for van in vans], [van[1] for van in vans]
    wanted = (
        func.unnest(cast(names, ARRAY(Text)), cast(refs, ARRAY(Text)))
        .table_valued("platform", "driver_ref")
        .render_derived("van")
    )
    rows = await session.execute(
        select(*_COLUMNS)
        .join(
            wanted,
            tuple_(col(StopRecord.platform), col(StopRecord.driver_ref))
            == tuple_(wanted.c.platform, wanted.c.driver_ref),
        )
        .where(col(StopRecord.window_end_at).between(now - REACHES, now + REACHES))
    )
    stops: dict[Van, list[RouteStop]] = defaultdict(list)
    for row in _of_today(rows, now):
        stops[row.platform, row.driver_ref].append(_route_stop(row))
    return {van: pace_of(found, rules, vans[van]) for van, found in stops.items()}


async def behind_plan(
    session: AsyncSession, stop_ids: Collection[UUID], rules: Estimate, now: datetime
) -> str:
    """`3 stops behind plan`, of the driver of these stops who is farthest behind; empty when none is."""
    rows = await session.execute(
        select(col(StopRecord.platform), col(StopRecord.driver_ref))
        .where(col(StopRecord.id).in_(stop_ids), col(StopRecord.driver_ref).is_not(None))
        .distinct()
    )
    vans = {(row[0], row[1]): now for row in rows if row[1] is not None}
    paces = await paces_of(session, vans, rules, now)
    return told_behind(max((pace.behind for pace in paces.values()), default=0))


def _of_today(rows: Iterable[Any], now: datetime) -> Iterable[Any]:
    today: dict[str, Any] = {}
    for row in rows:
        if row.timezone not in today:
            today[row.timezone] = day_at(now, row.timezone)
        if day_at(row.window_end_at, row.timezone) == today[row.timezone]:
            yield row


def _route_stop(row: Any) -> RouteStop:
    has_place = row.latitude is not None and row.longitude is not None
    return RouteStop(
        stop_id=row.id,
        status=row.status,
        sequence=row.sequence,
        planned_at=row.planned_at,
        arrived_at=row.arrived_at,
        completed_at=row.completed_at,
        service=None if row.service_seconds is None else timedelta(seconds=row.service_seconds),
        place=(row.latitude, row.longitude) if has_place else None,
    )
