"""Times as people say them, where something happens: `4:25 pm`, `Tue Jun 11, 2-4 pm`, `22 min`. Pure."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from connectors.base import DeliveryWindow


def moment(at: datetime, timezone: str, now: datetime) -> str:
    """`4:25 pm`, or `Tue Jun 11, 4:25 pm` when that is not today in `timezone`."""
    local = at.astimezone(ZoneInfo(timezone))
    return _day_prefix(local, timezone, now) + _clock(local)


def window_words(window: DeliveryWindow, timezone: str, now: datetime) -> str:
    """`2-4 pm`, `11 am-1 pm`, `2:30-4 pm`, with the day in front when it is not today."""
    zone = ZoneInfo(timezone)
    start, end = window.start_at.astimezone(zone), window.end_at.astimezone(zone)
    if window.end_at - window.start_at > timedelta(hours=24):
        return (
            f"{day_words(start.date())}, {_short_clock(start)}-{day_words(end.date())}, {_short_clock(end)}"
        )
    same_half = start.date() == end.date() and _half(start) == _half(end)
    opening = _short_clock(start).removesuffix(f" {_half(start)}") if same_half else _short_clock(start)
    return f"{_day_prefix(start, timezone, now)}{opening}-{_short_clock(end)}"


def duration_words(length: timedelta) -> str:
    """`22 min`, `2 h`, `2 h 5 min`; under a minute counts as one."""
    minutes = max(1, int(length.total_seconds() // 60))
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def day_words(day: date) -> str:
    """`Tue Jun 11`."""
    return f"{day:%a %b} {day.day}"


def _day_prefix(local: datetime, timezone: str, now: datetime) -> str:
    today = now.astimezone(ZoneInfo(timezone)).date()
    return "" if local.date() == today else f"{day_words(local.date())}, "


def _half(local: datetime) -> str:
    return "am" if local.hour < 12 else "pm"


def _clock(local: datetime) -> str:
    return f"{local.hour % 12 or 12}:{local.minute:02d} {_half(local)}"


def _short_clock(local: datetime) -> str:
    minutes = f":{local.minute:02d}" if local.minute else ""
    return f"{local.hour % 12 or 12}{minutes} {_half(local)}"
