"""Which local day a stop belongs to, and where days begin and end. Pure."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.sop import local_day
from bot.stops.models import StopRecord

WIDEST_ZONES = timedelta(hours=14)
"""No local day begins or ends farther than this from the same day in UTC."""

EARLIEST, LATEST = date(2000, 1, 1), date(2100, 12, 31)


def day_instant(stop: StopRecord) -> datetime | None:
    """What puts a stop on a day: the promise, else the plan, else what is expected, else what happened."""
    return stop.window_start_at or stop.planned_at or stop.eta_at or stop.completed_at


def day_of(stop: StopRecord) -> date | None:
    """Where the stop is. A window over midnight belongs to the day on which it starts."""
    moment = day_instant(stop)
    return local_day(moment, stop.timezone) if moment is not None else None


def read_day(written: str) -> date:
    """`2026-11-23`. Raises `ValueError` for anything else, and for days that nobody plans."""
    day = date.fromisoformat(written)
    if not EARLIEST <= day <= LATEST:
        raise ValueError(f"a day between {EARLIEST} and {LATEST}")
    return day


def day_bounds(day: date, timezone: str) -> tuple[datetime, datetime]:
    """The day's first instant and the next day's, aware UTC: 23 or 25 hours apart when clocks change."""
    return _midnight(day, timezone), _midnight(day + timedelta(days=1), timezone)


def anywhere_on(day: date) -> tuple[datetime, datetime]:
    """Instants between which it can be that day anywhere, aware UTC."""
    midnight = datetime.combine(day, time(), UTC)
    return midnight - WIDEST_ZONES, midnight + timedelta(days=1) + WIDEST_ZONES


def is_post_due(day: date, timezone: str, post_at: time | None, now: datetime) -> bool:
    """Whether the protocol's time of posting has come on that local day. Never when there is none."""
    if post_at is None:
        return False
    local = now.astimezone(zone_of(timezone))
    return (local.date(), local.time()) >= (day, post_at)


def main_timezone(timezones: Iterable[str]) -> str | None:
    """The one that most stops have, the first by name among equals; None without any."""
    counted = Counter(timezones)
    return min(counted, key=lambda name: (-counted[name], name), default=None)


def zone_of(timezone: str) -> ZoneInfo:
    """UTC for a name that nobody knows, as in `local_day`."""
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _midnight(day: date, timezone: str) -> datetime:
    """Where clocks leap over midnight, the instant of the leap: that is the day's first."""
    return datetime.combine(day, time(), zone_of(timezone)).astimezone(UTC)
