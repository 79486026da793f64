"""Who is on call, as others keep it: a calendar feed, a Slack user group. `bot.oncall` keeps the last good copy."""

from datetime import datetime, timedelta, tzinfo
from typing import Protocol

from pydantic import AwareDatetime

from connectors.base import Record

NAME_LIMIT = 120


class CalendarAsked(Record):
    """What is known of a feed, so that an unchanged one is not sent again."""

    url: str
    etag: str = ""
    last_modified: str = ""
    """As the server wrote it."""


class CalendarAnswer(Record):
    """`why` is empty when the feed is good; `text` is None when it is what we have already."""

    text: str | None = None
    etag: str = ""
    last_modified: str = ""
    why: str = ""
    """Code of what went wrong: `timeout`, `connection`, `status:404`, `too_large`, `unreadable`."""


class FeedShift(Record):
    """One event of a feed, half open. `names` say who it is, the likeliest first: an email, a name, a title."""

    start_at: AwareDatetime
    end_at: AwareDatetime
    names: tuple[str, ...]


class GroupMember(Record):
    slack: str
    """Slack user id."""
    name: str = ""
    """Display name; empty where Slack does not tell it."""


class Calendars(Protocol):
    async def fetch(self, asked: CalendarAsked) -> CalendarAnswer:
        """Never raises for what a feed does: the answer says why."""
        ...

    def shifts(self, text: str, start: datetime, end: datetime, zone: tzinfo) -> tuple[FeedShift, ...]:
        """The events that touch [start, end), repeated ones spelt out, in the order of their start.

        `zone` is where all-day events and times without a zone are. Empty for a text that `fetch` would refuse.
        """
        ...


class UserGroups(Protocol):
    async def members(self, group: str) -> tuple[GroupMember, ...]:
        """The people of one user group, in Slack's order.

        Raises:
            ChannelError: they could not be read.
        """
        ...


class DutyPerson(Record):
    """Somebody who can be called, as a dispatcher reads it."""

    name: str
    slack: str | None = None
    has_phone: bool = False


class DutyLine(Record):
    """Who has a zone now."""

    zone: str
    """Empty: every zone without a rota of its own."""
    timezone: str
    line: tuple[DutyPerson, ...]
    """In the order in which they are called; empty: nobody is on call."""
    source: str
    """`override`, `rotation`, `calendar`, `group`, `nobody`."""
    until: AwareDatetime | None = None
    next: DutyPerson | None = None
    """Who has it then; None with `until`: nobody."""
    strangers: tuple[str, ...] = ()
    """Names in the calendar that sop.yml does not have."""
    stale: bool = False
    """The calendar or the group could not be read lately."""
    stale_for: timedelta | None = None
    """Of a stale one: how old the copy in force is; None: it was never read."""
