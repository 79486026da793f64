"""The dispatchers' side of a pretended day, the same in both arms: their time, and the spare vans."""

import heapq
import itertools
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bench.day_crowd import Waiting
from connectors.world import PretendedDay
from connectors.world.people import Assumed


class Agenda:
    """What happens later, in order."""

    def __init__(self) -> None:
        self._due: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._count = itertools.count()

    def at(self, moment: datetime, do: Callable[[datetime], None]) -> None:
        heapq.heappush(self._due, (moment, next(self._count), do))

    def step(self, now: datetime) -> None:
        """Does what is due; each is told the moment at which it was."""
        while self._due and self._due[0][0] <= now:
            moment, _, do = heapq.heappop(self._due)
            do(moment)


@dataclass
class Desk:
    """Dispatchers who do one thing after the other, as it comes in."""

    began_at: datetime
    free_at: list[datetime] = field(default_factory=list)
    actions: int = 0
    minutes: float = 0.0

    def __post_init__(self) -> None:
        self.free_at = [self.began_at] * int(Assumed.DISPATCHERS.number)

    def take(self, at: datetime, care: timedelta) -> datetime:
        """When somebody has done what came in at `at` and takes `care`."""
        first = min(range(len(self.free_at)), key=lambda index: self.free_at[index])
        done = max(at, self.free_at[first]) + care
        self.free_at[first] = done
        self.actions += 1
        self.minutes += care.total_seconds() / 60
        return done


class SpareVans:
    """Each takes one parcel at a time to its recipient, where that can still be in time."""

    def __init__(self, day: PretendedDay, began_at: datetime, agenda: Agenda) -> None:
        self._day = day
        self._agenda = agenda
        count = max(1, round(len(day.routes) / Assumed.ROUTES_PER_SPARE_VAN.number))
        self._free_at = [began_at] * count
        self._sent: set[str] = set()
        self.saved = 0

    def can_save(self, each: Waiting, at: datetime) -> bool:
        return (
            each.fate is None
            and each.ref not in self._sent
            and max(at, min(self._free_at)) + Assumed.RESCUE_MINUTES.minutes <= each.window_end
            and not self._is_at_the_door(each, at)
        )

    def _is_at_the_door(self, each: Waiting, at: datetime) -> bool:
        visit = self._day.truth(each.ref)
        return visit is None or visit.starts_at <= at

    def send(self, each: Waiting, at: datetime) -> None:
        """Call only what `can_save`."""
        van = min(range(len(self._free_at)), key=lambda index: self._free_at[index])
        arrives = max(at, self._free_at[van]) + Assumed.RESCUE_MINUTES.minutes
        self._free_at[van] = arrives
        self._sent.add(each.ref)
        self._agenda.at(arrives, lambda moment: self._deliver(each, moment))

    def _deliver(self, each: Waiting, moment: datetime) -> None:
        visit = self._day.truth(each.ref)
        if each.fate is not None or visit is None or visit.starts_at <= moment:
            return
        self._day.deliver_by_another_van(each.ref)
        each.by_spare_van, each.ended_at = True, moment
        self.saved += 1


@dataclass(frozen=True)
class Breakdown:
    at: datetime
    route_key: str
    minutes: int


def breakdowns(seed: int, day_start: datetime, route_keys: Sequence[str]) -> list[Breakdown]:
    """Vans that stand still for long: the same in both arms, in the order in which they break down."""
    rng = random.Random(f"breakdowns:{seed}:{len(route_keys)}")
    struck = rng.sample(list(route_keys), max(1, math.ceil(Assumed.BREAKDOWNS.number * len(route_keys))))
    found = [
        Breakdown(day_start + timedelta(minutes=rng.randint(20, 240)), key, rng.randint(60, 120))
        for key in struck
    ]
    return sorted(found, key=lambda each: each.at)
