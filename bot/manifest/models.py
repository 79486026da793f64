"""Tables of the manifests that were posted, and of the drivers whose run has begun."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from bot.db import instant, primary_id
from connectors.base import DeliveryWindow, Record


class FirstShown(Record):
    """A stop as it stood on the manifest when it was first shown there."""

    window: DeliveryWindow | None
    route_ref: str | None
    driver_ref: str | None
    driver_name: str
    is_late: bool = False
    """It came after the manifest was posted."""


class ManifestPost(SQLModel, table=True):
    """One zone's manifest of one day, as posted: what its changes are counted from."""

    __tablename__ = "manifest_post"
    __table_args__ = (
        UniqueConstraint("zone", "day"),
        Index("ix_manifest_post_open", "refresh_at", postgresql_where=text("closed_at IS NULL")),
    )

    id: UUID = primary_id()
    zone: str
    day: date
    """Local to the zone."""
    timezone: str
    issue: int = 1
    """A manifest that somebody asked for ahead of time is posted anew at the time of the protocol."""
    is_scheduled: bool
    """Whether this issue is the one of the protocol's time, or came after it."""
    posted_at: datetime = instant()
    as_of: datetime = instant()
    """Day's time of the newest view that was shown."""
    baseline: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    """`FirstShown` by stop id, as JSON; read it by `first_shown`."""
    page_url: str
    """Kept, so that the post stays the same while nothing changes."""
    refresh_at: datetime = instant()
    """Wall time at which it is looked at again."""
    closed_at: datetime | None = instant(nullable=True)
    """Day's time of the last edit, after the day was over."""

    @property
    def key(self) -> str:
        """Of its post in the dispatchers' workspace."""
        return f"manifest:{self.day.isoformat()}:{self.zone}:{self.issue}"

    @property
    def first_shown(self) -> dict[str, FirstShown]:
        return {stop_id: FirstShown.model_validate(each) for stop_id, each in self.baseline.items()}


class DriverOut(SQLModel, table=True):
    """A driver whose run of a day has begun: from here on its changes are late ones."""

    __tablename__ = "driver_out"

    platform: str = Field(primary_key=True)
    driver_ref: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    seen_at: datetime = instant()
    """Day's time at which we first saw it out; what changed earlier was still planning."""
