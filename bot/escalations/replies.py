"""What dispatchers write to recipients: as they wrote it, once, in order; and what became of it."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.conversations import held
from bot.conversations.consent import ConsentLedger
from bot.conversations.models import Conversation
from bot.drivers.models import DriverQuestion
from bot.durable.jobs import put_out
from bot.durable.models import OutboundText, Purpose
from bot.durable.outbox_ports import OPTED_OUT, OPTED_OUT_CODE
from bot.escalations import holding
from bot.escalations.deeds.models import ToldRecipient
from bot.escalations.models import Escalation, EscalationNote
from bot.escalations.rules import Verdict
from bot.escalations.thread import mention_of, note, show
from bot.sop import ProtocolInForce
from connectors.base import ChannelName
from connectors.escalation import DispatcherAction, EscalationState, Happening

LONGEST_TEXT = 1600
"""What a carrier takes in one message. Source: Twilio, error 21617."""

UNDELIVERABLE = "undeliverable"


class Replies:
    def __init__(self, clock: Clock, sop: ProtocolInForce, consent: ConsentLedger) -> None:
        self._clock = clock
        self._sop = sop
        self._consent = consent

    async def reply(self, session: AsyncSession, escalation: Escalation, action: DispatcherAction) -> Verdict:
        """Queues the words for the recipient. Whoever replies first takes hold; the holder keeps it longer.

        Another dispatcher than the holder may reply, people cover for each other; the holder stays.
        """
        conversation = await session.get_one(Conversation, escalation.conversation_id)
        if not action.words.strip():
            return Verdict.NOTHING_TO_DO
        if await self._consent.is_opted_out(session, conversation.address):
            await self._refuse(session, escalation, action)
            return Verdict.OPTED_OUT
        await self._take_or_prolong(session, escalation, action)
        for part in parts_of(action.words.strip(), conversation.channel):
            await put_out(
                session, conversation, part, Purpose.PERSON, self._clock, escalation_id=escalation.id
            )
        await self._record(session, escalation, action)
        return Verdict.APPLIED

    async def _take_or_prolong(
        self, session: AsyncSession, escalation: Escalation, action: DispatcherAction
    ) -> None:
        policy, now = self._sop.current.escalations, self._clock.now()
        if escalation.state is not EscalationState.ACKNOWLEDGED:
            await holding.take(session, escalation, action.dispatcher, action.gesture, policy, now)
        elif escalation.acknowledged_by == action.dispatcher:
            await holding.prolong(session, escalation, policy, now)

    async def _record(self, session: AsyncSession, escalation: Escalation, action: DispatcherAction) -> None:
        now = self._clock.now()
        escalation.answer_by = escalation.told_waiting_at = None
        if escalation.conversation_id is not None:
            await held.answered(session, escalation.conversation_id, now)
        note(session, escalation, Happening.REPLIED, now, dispatcher=action.dispatcher, words=action.words)
        audit.record(
            session,
            now,
            "escalation",
            str(escalation.id),
            "replied",
            actor=action.dispatcher,
            gesture=action.gesture,
            characters=len(action.words),
        )
        await show(session, escalation)

    async def _refuse(self, session: AsyncSession, escalation: Escalation, action: DispatcherAction) -> None:
        now = self._clock.now()
        note(
            session,
            escalation,
            Happening.REPLY_NOT_SENT,
            now,
            dispatcher=action.dispatcher,
            words=OPTED_OUT,
        )
        audit.record(
            session, now, "escalation", str(escalation.id), "reply_not_sent", actor=action.dispatcher
        )
        await show(session, escalation)


class UndeliveredReplies:
    """Tells in the thread when the carrier cannot deliver what was written there. Fulfils `FailureDesk`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def not_delivered(self, session: AsyncSession, row: OutboundText) -> None:
        if row.escalation_id is None:
            return
        now = self._clock.now()
        escalation = await session.get_one(Escalation, row.escalation_id, with_for_update=True)
        why = OPTED_OUT if row.error_code in (OPTED_OUT, OPTED_OUT_CODE) else UNDELIVERABLE
        question = await session.scalar(
            select(DriverQuestion).where(col(DriverQuestion.outbound_id) == row.id)
        )
        if question is not None:
            await self._driver_unreachable(session, escalation, question, why)
            return
        writer = await _last_writer(session, escalation.id) if row.purpose is Purpose.PERSON else None
        note(
            session,
            escalation,
            Happening.REPLY_NOT_SENT,
            now,
            dispatcher=writer,
            stop_id=await _stop_told(session, row),
            words=why,
            mention=mention_of(writer),
        )
        audit.record(
            session, now, "escalation", str(escalation.id), "reply_not_delivered", code=row.error_code
        )
        await show(session, escalation)

    async def _driver_unreachable(
        self, session: AsyncSession, escalation: Escalation, question: DriverQuestion, why: str
    ) -> None:
        """Who asked is called by: nobody will answer, so they have to think of something else."""
        now = self._clock.now()
        note(
            session,
            escalation,
            Happening.DRIVER_UNREACHABLE,
            now,
            dispatcher=question.asked_by,
            words=why,
            mention=mention_of(question.asked_by),
        )
        audit.record(session, now, "escalation", str(escalation.id), "driver_unreachable", reason=why)
        await show(session, escalation)


async def _stop_told(session: AsyncSession, row: OutboundText) -> UUID | None:
    """The stop whose recipient this text was for, where dispatchers told several."""
    return await session.scalar(
        select(col(ToldRecipient.stop_id)).where(col(ToldRecipient.outbound_id) == row.id)
    )


async def _last_writer(session: AsyncSession, escalation_id: UUID) -> str | None:
    return await session.scalar(
        select(col(EscalationNote.dispatcher))
        .where(
            col(EscalationNote.escalation_id) == escalation_id,
            col(EscalationNote.kind) == Happening.REPLIED,
        )
        .order_by(col(EscalationNote.number).desc())
        .limit(1)
    )


def parts_of(words: str, channel: ChannelName) -> list[str]:
    """One message, or several where the carrier takes no longer ones, broken between words. Nothing is lost."""
    if channel not in (ChannelName.SMS, ChannelName.WHATSAPP):
        return [words]
    parts = []
    while len(words) > LONGEST_TEXT:
        cut = max(words.rfind(space, 1, LONGEST_TEXT + 1) for space in " \n")
        cut = cut if cut > 0 else LONGEST_TEXT
        parts.append(words[:cut].rstrip())
        words = words[cut:].lstrip()
    return [*parts, words]
