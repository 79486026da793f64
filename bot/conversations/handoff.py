"""A person takes over: an escalation of severity `recipient_waiting`, with the conversation and the stop."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot import audit
from bot.clock import Clock, ceil_to_minutes
from bot.conversations.models import Conversation, InboundText
from bot.conversations.privacy import masked
from bot.db import Database
from bot.escalations.service import Cause, EscalationService
from bot.sop import ProtocolInForce
from bot.stops.answers import HandoffPromise, Turn
from bot.stops.models import StopRecord
from connectors.base import Severity

REASONS = {
    "asked": "Asks for a person",
    "complaint": "Complains",
    "report_missing": "Says the parcel is missing",
    "report_damaged_or_wrong": "Reports a damaged or wrong parcel",
    "report_unavailable": "Will not be there",
    "cancel_delivery": "Wants to cancel or refuse",
    "change_address": "Wants another address",
    "delivery_instructions": "Has instructions for the driver",
    "delivery_info": "Has a question about the service",
    "proof_of_delivery": "Wants proof of delivery",
    "running_late": "Is on the way to the driver",
    "unanswered": "Has had no answer for long",
    "no_reply": "The bot had no answer",
    "failed": "The bot failed on this text",
    "misunderstood": "The bot did not understand, twice",
    "stale": "Asks for news, and the platform's are old",
    "overdue": "Asks for news, and the stop is overdue",
    "reschedule:impossible": "Wants another window for a stop that cannot be moved",
    "reschedule:refused_by_platform": "Wants another window, the platform refused it",
    "reschedule:platform_down": "Wants another window, the platform cannot be reached",
}
"""Why someone waits, as the dispatcher reads it; what is not listed is shown as it is."""

NEWS = frozenset({"stale", "overdue"})
"""Reasons that dispatchers need not hear of when they are looking at that stop already."""


class Handoff:
    def __init__(
        self, database: Database, clock: Clock, sop: ProtocolInForce, escalations: EscalationService
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._escalations = escalations

    async def ask_dispatcher(self, turn: Turn, reason: str, stop_id: str | None = None) -> HandoffPromise:
        """Opens the escalation, or refreshes the open one of this conversation; gives the promise to tell."""
        async with self._database.transaction() as session:
            conversation = await session.get_one(Conversation, UUID(turn.conversation_id))
            conversation.language = turn.language
            about = UUID(turn.inbound_id) if turn.inbound_id else None
            return await self.escalate(session, conversation, reason, about=about, stop_id=stop_id)

    async def escalate(
        self,
        session: AsyncSession,
        conversation: Conversation,
        reason: str,
        *,
        about: UUID | None,
        stop_id: str | None = None,
    ) -> HandoffPromise:
        now = self._clock.now()
        stop = await session.get(StopRecord, UUID(stop_id)) if stop_id else None
        within = timedelta(minutes=self._sop.current.conversation.answer_by_person_minutes)
        promise = HandoffPromise(
            respond_by=ceil_to_minutes(now + within, 5),
            timezone=stop.timezone if stop is not None else self._sop.current.operator.timezone,
        )
        is_known = stop is not None and reason in NEWS and await self._escalations.has_stop(session, stop.id)
        if not is_known:
            cause = Cause(
                key=f"waiting:{conversation.id}",
                severity=Severity.RECIPIENT_WAITING,
                why=REASONS.get(reason, reason),
                timezone=promise.timezone,
                zone=stop.zone if stop is not None else "",
                client=stop.client if stop is not None else "",
                conversation_id=conversation.id,
                answer_by=promise.respond_by,
            )
            words = await self._words(session, about)
            await self._escalations.raise_once(session, cause, stop.id if stop is not None else None, words)
        audit.record(
            session,
            now,
            "conversation",
            str(conversation.id),
            "handed_over",
            reason=reason,
            inbound_id=str(about or ""),
        )
        return promise

    async def _words(self, session: AsyncSession, about: UUID | None) -> str:
        inbound = await session.get(InboundText, about) if about is not None else None
        return masked(inbound.text) if inbound is not None else ""
