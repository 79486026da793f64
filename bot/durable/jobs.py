"""What the queue calls to get messages out and receipts in."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.db import Database
from bot.durable import inbox
from bot.durable.outbox import Outbox
from bot.durable.queue import JobContext, PatientRetry, defer, queue, services_of
from connectors.base import Receipt


@queue.task(name="send_message", pass_context=True, retry=PatientRetry())
async def send_message(context: JobContext, outbound_id: str) -> None:
    outbox: Outbox = services_of(context).outbox
    await outbox.send(UUID(outbound_id))


async def send_later(session: AsyncSession, outbound_id: UUID, conversation_id: UUID) -> None:
    """Asks for the message to be sent once the transaction commits, after the earlier ones of its conversation."""
    await defer(session, send_message, lock=f"send:{conversation_id}", outbound_id=str(outbound_id))


async def send_stranded(outbox: Outbox, database: Database) -> int:
    """Asks again for messages whose job gave up; gives how many. Sending one twice is prevented by its row."""
    stranded = await outbox.find_stranded()
    async with database.transaction() as session:
        for outbound_id, conversation_id in stranded:
            await send_later(session, outbound_id, conversation_id)
    return len(stranded)


@queue.task(name="apply_receipt", pass_context=True, retry=PatientRetry())
async def apply_receipt(context: JobContext, event_id: str) -> None:
    """Marked as handled afterwards: applying a receipt twice changes nothing, losing one would."""
    services = services_of(context)
    async with services.database.transaction() as session:
        event = await inbox.peek(session, UUID(event_id))
    if event is None:
        return
    await services.outbox.apply_receipt(Receipt.model_validate(event.payload))
    async with services.database.transaction() as session:
        await inbox.claim(session, UUID(event_id), services.clock.now())
