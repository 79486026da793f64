"""Keeps our stops equal to the platforms': whole reads by the clock, single stops by webhook.

News older than what we hold is dropped, so repeated and reordered webhooks change nothing.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.stops.models import OPEN_STATUSES, DriverRecord, PlatformFeed, StopEvent, StopRecord
from connectors.base import Driver, PlatformEvent, RoutingPlatform, Stop, StopStatus
from connectors.errors import PlatformError, StopNotFoundError

log = structlog.get_logger()

TOLD_FIELDS = (
    "status",
    "window_start_at",
    "window_end_at",
    "eta_at",
    "driver_ref",
    "route_ref",
    "failure_reason",
)
"""Changes of these become stop events; the rest is kept silently."""
BATCH = 500
FIRST_READ_REACHES_BACK = timedelta(days=1)


class PlatformSync:
    """`pause` is the day's time from the end of one whole read to the next."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        platforms: dict[str, RoutingPlatform],
        pause: Callable[[], timedelta],
    ) -> None:
        self._database = database
        self._clock = clock
        self._platforms = platforms
        self._pause = pause

    async def read_all(self, name: str) -> list[UUID]:
        """Reads one platform whole; gives the ids of the stops that changed.

        Raises:
            PlatformUnavailableError: nothing further is known; the feed remembers since when.
        """
        platform = self._platforms[name]
        began_at = self._clock.now()
        try:
            since = await self._read_since(name, began_at)
            changed, seen = await self._read_stops(platform, since)
            await self._store_drivers(await platform.drivers())
        except PlatformError as exc:
            await self._remember_failure(name, exc)
            raise
        changed += await self._close_vanished(platform, seen)
        await self._remember_success(name, began_at)
        return changed

    async def apply_event(self, event: PlatformEvent) -> list[UUID]:
        """Brings in what one webhook tells; asks the platform where the webhook only names the stop."""
        if event.stop is not None and not event.stop_deleted:
            return await self._store_stops([event.stop], f"{event.platform}:webhook")
        if event.stop_ref is None:
            return []
        if event.stop_deleted:
            return await self._cancel(event.platform, [event.stop_ref], f"{event.platform}:webhook")
        try:
            stop = await self._platforms[event.platform].get_stop(event.stop_ref)
        except StopNotFoundError:
            return await self._cancel(event.platform, [event.stop_ref], f"{event.platform}:read")
        return await self._store_stops([stop], f"{event.platform}:read")

    async def store_confirmed(self, stop: Stop) -> None:
        """Brings in a stop that a write of ours has just read back."""
        await self._store_stops([stop], "doorline")

    async def _read_since(self, name: str, now: datetime) -> datetime:
        async with self._database.transaction() as session:
            feed = await session.get(PlatformFeed, name)
        if feed is not None and feed.read_at is not None:
            return feed.read_at
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
                changed += await self._store_stops(batch, source)
                batch = []
        changed += await self._store_stops(batch, source)
        return changed, seen

    async def _store_stops(self, stops: Sequence[Stop], source: str) -> list[UUID]:
        if not stops:
            return []
        now = self._clock.now()
        async with self._database.transaction() as session:
            known = await _known_stops(session, stops)
            changed = []
            for stop in stops:
                record = known.get(stop.platform_ref)
                if record is None:
                    changed += await _insert_stop(session, stop, source, now)
                elif _apply(session, record, stop, source, now):
                    changed.append(record.id)
            return changed

    async def _close_vanished(self, platform: RoutingPlatform, seen: set[str]) -> list[UUID]:
        """Open stops that a whole read no longer shows: closed ones are fetched, deleted ones cancelled."""
        async with self._database.transaction() as session:
            open_refs = await session.scalars(
                select(col(StopRecord.platform_ref)).where(
                    col(StopRecord.platform) == platform.name, col(StopRecord.status).in_(OPEN_STATUSES)
                )
            )
            vanished = [ref for ref in open_refs if ref not in seen]
        changed: list[UUID] = []
        for ref in vanished:
            try:
                changed += await self._store_stops([await platform.get_stop(ref)], f"{platform.name}:read")
            except StopNotFoundError:
                changed += await self._cancel(platform.name, [ref], f"{platform.name}:read")
        return changed

    async def _cancel(self, platform: str, refs: Sequence[str], source: str) -> list[UUID]:
        now = self._clock.now()
        async with self._database.transaction() as session:
            records = await session.scalars(
                select(StopRecord)
                .where(col(StopRecord.platform) == platform, col(StopRecord.platform_ref).in_(refs))
                .with_for_update()
            )
            cancelled = [record for record in records if record.is_open]
            for record in cancelled:
                _append_event(session, record.id, source, now, {"status": [record.status.value, "cancelled"]})
                record.status = StopStatus.CANCELLED
                record.completed_at = record.changed_at = record.confirmed_at = now
            return [record.id for record in cancelled]

    async def _store_drivers(self, drivers: Sequence[Driver]) -> None:
        if not drivers:
            return
        async with self._database.transaction() as session:
            for driver in drivers:
                values = driver.model_dump(include={"name", "phone", "on_duty", "seen_at"})
                await session.execute(
                    insert(DriverRecord)
                    .values(platform=driver.platform, platform_ref=driver.platform_ref, **values)
                    .on_conflict_do_update(index_elements=["platform", "platform_ref"], set_=values)
                )

    async def _remember_success(self, name: str, began_at: datetime) -> None:
        async with self._database.transaction() as session:
            feed = await session.get(PlatformFeed, name, with_for_update=True)
            if feed is None:
                return
            if feed.failing_since is not None:
                audit.record(session, self._clock.now(), "platform", name, "feed_back", actor=name)
            feed.read_at, feed.failing_since, feed.last_error = began_at, None, ""
            feed.next_read_at = self._clock.now() + self._pause()

    async def _remember_failure(self, name: str, error: PlatformError) -> None:
        async with self._database.transaction() as session:
            feed = await session.get(PlatformFeed, name, with_for_update=True)
            if feed is None:
                return
            feed.last_error = type(error).__name__
            feed.next_read_at = self._clock.now() + self._pause()
            if feed.failing_since is None:
                feed.failing_since = self._clock.now()
                audit.record(session, self._clock.now(), "platform", name, "feed_lost", actor=name)


async def _known_stops(session: AsyncSession, stops: Sequence[Stop]) -> dict[str, StopRecord]:
    refs = [stop.platform_ref for stop in stops]
    rows = await session.scalars(
        select(StopRecord)
        .where(col(StopRecord.platform) == stops[0].platform, col(StopRecord.platform_ref).in_(refs))
        .order_by(col(StopRecord.id))
        .with_for_update()
    )
    return {row.platform_ref: row for row in rows}


async def _insert_stop(session: AsyncSession, stop: Stop, source: str, now: datetime) -> list[UUID]:
    statement = (
        insert(StopRecord)
        .values(
            platform=stop.platform,
            platform_ref=stop.platform_ref,
            confirmed_at=now,
            sla_state="on_track",
            **_columns(stop),
        )
        .on_conflict_do_nothing(index_elements=["platform", "platform_ref"])
        .returning(col(StopRecord.id))
    )
    stop_id = (await session.execute(statement)).scalar_one_or_none()
    if stop_id is None:
        return []
    _append_event(session, stop_id, source, now, {"status": [None, stop.status.value]})
    return [stop_id]


def _apply(session: AsyncSession, record: StopRecord, stop: Stop, source: str, now: datetime) -> bool:
    """True when something that matters changed."""
    if stop.changed_at < record.changed_at:
        return False
    columns = _columns(stop)
    if source.endswith(":webhook"):
        # A webhook carries one stop without its route: what it cannot know must not be wiped.
        for name in ("sequence", "route_ref"):
            if columns[name] is None:
                del columns[name]
    changes = {name: value for name, value in columns.items() if getattr(record, name) != value}
    if not changes:
        return False
    told = {
        name: [_plain(getattr(record, name)), _plain(changes[name])]
        for name in TOLD_FIELDS
        if name in changes
    }
    for name, value in changes.items():
        setattr(record, name, value)
    record.confirmed_at = now
    if told:
        _append_event(session, record.id, source, now, told)
    return True


def _columns(stop: Stop) -> dict[str, Any]:
    plain = stop.model_dump(exclude={"platform", "platform_ref", "address", "window"})
    return plain | {
        "address_line": stop.address.line,
        "postcode": stop.address.postcode,
        "window_start_at": stop.window.start_at if stop.window else None,
        "window_end_at": stop.window.end_at if stop.window else None,
    }


def _append_event(
    session: AsyncSession, stop_id: UUID, source: str, now: datetime, changes: dict[str, Any]
) -> None:
    session.add(StopEvent(stop_id=stop_id, at=now, source=source, changes=changes))


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


async def claim_due_feeds(
    session: AsyncSession, names: Sequence[str], now: datetime, next_at: datetime
) -> list[str]:
    """The platforms whose next read is due, claimed: their next read is moved to `next_at`."""
    if not names:
        return []
    if set(names) - set(await session.scalars(select(col(PlatformFeed.platform)))):
        await _begin_feeds(session, names, now)
    feeds = await session.scalars(
        select(PlatformFeed)
        .where(col(PlatformFeed.next_read_at) <= now, col(PlatformFeed.platform).in_(names))
        .with_for_update(skip_locked=True)
    )
    due = list(feeds)
    for feed in due:
        feed.next_read_at = next_at
    return [feed.platform for feed in due]


async def _begin_feeds(session: AsyncSession, names: Sequence[str], now: datetime) -> None:
    """Rows for platforms that are new; they are due at once."""
    for name in names:
        await session.execute(
            insert(PlatformFeed)
            .values(platform=name, next_read_at=now, last_error="")
            .on_conflict_do_nothing()
        )
