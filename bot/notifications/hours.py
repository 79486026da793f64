"""When the quiet hours end, and when they begin again. Pure; local to the stop, whatever the clocks do."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.conversations.quiet import hold_until
from bot.sop import QuietHours


def first_allowed(moment: datetime, timezone: str, rules: QuietHours, *, urgent: bool) -> datetime:
    """`moment` itself outside the quiet hours, else their end."""
    return hold_until(moment, timezone, rules, urgent=urgent) or moment


def quiet_from(moment: datetime, timezone: str, rules: QuietHours, *, urgent: bool) -> datetime | None:
    """When the quiet hours begin next after `moment`, which lies outside them; None where there are none."""
    start, end = (rules.urgent_start, rules.urgent_end) if urgent else (rules.start, rules.end)
    if start == end:
        return None
    zone = ZoneInfo(timezone)
    return min(begin for begin in _begins(moment, zone, start) if begin > moment)


def local_midnight_after(moment: datetime, timezone: str) -> datetime:
    """The next beginning of a local day: there is a new day's count of texts."""
    zone = ZoneInfo(timezone)
    tomorrow = moment.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), zone).astimezone(UTC)


def _begins(moment: datetime, zone: ZoneInfo, start: time) -> list[datetime]:
    """When the clock shows `start`: twice on a day that repeats it."""
    today = moment.astimezone(zone).date()
    return [
        datetime.combine(today + timedelta(days=offset), start, zone).replace(fold=fold).astimezone(UTC)
        for offset in (0, 1, 2)
        for fold in (0, 1)
    ]
