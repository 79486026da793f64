"""The pretended delivery day: it drives the emulators by the clock it is handed, and can be interfered with."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from connectors.base import DeliveryWindow, FailureReason, Now
from connectors.emulation import Ledger
from connectors.world.evidence import left_behind
from connectors.world.plan import PlannedStop, plan_day
from connectors.world.route import RouteState, Step, StepKind, position_at, predicted_arrival, status_at
from connectors.world.stage import Placement, Stage, Standing
from connectors.world.town import failure_for
from connectors.world.truth import (
    MICROSECOND,
    Change,
    ChangeKind,
    Visit,
    is_on_route,
    seeded_changes,
    window_at,
)

REPORT_EVERY = timedelta(minutes=1)
"""How often a driver's position and ETAs reach the platform."""
ETA_STEP = timedelta(minutes=1)
"""An ETA that moved less than this is not reported again."""
MILLISECOND = timedelta(milliseconds=1)
ORDERED_BEFORE = timedelta(hours=14)


class PretendedDay:
    """What drivers do on one day, told to the emulators as the clock passes.

    The truth is a function of the seed, the changes and the time. With a `ledger_path` the changes and the
    progress survive kill -9: built again with the same arguments, the day goes on where it was, repeats nothing
    and skips nothing. `day_start` is the instant at which the day is first seen, with the drivers already out;
    it should leave some seven hours of the local day, and be the same on resuming (`remembered_day_start`).
    """

    def __init__(
        self,
        seed: int,
        day_start: datetime,
        *,
        stages: Sequence[Stage],
        now: Now,
        stops: int = 60,
        timezone: str = "America/New_York",
        ledger_path: Path | None = None,
    ) -> None:
        self.timezone = timezone
        self.day_start = day_start
        self._zone = ZoneInfo(timezone)
        self._now = now
        self._stages = list(stages)
        self._progress = Ledger(ledger_path, "world_progress")
        self._changes = Ledger(ledger_path, "world_changes")
        self._claim_ledger(f"{seed} {day_start.isoformat()} {stops} {timezone}")
        self._plan = plan_day(seed, day_start.astimezone(self._zone), stops)
        self.routes: list[RouteState] = []
        self._placed: dict[str, Placement] = {}
        self._found: dict[str, tuple[RouteState, PlannedStop]] = {}
        """By each name of a stop: key, platform reference, tracking."""
        self._etas: dict[str, datetime] = {}
        self._gone: set[str] = set()
        """Keys of the stops that were deleted over the API."""

    def _claim_ledger(self, day: str) -> None:
        if self._progress.setdefault("day", day) != day:
            raise ValueError(f"the ledger holds another day: {self._progress['day']}, not {day}")
        self._progress.setdefault("day_start", self.day_start.isoformat())

    # --- setting the stage ---

    def build(self) -> None:
        """Makes drivers and stops known to the emulators, or finds them there. Call once, before `tick`."""
        changes = [_load_change(item) for item in self._changes.values()]
        for index, plan in enumerate(self._plan):
            stage = self._stages[index % len(self._stages)]
            keys = {plan.key, *(stop.key for stop in plan.stops)}
            own = [change for target, change in changes if target in keys]
            merged = sorted([*seeded_changes(plan.delays), *own], key=lambda change: change.at)
            route = RouteState(plan, stage, stage.add_route(plan), merged)
            self.routes.append(route)
            for position, stop in enumerate(plan.stops):
                self._place(route, stop, position)
        for route in self.routes:
            for stop in route.plan.stops:
                self._compare(route, stop)

    def _place(self, route: RouteState, stop: PlannedStop, position: int) -> None:
        created_at = self.day_start - ORDERED_BEFORE + timedelta(seconds=position)
        placement = route.stage.add_stop(stop, route.plan, route.driver_ref, created_at)
        self._placed[stop.key] = placement
        for name in (stop.key, placement.platform_ref, placement.tracking):
            self._found[name] = (route, stop)

    # --- the passing of time ---

    @property
    def mark(self) -> datetime:
        """Everything up to here was told to the emulators."""
        stored = self._progress.get("mark")
        if stored is not None:
            return datetime.fromisoformat(stored)
        first = min(plan.departs_at for plan in self._plan)
        return first - timedelta(seconds=1)

    def tick(self) -> None:
        """Tells the emulators what happened since the last tick, in order, and the newest positions and ETAs."""
        now, mark = self._now(), self.mark
        if now <= mark:
            return
        self._take_edits()
        due = [(step, route) for route in self.routes for step in route.steps_between(mark, now)]
        for step, route in sorted(due, key=lambda item: (item[0].at, item[0].kind)):
            self._tell(step, route)
        for route in self.routes:
            if route.reported_at is None or now - route.reported_at >= REPORT_EVERY:
                self._report(route, now)
        self._progress["mark"] = now.isoformat()

    def _tell(self, step: Step, route: RouteState) -> None:
        if step.visit is None:
            route.stage.set_duty(route.driver_ref, step.kind is StepKind.ON_DUTY, step.at)
            return
        ref = self._placed[step.visit.stop.key].platform_ref
        if step.kind is StepKind.START:
            # A driver whose last stop was over goes out again for one that was given back.
            route.stage.set_duty(route.driver_ref, True, step.at)
            route.stage.start(ref, step.at)
        elif step.kind is StepKind.ARRIVE:
            route.stage.arrive(ref, step.at)
        elif not step.visit.closed_elsewhere:
            left = left_behind(step.visit.stop, step.visit.failure)
            route.stage.complete(ref, step.at, step.visit.failure, left)

    def _report(self, route: RouteState, now: datetime) -> None:
        route.reported_at = now
        if now >= route.plan.departs_at:
            route.stage.report_position(route.driver_ref, *position_at(route, now), now)
        for visit in route.foreseen(now):
            if visit.ends_at > now and visit.arrives_at is not None:
                eta = predicted_arrival(visit, now)
                known = self._etas.get(visit.stop.key)
                if known is None or abs(eta - known) >= ETA_STEP:
                    self._etas[visit.stop.key] = eta
                    route.stage.report_eta(self._placed[visit.stop.key].platform_ref, eta, now)

    # --- what the platform's API was used for meanwhile ---

    def _take_edits(self) -> None:
        for stage in self._stages:
            for ref in stage.take_edits():
                if ref in self._found:
                    self._compare(*self._found[ref])

    def _compare(self, route: RouteState, stop: PlannedStop) -> None:
        """Hears of what was done to a stop over the API. Counts from the last tick on: up to there all is told."""
        placement = self._placed[stop.key]
        at = self.mark + MICROSECOND
        on_route = is_on_route(stop, route.changes, at)
        standing = route.stage.find_standing(placement.platform_ref)
        if standing is None:
            self._gone.add(stop.key)
        window = window_at(stop, route.changes, at)
        if standing is not None and standing.window is not None and standing.window != window:
            window = standing.window
            self._change(stop.key, Change(at, ChangeKind.WINDOW, stop.key, window=window))
        belongs = self._belongs(standing, window, route)
        if standing is not None and standing.closed_at is not None:
            self._close(route, stop, at, standing.closed_at)
        elif on_route and not belongs:
            kind = ChangeKind.LEFT if standing else ChangeKind.CLOSED
            self._change(stop.key, Change(at, kind, stop.key))
        elif belongs and not on_route:
            self._change(stop.key, Change(at, ChangeKind.RETURNED, stop.key))
        self._rearrange(route, placement.platform_ref, belongs, standing)

    def _belongs(self, standing: Standing | None, window: DeliveryWindow, route: RouteState) -> bool:
        """A stop of today that no other driver has."""
        if standing is None or standing.closed_at or standing.driver_ref not in (None, route.driver_ref):
            return False
        return window.start_at.astimezone(self._zone).date() <= self.day_start.astimezone(self._zone).date()

    def _close(self, route: RouteState, stop: PlannedStop, at: datetime, closed_at: datetime) -> None:
        """Takes note of a stop that somebody finished by hand; the driver's own finish is no news."""
        visit = route.visit_of(stop)
        by_driver = visit is not None and abs(visit.ends_at - closed_at) < MILLISECOND
        if not by_driver and is_on_route(stop, route.changes, at):
            self._change(stop.key, Change(at, ChangeKind.CLOSED, stop.key))

    def _rearrange(self, route: RouteState, ref: str, belongs: bool, standing: Standing | None) -> None:
        """The dispatcher's part: takes a stop of another day from the driver, gives back one of today."""
        if standing is None or standing.closed_at:
            return
        if not belongs and standing.driver_ref == route.driver_ref:
            route.stage.take_off_route(ref)
        elif belongs and standing.driver_ref is None:
            route.stage.put_on_route(ref, route.driver_ref)

    # --- interference ---

    def make_late(self, driver_ref: str | None = None, minutes: int = 40, cause: str = "traffic") -> str:
        """Holds a driver up from now on; without a reference the one with most stops left. Returns the reference.

        Raises `LookupError` for an unknown driver.
        """
        now = self._now()
        route = self._route_of(driver_ref) if driver_ref else self._busiest(now)
        self._change(
            route.plan.key, Change(now, ChangeKind.DELAY, length=timedelta(minutes=minutes), cause=cause)
        )
        return route.driver_ref

    def fail_stop(
        self, stop_ref: str | None = None, reason: FailureReason = FailureReason.RECIPIENT_UNAVAILABLE
    ) -> str:
        """Lets a delivery fail: at once where the driver is on it, else at the visit. Returns its tracking.

        Without a reference it is the stop that some driver is on now. Raises `LookupError` for an unknown stop,
        and when there is none left.
        """
        now = self._now()
        stop = self._found[stop_ref][1] if stop_ref else self._stop_under_way(now)
        self._change(stop.key, Change(now, ChangeKind.FAIL, stop.key, failure=failure_for(reason)))
        return self._placed[stop.key].tracking

    def recipient_is(self, stop_ref: str, *, home: bool) -> None:
        """Somebody is at the door from now on, or nobody. Raises `KeyError` for an unknown stop."""
        stop = self._found[stop_ref][1]
        kind = ChangeKind.HOME if home else ChangeKind.AWAY
        self._change(stop.key, Change(self._now(), kind, stop.key))

    def deliver_by_another_van(self, stop_ref: str) -> None:
        """A spare van has just delivered it; its own driver passes it by. Raises `KeyError` for an unknown stop."""
        route, stop = self._found[stop_ref]
        now = self._now()
        self._change(stop.key, Change(now, ChangeKind.CLOSED, stop.key))
        route.stage.complete(self._placed[stop.key].platform_ref, now, None, left_behind(stop, None))

    def _change(self, target: str, change: Change) -> None:
        self._changes[f"{len(self._changes):06d}"] = _dump_change(target, change)
        self._route_by_target(target).add(change)

    def _route_by_target(self, target: str) -> RouteState:
        if target in self._found:
            return self._found[target][0]
        return next(route for route in self.routes if route.plan.key == target)

    def _route_of(self, driver_ref: str) -> RouteState:
        for route in self.routes:
            if driver_ref in (route.driver_ref, route.plan.key):
                return route
        raise LookupError(f"no driver {driver_ref}")

    def _busiest(self, now: datetime) -> RouteState:
        return max(self.routes, key=lambda route: sum(visit.starts_at > now for visit in route.visits))

    def _stop_under_way(self, now: datetime) -> PlannedStop:
        ahead = [visit for route in self.routes for visit in route.visits if visit.ends_at > now]
        if not ahead:
            raise LookupError("no stop is left")
        return min(ahead, key=lambda visit: (visit.starts_at > now, visit.ends_at)).stop

    # --- what can be asked ---

    def truth(self, stop_ref: str) -> Visit | None:
        """How the stop truly goes, as of all that is decided by now; None where it is not visited today.

        `stop_ref` is the platform's reference or the tracking. Raises `KeyError` for an unknown one.
        """
        route, stop = self._found[stop_ref]
        return route.visit_of(stop)

    def eta(self, stop_ref: str) -> datetime | None:
        """As the platform was told last; None where it was told none. Raises `KeyError` for an unknown stop."""
        return self._etas.get(self._found[stop_ref][1].key)

    def planned(self) -> list[tuple[Placement, PlannedStop]]:
        """Every stop of the plan, with its names on the platform."""
        return [(self._placed[stop.key], stop) for _, stop in self._stops()]

    def recipient_of(self, stop_ref: str) -> PlannedStop:
        """Raises `KeyError` for an unknown stop."""
        return self._found[stop_ref][1]

    def first_to_wait(self, driver_ref: str, by: timedelta) -> PlannedStop | None:
        """The driver's next stop that is going to miss its window by so much; None while there is none.

        Raises `LookupError` for an unknown driver.
        """
        now, route = self._now(), self._route_of(driver_ref)
        for visit in route.foreseen(now):
            end = window_at(visit.stop, route.changes, now).end_at
            if visit.arrives_at is not None and visit.arrives_at > now and visit.arrives_at >= end + by:
                return visit.stop
        return None

    def recipients(self) -> list[dict[str, str]]:
        """One entry per stop for `var/demo.json`; somebody who expects two parcels is there twice."""
        now = self._now()
        return [self._recipient(route, stop, now) for route, stop in self._stops()]

    def _recipient(self, route: RouteState, stop: PlannedStop, now: datetime) -> dict[str, str]:
        window = window_at(stop, route.changes, now)
        return {
            "phone": stop.recipient_phone,
            "name": stop.recipient_name,
            "platform": route.stage.name,
            "tracking": self._placed[stop.key].tracking,
            "status": status_at(route, stop, now).value,
            "window_start": window.start_at.astimezone(self._zone).isoformat(),
            "window_end": window.end_at.astimezone(self._zone).isoformat(),
        }

    def summary(self) -> dict[str, Any]:
        """The day at a glance for the demo page: routes, and on each its stops in driving order."""
        now = self._now()
        return {
            "now": now.astimezone(self._zone).isoformat(),
            "timezone": self.timezone,
            "routes": [self._route_summary(route, now) for route in self.routes],
        }

    def _route_summary(self, route: RouteState, now: datetime) -> dict[str, Any]:
        latitude, longitude = position_at(route, now)
        visits = {visit.stop.key: visit for visit in route.foreseen(now)}
        stops = {stop.key: stop for stop in route.plan.stops if stop.key not in self._gone}
        order = [*visits, *(key for key in stops if key not in visits)]
        return {
            "route": route.plan.name,
            "zone": route.plan.zone.name,
            "platform": route.stage.name,
            "driver": route.plan.driver_name,
            "driver_ref": route.driver_ref,
            "latitude": latitude,
            "longitude": longitude,
            "stops": [
                self._stop_summary(route, stops[key], visits.get(key), now) for key in order if key in stops
            ],
        }

    def _stop_summary(
        self, route: RouteState, stop: PlannedStop, visit: Visit | None, now: datetime
    ) -> dict[str, Any]:
        eta = self._etas.get(stop.key) if visit else None
        if visit and visit.arrives_at and visit.arrives_at <= now:
            eta = visit.arrives_at
        window = window_at(stop, route.changes, now)
        return self._recipient(route, stop, now) | {
            "id": self._placed[stop.key].platform_ref,
            "client": stop.client,
            "address": stop.address.line,
            "eta": eta.astimezone(self._zone).isoformat() if eta else None,
            "late": eta is not None and eta >= window.end_at,
            "moved": visit is None,
        }

    def _stops(self) -> Iterable[tuple[RouteState, PlannedStop]]:
        for route in self.routes:
            for stop in route.plan.stops:
                if stop.key not in self._gone:
                    yield route, stop


async def run(day: PretendedDay, interval_seconds: float = 0.5) -> None:
    """Ticks until cancelled. `day` must have been built."""
    while True:
        day.tick()
        await asyncio.sleep(interval_seconds)


def remembered_day_start(ledger_path: Path) -> datetime | None:
    """When the day in this ledger starts, for resuming it; None where there is none."""
    stored = Ledger(ledger_path, "world_progress").get("day_start")
    return datetime.fromisoformat(stored) if stored else None


def _dump_change(target: str, change: Change) -> dict[str, Any]:
    return {
        "target": target,
        "at": change.at.isoformat(),
        "kind": change.kind.value,
        "stop_key": change.stop_key,
        "seconds": change.length.total_seconds(),
        "cause": change.cause,
        "failure": change.failure.reason.value if change.failure else None,
        "window": change.window.model_dump(mode="json") if change.window else None,
    }


def _load_change(stored: dict[str, Any]) -> tuple[str, Change]:
    failure, window = stored["failure"], stored["window"]
    change = Change(
        at=datetime.fromisoformat(stored["at"]),
        kind=ChangeKind(stored["kind"]),
        stop_key=stored["stop_key"],
        length=timedelta(seconds=stored["seconds"]),
        cause=stored["cause"],
        failure=failure_for(FailureReason(failure)) if failure else None,
        window=DeliveryWindow.model_validate(window) if window else None,
    )
    return stored["target"], change
