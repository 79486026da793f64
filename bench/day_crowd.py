"""The recipients of a pretended day while it passes: what each goes by, asks, and does at the door."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from connectors.world import PretendedDay, Visit
from connectors.world.people import (
    Assumed,
    Expectation,
    Person,
    asks_at,
    comes_home,
    leaves_at,
    sends_code_beforehand,
)
from connectors.world.phrases import ASKS

PATIENCE = timedelta(minutes=15)
"""How long after a time that was named somebody still counts as told."""
ASKS_AGAIN_AFTER = timedelta(minutes=30)
MOST_ASKS = 3

Fate = Literal["delivered", "failed"]


@dataclass
class Waiting:
    """The recipient of one stop."""

    person: Person
    ref: str
    """The platform's name of the stop."""
    tracking: str
    expectation: Expectation
    turn: int = 0
    asked_at: list[datetime] = field(default_factory=list)
    waits_for_answer: bool = False
    told_at: list[datetime] = field(default_factory=list)
    has_come_home: bool = False
    has_left: bool = False
    fate: Fate | None = None
    ended_at: datetime | None = None
    by_spare_van: bool = False

    @property
    def window_end(self) -> datetime:
        return self.person.stop.window.end_at

    def is_late(self, at: datetime) -> bool:
        """Whether the promise is broken at `at`: neither delivered nor tried before its end."""
        return (self.ended_at or at) > self.window_end and at >= self.window_end


class Crowd:
    """Everybody of the day. `ask` is called with who asks and what they say."""

    def __init__(self, day: PretendedDay, seed: int, ask: Callable[[Waiting, str, datetime], None]) -> None:
        self._day = day
        self.zone = ZoneInfo(day.timezone)
        self._ask = ask
        self.people = [
            Waiting(
                Person(seed, stop),
                placement.platform_ref,
                placement.tracking,
                Expectation(stop.window.start_at, stop.window.end_at),
            )
            for placement, stop in day.planned()
        ]
        self.by_phone: dict[str, list[Waiting]] = {}
        for each in self.people:
            self.by_phone.setdefault(each.person.phone, []).append(each)

    def visit_of(self, each: Waiting) -> Visit | None:
        """How it truly goes."""
        return self._day.truth(each.ref)

    def open(self) -> Iterable[Waiting]:
        return [each for each in self.people if each.fate is None]

    def step(self, now: datetime) -> list[Waiting]:
        """Lets everybody notice what happened at their door, ask, or give up; gives whose stop has just ended."""
        ended = [each for each in self.open() if self._notices_end(each, now)]
        for each in self.people:
            if each.fate is None:
                self._waits(each, now)
            elif each.fate == "failed":
                self._wonders_why(each, now)
        return ended

    def _notices_end(self, each: Waiting, now: datetime) -> bool:
        visit = self._day.truth(each.ref)
        if each.by_spare_van:
            each.fate = "delivered"
        elif visit is None or visit.ends_at > now:
            return False
        else:
            each.fate, each.ended_at = "failed" if visit.failure else "delivered", visit.ends_at
        each.ended_at = each.ended_at or now
        return True

    def _waits(self, each: Waiting, now: datetime) -> None:
        if each.waits_for_answer:
            if (
                each.asked_at
                and now - each.asked_at[-1] >= ASKS_AGAIN_AFTER
                and len(each.asked_at) < MOST_ASKS
            ):
                self._asks(each, now)
        elif len(each.asked_at) < MOST_ASKS:
            at = asks_at(each.person, each.expectation, each.turn)
            if at is not None and at <= now:
                self._asks(each, now)
        leaving = leaves_at(each.person, each.expectation)
        if leaving is not None and leaving <= now and not each.has_left:
            each.has_left = True
            self._day.recipient_is(each.ref, home=False)

    def _wonders_why(self, each: Waiting, now: datetime) -> None:
        if each.ended_at is None or (each.asked_at and each.asked_at[-1] > each.ended_at):
            return
        if any(at >= each.ended_at for at in each.told_at):
            return
        after = timedelta(minutes=60 * each.person.luck("wonders after"))
        if now >= each.ended_at + after and each.person.is_one_of(Assumed.ASKS_WHY_FAILED):
            self._asks(each, now)

    def _asks(self, each: Waiting, now: datetime) -> None:
        words = each.person.chooses(f"words {len(each.asked_at)}", ASKS[each.person.language])
        each.asked_at.append(now)
        each.turn += 1
        each.waits_for_answer = True
        self._ask(each, words, now)

    def hears(self, each: Waiting, until: datetime | None, now: datetime) -> None:
        """Somebody is told something about their stop; `until` is the latest time that was named, if one was."""
        each.told_at.append(now)
        each.waits_for_answer = False
        if each.fate is not None:
            return
        # A time that was named and missed leaves people in the dark again, also within the window: the stricter
        # reading, which is to our disadvantage.
        latest = until + PATIENCE if until else max(each.expectation.until, now + ASKS_AGAIN_AFTER)
        each.expectation = Expectation(now, max(latest, now), is_news=True)
        self._may_come_home(each, now)

    def _may_come_home(self, each: Waiting, now: datetime) -> None:
        visit = self._day.truth(each.ref)
        if each.has_come_home or visit is None or visit.arrives_at is None:
            return
        if comes_home(each.person) and visit.arrives_at - now >= Assumed.TOLD_AHEAD_MINUTES.minutes:
            each.has_come_home = True
            self._day.recipient_is(each.ref, home=True)

    def wants_to_send_code(self, each: Waiting) -> bool:
        """Whether somebody who knows now that the van is coming would say how to get in."""
        return each.fate is None and not each.has_come_home and sends_code_beforehand(each.person)

    def let_in(self, each: Waiting) -> None:
        """The driver has the code: what would have failed for want of it goes well."""
        each.has_come_home = True
        self._day.recipient_is(each.ref, home=True)
