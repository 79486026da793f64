"""One inbound text, from the edge to the reply in the outbox.

Consent comes first, before any model. A text is answered once: the answer's row is unique per text, and the
text is marked in the same transaction. Whatever cannot be answered reaches a dispatcher.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.conversations import jobs
from bot.conversations.consent import (
    AT_THE_CARRIER,
    SPANISH_KEYWORDS,
    ConsentLedger,
    Keyword,
    carrier_answers,
    folded,
    keyword,
)
from bot.conversations.dialogue import Dialogue
from bot.conversations.handoff import Handoff
from bot.conversations.models import ConsentWord, Conversation, InboundState, InboundText
from bot.conversations.privacy import masked
from bot.conversations.words import Words
from bot.db import Database
from bot.durable import inbox, outbox
from bot.durable.jobs import send_later
from bot.durable.models import OutboundText, Purpose
from bot.durable.queue import defer
from bot.escalations.service import EscalationService
from bot.sop import ProtocolInForce
from bot.stops.answers import Turn
from connectors.base import InboundMessage

log = structlog.get_logger()

LONGEST_TEXT = 1600


@dataclass(frozen=True)
class Taken:
    """A text that waits for its answer, with what the dialogue needs."""

    conversation: Conversation
    inbound: InboundText
    was_tried: bool


class ConversationService:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        dialogue: Dialogue,
        consent: ConsentLedger,
        handoff: Handoff,
        escalations: EscalationService,
        words: Words,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._dialogue = dialogue
        self._consent = consent
        self._handoff = handoff
        self._escalations = escalations
        self._words = words

    async def receive(self, message: InboundMessage) -> None:
        """Stores one text and its job. Called by the edges; the same vendor id again changes nothing.

        Raises:
            StorageUnavailableError: nothing was stored.
        """
        async with inbox.storing(self._database) as session:
            conversation_id = await self._conversation_id(session, message)
            inbound_id = await self._store(session, conversation_id, message)
            if inbound_id is not None:
                await defer(
                    session, jobs.handle_message, lock=str(conversation_id), inbound_id=str(inbound_id)
                )

    async def handle(self, inbound_id: UUID) -> None:
        """Answers one text. Running it again for the same text changes nothing.

        Raises:
            DialogueUnavailableError: kept, to be tried again; the conversation waits in order.
        """
        taken = await self._take(inbound_id)
        if taken is None:
            return
        metadata = {"inbound_id": str(inbound_id), "channel": taken.conversation.channel.value}
        replies = await self._dialogue.answer(
            str(taken.conversation.id),
            taken.inbound.text[:LONGEST_TEXT],
            metadata,
            was_tried=taken.was_tried,
        )
        if not replies:
            # A dialogue that has nothing to say is a fault of ours, not of the person's who waits.
            log.error("turn_without_reply", inbound_id=str(inbound_id))
            await self.park(inbound_id, "no_reply")
            return
        await self._answer(inbound_id, "\n".join(replies))

    async def park(self, inbound_id: UUID, reason: str) -> None:
        """Gives a text that the bot cannot answer to a dispatcher, and tells the person so."""
        async with self._database.transaction() as session:
            inbound = await session.get_one(InboundText, inbound_id, with_for_update=True)
            if inbound.state is not InboundState.RECEIVED:
                return
            conversation = await session.get_one(Conversation, inbound.conversation_id)
            await self._handoff.escalate(session, conversation, reason, about=inbound_id)
            text = self._words.say("utter_needs_person", conversation.language)
            await self._reply(session, conversation, inbound, text, InboundState.PARKED)

    async def opt_out(self, turn: Turn) -> None:
        """Plain words such as "stop texting me", understood by Rasa: as good as the keyword."""
        inbound_id = UUID(turn.inbound_id) if turn.inbound_id else None
        async with self._database.transaction() as session:
            conversation = await session.get_one(Conversation, UUID(turn.conversation_id))
            await self._consent.change(
                session, conversation.address, ConsentWord.OPTED_OUT, "plain_language", inbound_id
            )

    # --- the clock ----------------------------------------------------------------------------

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
                    await self._hold(session, inbound)
                    held += 1
        return held

    async def hand_over_due(self) -> int:
        """Texts that nobody could answer for long go to a dispatcher; gives how many."""
        async with self._database.transaction() as session:
            due = await session.scalars(
                select(InboundText)
                .where(col(InboundText.person_due_at) <= self._clock.wall())
                .limit(200)
                .with_for_update(skip_locked=True)
            )
            texts = list(due)
            for inbound in texts:
                inbound.person_due_at = None
                if inbound.state is InboundState.RECEIVED:
                    conversation = await session.get_one(Conversation, inbound.conversation_id)
                    await self._handoff.escalate(session, conversation, "unanswered", about=inbound.id)
        return len(texts)

    # --- receiving ----------------------------------------------------------------------------

    async def last_received_at(self) -> datetime | None:
        """When the newest text came in, by the day's time; None before the first."""
        async with self._database.transaction() as session:
            return await session.scalar(select(func.max(InboundText.received_at)))

    async def _conversation_id(self, session: AsyncSession, message: InboundMessage) -> UUID:
        await session.execute(
            insert(Conversation)
            .values(
                channel=message.channel,
                address=message.sender,
                our_address=message.recipient,
                language="en",
                created_at=self._clock.now(),
                wrong_tracking_tries=0,
            )
            .on_conflict_do_nothing(index_elements=["channel", "address"])
        )
        found = await session.scalars(
            select(col(Conversation.id)).where(
                col(Conversation.channel) == message.channel, col(Conversation.address) == message.sender
            )
        )
        return found.one()

    async def _store(
        self, session: AsyncSession, conversation_id: UUID, message: InboundMessage
    ) -> UUID | None:
        wall = self._clock.wall()
        rules = self._sop.current.conversation
        statement = (
            insert(InboundText)
            .values(
                conversation_id=conversation_id,
                channel=message.channel,
                vendor_id=message.vendor_id,
                # PostgreSQL keeps no NUL in text; nobody means one.
                text=message.text.replace("\x00", ""),
                media=[media.model_dump() for media in message.media],
                opt_out_type=message.opt_out_type,
                state=InboundState.RECEIVED,
                received_at=self._clock.now(),
                waiting_since=wall,
                holding_due_at=wall + timedelta(seconds=rules.holding_after_seconds),
                person_due_at=wall + timedelta(minutes=rules.person_after_minutes),
                attempts=0,
            )
            .on_conflict_do_nothing(index_elements=["channel", "vendor_id"])
            .returning(col(InboundText.id))
        )
        return (await session.execute(statement)).scalar_one_or_none()

    # --- answering ----------------------------------------------------------------------------

    async def _take(self, inbound_id: UUID) -> Taken | None:
        """The text if a dialogue is to answer it; what needs none is settled here."""
        async with self._database.transaction() as session:
            inbound = await session.get(InboundText, inbound_id, with_for_update=True)
            if inbound is None or inbound.state is not InboundState.RECEIVED:
                return None
            conversation = await session.get_one(Conversation, inbound.conversation_id)
            if await self._settled_by_consent(session, conversation, inbound):
                return None
            if not inbound.text.strip():
                response = "utter_media_only" if inbound.media else "utter_empty"
                text = self._words.say(response, conversation.language)
                await self._reply(session, conversation, inbound, text, InboundState.ANSWERED)
                return None
            was_tried = inbound.attempts > 0
            if not was_tried:
                await self._escalations.recipient_wrote(session, conversation.address, masked(inbound.text))
            inbound.attempts += 1
            return Taken(conversation, inbound, was_tried)

    async def _settled_by_consent(
        self, session: AsyncSession, conversation: Conversation, inbound: InboundText
    ) -> bool:
        """Keywords and opted-out people, before any model. True when nothing is left for the dialogue."""
        word = Keyword(inbound.opt_out_type.lower()) if inbound.opt_out_type else keyword(inbound.text)
        newest = await self._consent.newest(session, conversation.address)
        was_out = newest is not None and newest.word is ConsentWord.OPTED_OUT
        is_blocked = newest is not None and was_out and newest.source.startswith(AT_THE_CARRIER)
        if was_out and word is None and folded(inbound.text) == "yes":
            word = Keyword.START
        is_answered = inbound.opt_out_type is not None or carrier_answers(inbound.text, is_blocked=is_blocked)
        if word is Keyword.STOP and not was_out:
            await self._change_consent(
                session, conversation, inbound, ConsentWord.OPTED_OUT, silent=is_answered
            )
        elif word is Keyword.START and was_out:
            await self._change_consent(
                session, conversation, inbound, ConsentWord.OPTED_IN, silent=is_answered
            )
        elif was_out or inbound.opt_out_type is not None:
            _finish(inbound, InboundState.SILENT, self._clock)
        else:
            return False
        return True

    async def _change_consent(
        self,
        session: AsyncSession,
        conversation: Conversation,
        inbound: InboundText,
        word: ConsentWord,
        *,
        silent: bool,
    ) -> None:
        source = f"{AT_THE_CARRIER}keyword" if silent else "keyword"
        await self._consent.change(session, conversation.address, word, source, inbound.id)
        if silent:
            _finish(inbound, InboundState.SILENT, self._clock)
            return
        if folded(inbound.text) in SPANISH_KEYWORDS:
            conversation.language = "es"
        response = "utter_opted_out" if word is ConsentWord.OPTED_OUT else "utter_opted_in"
        text = self._words.say(response, conversation.language, operator=self._sop.current.operator.name)
        await self._reply(session, conversation, inbound, text, InboundState.ANSWERED, Purpose.CONSENT)

    async def _answer(self, inbound_id: UUID, text: str) -> None:
        async with self._database.transaction() as session:
            inbound = await session.get_one(InboundText, inbound_id, with_for_update=True)
            # A worker that was frozen and replaced finds the text answered, and drops what it has.
            if inbound.state is not InboundState.RECEIVED:
                return
            conversation = await session.get_one(Conversation, inbound.conversation_id)
            newest = await self._consent.newest(session, conversation.address)
            # Only the confirmation of leaving may still be sent to who has left.
            has_just_left = newest is not None and newest.inbound_id == inbound_id
            purpose = Purpose.CONSENT if has_just_left else Purpose.ANSWER
            await self._reply(
                session, conversation, inbound, text[:LONGEST_TEXT], InboundState.ANSWERED, purpose
            )

    async def _reply(
        self,
        session: AsyncSession,
        conversation: Conversation,
        inbound: InboundText,
        text: str,
        state: InboundState,
        purpose: Purpose = Purpose.ANSWER,
    ) -> None:
        outbound_id = await outbox.add(session, conversation, text, purpose, self._clock, inbound.id)
        _finish(inbound, state, self._clock)
        audit.record(
            session,
            self._clock.now(),
            "conversation",
            str(conversation.id),
            state.value,
            inbound_id=str(inbound.id),
        )
        if outbound_id is not None:
            await send_later(session, outbound_id, conversation.id)

    async def _hold(self, session: AsyncSession, inbound: InboundText) -> None:
        conversation = await session.get_one(Conversation, inbound.conversation_id)
        if await self._consent.is_opted_out(session, conversation.address):
            return
        text = self._words.say("utter_holding", conversation.language)
        outbound_id = await outbox.add(session, conversation, text, Purpose.HOLDING, self._clock, inbound.id)
        if outbound_id is not None:
            await send_later(session, outbound_id, conversation.id)


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


def _finish(inbound: InboundText, state: InboundState, clock: Clock) -> None:
    inbound.state = state
    inbound.answered_at = clock.now()
    inbound.holding_due_at = inbound.person_due_at = None
