"""Pure: whether local hours of sop.yml hold at an instant, and when they hold again."""

from collections.abc import Container
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.sop_escalations import HolidayRule, Hours
from bot.sop_parts import Weekday

LOOKS_AHEAD_DAYS = 400
"""Hours that hold on holidays only come back within a year."""


def holds_at(hours: Hours, at: datetime, timezone: str, holidays: Container[date]) -> bool:
    """`holidays` are local days where the escalation is."""
    local = at.astimezone(ZoneInfo(timezone))
    clock, day = local.time(), local.date()
    if hours.start < hours.end:
        return hours.start <= clock < hours.end and _is_day(hours, day, holidays)
    if clock >= hours.start:
        return _is_day(hours, day, holidays)
    return clock < hours.end and _is_day(hours, day - timedelta(days=1), holidays)


def next_opening(hours: Hours, at: datetime, timezone: str, holidays: Container[date]) -> datetime | None:
    """The first instant from `at` on at which the hours hold, aware UTC; None: not within a year.

    A start that the clocks leap over in spring is the instant of the leap, as long as the hours hold then.
    """
    if holds_at(hours, at, timezone, holidays):
        return at
    zone = ZoneInfo(timezone)
    first = at.astimezone(zone).date()
    for offset in range(LOOKS_AHEAD_DAYS):
        day = first + timedelta(days=offset)
        opens_at = datetime.combine(day, hours.start, zone).astimezone(at.tzinfo)
        if opens_at >= at and holds_at(hours, opens_at, timezone, holidays):
            return opens_at
    return None


def _is_day(hours: Hours, day: date, holidays: Container[date]) -> bool:
    if hours.weekdays and Weekday.of(day) not in hours.weekdays:
        return False
    return hours.holidays is HolidayRule.ANY or (day in holidays) is (hours.holidays is HolidayRule.ONLY)
