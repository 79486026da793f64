"""Table of requests."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from bot.db import choice, instant, primary_id
from connectors.base import StopStatus


class RequestKind(StrEnum):
    RESCHEDULE = "reschedule"
    CHANGE_ADDRESS = "change_address"
    SEND_BACK = "send_back"
    HOLD = "hold"
    NOTE = "note"
    REDELIVER = "redeliver"


class RequestState(StrEnum):
    OPEN = "open"
    APPROVING = "approving"
    """Approved by a dispatcher, and being written to the platform."""
    APPROVED = "approved"
    DECLINED = "declined"
    EXPIRED = "expired"
    """The stop was over first, or a dispatcher dealt with it in another way."""


UNDECIDED = (RequestState.OPEN, RequestState.APPROVING)


class DispatchRequest(SQLModel, table=True):
    """One wish that waits for a dispatcher. At most one open one per conversation, stop and kind."""

    __tablename__ = "dispatch_request"
    __table_args__ = (
        Index(
            "uq_dispatch_request_open",
            "conversation_id",
            "stop_id",
            "kind",
            unique=True,
            postgresql_where=text("state = 'open'"),
        ),
        Index(
            "ix_dispatch_request_undecided",
            "stop_id",
            postgresql_where=text("state IN ('open', 'approving')"),
        ),
    )

    id: UUID = primary_id()
    kind: RequestKind = choice(RequestKind)
    conversation_id: UUID = Field(foreign_key="conversation.id")
    stop_id: UUID = Field(foreign_key="stop.id")
    wanted: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    """A `Wanted`. Access codes of a note stay in it until it is decided."""
    words: str = ""
    """What the recipient wrote, codes masked."""
    state: RequestState = choice(RequestState, default=RequestState.OPEN)
    stop_status: StopStatus = choice(StopStatus)
    """Of the stop when it was asked: a request about a failed try is not moot because the try failed."""
    escalation_id: UUID | None = Field(default=None, foreign_key="escalation.id", index=True)
    inbound_id: UUID | None = Field(default=None, foreign_key="inbound_message.id")
    language: str = "en"
    asked_at: datetime = instant()
    answer_by: datetime = instant()
    """What the recipient was promised first; the escalation's follows it."""
    decided_by: str | None = None
    """Slack user id."""
    decided_at: datetime | None = instant(nullable=True)
    told_at: datetime | None = instant(nullable=True)
    """When the recipient's notice of the decision was queued."""
