"""Tells drivers and dispatchers what changes on a route that is out, once, from the log of stop events."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.desk.service import DeskTasks
from bot.manifest.lateness import LateChange, Out, late_change
from bot.manifest.models import DriverOut
from bot.manifest.telling import Names, TellDrivers, tasks_of
from bot.sop import ProtocolInForce, local_day
from bot.stops import following
from bot.stops.models import DriverRecord, RouteRecord, StopEvent, StopRecord
from connectors.base import RouteStatus, StopStatus

READER = "late_changes"
ON_THE_WAY = (StopStatus.OUT_FOR_DELIVERY, StopStatus.ARRIVING)
ABOUT_TODAY = timedelta(days=2)


class LateChanges:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        tasks: DeskTasks,
        drivers: TellDrivers,
        releasing: Collection[str],
    ) -> None:
        """`releasing`: accounts where a route reaches its driver by an act of its own."""
        self._database = database
        self._clock = clock
        self._sop = sop
        self._releasing = releasing
        self._tasks = tasks
        self._drivers = drivers

    async def run(self) -> int:
        """Goes on in the log from where it stopped; gives how many changes were told.

        What is told and how far was read commit together: a kill in between tells nothing twice.
        """
        now = self._clock.now()
        async with self._database.transaction() as session:
            today = now.astimezone(self._sop.current.zone).date()
            await _note_who_is_out(session, now, today, self._releasing)
        end = await following.settled_end(self._database, READER)
        if end is None:
            return 0
        async with self._database.transaction() as session:
            events = await following.take(session, READER, end)
            changes = await _late_changes(session, events, now)
            await self._tell(session, changes)
        return len(changes)

    async def _tell(self, session: AsyncSession, changes: Sequence[LateChange]) -> None:
        if not changes:
            return
        names = await _names(session, changes)
        unreachable = await self._drivers.unreachable(session, changes)
        for wanted in tasks_of(changes, names, unreachable):
            await self._tasks.open_once(session, wanted)
        await self._drivers.tell(session, changes)
        for change in changes:
            audit.record(
                session,
                self._clock.now(),
                "stop",
                str(change.stop.id),
                "changed_on_the_road",
                change=change.change.value,
                drivers=sorted(change.told),
            )


async def _note_who_is_out(
    session: AsyncSession, now: datetime, today: date, releasing: Collection[str]
) -> None:
    """Remembers whose run has begun by now, each as first seen."""
    found = await _with_a_route(session, today, releasing) | await _on_the_way(session, now)
    values = [
        {"platform": platform, "driver_ref": driver_ref, "day": day, "seen_at": now}
        for platform, driver_ref, day in sorted(found)
    ]
    if values:
        await session.execute(insert(DriverOut).values(values).on_conflict_do_nothing())


async def _with_a_route(session: AsyncSession, today: date, releasing: Collection[str]) -> set[Out]:
    """Who has begun, or was sent the route. Where drivers see a route while it is planned, who is on duty."""
    is_seen = and_(col(DriverRecord.on_duty).is_(True), col(RouteRecord.day) == today)
    rows = await session.execute(
        select(col(RouteRecord.platform), col(RouteRecord.driver_ref), col(RouteRecord.day))
        .join(
            DriverRecord,
            and_(
                col(DriverRecord.platform) == col(RouteRecord.platform),
                col(DriverRecord.platform_ref) == col(RouteRecord.driver_ref),
            ),
        )
        .where(
            col(RouteRecord.day) >= today,
            or_(
                col(RouteRecord.status) == RouteStatus.STARTED,
                and_(
                    col(RouteRecord.status) == RouteStatus.RELEASED,
                    or_(col(RouteRecord.platform).in_(releasing), is_seen),
                ),
            ),
        )
    )
    return {(platform, driver_ref, day) for platform, driver_ref, day in rows if driver_ref is not None}


async def _on_the_way(session: AsyncSession, now: datetime) -> set[Out]:
    rows = await session.execute(
        select(StopRecord.platform, StopRecord.driver_ref, StopRecord.timezone)  # type: ignore[call-overload]
        .join(
            DriverRecord,
            (col(DriverRecord.platform) == col(StopRecord.platform))
            & (col(DriverRecord.platform_ref) == col(StopRecord.driver_ref)),
        )
        .where(col(StopRecord.status).in_(ON_THE_WAY), col(DriverRecord.on_duty).is_(True))
        .distinct()
    )
    return {(platform, driver_ref, local_day(now, timezone)) for platform, driver_ref, timezone in rows}


async def _late_changes(
    session: AsyncSession, events: Sequence[StopEvent], now: datetime
) -> list[LateChange]:
    if not events:
        return []
    by_stop: dict[UUID, list[StopEvent]] = defaultdict(list)
    for event in events:
        by_stop[event.stop_id].append(event)
    outs = await _outs(session, now)
    stops = await session.scalars(select(StopRecord).where(col(StopRecord.id).in_(by_stop)))
    found = (late_change(stop, by_stop[stop.id], outs, local_day(now, stop.timezone)) for stop in stops)
    return sorted((change for change in found if change is not None), key=lambda change: change.stop.tracking)


async def _outs(session: AsyncSession, now: datetime) -> dict[Out, datetime]:
    rows = await session.scalars(select(DriverOut).where(col(DriverOut.day) >= (now - ABOUT_TODAY).date()))
    return {(row.platform, row.driver_ref, row.day): row.seen_at for row in rows}


async def _names(session: AsyncSession, changes: Iterable[LateChange]) -> Names:
    platforms = {change.stop.platform for change in changes}
    rows = await session.scalars(select(DriverRecord).where(col(DriverRecord.platform).in_(platforms)))
    return {(row.platform, row.platform_ref): row for row in rows}
