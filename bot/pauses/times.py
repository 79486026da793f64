"""Pure: when a maintenance window is, as a dispatcher wrote it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


class UnreadableTimeError(ValueError):
    """It is no time."""


def read_span(fields: Mapping[str, str], now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime | None]:
    """Start and end, aware UTC; the end is None for one that runs until it is lifted.

    `fields` as in `CommandKind.PAUSE`, local to `zone`. An end at or before the start is on the day after; without
    a date, hours that are over for today are tomorrow's, and hours that have begun run already.

    Raises:
        UnreadableTimeError: it cannot be read.
    """
    try:
        return _read(fields, now, zone)
    except (ValueError, OverflowError) as exc:
        raise UnreadableTimeError("not a time") from exc


def _read(fields: Mapping[str, str], now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime | None]:
    if minutes := fields.get("minutes"):
        return now, now + timedelta(minutes=int(minutes))
    start, end, day = (fields.get(name, "") for name in ("start", "end", "date"))
    if not end:
        if start or day:
            raise ValueError("a beginning without an end")
        return now, None
    ends = time.fromisoformat(end)
    today = now.astimezone(zone).date()
    if not start:
        return now, next(at for n in range(3) if (at := _instant(today + n * DAY, ends, zone)) > now)
    begins = time.fromisoformat(start)
    if day:
        return _span(date.fromisoformat(day), begins, ends, zone)
    # After midnight, hours that pass it are still yesterday's.
    spans = [_span(today + n * DAY, begins, ends, zone) for n in (-1, 0, 1, 2)]
    return next(span for span in spans if span[1] > now)


def _span(day: date, begins: time, ends: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    last = day if ends > begins else day + DAY
    return _instant(day, begins, zone), _instant(last, ends, zone)


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)
