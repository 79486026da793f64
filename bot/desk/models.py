"""Tables of dispatcher tasks and of posts that are kept current, each with what Slack shows of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Column, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from bot.db import choice, instant, primary_id
from connectors.desk import BoardView, Choice, DeskPost, TaskFacts, TaskKind, TaskState, TaskView

UNSETTLED = "state IN ('open', 'carrying_out')"

_BOARD_VIEW: TypeAdapter[BoardView] = TypeAdapter(BoardView)
"""Records take no key they do not know, so no view can be read as another."""


class Posting(SQLModel):
    """What the workspace shows of a row: `revision` is what it should show, `posted_revision` what it does."""

    id: UUID = primary_id()
    channel: str
    """Channel name or id."""
    revision: int = 1
    posted_revision: int = 0
    asked_at: datetime = instant()
    """Wall time at which the keeper was last asked; who waits too long is asked for again."""
    post_attempted_at: datetime | None = instant(nullable=True)
    slack_channel: str | None = None
    slack_ts: str | None = None

    def shown(self) -> DeskPost:
        raise NotImplementedError


class DeskTask(Posting, table=True):
    """Something that a dispatcher decides or does. At most one unsettled task per `key`."""

    __tablename__ = "desk_task"
    __table_args__ = (
        Index("uq_desk_task_open_key", "key", unique=True, postgresql_where=text(UNSETTLED)),
        Index(
            "ix_desk_task_expires",
            "expires_at",
            postgresql_where=text("state = 'open' AND expires_at IS NOT NULL"),
        ),
        Index("ix_desk_task_behind", "asked_at", postgresql_where=text("posted_revision < revision")),
    )

    key: str
    kind: TaskKind = choice(TaskKind)
    state: TaskState = choice(TaskState, default=TaskState.OPEN)
    zone: str = ""
    client: str = ""
    timezone: str
    facts: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    """`TaskFacts` as JSON; read it by `told`."""
    choices: list[str] = Field(sa_column=Column(JSONB, nullable=False))
    approvals_needed: int = 1
    approved_by: list[str] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    """Slack user ids, each once, in the order in which they approved."""
    created_at: datetime = instant()
    expires_at: datetime | None = instant(nullable=True)
    settled_by: str | None = None
    """Who decided it, also while it is being carried out."""
    settled_at: datetime | None = instant(nullable=True)
    outcome: str = ""

    @property
    def told(self) -> TaskFacts:
        return TaskFacts.model_validate(self.facts)

    @property
    def offered(self) -> tuple[Choice, ...]:
        """The buttons that it has now."""
        return tuple(Choice(each) for each in self.choices) if self.state is TaskState.OPEN else ()

    def shown(self) -> TaskView:
        return TaskView(
            task_id=str(self.id),
            kind=self.kind,
            state=self.state,
            zone=self.zone,
            client=self.client,
            timezone=self.timezone,
            facts=self.told,
            choices=self.offered,
            approvals_needed=self.approvals_needed,
            approved_by=tuple(self.approved_by),
            settled_by=self.settled_by,
            settled_at=self.settled_at,
            outcome=self.outcome,
        )


class DeskBoard(Posting, table=True):
    """A post that is kept current: the newest content, and a digest of what of it can be seen."""

    __tablename__ = "desk_board"
    __table_args__ = (
        Index("ix_desk_board_behind", "asked_at", postgresql_where=text("posted_revision < revision")),
    )

    key: str = Field(unique=True)
    digest: str
    view: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    """A `BoardView` as JSON."""

    def shown(self) -> BoardView:
        return _BOARD_VIEW.validate_python(self.view)
