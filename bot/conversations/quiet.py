"""Quiet hours: when a message that nobody waits for may leave. Local to the stop, whatever the clocks do."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.conversations.notices import HoldUntil
from bot.sop import ProtocolInForce, QuietHours


def hold_until(now: datetime, timezone: str, rules: QuietHours, *, urgent: bool) -> datetime | None:
    """The first instant (aware UTC) outside the quiet hours where `now` lies within them; None to send at once.

    `urgent`: about a delivery of the same day. Answers within a conversation are never held: do not ask.
    """
    start, end = (rules.urgent_start, rules.urgent_end) if urgent else (rules.start, rules.end)
    zone = ZoneInfo(timezone)

    def is_quiet(moment: datetime) -> bool:
        return _is_quiet(moment.astimezone(zone).time(), start, end)

    if not is_quiet(now):
        return None
    return min(moment for moment in _ends(now, zone, end) if moment > now and not is_quiet(moment))


def quiet_hours(sop: ProtocolInForce, *, urgent: bool = False) -> HoldUntil:
    """For `Notices`: by the protocol in force at that moment. A zone that is unknown is taken for the operator's."""

    def hold(now: datetime, timezone: str) -> datetime | None:
        rules, operator = sop.current.quiet_hours, sop.current.operator
        try:
            return hold_until(now, timezone, rules, urgent=urgent)
        except (ZoneInfoNotFoundError, ValueError):
            return hold_until(now, operator.timezone, rules, urgent=urgent)

    return hold


def _is_quiet(local: time, start: time, end: time) -> bool:
    if start <= end:
        return start <= local < end
    return local >= start or local < end


def _ends(now: datetime, zone: ZoneInfo, end: time) -> list[datetime]:
    """When the clock shows `end` from `now`'s day on: twice on a day that repeats it.

    Where it is skipped: an hour before and an hour after, as the clocks jump.
    """
    today = now.astimezone(zone).date()
    days = [today + timedelta(days=offset) for offset in (0, 1, 2)]
    return [
        datetime.combine(day, end, zone).replace(fold=fold).astimezone(UTC) for day in days for fold in (0, 1)
    ]
