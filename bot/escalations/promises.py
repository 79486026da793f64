"""Answers that somebody was promised and did not get in time: dispatchers hear of it, and so does who waits."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock, ceil_to_minutes
from bot.conversations import held
from bot.conversations.models import Conversation
from bot.conversations.notices import Notices
from bot.db import Database
from bot.escalations import holding
from bot.escalations.claiming import claim_all
from bot.escalations.models import Escalation
from bot.escalations.thread import mention_of, note, show
from bot.escalations.transcript import last_words
from bot.sop import ProtocolInForce
from connectors.escalation import EscalationState, Happening


class Promises:
    def __init__(self, database: Database, clock: Clock, sop: ProtocolInForce, notices: Notices) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._notices = notices

    async def tell_still_waiting(self, *, at_most: int = 200) -> int:
        """Deals with every promise that has passed unanswered, each once; gives how many.

        Nobody has it: the recipient is told so, with a new time. Somebody has it: they are reminded, and the
        recipient hears from them.
        """
        return await claim_all(self._deal_with_some, self._is_any_broken, at_most)

    async def _deal_with_some(self, at_most: int) -> int:
        now = self._clock.now()
        async with self._database.transaction() as session:
            broken = await session.scalars(
                select(Escalation).where(_is_broken(now)).limit(at_most).with_for_update(skip_locked=True)
            )
            found = list(broken)
            for escalation in found:
                if escalation.state is EscalationState.ACKNOWLEDGED:
                    await remind_holder(session, escalation, now)
                else:
                    await self._tell(session, escalation, now)
        return len(found)

    async def _is_any_broken(self) -> bool:
        async with self._database.transaction() as session:
            any_broken = select(col(Escalation.id)).where(_is_broken(self._clock.now())).exists()
            return bool(await session.scalar(select(any_broken)))

    async def _tell(self, session: AsyncSession, escalation: Escalation, now: datetime) -> None:
        conversation = await session.get_one(Conversation, escalation.conversation_id)
        within = timedelta(minutes=self._sop.current.conversation.answer_by_person_minutes)
        answer_by = ceil_to_minutes(now + within, 5)
        by = self._notices.speech.say_instant(answer_by, escalation.timezone, now, conversation.language)
        told = await self._notices.tell(
            session,
            conversation,
            "utter_still_waiting",
            timezone=escalation.timezone,
            may_wait=False,
            escalation_id=escalation.id,
            by=by,
        )
        await holding.promise(session, escalation, answer_by)
        escalation.told_waiting_at = now
        if told is not None:
            note(session, escalation, Happening.TOLD_STILL_WAITING, now, until=answer_by)
        audit.record(
            session, now, "escalation", str(escalation.id), "told_still_waiting", outbound_id=str(told or "")
        )
        await show(session, escalation)


async def remind_holder(session: AsyncSession, escalation: Escalation, now: datetime) -> None:
    """Shows the holder, and calls them by, what somebody wrote and waits with."""
    if escalation.conversation_id is None:
        return
    escalation.reminded_at = now
    note(
        session,
        escalation,
        Happening.RECIPIENT_WROTE,
        now,
        words=await last_words(session, escalation.conversation_id),
        mention=mention_of(escalation.acknowledged_by),
    )
    await held.stop_clock(session, escalation.conversation_id)
    audit.record(session, now, "escalation", str(escalation.id), "holder_reminded")
    await show(session, escalation)


def _is_broken(now: datetime) -> ColumnElement[bool]:
    """Nobody has it and the recipient was not told so yet, or its holder was not reminded yet."""
    untold = and_(col(Escalation.state) == EscalationState.RAISED, col(Escalation.told_waiting_at).is_(None))
    unreminded = and_(
        col(Escalation.state) == EscalationState.ACKNOWLEDGED, col(Escalation.reminded_at).is_(None)
    )
    return and_(
        col(Escalation.answer_by) <= now,
        col(Escalation.conversation_id).is_not(None),
        or_(untold, unreminded),
    )
