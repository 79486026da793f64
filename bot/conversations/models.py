"""Tables of conversations, of what people wrote, and of their consent."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from bot.db import choice, instant, primary_id
from connectors.base import ChannelName


class Conversation(SQLModel, table=True):
    """One thread with one person on one channel. Its id is the lock of its jobs and Rasa's sender id."""

    __tablename__ = "conversation"
    __table_args__ = (UniqueConstraint("channel", "address"),)

    id: UUID = primary_id()
    channel: ChannelName = choice(ChannelName)
    address: str
    """The person's: E.164 on sms and whatsapp."""
    our_address: str
    language: str = "en"
    created_at: datetime = instant()
    wrong_tracking_tries: int = 0
    wrong_tracking_since: datetime | None = instant(nullable=True)


class InboundState(StrEnum):
    RECEIVED = "received"
    ANSWERED = "answered"
    SILENT = "silent"
    """Needs no answer of ours: the carrier answered, or the person opted out."""
    PARKED = "parked"
    """Could not be answered by the bot; a dispatcher has it."""
    HELD = "held"
    """Written while a dispatcher held the conversation: theirs to answer. `answered_at` once they did."""


class InboundText(SQLModel, table=True):
    """One line a person wrote to us; unique by the vendor's id. A text is not done until `state` says so."""

    __tablename__ = "inbound_message"
    __table_args__ = (
        UniqueConstraint("channel", "vendor_id"),
        Index("ix_inbound_message_conversation", "conversation_id", "received_at"),
        Index(
            "ix_inbound_message_holding",
            "holding_due_at",
            postgresql_where=text("holding_due_at IS NOT NULL"),
        ),
        Index(
            "ix_inbound_message_person", "person_due_at", postgresql_where=text("person_due_at IS NOT NULL")
        ),
        Index(
            "ix_inbound_message_codes",
            "received_at",
            postgresql_where=text("codes_forgotten_at IS NULL"),
        ),
    )

    id: UUID = primary_id()
    conversation_id: UUID = Field(foreign_key="conversation.id")
    channel: ChannelName = choice(ChannelName)
    vendor_id: str
    text: str
    subject: str | None = None
    """Email only, as are the next two."""
    thread_id: str | None = None
    """The Message-ID that a reply answers."""
    thread_references: list[str] | None = Field(
        default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True)
    )
    """Message-IDs of the thread so far, oldest first, without this one."""
    is_authentic: bool | None = None
    """Email only: see `connectors.base.InboundMessage`."""
    network_address: str | None = None
    """Web chat only: where the browser connects from."""
    media: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    opt_out_type: str | None = None
    state: InboundState = choice(InboundState, default=InboundState.RECEIVED)
    received_at: datetime = instant()
    """The day's time."""
    waiting_since: datetime = instant()
    """Wall time: how long the person has been waiting."""
    holding_due_at: datetime | None = instant(nullable=True)
    """Wall time at which the person gets a holding answer; None once answered or held."""
    person_due_at: datetime | None = instant(nullable=True)
    """Wall time at which a dispatcher takes over, or is reminded of what they hold; None once done."""
    codes_forgotten_at: datetime | None = instant(nullable=True)
    """When the access codes were taken out of `text`."""
    answered_at: datetime | None = instant(nullable=True)
    attempts: int = 0


class ConsentWord(StrEnum):
    OPTED_OUT = "opted_out"
    OPTED_IN = "opted_in"


class ConsentChange(SQLModel, table=True):
    """The ledger: each change with its time, the words and where they came from. The newest line counts."""

    __tablename__ = "consent_change"
    __table_args__ = (Index("ix_consent_change_address", "address", "id"),)

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    address: str
    word: ConsentWord = choice(ConsentWord)
    at: datetime = instant()
    source: str
    """`keyword`, `plain_language`; `carrier:keyword` and `carrier:21610` where the carrier knows of it too."""
    inbound_id: UUID | None = Field(default=None, foreign_key="inbound_message.id")
    words: str | None = None
    """What the person wrote, without access codes, cut short; None where the carrier told us."""
