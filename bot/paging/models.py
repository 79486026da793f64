"""Tables of pages, the texts and calls to people on call, and of alerts that Doorline itself is ill."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from bot.db import choice, instant, primary_id
from connectors.voice import AnsweredBy


class PageKind(StrEnum):
    TEXT = "text"
    CALL = "call"


class PageState(StrEnum):
    """In this order; a page's state only rises."""

    QUEUED = "queued"
    CALLING = "calling"
    """The carrier was asked, or is about to be: found so by a later job, the call is looked for first."""
    RINGING = "ringing"
    ANSWERED = "answered"
    SENT = "sent"
    """A text: it is in the outbox. It stays answerable."""
    OVER = "over"


class Outcome(StrEnum):
    """How a page ended: the words of `Happening.CALL_OVER` and `PAGE_FAILED`."""

    ACKNOWLEDGED = "acknowledged"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    HUNG_UP = "hung_up"
    VOICEMAIL = "voicemail"
    STOPPED = "stopped"
    NO_PHONE = "no_phone"
    UNDELIVERABLE = "undeliverable"
    REFUSED = "refused"

    @property
    def was_never_sent(self) -> bool:
        return self in (Outcome.NO_PHONE, Outcome.UNDELIVERABLE, Outcome.REFUSED)


class OperatorReason(StrEnum):
    DESK_UNREACHABLE = "desk_unreachable"
    """Nothing can be posted where dispatchers look."""
    WATCH_STOPPED = "watch_stopped"
    FEEDS_STALE = "feeds_stale"
    DOORLINE_ILL = "doorline_ill"
    TEXTS_FILTERED = "texts_filtered"
    """Carriers take our texts for unwanted ones and drop them."""


class OperatorAlert(SQLModel, table=True):
    """Doorline itself is ill. At most one open one per key."""

    __tablename__ = "operator_alert"
    __table_args__ = (
        Index("uq_operator_alert_open", "key", unique=True, postgresql_where=text("over_at IS NULL")),
    )

    id: UUID = primary_id()
    key: str
    reason: OperatorReason = choice(OperatorReason)
    raised_at: datetime = instant()
    taken_by: str | None = None
    """Dispatcher id of who has it."""
    over_at: datetime | None = instant(nullable=True)


class Page(SQLModel, table=True):
    """One text, or one call, to one person about one step or one alert. Asked for twice, it is still one."""

    __tablename__ = "page"
    __table_args__ = (
        UniqueConstraint("step_id", "person"),
        UniqueConstraint("alert_id", "person", "kind"),
        Index("ix_page_phone", "phone", "created_at"),
        Index("ix_page_escalation", "escalation_id"),
        Index("ix_page_look_at", "look_at", postgresql_where=text("look_at IS NOT NULL")),
    )

    id: UUID = primary_id()
    escalation_id: UUID | None = Field(default=None, foreign_key="escalation.id")
    step_id: UUID | None = Field(default=None, foreign_key="escalation_step.id")
    alert_id: UUID | None = Field(default=None, foreign_key="operator_alert.id")
    """Either this, or the two above."""
    kind: PageKind = choice(PageKind)
    person: str
    """Key of `people` in sop.yml."""
    name: str
    dispatcher: str
    """As gestures and the audit log name them."""
    phone: str
    """E.164; empty where they have none."""
    language: str
    state: PageState = choice(PageState)
    outcome: Outcome | None = choice(Outcome, default=None, nullable=True)
    token: str = Field(unique=True)
    """Names the call in the URLs that the carrier calls; hard to guess."""
    outbound_id: UUID | None = Field(default=None, foreign_key="outbound_message.id", index=True)
    """Of a text."""
    vendor_id: str | None = Field(default=None, unique=True)
    """Of a call, the carrier's."""
    answered_by: AnsweredBy = choice(AnsweredBy, default=AnsweredBy.UNKNOWN)
    created_at: datetime = instant()
    attempted_at: datetime | None = instant(nullable=True)
    """Day's time of the first attempt to call; set before the carrier is asked."""
    attempts: int = 0
    give_up_at: datetime | None = instant(nullable=True)
    """Wall time after which a call that could not be placed is not tried any more."""
    look_at: datetime | None = instant(nullable=True)
    """Wall time at which the carrier is asked what became of a call that is not over; None: nothing is awaited."""
    stop_asked_at: datetime | None = instant(nullable=True)
    """Nobody needs it any more: a call in progress is to be ended."""
    over_at: datetime | None = instant(nullable=True)
    said_at: datetime | None = instant(nullable=True)
    """Day's time of the last thing that was texted about it: what else was texted since makes an answer doubtful."""
    option: int | None = None
    """Its number in the question which of several is meant."""
    asked_which_at: datetime | None = instant(nullable=True)
