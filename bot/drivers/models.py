"""Tables of shifts, a driver's route of one day, and of what drivers on the road were asked, told and said."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from bot.db import choice, instant, primary_id
from connectors.base import FailureReason
from connectors.desk import ShiftState


class DriverShift(SQLModel, table=True):
    """What the driver was told last stands beside what the driver said. Made when there is something to keep."""

    __tablename__ = "driver_shift"
    __table_args__ = (
        UniqueConstraint("platform", "driver_ref", "day"),
        Index("ix_driver_shift_day", "day"),
        Index("ix_driver_shift_phone", "phone", "day", postgresql_where=text("phone IS NOT NULL")),
    )

    id: UUID = primary_id()
    platform: str
    driver_ref: str
    day: date
    """Local to the stops."""
    timezone: str
    zone: str = ""
    phone: str | None = None
    """Which was asked: an answer is known by it."""
    route_ref: str | None = None
    state: ShiftState = choice(ShiftState, default=ShiftState.NOT_ASKED)
    stops: int = 0
    """As the driver was told last, like the next two."""
    starts_at: datetime = instant()
    first_address: str = ""
    asked_at: datetime | None = instant(nullable=True)
    """Also set, with `not_asked`, on a driver whom no text can reach: a dispatcher has it then."""
    asked_again_at: datetime | None = instant(nullable=True)
    deadline_at: datetime | None = instant(nullable=True)
    answered_at: datetime | None = instant(nullable=True)
    words: str = ""
    """What the driver wrote last, access codes masked."""
    given_to_ref: str | None = None
    """The driver to whom a dispatcher gave the route instead."""
    overload: str = ""
    """Which violation dispatchers were told of: `load`, `off_duty`; empty while there is none."""

    @property
    def key(self) -> str:
        """Of the dispatcher task about it."""
        return f"shift:{self.id}"

    @property
    def overload_key(self) -> str:
        return f"overload:{self.id}"


class DriverQuestion(SQLModel, table=True):
    """What a driver was asked about an escalation, by one text, and the answer."""

    __tablename__ = "driver_question"
    __table_args__ = (
        Index("ix_driver_question_phone", "phone", "asked_at"),
        Index("ix_driver_question_escalation", "escalation_id", "asked_at"),
    )

    id: UUID = primary_id()
    escalation_id: UUID = Field(foreign_key="escalation.id")
    stop_id: UUID | None = Field(default=None, foreign_key="stop.id")
    """The stop that was asked about."""
    platform: str
    driver_ref: str
    driver_name: str = ""
    phone: str
    """Which was asked: an answer is known by it."""
    outbound_id: UUID | None = Field(default=None, foreign_key="outbound_message.id", unique=True)
    asked_by: str
    """The dispatcher; empty where the driver was asked by the rules of `drivers`."""
    asked_at: datetime = instant()
    answered_at: datetime | None = instant(nullable=True)
    words: str = ""
    """What the driver wrote last, access codes masked."""
    is_on_time: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    root_cause: FailureReason | None = choice(FailureReason, default=None, nullable=True)
    minutes: int | None = None
    """How much longer it takes, by the driver's word."""


class DriverWord(SQLModel, table=True):
    """What a driver said of the time that it takes, asked or not; the newest of a van counts, until `holds_until`."""

    __tablename__ = "driver_word"
    __table_args__ = (
        Index("ix_driver_word_holds", "holds_until"),
        Index("ix_driver_word_van", "platform", "driver_ref", "said_at"),
    )

    id: UUID = primary_id()
    platform: str
    driver_ref: str
    driver_name: str = ""
    stop_id: UUID = Field(foreign_key="stop.id")
    """What it was said about."""
    inbound_id: UUID | None = Field(default=None, foreign_key="inbound_message.id", unique=True)
    said_at: datetime = instant()
    is_on_time: bool = False
    root_cause: FailureReason | None = choice(FailureReason, default=None, nullable=True)
    minutes: int | None = None
    holds_until: datetime = instant()
    """Afterwards it tells nothing of any stop."""
    etas: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    """By stop id, of the stops that were left on the van: `was`, the platform's ETA at that moment, and `at`, the
    one that follows from the word; ISO instants or null."""


class ReportState(StrEnum):
    ASKING = "asking"
    """The driver was asked which stop it is about, or why."""
    TAKEN = "taken"
    PASSED_ON = "passed_on"
    """It stayed unclear: a dispatcher reads it."""


class DriverReport(SQLModel, table=True):
    """A delivery that failed, as the driver texted it. One text may tell of several parcels at one address."""

    __tablename__ = "driver_report"
    __table_args__ = (
        UniqueConstraint("inbound_id", "stop_id"),
        Index("ix_driver_report_phone", "phone", "said_at"),
        Index("ix_driver_report_stop", "stop_id"),
        Index("ix_driver_report_asking", "said_at", postgresql_where=text("state = 'asking'")),
    )

    id: UUID = primary_id()
    platform: str
    driver_ref: str
    driver_name: str = ""
    phone: str
    inbound_id: UUID = Field(foreign_key="inbound_message.id")
    """Its pictures are those of `incident_photo` with this text, or with one of `photo_texts`."""
    stop_id: UUID | None = Field(default=None, foreign_key="stop.id")
    reason: FailureReason | None = choice(FailureReason, default=None, nullable=True)
    words: str = ""
    """Access codes masked."""
    options: list[str] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    """Ids of the stops between which the driver was asked, in the order of the question."""
    photo_texts: list[str] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    """Ids of later texts that brought pictures of it."""
    state: ReportState = choice(ReportState, default=ReportState.TAKEN)
    said_at: datetime = instant()


class DriverRelay(SQLModel, table=True):
    """A recipient's words for the driver of a stop that was on the van, texted once."""

    __tablename__ = "driver_relay"
    __table_args__ = (
        UniqueConstraint("inbound_id", "stop_id"),
        Index(
            "ix_driver_relay_codes",
            "told_at",
            postgresql_where=text("has_code AND code_forgotten_at IS NULL"),
        ),
    )

    id: UUID = primary_id()
    stop_id: UUID = Field(foreign_key="stop.id", index=True)
    inbound_id: UUID = Field(foreign_key="inbound_message.id")
    outbound_id: UUID | None = Field(default=None, foreign_key="outbound_message.id", unique=True)
    """None: no text reaches the driver; the platform's note has to do."""
    platform: str
    driver_ref: str
    has_code: bool = False
    told_at: datetime = instant()
    code_forgotten_at: datetime | None = instant(nullable=True)
