"""Pure: when a report is due next, and which days it is about."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.reports.records import Period
from bot.sop_parts import Weekday
from bot.sop_reports import Calendar, Every

NOON = time(12)


@dataclass(frozen=True, slots=True)
class Due:
    at: datetime
    """Aware."""
    period: Period


def next_due(calendar: Calendar, after: datetime, zone: ZoneInfo) -> Due:
    """The first one strictly after `after` (aware), local to `zone`.

    A time that clocks leap over is the instant after the leap, one that comes twice is the first.
    """
    today = after.astimezone(zone).date()
    for number in range(63):
        day = today + timedelta(days=number)
        at = datetime.combine(day, calendar.at, zone)
        if _is_day(calendar, day) and at.timestamp() > after.timestamp():
            return Due(at, _period(calendar, day))
    raise AssertionError("two months hold every day of a week and of a month")


def _is_day(calendar: Calendar, day: date) -> bool:
    if calendar.every is Every.DAY:
        return True
    if calendar.every is Every.MONTH:
        return day.day == calendar.day
    return Weekday.of(day) is calendar.weekday


def _period(calendar: Calendar, day: date) -> Period:
    if calendar.every is Every.DAY:
        about = day if calendar.at >= NOON else day - timedelta(days=1)
        return Period(about, about)
    if calendar.every is Every.WEEK:
        return Period(day - timedelta(days=7), day - timedelta(days=1))
    last = day.replace(day=1) - timedelta(days=1)
    return Period(last.replace(day=1), last)
