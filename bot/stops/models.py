"""Tables of what the routing platforms told us."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from bot.db import choice, instant, primary_id
from connectors.base import DeliveryWindow, FailureReason, StopStatus

OPEN_STATUSES = tuple(status for status in StopStatus if not status.is_closed)
_OPEN_SQL = "status IN ({})".format(", ".join(f"'{status.value}'" for status in OPEN_STATUSES))


class SlaState(StrEnum):
    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    BREACHED = "breached"


class StopRecord(SQLModel, table=True):
    """One visit, newest known state. `(platform, platform_ref)` is the platform's identity, `id` is ours."""

    __tablename__ = "stop"
    __table_args__ = (
        UniqueConstraint("platform", "platform_ref"),
        Index("ix_stop_watched", "window_end_at", postgresql_where=text(_OPEN_SQL)),
        Index("ix_stop_recipient_phone", "recipient_phone"),
        Index("ix_stop_tracking", text("lower(tracking)")),
    )

    id: UUID = primary_id()
    platform: str
    platform_ref: str
    tracking: str
    status: StopStatus = choice(StopStatus)
    client: str
    zone: str
    timezone: str
    address_line: str
    postcode: str
    recipient_name: str
    recipient_phone: str | None = None
    window_start_at: datetime | None = instant(nullable=True)
    window_end_at: datetime | None = instant(nullable=True)
    eta_at: datetime | None = instant(nullable=True)
    sequence: int | None = None
    route_ref: str | None = None
    driver_ref: str | None = None
    notes: str = ""
    tracking_url: str | None = None
    arrived_at: datetime | None = instant(nullable=True)
    completed_at: datetime | None = instant(nullable=True)
    failure_reason: FailureReason | None = choice(FailureReason, default=None, nullable=True)
    failure_note: str = ""
    changed_at: datetime = instant()
    """By the platform's clock; news older than this is not news."""
    confirmed_at: datetime = instant()
    """The day's time at which the platform last told us this stop's state; see also `PlatformFeed`."""
    sla_state: SlaState = choice(SlaState, default=SlaState.ON_TRACK)
    risk_since: datetime | None = instant(nullable=True)
    """Since when an unbroken run of looks has found it at risk, confirmed or not yet."""

    @property
    def window(self) -> DeliveryWindow | None:
        if self.window_start_at is None or self.window_end_at is None:
            return None
        return DeliveryWindow(start_at=self.window_start_at, end_at=self.window_end_at)

    @property
    def is_open(self) -> bool:
        return not self.status.is_closed


class StopEvent(SQLModel, table=True):
    """What changed on a stop, appended: status, window, ETA, driver. Values as JSON, old and new."""

    __tablename__ = "stop_event"
    __table_args__ = (Index("ix_stop_event_stop", "stop_id", "id"),)

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    stop_id: UUID = Field(foreign_key="stop.id")
    at: datetime = instant()
    source: str
    """`onfleet:poll`, `onfleet:webhook`, `doorline`."""
    changes: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))


class DriverRecord(SQLModel, table=True):
    __tablename__ = "driver"
    __table_args__ = (UniqueConstraint("platform", "platform_ref"),)

    id: UUID = primary_id()
    platform: str
    platform_ref: str
    name: str
    phone: str | None = None
    on_duty: bool | None = None
    seen_at: datetime | None = instant(nullable=True)


class PlatformFeed(SQLModel, table=True):
    """How fresh our knowledge of one platform is."""

    __tablename__ = "platform_feed"

    platform: str = Field(primary_key=True)
    read_at: datetime | None = instant(nullable=True)
    """Day's time at which the last whole read began; everything not changed since is as old as this."""
    next_read_at: datetime = instant()
    failing_since: datetime | None = instant(nullable=True)
    last_error: str = ""
