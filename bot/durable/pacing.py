"""How fast texts leave that nobody waits for: no faster than carriers take them from our sender.

A carrier queues what comes faster, and answers would wait behind it. So our own queue is the one that waits: it lets
answers pass, goes by who has the least time left, and drops what is no use any more. One row per sender holds the
budget of all processes, a token bucket by wall time. Answers and what dispatchers write never wait; they are booked
against the budget afterwards.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.db import Database
from bot.durable.models import OutboundText, Purpose, SenderPace
from connectors.base import ChannelName

BURST_SECONDS = 4.0
"""What the bucket holds at most: so much may leave at once after a pause."""
AT_MOST = 200
"""Messages that one round gives out."""
BOOK_EVERY = timedelta(seconds=0.5)
"""Answers of one process are booked together: each one by itself would make all workers wait for one row."""

IS_PACED = and_(col(OutboundText.purpose) == Purpose.PROACTIVE, col(OutboundText.channel) == ChannelName.SMS)


def is_paced(purpose: Purpose, channel: ChannelName) -> bool:
    return purpose is Purpose.PROACTIVE and channel is ChannelName.SMS


def refilled(segments: float, elapsed: timedelta, per_second: float) -> float:
    """What the bucket holds after `elapsed`: a burst at most. Time that ran back fills nothing. Pure."""
    most = max(per_second * BURST_SECONDS, 1.0)
    return min(most, segments + max(elapsed.total_seconds(), 0.0) * per_second)


def within_budget(
    rows: Sequence[OutboundText], budget: float, now: datetime, segments_of: Callable[[str], int]
) -> tuple[list[OutboundText], float]:
    """The first of `rows` that may leave, and what is left of the budget. Pure.

    A message leaves while anything is left, so a long one may overdraw it: the next ones wait for that. What is no use
    any more costs nothing: it is given out to be dropped.
    """
    given = []
    for row in rows:
        is_over = row.useful_until is not None and row.useful_until <= now
        if not is_over and budget <= 0:
            break
        budget -= 0 if is_over else segments_of(row.text)
        given.append(row)
    return given, budget


class Pacer:
    """Gives out what waits for the sender's pace. Fulfils `outbox_ports.Books`."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sender: str,
        per_second: Callable[[], float],
        segments_of: Callable[[str], int],
    ) -> None:
        """`per_second` tells the rate in force, in segments per second of the carrier's time."""
        self._database = database
        self._clock = clock
        self.sender = sender
        self._per_second = per_second
        self._segments_of = segments_of
        self._unbooked = 0
        self._booked_at: datetime | None = None

    async def claim_due(self, session: AsyncSession) -> list[tuple[UUID, UUID]]:
        """Messages that may leave now, (message, conversation), least time left first; each is given out once.

        Whoever else asks at this moment waits for the transaction's end, and finds the budget spent.
        """
        waiting = await self._waiting(session)
        if not waiting:
            return []
        pace = await self._locked_pace(session)
        wall = self._clock.wall()
        # The pretended day's carriers keep the pretended time.
        per_second = self._per_second() * self._clock.speed
        budget = refilled(pace.segments, wall - pace.filled_at, per_second) - self._taken_from_books()
        given, pace.segments = within_budget(waiting, budget, self._clock.now(), self._segments_of)
        pace.filled_at = wall
        for row in given:
            row.due_at = None
        return [(row.id, row.conversation_id) for row in given]

    async def book(self, text: str) -> None:
        """Counts what has left without waiting. What is not written yet when the process dies is forgotten."""
        self._unbooked += self._segments_of(text)
        wall = self._clock.wall()
        if self._booked_at is not None and timedelta(0) <= wall - self._booked_at < BOOK_EVERY:
            return
        self._booked_at, segments = wall, self._taken_from_books()
        async with self._database.transaction() as session:
            await session.execute(
                update(SenderPace)
                .where(col(SenderPace.sender) == self.sender)
                .values(segments=col(SenderPace.segments) - segments)
            )

    def _taken_from_books(self) -> int:
        segments, self._unbooked = self._unbooked, 0
        return segments

    async def _waiting(self, session: AsyncSession) -> list[OutboundText]:
        found = await session.scalars(
            select(OutboundText)
            .where(IS_PACED, col(OutboundText.due_at) <= self._clock.now())
            .order_by(col(OutboundText.useful_until), col(OutboundText.due_at))
            .limit(AT_MOST)
            .with_for_update(skip_locked=True)
        )
        return list(found)

    async def _locked_pace(self, session: AsyncSession) -> SenderPace:
        """The bucket is full when nothing was sent before."""
        wall = self._clock.wall()
        full = refilled(float("inf"), timedelta(0), self._per_second())
        await session.execute(
            insert(SenderPace)
            .values(sender=self.sender, segments=full, filled_at=wall)
            .on_conflict_do_nothing(index_elements=["sender"])
        )
        return await session.get_one(SenderPace, self.sender, with_for_update=True, populate_existing=True)
