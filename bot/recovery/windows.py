"""Which window a second try gets when nobody names one."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from bot.sop import local_day
from bot.stops.models import StopRecord
from connectors.base import DeliveryWindow


class BookableWindows(Protocol):
    """What `redelivery` in sop.yml allows, with the places that are taken."""

    async def offers(self, stop_id: str, without: date | None = None) -> tuple[DeliveryWindow, ...]: ...

    async def windows_on(self, stop_id: str, day: date) -> tuple[DeliveryWindow, ...]: ...

    async def why_not_bookable_for(self, stop_id: str, window: DeliveryWindow) -> str | None: ...


def same_hours(window: DeliveryWindow, timezone: str, day: date) -> DeliveryWindow | None:
    """The same times of the clock on another local day; None where a clock change leaves nothing of them."""
    zone = ZoneInfo(timezone)
    start, end = window.start_at.astimezone(zone), window.end_at.astimezone(zone)
    nights = (end.date() - start.date()).days
    start_at = datetime.combine(day, start.time(), zone).astimezone(UTC)
    end_at = datetime.combine(day + timedelta(days=nights), end.time(), zone).astimezone(UTC)
    return DeliveryWindow(start_at=start_at, end_at=end_at) if start_at < end_at else None


def nearest(wanted: DeliveryWindow, offered: Sequence[DeliveryWindow]) -> DeliveryWindow | None:
    """The one that begins nearest to what is wanted, the earlier of two."""
    return min(offered, key=lambda each: abs(each.start_at - wanted.start_at), default=None)


async def next_service_day(
    windows: BookableWindows, stop: StopRecord, now: datetime, days_ahead: int
) -> DeliveryWindow | None:
    """The same hours on the next day of service, else what is nearest to them that day; None: nothing can be had."""
    if stop.window is None:
        return next(iter(await windows.offers(str(stop.id))), None)
    today = local_day(now, stop.timezone)
    for offset in range(1, days_ahead + 1):
        day = today + timedelta(days=offset)
        wanted = same_hours(stop.window, stop.timezone, day)
        if wanted is None:
            continue
        if await windows.why_not_bookable_for(str(stop.id), wanted) is None:
            return wanted
        if (other := nearest(wanted, await windows.windows_on(str(stop.id), day))) is not None:
            return other
    return None
