"""Tables of the watch over itself: when it last looked, and what keeps it from being heard."""

from datetime import datetime

from sqlalchemy import Column, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from bot.db import instant


class WatchMark(SQLModel, table=True):
    """The newest round of the watch; one row. Whoever else runs sees by it that rounds are missing."""

    __tablename__ = "watch_mark"

    name: str = Field(primary_key=True)
    ran_at: datetime = instant()
    """The day's time of the round."""
    wall_at: datetime = instant()
    """Real time of it."""
    rules: str = ""
    """Digest of the rules by which it looked: under others everything is looked at again."""
    quiet: list[str] = Field(
        default_factory=list, sa_column=Column(JSONB, nullable=False, server_default=text("'[]'"))
    )
    """Accounts whose news were too old to be believed then."""


class WatchTrouble(SQLModel, table=True):
    """One outage of what the watch needs, told once, and once more when it is over."""

    __tablename__ = "watch_trouble"

    key: str = Field(primary_key=True)
    since: datetime = instant()
    """Real time at which it was found."""
