"""Tables of dispatchers' own pages: who has theirs open, and what they chose there."""

from datetime import datetime

from sqlalchemy import Column, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from bot.db import instant


class HomeTab(SQLModel, table=True):
    """`revision` counts what a page should show, `posted_revision` what it does; a job closes the gap."""

    __tablename__ = "home_tab"
    __table_args__ = (Index("ix_home_tab_opened", "opened_at"),)

    dispatcher: str = Field(primary_key=True)
    """Slack user id."""
    opened_at: datetime = instant()
    """Wall time: a page is kept current for a while after somebody looked at it."""
    page: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """Of the list of stops at risk."""
    digest: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """Of what it is to show; unchanged content makes no new revision."""
    seen: str | None = None
    """The workspace's mark of the version that it shows."""
    revision: int = 1
    posted_revision: int = 0
    asked_at: datetime = instant()
    """Wall time at which the job was asked for last."""


class DispatcherSetting(SQLModel, table=True):
    __tablename__ = "dispatcher_setting"

    dispatcher: str = Field(primary_key=True)
    """Slack user id."""
    zones: list[str] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True), nullable=True))
    """None: never chosen, so `people` of sop.yml says; empty: all."""
    language: str | None = None
    """Of texts and calls to them; None: as `people` of sop.yml says."""
    changed_at: datetime = instant()
