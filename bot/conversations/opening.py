"""The conversation with an address: the one there is, or a new one that begins with what we write."""

from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.conversations.models import Conversation, InboundText
from bot.stops.access_models import StopFocus
from connectors.base import ChannelName


async def conversation_on(
    session: AsyncSession, clock: Clock, channel: ChannelName, address: str, language: str
) -> Conversation:
    """`language` is that of a new one, of somebody who has not written to us on any channel."""
    wanted = select(Conversation).where(
        col(Conversation.channel) == channel, col(Conversation.address) == address
    )
    known = await session.scalar(wanted)
    if known is not None:
        return known
    new = {
        "channel": channel,
        "address": address,
        # What we write from is the carrier's to choose until they write to one of ours.
        "our_address": "",
        "language": await _language_of(session, address) or language,
        "created_at": clock.now(),
        "wrong_tracking_tries": 0,
    }
    await session.execute(
        insert(Conversation).values(**new).on_conflict_do_nothing(index_elements=["channel", "address"])
    )
    return (await session.scalars(wanted)).one()


async def talk_about(session: AsyncSession, clock: Clock, conversation_id: UUID, stop_id: UUID) -> None:
    """What they answer is about this stop, unless it says otherwise: as if they had just asked about it."""
    values = {"stop_id": stop_id, "inbound_id": None, "talked_at": clock.now()}
    await session.execute(
        insert(StopFocus)
        .values(conversation_id=conversation_id, **values)
        .on_conflict_do_update(index_elements=["conversation_id"], set_=values)
    )


async def _language_of(session: AsyncSession, address: str) -> str | None:
    """In which we write with this person on a channel with the same address; None for who never has."""
    wrote = exists().where(col(InboundText.conversation_id) == col(Conversation.id))
    newest = col(Conversation.created_at).desc()
    return await session.scalar(
        select(col(Conversation.language))
        .where(col(Conversation.address) == address, wrote)
        .order_by(newest)
        .limit(1)
    )
