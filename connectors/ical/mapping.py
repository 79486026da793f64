"""Pure: a calendar's text to the shifts in it.

`icalendar` and `recurring-ical-events` are what Home Assistant's calendars and most of Python's read feeds with:
RRULE, RDATE, EXDATE, moved and cancelled occurrences, X-WR-TIMEZONE and VTIMEZONE are theirs.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

import recurring_ical_events  # type: ignore[import-untyped]
from icalendar import Calendar, Event

from connectors.duty import NAME_LIMIT, FeedShift

DAY = timedelta(days=1)
MAIL = "mailto:"


class UnreadableCalendarError(ValueError):
    """The text is no calendar."""


def read_calendar(text: str) -> Calendar:
    """Raises `UnreadableCalendarError`."""
    try:
        calendar = Calendar.from_ical(text)
    except (ValueError, KeyError, IndexError) as exc:
        raise UnreadableCalendarError("not iCalendar") from exc
    if not isinstance(calendar, Calendar):
        raise UnreadableCalendarError("no VCALENDAR")
    return calendar


def shifts_of(calendar: Calendar, start: datetime, end: datetime, zone: tzinfo) -> tuple[FeedShift, ...]:
    """As `connectors.duty.Calendars.shifts`. A series that cannot be understood is left out, not the rest."""
    # All-day events count in their own zone: a day on either side is looked at and cut off again.
    query = recurring_ical_events.of(calendar, skip_bad_series=True)
    events = query.between(start.astimezone(UTC) - DAY, end.astimezone(UTC) + DAY)
    shifts = [shift for event in events if (shift := _shift(event, zone)) is not None]
    inside = [shift for shift in shifts if shift.start_at < end and shift.end_at > start]
    return tuple(sorted(inside, key=lambda shift: (shift.start_at, shift.end_at, shift.names)))


def _shift(event: Event, zone: tzinfo) -> FeedShift | None:
    """None for what is cancelled, names nobody or takes no time."""
    names = _names(event)
    if str(event.get("STATUS", "")).upper() == "CANCELLED" or not names:
        return None
    start_at, end_at = _instant(event.start, zone), _instant(event.end, zone)
    return FeedShift(start_at=start_at, end_at=end_at, names=names) if start_at < end_at else None


def _instant(at: date | datetime, zone: tzinfo) -> datetime:
    if not isinstance(at, datetime):
        at = datetime.combine(at, time.min)
    return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).astimezone(UTC)


def _names(event: Event) -> tuple[str, ...]:
    """Who takes part first; the title is for calendars that say it there."""
    told = [name for each in _attendees(event) for name in _of_attendee(each)]
    told.append(str(event.get("SUMMARY", "")))
    short = (" ".join(name.split())[:NAME_LIMIT] for name in told)
    return tuple(dict.fromkeys(name for name in short if name))


def _attendees(event: Event) -> Iterable[Any]:
    found = event.get("ATTENDEE", [])
    return found if isinstance(found, list) else [found]


def _of_attendee(attendee: Any) -> Iterable[str]:
    said = getattr(attendee, "params", {})
    if str(said.get("PARTSTAT", "")).upper() == "DECLINED":
        return
    address = str(attendee)
    if address.lower().startswith(MAIL):
        yield address[len(MAIL) :]
    yield str(said.get("CN", ""))
