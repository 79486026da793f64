"""Takes texts in from the edges: stored with their job, then answered. The same text again changes nothing."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.conversations import jobs
from bot.conversations.models import Conversation, InboundState, InboundText
from bot.db import Database
from bot.durable import inbox
from bot.durable.queue import defer
from bot.sop import ProtocolInForce
from connectors.base import InboundMessage


class ReceiveTexts:
    def __init__(self, database: Database, clock: Clock, sop: ProtocolInForce) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop

    async def __call__(self, message: InboundMessage) -> None:
        """Stores one text and its job.

        Raises:
            StorageUnavailableError: nothing was stored.
        """
        async with inbox.storing(self._database) as session:
            conversation_id = await self._conversation_id(session, message)
            inbound_id = await self._store(session, conversation_id, message)
            if inbound_id is not None:
                await defer(
                    session, jobs.handle_message, lock=str(conversation_id), inbound_id=str(inbound_id)
                )

    async def last_received_at(self) -> datetime | None:
        """When the newest text came in, by the day's time; None before the first."""
        async with self._database.transaction() as session:
            return await session.scalar(select(func.max(InboundText.received_at)))

    async def _conversation_id(self, session: AsyncSession, message: InboundMessage) -> UUID:
        await session.execute(
            insert(Conversation)
            .values(
                channel=message.channel,
                address=message.sender,
                our_address=message.recipient,
                language="en",
                created_at=self._clock.now(),
                wrong_tracking_tries=0,
            )
            .on_conflict_do_nothing(index_elements=["channel", "address"])
        )
        found = await session.scalars(
            select(col(Conversation.id)).where(
                col(Conversation.channel) == message.channel, col(Conversation.address) == message.sender
            )
        )
        return found.one()

    async def _store(
        self, session: AsyncSession, conversation_id: UUID, message: InboundMessage
    ) -> UUID | None:
        wall = self._clock.wall()
        rules = self._sop.current.conversation
        statement = (
            insert(InboundText)
            .values(
                conversation_id=conversation_id,
                channel=message.channel,
                vendor_id=message.vendor_id,
                text=_storable(message.text),
                subject=_storable(message.subject) or None,
                thread_id=_storable(message.thread_id) or None,
                thread_references=[_storable(reference) for reference in message.references] or None,
                is_authentic=message.is_authentic,
                network_address=message.network_address or None,
                media=[media.model_dump() for media in message.media],
                opt_out_type=message.opt_out_type,
                state=InboundState.RECEIVED,
                received_at=self._clock.now(),
                waiting_since=wall,
                holding_due_at=wall + timedelta(seconds=rules.holding_after_seconds),
                person_due_at=wall + timedelta(minutes=rules.person_after_minutes),
                attempts=0,
            )
            .on_conflict_do_nothing(index_elements=["channel", "vendor_id"])
            .returning(col(InboundText.id))
        )
        return (await session.execute(statement)).scalar_one_or_none()


def _storable(text: str) -> str:
    """Without NUL: PostgreSQL keeps none in text, and nobody means one."""
    return text.replace("\x00", "")
