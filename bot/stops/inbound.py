"""Takes platform events in from the edges, and asks for the whole reads that are due."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.db import Database
from bot.durable import inbox
from bot.durable.queue import defer, lane_of
from bot.escalations.cause import Cause
from bot.escalations.service import EscalationService
from bot.sop import ProtocolInForce
from bot.stops.accounts import told_name
from bot.stops.feeds import claim_due_events, claim_due_reads, silent_since
from bot.stops.jobs import apply_platform_event, read_platform, read_platform_events
from bot.stops.models import PlatformFeed
from connectors.base import Capability, PlatformEvent, RoutingPlatform
from connectors.escalation import Severity

SHORTEST_PAUSE = timedelta(seconds=1)
"""Wall time between two reads of one platform, however fast the day runs."""
SHORTEST_SILENCE = timedelta(seconds=15)
"""Wall time that is never silence, however fast the day runs: a whole read may take so long."""
UNWATCHED = timedelta(minutes=1)
"""Wall time between two looks after which we have not watched meanwhile, but slept."""
TROUBLES = {
    "PlatformUnavailableError": "it cannot be reached",
    "PlatformMisconfiguredError": "it refuses our key",
    "PlatformRejectedError": "it refuses our requests",
    "": "no reading of it comes to an end",
}
"""What is wrong with a feed, as dispatchers read it."""
LOST_READ = timedelta(minutes=2)
"""Wall time after which a read that was begun and never ended is begun again."""


def read_pause(sop: ProtocolInForce, clock: Clock) -> timedelta:
    """The day's time between the end of one whole read of a platform and the next."""
    wanted = timedelta(seconds=sop.current.platforms.poll_seconds)
    return max(wanted, SHORTEST_PAUSE * clock.speed)


def events_pause(sop: ProtocolInForce, clock: Clock) -> timedelta:
    """The same between two looks at the events of a platform that does not push."""
    wanted = timedelta(seconds=sop.current.platforms.events_seconds)
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
                about = event.stop_ref or event.route_ref or event.vendor_id
                await defer(
                    session,
                    apply_platform_event,
                    lock=f"stop:{event.platform}:{about}",
                    lane=lane_of(event.platform),
                    event_id=str(event_id),
                )


class FeedWatch:
    """Reads each platform on time, and tells dispatchers when one has been silent for too long."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        escalations: EscalationService,
        platforms: Mapping[str, RoutingPlatform],
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._escalations = escalations
        self._names = list(platforms)
        self._asked_for_events = [
            name for name, each in platforms.items() if Capability.POLL_EVENTS in each.capabilities
        ]
        self._watched_since: datetime | None = None
        self._looked_at: datetime | None = None

    async def ask_for_due_reads(self) -> None:
        """Asks for the reads that are due. One that is under way is not asked for again, unless it got lost."""
        if not self._names:
            return
        now = self._clock.now()
        given_up_at = now + LOST_READ * max(1.0, self._clock.speed)
        async with self._database.transaction() as session:
            for name in await claim_due_reads(session, self._names, now, given_up_at):
                await defer(session, read_platform, lock=f"read:{name}", lane=lane_of(name), platform=name)

    async def ask_for_due_events(self) -> None:
        """Asks the platforms that do not push what happened, where that is due."""
        if not self._asked_for_events:
            return
        now = self._clock.now()
        given_up_at = now + LOST_READ * max(1.0, self._clock.speed)
        async with self._database.transaction() as session:
            for name in await claim_due_events(session, self._asked_for_events, now, given_up_at):
                await defer(
                    session, read_platform_events, lock=f"events:{name}", lane=lane_of(name), platform=name
                )

    async def watch_silence(self) -> None:
        """Tells of platforms from which nothing has come for as long as sop.yml allows, and of those that are back."""
        now, watched_since = self._clock.now(), self._note_look()
        limit = timedelta(minutes=self._sop.current.platforms.silent_after_minutes)
        async with self._database.transaction() as session:
            for name in self._names:
                feed = await session.get(PlatformFeed, name)
                if feed is None:
                    continue
                silence = now - silent_since(feed, watched_since)
                if silence >= max(limit, SHORTEST_SILENCE * self._clock.speed):
                    await self._tell_of_silence(session, feed, limit)
                elif feed.failing_since is None:
                    back = f"{told_name(name)} is back"
                    await self._escalations.resolve_by_cause(session, f"silent:{name}", back)

    def _note_look(self) -> datetime:
        """Since when we have been looking without a long pause, by the day's time."""
        now = self._clock.now()
        longest_pause = UNWATCHED * max(1.0, self._clock.speed)
        if self._looked_at is None or self._watched_since is None or now - self._looked_at > longest_pause:
            self._watched_since = now
        self._looked_at = now
        return self._watched_since

    async def _tell_of_silence(self, session: AsyncSession, feed: PlatformFeed, limit: timedelta) -> None:
        key = f"silent:{feed.platform}"
        if await self._escalations.is_open(session, key):
            return
        trouble = TROUBLES.get(feed.last_error, feed.last_error)
        minutes = round(limit.total_seconds() / 60)
        cause = Cause(
            key=key,
            severity=Severity.PLATFORM_SILENT,
            why=f"Nothing from {told_name(feed.platform)} for {minutes} min: {trouble}",
            timezone=self._sop.current.operator.timezone,
            platform=feed.platform,
        )
        await self._escalations.raise_unless_paused(session, cause)
