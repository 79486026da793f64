"""Tables of escalations, their stops, their steps and what is told in their threads."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from bot.db import choice, instant, primary_id
from bot.sop import TierKind
from connectors.base import EscalationState, Happening, Severity


class Escalation(SQLModel, table=True):
    """One cause that needs a person. At most one open escalation per `cause_key`.

    `revision` counts what a dispatcher should see, `posted_revision` what they do see; a job closes the gap.
    """

    __tablename__ = "escalation"
    __table_args__ = (
        Index(
            "uq_escalation_open_cause", "cause_key", unique=True, postgresql_where=text("state <> 'resolved'")
        ),
        Index("ix_escalation_slack", "slack_channel", "slack_ts"),
        Index("ix_escalation_holds", "acknowledged_until", postgresql_where=text("state = 'acknowledged'")),
    )

    id: UUID = primary_id()
    cause_key: str
    severity: Severity = choice(Severity)
    state: EscalationState = choice(EscalationState, default=EscalationState.RAISED)
    zone: str = ""
    client: str = ""
    timezone: str
    why: str
    shown: str = ""
    """Digest of what made the last revision; an unchanged digest makes no new one."""
    channel: str
    """Channel name or id from sop.yml."""
    conversation_id: UUID | None = Field(default=None, foreign_key="conversation.id")
    exposure_usd: int = 0
    raised_at: datetime = instant()
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = instant(nullable=True)
    acknowledged_until: datetime | None = instant(nullable=True)
    resolved_by: str | None = None
    resolved_at: datetime | None = instant(nullable=True)
    outcome: str = ""
    revision: int = 1
    posted_revision: int = 0
    post_attempted_at: datetime | None = instant(nullable=True)
    slack_channel: str | None = None
    slack_ts: str | None = None

    @property
    def is_open(self) -> bool:
        return self.state is not EscalationState.RESOLVED


class EscalationStop(SQLModel, table=True):
    """A stop of an escalation; `settled_at` once it is delivered, closed or back on track."""

    __tablename__ = "escalation_stop"

    escalation_id: UUID = Field(foreign_key="escalation.id", primary_key=True)
    stop_id: UUID = Field(foreign_key="stop.id", primary_key=True, index=True)
    joined_at: datetime = instant()
    settled_at: datetime | None = instant(nullable=True)


class EscalationStep(SQLModel, table=True):
    """What happens next if nobody acknowledges. Fired once, or cancelled, never both."""

    __tablename__ = "escalation_step"
    __table_args__ = (
        UniqueConstraint("escalation_id", "round", "position"),
        Index(
            "ix_escalation_step_due",
            "due_at",
            postgresql_where=text("fired_at IS NULL AND cancelled_at IS NULL"),
        ),
    )

    id: UUID = primary_id()
    escalation_id: UUID = Field(foreign_key="escalation.id")
    round: int = 0
    """Grows each time the escalation re-arms."""
    position: int
    kind: TierKind = choice(TierKind)
    due_at: datetime = instant()
    fired_at: datetime | None = instant(nullable=True)
    cancelled_at: datetime | None = instant(nullable=True)


class EscalationNote(SQLModel, table=True):
    """One line of an escalation's history in its thread, in order, posted once."""

    __tablename__ = "escalation_note"
    __table_args__ = (Index("ix_escalation_note_queue", "escalation_id", "created_at"),)

    id: UUID = primary_id()
    escalation_id: UUID = Field(foreign_key="escalation.id")
    kind: Happening = choice(Happening)
    dispatcher: str | None = None
    """Slack user id."""
    stop_id: UUID | None = Field(default=None, foreign_key="stop.id")
    until: datetime | None = instant(nullable=True)
    words: str = ""
    mention: str = ""
    """Whom the line calls; only this notifies anyone."""
    created_at: datetime = instant()
    attempted_at: datetime | None = instant(nullable=True)
    posted_at: datetime | None = instant(nullable=True)
