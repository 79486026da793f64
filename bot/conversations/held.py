"""Texts that came in while a dispatcher held the conversation: theirs to answer, with a clock of its own."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Update, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.conversations.models import InboundState, InboundText


async def answered(session: AsyncSession, conversation_id: UUID, at: datetime) -> None:
    """A dispatcher wrote to them: whatever they had written before is answered."""
    await session.execute(_open(conversation_id).values(answered_at=at, person_due_at=None))


async def stop_clock(session: AsyncSession, conversation_id: UUID) -> None:
    """The holder was reminded of them, or is done with the conversation and so with these."""
    await session.execute(_open(conversation_id).values(person_due_at=None))


def _open(conversation_id: UUID) -> Update:
    return update(InboundText).where(
        col(InboundText.conversation_id) == conversation_id,
        col(InboundText.state) == InboundState.HELD,
        col(InboundText.answered_at).is_(None),
    )
