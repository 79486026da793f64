"""Days that go wrong in one way, on top of the small delays of any day. Pure, the same for one seed.

A platform does not hear of a mishap's length at once: drivers and traffic services tell it after a while. Some vans
have no ETAs at all, and some drivers fall silent for an hour.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from connectors.world.plan import Delay, PlannedRoute, plan_day
from connectors.world.truth import Change, ChangeKind

BROKEN_SHARE = 0.10
SILENT_SHARE = 0.04
BLIND_SHARE = 0.06
SILENT_FOR = timedelta(minutes=60)
WAVE = (timedelta(minutes=60), timedelta(minutes=240))
"""After the day's start, a wave of traffic and weather rolls over a zone."""
WAVE_STEP = timedelta(minutes=30)


class BadDay(StrEnum):
    BREAKDOWNS = "breakdowns"
    """One van in ten stands still for one to two hours."""
    WEATHER = "weather"
    """In one zone everybody gets slower for three hours."""
    LATE_DEPOT = "late_depot"
    """The vans of one zone get their load too late."""


TOLD_AFTER: Mapping[str, timedelta] = {
    "vehicle": timedelta(minutes=10),
    "traffic": timedelta(minutes=8),
    "weather": timedelta(minutes=5),
    "depot": timedelta(minutes=15),
}
"""How long after it began a platform knows how long a mishap lasts; until then, only how long it has lasted."""


@dataclass(frozen=True)
class Van:
    """A route with what its platform does not see of it."""

    route: PlannedRoute
    is_blind: bool = False
    """The platform has no ETAs of it."""
    silent_from: datetime | None = None

    def is_silent(self, now: datetime) -> bool:
        return self.silent_from is not None and self.silent_from <= now < self.silent_from + SILENT_FOR

    def known_until(self, now: datetime) -> datetime:
        """Up to when the platform knows what happened."""
        return self.silent_from if self.silent_from is not None and self.is_silent(now) else now


def bad_day(kind: BadDay, seed: int, day_start: datetime, stops: int) -> tuple[Van, ...]:
    rng = random.Random(f"bad day:{kind}:{seed}:{stops}")
    routes = plan_day(seed, day_start, stops)
    struck_zone = rng.choice(routes).zone
    vans = []
    for route in routes:
        is_struck = (
            route.zone is struck_zone if kind is not BadDay.BREAKDOWNS else rng.random() < BROKEN_SHARE
        )
        mishaps = _MISHAPS[kind](rng, route, day_start) if is_struck else []
        struck = replace(route, delays=tuple(sorted([*route.delays, *mishaps], key=lambda delay: delay.at)))
        vans.append(_with_blindness(rng, struck, day_start))
    return tuple(vans)


def _with_blindness(rng: random.Random, route: PlannedRoute, day_start: datetime) -> Van:
    is_blind, is_silent, after = rng.random() < BLIND_SHARE, rng.random() < SILENT_SHARE, rng.randint(30, 240)
    return Van(route, is_blind, day_start + timedelta(minutes=after) if is_silent else None)


def _breakdown(rng: random.Random, route: PlannedRoute, day_start: datetime) -> Sequence[Delay]:
    at = day_start + timedelta(minutes=rng.randint(20, 240))
    return [Delay(at, timedelta(minutes=rng.randint(60, 120)), "vehicle")]


def _wave(rng: random.Random, route: PlannedRoute, day_start: datetime) -> Sequence[Delay]:
    begin, end = WAVE
    steps = (end - begin) // WAVE_STEP
    return [
        Delay(
            day_start + begin + step * WAVE_STEP + timedelta(minutes=rng.randint(0, 20)),
            timedelta(minutes=rng.randint(5, 16)),
            "weather",
        )
        for step in range(steps)
    ]


def _late_load(rng: random.Random, route: PlannedRoute, day_start: datetime) -> Sequence[Delay]:
    at = route.departs_at - timedelta(seconds=1)
    return [Delay(at, timedelta(minutes=rng.randint(40, 90)), "depot")]


_MISHAPS = {BadDay.BREAKDOWNS: _breakdown, BadDay.WEATHER: _wave, BadDay.LATE_DEPOT: _late_load}


def as_told(changes: Sequence[Change], now: datetime, *, lengths: bool = True) -> list[Change]:
    """The delays as a platform knows them at `now`: those that began, each as long as it is known to be.

    Without `lengths` it only ever sees how long one has lasted.
    """
    return [
        replace(change, length=_known_length(change, now, lengths))
        if change.kind is ChangeKind.DELAY
        else change
        for change in changes
        if change.at <= now
    ]


def _known_length(change: Change, now: datetime, lengths: bool) -> timedelta:
    told_after = TOLD_AFTER.get(change.cause, timedelta(0))
    if lengths and now >= change.at + told_after:
        return change.length
    return min(change.length, now - change.at)
