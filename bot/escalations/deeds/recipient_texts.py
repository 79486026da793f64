"""What recipients are told when a dispatcher decides so: in their language, true to what the platform says.

A person pressed send for a delivery of the day: nothing is held for quiet hours. Who has left is never written to.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.conversations.consent import ConsentLedger
from bot.conversations.manners import Introduction
from bot.conversations.models import Conversation
from bot.conversations.opening import conversation_on, talk_about
from bot.conversations.words import Words
from bot.drivers.words import eta_by_driver
from bot.durable.jobs import put_out
from bot.durable.models import Purpose
from bot.escalations.deeds.models import ToldRecipient
from bot.notifications.facts import rules_for
from bot.notifications.telling import facts_said, told_by_person
from bot.sop import ProtocolInForce
from bot.sop_notifications import NotificationKind
from bot.stops.models import PlatformFeed, StopRecord
from bot.stops.rules import confirmed_at, eta_of_promise
from connectors.base import ChannelName, DeliveryWindow, StopStatus

FRESH = timedelta(minutes=30)
"""An ETA that was confirmed longer ago is not promised to anybody."""
NUMBERS = (ChannelName.SMS, ChannelName.WHATSAPP)

Response = tuple[str, dict[str, str]]
"""A response of `nlu/domain/responses_escalations.yml` and what fills it, beside operator and parcel."""


class Message(StrEnum):
    """Codes of `TELL_RECIPIENTS`, and what follows a moved window."""

    RUNNING_LATE = "running_late"
    ON_ITS_WAY = "on_its_way"
    NOT_TODAY = "not_today"
    OWN = "own"
    WINDOW_MOVED = "window_moved"


class Told(StrEnum):
    SENT = "sent"
    ALREADY = "already"
    """These very words went out before, for this stop or to this phone in the same breath."""
    NO_PHONE = "no_phone"
    OPTED_OUT = "opted_out"
    NOTHING_TRUE = "nothing_true"
    """The platform says nothing that would make this message true."""


class Speech(Protocol):
    """Times and nouns as recipients read them; `bot.app` hands in those of the actions."""

    def say_estimate(self, moment: datetime, timezone: str, now: datetime, language: str) -> str: ...

    def say_window(self, window: DeliveryWindow, timezone: str, now: datetime, language: str) -> str: ...

    def name_parcel(self, client: str, language: str) -> str: ...


@dataclass(frozen=True)
class Order:
    """What is to be said, by whom, out of which escalation."""

    escalation_id: UUID
    message: Message
    by: str
    words: str = ""
    """Of `own`."""


class RecipientTexts:
    def __init__(
        self, clock: Clock, sop: ProtocolInForce, consent: ConsentLedger, words: Words, speech: Speech
    ) -> None:
        self._clock = clock
        self._sop = sop
        self._consent = consent
        self._words = words
        self._speech = speech
        self._introduction = Introduction(sop, words)

    async def tell(self, session: AsyncSession, stop: StopRecord, order: Order) -> Told:
        """Queues one text to the recipient of one stop, once per stop and words."""
        if stop.recipient_phone is None:
            return Told.NO_PHONE
        if await self._consent.is_opted_out(session, stop.recipient_phone):
            return Told.OPTED_OUT
        conversation = await self._conversation_with(session, stop.recipient_phone, stop.client)
        text = await self._text(session, stop, order, conversation.language)
        if text is None:
            return Told.NOTHING_TRUE
        told_id = await self._claim(session, stop, order, text)
        if told_id is None:
            return Told.ALREADY
        if order.message is Message.OWN:
            text = await self._introduction.before(session, conversation, text)
        purpose = Purpose.PERSON if order.message is Message.OWN else Purpose.NOTICE
        outbound_id = await put_out(
            session, conversation, text, purpose, self._clock, escalation_id=order.escalation_id
        )
        (await session.get_one(ToldRecipient, told_id)).outbound_id = outbound_id
        await talk_about(session, self._clock, conversation.id, stop.id)
        await self._note(session, stop, order.message)
        return Told.SENT

    async def _text(self, session: AsyncSession, stop: StopRecord, order: Order, language: str) -> str | None:
        if order.message is Message.OWN:
            return order.words.strip() or None
        found = await self._response(session, stop, order.message, language)
        if found is None:
            return None
        response, slots = found
        parcel = self._speech.name_parcel(stop.client, language)
        operator = self._sop.current.operator.name
        return self._words.say(response, language, operator=operator, parcel=parcel, **slots)

    async def _response(
        self, session: AsyncSession, stop: StopRecord, message: Message, language: str
    ) -> Response | None:
        if message is Message.RUNNING_LATE:
            return self._late(stop, await self._eta(session, stop), language)
        if message is Message.ON_ITS_WAY:
            return _on_its_way(stop)
        if message is Message.WINDOW_MOVED:
            window = self._window(stop, language)
            return ("utter_dispatch_window_moved", {"window": window}) if window else None
        return "utter_dispatch_not_today", {}

    def _late(self, stop: StopRecord, eta: datetime | None, language: str) -> Response:
        if eta is not None:
            time = self._speech.say_estimate(eta, stop.timezone, self._clock.now(), language)
            return "utter_dispatch_late_eta", {"eta": time}
        window = self._window(stop, language)
        return ("utter_dispatch_late_window", {"window": window}) if window else ("utter_dispatch_late", {})

    def _window(self, stop: StopRecord, language: str) -> str:
        if stop.window is None:
            return ""
        return self._speech.say_window(stop.window, stop.timezone, self._clock.now(), language)

    async def _eta(self, session: AsyncSession, stop: StopRecord) -> datetime | None:
        """None where the platform has none, an old one, or one that has passed: no time is promised then."""
        now = self._clock.now()
        word = (await eta_by_driver(session, [stop], now)).get(stop.id)
        eta = word.at if word is not None else eta_of_promise(stop)
        feed = await session.get(PlatformFeed, stop.platform)
        is_fresh = word is not None or now - confirmed_at(stop, feed.read_at if feed else None) <= FRESH
        return eta if eta is not None and eta > now and is_fresh else None

    async def _claim(self, session: AsyncSession, stop: StopRecord, order: Order, text: str) -> UUID | None:
        """The row of this text; None when it was told before."""
        digest = hashlib.sha256(f"{stop.recipient_phone}\n{text}".encode()).hexdigest()
        statement = (
            insert(ToldRecipient)
            .values(
                escalation_id=order.escalation_id,
                stop_id=stop.id,
                message=order.message.value,
                digest=digest,
                told_by=order.by,
                told_at=self._clock.now(),
            )
            .on_conflict_do_nothing(index_elements=["escalation_id", "stop_id", "digest"])
            .returning(col(ToldRecipient.id))
        )
        return (await session.execute(statement)).scalar_one_or_none()

    async def _conversation_with(self, session: AsyncSession, phone: str, client: str) -> Conversation:
        """Where this person wrote last; else a new one by text, in the language in which the client's are told."""
        known = await session.scalar(
            select(Conversation)
            .where(col(Conversation.address) == phone, col(Conversation.channel).in_(NUMBERS))
            .order_by(col(Conversation.created_at).desc())
            .limit(1)
        )
        if known is not None:
            return known
        language = rules_for(self._sop.current, client).language
        return await conversation_on(session, self._clock, ChannelName.SMS, phone, language)

    async def _note(self, session: AsyncSession, stop: StopRecord, message: Message) -> None:
        """So that the rules of notifications neither repeat nor contradict it."""
        if message is Message.OWN:
            return
        eta = await self._eta(session, stop) if message is Message.RUNNING_LATE else None
        window = stop.window if message is Message.WINDOW_MOVED else None
        kind = _kind_of(stop, message)
        is_not_today = message is Message.NOT_TODAY
        said = facts_said(eta, window, is_not_today=is_not_today)
        session.add(told_by_person(stop, kind, said, self._clock.now()))


def _kind_of(stop: StopRecord, message: Message) -> NotificationKind:
    if message is Message.WINDOW_MOVED:
        return NotificationKind.WINDOW_CHANGED
    if message is Message.ON_ITS_WAY:
        is_near = stop.status is StopStatus.ARRIVING or stop.sequence in (0, 1)
        return NotificationKind.APPROACHING if is_near else NotificationKind.OUT_FOR_DELIVERY
    return NotificationKind.RUNNING_LATE


def _on_its_way(stop: StopRecord) -> Response | None:
    """Only what is so: it is next, so many are before it, or it is on the van. Pure."""
    is_out = stop.status is StopStatus.OUT_FOR_DELIVERY
    if stop.status is StopStatus.ARRIVING or (is_out and stop.sequence == 0):
        return "utter_dispatch_next", {}
    if not is_out:
        return None
    if stop.sequence:
        count = {"stops": str(stop.sequence)}
        return ("utter_dispatch_stops_away" if stop.sequence > 1 else "utter_dispatch_one_away"), count
    return "utter_dispatch_on_the_van", {}
