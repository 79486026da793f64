"""Adds to the thread of an escalation the lines that it lacks, in order, each once, whoever dies."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from bot.clock import Clock
from bot.db import Database
from bot.escalations.facts import facts_of
from bot.escalations.models import Escalation, EscalationNote, EscalationPost
from bot.escalations.ports import DeskWords
from bot.sop import ProtocolInForce
from connectors.escalation import DispatchDesk, HappeningFacts, PostedMessage


@dataclass(frozen=True)
class Line:
    note: EscalationNote
    facts: HappeningFacts
    was_attempted: bool
    """Before this run."""


class ThreadLines:
    def __init__(self, database: Database, clock: Clock, sop: ProtocolInForce, words: DeskWords) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._words = words

    async def post(self, desk: DispatchDesk, escalation_id: UUID, message: PostedMessage) -> None:
        """A line that was attempted and not confirmed is looked for by its metadata before it is written again."""
        while (line := await self._take_next(escalation_id, message)) is not None:
            note, facts = line.note, line.facts
            if not (line.was_attempted and await self._stands(desk, note, message)):
                words = self._words.thread_line(note.kind, facts, self._clock.now())
                await desk.post_in_thread(message, words, str(note.id), note.mention)
            async with self._database.transaction() as session:
                (await session.get_one(EscalationNote, note.id)).posted_at = self._clock.now()

    async def _take_next(self, escalation_id: UUID, message: PostedMessage) -> Line | None:
        """Marks it as attempted. None as well once it has left this message for another channel."""
        async with self._database.transaction() as session:
            note = await session.scalar(
                select(EscalationNote)
                .join(Escalation, col(Escalation.id) == col(EscalationNote.escalation_id))
                .where(
                    col(EscalationNote.escalation_id) == escalation_id,
                    col(EscalationNote.posted_at).is_(None),
                    col(Escalation.slack_channel) == message.channel,
                    col(Escalation.slack_ts) == message.ts,
                )
                .order_by(col(EscalationNote.number))
                .limit(1)
            )
            if note is None:
                return None
            was_attempted = note.attempted_at is not None
            note.attempted_at = note.attempted_at or self._clock.now()
            return Line(note, await facts_of(session, note, self._sop.current.people), was_attempted)

    async def _stands(self, desk: DispatchDesk, note: EscalationNote, message: PostedMessage) -> bool:
        """In its thread, or in that of a channel which it has left since the line was attempted."""
        for place in (message, *await self._left(note.escalation_id)):
            if await desk.find_in_thread(place, str(note.id)):
                return True
        return False

    async def _left(self, escalation_id: UUID) -> list[PostedMessage]:
        async with self._database.transaction() as session:
            posts = await session.scalars(
                select(EscalationPost).where(col(EscalationPost.escalation_id) == escalation_id)
            )
            return [
                PostedMessage(channel=post.slack_channel, ts=post.slack_ts)
                for post in posts
                if post.slack_channel is not None and post.slack_ts is not None
            ]
