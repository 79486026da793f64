"""The watch watches itself: rounds that are missing, and a channel that takes nothing.

Rounds are missing when a row that every round writes grows old: another replica sees it, or the next start. That is
an escalation. Where the dispatchers' workspace itself is the trouble, no message there would be read: somebody is
told through another channel. Each outage is told once, and once more when it is over; times here are real time.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy import exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.escalations.cause import Cause
from bot.escalations.models import Escalation, EscalationNote
from bot.escalations.service import EscalationService
from bot.paging.models import OperatorReason
from bot.sla.models import WatchMark, WatchTrouble
from bot.sla.sweep import MARK
from bot.sop import ProtocolInForce
from connectors.escalation import Severity

log = structlog.get_logger()

SWEEP = "watch:sweep"
CHANNEL = "watch:channel:"
"""How the keys of the two troubles begin; the channel's name follows."""
ASLEEP = timedelta(minutes=1)
"""Real time between two looks of ours after which we were down ourselves."""


class PageOperator(Protocol):
    """Texts and calls to who runs Doorline; `bot.paging.operators` does it."""

    async def page(self, session: AsyncSession, key: str, reason: OperatorReason, at: datetime) -> int:
        """Once per `key` until it is over, however often it is asked; gives how many people it goes to."""
        ...

    async def over(self, session: AsyncSession, key: str) -> bool:
        """What was told under `key` is well again."""
        ...


class PagesNobody:
    """Where no operator can be reached in another way: the log has it."""

    async def page(self, session: AsyncSession, key: str, reason: OperatorReason, at: datetime) -> int:
        log.error("operator_not_paged", reason=reason.value)
        return 0

    async def over(self, session: AsyncSession, key: str) -> bool:
        return False


class SelfWatch:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        escalations: EscalationService,
        operator: PageOperator | None = None,
        *,
        watches_channels: bool = True,
    ) -> None:
        """`watches_channels` is off where Doorline has no workspace to post to."""
        self._database = database
        self._clock = clock
        self._sop = sop
        self._escalations = escalations
        self._operator = operator or PagesNobody()
        self._watches_channels = watches_channels
        self._looking_since: datetime | None = None
        self._looked_at: datetime | None = None

    async def look(self) -> None:
        wall = self._clock.wall()
        is_first = self._looked_at is None
        looking_since = self._note_look(wall)
        async with self._database.transaction() as session:
            await self._watch_rounds(session, wall, looking_since, is_first)
            if self._watches_channels:
                await self._watch_channels(session, wall)

    def _note_look(self, wall: datetime) -> datetime:
        """Since when we have been looking without a long pause."""
        slept = self._looked_at is not None and wall - self._looked_at > ASLEEP
        if self._looking_since is None or slept:
            self._looking_since = wall
        self._looked_at = wall
        return self._looking_since

    # --- rounds -------------------------------------------------------------------------------

    async def _watch_rounds(
        self, session: AsyncSession, wall: datetime, looking_since: datetime, is_first: bool
    ) -> None:
        mark = await session.get(WatchMark, MARK)
        limit = timedelta(minutes=self._sop.current.sla.self_watch.sweep_minutes)
        ran_at = mark.wall_at if mark is not None else None
        if is_first and ran_at is not None and wall - ran_at >= limit:
            # Nobody saw it while everything was down.
            key = f"{SWEEP}:{ran_at.isoformat()}"
            await self._operator.page(session, key, OperatorReason.WATCH_STOPPED, self._clock.now())
        if wall - max(ran_at or looking_since, looking_since) >= limit:
            await self._tell_missing(session, limit, wall)
        elif ran_at is not None and wall - ran_at < limit and await _forget(session, SWEEP):
            await self._escalations.resolve_by_cause(session, SWEEP, "The watch runs again")

    async def _tell_missing(self, session: AsyncSession, limit: timedelta, wall: datetime) -> None:
        if not await _remember(session, SWEEP, wall):
            return
        minutes = round(limit.total_seconds() / 60)
        cause = Cause(
            key=SWEEP,
            severity=Severity.PLATFORM_SILENT,
            why=f"The watch over delivery windows has not run for {minutes} min: late stops are not seen",
            timezone=self._sop.current.operator.timezone,
        )
        await self._escalations.raise_once(session, cause)
        audit.record(session, self._clock.now(), "watch", MARK, "stood_still")

    # --- channels -----------------------------------------------------------------------------

    async def _watch_channels(self, session: AsyncSession, wall: datetime) -> None:
        silent = set(await self._silent_channels(session))
        for channel in sorted(silent):
            if await _remember(session, CHANNEL + channel, wall):
                key, now = CHANNEL + channel, self._clock.now()
                await self._operator.page(session, key, OperatorReason.DESK_UNREACHABLE, now)
                audit.record(session, now, "watch", channel, "channel_silent")
        for trouble in await _troubles(session, CHANNEL):
            channel = trouble.key.removeprefix(CHANNEL)
            if channel not in silent:
                await self._operator.over(session, trouble.key)
                audit.record(session, self._clock.now(), "watch", channel, "channel_back")
                await session.delete(trouble)

    async def _silent_channels(self, session: AsyncSession) -> Sequence[str]:
        """Where a message or a line of history has been waiting for too long."""
        limit = timedelta(minutes=self._sop.current.sla.self_watch.channel_minutes)
        # In a day that runs faster a real minute is many of its minutes.
        before = self._clock.now() - limit * max(1.0, self._clock.speed)
        waits = exists().where(
            col(EscalationNote.escalation_id) == col(Escalation.id),
            col(EscalationNote.posted_at).is_(None),
            col(EscalationNote.created_at) <= before,
        )
        never_posted = (col(Escalation.posted_revision) == 0) & (col(Escalation.raised_at) <= before)
        rows = await session.scalars(
            select(col(Escalation.channel))
            .where(
                or_(never_posted, waits),
                func.coalesce(col(Escalation.resolved_at), before) >= before - timedelta(days=1),
            )
            .distinct()
        )
        return rows.all()


async def _remember(session: AsyncSession, key: str, wall: datetime) -> bool:
    """False when this outage is known already."""
    statement = insert(WatchTrouble).values(key=key, since=wall).on_conflict_do_nothing()
    return await session.scalar(statement.returning(col(WatchTrouble.key))) is not None


async def _forget(session: AsyncSession, key: str) -> bool:
    trouble = await session.get(WatchTrouble, key, with_for_update=True)
    if trouble is None:
        return False
    await session.delete(trouble)
    return True


async def _troubles(session: AsyncSession, prefix: str) -> Sequence[WatchTrouble]:
    rows = await session.scalars(
        select(WatchTrouble).where(col(WatchTrouble.key).startswith(prefix)).with_for_update()
    )
    return rows.all()
