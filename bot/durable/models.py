"""Tables of the inbox and the outbox."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from bot.db import choice, instant, primary_id
from connectors.base import ChannelName


class InboxEvent(SQLModel, table=True):
    """One event from a vendor, stored before it was answered. The vendor's id makes a repetition visible."""

    __tablename__ = "inbox_event"
    __table_args__ = (UniqueConstraint("source", "vendor_id"),)

    id: UUID = primary_id()
    source: str
    """`slack.action`, `onfleet.event`, `twilio.receipt`."""
    vendor_id: str
    payload: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    received_at: datetime = instant()
    handled_at: datetime | None = instant(nullable=True)


class OutboxState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"


class Purpose(StrEnum):
    """Why a message exists. At most one of each purpose answers one inbound text."""

    ANSWER = "answer"
    HOLDING = "holding"
    CONSENT = "consent"


class OutboundText(SQLModel, table=True):
    """A message to a person: a row first, sent afterwards, never sent twice."""

    __tablename__ = "outbound_message"
    __table_args__ = (
        UniqueConstraint("in_reply_to", "purpose"),
        Index(
            "ix_outbound_message_open",
            "conversation_id",
            postgresql_where=text("state IN ('queued', 'sending')"),
        ),
    )

    id: UUID = primary_id()
    conversation_id: UUID = Field(foreign_key="conversation.id", index=True)
    in_reply_to: UUID | None = Field(default=None, foreign_key="inbound_message.id")
    purpose: Purpose = choice(Purpose)
    channel: ChannelName = choice(ChannelName)
    recipient: str
    text: str
    state: OutboxState = choice(OutboxState, default=OutboxState.QUEUED)
    created_at: datetime = instant()
    attempted_at: datetime | None = instant(nullable=True)
    """Day's time of the last attempt; set before the carrier is called."""
    attempts: int = 0
    vendor_id: str | None = Field(default=None, unique=True)
    error_code: str | None = None
    sent_at: datetime | None = instant(nullable=True)
    finished_at: datetime | None = instant(nullable=True)
