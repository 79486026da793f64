"""Route4Me's two ways to write a time of day, as instants and back. Pure.

A stop's window is in seconds from 00:00 UTC of the route's day; an order's in seconds of the clock of its own
zone, from local midnight. Source: routing-platforms.md 3.2.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from connectors.base import DeliveryWindow
from connectors.route4me.payloads import to_ts

DAY_SECONDS = 86_400
MIDNIGHT = time(0)
Pair = tuple[int | None, int | None]
"""Start and end as Route4Me writes them."""


def midnight_utc(day: date) -> datetime:
    return datetime.combine(day, MIDNIGHT, UTC)


def route_date(day: date) -> int:
    return to_ts(midnight_utc(day))


def route_day(seconds: int) -> date:
    """Raises `ValueError` for what is no date."""
    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).date()
    except OverflowError as exc:
        raise ValueError(f"not a date: {seconds}") from exc


# --- stops: seconds of a UTC day ---


def window_of_stop(pair: Pair, day: date, zone: ZoneInfo) -> DeliveryWindow | None:
    """The window that a stop of the route of `day` has; None for an empty or an open one.

    Seconds of 86,400 and more are of a later day and are taken as they stand. Smaller ones may have been
    wrapped around midnight: they are of the route's own local day, and an end comes after its start.
    """
    start, end = pair
    if start is None or end is None or start == end:
        return None
    first = _on_local_day(start, day, zone)
    last = end if end >= DAY_SECONDS else _first_after(end, first)
    if first >= last:
        return None
    return DeliveryWindow(start_at=_instant(first, day), end_at=_instant(last, day))


def stop_seconds(window: DeliveryWindow, day: date, zone: ZoneInfo) -> tuple[int, int] | None:
    """How `window` is written on a stop of the route of `day`; None where no such numbers say it."""
    wanted = to_the_second(window)
    start, end = (_offset(instant, day) for instant in (wanted.start_at, wanted.end_at))
    for pair in ((start, end), (start % DAY_SECONDS, end), (start % DAY_SECONDS, end % DAY_SECONDS)):
        if min(pair) >= 0 and window_of_stop(pair, day, zone) == wanted:
            return pair
    return None


def _on_local_day(seconds: int, day: date, zone: ZoneInfo) -> int:
    if seconds >= DAY_SECONDS:
        return seconds
    for shifted in (seconds, seconds - DAY_SECONDS, seconds + DAY_SECONDS):
        if _instant(shifted, day).astimezone(zone).date() == day:
            return shifted
    return seconds  # the hour that a 23-hour day leaves out


def _first_after(end: int, start: int) -> int:
    return end + max(-((end - start - 1) // DAY_SECONDS), -1) * DAY_SECONDS


def _instant(seconds: int, day: date) -> datetime:
    return midnight_utc(day) + timedelta(seconds=seconds)


def _offset(instant: datetime, day: date) -> int:
    return (instant - midnight_utc(day)) // timedelta(seconds=1)


# --- orders: seconds of the local clock ---


def window_of_order(pair: Pair, day: date, zone: ZoneInfo) -> DeliveryWindow | None:
    """The window of an order that is scheduled for `day`: 37,800 is 10:30 on the clock, on every day."""
    start, end = pair
    if start is None or end is None or start >= end:
        return None
    first, last = _clock(start, day, zone), _clock(end, day, zone)
    return DeliveryWindow(start_at=first, end_at=last) if first < last else None


def order_seconds(window: DeliveryWindow, zone: ZoneInfo) -> tuple[date, int, int] | None:
    """The day and the seconds that say `window`.

    None where the clock cannot: it shows one hour twice in autumn, and the second one has no number.
    """
    wanted = to_the_second(window)
    day = wanted.start_at.astimezone(zone).date()
    midnight = datetime.combine(day, MIDNIGHT)
    start, end = (
        (instant.astimezone(zone).replace(tzinfo=None) - midnight) // timedelta(seconds=1)
        for instant in (wanted.start_at, wanted.end_at)
    )
    return (day, start, end) if window_of_order((start, end), day, zone) == wanted else None


def _clock(seconds: int, day: date, zone: ZoneInfo) -> datetime:
    shown = datetime.combine(day, MIDNIGHT) + timedelta(seconds=seconds)
    return shown.replace(tzinfo=zone).astimezone(UTC)


# --- both ---


def to_the_second(window: DeliveryWindow) -> DeliveryWindow:
    """Route4Me knows no fractions; a window shorter than a second stays as it is."""
    start, end = (
        instant.astimezone(UTC).replace(microsecond=0) for instant in (window.start_at, window.end_at)
    )
    return DeliveryWindow(start_at=start, end_at=end) if start < end else window
