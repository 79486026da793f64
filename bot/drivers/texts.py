"""What drivers are told by text: responses of `nlu/domain/responses_drivers.yml`, through the outbox."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.conversations.consent import ConsentLedger
from bot.conversations.models import Conversation
from bot.conversations.words import Words
from bot.durable.jobs import put_out
from bot.durable.models import Purpose
from bot.sop import ProtocolInForce
from bot.stops.models import DriverRecord
from connectors.base import ChannelName, DeliveryWindow

PLACE_LENGTH = 36


class Speech(Protocol):
    """Times as people read them; `bot.app` hands in those of the actions."""

    def say_clock(self, moment: datetime, timezone: str) -> str: ...

    def say_estimate(self, moment: datetime, timezone: str, now: datetime, language: str) -> str: ...

    def say_window(self, window: DeliveryWindow, timezone: str, now: datetime, language: str) -> str: ...


class DriverTexts:
    def __init__(
        self, clock: Clock, sop: ProtocolInForce, consent: ConsentLedger, words: Words, speech: Speech
    ) -> None:
        self._clock = clock
        self._sop = sop
        self._consent = consent
        self._words = words
        self._speech = speech

    async def tell(
        self,
        session: AsyncSession,
        platform: str,
        driver_ref: str,
        response: str,
        *,
        escalation_id: UUID | None = None,
        useful_until: datetime | None = None,
        **slots: str,
    ) -> UUID | None:
        """Queues one text to a driver within the session's transaction; gives its id in the outbox.

        None: the platform has no number of the driver, or the driver has left with STOP. `{operator}` is
        filled in where the caller does not. With `escalation_id`, dispatchers hear of it when it cannot be delivered.
        """
        phone = await self.find_phone(session, platform, driver_ref)
        if phone is None or await self._consent.is_opted_out(session, phone):
            return None
        conversation = await self._conversation_with(session, phone)
        text = self.say(response, **slots)
        return await put_out(
            session,
            conversation,
            text,
            Purpose.NOTICE,
            self._clock,
            escalation_id=escalation_id,
            useful_until=useful_until,
        )

    def say(self, response: str, **slots: str) -> str:
        """The words alone, in the language of drivers."""
        protocol = self._sop.current
        filled = {"operator": protocol.operator.name} | slots
        return self._words.say(response, protocol.shifts.language, **filled)

    def say_clock(self, moment: datetime, timezone: str) -> str:
        """`9:10 am`."""
        return self._speech.say_clock(moment, timezone)

    def say_estimate(self, moment: datetime, timezone: str) -> str:
        """To five minutes, as it stands after "about"."""
        return self._speech.say_estimate(
            moment, timezone, self._clock.now(), self._sop.current.shifts.language
        )

    def say_window(self, window: DeliveryWindow, timezone: str) -> str:
        """`2-4 pm`, with the day when it is not today."""
        language = self._sop.current.shifts.language
        return self._speech.say_window(window, timezone, self._clock.now(), language)

    async def find_phone(self, session: AsyncSession, platform: str, driver_ref: str) -> str | None:
        return await session.scalar(
            select(col(DriverRecord.phone)).where(
                col(DriverRecord.platform) == platform, col(DriverRecord.platform_ref) == driver_ref
            )
        )

    async def why_unreachable(self, session: AsyncSession, platform: str, driver_ref: str) -> str:
        """Empty when a text reaches this driver; else why not: `no_phone`, `opted_out`."""
        phone = await self.find_phone(session, platform, driver_ref)
        if phone is None:
            return "no_phone"
        return "opted_out" if await self._consent.is_opted_out(session, phone) else ""

    async def _conversation_with(self, session: AsyncSession, phone: str) -> Conversation:
        await session.execute(
            insert(Conversation)
            .values(
                channel=ChannelName.SMS,
                address=phone,
                # The number that we write from is the carrier's to choose until the driver writes to one.
                our_address="",
                language=self._sop.current.shifts.language,
                created_at=self._clock.now(),
                wrong_tracking_tries=0,
            )
            .on_conflict_do_nothing(index_elements=["channel", "address"])
        )
        found = await session.scalars(
            select(Conversation).where(
                col(Conversation.channel) == ChannelName.SMS, col(Conversation.address) == phone
            )
        )
        return found.one()


def place_of(address_line: str) -> str:
    """An address as it stands in a text: cut where it is longer than any street is."""
    if len(address_line) <= PLACE_LENGTH:
        return address_line
    return address_line[: PLACE_LENGTH - 3].rstrip() + "..."
