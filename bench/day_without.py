"""The arm without Doorline: the same day, people and vans; dispatchers answer, look and call back by hand.

Nobody is told anything unless they ask or are called. Dispatchers see late stops when they look at the map, or when
somebody whose stop is late asks. Simulated, all of it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bench.day_crowd import Crowd, Waiting
from bench.day_desk import Agenda, Breakdown, Desk, SpareVans, breakdowns
from bench.day_outcome import Answered, Outcome
from connectors.base import FailureReason
from connectors.world import Placement, PretendedDay, Standing
from connectors.world.evidence import LeftBehind
from connectors.world.people import Assumed, second_try_succeeds
from connectors.world.plan import PlannedRoute, PlannedStop
from connectors.world.town import Failure

STEP = timedelta(minutes=2)
TIMEZONE = "America/New_York"


class SilentStage:
    """A platform that only remembers: nobody is told of anything. Fulfils `connectors.world.stage.Stage`."""

    name = "silent"

    def __init__(self) -> None:
        self._standing: dict[str, Standing] = {}

    def add_route(self, route: PlannedRoute) -> str:
        return route.key

    def add_stop(
        self, stop: PlannedStop, route: PlannedRoute, driver_ref: str, created_at: datetime
    ) -> Placement:
        self._standing[stop.key] = Standing(stop.window, None, driver_ref)
        return Placement(stop.key, f"T{stop.key}")

    def complete(self, platform_ref: str, at: datetime, failure: Failure | None, left: LeftBehind) -> None:
        old = self._standing[platform_ref]
        self._standing[platform_ref] = Standing(old.window, at, old.driver_ref)

    def find_standing(self, platform_ref: str) -> Standing | None:
        return self._standing.get(platform_ref)

    def take_edits(self) -> list[str]:
        return []

    def set_duty(self, driver_ref: str, on_duty: bool, at: datetime) -> None: ...

    def report_position(self, driver_ref: str, latitude: float, longitude: float, at: datetime) -> None: ...

    def report_eta(self, platform_ref: str, eta: datetime, at: datetime) -> None: ...

    def start(self, platform_ref: str, at: datetime) -> None: ...

    def arrive(self, platform_ref: str, at: datetime) -> None: ...

    def take_off_route(self, platform_ref: str) -> None: ...

    def put_on_route(self, platform_ref: str, driver_ref: str) -> None: ...


@dataclass
class _Clock:
    at: datetime

    def now(self) -> datetime:
        return self.at


class DayByHand:
    def __init__(self, seed: int, day_start: datetime, stops: int) -> None:
        self._clock = _Clock(day_start - timedelta(minutes=90))
        self.day = PretendedDay(
            seed, day_start, stages=[SilentStage()], now=self._clock.now, stops=stops, timezone=TIMEZONE
        )
        self.day.build()
        self._broken = breakdowns(seed, day_start, [route.plan.key for route in self.day.routes])
        self._agenda = Agenda()
        self._desk = Desk(self._clock.at)
        self._vans = SpareVans(self.day, self._clock.at, self._agenda)
        self._crowd = Crowd(self.day, seed, self._is_asked)
        self._answered: list[Answered] = []
        self._recovered: dict[str, bool] = {}
        self._agenda.at(day_start, self._looks_at_the_map)
        self._evening = max(visit.ends_at for route in self.day.routes for visit in route.visits)

    def live(self) -> Outcome:
        while self._clock.at < self._evening + timedelta(hours=5):
            self._clock.at += STEP
            self._step(self._clock.at)
        return Outcome(
            arm="without",
            people=self._crowd.people,
            answered=self._answered,
            recovered=self._recovered,
            texts_to_recipients=sum(answer.answered_at is not None for answer in self._answered),
            dispatcher_actions=self._desk.actions,
            dispatcher_minutes=self._desk.minutes,
            saved_by_spare_vans=self._vans.saved,
            heard_in_time=self._heard_in_time(),
        )

    def _step(self, now: datetime) -> None:
        while self._broken and self._broken[0].at <= now:
            self._breaks_down(self._broken.pop(0))
        self.day.tick()
        self._agenda.step(now)
        for each in self._crowd.step(now):
            if each.fate == "failed":
                self._has_failed(each, now)

    def _breaks_down(self, breakdown: Breakdown) -> None:
        self.day.make_late(breakdown.route_key, breakdown.minutes, "vehicle")

    # --- what dispatchers do ------------------------------------------------------------------

    def _is_asked(self, each: Waiting, words: str, now: datetime) -> None:
        done = self._desk.take(now, Assumed.HAND_ANSWER_MINUTES.minutes)
        answer = Answered(each.ref, now, done)
        self._answered.append(answer)
        self._agenda.at(done, lambda moment: self._answers(each, moment))

    def _answers(self, each: Waiting, moment: datetime) -> None:
        eta = self.day.eta(each.ref)
        self._crowd.hears(each, max(eta, moment) if eta else each.window_end, moment)
        self._may_rescue(each, moment)

    def _looks_at_the_map(self, moment: datetime) -> None:
        if not list(self._crowd.open()):
            return
        done = self._desk.take(moment, Assumed.LOOK_MINUTES.minutes)
        self._agenda.at(done, self._rescues_who_is_late)
        self._agenda.at(moment + Assumed.LOOK_EVERY_MINUTES.minutes, self._looks_at_the_map)

    def _rescues_who_is_late(self, moment: datetime) -> None:
        for each in sorted(self._crowd.open(), key=lambda each: each.window_end):
            self._may_rescue(each, moment)

    def _may_rescue(self, each: Waiting, moment: datetime) -> None:
        eta = self.day.eta(each.ref)
        if eta is not None and eta > each.window_end and self._vans.can_save(each, moment):
            done = self._desk.take(moment, Assumed.RESCUE_CARE_MINUTES.minutes)
            if self._vans.can_save(each, done):
                self._vans.send(each, done)

    def _has_failed(self, each: Waiting, now: datetime) -> None:
        reason = self.reason(each)
        if reason not in RECOVERABLE:
            return
        chance = Assumed.TRY_UNASKED
        if each.person.is_one_of(Assumed.CALLED_BACK):
            done = self._desk.take(now, Assumed.HAND_CALL_MINUTES.minutes)
            if each.person.is_one_of(Assumed.REACHED_BY_PHONE):
                chance = chance_of(reason)
                self._agenda.at(done, lambda moment: self._crowd.hears(each, None, moment))
        self._recovered[each.ref] = second_try_succeeds(each.person, chance)

    def reason(self, each: Waiting) -> FailureReason:
        visit: Any = self.day.truth(each.ref)
        reason: FailureReason = visit.failure.reason
        return reason

    def _heard_in_time(self) -> set[str]:
        """Whose stop was late, and who heard of it before the window ended."""
        return {
            each.ref
            for each in self._crowd.people
            if each.expectation.is_news
            and any(at < each.window_end for at in each.told_at)
            and each.expectation.until > each.window_end
        }


RECOVERABLE = (
    FailureReason.ACCESS_ISSUE,
    FailureReason.RECIPIENT_UNAVAILABLE,
    FailureReason.ADDRESS_ISSUE,
)
"""Reasons for which a second try makes sense: neither refused nor damaged."""


def chance_of(reason: FailureReason) -> Assumed:
    """Of a second try that was agreed with the recipient."""
    return Assumed.TRY_BOOKED if reason is FailureReason.RECIPIENT_UNAVAILABLE else Assumed.TRY_WITH_CODE
