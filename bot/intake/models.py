"""Tables of what clients want: new stops, files of them, changes of one stop, changes of many."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from bot.db import choice, instant, primary_id
from connectors.base import DeliveryWindow


class Source(StrEnum):
    API = "api"
    CSV = "csv"
    SLACK = "slack"


class RequestState(StrEnum):
    """Of a wanted stop."""

    RECEIVED = "received"
    """In order, and about to be entered."""
    NEEDS_DISPATCHER = "needs_dispatcher"
    ENTERING = "entering"
    """Being written to the platform, perhaps for a while: it may be down."""
    ENTERED = "entered"
    REFUSED = "refused"
    DECLINED = "declined"
    CANCELLED = "cancelled"

    @property
    def is_pending(self) -> bool:
        return self in PENDING


PENDING = (RequestState.RECEIVED, RequestState.NEEDS_DISPATCHER, RequestState.ENTERING)
PENDING_SQL = "state IN ('received', 'needs_dispatcher', 'entering')"


def json_column() -> Any:
    return Field(default_factory=list, sa_column=Column(JSONB, nullable=False))


class StopRequest(SQLModel, table=True):
    """One wanted stop. The same key of the same client again is the same request."""

    __tablename__ = "stop_request"
    __table_args__ = (
        UniqueConstraint("client", "idempotency_key"),
        Index("ix_stop_request_pending", "client", "zone", postgresql_where=text(PENDING_SQL)),
        Index("ix_stop_request_listed", "client", "asked_at", "id"),
    )

    id: UUID = primary_id()
    own_ref: str = Field(unique=True)
    """Travels with the stop to the platform and is looked up there before a second try."""
    client: str
    source: Source = choice(Source)
    idempotency_key: str
    digest: str
    """Of what was sent, so that a key that is used again for something else is noticed."""
    form: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    """A `CleanStop`, or the `StopForm` of one that could not be read. Its access code goes once it is not needed."""
    state: RequestState = choice(RequestState)
    reasons: list[dict[str, str]] = json_column()
    """`Finding`s."""
    duplicate_of: UUID | None = None
    """The earlier stop, or the earlier request where that is not entered yet."""
    order_ref: str | None = None
    zone: str = ""
    window_start_at: datetime | None = instant(nullable=True)
    window_end_at: datetime | None = instant(nullable=True)
    platform: str | None = None
    """Account that it is entered into."""
    stop_id: UUID | None = Field(default=None, foreign_key="stop.id", index=True)
    asked_by: str = ""
    """A Slack user id, or the token's id."""
    decided_by: str | None = None
    first_state: RequestState = choice(RequestState)
    """What the API answered first, and answers again to the same key."""
    first_reasons: list[dict[str, str]] = json_column()
    asked_at: datetime = instant()
    changed_at: datetime = instant()
    tried_at: datetime | None = instant(nullable=True)
    """Wall time at which entering it was last asked for."""

    @property
    def window(self) -> DeliveryWindow | None:
        if self.window_start_at is None or self.window_end_at is None:
            return None
        return DeliveryWindow(start_at=self.window_start_at, end_at=self.window_end_at)

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(reason["code"] for reason in self.reasons)


class StopUpload(SQLModel, table=True):
    """One file of wanted stops. The same bytes of the same client again are the same upload."""

    __tablename__ = "stop_upload"
    __table_args__ = (
        UniqueConstraint("client", "digest"),
        Index("ix_stop_upload_unfinished", "tried_at", postgresql_where=text("finished_at IS NULL")),
    )

    id: UUID = primary_id()
    client: str
    digest: str
    rows: int
    taken: int = 0
    """Rows that went in or came back so far; grows in their own transactions."""
    wanted: list[dict[str, Any]] = json_column()
    """The rows as they were read; gone with the last of them, for they name people and codes."""
    results: list[dict[str, Any]] = json_column()
    """One `RowReport` for each taken row, in order."""
    uploaded_by: str = ""
    uploaded_at: datetime = instant()
    finished_at: datetime | None = instant(nullable=True)
    tried_at: datetime = instant()
    """Wall time of the last sign of somebody taking it in."""


class ChangeKind(StrEnum):
    WINDOW = "window"
    CANCEL = "cancel"


class ChangeState(StrEnum):
    NEEDS_DISPATCHER = "needs_dispatcher"
    APPLYING = "applying"
    APPLIED = "applied"
    REFUSED = "refused"
    """By the rules, or in the end by the platform."""
    DECLINED = "declined"

    @property
    def is_settled(self) -> bool:
        return self not in (ChangeState.NEEDS_DISPATCHER, ChangeState.APPLYING)


class StopChange(SQLModel, table=True):
    """Another window for a stop, or its cancellation, wanted by a client or by a dispatcher for one."""

    __tablename__ = "stop_change"
    __table_args__ = (
        UniqueConstraint("stop_id", "kind", "origin"),
        Index(
            "ix_stop_change_open",
            "stop_id",
            "kind",
            postgresql_where=text("state IN ('needs_dispatcher', 'applying')"),
        ),
        Index("ix_stop_change_bulk", "bulk_id"),
    )

    id: UUID = primary_id()
    kind: ChangeKind = choice(ChangeKind)
    stop_id: UUID = Field(foreign_key="stop.id")
    client: str
    source: Source = choice(Source)
    origin: str
    """What asked for it, unique per stop: a Slack command's id, a bulk change, or random."""
    bulk_id: UUID | None = Field(default=None, foreign_key="bulk_change.id")
    wanted_start_at: datetime | None = instant(nullable=True)
    wanted_end_at: datetime | None = instant(nullable=True)
    earlier_start_at: datetime | None = instant(nullable=True)
    earlier_end_at: datetime | None = instant(nullable=True)
    note: str = ""
    """Why, in the words of who asked, access codes masked."""
    state: ChangeState = choice(ChangeState)
    reasons: list[dict[str, str]] = json_column()
    asked_by: str = ""
    decided_by: str | None = None
    asked_at: datetime = instant()
    settled_at: datetime | None = instant(nullable=True)
    tried_at: datetime | None = instant(nullable=True)
    """Wall time at which applying it was last asked for."""

    @property
    def wanted(self) -> DeliveryWindow | None:
        if self.wanted_start_at is None or self.wanted_end_at is None:
            return None
        return DeliveryWindow(start_at=self.wanted_start_at, end_at=self.wanted_end_at)

    @property
    def earlier(self) -> DeliveryWindow | None:
        if self.earlier_start_at is None or self.earlier_end_at is None:
            return None
        return DeliveryWindow(start_at=self.earlier_start_at, end_at=self.earlier_end_at)

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(reason["code"] for reason in self.reasons)


class BulkKind(StrEnum):
    MOVE_WINDOWS = "move_windows"
    RELEASE_ROUTES = "release_routes"


class BulkState(StrEnum):
    ASKED = "asked"
    CARRYING_OUT = "carrying_out"
    DONE = "done"
    DECLINED = "declined"


class BulkChange(SQLModel, table=True):
    """What cannot be taken back and two people must want: many windows at once, routes sent to drivers."""

    __tablename__ = "bulk_change"

    id: UUID = primary_id()
    kind: BulkKind = choice(BulkKind)
    command_id: str = Field(unique=True)
    """Slack's id of the command: the same one again is the same change."""
    state: BulkState = choice(BulkState, default=BulkState.ASKED)
    platform: str = ""
    day: date
    minutes: int = 0
    """Of moved windows; positive is later."""
    stop_ids: list[str] = json_column()
    """The stops that two people saw and approved: none joins later."""
    task_id: UUID | None = None
    asked_by: str = ""
    asked_at: datetime = instant()
    settled_at: datetime | None = instant(nullable=True)
    applied: int = 0
    refused: int = 0
