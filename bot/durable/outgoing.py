"""A message that is to leave: a row in the transaction of the change that it tells of, an email in its thread."""

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.durable.models import OutboundText, OutboxState, Purpose
from connectors.base import ChannelName

EMAIL_THREAD = text("""
    SELECT subject, thread_id, thread_references FROM inbound_message
    WHERE conversation_id = :conversation_id AND thread_id IS NOT NULL
    ORDER BY coalesce(id = :in_reply_to, false) DESC, received_at DESC LIMIT 1
""").bindparams(bindparam("in_reply_to", type_=Uuid()), bindparam("conversation_id", type_=Uuid()))
"""The text that an email answers, or the newest one where it answers none."""


class Thread(Protocol):
    """The conversation that a message belongs to."""

    id: UUID
    channel: ChannelName
    address: str


async def add(
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
    """Queues one message within the session's transaction; None when this text was answered so before.

    With `not_before` (day's time, aware UTC) no job may be asked for: `Outbox.claim_due`, or the `Pacer`, gives it
    out when its time has come.
    """
    statement = (
        insert(OutboundText)
        .values(
            conversation_id=conversation.id,
            in_reply_to=in_reply_to,
            purpose=purpose,
            channel=conversation.channel,
            recipient=conversation.address,
            text=text,
            escalation_id=escalation_id,
            stop_id=stop_id,
            useful_until=useful_until,
            state=OutboxState.QUEUED,
            created_at=clock.now(),
            due_at=not_before,
            attempts=0,
            **await _email_thread(session, conversation, in_reply_to),
        )
        .on_conflict_do_nothing(index_elements=["in_reply_to", "purpose"])
        .returning(col(OutboundText.id))
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def _email_thread(
    session: AsyncSession, conversation: Thread, in_reply_to: UUID | None
) -> dict[str, Any]:
    if conversation.channel is not ChannelName.EMAIL:
        return {}
    wanted = {"conversation_id": conversation.id, "in_reply_to": in_reply_to}
    answered = (await session.execute(EMAIL_THREAD, wanted)).one_or_none()
    if answered is None:
        return {}
    return {
        "subject": answered.subject,
        "in_reply_to_vendor_id": answered.thread_id,
        "thread_references": [*(answered.thread_references or []), answered.thread_id],
    }
