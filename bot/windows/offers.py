"""The next windows that can still be booked, for offering in a reschedule."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Required, TypedDict, Unpack
from zoneinfo import ZoneInfo

from connectors.base import DeliveryWindow

MONDAY_TO_SATURDAY: Container[int] = range(6)
ServiceWindows = Sequence[tuple[time, time]]
"""Local wall-clock times, start and end."""


class BookingRules(TypedDict, total=False):
    """What the operator's protocol and the bookings so far allow."""

    days_ahead: Required[int]
    """Last bookable day, counted from today; 0 is today."""
    cutoff_minutes: Required[int]
    """A window must start at least this long after now."""
    blocked: Container[date]
    """Local days without service: holidays and the operator's own."""
    weekdays: Container[int]
    """Days of service, Monday is 0; Monday to Saturday where not given."""
    booked: Mapping[DeliveryWindow, int]
    """How many stops each service window of the zone already holds; `count_bookings` makes it."""
    capacity: int | None
    """How many stops one window of the zone can hold; None is no limit."""


def offered_windows(
    now: datetime,
    timezone: str,
    *,
    service_windows: ServiceWindows,
    **rules: Unpack[BookingRules],
) -> list[DeliveryWindow]:
    """Every bookable service window from today through `days_ahead` days, earliest first."""
    first = now.astimezone(ZoneInfo(timezone)).date()
    days = (first + timedelta(days=offset) for offset in range(rules["days_ahead"] + 1))
    return [
        window
        for day in days
        for window in windows_on(day, now, timezone, service_windows=service_windows, **rules)
    ]


def windows_on(
    day: date,
    now: datetime,
    timezone: str,
    *,
    service_windows: ServiceWindows,
    **rules: Unpack[BookingRules],
) -> list[DeliveryWindow]:
    """The bookable service windows of one local day, earliest first: what to offer for `friday`."""
    return [
        window
        for window in _of_day(day, timezone, service_windows)
        if why_not_bookable(window, now, timezone, **rules) is None
    ]


def windows_within(
    wish: DeliveryWindow,
    now: datetime,
    timezone: str,
    *,
    service_windows: ServiceWindows,
    **rules: Unpack[BookingRules],
) -> list[DeliveryWindow]:
    """The bookable service windows that overlap a wished window, earliest first."""
    return [
        window
        for day in _days_of(wish, timezone)
        for window in windows_on(day, now, timezone, service_windows=service_windows, **rules)
        if _overlap(window, wish) > timedelta(0)
    ]


def day_of(window: DeliveryWindow, timezone: str) -> date:
    """The local day on which a window begins."""
    return window.start_at.astimezone(ZoneInfo(timezone)).date()


def why_not_bookable(
    window: DeliveryWindow,
    now: datetime,
    timezone: str,
    *,
    service_windows: ServiceWindows = (),
    **rules: Unpack[BookingRules],
) -> str | None:
    """What speaks against a window that somebody named; None if nothing does.

    `too_soon`, `closed_day`, `too_far`, or `full`. A window that is no service window is full once every one
    of `service_windows` that it overlaps is.
    """
    zone = ZoneInfo(timezone)
    day = window.start_at.astimezone(zone).date()
    if window.start_at < now + timedelta(minutes=rules["cutoff_minutes"]):
        return "too_soon"
    if day.weekday() not in rules.get("weekdays", MONDAY_TO_SATURDAY) or day in rules.get("blocked", ()):
        return "closed_day"
    if day > now.astimezone(zone).date() + timedelta(days=rules["days_ahead"]):
        return "too_far"
    held = [each for each in _of_day(day, timezone, service_windows) if _overlap(each, window)] or [window]
    return "full" if all(_is_full(each, rules) for each in held) else None


def count_bookings(
    booked: Iterable[DeliveryWindow], timezone: str, service_windows: ServiceWindows
) -> dict[DeliveryWindow, int]:
    """How many of the `booked` windows fall into each service window.

    Each counts once, where most of it lies (the earlier one on a tie); what lies in none counts for itself.
    """
    return dict(Counter(_holder(window, timezone, service_windows) for window in booked))


def _holder(window: DeliveryWindow, timezone: str, service_windows: ServiceWindows) -> DeliveryWindow:
    held = [each for day in _days_of(window, timezone) for each in _of_day(day, timezone, service_windows)]
    widest = max(held, key=lambda each: _overlap(each, window), default=window)
    return widest if _overlap(widest, window) else window


def _is_full(window: DeliveryWindow, rules: BookingRules) -> bool:
    capacity = rules.get("capacity")
    return capacity is not None and rules.get("booked", {}).get(window, 0) >= capacity


def _overlap(one: DeliveryWindow, other: DeliveryWindow) -> timedelta:
    return max(min(one.end_at, other.end_at) - max(one.start_at, other.start_at), timedelta(0))


def _days_of(window: DeliveryWindow, timezone: str) -> Iterator[date]:
    zone = ZoneInfo(timezone)
    first, last = (at.astimezone(zone).date() for at in (window.start_at, window.end_at))
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def _of_day(day: date, timezone: str, service_windows: ServiceWindows) -> list[DeliveryWindow]:
    zone = ZoneInfo(timezone)
    instants = [
        tuple(datetime.combine(day, at, zone).astimezone(UTC) for at in window)
        for window in sorted(service_windows)
    ]
    # A window inside the hour that a clock change skips does not exist on that day.
    return [DeliveryWindow(start_at=start, end_at=end) for start, end in instants if start < end]
