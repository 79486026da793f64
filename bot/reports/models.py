"""Tables of what the calendar has made: what is due, the files, and the mails that carry them."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Column, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from bot.db import choice, instant, primary_id
from bot.reports.records import Period


class RunKind(StrEnum):
    CLIENT_REPORT = "client_report"
    DIGEST = "digest"
    CLIENT_DAY = "client_day"
    """One day of one client in figures."""


class RunState(StrEnum):
    PLANNED = "planned"
    MAKING = "making"
    MADE = "made"
    EMPTY = "empty"
    """Nothing was promised in its period, or it is not wanted any more: nobody was told."""


class ReportRun(SQLModel, table=True):
    """One report of one period. `subject` is a client's name, or the channel of a digest."""

    __tablename__ = "report_run"
    __table_args__ = (
        UniqueConstraint("kind", "subject", "start_day", "end_day"),
        Index("ix_report_run_open", "due_at", postgresql_where=text("state IN ('planned', 'making')")),
    )

    id: UUID = primary_id()
    kind: RunKind = choice(RunKind)
    subject: str
    start_day: date
    end_day: date
    due_at: datetime = instant()
    state: RunState = choice(RunState, default=RunState.PLANNED)
    asked_at: datetime | None = instant(nullable=True)
    """Wall time at which its job was last asked for."""
    made_at: datetime | None = instant(nullable=True)

    @property
    def period(self) -> Period:
        return Period(self.start_day, self.end_day)


class ReportFile(SQLModel, table=True):
    """A file as it was made and sent: a later correction makes another one, this one stays."""

    __tablename__ = "report_file"
    __table_args__ = (UniqueConstraint("run_id", "name"),)

    id: UUID = primary_id()
    run_id: UUID = Field(foreign_key="report_run.id")
    name: str
    media_type: str
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class MailState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    """Marked before the relay is called: found so by a later job, it may have left."""
    SENT = "sent"
    REFUSED = "refused"


class Letter(SQLModel):
    """What every mail of ours that answers nobody has: see `bot/reports/letters.py`."""

    id: UUID = primary_id()
    recipient: str
    subject: str
    text: str
    state: MailState = choice(MailState, default=MailState.QUEUED)
    attempts: int = 0
    asked_at: datetime = instant()
    """Wall time at which its job was last asked for."""
    sent_at: datetime | None = instant(nullable=True)
    error_code: str = ""


class ReportMail(Letter, table=True):
    """One mail to one address. Its Message-ID is made of `id`: every attempt carries the same."""

    __tablename__ = "report_mail"
    __table_args__ = (
        UniqueConstraint("run_id", "recipient"),
        Index("ix_report_mail_open", "asked_at", postgresql_where=text("state IN ('queued', 'sending')")),
    )

    run_id: UUID = Field(foreign_key="report_run.id")


class ShareState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    """Marked before the workspace is called: found so by a later job, they may be there."""
    SENT = "sent"
    REFUSED = "refused"
    """The digest's post is gone: there is no thread for them."""


class DigestCharts(SQLModel, table=True):
    """The charts of one digest, shared together in the thread of its post. Their bytes are the run's files."""

    __tablename__ = "digest_charts"
    __table_args__ = (
        Index("ix_digest_charts_open", "asked_at", postgresql_where=text("state IN ('queued', 'sending')")),
    )

    run_id: UUID = Field(foreign_key="report_run.id", primary_key=True)
    board_id: UUID = Field(foreign_key="desk_board.id")
    """The post."""
    state: ShareState = choice(ShareState, default=ShareState.QUEUED)
    attempts: int = 0
    asked_at: datetime = instant()
    """Wall time at which its job was last asked for."""
    sent_at: datetime | None = instant(nullable=True)
    error_code: str = ""
