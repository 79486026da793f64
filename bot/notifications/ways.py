"""By what channels one recipient can be written to now, in the order of `sop.yml`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.conversations.models import Conversation, InboundText
from bot.notifications.address_models import AddressTrouble
from bot.notifications.carrier_codes import meaning_of
from bot.stops.models import StopRecord
from connectors.base import ChannelName

TROUBLE_LASTS = timedelta(days=60)
"""Numbers are given to other people after a while, and landlines are ported: then it is tried again."""
WHATSAPP_WINDOW = timedelta(hours=24)
"""WhatsApp takes free words only so long after the person wrote there (63016). Source: messaging-contracts A6."""


@dataclass(frozen=True)
class Way:
    channel: ChannelName
    address: str


class Consent(Protocol):
    async def is_opted_out(self, session: AsyncSession, address: str) -> bool: ...


async def ways_of(
    session: AsyncSession,
    stop: StopRecord,
    order: Sequence[ChannelName],
    *,
    consent: Consent,
    channels: Collection[ChannelName],
    now: datetime,
) -> list[Way]:
    """Best first; empty where nothing can be sent. `channels` are those that are switched on, `now` the day's time.

    Left out: no address, who has left, a channel that is off, an address of which its carrier said that it takes
    no messages, and WhatsApp for who has not written there within a day.
    """
    wanted = [way for way in ways_by_order(stop, order) if way.channel in channels]
    return [way for way in wanted if await _is_open(session, way, consent, now)]


def ways_by_order(stop: StopRecord, order: Sequence[ChannelName]) -> list[Way]:
    """The addresses that stand on the order, each channel once. Pure."""
    phone, email = stop.recipient_phone, stop.recipient_email
    addresses = {ChannelName.SMS: phone, ChannelName.WHATSAPP: phone, ChannelName.EMAIL: email}
    found = ((channel, addresses.get(channel)) for channel in dict.fromkeys(order))
    return [Way(channel, address) for channel, address in found if address]


def is_unusable(trouble: AddressTrouble | None, now: datetime) -> bool:
    """Whether the carrier has said often enough, and not too long ago, that nothing arrives there. Pure."""
    if trouble is None or now - trouble.last_at >= TROUBLE_LASTS:
        return False
    enough = meaning_of(trouble.error_code).unusable_after
    return enough is not None and trouble.times >= enough


async def _is_open(session: AsyncSession, way: Way, consent: Consent, now: datetime) -> bool:
    if await consent.is_opted_out(session, way.address):
        return False
    if is_unusable(await session.get(AddressTrouble, (way.channel, way.address)), now):
        return False
    return way.channel is not ChannelName.WHATSAPP or await _wrote_on_whatsapp(session, way.address, now)


async def _wrote_on_whatsapp(session: AsyncSession, address: str, now: datetime) -> bool:
    last = await session.scalar(
        select(col(InboundText.received_at))
        .join(Conversation, col(Conversation.id) == col(InboundText.conversation_id))
        .where(
            col(Conversation.channel) == ChannelName.WHATSAPP,
            col(Conversation.address) == address,
            col(InboundText.received_at) > now - WHATSAPP_WINDOW,
        )
        .limit(1)
    )
    return last is not None
