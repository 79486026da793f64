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
    ANSWER_AGAIN = "answer_again"
    """The same words once more: the carrier could not deliver the answer."""
    HOLDING = "holding"
    CONSENT = "consent"
    NOTICE = "notice"
    """Answers no text: something happened that the person should know. May wait for quiet hours to end."""
    PERSON = "person"
    """As a dispatcher wrote it. Never held back: a person pressed send."""
    PROACTIVE = "proactive"
    """To a recipient, unasked, by the rules of `notifications`: paced, and only while it is useful."""
    PAGE = "page"
    """To one of our own who is on call. Never held back, whatever the hour."""


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
        Index("ix_outbound_message_sent_at", "sent_at"),
        Index("ix_outbound_message_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index(
            "ix_outbound_message_paced",
            "useful_until",
            "due_at",
            postgresql_where=text("due_at IS NOT NULL AND purpose = 'proactive'"),
        ),
    )

    id: UUID = primary_id()
    conversation_id: UUID = Field(foreign_key="conversation.id", index=True)
    in_reply_to: UUID | None = Field(default=None, foreign_key="inbound_message.id")
    purpose: Purpose = choice(Purpose)
    channel: ChannelName = choice(ChannelName)
    recipient: str
    text: str
    subject: str | None = None
    """Email only, as are the next two: what the message answers, so that it lands in its thread."""
    in_reply_to_vendor_id: str | None = None
    thread_references: list[str] | None = Field(
        default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True)
    )
    escalation_id: UUID | None = Field(default=None, foreign_key="escalation.id")
    """Where dispatchers hear of it when the carrier cannot deliver it."""
    stop_id: UUID | None = Field(default=None, foreign_key="stop.id", index=True)
    """What it is about, where it was written unasked."""
    state: OutboxState = choice(OutboxState, default=OutboxState.QUEUED)
    created_at: datetime = instant()
    due_at: datetime | None = instant(nullable=True)
    """Day's time before which it must not leave; None: at once, or asked for already."""
    useful_until: datetime | None = instant(nullable=True)
    """Day's time after which it must not leave any more; None: it stays true."""
    attempted_at: datetime | None = instant(nullable=True)
    """Day's time of the last attempt; set before the carrier is called."""
    attempts: int = 0
    vendor_id: str | None = Field(default=None, unique=True)
    error_code: str | None = None
    sent_at: datetime | None = instant(nullable=True)
    finished_at: datetime | None = instant(nullable=True)


class SenderPace(SQLModel, table=True):
    """How much one sender may send at this moment: one row for all processes, a bucket that fills with time."""

    __tablename__ = "sender_pace"

    sender: str = Field(primary_key=True)
    """Our number, or the sid of a messaging service."""
    segments: float
    """That may leave at once; below nothing where more has left than was allowed."""
    filled_at: datetime = instant()
    """Wall time."""
