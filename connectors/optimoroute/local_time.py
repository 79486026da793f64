"""OptimoRoute's local texts and our instants, across clock changes. Pure.

All dates and times of day are told in the account's zone, without an offset. Where the clock goes back, a time
of day happens twice: a window opens at the first and closes at the second. Where it goes forward, a time that
does not exist is taken for the moment of the change.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from connectors.base import DeliveryWindow

MINUTE = timedelta(minutes=1)


def known_zone(name: str) -> ZoneInfo:
    """Raises `ValueError` for an empty or unknown name."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as exc:
        raise ValueError(f"an IANA time zone is needed, such as America/New_York, not {name!r}") from exc


def local_date(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return to_instant(datetime.combine(day, time(0)), zone)


def to_instant(local: datetime, zone: ZoneInfo, *, later: bool = False) -> datetime:
    """`local` has no offset. `later` picks the second of two moments that the clock calls the same."""
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:
        return second if later else first
    # The clock jumped over it: between the two readings lies the change.
    return _change_between(second, first, zone)


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def read_moment(text: str, zone: ZoneInfo) -> datetime | None:
    """`YYYY-MM-DD HH:MM:SS` as an instant; None for anything else."""
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if local.tzinfo or len(text) <= len("2026-01-01") else to_instant(local, zone)


def read_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def read_window(day: date, tw_from: str, tw_to: str, zone: ZoneInfo) -> DeliveryWindow | None:
    """None where the two are no window of that day."""
    try:
        opens, closes = time.fromisoformat(tw_from), time.fromisoformat(tw_to)
    except ValueError:
        return None
    if opens >= closes:
        return None
    start = to_instant(datetime.combine(day, opens), zone)
    end = to_instant(datetime.combine(day, closes), zone, later=True)
    return DeliveryWindow(start_at=start, end_at=end) if start < end else None


def write_window(window: DeliveryWindow, zone: ZoneInfo) -> tuple[date, str, str] | None:
    """The day and the two times of day that read back as exactly this window.

    None where there are none: it passes midnight, has seconds, or begins or ends in a repeated hour on the
    side that OptimoRoute's texts cannot name.
    """
    start, end = window.start_at.astimezone(zone), window.end_at.astimezone(zone)
    told = (start.date(), f"{start:%H:%M}", f"{end:%H:%M}")
    held = read_window(*told, zone)
    if held is None or (held.start_at, held.end_at) != (window.start_at, window.end_at):
        return None
    return told
