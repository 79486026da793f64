"""What drivers write that nobody can read but a person: it reaches a dispatcher, who can answer it."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.conversations.handoff import Handoff
from bot.conversations.models import Conversation, InboundText
from bot.drivers.reading import DriverAnswer
from bot.drivers.road import OnTheRoad
from bot.drivers.texts import DriverTexts
from bot.drivers.threads import tell_thread
from bot.escalations.models import Escalation, EscalationStop
from bot.escalations.rules import WAITING
from bot.escalations.service import EscalationService
from bot.escalations.thread import mention_of
from bot.escalations.transcript import words_of
from connectors.escalation import EscalationState, Happening, Severity

REASON = "driver"
"""Of the handoff."""
OF_LATENESS = (Severity.AT_RISK, Severity.BREACHED)


class PassOn:
    def __init__(
        self, clock: Clock, texts: DriverTexts, handoff: Handoff, escalations: EscalationService
    ) -> None:
        self._clock = clock
        self._texts = texts
        self._handoff = handoff
        self._escalations = escalations

    async def is_held(self, session: AsyncSession, conversation: Conversation) -> bool:
        """Whether a dispatcher talks with this driver: then everything is theirs."""
        return await self._handoff.holder(session, conversation.id) is not None

    async def pass_on(
        self,
        session: AsyncSession,
        conversation: Conversation,
        inbound: InboundText,
        road: OnTheRoad,
        answer: DriverAnswer | None = None,
    ) -> str:
        """Where dispatchers look at this van already; else somebody is called. Gives what the driver is told.

        A thread alone notifies nobody: who has it is called by name. Who snoozed it wants to hear nothing of it.
        """
        escalation = await _about_van(session, road)
        if escalation is None or escalation.state is EscalationState.SNOOZED:
            await self._call(session, conversation, inbound, road)
        else:
            holder = mention_of(escalation.acknowledged_by)
            await self._tell(session, escalation, road, inbound, answer or DriverAnswer(), holder)
        return self._texts.say("utter_driver_passed_on")

    async def tell_about_van(
        self, session: AsyncSession, road: OnTheRoad, inbound: InboundText, answer: DriverAnswer
    ) -> bool:
        """A line in the open escalation about this van's lateness; False: there is none."""
        escalation = await _about_van(session, road)
        if escalation is None:
            return False
        await self._tell(session, escalation, road, inbound, answer)
        return True

    async def _tell(
        self,
        session: AsyncSession,
        escalation: Escalation,
        road: OnTheRoad,
        inbound: InboundText,
        answer: DriverAnswer,
        mention: str = "",
    ) -> None:
        await tell_thread(
            session,
            escalation,
            Happening.DRIVER_WROTE,
            answer,
            self._clock.now(),
            stop_id=None,
            words=words_of(inbound),
            name=road.name,
            mention=mention,
        )

    async def _call(
        self, session: AsyncSession, conversation: Conversation, inbound: InboundText, road: OnTheRoad
    ) -> None:
        if await self._escalations.is_open(session, f"{WAITING}{conversation.id}"):
            await self._escalations.recipient_wrote(session, conversation, words_of(inbound))
            return
        stop = road.next_stop
        stop_id = str(stop.id) if stop is not None else None
        await self._handoff.escalate(session, conversation, REASON, about=inbound.id, stop_id=stop_id)


async def _about_van(session: AsyncSession, road: OnTheRoad) -> Escalation | None:
    """Locked."""
    return await session.scalar(
        select(Escalation)
        .join(EscalationStop, col(EscalationStop.escalation_id) == col(Escalation.id))
        .where(
            col(EscalationStop.stop_id).in_([stop.id for stop in road.run.open_stops]),
            col(EscalationStop.settled_at).is_(None),
            col(Escalation.state) != EscalationState.RESOLVED,
            col(Escalation.severity).in_(OF_LATENESS),
        )
        .order_by(col(Escalation.raised_at).desc())
        .limit(1)
        .with_for_update(of=Escalation)
    )
