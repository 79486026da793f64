"""The conversation by which a recipient is reached about one stop, so that an answer continues about it."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.conversations.models import Conversation
from bot.conversations.opening import conversation_on, talk_about
from bot.notifications.ways import Way
from bot.stops.access import grant
from bot.stops.access_models import AccessLevel
from connectors.base import ChannelName


async def reach(session: AsyncSession, clock: Clock, way: Way, language: str, stop_id: UUID) -> Conversation:
    """Opens, or takes up, the conversation with this address and turns it to the stop.

    A phone on the order may change its stop anyway. A mailbox may from now on for a day: the client wrote it on the
    order, and a mail in its name is believed only with its domain's signature (`connectors.email.authenticity`).
    """
    conversation = await conversation_on(session, clock, way.channel, way.address, language)
    await talk_about(session, clock, conversation.id, stop_id)
    if way.channel is ChannelName.EMAIL:
        await grant(session, conversation.id, stop_id, AccessLevel.CHANGE, clock)
    return conversation
