"""What the queue calls to get messages out and receipts in."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.db import Database
from bot.durable import inbox, outgoing
from bot.durable.models import Purpose
from bot.durable.outbox import Outbox
from bot.durable.outgoing import Thread
from bot.durable.pacing import Pacer, is_paced
from bot.durable.queue import JobContext, PatientRetry, defer, queue, services_of
from connectors.base import Receipt


@queue.task(name="send_message", pass_context=True, retry=PatientRetry())
async def send_message(context: JobContext, outbound_id: str) -> None:
    outbox: Outbox = services_of(context).outbox
    await outbox.send(UUID(outbound_id))


async def send_later(session: AsyncSession, outbound_id: UUID, conversation_id: UUID) -> None:
    """Asks for the message to be sent once the transaction commits, after the earlier ones of its conversation."""
    await defer(session, send_message, lock=f"send:{conversation_id}", outbound_id=str(outbound_id))


async def put_out(
    session: AsyncSession,
    conversation: Thread,
    text: str,
    purpose: Purpose,
    clock: Clock,
    in_reply_to: UUID | None = None,
    *,
    not_before: datetime | None = None,
    escalation_id: UUID | None = None,
    stop_id: UUID | None = None,
    useful_until: datetime | None = None,
) -> UUID | None:
    """Queues a message and asks for it to be sent, now or at `not_before`; None when it was queued before.

    What is told unasked by text waits for its turn: `send_paced` asks for it.
    """
    now = clock.now()
    held_until = not_before if not_before is not None and not_before > now else None
    if held_until is None and is_paced(purpose, conversation.channel):
        held_until = now
    outbound_id = await outgoing.add(
        session,
        conversation,
        text,
        purpose,
        clock,
        in_reply_to,
        not_before=held_until,
        escalation_id=escalation_id,
        stop_id=stop_id,
        useful_until=useful_until,
    )
    if outbound_id is not None and held_until is None:
        await send_later(session, outbound_id, conversation.id)
    return outbound_id


async def send_due(outbox: Outbox, database: Database) -> int:
    """Asks for the messages that were held and may leave now; gives how many."""
    async with database.transaction() as session:
        due = await outbox.claim_due(session)
        for outbound_id, conversation_id in due:
            await send_later(session, outbound_id, conversation_id)
    return len(due)


async def send_paced(pacer: Pacer, database: Database) -> int:
    """Asks for as many of the texts that nobody waits for as may leave now; gives how many."""
    async with database.transaction() as session:
        due = await pacer.claim_due(session)
        for outbound_id, conversation_id in due:
            await send_later(session, outbound_id, conversation_id)
    return len(due)


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
