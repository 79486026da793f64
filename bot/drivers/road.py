"""Who writes from the road: a driver by the number, today's run, and where on it they are."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.drivers import queries
from bot.drivers.models import DriverQuestion, DriverReport, ReportState
from bot.drivers.question_replies import ANSWERS_FOR
from bot.drivers.report_reading import Nameable, Standing
from bot.drivers.rules import Run, RunStop
from bot.stops.models import DriverRecord
from connectors.base import StopStatus

LATELY = timedelta(minutes=30)
"""What was marked as failed so lately is what the driver writes about."""
STILL_NAMED = timedelta(hours=6)
"""A failed stop can be named for so long."""


@dataclass(frozen=True)
class OnTheRoad:
    """A driver with a run today."""

    platform: str
    driver_ref: str
    name: str
    phone: str
    run: Run
    stops: tuple[Nameable, ...]
    """All of the run, in its order."""

    def stop(self, stop_id: UUID) -> Nameable:
        return next(stop for stop in self.stops if stop.stop_id == stop_id)

    @property
    def next_stop(self) -> RunStop | None:
        return next(iter(self.run.open_stops), None)


async def on_the_road(session: AsyncSession, phone: str, now: datetime) -> OnTheRoad | None:
    """None for everybody who does not drive today. Of two accounts the one with a run under way counts."""
    drivers = await session.scalars(select(DriverRecord).where(col(DriverRecord.phone) == phone))
    found = []
    for driver in drivers:
        run = await queries.todays_run(session, driver.platform, driver.platform_ref, now)
        if run is not None:
            found.append((run.has_begun and bool(run.open_stops), driver, run))
    if not found:
        return None
    _, driver, run = max(found, key=lambda each: (each[0], each[1].platform))
    asked = await _asked_about(session, phone, now)
    reported = await _reported(session, run)
    return OnTheRoad(
        driver.platform,
        driver.platform_ref,
        driver.name,
        phone,
        run,
        nameable(run, asked, reported, now),
    )


def nameable(
    run: Run, asked: Collection[UUID], reported: Collection[UUID], now: datetime
) -> tuple[Nameable, ...]:
    """The stops of a run as its driver's text may mean them. Pure."""
    first = next((stop.id for stop in run.open_stops), None)
    return tuple(
        Nameable(stop.id, number, stop.address_line, _standing(stop, first, asked, reported, now))
        for number, stop in enumerate(run.stops, 1)
    )


def _standing(
    stop: RunStop, first: UUID | None, asked: Collection[UUID], reported: Collection[UUID], now: datetime
) -> Standing:
    if stop.status is StopStatus.FAILED:
        ago = now - stop.completed_at if stop.completed_at is not None else timedelta(0)
        if ago > STILL_NAMED:
            return Standing.OVER
        return Standing.FAILED_LATELY if ago <= LATELY and stop.id not in reported else Standing.LATER
    if stop.status.is_closed:
        return Standing.OVER
    if stop.id in reported:
        return Standing.LATER
    if stop.status is StopStatus.ARRIVING or stop.arrived_at is not None:
        return Standing.AT_DOOR
    if stop.id in asked:
        return Standing.ASKED
    return Standing.NEXT if stop.id == first else Standing.LATER


async def _asked_about(session: AsyncSession, phone: str, now: datetime) -> set[UUID]:
    newest = await session.scalar(
        select(DriverQuestion)
        .where(
            col(DriverQuestion.phone) == phone,
            col(DriverQuestion.asked_at) > now - ANSWERS_FOR,
            col(DriverQuestion.answered_at).is_(None),
        )
        .order_by(col(DriverQuestion.asked_at).desc())
        .limit(1)
    )
    return {newest.stop_id} if newest is not None and newest.stop_id is not None else set()


async def _reported(session: AsyncSession, run: Run) -> set[UUID]:
    found = await session.scalars(
        select(col(DriverReport.stop_id)).where(
            col(DriverReport.stop_id).in_([stop.id for stop in run.stops]),
            col(DriverReport.state) == ReportState.TAKEN,
        )
    )
    return {stop_id for stop_id in found if stop_id is not None}
