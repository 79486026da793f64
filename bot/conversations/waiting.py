"""People who have waited too long for an answer: one holding answer, then a person. By wall time."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.conversations.consent import ConsentLedger
from bot.conversations.handoff import Handoff
from bot.conversations.models import Conversation, InboundState, InboundText
from bot.conversations.words import Words
from bot.db import Database
from bot.durable.jobs import put_out
from bot.durable.models import OutboundText, Purpose


class WaitingRoom:
    def __init__(
        self, database: Database, clock: Clock, consent: ConsentLedger, handoff: Handoff, words: Words
    ) -> None:
        self._database = database
        self._clock = clock
        self._consent = consent
        self._handoff = handoff
        self._words = words

    async def send_due_holding_answers(self) -> int:
        """People who have waited too long get one holding answer each; gives how many."""
        wall = self._clock.wall()
        async with self._database.transaction() as session:
            waiting = await session.scalars(
                select(InboundText)
                .where(col(InboundText.holding_due_at) <= wall)
                .order_by(col(InboundText.holding_due_at))
                .limit(200)
                .with_for_update(skip_locked=True)
            )
            held = 0
            for inbound in list(waiting):
                inbound.holding_due_at = None
                if inbound.state is InboundState.RECEIVED and not await _is_held(session, inbound):
                    held += await self._hold(session, inbound)
        return held

    async def hand_over_due(self) -> int:
        """Texts that nobody answered for long go to a dispatcher, or back to who holds them; gives how many."""
        due = 0
        for conversation_id in await self._conversations_due():
            async with self._database.transaction() as session:
                due += await self._hand_over(session, conversation_id)
        return due

    async def _conversations_due(self) -> list[UUID]:
        async with self._database.transaction() as session:
            found = await session.scalars(
                select(col(InboundText.conversation_id))
                .where(col(InboundText.person_due_at) <= self._clock.wall())
                .distinct()
                .limit(200)
            )
            return list(found)

    async def _hand_over(self, session: AsyncSession, conversation_id: UUID) -> int:
        # The handoff is locked before the texts, as by a dispatcher's reply: neither waits for the other.
        await self._handoff.holder(session, conversation_id)
        rows = await session.scalars(
            select(InboundText)
            .where(
                col(InboundText.conversation_id) == conversation_id,
                col(InboundText.person_due_at) <= self._clock.wall(),
            )
            .order_by(col(InboundText.received_at))
            .with_for_update(skip_locked=True)
        )
        texts = list(rows)
        for inbound in texts:
            inbound.person_due_at = None
        waiting = [
            inbound for inbound in texts if inbound.state in (InboundState.RECEIVED, InboundState.HELD)
        ]
        if waiting:
            conversation = await session.get_one(Conversation, conversation_id)
            await self._handoff.deal_with_unanswered(session, conversation, waiting[-1])
        return len(waiting)

    async def _hold(self, session: AsyncSession, inbound: InboundText) -> bool:
        conversation = await session.get_one(Conversation, inbound.conversation_id)
        if await self._consent.is_opted_out(session, conversation.address):
            return False
        if await self._handoff.holder(session, conversation.id) is not None:
            return False
        text = self._words.say("utter_holding", conversation.language)
        await put_out(session, conversation, text, Purpose.HOLDING, self._clock, inbound.id)
        return True


async def _is_held(session: AsyncSession, inbound: InboundText) -> bool:
    """Whether the person has been held already, for a text of theirs that still waits.

    One holding answer per outage, not one for each of the texts that they send meanwhile.
    """
    found = await session.scalar(
        select(col(OutboundText.id))
        .join(InboundText, col(InboundText.id) == col(OutboundText.in_reply_to))
        .where(
            col(OutboundText.conversation_id) == inbound.conversation_id,
            col(OutboundText.purpose) == Purpose.HOLDING,
            col(InboundText.state) == InboundState.RECEIVED,
        )
        .limit(1)
    )
    return found is not None
