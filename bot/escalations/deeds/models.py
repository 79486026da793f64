"""Tables of deeds that are carried out after the press: writes to a platform, and what recipients were told."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from bot.db import choice, instant, primary_id


class WriteKind(StrEnum):
    REASSIGN = "reassign"
    MOVE_WINDOW = "move_window"


class WriteState(StrEnum):
    ASKED = "asked"
    DONE = "done"
    REFUSED = "refused"


class DeedWrite(SQLModel, table=True):
    """One change of one stop at its platform, wanted by a dispatcher; told once the platform has answered."""

    __tablename__ = "deed_write"
    __table_args__ = (
        Index("ix_deed_write_open", "tried_at", postgresql_where=text("state = 'asked'")),
        Index("ix_deed_write_escalation", "escalation_id"),
    )

    id: UUID = primary_id()
    escalation_id: UUID = Field(foreign_key="escalation.id")
    stop_id: UUID = Field(foreign_key="stop.id")
    kind: WriteKind = choice(WriteKind)
    state: WriteState = choice(WriteState, default=WriteState.ASKED)
    wanted: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    """Of a reassignment `driver` and `driver_name`; of a window `start_at` and `end_at` in ISO, and `tell`."""
    asked_by: str
    asked_in: str = ""
    """Channel of the press, for a quiet word."""
    asked_at: datetime = instant()
    tried_at: datetime = instant()
    """Wall time at which its job was asked for."""
    code: str = ""
    """Why the platform refused it."""
    settled_at: datetime | None = instant(nullable=True)


class ToldRecipient(SQLModel, table=True):
    """What the recipient of a stop was told out of an escalation: the same words never twice."""

    __tablename__ = "told_recipient"
    __table_args__ = (UniqueConstraint("escalation_id", "stop_id", "digest"),)

    id: UUID = primary_id()
    escalation_id: UUID = Field(foreign_key="escalation.id")
    stop_id: UUID = Field(foreign_key="stop.id")
    message: str
    """A code of `TELL_RECIPIENTS`, or `window_moved`."""
    digest: str
    """Of the text as it went out."""
    told_by: str
    told_at: datetime = instant()
    outbound_id: UUID | None = Field(default=None, foreign_key="outbound_message.id")
