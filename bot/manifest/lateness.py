"""Which changes a driver has to hear of whose run has begun, and how they are told. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from bot.manifest.days import day_of
from bot.sop import local_day
from bot.stops.models import StopEvent, StopRecord
from connectors.base import CLOSED_STATUSES, DeliveryWindow, StopStatus
from connectors.desk import ManifestChange

Out = tuple[str, str, date]
"""Platform, driver and day of a run that has begun."""


class News(StrEnum):
    """What a change is to one driver."""

    ADDED = "added"
    CANCELLED = "cancelled"
    MOVED = "moved"
    TAKEN = "taken"
    """Somebody else has it."""
    OFF = "off"
    """Nobody has it, or it is another day's by now: there is no need to go there."""


@dataclass(frozen=True)
class Before:
    """How a stop stood before some of its events."""

    status: StopStatus | None
    """None: it was not there yet."""
    driver_ref: str | None
    window: DeliveryWindow | None
    day: date | None


@dataclass(frozen=True)
class LateChange:
    """One stop's change, and the drivers it is news to."""

    stop: StopRecord
    change: ManifestChange
    day: date
    told: Mapping[str, News]
    """By driver."""
    earlier_window: DeliveryWindow | None = None


def late_change(
    stop: StopRecord, events: Sequence[StopEvent], outs: Mapping[Out, datetime], today: date
) -> LateChange | None:
    """What is to be told of a stop's newest events; None for planning, for progress, and for what is over.

    `outs`: since when (day's time) each run has been seen to be out; what changed up to then was planning.
    """
    told: dict[str, News] = {}
    drivers = {stop.driver_ref}.union(*(event.changes.get("driver_ref", ()) for event in events))
    last: tuple[Before, date] | None = None
    for (platform, driver_ref, day), seen_at in outs.items():
        if platform != stop.platform or driver_ref not in drivers or day < today:
            continue
        late = [event for event in events if event.at > seen_at]
        before = before_of(stop, late)
        news = _news(stop, before, driver_ref, day) if late else None
        if news is not None:
            told[driver_ref] = news
            last = (before, day)
    if last is None:
        return None
    before, day = last
    earlier = before.window if before.window != stop.window else None
    return LateChange(stop, _change(stop, before, told), day, told, earlier)


def before_of(stop: StopRecord, events: Iterable[StopEvent]) -> Before:
    """Undoes the events: of each field the oldest value that they tell of."""
    old: dict[str, Any] = {}
    for event in events:
        for name, (earlier, _) in event.changes.items():
            old.setdefault(name, earlier)
    if "status" in old and old["status"] is None:
        return Before(None, None, None, None)
    start = _instant(old, "window_start_at", stop.window_start_at)
    end = _instant(old, "window_end_at", stop.window_end_at)
    return Before(
        status=StopStatus(old.get("status", stop.status)),
        driver_ref=old.get("driver_ref", stop.driver_ref),
        window=DeliveryWindow(start_at=start, end_at=end) if start and end and start < end else None,
        day=local_day(start, stop.timezone) if start is not None else day_of(stop),
    )


def _news(stop: StopRecord, before: Before, driver_ref: str, day: date) -> News | None:
    had = _had(before, driver_ref) and before.day == day
    if stop.status is StopStatus.CANCELLED:
        return News.CANCELLED if had else None
    if not stop.is_open:
        return None
    has = stop.driver_ref == driver_ref
    if had and not has:
        return News.TAKEN if stop.driver_ref is not None else News.OFF
    if had and day_of(stop) not in (day, None):
        return News.OFF
    is_here = has and day_of(stop) == day
    if had or (is_here and _had(before, driver_ref)):
        # A promise that was taken back tells a driver nothing to do.
        return News.MOVED if stop.window not in (None, before.window) else None
    return News.ADDED if is_here else None


def _had(before: Before, driver_ref: str) -> bool:
    return (
        before.driver_ref == driver_ref and before.status is not None and before.status not in CLOSED_STATUSES
    )


def _change(stop: StopRecord, before: Before, told: Mapping[str, News]) -> ManifestChange:
    """The same for dispatchers, who look at all drivers at once."""
    if stop.status is StopStatus.CANCELLED:
        return ManifestChange.CANCELLED
    if before.status is not None and before.driver_ref is not None and before.driver_ref != stop.driver_ref:
        return ManifestChange.REASSIGNED
    is_moved = not {News.MOVED, News.OFF}.isdisjoint(told.values())
    return ManifestChange.MOVED if is_moved else ManifestChange.ADDED


def _instant(old: Mapping[str, Any], name: str, now: datetime | None) -> datetime | None:
    if name not in old:
        return now
    return datetime.fromisoformat(old[name]) if old[name] is not None else None
