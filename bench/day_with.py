"""The arm with Doorline: the real application between the emulators, with the same day, people and vans.

What counts is read from the emulators: Twilio's list of texts, Slack's posts and presses, the platform's tasks.
The day ends on the next morning after the quiet hours; second tries that are booked by then are drawn, not played.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from bench.day_channel import Channel
from bench.day_checks import Finding, Records, StopSeen, Text, findings
from bench.day_crowd import Crowd, Waiting
from bench.day_desk import Agenda, Desk, SpareVans, breakdowns
from bench.day_outcome import Answered, Outcome
from bench.day_stage import TIMEZONE, DayStage
from bench.day_texts import Texting
from bench.day_without import RECOVERABLE, chance_of
from bench.day_words import Meanings
from bot.settings import PROJECT_ROOT
from connectors.onfleet.payloads import from_ms
from connectors.onfleet.stage import OnfleetStage
from connectors.twilio.emulator_rules import Outcome as Carried
from connectors.world import PretendedDay
from connectors.world.driver_phones import DriverPhones
from connectors.world.people import Assumed, second_try_succeeds

STEP, NIGHT_STEP = timedelta(minutes=2), timedelta(minutes=20)
MORNING_AFTER = timedelta(hours=23, minutes=15)
"""After the day's start at nine: a quarter past eight, when the quiet hours are over."""
ARRIVES = Carried(("delivered",))
"""Told once: that it was sent before says nothing to anybody, and is a webhook more for each text."""
LANDLINE = Carried(("sent", "undelivered"), 30006)

Disturb = Callable[["DayWithDoorline", datetime], Awaitable[None]]


async def undisturbed(_day: "DayWithDoorline", _now: datetime) -> None:
    """A day on which every vendor works."""


class DayWithDoorline:
    """Hand it a stage whose app is running."""

    def __init__(
        self, stage: DayStage, seed: int, day_start: datetime, stops: int, disturb: Disturb = undisturbed
    ) -> None:
        self.stage = stage
        self._disturb = disturb
        self.day_start = day_start
        self.day = PretendedDay(
            seed,
            day_start,
            stages=[OnfleetStage(stage.onfleet)],
            now=stage.clock.now,
            stops=stops,
            timezone=TIMEZONE,
        )
        self.day.build()
        self._driver_phones = DriverPhones(self.day, seed, stage.twilio, now=stage.clock.now)
        self._broken = breakdowns(seed, day_start, [route.plan.key for route in self.day.routes])
        self._agenda = Agenda()
        began_at = stage.clock.now()
        self.desk = Desk(began_at)
        self._vans = SpareVans(self.day, began_at, self._agenda)
        self.crowd = Crowd(self.day, seed, self._is_asked)
        meanings = Meanings(PROJECT_ROOT / "nlu" / "domain")
        self.texting = Texting(stage, self.crowd, self._agenda, meanings)
        self._channel = Channel(stage, self.day, self.crowd, self._agenda, self.desk, self._vans)
        self._by_phone_call: list[Answered] = []
        for each in self.crowd.people:
            carried = LANDLINE if each.person.is_one_of(Assumed.LANDLINE) else ARRIVES
            stage.twilio.outcome_for(each.person.phone, carried)

    # --- the day ------------------------------------------------------------------------------

    async def live(self, until: datetime | None = None, step: timedelta = STEP) -> None:
        """Until the morning after, or `until`. By `step` while vans are out, and for three hours more."""
        end = until or self.day_start + MORNING_AFTER
        evening = max(visit.ends_at for route in self.day.routes for visit in route.visits)
        while (now := self.stage.clock.now()) < end:
            length = step if now < evening + timedelta(hours=3) else max(step, NIGHT_STEP)
            self.stage.clock.go_to(min(now + length, end))
            await self.step()

    async def step(self) -> None:
        now = self.stage.clock.now()
        while self._broken and self._broken[0].at <= now:
            broken = self._broken.pop(0)
            self.day.make_late(broken.route_key, broken.minutes, "vehicle")
        self.day.tick()
        await self.stage.platform_settled()
        await self._disturb(self, now)
        await self.stage.tick()
        self.texting.read()
        self._agenda.step(now)
        self.crowd.step(now)
        self._codes_reach_drivers()
        await self.texting.send()
        if await self._driver_phones.step():
            await self.stage.settled()
        await self._channel.step(now)
        self.texting.read()

    def _is_asked(self, each: Waiting, words: str, now: datetime) -> None:
        if not each.person.is_one_of(Assumed.LANDLINE):
            self.texting.asks(each, words, now)
            return
        done = self.desk.take(now, Assumed.HAND_ANSWER_MINUTES.minutes)
        self._by_phone_call.append(Answered(each.ref, now, done))
        self._agenda.at(done, lambda moment: self._is_answered_by_phone(each, moment))

    def _is_answered_by_phone(self, each: Waiting, moment: datetime) -> None:
        eta = self.day.eta(each.ref)
        self.crowd.hears(each, max(eta, moment) if eta else each.window_end, moment)

    def _codes_reach_drivers(self) -> None:
        """A code that stands in the platform's notes opens the gate."""
        for each in self.crowd.open():
            if self.crowd.wants_to_send_code(each) and each.person.gate_code in self._notes(each.ref):
                self.crowd.let_in(each)

    # --- the platform's record ----------------------------------------------------------------

    def _task(self, ref: str) -> dict[str, Any]:
        store = self.stage.onfleet.store
        found: dict[str, Any] = store.tasks.get(ref) or store.deleted_tasks[ref]
        return found

    def _notes(self, ref: str) -> str:
        return str(self._task(ref)["notes"])

    def _second_try(self, each: Waiting) -> dict[str, Any] | None:
        """A later task for the same parcel."""
        first = self._task(each.ref)
        key = (first["recipients"], _metadata(first).get("client"))
        closed_at = first["completionDetails"]["time"] or 0
        tasks: list[dict[str, Any]] = list(self.stage.onfleet.store.tasks.values())
        for task in tasks:
            is_same = (task["recipients"], _metadata(task).get("client")) == key
            if is_same and task["id"] != each.ref and (task["completeBefore"] or 0) > closed_at:
                return task
        return None

    def seen(self) -> dict[str, StopSeen]:
        return {each.ref: self._seen(each) for each in self.crowd.people}

    def _seen(self, each: Waiting) -> StopSeen:
        details = self._task(each.ref)["completionDetails"]
        over_at = from_ms(details["time"]) if details["time"] else None
        return StopSeen(
            ref=each.ref,
            phone=each.person.phone,
            timezone=TIMEZONE,
            day_at=self.day_start,
            delivered_at=over_at if details["success"] else None,
            failed_at=None if details["success"] else over_at,
        )

    # --- the end ------------------------------------------------------------------------------

    def records(self) -> Records:
        texting = self.texting
        return Records(texting.texts(), self.seen(), texting.sent.opted_out, TIMEZONE)

    def outcome(self) -> tuple[Outcome, list[Finding]]:
        records = self.records()
        found = findings(records)
        heard = {text.stop for text in records.texts if text.kind and text.stop and self._is_in_time(text)}
        people = {each.person.phone for each in self.crowd.people}
        sent = self.texting.sent
        outcome = Outcome(
            arm="with",
            people=self.crowd.people,
            answered=[*sent.answered, *self.texting.unanswered(), *self._by_phone_call],
            recovered={
                each.ref: self._is_recovered(each) for each in self.crowd.people if self._is_to_recover(each)
            },
            texts_to_recipients=sum(text.from_us and text.phone in people for text in records.texts),
            dispatcher_actions=self._channel.actions + len(self._by_phone_call),
            dispatcher_minutes=self.desk.minutes,
            saved_by_spare_vans=self._vans.saved,
            heard_in_time=heard,
            contradictions=sum(finding.check == "contradicting" for finding in found),
            opted_out=len(sent.opted_out),
            driver_answers=self._driver_answers(),
        )
        return outcome, found

    def _driver_answers(self) -> int:
        """The texts that drivers wrote; they only write when they are asked."""
        drivers = [route.plan.driver_phone for route in self.day.routes]
        written = [message for phone in drivers for message in self.stage.twilio.messages(phone)]
        return sum(message.direction == "inbound" for message in written)

    def _is_in_time(self, text: Text) -> bool:
        """Whether it says, before the window ends, that it will be later than that."""
        ends_at = self._window_end(text.stop)
        return text.at < ends_at and (text.kind == "running_late" or (text.eta or ends_at) > ends_at)

    def _window_end(self, ref: str) -> datetime:
        return next(each.window_end for each in self.crowd.people if each.ref == ref)

    def _is_to_recover(self, each: Waiting) -> bool:
        visit = self.crowd.visit_of(each)
        failure = visit.failure if visit is not None else None
        return each.fate == "failed" and failure is not None and failure.reason in RECOVERABLE

    def _is_recovered(self, each: Waiting) -> bool:
        """By the platform's own record: a second try that the recipient chose, or just the next day's."""
        second, talk = self._second_try(each), self.texting.talk_of(each)
        visit = self.crowd.visit_of(each)
        assert visit is not None, each.ref
        assert visit.failure is not None, each.ref
        was_agreed = second is not None and talk is not None and talk.turns > 0
        chance = chance_of(visit.failure.reason) if was_agreed else Assumed.TRY_UNASKED
        return second_try_succeeds(each.person, chance)


def _metadata(task: dict[str, Any]) -> dict[str, Any]:
    return {item["name"]: item.get("value") for item in task["metadata"]}
