"""The next windows that can still be booked, for offering in a reschedule."""

from collections.abc import Container, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from connectors.base import DeliveryWindow

MONDAY_TO_SATURDAY: Container[int] = range(6)


def offered_windows(
    now: datetime,
    timezone: str,
    *,
    service_windows: Sequence[tuple[time, time]],
    days_ahead: int,
    cutoff_minutes: int,
    blocked: Container[date] = (),
    weekdays: Container[int] = MONDAY_TO_SATURDAY,
) -> list[DeliveryWindow]:
    """Service windows from today through `days_ahead` days that start at least `cutoff_minutes` from `now`.

    Earliest first. Days in `blocked` (holidays, full days) and weekdays outside `weekdays` (Monday is 0) are
    left out. `service_windows` are local wall-clock times.
    """
    zone = ZoneInfo(timezone)
    first = now.astimezone(zone).date()
    earliest = now + timedelta(minutes=cutoff_minutes)
    return [
        window
        for day in _service_days(first, days_ahead, blocked, weekdays)
        for window in (_window(day, start, end, zone) for start, end in sorted(service_windows))
        if window.start_at >= earliest
    ]


def why_not_bookable(
    window: DeliveryWindow,
    now: datetime,
    timezone: str,
    *,
    days_ahead: int,
    cutoff_minutes: int,
    blocked: Container[date] = (),
    weekdays: Container[int] = MONDAY_TO_SATURDAY,
) -> str | None:
    """What speaks against a window that somebody named: `closed_day`, `too_soon`, `too_far`; None if nothing."""
    zone = ZoneInfo(timezone)
    day = window.start_at.astimezone(zone).date()
    if window.start_at < now + timedelta(minutes=cutoff_minutes):
        return "too_soon"
    if day.weekday() not in weekdays or day in blocked:
        return "closed_day"
    if day > now.astimezone(zone).date() + timedelta(days=days_ahead):
        return "too_far"
    return None


def _service_days(
    first: date, days_ahead: int, blocked: Container[date], weekdays: Container[int]
) -> Iterator[date]:
    for offset in range(days_ahead + 1):
        day = first + timedelta(days=offset)
        if day.weekday() in weekdays and day not in blocked:
            yield day


def _window(day: date, start: time, end: time, zone: ZoneInfo) -> DeliveryWindow:
    return DeliveryWindow(
        start_at=datetime.combine(day, start, zone).astimezone(UTC),
        end_at=datetime.combine(day, end, zone).astimezone(UTC),
    )
