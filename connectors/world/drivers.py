"""What pretended drivers answer when they are asked by text. Simulated and pure: the same for one seed.

Drivers know their own route and what holds it up, and nothing of the delays that are still to come. Whoever is late
rounds the minutes up to five. Free words of a dispatcher, and everything that is no question, stay unanswered.
"""

import math
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.world.people import Assumed
from connectors.world.plan import PlannedRoute
from connectors.world.route import RouteState
from connectors.world.truth import Change, ChangeKind, Visit, known_at, window_at

SOONEST_SECONDS, LATEST_SECONDS = 10, 30
"""From the arrival of a question until its answer, by the day's clock."""
ROUNDED_TO = timedelta(minutes=5)

ASKS_ABOUT_STOP: Mapping[str, str] = {"en": "2 traffic, 3 access", "es": "2 tráfico, 3 acceso"}
"""How a question about a stop is told from everything else, by language: it offers its answers."""
ASKS_ABOUT_SHIFT = ("Reply 1 to confirm", "Reply 1 if you", "Responda 1 si la hace", "Responda 1 si hace")
CERTAIN_ROUTE = "R-001"
"""What is certain to fall behind (`plan_day`) has a driver who answers, whatever the seed."""
NUMBERED = re.compile(r"\b(?:stop|parada) (\d+),")

LATE: Mapping[str, Mapping[str, Sequence[str]]] = {
    "traffic": {
        "en": ("2 {minutes}", "stuck in traffic, {minutes} more min", "traffic {minutes}"),
        "es": ("2 {minutes}", "mucho tráfico, {minutes} min más"),
    },
    "vehicle": {
        "en": ("4 {minutes}", "flat tire, {minutes} more min"),
        "es": ("4 {minutes}", "se ponchó una llanta, {minutes} min más"),
    },
    "depot": {
        "en": ("loaded late at the depot, {minutes} more min",),
        "es": ("me cargaron tarde en la bodega, {minutes} min más",),
    },
    "weather": {
        "en": ("heavy rain, {minutes} more min",),
        "es": ("mucha lluvia, {minutes} min más",),
    },
    "": {
        "en": ("{minutes} min", "running behind, {minutes} more min"),
        "es": ("{minutes} min", "voy atrasado, {minutes} min más"),
    },
}
"""By the cause of the delay; the empty one is for a van that is late without one."""


@dataclass(frozen=True)
class Driver:
    """Who drives a route, with the habits that this day has for them."""

    seed: int
    route: PlannedRoute

    @property
    def phone(self) -> str:
        return self.route.driver_phone

    def luck(self, question: str) -> float:
        """Between 0 and 1, the same whenever the same is asked."""
        return random.Random(f"drivers:{self.seed}:{self.route.key}:{question}").random()

    @property
    def is_silent(self) -> bool:
        is_certain = self.route.key == CERTAIN_ROUTE
        return not is_certain and self.luck("silent") < Assumed.DRIVERS_SILENT.number

    @property
    def writes_spanish(self) -> bool:
        return self.luck("spanish") < Assumed.DRIVERS_SPANISH.number

    def answers_after(self, body: str) -> timedelta:
        seconds = SOONEST_SECONDS + (LATEST_SECONDS - SOONEST_SECONDS) * self.luck(f"after {body}")
        return timedelta(seconds=round(seconds))


def reply_to(driver: Driver, body: str, route: RouteState, now: datetime) -> str | None:
    """What the driver writes back at `now` to a text of ours; None: nothing, ever."""
    if driver.is_silent:
        return None
    if any(sign in body for sign in ASKS_ABOUT_SHIFT):
        return "1"
    language = next((each for each, sign in ASKS_ABOUT_STOP.items() if sign in body), None)
    visit = asked_about(body, route, now) if language is not None else None
    if language is None or visit is None or visit.arrives_at is None or visit.ends_at <= now:
        return None
    if visit.arrives_at < window_at(visit.stop, route.changes, now).end_at:
        return "1"
    return _is_late(driver, "es" if driver.writes_spanish else language, visit, route, now)


def asked_about(body: str, route: RouteState, now: datetime) -> Visit | None:
    """By the place that the text names, else by the stop's number on the route.

    Of two parcels for one door it is the first that is still to come.
    """
    visits = route.foreseen(now)
    named = [visit for visit in visits if _names(body, visit.stop.address.line)]
    if not named:
        number = NUMBERED.search(body)
        key = _key_of(route.plan, int(number[1])) if number else None
        return next((visit for visit in visits if visit.stop.key == key), None)
    # `14 Elm St` stands in `14 Elm St, 2B` too.
    longest = max(len(visit.stop.address.line) for visit in named)
    exactly = [visit for visit in named if len(visit.stop.address.line) == longest]
    return next((visit for visit in exactly if visit.ends_at > now), exactly[-1])


def _names(body: str, line: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(line)}(?!\w)", body) is not None


def _key_of(plan: PlannedRoute, number: int) -> str | None:
    return plan.stops[number - 1].key if 1 <= number <= len(plan.stops) else None


def held_up_by(changes: Sequence[Change], now: datetime) -> str:
    """The cause of the delay that holds the van, else of the longest so far; empty where there was none."""
    delays = [change for change in known_at(changes, now) if change.kind is ChangeKind.DELAY]
    if not delays:
        return ""
    return max(delays, key=lambda delay: (now < delay.at + delay.length, delay.length)).cause


def _is_late(driver: Driver, language: str, visit: Visit, route: RouteState, now: datetime) -> str:
    phrases = LATE.get(held_up_by(route.changes, now), LATE[""])[language]
    words = phrases[int(driver.luck(f"words {visit.stop.key}") * len(phrases))]
    return words.format(minutes=_minutes_until(visit.arrives_at or now, now))


def _minutes_until(moment: datetime, now: datetime) -> int:
    """Rounded up to five, and never none: who stands at the door has still to ring."""
    steps = max(1, math.ceil((moment - now) / ROUNDED_TO))
    return int(steps * ROUNDED_TO.total_seconds() // 60)
