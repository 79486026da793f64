"""Keeps our stops equal to the platforms': whole reads by the clock, single stops by webhook or polled event."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlmodel import col

from bot.clock import Clock
from bot.db import Database
from bot.stops import feeds, storing
from bot.stops.models import OPEN_STATUSES, PlatformFeed, StopRecord
from connectors.base import PlatformEvent, RoutingPlatform, Stop
from connectors.errors import PlatformError, PlatformUnavailableError, StopNotFoundError

log = structlog.get_logger()

BATCH = 500
FIRST_READ_REACHES_BACK = timedelta(days=1)
READ_OVERLAP = timedelta(minutes=15)
"""What is finished out of reach is told later, with the time at which it was: read again, it changes nothing."""
LONGEST_READ = timedelta(seconds=110)
"""Of wall time; then a whole read counts as failed. Shorter than `inbound.LOST_READ`."""
LONGEST_LOOK = timedelta(seconds=50)
"""The same for what a page of events asks to be looked at."""
SINGLE_LOOKS = 40
"""Events about more stops and routes than this are answered by a whole read, which is cheaper."""


class PlatformSync:
    """`pause` is the day's time from the end of one whole read to the next, `events_pause` from look to look."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        platforms: dict[str, RoutingPlatform],
        pause: Callable[[], timedelta],
        events_pause: Callable[[], timedelta] = lambda: timedelta(seconds=10),
    ) -> None:
        self._database = database
        self._clock = clock
        self._platforms = platforms
        self._pause = pause
        self._events_pause = events_pause

    # --- whole reads --------------------------------------------------------------------------

    async def read_all(self, name: str) -> list[UUID]:
        """Reads one platform whole; gives the ids of the stops that changed.

        What happened while it or we were down comes in here, as it is now: nothing tells it as if it were new.

        Raises:
            PlatformUnavailableError: nothing further is known; the feed remembers since when.
        """
        platform = self._platforms[name]
        began_at = self._clock.now()
        try:
            async with _at_most(LONGEST_READ, name):
                changed = await self._read_whole(platform, began_at)
        except PlatformError as exc:
            async with self._database.transaction() as session:
                await feeds.remember_failure(session, name, exc, self._clock.now(), self._pause())
            raise
        async with self._database.transaction() as session:
            await feeds.remember_read(session, name, began_at, self._clock.now() + self._pause())
        return changed

    async def _read_whole(self, platform: RoutingPlatform, began_at: datetime) -> list[UUID]:
        changed, seen = await self._read_stops(platform, await self._read_since(platform.name, began_at))
        drivers, routes = await platform.drivers(), await platform.routes()
        async with self._database.transaction() as session:
            await storing.store_drivers(session, drivers)
            await storing.store_routes(session, platform.name, routes, self._clock.now())
        return changed + await self._close_vanished(platform, seen)

    async def _read_since(self, name: str, now: datetime) -> datetime:
        async with self._database.transaction() as session:
            feed = await session.get(PlatformFeed, name)
        if feed is not None and feed.read_at is not None:
            return feed.read_at - READ_OVERLAP
        return now - FIRST_READ_REACHES_BACK

    async def _read_stops(self, platform: RoutingPlatform, since: datetime) -> tuple[list[UUID], set[str]]:
        changed: list[UUID] = []
        seen: set[str] = set()
        batch: list[Stop] = []
        source = f"{platform.name}:poll"
        async for stop in platform.changed_stops(since):
            seen.add(stop.platform_ref)
            batch.append(stop)
            if len(batch) >= BATCH:
                changed += await self._store(batch, source)
                batch = []
        changed += await self._store(batch, source)
        return changed, seen

    async def _close_vanished(self, platform: RoutingPlatform, seen: set[str]) -> list[UUID]:
        """Open stops that a whole read no longer shows: closed ones are fetched, deleted ones cancelled."""
        async with self._database.transaction() as session:
            open_refs = await session.scalars(
                select(col(StopRecord.platform_ref)).where(
                    col(StopRecord.platform) == platform.name, col(StopRecord.status).in_(OPEN_STATUSES)
                )
            )
            vanished = [ref for ref in open_refs if ref not in seen]
        return await self._look_at(platform, vanished)

    # --- events -------------------------------------------------------------------------------

    async def read_events(self, name: str) -> list[UUID]:
        """Asks one platform what happened since the last time; gives the ids of the stops that changed.

        The cursor is kept once everything before it is stored: a crash repeats, and loses nothing.
        Raises `PlatformError`; then nothing moved on.
        """
        try:
            async with _at_most(LONGEST_LOOK, name):
                return await self._follow(self._platforms[name])
        finally:
            async with self._database.transaction() as session:
                await feeds.put_off_events(session, name, self._clock.now() + self._events_pause())

    async def _follow(self, platform: RoutingPlatform) -> list[UUID]:
        changed: list[UUID] = []
        cursor, has_more = await self._cursor(platform.name), True
        while has_more:
            page = await platform.events_after(cursor)
            found, is_too_much = await self._apply_page(platform, page.events)
            changed += found
            read_whole_at = self._clock.now() if is_too_much else None
            async with self._database.transaction() as session:
                await feeds.keep_cursor(session, platform.name, page.cursor, read_whole_at)
            cursor, has_more = page.cursor, page.has_more
        return changed

    async def _apply_page(
        self, platform: RoutingPlatform, events: Sequence[PlatformEvent]
    ) -> tuple[list[UUID], bool]:
        """What changed, and whether there is more to look at than is looked at one by one."""
        duty = {
            event.driver_ref: event.on_duty
            for event in events
            if event.driver_ref is not None and event.on_duty is not None
        }
        if duty:
            async with self._database.transaction() as session:
                await storing.store_duty(session, platform.name, duty)
        stop_refs = list(dict.fromkeys(event.stop_ref for event in events if event.stop_ref))
        route_refs = list(
            dict.fromkeys(event.route_ref for event in events if event.route_ref and not event.stop_ref)
        )
        if len(stop_refs) + len(route_refs) > SINGLE_LOOKS:
            return [], True
        changed = await self._look_at(platform, stop_refs)
        for ref in route_refs:
            changed += await self._look_at_route(platform, ref)
        return changed, False

    async def apply_event(self, event: PlatformEvent) -> list[UUID]:
        """Brings in what one webhook tells; asks the platform where the webhook only names the stop."""
        if event.stop is not None and not event.stop_deleted:
            return await self._store([event.stop], f"{event.platform}:webhook")
        if event.stop_ref is not None and event.stop_deleted:
            return await self._cancel(event.platform, [event.stop_ref], f"{event.platform}:webhook")
        platform = self._platforms.get(event.platform)
        if platform is None:
            log.warning("event_of_an_account_that_is_off", platform=event.platform)
            return []
        changed, _ = await self._apply_page(platform, [event])
        return changed

    async def _cursor(self, name: str) -> str | None:
        async with self._database.transaction() as session:
            feed = await session.get(PlatformFeed, name)
        return feed.cursor if feed is not None else None

    # --- single stops -------------------------------------------------------------------------

    async def store_confirmed(self, stop: Stop) -> UUID:
        """Brings in a stop that a write of ours has just read back, a new one too; gives our id of it."""
        await self._store([stop], "doorline")
        async with self._database.transaction() as session:
            found = await session.scalars(
                select(col(StopRecord.id)).where(
                    col(StopRecord.platform) == stop.platform,
                    col(StopRecord.platform_ref) == stop.platform_ref,
                )
            )
            return found.one()

    async def look_again(self, platform: str, platform_ref: str) -> list[UUID]:
        """Reads one stop back, as after cancelling it; one that is gone is cancelled."""
        return await self._look_at(self._platforms[platform], [platform_ref])

    async def _look_at(self, platform: RoutingPlatform, refs: Iterable[str]) -> list[UUID]:
        source = f"{platform.name}:read"
        changed: list[UUID] = []
        for ref in refs:
            try:
                changed += await self._store([await platform.get_stop(ref)], source)
            except StopNotFoundError:
                changed += await self._cancel(platform.name, [ref], source)
        return changed

    async def _look_at_route(self, platform: RoutingPlatform, route_ref: str) -> list[UUID]:
        """The stops of a route, and those that we have on it and it has not."""
        try:
            stops = await platform.stops_of_route(route_ref)
        except StopNotFoundError:
            stops = []
        changed = await self._store(stops, f"{platform.name}:read")
        there = {stop.platform_ref for stop in stops}
        async with self._database.transaction() as session:
            ours = await session.scalars(
                select(col(StopRecord.platform_ref)).where(
                    col(StopRecord.platform) == platform.name,
                    col(StopRecord.route_ref) == route_ref,
                    col(StopRecord.status).in_(OPEN_STATUSES),
                )
            )
            gone = [ref for ref in ours if ref not in there]
        return changed + await self._look_at(platform, gone)

    async def _store(self, stops: Sequence[Stop], source: str) -> list[UUID]:
        async with self._database.transaction() as session:
            return await storing.store_stops(session, stops, source, self._clock.now())

    async def _cancel(self, platform: str, refs: Sequence[str], source: str) -> list[UUID]:
        async with self._database.transaction() as session:
            return await storing.cancel_stops(session, platform, refs, source, self._clock.now())


@asynccontextmanager
async def _at_most(limit: timedelta, platform: str) -> AsyncIterator[None]:
    """A platform that answers, but so slowly that it would never end, counts as one that does not."""
    try:
        async with asyncio.timeout(limit.total_seconds()):
            yield
    except TimeoutError as exc:
        raise PlatformUnavailableError(
            platform, f"not read to its end within {round(limit.total_seconds())} seconds"
        ) from exc
