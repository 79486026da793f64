"""The conversation so far, as a dispatcher reads it first: both sides, local times, no access codes."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.conversations.models import InboundText
from bot.conversations.privacy import masked
from bot.durable.models import OutboundText, Purpose
from bot.sla.rules import clock_time
from bot.sop import local_day
from connectors.escalation import Waiting

LINES = 10
LONGEST_LINE = 240

BOT, DISPATCHER = "bot", "dispatcher"
PICTURE = "[picture]"

Said = tuple[datetime, str, str]
"""When, by whom, what."""


async def transcript(
    session: AsyncSession,
    conversation_id: UUID,
    timezone: str,
    now: datetime,
    who: Waiting = Waiting.RECIPIENT,
) -> str:
    """The last lines of both sides, oldest first: `3:05 pm recipient: where is it`. Empty when nothing was said."""
    said = [*await _heard(session, conversation_id, who), *await _told(session, conversation_id)]
    newest = sorted(said, key=lambda line: (line[0], line[1] != who))[-LINES:]
    return "\n".join(_line(line, timezone, now) for line in newest)


def words_of(inbound: InboundText) -> str:
    """What somebody wrote, on one line, without codes; a text that is only a picture says so."""
    words = masked(" ".join(inbound.text.split()))
    return words or (PICTURE if inbound.media else "")


async def last_words(session: AsyncSession, conversation_id: UUID) -> str:
    """The newest thing that they wrote, as `words_of`; empty when they never wrote."""
    newest = await session.scalar(
        select(InboundText)
        .where(col(InboundText.conversation_id) == conversation_id)
        .order_by(col(InboundText.received_at).desc())
        .limit(1)
    )
    return words_of(newest) if newest is not None else ""


async def _heard(session: AsyncSession, conversation_id: UUID, who: Waiting) -> list[Said]:
    rows = await session.scalars(
        select(InboundText)
        .where(col(InboundText.conversation_id) == conversation_id)
        .order_by(col(InboundText.received_at).desc())
        .limit(LINES)
    )
    return [(row.received_at, who, words_of(row)) for row in rows if words_of(row)]


async def _told(session: AsyncSession, conversation_id: UUID) -> list[Said]:
    rows = await session.scalars(
        select(OutboundText)
        .where(
            col(OutboundText.conversation_id) == conversation_id,
            col(OutboundText.purpose) != Purpose.ANSWER_AGAIN,
        )
        .order_by(col(OutboundText.created_at).desc())
        .limit(LINES)
    )
    return [
        (row.created_at, DISPATCHER if row.purpose is Purpose.PERSON else BOT, " ".join(row.text.split()))
        for row in rows
    ]


def _line(said: Said, timezone: str, now: datetime) -> str:
    at, who, words = said
    day = (
        ""
        if local_day(at, timezone) == local_day(now, timezone)
        else f"{at.astimezone(ZoneInfo(timezone)):%b %-d} "
    )
    return f"{day}{clock_time(at, timezone)} {who}: {masked(words)[:LONGEST_LINE]}"
