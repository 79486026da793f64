"""Pure: which stop of a van its driver is asked about now, if any."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from bot.sop_drivers import CheckIns

WAITS_FOR_ANSWER = timedelta(hours=1)
"""For so long nothing else is asked after a question that was not answered."""
EXPLAINS_FOR = timedelta(hours=1)
"""What the driver said explains the van's stops for so long, unless its own time has passed."""
AT_A_DOOR = timedelta(minutes=5)
"""Who arrived or finished so lately stands, most likely."""
A_SHIFT = timedelta(hours=16)
"""What counts as one day of a driver."""


@dataclass(frozen=True, slots=True)
class Threatened:
    """A stop at risk, in an escalation."""

    stop_id: UUID
    escalation_id: UUID
    since: datetime
    """When it came to dispatchers."""
    ends_at: datetime
    """Its window."""
    expected_at: datetime | None
    is_explained: bool
    """Somebody said why: a dispatcher, or the driver."""


@dataclass(frozen=True, slots=True)
class Asked:
    stop_id: UUID | None
    at: datetime
    is_answered: bool


@dataclass(frozen=True, slots=True)
class Said:
    """The driver's newest word."""

    at: datetime
    holds_until: datetime
    has_time: bool
    """It said how long it takes."""


@dataclass(frozen=True, slots=True)
class ThreatenedVan:
    platform: str
    driver_ref: str
    stops: tuple[Threatened, ...]
    asked: tuple[Asked, ...]
    """Of the last day."""
    said: Said | None
    stood_at: datetime | None
    """When the van last arrived at a stop, or finished one."""


def stop_to_ask(van: ThreatenedVan, rules: CheckIns, now: datetime) -> Threatened | None:
    """The one that will be latest, of those that nobody has explained and that were not asked about; one at a time."""
    if _is_explained(van.said, now) or not _may_be_asked(van.asked, rules, now):
        return None
    known = {each.stop_id for each in van.asked}
    due = [
        stop
        for stop in van.stops
        if not stop.is_explained and stop.stop_id not in known and _due_at(stop, rules) <= now
    ]
    if not due or not _is_at_a_door(van, due, rules, now):
        return None
    return max(due, key=lambda stop: ((stop.expected_at or now) - stop.ends_at, str(stop.stop_id)))


def _is_explained(said: Said | None, now: datetime) -> bool:
    if said is None or now - said.at > EXPLAINS_FOR:
        return False
    return now < said.holds_until or not said.has_time


def _may_be_asked(asked: Sequence[Asked], rules: CheckIns, now: datetime) -> bool:
    if sum(now - each.at <= A_SHIFT for each in asked) >= rules.most_a_day:
        return False
    if any(not each.is_answered and now - each.at < WAITS_FOR_ANSWER for each in asked):
        return False
    return all(now - each.at >= timedelta(minutes=rules.apart_minutes) for each in asked)


def _due_at(stop: Threatened, rules: CheckIns) -> datetime:
    seen = stop.since + timedelta(minutes=rules.after_minutes)
    return max(seen, stop.ends_at - timedelta(minutes=rules.before_window_end_minutes))


def _is_at_a_door(van: ThreatenedVan, due: Sequence[Threatened], rules: CheckIns, now: datetime) -> bool:
    """A text at the wheel is a danger: it waits for a door, but not for ever."""
    if van.stood_at is not None and now - van.stood_at <= AT_A_DOOR:
        return True
    first = min(_due_at(stop, rules) for stop in due)
    return now - first >= timedelta(minutes=rules.waits_for_a_door_minutes)
