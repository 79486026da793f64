"""What truly happens on a route: a function of the plan and of the changes made to it. Pure.

A change made at one instant alters nothing that happened before it, so a day can be watched, changed and
watched on, and a killed day computes the same past again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from connectors.base import DeliveryWindow, FailureReason
from connectors.world.plan import Delay, PlannedRoute, PlannedStop
from connectors.world.town import Failure, failure_for

SHORT_SERVICE = timedelta(minutes=2)
FAILING_TAKES = timedelta(seconds=30)
PATIENCE = timedelta(minutes=20)
"""A driver who would wait longer than this for a window to open does another stop first."""
MICROSECOND = timedelta(microseconds=1)


class ChangeKind(StrEnum):
    DELAY = "delay"
    FAIL = "fail"
    """The delivery fails: at once when the driver is on it, else at the visit."""
    HOME = "home"
    """Somebody is there to open from now on: what would fail for want of that goes well."""
    AWAY = "away"
    """Nobody is there from now on."""
    CLOSED = "closed"
    """Finished by somebody else than the driver."""
    LEFT = "left"
    RETURNED = "returned"
    WINDOW = "window"


@dataclass(frozen=True)
class Change:
    at: datetime
    kind: ChangeKind
    stop_key: str = ""
    length: timedelta = timedelta(0)
    cause: str = ""
    failure: Failure | None = None
    window: DeliveryWindow | None = None


@dataclass(frozen=True)
class Visit:
    """One stop as it truly goes. `arrives_at` is None where the driver gave up on the way."""

    stop: PlannedStop
    starts_at: datetime
    arrives_at: datetime | None
    ends_at: datetime
    failure: Failure | None
    closed_elsewhere: bool = False


def seeded_changes(delays: Iterable[Delay]) -> list[Change]:
    return [Change(delay.at, ChangeKind.DELAY, length=delay.length, cause=delay.cause) for delay in delays]


def drive(route: PlannedRoute, changes: Sequence[Change]) -> list[Visit]:
    """The visits of `route` in the order in which they happen; stops that left it have none."""
    delays = [change for change in changes if change.kind is ChangeKind.DELAY]
    early = (delay.length for delay in delays if delay.at < route.departs_at)
    now = route.departs_at + sum(early, timedelta(0))
    waiting = {stop.key: stop for stop in route.stops}
    visits: list[Visit] = []
    while waiting:
        chosen = _next_stop(waiting.values(), changes, now)
        leaves_at = _rest(now, chosen[1], delays) if chosen else None
        # Whoever changes the order before the driver has left is heard.
        heard_at = _first_decision(changes, after=now, until=leaves_at)
        if heard_at is not None:
            now = _rest(now, heard_at, delays)
        elif chosen is None or leaves_at is None:
            break
        else:
            stop = waiting.pop(chosen[0].key)
            visits.append(_visit(stop, leaves_at, changes, delays))
            now = visits[-1].ends_at
    return visits


FOR_WANT_OF_SOMEBODY = (FailureReason.RECIPIENT_UNAVAILABLE, FailureReason.ACCESS_ISSUE)


def known_at(changes: Sequence[Change], now: datetime) -> list[Change]:
    return [change for change in changes if change.at <= now]


def window_at(stop: PlannedStop, changes: Sequence[Change], now: datetime) -> DeliveryWindow:
    """The promise as it stands at `now`."""
    window = stop.window
    for change in changes:
        if change.stop_key == stop.key and change.at <= now and change.window is not None:
            window = change.window
    return window


def is_on_route(stop: PlannedStop, changes: Sequence[Change], now: datetime) -> bool:
    on_route = True
    for change in changes:
        if change.stop_key == stop.key and change.at <= now:
            if change.kind in (ChangeKind.LEFT, ChangeKind.CLOSED):
                on_route = False
            elif change.kind is ChangeKind.RETURNED:
                on_route = True
    return on_route


def _next_stop(
    waiting: Iterable[PlannedStop], changes: Sequence[Change], now: datetime
) -> tuple[PlannedStop, datetime] | None:
    """The stop that a driver who is free at `now` does next, and when to leave for it."""
    options = []
    for stop in waiting:
        if is_on_route(stop, changes, now):
            window = window_at(stop, changes, now)
            options.append((_due_at(stop, window), max(now, window.start_at - stop.travel), stop))
    options.sort(key=lambda option: option[:2])
    for _, leaves_at, stop in options:
        if leaves_at - now <= PATIENCE:
            return stop, leaves_at
    return (options[0][2], options[0][1]) if options else None


def _due_at(stop: PlannedStop, window: DeliveryWindow) -> datetime:
    """Where a stop stands in the driving order: as planned, or early in the window it was moved to."""
    if window == stop.window:
        return stop.planned_at
    return window.start_at + (window.end_at - window.start_at) * 0.4


def _first_decision(changes: Sequence[Change], *, after: datetime, until: datetime | None) -> datetime | None:
    kinds = (ChangeKind.LEFT, ChangeKind.RETURNED, ChangeKind.CLOSED, ChangeKind.WINDOW)
    moments = [change.at for change in changes if change.kind in kinds and change.at > after]
    return min((at for at in moments if until is None or at <= until), default=None)


def _rest(start: datetime, end: datetime, delays: Sequence[Change]) -> datetime:
    """Idle time: a delay inside it only counts for what reaches beyond it."""
    return max([end, *(delay.at + delay.length for delay in delays if start <= delay.at < end)])


def _stretch(start: datetime, end: datetime, delays: Sequence[Change]) -> datetime:
    """Busy time: every delay inside it makes it longer."""
    for delay in sorted(delays, key=lambda change: change.at):
        if start <= delay.at < end:
            end += delay.length
    return end


def _visit(
    stop: PlannedStop, starts_at: datetime, changes: Sequence[Change], delays: Sequence[Change]
) -> Visit:
    own = [change for change in changes if change.stop_key == stop.key]
    ordered = next((item for item in own if item.kind is ChangeKind.FAIL and item.at < starts_at), None)
    arrives_at = _stretch(starts_at, starts_at + stop.travel, delays)
    failure = ordered.failure if ordered else _found_at_the_door(stop, own, arrives_at)
    service = min(stop.service, SHORT_SERVICE) if failure else stop.service
    ends_at = _stretch(arrives_at, arrives_at + service, delays)
    for change in own:
        if change.kind in (ChangeKind.FAIL, ChangeKind.CLOSED) and starts_at <= change.at < ends_at:
            return _cut_short(Visit(stop, starts_at, arrives_at, ends_at, failure), change)
    return Visit(stop, starts_at, arrives_at, ends_at, failure)


def _found_at_the_door(stop: PlannedStop, own: Sequence[Change], at: datetime) -> Failure | None:
    """What the plan foresaw, unless the recipient did something about it."""
    presence = [item for item in own if item.kind in (ChangeKind.HOME, ChangeKind.AWAY) and item.at < at]
    if not presence:
        return stop.failure
    if presence[-1].kind is ChangeKind.AWAY:
        return stop.failure or failure_for(FailureReason.RECIPIENT_UNAVAILABLE)
    wanting = stop.failure is not None and stop.failure.reason in FOR_WANT_OF_SOMEBODY
    return None if wanting else stop.failure


def _cut_short(visit: Visit, change: Change) -> Visit:
    arrived = visit.arrives_at if visit.arrives_at and visit.arrives_at <= change.at else None
    if change.kind is ChangeKind.CLOSED:
        return Visit(visit.stop, visit.starts_at, arrived, change.at, None, closed_elsewhere=True)
    return Visit(visit.stop, visit.starts_at, arrived, change.at + FAILING_TAKES, change.failure)
