"""What drivers answer, taken before any model: yes, no, and what is neither."""

from datetime import datetime, timedelta
from typing import assert_never

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.conversations.models import Conversation, InboundText
from bot.conversations.privacy import masked
from bot.drivers import queries
from bot.drivers.calling import ShiftCalls
from bot.drivers.models import DriverShift
from bot.drivers.replies import Reply, read_reply
from bot.drivers.texts import DriverTexts
from bot.stops.awaiting import awaits_parcel
from connectors.base import ChannelName
from connectors.desk import ShiftState

LATE_ANSWER = timedelta(hours=4)
"""After the start a yes still tells dispatchers something, for so long."""
WORDS_KEPT = 300
TEXTS = frozenset({ChannelName.SMS, ChannelName.WHATSAPP})


class ShiftAnswers:
    """Fulfils `DriverReplies` of the conversations."""

    def __init__(self, clock: Clock, texts: DriverTexts, calls: ShiftCalls) -> None:
        self._clock = clock
        self._texts = texts
        self._calls = calls

    async def take(
        self, session: AsyncSession, conversation: Conversation, inbound: InboundText
    ) -> str | None:
        """The answer to what a driver says about today's route; None where the text is about something else."""
        if conversation.channel not in TEXTS:
            return None
        shift = await self._shift_of(session, conversation.address)
        if shift is None:
            return None
        reply = read_reply(inbound.text)
        is_recipient = await awaits_parcel(session, conversation.address)
        if not concerns(shift, reply, self._clock.now(), is_recipient=is_recipient):
            return None
        return await self._apply(session, shift, reply, inbound.text)

    async def _apply(self, session: AsyncSession, shift: DriverShift, reply: Reply, text: str) -> str:
        now = self._clock.now()
        shift.words = masked(text)[:WORDS_KEPT]
        if shift.given_to_ref is not None:
            self._note(session, shift, "answered_too_late", now)
            return self._texts.say("utter_driver_too_late")
        if reply is Reply.YES:
            shift.state, shift.answered_at = ShiftState.CONFIRMED, now
            self._note(session, shift, "confirmed", now)
            await self._calls.tasks.close(session, shift.key, "confirmed")
            return self._texts.say("utter_driver_confirmed")
        if reply is Reply.NO:
            shift.state, shift.answered_at = ShiftState.REFUSED, now
            self._note(session, shift, "refused", now)
            await self._call(session, shift)
            return self._texts.say("utter_driver_refused")
        if reply is Reply.UNCLEAR:
            return await self._unclear(session, shift, now)
        assert_never(reply)

    async def _unclear(self, session: AsyncSession, shift: DriverShift, now: datetime) -> str:
        """Asked once more; then a dispatcher reads it."""
        if shift.asked_again_at is None:
            shift.asked_again_at = now
            self._note(session, shift, "asked_again", now)
            return self._texts.say("utter_driver_ask_again")
        shift.state = ShiftState.SILENT
        self._note(session, shift, "unclear", now)
        await self._call(session, shift)
        return self._texts.say("utter_driver_passed_on")

    async def _call(self, session: AsyncSession, shift: DriverShift) -> None:
        run = await queries.run_of(session, shift)
        if run is not None:
            runs = await queries.todays_runs(session, self._clock.now())
            await self._calls.unconfirmed(session, shift, run, runs)

    async def _shift_of(self, session: AsyncSession, phone: str) -> DriverShift | None:
        """The newest one that this phone was asked about, locked after its task; an open ask before others."""
        now = self._clock.now()
        found = await session.scalar(
            select(DriverShift)
            .where(
                col(DriverShift.phone) == phone,
                col(DriverShift.asked_at).is_not(None),
                col(DriverShift.starts_at) >= now - LATE_ANSWER,
            )
            .order_by((col(DriverShift.state) == ShiftState.ASKED).desc(), col(DriverShift.asked_at).desc())
            .limit(1)
        )
        if found is None:
            return None
        await self._calls.tasks.find_open(session, found.key)
        return await queries.locked(session, found.id)

    def _note(self, session: AsyncSession, shift: DriverShift, verb: str, now: datetime) -> None:
        audit.record(session, now, "shift", str(shift.id), verb, actor="driver")


def concerns(shift: DriverShift, reply: Reply, now: datetime, *, is_recipient: bool) -> bool:
    """Whether a text of this phone is about the shift. Pure.

    While the question is open: yes and no always, other words unless the driver also awaits a parcel. After
    it: only words that change the answer, from a driver who awaits none; a refusal until the start.
    """
    if shift.state is ShiftState.ASKED:
        return reply is not Reply.UNCLEAR or not is_recipient
    if is_recipient or reply is Reply.UNCLEAR:
        return False
    if shift.state in (ShiftState.REFUSED, ShiftState.SILENT):
        return reply is Reply.YES or shift.state is ShiftState.SILENT
    return shift.state is ShiftState.CONFIRMED and reply is Reply.NO and now < shift.starts_at
