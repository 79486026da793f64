"""Conversations over web chat as a browser reads them: numbered lines, what the person wrote and what we wrote.

A conversation's lines are numbered under its lock, so a line never becomes readable before one with a higher
number: who has seen line 7 has been shown 1 to 6. Texts are numbered as they are stored, ours as they are sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel

from bot.db import instant

NEWS_CHANNEL = "doorline_chat"
"""Of PostgreSQL's NOTIFY; the payload is the conversation's address."""


class ChatLine(SQLModel, table=True):
    """One readable line: a text of the person, or a message of ours."""

    __tablename__ = "chat_line"

    conversation_id: UUID = Field(foreign_key="conversation.id", primary_key=True)
    number: int = Field(primary_key=True)
    inbound_id: UUID | None = Field(default=None, foreign_key="inbound_message.id", unique=True)
    outbound_id: UUID | None = Field(default=None, foreign_key="outbound_message.id", unique=True)
    at: datetime = instant()
    """The day's time."""


@dataclass(frozen=True)
class ShownLine:
    number: int
    text: str
    at: datetime
    author: str
    """`you`, `bot` or `person`."""
    client_id: str | None


LOCK = text("""
    SELECT id FROM conversation WHERE channel = 'webchat' AND address = :address FOR NO KEY UPDATE
""")
LOCK_BY_MESSAGE = text("""
    SELECT conversation.id, conversation.address FROM conversation
    JOIN outbound_message ON outbound_message.conversation_id = conversation.id
    WHERE outbound_message.id = :outbound_id FOR NO KEY UPDATE OF conversation
""").bindparams(bindparam("outbound_id", type_=Uuid()))

NUMBER_TEXTS = text("""
    INSERT INTO chat_line (conversation_id, number, inbound_id, at)
    SELECT :conversation_id,
        (SELECT coalesce(max(number), 0) FROM chat_line WHERE conversation_id = :conversation_id)
            + row_number() OVER (ORDER BY waiting_since, received_at, id),
        id, received_at
    FROM inbound_message
    WHERE conversation_id = :conversation_id
        AND NOT EXISTS (SELECT 1 FROM chat_line WHERE inbound_id = inbound_message.id)
""").bindparams(bindparam("conversation_id", type_=Uuid()))
NUMBER_MESSAGE = text("""
    INSERT INTO chat_line (conversation_id, number, outbound_id, at)
    SELECT :conversation_id,
        (SELECT coalesce(max(number), 0) + 1 FROM chat_line WHERE conversation_id = :conversation_id),
        :outbound_id, :at
    WHERE NOT EXISTS (SELECT 1 FROM chat_line WHERE outbound_id = :outbound_id)
""").bindparams(bindparam("conversation_id", type_=Uuid()), bindparam("outbound_id", type_=Uuid()))
TELL = text("SELECT pg_notify(:channel, :address)")

LINES = """
    SELECT line.number, line.at, coalesce(inbound.text, outbound.text) AS text,
        CASE WHEN line.inbound_id IS NOT NULL THEN 'you'
            WHEN outbound.purpose = 'person' THEN 'person' ELSE 'bot' END AS author,
        inbound.vendor_id
    FROM chat_line AS line
    JOIN conversation ON conversation.id = line.conversation_id
    LEFT JOIN inbound_message AS inbound ON inbound.id = line.inbound_id
    LEFT JOIN outbound_message AS outbound ON outbound.id = line.outbound_id
    WHERE conversation.channel = 'webchat' AND conversation.address = :address
"""
AFTER = text(LINES + " AND line.number > :number ORDER BY line.number LIMIT :at_most")
NEWEST = text(LINES + " ORDER BY line.number DESC LIMIT :at_most")
IS_UP = text("SELECT EXISTS (SELECT 1 FROM chat_line WHERE outbound_id = :outbound_id)").bindparams(
    bindparam("outbound_id", type_=Uuid())
)
IS_ANSWERING = text("""
    SELECT EXISTS (
        SELECT 1 FROM inbound_message JOIN conversation ON conversation.id = inbound_message.conversation_id
        WHERE conversation.channel = 'webchat' AND conversation.address = :address
            AND inbound_message.state = 'received'
    )
""")


async def number_texts(session: AsyncSession, address: str) -> None:
    """Makes readable what the person wrote so far. Again: no effect."""
    conversation_id = await session.scalar(LOCK, {"address": address})
    if conversation_id is not None:
        await _number_texts(session, conversation_id, address)


async def number_message(session: AsyncSession, outbound_id: UUID, at: datetime) -> None:
    """Makes one of our messages readable, after every text that was stored before. Again: no effect."""
    found = (await session.execute(LOCK_BY_MESSAGE, {"outbound_id": outbound_id})).one_or_none()
    if found is None:
        return
    await _number_texts(session, found.id, found.address)
    values = {"conversation_id": found.id, "outbound_id": outbound_id, "at": at}
    await session.execute(NUMBER_MESSAGE, values)


async def _number_texts(session: AsyncSession, conversation_id: UUID, address: str) -> None:
    await session.execute(NUMBER_TEXTS, {"conversation_id": conversation_id})
    # Heard when the transaction commits, whatever else it still does.
    await session.execute(TELL, {"channel": NEWS_CHANNEL, "address": address})


async def newest_lines(session: AsyncSession, address: str, at_most: int) -> Sequence[ShownLine]:
    """The end of the conversation, oldest first."""
    rows = await session.execute(NEWEST, {"address": address, "at_most": at_most})
    return [_line(row) for row in reversed(rows.all())]


async def lines_after(session: AsyncSession, address: str, number: int, at_most: int) -> Sequence[ShownLine]:
    wanted = {"address": address, "number": number, "at_most": at_most}
    return [_line(row) for row in await session.execute(AFTER, wanted)]


async def is_up(session: AsyncSession, outbound_id: UUID) -> bool:
    return bool(await session.scalar(IS_UP, {"outbound_id": outbound_id}))


async def is_answering(session: AsyncSession, address: str) -> bool:
    """Whether a text of this person waits for the bot; false for one that a dispatcher is to answer."""
    return bool(await session.scalar(IS_ANSWERING, {"address": address}))


def _line(row: Row[Any]) -> ShownLine:
    # The vendor's id of a text ends in the id that the browser gave it.
    client_id = row.vendor_id.rpartition(":")[2] if row.vendor_id else None
    return ShownLine(row.number, row.text, row.at, row.author, client_id)
