"""Pure: when a driver gets where, by the pace of the route, and how many stops they are behind plan.

An estimate never gets later by more than the time that passes, unless the plan or the order changes: what was
clear of the window's end by ten minutes is looked at again ten minutes later, and not before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median
from uuid import UUID

from bot.sop_sla import Estimate
from bot.stops.distance import Place, meters_between
from connectors.base import StopStatus

NOTHING = timedelta(0)
LONG_AGO = datetime.min.replace(tzinfo=UTC)
LEGS_THAT_TELL = 5
"""So many of the newest legs show how fast the route is driven."""
SLOWEST, FASTEST = 2.0, 0.8
"""How far a route's own pace may stretch or shorten the plan: beyond that it was a mishap, and not the pace."""
SLOWEST_KMH, FASTEST_KMH = 8.0, 80.0


@dataclass(frozen=True, slots=True)
class RouteStop:
    """What the pace needs of a stop."""

    stop_id: UUID
    status: StopStatus
    sequence: int | None
    planned_at: datetime | None
    arrived_at: datetime | None
    completed_at: datetime | None
    service: timedelta | None
    place: Place | None

    @property
    def is_done(self) -> bool:
        return self.status.is_closed and self.completed_at is not None


@dataclass(frozen=True, slots=True)
class PacedArrival:
    """When the driver arrives if the route goes on as it went; truly between `low` and `high`, most likely."""

    at: datetime
    low: datetime
    high: datetime

    @property
    def give_or_take(self) -> int:
        """Minutes."""
        return max(1, round((self.high - self.at).total_seconds() / 60))


@dataclass(frozen=True, slots=True)
class Pace:
    behind: int
    """Stops that should be done by the plan and are not; 0 without a plan."""
    arrivals: Mapping[UUID, PacedArrival]
    """Of the stops that are left, as far as they can be told."""


def pace_of(stops: Sequence[RouteStop], rules: Estimate, now: datetime) -> Pace:
    """The pace of one driver's stops of one day, in any order."""
    counted = [stop for stop in stops if stop.status is not StopStatus.CANCELLED]
    done = sorted((stop for stop in counted if stop.is_done), key=_completed)
    road = _Road(rules, done)
    arrivals: dict[UUID, PacedArrival] = {}
    before, at = (done[-1] if done else None), None
    for stop in _in_order(counted):
        at = road.arrival(before, at, stop, _is_under_way(counted), now)
        if at is None:
            break
        arrivals[stop.stop_id] = _paced(at, rules, now)
        before, at = stop, max(now, at + road.service(stop))
    return Pace(behind_plan(counted, rules, now), arrivals)


def behind_plan(stops: Sequence[RouteStop], rules: Estimate, now: datetime) -> int:
    """How many more stops should be done by now than are; never negative."""
    usual = timedelta(minutes=rules.service_minutes)
    planned = [stop for stop in stops if stop.planned_at is not None]
    due = sum(
        stop.planned_at + (usual if stop.service is None else stop.service) <= now
        for stop in planned
        if stop.planned_at is not None
    )
    return max(0, due - sum(stop.is_done for stop in planned))


def told_behind(count: int) -> str:
    """`3 stops behind plan`; empty for none."""
    return f"{count} stop{'s' if count > 1 else ''} behind plan" if count else ""


class _Road:
    """How long legs and doors take on this route."""

    def __init__(self, rules: Estimate, done: Sequence[RouteStop]) -> None:
        self._rules = rules
        legs = [_driven(before, after) for before, after in pairwise(done)]
        newest = [leg for leg in legs if leg is not None][-LEGS_THAT_TELL:]
        stretches = [took / plan for took, plan, _ in newest if plan is not None and plan > NOTHING]
        self._stretch = min(SLOWEST, max(FASTEST, median(stretches))) if stretches else 1.0
        speeds = [
            meters * rules.detour / 1000 / (took.total_seconds() / 3600)
            for took, _, meters in newest
            if meters and took > NOTHING
        ]
        self._kmh = min(FASTEST_KMH, max(SLOWEST_KMH, median(speeds))) if speeds else rules.speed_kmh

    def service(self, stop: RouteStop) -> timedelta:
        return timedelta(minutes=self._rules.service_minutes) if stop.service is None else stop.service

    def arrival(
        self,
        before: RouteStop | None,
        free_at: datetime | None,
        stop: RouteStop,
        is_under_way: bool,
        now: datetime,
    ) -> datetime | None:
        """None when nothing tells: no plan, and not where from or where to."""
        if stop.arrived_at is not None:
            return stop.arrived_at
        if before is None:
            if stop.planned_at is None:
                return None
            # Who has not left the depot yet has the first leg before them still.
            return max(stop.planned_at, now if is_under_way else now + self._usual_leg())
        leg = self._leg(before, stop)
        start = free_at or before.completed_at
        return None if leg is None or start is None else max(now, start + leg)

    def _usual_leg(self) -> timedelta:
        return timedelta(minutes=2 * self._rules.service_minutes)

    def _leg(self, before: RouteStop, after: RouteStop) -> timedelta | None:
        if before.planned_at is not None and after.planned_at is not None:
            gap = after.planned_at - before.planned_at - self.service(before)
            if gap >= NOTHING:
                return gap * self._stretch
        if before.place is None or after.place is None:
            return None
        kilometers = meters_between(before.place, after.place) * self._rules.detour / 1000
        return timedelta(hours=kilometers / self._kmh)


def _driven(before: RouteStop, after: RouteStop) -> tuple[timedelta, timedelta | None, float] | None:
    """How long a leg took, how long it was planned to, and its metres in a straight line."""
    if before.completed_at is None or after.arrived_at is None or after.arrived_at <= before.completed_at:
        return None
    plan = None
    if before.planned_at is not None and after.planned_at is not None:
        plan = after.planned_at - before.planned_at - (before.service or NOTHING)
    meters = meters_between(before.place, after.place) if before.place and after.place else 0.0
    return after.arrived_at - before.completed_at, plan, meters


def _in_order(stops: Sequence[RouteStop]) -> list[RouteStop]:
    """What is left, in driving order; empty when nobody says in which order it is driven."""
    left = [stop for stop in stops if not stop.status.is_closed]
    if all(stop.sequence is not None for stop in left):
        return sorted(left, key=lambda stop: (not _is_there(stop), stop.sequence or 0))
    planned = [stop for stop in left if stop.planned_at is not None]
    if len(planned) < len(left):
        return []
    return sorted(planned, key=lambda stop: (not _is_there(stop), stop.planned_at is None, stop.planned_at))


def _is_there(stop: RouteStop) -> bool:
    return stop.status is StopStatus.ARRIVING or stop.arrived_at is not None


def _is_under_way(stops: Sequence[RouteStop]) -> bool:
    moving = (StopStatus.OUT_FOR_DELIVERY, StopStatus.ARRIVING)
    return any(stop.is_done or stop.status in moving for stop in stops)


def _paced(at: datetime, rules: Estimate, now: datetime) -> PacedArrival:
    left = max(NOTHING, at - now)
    spread = timedelta(minutes=rules.spread_minutes) + left * rules.spread_percent / 100
    return PacedArrival(at, min(at, max(now, at - spread)), at + spread)


def _completed(stop: RouteStop) -> datetime:
    return stop.completed_at or LONG_AGO
