"""Tells the recipient what became of a failed parcel when no text of theirs is being answered."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.conversations.models import Conversation
from bot.conversations.notices import Notices
from bot.conversations.opening import talk_about
from bot.notifications.reaching import reach
from bot.notifications.telling import Teller
from bot.notifications.ways import Way
from bot.recovery.models import Recovery
from bot.sop import ProtocolInForce
from bot.stops.models import StopRecord
from connectors.base import DeliveryWindow


class Informing:
    def __init__(self, clock: Clock, sop: ProtocolInForce, notices: Notices, teller: Teller) -> None:
        self._clock = clock
        self._sop = sop
        self._notices = notices
        self._teller = teller

    async def inform(
        self,
        session: AsyncSession,
        recovery: Recovery,
        stop: StopRecord,
        response: str,
        window: DeliveryWindow | None = None,
    ) -> UUID | None:
        """One notice, held back in the quiet hours; None where nobody can be written to.

        `stop` is what an answer is about: the second try where there is one.
        """
        conversation = await self._conversation(session, recovery, stop)
        if conversation is None:
            return None
        told = await self._notices.tell_of_stop(session, conversation, response, stop, window)
        await talk_about(session, self._clock, conversation.id, stop.id)
        return told

    async def _conversation(
        self, session: AsyncSession, recovery: Recovery, stop: StopRecord
    ) -> Conversation | None:
        """The one in which they answered, or were asked as far as that is open still, else the best way there is."""
        known = None
        if recovery.conversation_id is not None:
            known = await session.get_one(Conversation, recovery.conversation_id)
        if known is not None and recovery.answered_at is not None:
            return known
        ways = await self._teller.address_book(session, stop)
        if not ways or (known is not None and Way(known.channel, known.address) in ways):
            return known
        language = self._sop.current.notifications.language
        conversation = await reach(session, self._clock, ways[0], language, stop.id)
        recovery.conversation_id = conversation.id
        return conversation
