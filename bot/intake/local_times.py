"""Pure: days and times as people write them into forms and files, as instants."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from bot.intake.forms import Finding
from bot.intake.reasons import Because

YEARS = range(2000, 2101)


def read_day(text: str) -> date | None:
    """`2026-11-23`; None for anything else."""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        return None
    return day if day.year in YEARS else None


def read_time(text: str) -> time | None:
    """`9:30`, `09:30`, `09:30:00`; None for anything else."""
    for shape in ("%H:%M", "%H:%M:%S"):
        try:
            return datetime.strptime(text.strip(), shape).time()  # noqa: DTZ007 - a time of day has no zone
        except ValueError:
            continue
    return None


def instant_of(day: date, at: time, timezone: str) -> datetime | None:
    """None for a time that the clocks skip on that day; of a time that comes twice, the first."""
    local = datetime.combine(day, at, ZoneInfo(timezone))
    moment = local.astimezone(UTC)
    is_there = moment.astimezone(ZoneInfo(timezone)).replace(tzinfo=None) == local.replace(tzinfo=None)
    return moment if is_there else None


def read_window(
    day: str, start: str, end: str, timezone: str
) -> tuple[datetime | None, datetime | None, list[Finding]]:
    """Start and end as instants, and what of the three texts cannot be read."""
    on, opens, closes = read_day(day), read_time(start), read_time(end)
    parts = {"date": on, "start": opens, "end": closes}
    unread = [Finding(code=Because.UNREADABLE, field=name) for name, value in parts.items() if value is None]
    if on is None or opens is None or closes is None:
        return None, None, unread
    start_at, end_at = instant_of(on, opens, timezone), instant_of(on, closes, timezone)
    skipped = [
        Finding(code=Because.NO_SUCH_TIME, field=name)
        for name, moment in (("start", start_at), ("end", end_at))
        if moment is None
    ]
    return start_at, end_at, skipped
