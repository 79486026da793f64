"""Tables of incidents: what recipients report, promises that were broken, what is to be done about them; pictures."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from bot.db import choice, instant, primary_id
from bot.stops.answers import IncidentKind
from connectors.base import FailureReason

FIRST_NUMBER = 1001
NUMBER_PREFIX = "INC-"


class IncidentState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    """A dispatcher has dealt with it."""


class Incident(SQLModel, table=True):
    """One report of a recipient. At most one open one per stop and kind; closed with its escalation."""

    __tablename__ = "incident"
    __table_args__ = (
        Index("uq_incident_open", "stop_id", "kind", unique=True, postgresql_where=text("state = 'open'")),
        Index("ix_incident_conversation", "conversation_id", "waiting_since"),
    )

    id: UUID = primary_id()
    kind: IncidentKind = choice(IncidentKind)
    stop_id: UUID = Field(foreign_key="stop.id")
    conversation_id: UUID = Field(foreign_key="conversation.id")
    """Who reported it first."""
    escalation_id: UUID | None = Field(default=None, foreign_key="escalation.id", index=True)
    words: str = ""
    """What was written about it, codes masked, one line per text."""
    state: IncidentState = choice(IncidentState, default=IncidentState.OPEN)
    opened_at: datetime = instant()
    waiting_since: datetime = instant()
    """Wall time of the report."""
    closed_at: datetime | None = instant(nullable=True)
    proof: dict[str, Any] | None = Field(
        default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True)
    )
    """The stop's proof as it stood when it was reported; the platform may change it later."""
    meters_from_address: float | None = None
    driver_ref: str | None = None


class PhotoState(StrEnum):
    WANTED = "wanted"
    KEPT = "kept"
    REFUSED = "refused"


class IncidentPhoto(SQLModel, table=True):
    """One picture that a person sent; matched with an incident, or waiting for one."""

    __tablename__ = "incident_photo"
    __table_args__ = (
        UniqueConstraint("inbound_id", "position"),
        Index("ix_incident_photo_conversation", "conversation_id", "came_at"),
    )

    id: UUID = primary_id()
    incident_id: UUID | None = Field(default=None, foreign_key="incident.id", index=True)
    conversation_id: UUID = Field(foreign_key="conversation.id")
    inbound_id: UUID = Field(foreign_key="inbound_message.id")
    position: int
    """Among the media of that text; its address stands there."""
    state: PhotoState = choice(PhotoState, default=PhotoState.WANTED)
    reason: str = ""
    """Why it was refused: `gone`, `too_big`, `wrong_type`, `foreign_url`, `no_channel`, `unreachable`."""
    content_type: str | None = None
    """By its bytes."""
    size_bytes: int | None = None
    sha256: str | None = None
    path: str | None = None
    """Below the media folder under DOORLINE_VAR."""
    came_at: datetime = instant()
    """Wall time."""
    settled_at: datetime | None = instant(nullable=True)
    """When it was kept or refused."""
    told_at: datetime | None = instant(nullable=True)
    """When dispatchers were told of it."""


class BrokenKind(StrEnum):
    BREACH = "breach"
    """Delivered after the promised window and its grace, or still not delivered by then."""
    FAILED_DELIVERY = "failed_delivery"
    MISSING = "missing"
    """This and what follows are said by a dispatcher only."""
    DAMAGED = "damaged"
    OTHER = "other"


OF_PROMISES = (BrokenKind.BREACH, BrokenKind.FAILED_DELIVERY)


class BrokenState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    """Its cause is known and all that was to be done is done, or a person closed it."""
    WITHDRAWN = "withdrawn"
    """None after all: it was delivered in time and we heard of it late, or the stop was cancelled."""


class PromiseIncident(SQLModel, table=True):
    """A promise that was not kept, and what is known of it. Exactly one per stop and promised window.

    `Incident` is what a recipient reports of a parcel; this is what a review with the client counts. A dispatcher
    may make one of anything else; the review does not count those.
    """

    __tablename__ = "promise_incident"
    __table_args__ = (
        Index(
            "uq_promise_incident_window",
            "stop_id",
            "promised_end_at",
            unique=True,
            postgresql_where=text("NOT by_hand AND promised_end_at IS NOT NULL"),
        ),
        Index(
            "uq_promise_incident_unpromised",
            "stop_id",
            unique=True,
            postgresql_where=text("NOT by_hand AND promised_end_at IS NULL"),
        ),
        Index("ix_promise_incident_look", "look_at", postgresql_where=text("look_at IS NOT NULL")),
        Index("ix_promise_incident_listed", "opened_at", "id"),
        Index("ix_promise_incident_client", "client", "opened_at", "id"),
    )

    id: UUID = primary_id()
    number: int | None = Field(
        default=None,
        sa_column=Column(BigInteger, Identity(always=True, start=FIRST_NUMBER), nullable=False, unique=True),
    )
    """For talking about it: `INC-1001`."""
    kind: BrokenKind = choice(BrokenKind)
    by_hand: bool = False
    """A dispatcher made it. One about a promise becomes the watch's once the watch sees that it was broken."""
    state: BrokenState = choice(BrokenState, default=BrokenState.OPEN)
    stop_id: UUID | None = Field(default=None, foreign_key="stop.id", index=True)
    """None only of one made by hand that is about no stop."""
    escalation_id: UUID | None = Field(default=None, foreign_key="escalation.id", index=True)
    client: str = ""
    zone: str = ""
    timezone: str
    promised_start_at: datetime | None = instant(nullable=True)
    promised_end_at: datetime | None = instant(nullable=True)
    """The window that was promised then, grace not counted; the stop may be promised another one since."""
    opened_at: datetime = instant()
    opened_by: str
    """`doorline`, a dispatcher's id, or a token."""
    source_id: str | None = Field(default=None, unique=True)
    """Of the command that made it by hand: the same command again makes no second one."""
    look_at: datetime | None = instant(nullable=True)
    """When the watch compares it with its stop and its escalation next; None: it is settled for good."""
    finished_at: datetime | None = instant(nullable=True)
    """When the stop was delivered or failed; None: not yet."""
    minutes_late: int = 0
    """So far, or at last; 0 for a failed delivery."""
    penalty_usd: int = 0
    """What the rules of sop.yml asked for it when it was seen; 0 for a failure within its window."""
    root_cause: FailureReason | None = choice(FailureReason, default=None, nullable=True)
    root_cause_by: str | None = None
    """The person who said so; None: taken from the stop or its escalation, and follows them."""
    exclusion: str = ""
    """Code of sop.yml of why it does not count; empty: it counts."""
    exclusion_by: str | None = None
    """The person who said so, also that it does count; None: by the rules, and follows them."""
    note: str = ""
    """What a person wrote of it, access codes masked."""
    closed_at: datetime | None = instant(nullable=True)
    closed_by: str | None = None

    @property
    def name(self) -> str:
        return f"{NUMBER_PREFIX}{self.number}"

    @property
    def exposure_usd(self) -> int:
        """What it costs in whole US dollars, as it stands."""
        counts = self.state is not BrokenState.WITHDRAWN and not self.exclusion
        return self.penalty_usd if counts else 0


class FollowUp(SQLModel, table=True):
    """Something to be done so that it does not happen again, by somebody, by a day."""

    __tablename__ = "follow_up"
    __table_args__ = (
        Index("ix_follow_up_due", "due_on", postgresql_where=text("done_at IS NULL AND reminded_at IS NULL")),
    )

    id: UUID = primary_id()
    incident_id: UUID = Field(foreign_key="promise_incident.id", index=True)
    what: str
    """Access codes masked."""
    owner: str
    """A dispatcher's id: Slack's, or `person:KEY` of somebody of `people` in sop.yml."""
    due_on: date
    """Local to the incident."""
    created_at: datetime = instant()
    created_by: str
    done_at: datetime | None = instant(nullable=True)
    done_by: str | None = None
    reminded_at: datetime | None = instant(nullable=True)
    """When its owner was reminded: once."""

    @property
    def is_open(self) -> bool:
        return self.done_at is None
