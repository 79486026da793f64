"""One pretended route while it is driven: what is true of it, what can be foreseen, and where its van is."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum

from connectors.base import StopStatus
from connectors.world.plan import PlannedRoute, PlannedStop
from connectors.world.stage import Stage
from connectors.world.truth import Change, Visit, drive, is_on_route, known_at

WORST_ERROR = timedelta(minutes=6)
ERROR_SHARE = 0.06
"""The platform's ETA is wrong by up to this share of the time left, times the stop's `optimism`."""


@dataclass(eq=False)
class RouteState:
    """One route as it is being driven."""

    plan: PlannedRoute
    stage: Stage
    driver_ref: str
    changes: list[Change]
    visits: list[Visit] = field(default_factory=list)
    """How the route truly goes, from depot to depot, as of all that is decided by now."""
    steps: "list[Step]" = field(default_factory=list)
    """What a platform gets to know of it, in order."""
    reported_at: datetime | None = None
    _visit_by_stop: dict[str, Visit] = field(default_factory=dict)
    _known: int = -1
    _foreseen: list[Visit] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._drive()

    def _drive(self) -> None:
        self.visits = drive(self.plan, self.changes)
        self._visit_by_stop = {visit.stop.key: visit for visit in self.visits}
        self.steps = _steps(self.plan, self.visits)
        self.reported_at = None
        self._known = -1

    def add(self, change: Change) -> None:
        self.changes = sorted([*self.changes, change], key=lambda item: item.at)
        self._drive()

    def foreseen(self, now: datetime) -> list[Visit]:
        """The visits as anyone can foresee them at `now`: without the delays that are still to come."""
        known = known_at(self.changes, now)
        if len(known) != self._known:
            self._known, self._foreseen = len(known), drive(self.plan, known)
        return self._foreseen

    def steps_between(self, after: datetime, until: datetime) -> "list[Step]":
        """The steps later than `after`, up to and including `until`."""
        return self.steps[bisect_right(self.steps, after, key=_at) : bisect_right(self.steps, until, key=_at)]

    def visit_of(self, stop: PlannedStop) -> Visit | None:
        return self._visit_by_stop.get(stop.key)


class StepKind(IntEnum):
    """In the order in which they happen at one instant."""

    ON_DUTY = 0
    END = 1
    START = 2
    ARRIVE = 3
    OFF_DUTY = 4


@dataclass(frozen=True)
class Step:
    at: datetime
    kind: StepKind
    visit: Visit | None = None
    """None for the driver's duty."""


def status_at(route: RouteState, stop: PlannedStop, now: datetime) -> StopStatus:
    visit = route.visit_of(stop)
    if visit is None or not (is_on_route(stop, route.changes, now) or visit.ends_at <= now):
        return StopStatus.PLANNED
    if visit.ends_at <= now:
        return StopStatus.FAILED if visit.failure else StopStatus.DELIVERED
    if visit.arrives_at is not None and visit.arrives_at <= now:
        return StopStatus.ARRIVING
    return StopStatus.OUT_FOR_DELIVERY if now >= route.visits[0].starts_at else StopStatus.ASSIGNED


def predicted_arrival(visit: Visit, now: datetime) -> datetime:
    """The platform's ETA: off by a share of the time left, and exact once the driver is there."""
    arrives_at = visit.arrives_at or visit.ends_at
    left = arrives_at - now
    if left <= timedelta(0):
        return arrives_at
    error = min(left * ERROR_SHARE, WORST_ERROR) * visit.stop.optimism
    return (arrives_at + error).replace(microsecond=0)


def position_at(route: RouteState, now: datetime) -> tuple[float, float]:
    """Latitude and longitude, on a straight line between stops. The depot is the zone's centre."""
    here = (route.plan.zone.latitude, route.plan.zone.longitude)
    for visit in route.visits:
        if now < visit.starts_at:
            return here
        there = (visit.stop.address.latitude or here[0], visit.stop.address.longitude or here[1])
        until = visit.arrives_at or visit.starts_at + visit.stop.travel
        if now < until and now < visit.ends_at:
            share = (now - visit.starts_at) / (until - visit.starts_at)
            return here[0] + (there[0] - here[0]) * share, here[1] + (there[1] - here[1]) * share
        here = there
    return here


def _steps(plan: PlannedRoute, visits: Sequence[Visit]) -> list[Step]:
    steps = [Step(plan.departs_at, StepKind.ON_DUTY)]
    for visit in visits:
        steps.append(Step(visit.starts_at, StepKind.START, visit))
        if visit.arrives_at is not None:
            steps.append(Step(visit.arrives_at, StepKind.ARRIVE, visit))
        steps.append(Step(visit.ends_at, StepKind.END, visit))
    steps.append(Step(visits[-1].ends_at if visits else plan.departs_at, StepKind.OFF_DUTY))
    return sorted(steps, key=lambda step: (step.at, step.kind))


def _at(step: Step) -> datetime:
    return step.at
