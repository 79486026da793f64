"""A bad day as a platform tells it, look by look, for the watch to be judged by what truly happened.

The platform here is one that plans, and has live ETAs: its stops reach the tables as every platform's do, through
`store_stops`. It knows no more than drivers and traffic services tell it (`connectors.world.bad_days`): how long a
mishap lasts only after a while, of silent vans nothing, of blind ones no ETA; and its ETAs err.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.sla.outcomes import Outcome, outcome_of
from connectors.base import Driver, Stop, StopStatus
from connectors.world.bad_days import Van, as_told
from connectors.world.plan import PlannedStop
from connectors.world.route import predicted_arrival
from connectors.world.truth import Change, Visit, drive, seeded_changes

PLATFORM = "onfleet"
TIMEZONE = "America/New_York"
AHEAD = timedelta(minutes=30)
"""How long before its window's end a breach is to be seen."""
ETA_STEP = timedelta(minutes=1)


@dataclass
class ToldVan:
    """One van beside what the platform knows of it."""

    van: Van
    changes: list[Change] = field(init=False)
    truth: dict[str, Visit] = field(init=False)
    _known: tuple[Change, ...] | None = None
    _foreseen: list[Visit] = field(default_factory=list)
    _told: dict[str, Stop] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.changes = seeded_changes(self.van.route.delays)
        self.truth = {visit.stop.key: visit for visit in drive(self.van.route, self.changes)}

    def foreseen(self, now: datetime) -> list[Visit]:
        """The day as the platform can foresee it at `now`."""
        known = tuple(as_told(self.changes, self.van.known_until(now), lengths=not self.van.is_blind))
        if known != self._known:
            self._known, self._foreseen = known, drive(self.van.route, known)
        return self._foreseen

    def news(self, now: datetime) -> list[Stop]:
        """Its stops that look different on the platform than at the last look."""
        if self.van.is_silent(now):
            return []
        visits = self.foreseen(now)
        left = [visit.stop.key for visit in visits if self.truth[visit.stop.key].ends_at > now]
        places = {key: place for place, key in enumerate(left)}
        told = [
            self._stop(visit, places.get(visit.stop.key), now)
            for visit in visits
            if not self._is_told_over(visit.stop.key)
        ]
        new = [stop for stop in told if _differs(stop, self._told.get(stop.platform_ref))]
        self._told |= {stop.platform_ref: stop for stop in new}
        return new

    def _is_told_over(self, key: str) -> bool:
        last = self._told.get(key)
        return last is not None and last.status.is_closed

    def driver(self, now: datetime) -> Driver:
        return Driver(
            platform=PLATFORM,
            platform_ref=self.van.route.key,
            name=self.van.route.driver_name,
            seen_at=self.van.known_until(now),
        )

    def _stop(self, foreseen: Visit, place: int | None, now: datetime) -> Stop:
        planned, true = foreseen.stop, self.truth[foreseen.stop.key]
        status = self._status(true, now)
        has_arrived = true.arrives_at is not None and true.arrives_at <= now
        return Stop(
            platform=PLATFORM,
            platform_ref=planned.key,
            tracking=planned.key,
            status=status,
            address=planned.address,
            client=planned.client,
            zone=self.van.route.zone.name,
            timezone=TIMEZONE,
            window=planned.window,
            planned_at=planned.planned_at,
            eta_at=self._eta(foreseen, true, now),
            sequence=place,
            route_ref=self.van.route.key,
            driver_ref=self.van.route.key,
            service=planned.service,
            arrived_at=true.arrives_at if has_arrived else None,
            completed_at=true.ends_at if status.is_closed else None,
            failure_reason=true.failure.reason if status is StopStatus.FAILED and true.failure else None,
            changed_at=now,
        )

    def _eta(self, foreseen: Visit, true: Visit, now: datetime) -> datetime | None:
        if self.van.is_blind or true.ends_at <= now:
            return None
        if true.arrives_at is not None and true.arrives_at <= now:
            return true.arrives_at
        eta = predicted_arrival(foreseen, now)
        last = self._told.get(foreseen.stop.key)
        return last.eta_at if last and last.eta_at and abs(last.eta_at - eta) < ETA_STEP else eta

    def _status(self, true: Visit, now: datetime) -> StopStatus:
        if true.ends_at <= now:
            return StopStatus.FAILED if true.failure else StopStatus.DELIVERED
        if true.arrives_at is not None and true.arrives_at <= now:
            return StopStatus.ARRIVING
        first = min(visit.starts_at for visit in self.truth.values())
        return StopStatus.OUT_FOR_DELIVERY if now >= first else StopStatus.ASSIGNED

    # --- the truth ----------------------------------------------------------------------------

    def is_breach(self, stop: PlannedStop, grace: timedelta) -> bool:
        """Not done when the window and its grace end; a delivery that fails in time breaks no promise of time."""
        visit = self.truth[stop.key]
        at = min(visit.ends_at, stop.window.end_at + grace)
        outcome = outcome_of(stop.window, StopStatus.DELIVERED, visit.ends_at, grace, at)
        return outcome is Outcome.LATE

    def was_foreseeable(self, stop: PlannedStop, grace: timedelta) -> bool:
        """Whether somebody with all that the platform knew half an hour before the end, and no error, saw it coming."""
        end = stop.window.end_at + grace
        visits = self.foreseen(end - AHEAD)
        return any(visit.ends_at >= end for visit in visits if visit.stop.key == stop.key)


def _differs(stop: Stop, last: Stop | None) -> bool:
    return last is None or stop.model_copy(update={"changed_at": last.changed_at}) != last


def told(vans: Sequence[Van]) -> list[ToldVan]:
    return [ToldVan(van) for van in vans]
