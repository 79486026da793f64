"""Tables of followed-up failures and of the steps of their ladder."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from bot.db import choice, instant, primary_id
from bot.sop_recovery import Flow, RungKind
from connectors.base import FailureReason


class RecoveryState(StrEnum):
    ASKING = "asking"
    """The recipient is to be asked, or was."""
    WRITING = "writing"
    """What was agreed is being written to the platform."""
    WITH_DISPATCHER = "with_dispatcher"
    BOOKED = "booked"
    """A second try stands on the platform, or was promised by a dispatcher."""
    PICK_UP = "pick_up"
    SENT_BACK = "sent_back"
    CLOSED = "closed"
    """Over for another reason: delivered after all, cancelled, dealt with by hand."""


OVER = (RecoveryState.BOOKED, RecoveryState.PICK_UP, RecoveryState.SENT_BACK, RecoveryState.CLOSED)


class ReasonSource(StrEnum):
    PLATFORM = "platform"
    DRIVER = "driver"
    DISPATCHER = "dispatcher"


class Why(StrEnum):
    """What a followed-up failure needs a dispatcher for."""

    UNKNOWN_REASON = "unknown_reason"
    """Nobody has said why it failed."""
    BY_RULE = "by_rule"
    """For this reason the protocol asks nobody else: damaged goods."""
    ATTEMPTS = "attempts"
    """The parcel was tried as often as the protocol allows."""
    NOBODY_TO_ASK = "nobody_to_ask"
    """No address that can be written to."""
    NO_ANSWER = "no_answer"
    NOT_POSSIBLE = "not_possible"
    """The platform has no second tries."""
    REFUSED = "refused"
    """The platform refused the second try."""
    NO_WINDOW = "no_window"
    """No window can be had."""
    CODE_LOST = "code_lost"
    """The recipient's access code could not be kept until the platform took the second try."""
    REQUEST = "request"
    """The recipient wants what a dispatcher approves: another address, to hold it, to send it back."""
    PICK_UP = "pick_up"
    """The recipient comes for it: it is to be held there."""
    SEND_BACK = "send_back"
    """It goes back: somebody has to send it."""
    TRY_CANCELLED = "try_cancelled"
    """The second try was cancelled on the platform, and no other one stands there."""
    ENDING = "ending"
    """Nobody answered, and the protocol leaves the end to a dispatcher."""


class Recovery(SQLModel, table=True):
    """One failed delivery and what became of it; one per failure of a stop."""

    __tablename__ = "recovery"
    __table_args__ = (
        Index("ix_recovery_stop", "stop_id"),
        Index("uq_recovery_stop", "stop_id", unique=True, postgresql_where=text("NOT is_past")),
        Index(
            "ix_recovery_open",
            "opened_at",
            postgresql_where=text("state IN ('asking', 'writing', 'with_dispatcher')"),
        ),
        Index("ix_recovery_booked", "settled_at", postgresql_where=text("state = 'booked'")),
        Index("ix_recovery_client", "client", "opened_at"),
        Index("ix_recovery_reattempt", "reattempt_id"),
        Index("ix_recovery_unlinked", "settled_at", postgresql_where=text("reattempt_id IS NULL")),
    )

    id: UUID = primary_id()
    stop_id: UUID = Field(foreign_key="stop.id")
    """The stop that failed."""
    client: str = ""
    zone: str = ""
    timezone: str
    reason: FailureReason = choice(FailureReason)
    reason_source: ReasonSource = choice(ReasonSource, default=ReasonSource.PLATFORM)
    words: str = ""
    """What the driver or the platform said, codes masked."""
    flow: Flow = choice(Flow)
    attempt: int = 1
    """Which try of the parcel it was that failed."""
    state: RecoveryState = choice(RecoveryState, default=RecoveryState.ASKING)
    failed_at: datetime = instant()
    opened_at: datetime = instant()
    deadline_at: datetime | None = instant(nullable=True)
    """When the default happens; None where there is none."""
    asked_at: datetime | None = instant(nullable=True)
    """When the recipient was asked first."""
    answered_at: datetime | None = instant(nullable=True)
    settled_at: datetime | None = instant(nullable=True)
    settled_by: str = ""
    """`recipient`, `default`, or a dispatcher's id."""
    preference: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    """A `Preference` as JSON: what the recipient wants. Never an access code, only that there is one."""
    reattempt_id: UUID | None = Field(default=None, foreign_key="stop.id")
    """The stop that tries again."""
    tried_at: datetime | None = instant(nullable=True)
    """Wall time of the last try to write what was agreed."""
    lease_until: datetime | None = instant(nullable=True)
    """Wall time until which one process writes it, and no other: two at once would make two second tries."""
    detail: str = ""
    """Why it is, or was, with a dispatcher: a `Why`."""
    is_past: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """The same stop failed again afterwards, and that has a follow-up of its own."""
    conversation_id: UUID | None = Field(default=None, foreign_key="conversation.id")
    """In which the recipient was asked or answered last."""


class RecoveryStep(SQLModel, table=True):
    """A rung of the ladder. Fired once, or cancelled, never both."""

    __tablename__ = "recovery_step"
    __table_args__ = (
        UniqueConstraint("recovery_id", "position"),
        Index(
            "ix_recovery_step_due",
            "due_at",
            postgresql_where=text("fired_at IS NULL AND cancelled_at IS NULL"),
        ),
    )

    id: UUID = primary_id()
    recovery_id: UUID = Field(foreign_key="recovery.id")
    position: int
    kind: RungKind = choice(RungKind)
    due_at: datetime = instant()
    fired_at: datetime | None = instant(nullable=True)
    cancelled_at: datetime | None = instant(nullable=True)
    claimed_at: datetime | None = instant(nullable=True)
    """Wall time at which its job was asked for last."""
    tries: int = 0
    put_offs: int = 0
    """How often it waited for a conversation under way; quiet hours do not count."""
    result: str = ""
    """What came of it: `sent`, `nobody_to_ask`, `no_other_way`, `told`, `done`."""
