"""Reads the runs of the day, their drivers and their shifts."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.drivers.models import DriverShift
from bot.drivers.rules import Run, RunStop, runs_of
from bot.manifest.models import DriverOut
from bot.sop import local_day
from bot.stops.models import DriverRecord, RouteRecord, StopRecord
from connectors.base import StopStatus
from connectors.desk import ShiftState

INTO_THE_NIGHT = timedelta(hours=4)
"""How long after midnight a run that has stops left is still today's."""
REACH = timedelta(hours=26)
"""A local day, and what belongs to it, wherever it is."""

DUE_AT = func.coalesce(col(StopRecord.planned_at), col(StopRecord.window_start_at), col(StopRecord.eta_at))
RUN_STOP = (
    col(StopRecord.id),
    col(StopRecord.platform),
    col(StopRecord.platform_ref),
    col(StopRecord.driver_ref),
    col(StopRecord.route_ref),
    col(StopRecord.status),
    col(StopRecord.timezone),
    col(StopRecord.zone),
    col(StopRecord.address_line),
    col(StopRecord.sequence),
    col(StopRecord.planned_at),
    col(StopRecord.window_start_at),
    col(StopRecord.eta_at),
    col(StopRecord.arrived_at),
    col(StopRecord.completed_at),
    col(StopRecord.load),
)


async def todays_runs(session: AsyncSession, now: datetime) -> list[Run]:
    """Every driver's run of the day that it is where the stops are."""
    near = DUE_AT.between(now - REACH, now + REACH)
    runs = await _runs(session, near)
    return [run for run in runs if run.day == local_day(now, run.timezone)]


async def run_of(session: AsyncSession, shift: DriverShift) -> Run | None:
    """The run as it stands now; None when nothing of it is left with this driver."""
    near = DUE_AT.between(shift.starts_at - REACH, shift.starts_at + REACH)
    own = col(StopRecord.platform) == shift.platform, col(StopRecord.driver_ref) == shift.driver_ref
    return next((run for run in await _runs(session, near, *own) if run.day == shift.day), None)


async def todays_run(session: AsyncSession, platform: str, driver_ref: str, now: datetime) -> Run | None:
    """One driver's run of the day that it is where the stops are; by night the one that is still driven."""
    near = DUE_AT.between(now - REACH, now + REACH)
    own = col(StopRecord.platform) == platform, col(StopRecord.driver_ref) == driver_ref
    runs = await _runs(session, near, *own)
    driven = (run for run in runs if run.has_begun and run.open_stops)
    late = next((run for run in driven if run.day == local_day(now - INTO_THE_NIGHT, run.timezone)), None)
    return late or next((run for run in runs if run.day == local_day(now, run.timezone)), None)


async def _runs(session: AsyncSession, *conditions: ColumnElement[bool]) -> list[Run]:
    rows = await session.execute(
        select(*RUN_STOP).where(
            col(StopRecord.driver_ref).is_not(None),
            col(StopRecord.status) != StopStatus.CANCELLED,
            *conditions,
        )
    )
    stops = [RunStop(**row) for row in rows.mappings()]
    return runs_of(stops, await _routes(session, stops))


async def _routes(session: AsyncSession, stops: Sequence[RunStop]) -> list[RouteRecord]:
    days = {local_day(stop.due_at, stop.timezone) for stop in stops if stop.due_at is not None}
    if not days:
        return []
    return list(await session.scalars(select(RouteRecord).where(col(RouteRecord.day).in_(days))))


async def shifts_of(session: AsyncSession, runs: Collection[Run]) -> dict[tuple[str, str, date], DriverShift]:
    """By platform, driver and day."""
    keys = [(run.platform, run.driver_ref, run.day) for run in runs]
    if not keys:
        return {}
    key = tuple_(col(DriverShift.platform), col(DriverShift.driver_ref), col(DriverShift.day))
    found = await session.scalars(select(DriverShift).where(key.in_(keys)))
    return {(shift.platform, shift.driver_ref, shift.day): shift for shift in found}


async def open_asks(session: AsyncSession, days: Collection[date]) -> list[DriverShift]:
    """The shifts of these days that wait for a word, whatever became of their runs."""
    waiting = (ShiftState.ASKED, ShiftState.SILENT)
    return list(
        await session.scalars(
            select(DriverShift).where(col(DriverShift.day).in_(days), col(DriverShift.state).in_(waiting))
        )
    )


async def drivers_of(session: AsyncSession, platforms: Collection[str]) -> list[DriverRecord]:
    return list(await session.scalars(select(DriverRecord).where(col(DriverRecord.platform).in_(platforms))))


async def locked(session: AsyncSession, shift_id: UUID) -> DriverShift:
    """Locked, and as it stands now."""
    return await session.get_one(DriverShift, shift_id, with_for_update=True, populate_existing=True)


async def shift_states(session: AsyncSession, day: date) -> dict[tuple[str, str], ShiftState]:
    """What drivers said to their routes of a day, by platform and driver; whoever is missing was not asked."""
    found = await session.scalars(select(DriverShift).where(col(DriverShift.day) == day))
    return {(shift.platform, shift.driver_ref): shift.state for shift in found}


async def hears_of_each_stop(session: AsyncSession, run: Run) -> bool:
    """Whether the run is out already: then every changed stop is told by itself (`bot/manifest/watching.py`)."""
    out = exists().where(
        col(DriverOut.platform) == run.platform,
        col(DriverOut.driver_ref) == run.driver_ref,
        col(DriverOut.day) == run.day,
    )
    return bool(await session.scalar(select(out)))


async def who_did_not_confirm(session: AsyncSession, platform: str, day: date) -> frozenset[str]:
    """The drivers of this account who said no to their own routes of the day, or nothing."""
    not_coming = (ShiftState.REFUSED, ShiftState.SILENT)
    found = await session.scalars(
        select(col(DriverShift.driver_ref)).where(
            col(DriverShift.platform) == platform,
            col(DriverShift.day) == day,
            col(DriverShift.state).in_(not_coming),
        )
    )
    return frozenset(found)
