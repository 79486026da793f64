"""Tables of tokens, and of what clients are told by mail. A token itself is never kept."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from bot.db import choice, instant, primary_id
from bot.reports.models import Letter, MailState


class ClientToken(SQLModel, table=True):
    __tablename__ = "client_token"

    id: UUID = primary_id()
    client: str | None = Field(default=None, index=True)
    """The shipper whose stops it may see and change; None: an operator's, who may do so for all of them."""
    name: str = ""
    """What it is for, in the words of whoever made it."""
    digest: str = Field(unique=True)
    """SHA-256 of the token, hexadecimal."""
    created_at: datetime = instant()
    last_used_at: datetime | None = instant(nullable=True)
    """Exact to a minute."""
    revoked_at: datetime | None = instant(nullable=True)


SUMMARIES = UUID("6d1c0f5e-5a38-4a1d-9f3e-6f1f6cb1a4f2")
"""Namespace of the ids that stand for one client's day."""


class Topic(StrEnum):
    """What is told in one mail; each has its ways in `clients.X.tell` of sop.yml."""

    REDELIVERY = "redelivery"
    BREACH = "breach"


class ClientNews(SQLModel, table=True):
    """Something that a client is to read of by mail, together with what else happens in the next minutes."""

    __tablename__ = "client_news"
    __table_args__ = (
        UniqueConstraint("source_key"),
        Index(
            "ix_client_news_waiting",
            "client",
            "topic",
            "happened_at",
            postgresql_where=text("told_at IS NULL"),
        ),
    )

    id: UUID = primary_id()
    seq: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), nullable=False, unique=True)
    )
    """In which order it was told, also within one instant."""
    client: str
    topic: Topic = choice(Topic)
    kind: str
    """An `EventKind`."""
    stop_id: UUID | None = Field(default=None, foreign_key="stop.id")
    """The stop that it is about: one line of a mail, saying what is newest."""
    source_key: str
    """The event's own: the same thing is told once."""
    facts: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    """The event's."""
    happened_at: datetime = instant()
    """The day's time."""
    told_at: datetime | None = instant(nullable=True)
    """When it went into a mail; None: it waits for its like."""


class ClientMail(Letter, table=True):
    """One mail to one address of a client. Its Message-ID is made of `id`: every attempt carries the same."""

    __tablename__ = "client_mail"
    __table_args__ = (
        Index("ix_client_mail_open", "asked_at", postgresql_where=text("state IN ('queued', 'sending')")),
    )

    client: str
    topic: Topic = choice(Topic)
    made_at: datetime = instant()
    """The day's time."""


__all__ = ["SUMMARIES", "ClientMail", "ClientNews", "ClientToken", "MailState", "Topic"]
