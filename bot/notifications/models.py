"""Tables of what recipients were told unasked, and of the ways that were tried."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from bot.db import choice, instant, primary_id
from bot.sop_notifications import NotificationKind
from connectors.base import ChannelName


class NotificationState(StrEnum):
    WAITING = "waiting"
    """On its way by the channel of its newest try."""
    REACHED = "reached"
    """A carrier took it and has not said that it failed."""
    OUTDATED = "outdated"
    """It was not true any more before it could leave: it was not sent."""
    UNREACHED = "unreached"
    """No channel is left that could bring it."""


class Notification(SQLModel, table=True):
    """One thing that the recipient of one stop was told, or was about to be told."""

    __tablename__ = "notification"
    __table_args__ = (
        Index("ix_notification_stop", "stop_id", "decided_at"),
        Index("ix_notification_person", "person", "day"),
    )

    id: UUID = primary_id()
    stop_id: UUID = Field(foreign_key="stop.id")
    kind: NotificationKind = choice(NotificationKind)
    person: str
    """The recipient's phone, or the email address where there is none: whose texts a day are counted."""
    day: date
    """Local to the stop."""
    decided_at: datetime = instant()
    useful_until: datetime | None = instant(nullable=True)
    """Afterwards it would not be true, or no use: it is not sent any more."""
    said: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    """What it promised, as JSON: `eta_at`, `window_start_at`, `window_end_at`, as far as it spoke of them."""
    state: NotificationState = choice(NotificationState, default=NotificationState.WAITING)
    settled_at: datetime | None = instant(nullable=True)


class NotificationTry(SQLModel, table=True):
    """One channel by which a notification was sent; the next one when that did not arrive."""

    __tablename__ = "notification_try"
    __table_args__ = (UniqueConstraint("notification_id", "position"),)

    id: UUID = primary_id()
    notification_id: UUID = Field(foreign_key="notification.id")
    position: int
    channel: ChannelName = choice(ChannelName)
    address: str
    outbound_id: UUID | None = Field(default=None, foreign_key="outbound_message.id", unique=True)
    error_code: str = ""
    """Why it did not arrive; empty while nothing says so."""


class NoticeWatch(SQLModel, table=True):
    """What the looks of notifications remember of one stop: since when an unbroken run of them has found it so."""

    __tablename__ = "notice_watch"

    stop_id: UUID = Field(foreign_key="stop.id", primary_key=True)
    late_since: datetime | None = instant(nullable=True)
    on_time_since: datetime | None = instant(nullable=True)
    near_since: datetime | None = instant(nullable=True)
    moved_since: datetime | None = instant(nullable=True)
