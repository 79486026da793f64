"""Table of what others keep about who is on call: the last good copy, how old it is, what went wrong since."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from bot.db import instant


class OnCallSource(SQLModel, table=True):
    """One calendar feed or one Slack user group. Times are wall time: how old a copy is, is nobody's pretended day."""

    __tablename__ = "on_call_source"

    key: str = Field(primary_key=True)
    """`group:S…`, or `calendar:` and a digest: a feed's address may be a secret."""
    content: str | None = None
    """The calendar's text, or the group's members as JSON; None: never read."""
    digest: str = ""
    """Of `content`: what was made of it is kept under this."""
    etag: str = ""
    last_modified: str = ""
    read_at: datetime | None = instant(nullable=True)
    """When it was last found good, changed or not."""
    next_at: datetime = instant(index=True)
    """When it is read again."""
    failing_since: datetime | None = instant(nullable=True)
    why: str = ""
    """Code of what went wrong last; empty while it is good."""
