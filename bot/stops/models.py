"""Tables of what the routing platforms told us."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from bot.db import choice, instant, primary_id
from connectors.base import DeliveryWindow, FailureReason, RouteStatus, StopStatus

OPEN_STATUSES = tuple(status for status in StopStatus if not status.is_closed)
_OPEN_SQL = "status IN ({})".format(", ".join(f"'{status.value}'" for status in OPEN_STATUSES))

_BROKEN_SQL = "status IN ('failed', 'returned') OR (status = 'delivered' AND completed_at >= window_end_at)"
"""Over, and perhaps not as it was promised."""


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
        Index("ix_stop_order_ref", text("lower(order_ref)")),
        Index("ix_stop_own_ref", "own_ref", postgresql_where=text("own_ref IS NOT NULL")),
        Index("ix_stop_route", "platform", "route_ref"),
        Index("ix_stop_window_start", "window_start_at"),
        Index("ix_stop_unpromised", "id", postgresql_where=text("window_start_at IS NULL")),
        Index("ix_stop_watch_at", "watch_at"),
        Index("ix_stop_notice_at", "notice_at"),
        Index("ix_stop_estimated", "platform", "driver_ref", postgresql_where=text("is_estimated")),
        Index("ix_stop_driver", "platform", "driver_ref", "window_end_at"),
        Index("ix_stop_broken", "window_end_at", postgresql_where=text(_BROKEN_SQL)),
        Index(
            "ix_stop_failed",
            text("coalesce(completed_at, changed_at)"),
            postgresql_where=text("status = 'failed'"),
        ),
        Index(
            "ix_stop_reattempt_of",
            "platform",
            "reattempt_of",
            postgresql_where=text("reattempt_of IS NOT NULL"),
        ),
    )

    id: UUID = primary_id()
    platform: str
    platform_ref: str
    tracking: str
    order_ref: str | None = None
    """The client's own number. It may be easy to guess: it proves nothing without a second half."""
    own_ref: str | None = None
    """Ours, on the stops that Doorline had created; see `NewStop.own_ref`."""
    reattempt_of: str | None = None
    """Platform reference of the failed stop that this one tries again."""
    status: StopStatus = choice(StopStatus)
    client: str
    zone: str
    timezone: str
    address_line: str
    postcode: str
    latitude: float | None = None
    longitude: float | None = None
    recipient_name: str
    recipient_phone: str | None = None
    recipient_email: str | None = None
    window_start_at: datetime | None = instant(nullable=True)
    window_end_at: datetime | None = instant(nullable=True)
    planned_at: datetime | None = instant(nullable=True)
    """When the plan has the driver arrive; it does not follow the day."""
    eta_at: datetime | None = instant(nullable=True)
    sequence: int | None = None
    route_ref: str | None = None
    driver_ref: str | None = None
    service_seconds: int | None = None
    """How long the driver is expected to be at the door."""
    service_kind: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """What kind of delivery it is, as the rules of sop.yml name it."""
    load: float = Field(default=0.0, sa_column_kwargs={"server_default": "0"})
    """In the unit of `DriverRecord.capacity`."""
    notes: str = ""
    tracking_url: str | None = None
    arrived_at: datetime | None = instant(nullable=True)
    completed_at: datetime | None = instant(nullable=True)
    failure_reason: FailureReason | None = choice(FailureReason, default=None, nullable=True)
    failure_note: str = ""
    proof: dict[str, Any] | None = Field(
        default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True)
    )
    """A `ProofOfDelivery` as JSON: what the driver left, with the platform's own addresses of it."""
    changed_at: datetime = instant()
    """By the platform's clock; news older than this is not news."""
    confirmed_at: datetime = instant()
    """The day's time at which the platform last told us this stop's state; see also `PlatformFeed`."""
    sla_state: SlaState = choice(SlaState, default=SlaState.ON_TRACK)
    risk_since: datetime | None = instant(nullable=True)
    """Since when an unbroken run of looks has found it at risk, confirmed or not yet."""
    watch_at: datetime | None = instant(nullable=True)
    """When the watch looks at it next, by the day's time. None: it changed since the last look."""
    is_texted_by_platform: bool | None = None
    """See `connectors.base.Stop`."""
    notice_at: datetime | None = instant(nullable=True)
    """When `notifications` look at it next, by the day's time. None: it changed since the last look."""
    is_estimated: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """The watch goes by its route's pace, not by its own ETA alone: a change on the route is news for it too."""

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
    zones: list[str] = Field(
        default_factory=list, sa_column=Column(JSONB, nullable=False, server_default=text("'[]'"))
    )
    """Teams or zones that the driver belongs to, by name, where the platform has such."""
    on_duty: bool | None = None
    capacity: float | None = None
    latitude: float | None = None
    longitude: float | None = None
    seen_at: datetime | None = instant(nullable=True)


class RouteRecord(SQLModel, table=True):
    """One driver's run of one day. Its stops are those that name it: `StopRecord.route_ref`, by `sequence`.

    Where a platform's route has no identity of its own, the same reference stands here once per day.
    """

    __tablename__ = "route"
    __table_args__ = (UniqueConstraint("platform", "platform_ref", "day"), Index("ix_route_day", "day"))

    id: UUID = primary_id()
    platform: str
    platform_ref: str
    name: str
    day: date
    """Local to the account."""
    driver_ref: str | None = None
    status: RouteStatus = choice(RouteStatus)
    """`finished` too when the platform does not list it any more."""
    starts_at: datetime | None = instant(nullable=True)
    updated_at: datetime = instant()
    """The day's time of the whole read that last showed it."""


class PlatformFeed(SQLModel, table=True):
    """How fresh our knowledge of one platform is."""

    __tablename__ = "platform_feed"

    platform: str = Field(primary_key=True)
    read_at: datetime | None = instant(nullable=True)
    """Day's time at which the last whole read began; everything not changed since is as old as this."""
    next_read_at: datetime = instant()
    begun_at: datetime | None = instant(nullable=True)
    """Since when the platform is read at all, by the day's time."""
    cursor: str | None = None
    """Where `events_after` goes on; everything before it is stored."""
    next_events_at: datetime | None = instant(nullable=True)
    """None: due at once, where the platform is asked for events."""
    failing_since: datetime | None = instant(nullable=True)
    last_error: str = ""
