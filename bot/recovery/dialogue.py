"""Asks the recipient of a failed delivery: Rasa begins the conversation, and the Teller puts its words out.

A conversation that is under way is not trampled: the question waits some minutes, and where it cannot wait any
longer it is worded so that no open form is touched and its answer can be given at any time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.conversations.dialogue import RasaDialogue
from bot.conversations.handoff import Handoff
from bot.conversations.manners import was_written_to
from bot.conversations.models import Conversation, InboundState, InboundText
from bot.conversations.tracker import Standing
from bot.conversations.words import Words
from bot.db import Database
from bot.errors import DialogueUnavailableError
from bot.notifications.reaching import reach
from bot.notifications.telling import Teller
from bot.notifications.ways import Way
from bot.recovery.models import Recovery, RecoveryState
from bot.recovery.ports import Asking, AskResult, Prepared
from bot.sop import ProtocolInForce
from bot.sop_notifications import NotificationKind
from bot.sop_recovery import Flow, RungKind
from bot.stops.models import StopRecord
from connectors.base import FailureReason

BEGINS = "EXTERNAL_failed_delivery"
"""Rasa's intent of a follow-up that we begin."""
FOLLOW_UP = "follow_up"
"""The errand that takes the answer."""

SAID_LATELY = timedelta(minutes=5)
"""Who has just written is in the middle of something."""
STILL_ANSWERING = timedelta(minutes=30)
"""How long somebody may be expected to come back to a question that is open."""

TOLD = frozenset(
    {
        FailureReason.ACCESS_ISSUE,
        FailureReason.RECIPIENT_UNAVAILABLE,
        FailureReason.ADDRESS_ISSUE,
        FailureReason.REFUSED,
        FailureReason.DAMAGED,
        FailureReason.VEHICLE,
        FailureReason.WEATHER,
    }
)
"""Reasons with words of their own."""


class Speech(Protocol):
    """Times and names as recipients read them; `bot.app` hands in those of the actions."""

    def say_instant(self, moment: datetime, timezone: str, now: datetime, language: str) -> str: ...

    def name_sender(self, operator: str, client: str, language: str) -> str: ...


@dataclass(frozen=True)
class Reached:
    """The conversation in which is asked, as it stands with us."""

    conversation_id: UUID
    language: str
    way: Way
    is_held: bool
    """By a dispatcher: the bot is silent there."""
    has_unanswered: bool
    """A text waits for its answer."""
    wrote_at: datetime | None
    """When the recipient wrote last, by the day's time."""
    asked_other_at: datetime | None
    """When we last asked about another failure that is still open there."""


class AskThroughRasa:
    """Fulfils `Asker`."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        dialogue: RasaDialogue,
        teller: Teller,
        handoff: Handoff,
        words: Words,
        speech: Speech,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._dialogue = dialogue
        self._teller = teller
        self._handoff = handoff
        self._words = words
        self._speech = speech

    async def prepare(self, asking: Asking) -> Prepared:
        """The same key gives the same words. What may not wait any longer is said without Rasa where it must be.

        Raises `DialogueUnavailableError`: to be tried again.
        """
        reached = await self._reach(asking)
        if isinstance(reached, AskResult):
            return Prepared(reached)
        if reached.is_held:
            # Whoever has the conversation has the parcel too: there is nobody left for the bot to ask.
            return Prepared(AskResult.BUSY if asking.may_wait else AskResult.NOBODY_TO_ASK)
        try:
            texts = await self._begun(asking, reached)
        except DialogueUnavailableError:
            if asking.may_wait:
                raise
            texts = []
        if not texts and asking.may_wait:
            return Prepared(AskResult.BUSY)
        text = "\n".join(texts) or await self._said_freely(asking, reached.language)
        return Prepared(
            AskResult.READY,
            text,
            reached.language,
            str(reached.conversation_id),
            reached.way.channel,
            reached.way.address,
        )

    async def _begun(self, asking: Asking, reached: Reached) -> list[str]:
        """Empty where it would trample a conversation, or nothing is to be said now."""
        standing = await self._dialogue.standing(str(reached.conversation_id))
        if is_under_way(reached, standing, asking.recovery_id, self._clock.now()):
            return []
        facts = _facts(asking, reached, standing)
        return await self._dialogue.begin(
            str(reached.conversation_id), BEGINS, facts, key=asking.key, was_tried=asking.was_tried
        )

    async def send(self, session: AsyncSession, asking: Asking, prepared: Prepared) -> bool:
        if prepared.channel is None or not prepared.text:
            return False
        stop = await session.get_one(StopRecord, UUID(asking.stop_id))
        recovery = await session.get_one(Recovery, UUID(asking.recovery_id))
        text = await self._fitting(session, prepared, stop)
        told = await self._teller.tell(
            session,
            stop,
            NotificationKind.FAILED,
            lambda _language: text,
            said={"rung": asking.rung.value},
            useful_until=recovery.deadline_at,
            # It needs an answer: who was told a lot today is asked all the same.
            may_exceed_caps=True,
            way=Way(prepared.channel, prepared.address),
        )
        return told is not None

    # --- the conversation -----------------------------------------------------------------------

    async def _reach(self, asking: Asking) -> Reached | AskResult:
        """Opens the conversation, so that whatever comes there is about this stop."""
        async with self._database.transaction() as session:
            stop = await session.get_one(StopRecord, UUID(asking.stop_id))
            ways = await self._teller.address_book(session, stop)
            if not ways:
                return AskResult.NOBODY_TO_ASK
            if asking.rung is RungKind.SECOND_CHANNEL and len(ways) < 2:
                return AskResult.NO_OTHER_WAY
            way = ways[1] if asking.rung is RungKind.SECOND_CHANNEL else ways[0]
            conversation = await reach(session, self._clock, way, self._language(stop), stop.id)
            return await self._as_it_stands(session, conversation, way, UUID(asking.recovery_id))

    async def _as_it_stands(
        self, session: AsyncSession, conversation: Conversation, way: Way, recovery_id: UUID
    ) -> Reached:
        theirs = col(InboundText.conversation_id) == conversation.id
        waits = exists().where(theirs, col(InboundText.state) == InboundState.RECEIVED)
        newest = (
            select(col(InboundText.received_at)).where(theirs).order_by(col(InboundText.received_at).desc())
        )
        other = select(col(Recovery.asked_at)).where(
            col(Recovery.conversation_id) == conversation.id,
            col(Recovery.id) != recovery_id,
            col(Recovery.state) == RecoveryState.ASKING,
            col(Recovery.asked_at).is_not(None),
        )
        return Reached(
            conversation_id=conversation.id,
            language=conversation.language,
            way=way,
            is_held=await self._handoff.holder(session, conversation.id) is not None,
            has_unanswered=bool(await session.scalar(select(waits))),
            wrote_at=await session.scalar(newest.limit(1)),
            asked_other_at=await session.scalar(other.order_by(col(Recovery.asked_at).desc()).limit(1)),
        )

    def _language(self, stop: StopRecord) -> str:
        """Of who has never written to us."""
        rules = self._sop.current.notifications
        own = rules.clients.get(stop.client)
        return (own.language if own is not None else None) or rules.language

    # --- words ----------------------------------------------------------------------------------

    async def _said_freely(self, asking: Asking, language: str) -> str:
        """Said beside an open question: no numbers, which would answer that one."""
        async with self._database.transaction() as session:
            recovery = await session.get_one(Recovery, UUID(asking.recovery_id))
            stop = await session.get_one(StopRecord, UUID(asking.stop_id))
        told = recovery.reason if recovery.reason in TOLD else FailureReason.OTHER
        now = self._clock.now()
        return self._words.say(
            FREELY.get(recovery.flow, "utter_recovery_free"),
            language,
            who=self._who(stop, language),
            what=self._words.say(f"utter_recovery_what_{told.value}", language),
            when=self._speech.say_instant(recovery.failed_at, stop.timezone, now, language),
        )

    async def _fitting(self, session: AsyncSession, prepared: Prepared, stop: StopRecord) -> str:
        """The Teller names us itself where it has never written to them: not twice."""
        conversation = await session.get_one(Conversation, UUID(prepared.conversation_id))
        if await was_written_to(session, conversation):
            return prepared.text
        return prepared.text.removeprefix(f"{self._who(stop, prepared.language)}: ")

    def _who(self, stop: StopRecord, language: str) -> str:
        return self._speech.name_sender(self._sop.current.operator.name, stop.client, language)


FREELY = {Flow.ACCESS_CODE: "utter_recovery_free_access_code", Flow.ADDRESS: "utter_recovery_free_address"}


def is_under_way(reached: Reached, standing: Standing, recovery_id: str, now: datetime) -> bool:
    """Whether a question of ours would fall into the middle of something. Pure.

    Our own question about this very failure is nothing to be careful of: it is asked again.
    """
    if reached.has_unanswered or _is_within(SAID_LATELY, reached.wrote_at, now):
        return True
    if standing.form is None:
        return False
    if standing.slot("errand") == FOLLOW_UP:
        asks_same = (standing.slot("errand_data") or {}).get("recovery") == recovery_id
        return not asks_same and _is_within(STILL_ANSWERING, reached.asked_other_at, now)
    return _is_within(STILL_ANSWERING, reached.wrote_at, now)


def _is_within(span: timedelta, moment: datetime | None, now: datetime) -> bool:
    return moment is not None and now - moment < span


def _facts(asking: Asking, reached: Reached, standing: Standing) -> dict[str, str]:
    """What goes to Rasa with the question: entities, by name."""
    facts = {
        "recovery": asking.recovery_id,
        "language": reached.language,
        "seen_until": repr(standing.newest_event),
    }
    return facts | ({"is_reminder": "yes"} if asking.rung is RungKind.REMIND else {})
