"""One inbound text, from the queue to the reply in the outbox.

Consent comes first, before any model; then a dispatcher who holds the conversation; then the dialogue. A text is
answered once: the answer's row is unique per text, and the text is marked in the same transaction. Whatever
cannot be answered reaches a dispatcher.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot import audit
from bot.clock import Clock
from bot.conversations.consent import CARRIERS, ConsentLedger, ConsentTurn, read_consent
from bot.conversations.dialogue import Dialogue, Metadata
from bot.conversations.handoff import Handoff
from bot.conversations.keywords import Keyword, keyword
from bot.conversations.leaving import is_spanish
from bot.conversations.manners import Introduction, was_written_to
from bot.conversations.models import ConsentWord, Conversation, InboundState, InboundText
from bot.conversations.privacy import scrambled
from bot.conversations.words import Words
from bot.db import Database
from bot.durable.jobs import put_out
from bot.durable.models import Purpose
from bot.errors import NotFoundError
from bot.escalations.service import EscalationService
from bot.escalations.transcript import words_of
from bot.sop import ProtocolInForce
from bot.stops.answers import Turn

log = structlog.get_logger()

LONGEST_TEXT = 1600


@dataclass(frozen=True)
class Taken:
    """A text that waits for its answer, with what the dialogue needs."""

    conversation: Conversation
    inbound: InboundText
    was_tried: bool
    is_first: bool
    """Nothing was ever written to this person: the answer is introduced, in the answer's own language."""


class Pictures(Protocol):
    async def keep_photos(
        self, session: AsyncSession, conversation: Conversation, inbound: InboundText
    ) -> None:
        """Keeps what came with a text that a dispatcher answers."""
        ...


class ColleagueReplies(Protocol):
    async def take(
        self, session: AsyncSession, conversation: Conversation, inbound: InboundText
    ) -> str | None:
        """The answer to what one of our own says: a driver about the route, a dispatcher about a page.

        None where the text is about something else; empty where it was taken and nothing is to be said.
        """
        ...


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
        pictures: Pictures,
        colleagues: Sequence[ColleagueReplies],
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._dialogue = dialogue
        self._consent = consent
        self._handoff = handoff
        self._escalations = escalations
        self._words = words
        self._pictures = pictures
        self._colleagues = colleagues
        self._introduction = Introduction(sop, words)

    async def handle(self, inbound_id: UUID) -> None:
        """Answers one text. Running it again for the same text changes nothing.

        Raises:
            DialogueUnavailableError: kept, to be tried again; the conversation waits in order.
        """
        taken = await self._take(inbound_id)
        if taken is None:
            return
        replies = await self._dialogue.answer(
            str(taken.conversation.id),
            # Rasa keeps what it is told: it hears no access codes.
            scrambled(taken.inbound.text[:LONGEST_TEXT]),
            _metadata(taken),
            was_tried=taken.was_tried,
        )
        if not replies:
            # A dialogue that has nothing to say is a fault of ours, not of the person's who waits.
            log.error("turn_without_reply", inbound_id=str(inbound_id))
            await self.park(inbound_id, "no_reply")
            return
        language = await self._dialogue.language(str(taken.conversation.id)) if taken.is_first else None
        await self._answer(inbound_id, "\n".join(replies), language)

    async def park(self, inbound_id: UUID, reason: str) -> None:
        """Gives a text that the bot cannot answer to a dispatcher, and tells the person so.

        Where a dispatcher has the conversation by now, it is theirs to answer.
        """
        async with self._database.transaction() as session:
            inbound = await session.get_one(InboundText, inbound_id, with_for_update=True)
            if inbound.state is not InboundState.RECEIVED:
                return
            conversation = await session.get_one(Conversation, inbound.conversation_id)
            if await self._handoff.holder(session, conversation.id) is not None:
                self._leave_to_holder(session, inbound)
                return
            await self._handoff.escalate(session, conversation, reason, about=inbound_id)
            text = self._words.say("utter_needs_person", conversation.language)
            await self._reply(session, conversation, inbound, text, InboundState.PARKED)

    async def recipient_words(self, inbound_id: str) -> str:
        """What somebody wrote, whole, access codes included, for about an hour: for the platform's notes only.

        Raises `NotFoundError` for an id that is none of ours.
        """
        async with self._database.transaction() as session:
            inbound = await session.get(InboundText, UUID(inbound_id))
        if inbound is None:
            raise NotFoundError(f"no text {inbound_id}")
        return inbound.text

    async def opt_out(self, turn: Turn) -> None:
        """Plain words such as "take me off your list", understood by Rasa: as good as the keyword."""
        inbound_id = UUID(turn.inbound_id) if turn.inbound_id else None
        async with self._database.transaction() as session:
            conversation = await session.get_one(Conversation, UUID(turn.conversation_id))
            await self._consent.change(
                session,
                conversation.address,
                ConsentWord.OPTED_OUT,
                "plain_language",
                inbound_id,
                turn.text,
            )

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
            if await self._settled_by_colleague(session, conversation, inbound):
                return None
            words = words_of(inbound)
            if words and inbound.attempts == 0:
                await self._escalations.recipient_wrote(session, conversation, words)
            if await self._handoff.holder(session, conversation.id) is not None:
                await self._pictures.keep_photos(session, conversation, inbound)
                self._leave_to_holder(session, inbound)
                return None
            if text := self._without_dialogue(conversation, inbound):
                await self._reply(session, conversation, inbound, text, InboundState.ANSWERED)
                return None
            inbound.attempts += 1
            is_first = not await was_written_to(session, conversation)
            return Taken(conversation, inbound, was_tried=inbound.attempts > 1, is_first=is_first)

    def _leave_to_holder(self, session: AsyncSession, inbound: InboundText) -> None:
        """The bot is silent; the holder sees the text in the thread, and is reminded of it if they forget."""
        within = timedelta(minutes=self._sop.current.conversation.answer_by_person_minutes)
        inbound.state = InboundState.HELD
        inbound.holding_due_at = None
        inbound.person_due_at = self._clock.wall() + within
        audit.record(
            session,
            self._clock.now(),
            "conversation",
            str(inbound.conversation_id),
            "held",
            inbound_id=str(inbound.id),
        )

    async def _settled_by_colleague(
        self, session: AsyncSession, conversation: Conversation, inbound: InboundText
    ) -> bool:
        for colleague in self._colleagues:
            answer = await colleague.take(session, conversation, inbound)
            if answer is None:
                continue
            if answer:
                await self._reply(session, conversation, inbound, answer, InboundState.ANSWERED)
            else:
                _finish(inbound, InboundState.SILENT, self._clock)
            return True
        return False

    async def _settled_by_consent(
        self, session: AsyncSession, conversation: Conversation, inbound: InboundText
    ) -> bool:
        """Keywords and opted-out people, before any model. True when nothing is left for the dialogue."""
        newest = await self._consent.newest(session, conversation.address)
        turn = read_consent(inbound.text, conversation.channel, newest, inbound.opt_out_type)
        if turn is None:
            return False
        if turn.change is not None:
            await self._change_consent(session, conversation, inbound, turn, turn.change)
        if turn.is_silent:
            _finish(inbound, InboundState.SILENT, self._clock)
        return True

    async def _change_consent(
        self,
        session: AsyncSession,
        conversation: Conversation,
        inbound: InboundText,
        turn: ConsentTurn,
        word: ConsentWord,
    ) -> None:
        await self._consent.change(session, conversation.address, word, turn.source, inbound.id, inbound.text)
        if turn.is_silent:
            return
        if is_spanish(inbound.text):
            conversation.language = "es"
        response = "utter_opted_out" if word is ConsentWord.OPTED_OUT else "utter_opted_in"
        text = self._words.say(response, conversation.language, operator=self._sop.current.operator.name)
        await self._reply(session, conversation, inbound, text, InboundState.ANSWERED, Purpose.CONSENT)

    def _without_dialogue(self, conversation: Conversation, inbound: InboundText) -> str | None:
        """The answer to what needs no understanding: nothing at all, and the word HELP where carriers ask for it."""
        if not inbound.text.strip() and not inbound.media:
            return self._words.say("utter_empty", conversation.language)
        if keyword(inbound.text) is not Keyword.HELP or conversation.channel not in CARRIERS:
            return None
        if is_spanish(inbound.text):
            conversation.language = "es"
        operator = self._sop.current.operator.name
        return self._words.say("utter_help_keyword", conversation.language, operator=operator)

    async def _answer(self, inbound_id: UUID, text: str, language: str | None) -> None:
        async with self._database.transaction() as session:
            inbound = await session.get_one(InboundText, inbound_id, with_for_update=True)
            # A worker that was frozen and replaced finds the text answered, and drops what it has.
            if inbound.state is not InboundState.RECEIVED:
                return
            conversation = await session.get_one(Conversation, inbound.conversation_id)
            conversation.language = language or conversation.language
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
        if purpose is Purpose.ANSWER:
            text = await self._introduction.before(session, conversation, text)
        await put_out(session, conversation, text, purpose, self._clock, inbound.id)
        _finish(inbound, state, self._clock)
        audit.record(
            session,
            self._clock.now(),
            "conversation",
            str(conversation.id),
            state.value,
            inbound_id=str(inbound.id),
        )


def _metadata(taken: Taken) -> Metadata:
    return {
        "inbound_id": str(taken.inbound.id),
        "channel": taken.conversation.channel.value,
        "photos": len(taken.inbound.media),
    }


def _finish(inbound: InboundText, state: InboundState, clock: Clock) -> None:
    inbound.state = state
    inbound.answered_at = clock.now()
    inbound.holding_due_at = inbound.person_due_at = None
