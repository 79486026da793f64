"""Who writes in a conversation that dispatchers look at: nobody's words are shown as another's."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clients.rules import clients_of
from bot.conversations.models import Conversation
from bot.sop import Protocol
from bot.stops.awaiting import awaits_parcel
from bot.stops.models import DriverRecord
from connectors.base import ChannelName
from connectors.escalation import Waiting


@dataclass(frozen=True)
class Writer:
    kind: Waiting
    name: str = ""
    """Of a driver or a client; a recipient's stands at the stop."""


RECIPIENT = Writer(Waiting.RECIPIENT)


async def writer_of(session: AsyncSession, conversation: Conversation, protocol: Protocol) -> Writer:
    """A driver who awaits a parcel writes as its recipient: the bot serves them so."""
    if conversation.channel is ChannelName.EMAIL:
        clients = clients_of(protocol, conversation.address)
        return Writer(Waiting.CLIENT, ", ".join(clients)) if clients else RECIPIENT
    name = await session.scalar(
        select(col(DriverRecord.name)).where(col(DriverRecord.phone) == conversation.address).limit(1)
    )
    if name is None or await awaits_parcel(session, conversation.address):
        return RECIPIENT
    return Writer(Waiting.DRIVER, name)
