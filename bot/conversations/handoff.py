"""A person takes over: an escalation of severity `recipient_waiting`, with the conversation and the stop.

While nobody has taken it the bot goes on answering what it can; while somebody holds it the bot is silent; once
it is resolved, let go of or run out, the next text is the bot's again.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot import audit
from bot.clock import Clock, ceil_to_minutes
from bot.conversations.models import Conversation, InboundText
from bot.db import Database
from bot.escalations.cause import Cause
from bot.escalations.models import Escalation
from bot.escalations.promises import remind_holder
from bot.escalations.rules import WAITING
from bot.escalations.service import EscalationService, Opening
from bot.escalations.transcript import transcript
from bot.escalations.writer import writer_of
from bot.sop import ProtocolInForce
from bot.stops.answers import HandoffPromise, Turn
from bot.stops.models import StopRecord
from connectors.escalation import EscalationState, Happening, Severity

REASONS = {
    "asked": "Asks for a person",
    "complaint": "Complains",
    "report_missing": "Says the parcel is missing",
    "found": "Says the parcel has turned up",
    "report_damaged_or_wrong": "Reports a damaged or wrong parcel",
    "report_unavailable": "Will not be there",
    "cancel_delivery": "Wants to cancel or refuse",
    "change_address": "Wants another address",
    "delivery_instructions": "Has instructions for the driver",
    "delivery_info": "Has a question about the service",
    "proof_of_delivery": "Wants proof of delivery",
    "running_late": "Is on the way to the driver",
    "driver": "A driver writes",
    "wrong_number": "Says it is the wrong number: the stop needs the right phone",
    "proof_locked": "Could not prove whose delivery it is, too many tries",
    "unanswered": "Has had no answer for long",
    "answer_lost": "Has asked, and the carrier could not deliver our answer",
    "client_asks": "A client asks by mail",
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

    async def holder(self, session: AsyncSession, conversation_id: UUID) -> str | None:
        """The dispatcher who holds this conversation now; None while it is the bot's.

        Locks the handoff: until the transaction ends nobody takes it or gives it back.
        """
        handoff = await self._escalations.find_open(session, _cause_key(conversation_id))
        return handoff.acknowledged_by if _is_held(handoff) and handoff is not None else None

    async def ask_dispatcher(self, turn: Turn, reason: str, stop_id: str | None = None) -> HandoffPromise:
        """Opens the escalation, or tells the open one of this conversation the new reason.

        Gives the promise to tell: one that was made before and has not passed stays as it is.
        """
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
        promise = await self._promise(session, conversation, stop)
        is_known = stop is not None and reason in NEWS and await self._escalations.has_stop(session, stop.id)
        if not is_known:
            await self._raise(session, conversation, reason, stop, promise)
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

    async def deal_with_unanswered(
        self,
        session: AsyncSession,
        conversation: Conversation,
        inbound: InboundText,
        reason: str = "unanswered",
    ) -> None:
        """A text has no answer: who holds the conversation is reminded; with none, dispatchers are called."""
        handoff = await self._escalations.find_open(session, _cause_key(conversation.id))
        if handoff is not None and _is_held(handoff):
            await remind_holder(session, handoff, self._clock.now())
        else:
            await self.escalate(session, conversation, reason, about=inbound.id)

    async def _raise(
        self,
        session: AsyncSession,
        conversation: Conversation,
        reason: str,
        stop: StopRecord | None,
        promise: HandoffPromise,
    ) -> None:
        cause = Cause(
            key=_cause_key(conversation.id),
            severity=Severity.RECIPIENT_WAITING,
            why=REASONS.get(reason, reason),
            timezone=promise.timezone,
            zone=stop.zone if stop is not None else "",
            client=stop.client if stop is not None else "",
            channel=self._sop.current.escalations.help_channel,
            conversation_id=conversation.id,
            answer_by=promise.respond_by,
        )
        who = (await writer_of(session, conversation, self._sop.current)).kind
        said = await transcript(session, conversation.id, promise.timezone, self._clock.now(), who)
        opening = Opening(Happening.TRANSCRIPT, said)
        await self._escalations.raise_once(session, cause, stop.id if stop is not None else None, opening)

    async def _promise(
        self, session: AsyncSession, conversation: Conversation, stop: StopRecord | None
    ) -> HandoffPromise:
        handoff = await self._escalations.find_open(session, _cause_key(conversation.id))
        earlier = handoff.answer_by if handoff is not None else None
        within = timedelta(minutes=self._sop.current.conversation.answer_by_person_minutes)
        timezone = stop.timezone if stop is not None else self._sop.current.operator.timezone
        return HandoffPromise(respond_by=promised_by(self._clock.now(), within, earlier), timezone=timezone)


def promised_by(now: datetime, within: timedelta, earlier: datetime | None) -> datetime:
    """By when somebody answers, to five minutes. Asking again does not put off what was promised before."""
    return earlier if earlier is not None and earlier > now else ceil_to_minutes(now + within, 5)


def _cause_key(conversation_id: UUID) -> str:
    return f"{WAITING}{conversation_id}"


def _is_held(handoff: Escalation | None) -> bool:
    return handoff is not None and handoff.state is EscalationState.ACKNOWLEDGED
