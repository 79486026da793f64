"""Reads what the manifests of one day are made of: every number as it stood at one instant."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer
from sqlmodel import col

from bot.board.queries import follow_ups_of, second_tries_of
from bot.clock import Clock
from bot.db import Database
from bot.manifest.days import anywhere_on, day_bounds, main_timezone, zone_of
from bot.manifest.facts import DayFacts, Ref
from bot.manifest.models import ManifestPost
from bot.manifest.rules import manifest_of, manifests_of
from bot.stops.models import DriverRecord, RouteRecord, StopRecord
from connectors.base import StopStatus
from connectors.desk import ManifestView, ShiftState

ShiftStates = Callable[[AsyncSession, date], Awaitable[Mapping[Ref, ShiftState]]]
"""Which drivers have said yes to that day's route, by platform and reference."""


class ManifestReader:
    def __init__(self, database: Database, clock: Clock, shift_states: ShiftStates) -> None:
        self._database = database
        self._clock = clock
        self._shift_states = shift_states

    async def read(self, day: date) -> DayFacts:
        """Of all zones, from one snapshot."""
        as_of = self._clock.now()
        async with self._database.snapshot() as session:
            posts = await _posts(session, day)
            stops = await _stops(session, day, posts.values())
            return DayFacts(
                day=day,
                as_of=as_of,
                stops=stops,
                routes=await _routes(session, day),
                drivers=await _drivers(session, stops),
                shifts=await self._shift_states(session, day),
                posts=posts,
                follow_ups=await follow_ups_of(session, [stop.id for stop in stops if not stop.is_open]),
                second_tries=await second_tries_of(session, [stop.id for stop in stops]),
            )

    async def views(self, day: date) -> list[ManifestView]:
        """One for each zone that has stops on that day, by name."""
        # Thousands of stops take a while, and webhooks must not wait for it.
        return await asyncio.to_thread(manifests_of, await self.read(day))

    async def find_view(self, zone: str, day: date) -> ManifestView | None:
        """None for a zone that has nothing on that day."""
        facts = await self.read(day)
        timezone = facts.timezone_of(zone)
        if timezone is None:
            return None
        return await asyncio.to_thread(manifest_of, facts, zone, timezone)


async def no_shifts(_session: AsyncSession, _day: date) -> Mapping[Ref, ShiftState]:
    """Where drivers are not asked."""
    return {}


async def _posts(session: AsyncSession, day: date) -> dict[str, ManifestPost]:
    rows = await session.scalars(select(ManifestPost).where(col(ManifestPost.day) == day))
    return {row.zone: row for row in rows}


async def _stops(session: AsyncSession, day: date, posts: Iterable[ManifestPost]) -> list[StopRecord]:
    """Somewhat more than the day's: which day it is where a stop is, is for the rules to say."""
    shown = [UUID(stop_id) for post in posts for stop_id in post.baseline]
    rows = await session.scalars(
        select(StopRecord)
        .where(or_(_starts_between(*anywhere_on(day)), col(StopRecord.id).in_(shown)))
        .options(defer(StopRecord.proof), defer(StopRecord.notes))  # type: ignore[arg-type]
    )
    return list(rows)


def _starts_between(earliest: datetime, latest: datetime) -> ColumnElement[bool]:
    """Stops whose `day_instant` lies between the two, the later one excluded."""
    starts = col(StopRecord.window_start_at)
    otherwise = func.coalesce(
        col(StopRecord.planned_at), col(StopRecord.eta_at), col(StopRecord.completed_at)
    )
    return or_(
        and_(starts >= earliest, starts < latest),
        and_(starts.is_(None), otherwise >= earliest, otherwise < latest),
    )


async def _routes(session: AsyncSession, day: date) -> dict[Ref, RouteRecord]:
    rows = await session.scalars(select(RouteRecord).where(col(RouteRecord.day) == day))
    return {(row.platform, row.platform_ref): row for row in rows}


async def _drivers(session: AsyncSession, stops: Iterable[StopRecord]) -> dict[Ref, DriverRecord]:
    platforms = {stop.platform for stop in stops}
    rows = await session.scalars(select(DriverRecord).where(col(DriverRecord.platform).in_(platforms)))
    return {(row.platform, row.platform_ref): row for row in rows}


async def zones_today(session: AsyncSession, now: datetime) -> dict[str, tuple[date, str]]:
    """Zones that have stops today, each with its local day and the time zone of most of those stops."""
    around = _starts_between(now - timedelta(days=2), now + timedelta(days=2))
    timezones = await session.scalars(select(col(StopRecord.timezone)).where(around).distinct())
    found: dict[str, list[str]] = defaultdict(list)
    for timezone in timezones:
        for zone, count in await _stops_by_zone(session, now, timezone):
            found[zone] += [timezone] * count
    main = {zone: main_timezone(named) or "UTC" for zone, named in found.items()}
    return {zone: (now.astimezone(zone_of(timezone)).date(), timezone) for zone, timezone in main.items()}


async def _stops_by_zone(session: AsyncSession, now: datetime, timezone: str) -> list[tuple[str, int]]:
    today = day_bounds(now.astimezone(zone_of(timezone)).date(), timezone)
    rows = await session.execute(
        select(col(StopRecord.zone), func.count())
        .where(
            col(StopRecord.timezone) == timezone,
            col(StopRecord.status) != StopStatus.CANCELLED,
            _starts_between(*today),
        )
        .group_by(col(StopRecord.zone))
    )
    return [(zone, count) for zone, count in rows]
