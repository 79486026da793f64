"""Pure decisions about drivers' days: what a run is, when its driver is asked, who could take it instead."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from bot.drivers.models import DriverShift
from bot.sop import local_day
from bot.sop_desk import Shifts
from bot.stops.models import DriverRecord, RouteRecord
from connectors.base import StopStatus
from connectors.desk import ShiftState, Suggestion

FEW_STOPS = 8
"""A driver who has no more left than this may take another's route."""
MOST_SUGGESTIONS = 5
BIG_CHANGE_STOPS = 3
BIG_CHANGE_START = timedelta(minutes=30)
OFF_DUTY_GRACE = timedelta(minutes=15)
"""Drivers begin a little late; only then is one who is off duty missing."""
UNDER_WAY = frozenset({StopStatus.OUT_FOR_DELIVERY, StopStatus.ARRIVING})
DRIVEN = frozenset({StopStatus.DELIVERED, StopStatus.FAILED, StopStatus.RETURNED}) | UNDER_WAY


@dataclass(frozen=True)
class RunStop:
    """What of a stop matters to its driver's day; fields as in `StopRecord`."""

    id: UUID
    platform: str
    platform_ref: str
    driver_ref: str | None
    route_ref: str | None
    status: StopStatus
    timezone: str
    zone: str
    address_line: str
    sequence: int | None = None
    planned_at: datetime | None = None
    window_start_at: datetime | None = None
    eta_at: datetime | None = None
    arrived_at: datetime | None = None
    completed_at: datetime | None = None
    load: float = 0.0

    @property
    def is_open(self) -> bool:
        return not self.status.is_closed

    @property
    def due_at(self) -> datetime | None:
        """When the driver is to be there, as far as anybody planned or promised it."""
        return self.planned_at or self.window_start_at or self.eta_at


@dataclass(frozen=True)
class Run:
    """One driver's stops of one local day, in driving order."""

    platform: str
    driver_ref: str
    day: date
    timezone: str
    zone: str
    route_ref: str | None
    route_name: str
    starts_at: datetime
    stops: tuple[RunStop, ...]
    """All but the cancelled ones."""

    @property
    def open_stops(self) -> tuple[RunStop, ...]:
        return tuple(stop for stop in self.stops if stop.is_open)

    def number_of(self, stop_id: UUID) -> int | None:
        """Its place among all stops of the day, as drivers count them: the first one is 1."""
        return next((place for place, stop in enumerate(self.stops, 1) if stop.id == stop_id), None)

    @property
    def has_begun(self) -> bool:
        return any(stop.status in DRIVEN for stop in self.stops)

    @property
    def load(self) -> float:
        """Of everything on the van in the morning."""
        return sum(stop.load for stop in self.stops)

    @property
    def first(self) -> RunStop:
        return self.stops[0]


def runs_of(
    stops: Iterable[RunStop], routes: Iterable[RouteRecord] = (), day: date | None = None
) -> list[Run]:
    """The runs of all drivers, one per driver and local day (of `day` only, where given), by start.

    A route's planned start counts where the platform tells it, else the first stop's plan or promise.
    """
    by_run: dict[tuple[str, str, date], list[RunStop]] = defaultdict(list)
    for stop in stops:
        at = stop.due_at
        if stop.driver_ref is None or at is None or stop.status is StopStatus.CANCELLED:
            continue
        local = local_day(at, stop.timezone)
        if day is None or local == day:
            by_run[stop.platform, stop.driver_ref, local].append(stop)
    known = {(route.platform, route.platform_ref, route.day): route for route in routes}
    runs = [_run(key, found, known) for key, found in by_run.items()]
    return sorted(runs, key=lambda run: (run.starts_at, run.platform, run.driver_ref))


def _run(
    key: tuple[str, str, date],
    stops: list[RunStop],
    routes: dict[tuple[str, str, date], RouteRecord],
) -> Run:
    platform, driver_ref, day = key
    ordered = sorted(stops, key=_order)
    first = ordered[0]
    route_ref = next((stop.route_ref for stop in ordered if stop.route_ref), None)
    route = routes.get((platform, route_ref, day)) if route_ref is not None else None
    planned = min(at for stop in stops if (at := stop.due_at) is not None)
    return Run(
        platform=platform,
        driver_ref=driver_ref,
        day=day,
        timezone=first.timezone,
        zone=first.zone,
        route_ref=route_ref,
        route_name=route.name if route is not None else "",
        starts_at=route.starts_at if route is not None and route.starts_at is not None else planned,
        stops=tuple(ordered),
    )


def _order(stop: RunStop) -> tuple[bool, int, datetime, str]:
    """Finished ones first, as they were driven before all that is left."""
    at = stop.completed_at or stop.due_at or datetime.max.replace(tzinfo=UTC)
    sequence = stop.sequence if stop.is_open and stop.sequence is not None else 0
    return stop.is_open, sequence, at, stop.platform_ref


# --- asking -------------------------------------------------------------------------------------


class Step(StrEnum):
    NOTHING = "nothing"
    ASK = "ask"
    TELL_CHANGE = "tell_change"
    NO_ANSWER = "no_answer"
    """The deadline is over: a dispatcher's now."""
    BEGUN = "begun"
    """The driver drives: that is an answer too."""
    GONE = "gone"
    """There is nothing left to confirm."""


def ask_at(run: Run, rules: Shifts) -> datetime:
    """From when the driver may be asked: before the start, never before `not_before` of that local day."""
    zone = ZoneInfo(run.timezone)
    earliest = datetime.combine(run.day, rules.not_before, tzinfo=zone)
    return max(run.starts_at - timedelta(minutes=rules.ask_before_minutes), earliest)


def deadline(run: Run, rules: Shifts, now: datetime) -> datetime:
    """An answer that comes after the start helps nobody."""
    return min(now + timedelta(minutes=rules.answer_within_minutes), max(run.starts_at, now))


def next_step(run: Run, shift: DriverShift | None, rules: Shifts, now: datetime) -> Step:
    """What is to be done about this run at `now`; both as they are known at this moment."""
    state = shift.state if shift is not None else ShiftState.NOT_ASKED
    if run.has_begun:
        waits = state in (ShiftState.ASKED, ShiftState.SILENT)
        return Step.BEGUN if waits else Step.NOTHING
    if not run.open_stops:
        return Step.GONE if state in (ShiftState.ASKED, ShiftState.SILENT) else Step.NOTHING
    if shift is None or (state is ShiftState.NOT_ASKED and shift.asked_at is None):
        return Step.ASK if ask_at(run, rules) <= now < run.starts_at else Step.NOTHING
    if state is ShiftState.ASKED and shift.deadline_at is not None and now >= shift.deadline_at:
        return Step.NO_ANSWER
    is_his = state in (ShiftState.ASKED, ShiftState.CONFIRMED)
    return Step.TELL_CHANGE if is_his and changed_much(run, shift) else Step.NOTHING


def changed_much(run: Run, shift: DriverShift) -> bool:
    """Compared with what the driver was told last."""
    return (
        abs(len(run.stops) - shift.stops) >= BIG_CHANGE_STOPS
        or abs(run.starts_at - shift.starts_at) >= BIG_CHANGE_START
    )


# --- capacity -----------------------------------------------------------------------------------


class Overload(StrEnum):
    LOAD = "load"
    OFF_DUTY = "off_duty"


def overload_of(run: Run, driver: DriverRecord | None, now: datetime) -> Overload | None:
    """What is wrong with giving this run to this driver, as far as the platform tells.

    Exactly full is not too full. Nobody is missing before the start and a little grace.
    """
    if driver is None or not run.open_stops:
        return None
    if driver.capacity is not None and run.load > driver.capacity:
        return Overload.LOAD
    is_late = now >= run.starts_at + OFF_DUTY_GRACE
    return Overload.OFF_DUTY if driver.on_duty is False and is_late else None


# --- who else -----------------------------------------------------------------------------------


def suggestions_for(
    run: Run, drivers: Sequence[DriverRecord], runs: Sequence[Run], taken: frozenset[str] = frozenset()
) -> tuple[Suggestion, ...]:
    """Drivers of the same account who could take the run, best first.

    Not: who is off duty, has more than a few stops left, or lacks room for the run's open stops. `taken` are
    drivers who refused their own. On duty comes before unknown, the run's zone before others, few stops before
    more, then much room before little.
    """
    load = sum(stop.load for stop in run.open_stops)
    own = {each.driver_ref: each for each in runs if each.platform == run.platform and each.day == run.day}
    found = [
        (_rank(suggestion, driver, run.zone), suggestion)
        for driver in drivers
        if driver.platform == run.platform
        and driver.platform_ref != run.driver_ref
        and driver.platform_ref not in taken
        and driver.on_duty is not False
        and _is_of_zone(driver, run.zone)
        and (suggestion := _suggestion(driver, own.get(driver.platform_ref), run.zone))
        and (suggestion.stops_left or 0) <= FEW_STOPS
        and _has_room(suggestion, load)
    ]
    return tuple(suggestion for _, suggestion in sorted(found, key=lambda each: each[0])[:MOST_SUGGESTIONS])


def _is_of_zone(driver: DriverRecord, zone: str) -> bool:
    """A driver without zones may drive anywhere."""
    return not zone or not driver.zones or zone in driver.zones


def _suggestion(driver: DriverRecord, own: Run | None, zone: str) -> Suggestion:
    left = own.open_stops if own is not None else ()
    return Suggestion(
        driver_ref=driver.platform_ref,
        driver_name=driver.name,
        zone=zone if zone in driver.zones else ", ".join(driver.zones),
        load=sum(stop.load for stop in left),
        capacity=driver.capacity,
        stops_left=len(left),
    )


def _has_room(suggestion: Suggestion, load: float) -> bool:
    return suggestion.capacity is None or (suggestion.load or 0.0) + load <= suggestion.capacity


def _rank(suggestion: Suggestion, driver: DriverRecord, zone: str) -> tuple[bool, bool, int, float, str, str]:
    room = (suggestion.capacity or 0.0) - (suggestion.load or 0.0)
    return (
        driver.on_duty is not True,
        zone not in driver.zones,
        suggestion.stops_left or 0,
        -room,
        driver.name,
        driver.platform_ref,
    )
