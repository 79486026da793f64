"""One line of an incident's timeline, and how lines of several sources become one list. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo


class Source(StrEnum):
    """Where a line was read. Of one instant, in this order: what happened, what was noticed, what was said."""

    PLATFORM = "platform"
    AUDIT = "audit"
    THREAD = "thread"
    MESSAGE = "message"


_ORDER = {source: place for place, source in enumerate(Source)}


@dataclass(frozen=True, slots=True)
class Entry:
    at: datetime
    """Aware UTC."""
    who: str
    what: str
    """One short sentence without its full stop."""
    source: Source
    place: tuple[int, str]
    """Among the lines of its source; settles the order of one instant."""
    words: str = ""
    """What somebody wrote, private parts covered."""
    receipt: str = ""
    """What became of a message: `delivered 2:14:05 pm`."""


def merged(entries: Iterable[Entry]) -> list[Entry]:
    """Oldest first. Lines that say the same of the same minute in a row are told once."""
    ordered = sorted(entries, key=lambda each: (each.at, _ORDER[each.source], each.place))
    told: list[Entry] = []
    for entry in ordered:
        if not told or not _says_the_same(told[-1], entry):
            told.append(entry)
    return told


def _says_the_same(before: Entry, after: Entry) -> bool:
    same = (before.who, before.what, before.words) == (after.who, after.what, after.words)
    return same and (after.at - before.at).total_seconds() < 60 and after.source is not Source.MESSAGE


def local_clock(moment: datetime, timezone: str) -> str:
    """`2:14:05 pm` where the stop is."""
    local = moment.astimezone(ZoneInfo(timezone))
    return f"{local:%I:%M:%S} {'am' if local.hour < 12 else 'pm'}".lstrip("0")


def local_day(moment: datetime, timezone: str) -> str:
    """`Tuesday, June 9, 2026`."""
    local = moment.astimezone(ZoneInfo(timezone))
    return f"{local:%A, %B} {local.day}, {local.year}"


def local_window(start: datetime, end: datetime, timezone: str) -> str:
    """`2:00 pm to 4:00 pm`, with its day: `Jun 9, 2:00 pm to 4:00 pm`."""
    zone = ZoneInfo(timezone)
    first, last = start.astimezone(zone), end.astimezone(zone)
    until = _hour(last) if first.date() == last.date() else f"{last:%b} {last.day}, {_hour(last)}"
    return f"{first:%b} {first.day}, {_hour(first)} to {until}"


def _hour(local: datetime) -> str:
    return f"{local.hour % 12 or 12}:{local:%M} {'am' if local.hour < 12 else 'pm'}"
