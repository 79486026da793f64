"""What drivers answer to a question about a stop: it comes back into the thread, and moves the ETA."""

from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.conversations.models import Conversation, InboundText
from bot.conversations.privacy import masked
from bot.drivers.keeping import keep_word
from bot.drivers.models import DriverQuestion, DriverShift
from bot.drivers.reading import DriverAnswer, read_answer
from bot.drivers.replies import Reply, read_reply
from bot.drivers.texts import DriverTexts
from bot.drivers.threads import goes_on_in, tell_thread
from bot.stops.awaiting import awaits_parcel
from bot.stops.models import StopRecord
from connectors.base import ChannelName
from connectors.desk import ShiftState
from connectors.escalation import EscalationState, Happening

ANSWERS_FOR = timedelta(hours=3)
"""An open question is answered by what the driver writes within this long."""
ADDS_FOR = timedelta(hours=1)
"""After an answer, more words of the driver belong to it for so long."""
WORDS_KEPT = 300
TEXTS = frozenset({ChannelName.SMS, ChannelName.WHATSAPP})


class DriverQuestionReplies:
    """Fulfils `ColleagueReplies`: comes before the answers about shifts, and leaves those to them.

    The newest question wins. A yes or no belongs to the shift where that was asked about later; an answer with a
    cause or minutes in it belongs to the question on the road whatever was asked last.
    """

    def __init__(self, clock: Clock, texts: DriverTexts) -> None:
        self._clock = clock
        self._texts = texts

    async def take(
        self, session: AsyncSession, conversation: Conversation, inbound: InboundText
    ) -> str | None:
        """The answer to a driver's answer; empty when there is nothing to say; None: not about a question."""
        if conversation.channel not in TEXTS or not inbound.text.strip():
            return None
        question = await open_question(session, conversation.address, self._clock.now())
        if question is None:
            return None
        answer = read_answer(inbound.text)
        was_open = question.answered_at is None
        if not await self._is_about(session, question, answer, inbound.text):
            return None
        if not was_open and not answer.is_understood and await _is_over(session, question):
            return None  # Nobody reads that thread any more.
        await keep_answer(session, question, answer, inbound, self._clock.now())
        return self._texts.say("utter_driver_answer_taken") if was_open or answer.is_understood else ""

    async def _is_about(
        self, session: AsyncSession, question: DriverQuestion, answer: DriverAnswer, text: str
    ) -> bool:
        says_why = answer.root_cause is not None or answer.minutes is not None
        if await self._asked_later(session, question) and read_reply(text) is not Reply.UNCLEAR:
            return says_why and not _is_bare_digit(text)
        if await awaits_parcel(session, question.phone):
            return answer.is_understood and question.answered_at is None
        return True

    async def _asked_later(self, session: AsyncSession, question: DriverQuestion) -> bool:
        """Whether a shift was asked about after this question, and waits for its yes."""
        asked = exists().where(
            col(DriverShift.phone) == question.phone,
            col(DriverShift.state) == ShiftState.ASKED,
            col(DriverShift.asked_at) > question.asked_at,
        )
        return bool(await session.scalar(select(asked)))


async def _is_over(session: AsyncSession, question: DriverQuestion) -> bool:
    escalation = await goes_on_in(session, question.escalation_id)
    return escalation.state is EscalationState.RESOLVED


async def open_question(session: AsyncSession, phone: str, now: datetime) -> DriverQuestion | None:
    """The newest one of this phone, locked; an answered one only for a while."""
    found = await session.scalar(
        select(DriverQuestion)
        .where(col(DriverQuestion.phone) == phone, col(DriverQuestion.asked_at) > now - ANSWERS_FOR)
        .order_by(col(DriverQuestion.asked_at).desc())
        .limit(1)
        .with_for_update()
    )
    is_past = found is not None and found.answered_at is not None and found.answered_at <= now - ADDS_FOR
    return None if is_past else found


async def keep_answer(
    session: AsyncSession,
    question: DriverQuestion,
    answer: DriverAnswer,
    inbound: InboundText,
    now: datetime,
) -> None:
    """What it says stands on the question, in the thread, and in the ETAs of the van."""
    escalation = await goes_on_in(session, question.escalation_id)
    question.words = masked(inbound.text)[:WORDS_KEPT]
    if answer.is_understood or question.answered_at is None:
        question.is_on_time = answer.is_on_time
        question.root_cause = answer.root_cause or (None if answer.is_on_time else question.root_cause)
        question.minutes = answer.minutes or (None if answer.is_on_time else question.minutes)
    question.answered_at = now
    await session.flush()
    said = {"root_cause": answer.root_cause or "", "minutes": answer.minutes, "question_id": str(question.id)}
    audit.record(session, now, "escalation", str(escalation.id), "driver_answered", actor="driver", **said)
    await tell_thread(
        session,
        escalation,
        Happening.DRIVER_ANSWERED,
        answer,
        now,
        stop_id=question.stop_id,
        words=question.words,
        name=question.driver_name,
    )
    stop = await session.get(StopRecord, question.stop_id) if question.stop_id is not None else None
    if answer.is_understood and stop is not None and stop.is_open and stop.driver_ref == question.driver_ref:
        await keep_word(session, stop, answer, question.driver_name, inbound, now)


def _is_bare_digit(text: str) -> bool:
    return text.strip().rstrip(".").isdigit()
