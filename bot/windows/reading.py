"""What was understood of a delivery-time phrase, and the window that can be booked from it."""

import datetime as dt
from enum import StrEnum
from typing import Any, Literal
from zoneinfo import ZoneInfo

from connectors.base import DeliveryWindow, Record

DAY_STARTS = dt.time(8)
DAY_ENDS = dt.time(21)
"""The service day, local: open windows are clipped to it."""


class Doubt(StrEnum):
    """Why a reading should, or may, be asked about before anything is booked."""

    NO_TIME = "no_time"
    VAGUE = "vague"
    PAST = "past"
    OUTSIDE_HOURS = "outside_hours"
    SAME_WEEKDAY = "same_weekday"
    CONFLICT = "conflict"
    INVALID_DATE = "invalid_date"
    EXCLUDED_DAY = "excluded_day"
    EXCLUDED_TIME = "excluded_time"
    RECURRING = "recurring"
    WHICH_DAY = "which_day"
    WHICH_TIME = "which_time"
    NEXT_WEEKDAY = "next_weekday"
    SEVERAL_DAYS = "several_days"
    FAR_FUTURE = "far_future"
    SAME_DATE = "same_date"
    NO_DATE = "no_date"
    HOLIDAY = "holiday"
    IN_PROGRESS = "in_progress"
    AM_PM = "am_pm"


# Doubts that leave a usable value. The bot reads every window back before it books; of these it asks first
# only where the wrong guess is another day.
ASKED_THOUGH_USABLE = frozenset(
    {
        Doubt.NEXT_WEEKDAY,
        Doubt.SEVERAL_DAYS,
        Doubt.FAR_FUTURE,
        Doubt.SAME_DATE,
        Doubt.NO_DATE,
        Doubt.WHICH_DAY,
    }
)


class WindowReading(Record):
    """Local values of one phrase. `start` and `end` None on a known date: any time that day."""

    date: dt.date | None = None
    date_end: dt.date | None = None
    """Last day of a range, inclusive."""
    start: dt.time | None = None
    end: dt.time | None = None
    ask: Literal["no", "yes", "ok"] = "no"
    """`yes`: never book without asking. `ok`: the values hold, asking is fine too."""
    reason: Doubt | None = None
    alternatives: tuple[dt.date, ...] = ()
    """Several days offered, `date` first."""
    exclude: tuple[dt.date, ...] = ()

    @property
    def clarify(self) -> Literal["no", "yes"]:
        if self.ask == "ok":
            return "yes" if self.reason in ASKED_THOUGH_USABLE else "no"
        return self.ask


def as_json(reading: WindowReading) -> dict[str, Any]:
    """The object that `doorline when` prints; absent values are None."""
    return {
        "date": _day(reading.date),
        "date_end": _day(reading.date_end),
        "start": _clock(reading.start),
        "end": _clock(reading.end),
        "clarify": reading.clarify,
        "reason": reading.reason.value if reading.reason else None,
        "alternatives": [day.isoformat() for day in reading.alternatives] or None,
        "exclude": [day.isoformat() for day in reading.exclude] or None,
    }


def to_window(reading: WindowReading, timezone: str) -> DeliveryWindow | None:
    """The window to book, or None while something must be asked or no single day is known.

    Wall-clock times keep their wall clock on the day that the clock changes; no time means the service day.
    """
    if reading.date is None or reading.date_end is not None or reading.ask == "yes":
        return None
    zone = ZoneInfo(timezone)
    start = dt.datetime.combine(reading.date, reading.start or DAY_STARTS, zone)
    end = dt.datetime.combine(reading.date, reading.end or DAY_ENDS, zone)
    return DeliveryWindow(start_at=start.astimezone(dt.UTC), end_at=end.astimezone(dt.UTC))


def _day(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None


def _clock(time: dt.time | None) -> str | None:
    return time.strftime("%H:%M") if time else None
