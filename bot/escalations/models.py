"""Tables of escalations, their stops, their steps and what is told in their threads."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from bot.db import choice, instant, primary_id
from bot.sop_escalations import TierKind
from connectors.base import FailureReason
from connectors.escalation import EscalationState, Happening, Severity


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
        Index("ix_escalation_snoozed", "snoozed_until", postgresql_where=text("state = 'snoozed'")),
        Index("ix_escalation_conversation", "conversation_id", postgresql_where=text("state <> 'resolved'")),
        Index("ix_escalation_answer_by", "answer_by", postgresql_where=text("state <> 'resolved'")),
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
    answer_by: datetime | None = instant(nullable=True)
    """By when somebody was promised an answer; None where nobody was, or once a person has answered."""
    told_waiting_at: datetime | None = instant(nullable=True)
    """When the recipient was told that nobody has come to it yet: at most once per promise of the bot's."""
    reminded_at: datetime | None = instant(nullable=True)
    """When the holder was reminded of a promise that they let pass."""
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = instant(nullable=True)
    acknowledged_until: datetime | None = instant(nullable=True)
    resolved_by: str | None = None
    resolved_at: datetime | None = instant(nullable=True)
    outcome: str = ""
    service: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """What kind of delivery it is about, as the rules of sop.yml name it."""
    minutes_late: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """Of its worst stop, as last seen."""
    snoozed_by: str | None = None
    snoozed_until: datetime | None = instant(nullable=True)
    root_cause: FailureReason | None = choice(FailureReason, default=None, nullable=True)
    """Why it was late: by the driver's answer, or by who resolved it."""
    exclusion: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """Code of sop.yml of why it does not count against the target; empty: it counts."""
    resolution_note: str = Field(default="", sa_column_kwargs={"server_default": ""})
    is_noise: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    merged_into: UUID | None = Field(default=None, foreign_key="escalation.id")
    armed_at: datetime | None = instant(nullable=True)
    """When the newest round of steps began."""
    repeats: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """How often the steps of this round were begun again."""
    policy: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """Name of the policy of sop.yml that its newest round follows; empty: the section's own tiers."""
    told_reaction_not_enough: list[str] = Field(
        default_factory=list, sa_column=Column(JSONB, nullable=False, server_default=text("'[]'"))
    )
    """Dispatchers who know that a reaction does not take it: each is told once."""
    revision: int = 1
    posted_revision: int = 0
    post_attempted_at: datetime | None = instant(nullable=True)
    slack_channel: str | None = None
    slack_ts: str | None = None
    delayed_since: datetime | None = instant(nullable=True)
    """Since when the workspace has not taken its newest state; None once it has."""

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
    planned_at: datetime | None = instant(nullable=True)
    """When it would have been due, had its hours allowed it; None: `due_at` is that."""
    tier: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """Index of its tier in the policy that it was planned by."""
    place: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """Which person of the on-call line it calls: 0 is who is on call, 1 the next one."""
    person: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """Key of `people` of whom it calls whoever is on call; empty: the line's `place`."""
    out_of_hours: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """It stands in for a tier that was outside its hours: hours do not hold it back any more."""
    fired_at: datetime | None = instant(nullable=True)
    cancelled_at: datetime | None = instant(nullable=True)


class EscalationPost(SQLModel, table=True):
    """A message in a channel that an escalation has left: it ends with a pointer to where it went.

    Written by `holding.hand_over`; `DeskKeeper` edits the message and sets `pointed_at`. Handed back, the row goes and
    the message is the escalation's own again: one message per escalation and channel, wherever it wanders.
    """

    __tablename__ = "escalation_post"

    escalation_id: UUID = Field(foreign_key="escalation.id", primary_key=True)
    channel: str = Field(primary_key=True)
    """As `Escalation.channel` had it."""
    slack_channel: str | None = None
    slack_ts: str | None = None
    """None: the post was attempted and not confirmed; it is looked for by its metadata, from `attempted_at` on."""
    attempted_at: datetime | None = instant(nullable=True)
    moved_to: str
    """The channel it went to."""
    left_at: datetime = instant()
    pointed_at: datetime | None = instant(nullable=True)


class EscalationNote(SQLModel, table=True):
    """One line of an escalation's history in its thread, in order, posted once."""

    __tablename__ = "escalation_note"
    __table_args__ = (Index("ix_escalation_note_queue", "escalation_id", "number"),)

    id: UUID = primary_id()
    number: int | None = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), nullable=False)
    )
    """Lines are posted in this order: several of one instant keep the order in which they were written."""
    escalation_id: UUID = Field(foreign_key="escalation.id")
    kind: Happening = choice(Happening)
    dispatcher: str | None = None
    """Slack user id."""
    stop_id: UUID | None = Field(default=None, foreign_key="stop.id")
    until: datetime | None = instant(nullable=True)
    words: str = ""
    person: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """Name of somebody who was called."""
    facts: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column(JSONB, nullable=False, server_default=text("'{}'"))
    )
    """What else `HappeningFacts` needs, as JSON."""
    mention: str = ""
    """Whom the line calls; only this notifies anyone."""
    created_at: datetime = instant()
    attempted_at: datetime | None = instant(nullable=True)
    posted_at: datetime | None = instant(nullable=True)
