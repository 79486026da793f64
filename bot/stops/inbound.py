"""Takes platform events in from the edges, and asks for the whole reads that are due."""

from datetime import timedelta

from bot.clock import Clock
from bot.db import Database
from bot.durable import inbox
from bot.durable.queue import defer
from bot.escalations.service import Cause, EscalationService
from bot.sop import ProtocolInForce
from bot.stops.jobs import apply_platform_event, read_platform
from bot.stops.models import PlatformFeed
from bot.stops.sync import claim_due_feeds
from connectors.base import PlatformEvent, Severity

SHORTEST_PAUSE = timedelta(seconds=1)
"""Wall time between two reads of one platform, however fast the day runs."""
TROUBLES = {
    "PlatformUnavailableError": "it cannot be reached",
    "PlatformMisconfiguredError": "it refuses our key",
    "PlatformRejectedError": "it refuses our requests",
}
"""What is wrong with a feed, as dispatchers read it."""
LOST_READ = timedelta(minutes=2)
"""Wall time after which a read that was begun and never ended is begun again."""


def read_pause(sop: ProtocolInForce, clock: Clock) -> timedelta:
    """The day's time between the end of one whole read of a platform and the next."""
    wanted = timedelta(seconds=sop.current.platforms.poll_seconds)
    return max(wanted, SHORTEST_PAUSE * clock.speed)


class ReceivePlatformEvents:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def __call__(self, event: PlatformEvent) -> None:
        """Raises `StorageUnavailableError` when nothing could be stored."""
        async with inbox.storing(self._database) as session:
            source = f"{event.platform}.event"
            event_id = await inbox.store(session, source, event.vendor_id, event, self._clock.now())
            if event_id is not None:
                lock = f"stop:{event.platform}:{event.stop_ref or event.vendor_id}"
                await defer(session, apply_platform_event, lock=lock, event_id=str(event_id))


class FeedWatch:
    """Reads each platform on time, and tells dispatchers when one has been silent for too long."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        escalations: EscalationService,
        platforms: list[str],
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._escalations = escalations
        self._platforms = platforms

    async def ask_for_due_reads(self) -> None:
        """Asks for the reads that are due. One that is under way is not asked for again, unless it got lost."""
        now = self._clock.now()
        given_up_at = now + LOST_READ * max(1.0, self._clock.speed)
        async with self._database.transaction() as session:
            for name in await claim_due_feeds(session, self._platforms, now, given_up_at):
                await defer(session, read_platform, lock=f"read:{name}", platform=name)

    async def watch_silence(self) -> None:
        now = self._clock.now()
        sop = self._sop.current
        limit = timedelta(minutes=sop.platforms.silent_after_minutes)
        async with self._database.transaction() as session:
            for name in self._platforms:
                feed = await session.get(PlatformFeed, name)
                if feed is None:
                    continue
                key = f"silent:{name}"
                if feed.failing_since is not None and now - feed.failing_since >= limit:
                    trouble = TROUBLES.get(feed.last_error, feed.last_error)
                    cause = Cause(
                        key=key,
                        severity=Severity.PLATFORM_SILENT,
                        why=f"Nothing from {name.capitalize()} for {limit.seconds // 60} min: {trouble}",
                        timezone=sop.operator.timezone,
                    )
                    if not await self._escalations.is_open(session, key):
                        await self._escalations.raise_once(session, cause)
                elif feed.failing_since is None:
                    await self._escalations.resolve_by_cause(session, key, f"{name.capitalize()} is back")
