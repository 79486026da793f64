"""An answer that the carrier could not deliver is none: it goes once more while it is true, then a person is called."""

from datetime import timedelta

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.conversations.consent import CARRIERS
from bot.conversations.handoff import Handoff
from bot.conversations.models import Conversation, InboundText
from bot.durable.jobs import put_out
from bot.durable.models import OutboundText, Purpose
from bot.durable.outbox_ports import OPTED_OUT, OPTED_OUT_CODE, FailureDesk
from bot.notifications.carrier_codes import Next, meaning_of
from bot.stops.models import DriverRecord, StopRecord

STAYS_TRUE = timedelta(minutes=10)
"""After its text was written an answer is sent once more: what it says of a delivery may be old news afterwards."""
ANSWERS = (Purpose.ANSWER, Purpose.ANSWER_AGAIN)
LEFT = (OPTED_OUT, OPTED_OUT_CODE)


class LostAnswers:
    """Fulfils `FailureDesk`. What answers no text goes to `others`, and so does mail: anybody can ask in any name."""

    def __init__(self, clock: Clock, handoff: Handoff, others: FailureDesk) -> None:
        self._clock = clock
        self._handoff = handoff
        self._others = others

    async def not_delivered(self, session: AsyncSession, row: OutboundText) -> None:
        if row.purpose not in ANSWERS or row.in_reply_to is None or row.channel not in CARRIERS:
            await self._others.not_delivered(session, row)
            return
        if row.error_code in LEFT or await _is_overtaken(session, row):
            return
        conversation = await session.get_one(Conversation, row.conversation_id)
        if self._may_go_again(row):
            await put_out(session, conversation, row.text, Purpose.ANSWER_AGAIN, self._clock, row.in_reply_to)
            audit.record(
                session, self._clock.now(), "message", str(row.id), "sent_again", code=row.error_code
            )
        elif await _is_one_of_ours(session, conversation.address):
            inbound = await session.get_one(InboundText, row.in_reply_to)
            await self._handoff.deal_with_unanswered(session, conversation, inbound, "answer_lost")

    def _may_go_again(self, row: OutboundText) -> bool:
        """The code says nothing against the same words to the same phone, and they are as true as when written."""
        is_fresh = self._clock.now() - row.created_at <= STAYS_TRUE
        return (
            row.purpose is Purpose.ANSWER and is_fresh and meaning_of(row.error_code).then is Next.SAME_AGAIN
        )


async def _is_one_of_ours(session: AsyncSession, phone: str) -> bool:
    """A recipient or a driver: nobody is called for the short code of an advertiser."""
    has_stop = exists().where(col(StopRecord.recipient_phone) == phone)
    drives = exists().where(col(DriverRecord.phone) == phone)
    return bool(await session.scalar(select(or_(has_stop, drives))))


async def _is_overtaken(session: AsyncSession, row: OutboundText) -> bool:
    """The person has written again and was answered: that says what is so by now, or is dealt with itself."""
    later = exists().where(
        col(OutboundText.conversation_id) == row.conversation_id,
        col(OutboundText.purpose).in_((*ANSWERS, Purpose.PERSON)),
        col(OutboundText.in_reply_to).is_distinct_from(row.in_reply_to),
        col(OutboundText.created_at) > row.created_at,
    )
    return bool(await session.scalar(select(later)))
