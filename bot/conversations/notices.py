"""What a person hears without having asked just now: in their language, unless they have left."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.conversations.consent import ConsentLedger
from bot.conversations.models import Conversation
from bot.conversations.words import Words
from bot.durable.jobs import put_out
from bot.durable.models import Purpose
from bot.stops.models import StopRecord
from connectors.base import DeliveryWindow

HoldUntil = Callable[[datetime, str], datetime | None]
"""From when a message of this instant may leave in this time zone; None: at once."""


class Speech(Protocol):
    """Times and nouns as recipients read them; `bot.app` hands in those of the actions."""

    def say_instant(self, moment: datetime, timezone: str, now: datetime, language: str) -> str: ...

    def say_dated_window(
        self, window: DeliveryWindow, timezone: str, now: datetime, language: str
    ) -> str: ...

    def name_parcel(self, client: str, language: str) -> str: ...


def never_held(_now: datetime, _timezone: str) -> datetime | None:
    """For a protocol without quiet hours."""
    return None


class Notices:
    def __init__(
        self,
        clock: Clock,
        consent: ConsentLedger,
        words: Words,
        speech: Speech,
        hold_until: HoldUntil = never_held,
    ) -> None:
        self._clock = clock
        self._consent = consent
        self._words = words
        self.speech = speech
        self._hold_until = hold_until

    async def tell(
        self,
        session: AsyncSession,
        conversation: Conversation,
        response: str,
        *,
        timezone: str,
        may_wait: bool,
        escalation_id: UUID | None = None,
        **slots: str,
    ) -> UUID | None:
        """Queues one notice; None for somebody who has left.

        `may_wait`: held back in the quiet hours of `timezone`; what somebody waits for at this moment is not.
        """
        if await self._consent.is_opted_out(session, conversation.address):
            return None
        text = self._words.say(response, conversation.language, **slots)
        now = self._clock.now()
        return await put_out(
            session,
            conversation,
            text,
            Purpose.NOTICE,
            self._clock,
            not_before=self._hold_until(now, timezone) if may_wait else None,
            escalation_id=escalation_id,
        )

    async def tell_of_stop(
        self,
        session: AsyncSession,
        conversation: Conversation,
        response: str,
        stop: StopRecord,
        window: DeliveryWindow | None = None,
        *,
        escalation_id: UUID | None = None,
    ) -> UUID | None:
        """As `tell`, of a parcel and, where there is one, its window with the day; held back in the quiet hours.

        The day is named as of when it may be read: what is held tonight says `today` of tomorrow.
        """
        language = conversation.language
        slots = {"parcel": self.speech.name_parcel(stop.client, language)}
        if window is not None:
            now = self._clock.now()
            read_at = self._hold_until(now, stop.timezone) or now
            slots["window"] = self.speech.say_dated_window(window, stop.timezone, read_at, language)
        return await self.tell(
            session,
            conversation,
            response,
            timezone=stop.timezone,
            may_wait=True,
            escalation_id=escalation_id,
            **slots,
        )
