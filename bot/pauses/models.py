"""Tables of maintenance windows and of what they held back."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, Identity, Index, text
from sqlmodel import Field, SQLModel

from bot.db import choice, instant, primary_id
from connectors.escalation import Severity
from connectors.pauses import PauseNotice, PauseWhat


class Pause(SQLModel, table=True):
    """A maintenance window, half open. It covers from `starts_at` on, whether or not that was told yet."""

    __tablename__ = "pause"
    __table_args__ = (
        Index("ix_pause_open", "starts_at", postgresql_where=text("ended_at IS NULL")),
        Index("ix_pause_number", "number", unique=True),
    )

    id: UUID = primary_id()
    number: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), nullable=False)
    )
    """By which dispatchers name it."""
    vendor_id: str = Field(unique=True)
    """Of the command that asked for it: asked twice, it is one."""
    what: PauseWhat = choice(PauseWhat)
    name: str = ""
    """As people read it."""
    ref: str = ""
    """As stops have it: the client, the zone, the route's or the account's reference."""
    platform: str = ""
    """Of a route: its account."""
    timezone: str
    why: str = ""
    by: str
    """Dispatcher id."""
    channel: str
    """Where it is told."""
    created_at: datetime = instant()
    starts_at: datetime = instant()
    ends_at: datetime | None = instant(nullable=True)
    """None: until lifted."""
    told_at: datetime | None = instant(nullable=True)
    """When the channel was told that it runs."""
    remind_at: datetime | None = instant(nullable=True)
    """When the channel is told once more that one without an end still runs."""
    ended_at: datetime | None = instant(nullable=True)
    """When it was over: at its time, or lifted. Never again open."""
    ended_by: str | None = None
    """Dispatcher id; None when its time was over."""

    def notice(self) -> PauseNotice:
        return PauseNotice(
            pause_id=str(self.id),
            number=self.number or 0,
            what=self.what,
            name=self.name,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            timezone=self.timezone,
            why=self.why,
            by=self.by,
            ended_at=self.ended_at,
            ended_by=self.ended_by,
        )


class PauseHit(SQLModel, table=True):
    """Something that would have been raised: once per cause and stop, however often it came up."""

    __tablename__ = "pause_hit"

    pause_id: UUID = Field(foreign_key="pause.id", primary_key=True)
    cause_key: str = Field(primary_key=True)
    stop_id: str = Field(default="", primary_key=True)
    """Empty for a cause without stops."""
    severity: Severity = choice(Severity)
    """The severity, the reason and the lateness as they stood last; of the cause's worst stop."""
    why: str
    client: str = ""
    minutes_late: int = 0
    first_seen_at: datetime = instant()
    last_seen_at: datetime = instant()
