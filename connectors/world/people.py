"""The people of a pretended day: who waits, who asks, who answers, who is home. Pure, the same for one seed.

A model of people, not people: every number stands in `Assumed` with what it means. Each person's luck depends on the
seed, the stop and the question alone, so that two ways of running one day meet the same people.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache
from itertools import pairwise

from connectors.base import FailureReason
from connectors.world.plan import PlannedStop


class Assumed(Enum):
    """Shares between 0 and 1, and minutes."""

    SPANISH = 0.15, "share of recipients who write Spanish"
    LANDLINE = 0.03, "share whose number takes no texts; they call instead of texting"
    OPTS_OUT = 0.005, "share who want no more texts, and say so after the first one that they did not ask for"
    OPTS_OUT_BY_KEYWORD = 0.7, "of those, the share who text STOP; the others use words of their own"
    ASKS_IN_WINDOW = 0.06, "share who ask where it is before their window ends, having heard nothing"
    ASKS_20_LATE = 0.25, "share who have asked 20 minutes after it was due, having heard nothing since"
    ASKS_60_LATE = 0.55, "the same, an hour after it was due"
    ASKS_120_LATE = 0.75, "the same, two hours after it was due; the others never ask"
    ASKS_THOUGH_TOLD = 0.01, "share who ask before the time that they were told has come"
    ASKS_WHY_FAILED = 0.35, "share who ask within an hour of a failed delivery of which nobody told them"
    LEAVES = (
        0.06,
        "share who leave 20 minutes after it was due, untold of the delay, so that the delivery fails",
    )
    LEAVES_THOUGH_TOLD = (
        0.02,
        "the same of those who were told, 20 minutes after the time that they were told",
    )
    COMES_HOME = 0.5, "share of those who would be out, but are there when told ten minutes before or earlier"
    CODE_BEFOREHAND = 0.2, "share who send the gate's code unasked once they know that the van is coming"
    TOLD_AHEAD_MINUTES = 10, "minutes that somebody who is out needs to be home"
    ANSWERS = 0.70, "share who answer when asked what to do about a failed delivery"
    ANSWERS_REMINDER = 0.30, "of the others, the share who answer the reminder"
    ANSWER_MINUTES = 12, "median of the minutes until they answer, log-normal with sigma 1.1"
    TRY_BOOKED = 0.93, "share of second tries that succeed at the time that the recipient chose"
    TRY_WITH_CODE = 0.95, "the same where an access code or a corrected address was given"
    TRY_UNASKED = 0.65, "the same on the next day, without a word from the recipient"
    REACHED_BY_PHONE = 0.45, "share of recipients who pick up when a dispatcher calls them back by hand"
    CALLED_BACK = 0.60, "share of failed deliveries for which dispatchers find the time to call back"
    HAND_ANSWER_MINUTES = 4, "a dispatcher's minutes to answer one text or call: find the stop, look, write"
    HAND_CALL_MINUTES = 6, "a dispatcher's minutes to call back after a failed delivery"
    RESCUE_CARE_MINUTES = 5, "a dispatcher's minutes to send a spare van"
    LOOK_EVERY_MINUTES = (
        60,
        "minutes between two looks at the whole map for late stops, where nothing watches",
    )
    LOOK_MINUTES = 10, "a dispatcher's minutes for one such look"
    NOTICES_POST_MINUTES = 4, "a dispatcher's minutes until a post in the channel is seen"
    RESCUE_MINUTES = 40, "minutes from sending a spare van until it has delivered one parcel"
    ROUTES_PER_SPARE_VAN = 25, "one spare van for so many routes, at least one"
    DISPATCHERS = 2, "dispatchers on shift"
    BREAKDOWNS = (
        0.10,
        "share of vans that stand still for one to two hours, on top of the small delays of any day",
    )
    DRIVERS_SILENT = 0.12, "share of drivers who never answer a text"
    DRIVERS_SPANISH = 0.20, "share of drivers who write Spanish, whatever language they are asked in"

    @property
    def number(self) -> float:
        number, _ = self.value
        return float(number)

    @property
    def says(self) -> str:
        _, says = self.value
        return str(says)

    @property
    def minutes(self) -> timedelta:
        return timedelta(minutes=self.number)


LATER = (timedelta(0), timedelta(minutes=20), timedelta(minutes=60), timedelta(minutes=120))
GATE_CODES = ("4471#", "2580", "0916*", "#7713")
SIGMA = 1.1


@lru_cache(maxsize=200_000)
def _luck(name: str) -> float:
    return random.Random(name).random()


@dataclass(frozen=True)
class Expectation:
    """What somebody goes by: the window that was promised, or the newest that they were told."""

    since: datetime
    until: datetime
    """When it should be there at the latest."""
    is_news: bool = False


@dataclass(frozen=True)
class Person:
    """The recipient of one stop, with the luck that this day has for them."""

    seed: int
    stop: PlannedStop

    def luck(self, question: str) -> float:
        """Between 0 and 1, the same whenever the same is asked."""
        return _luck(f"people:{self.seed}:{self.stop.key}:{question}")

    def is_one_of(self, share: Assumed, question: str = "") -> bool:
        return self.luck(question or share.name) < share.number

    @property
    def language(self) -> str:
        return "es" if self.is_one_of(Assumed.SPANISH) else "en"

    @property
    def phone(self) -> str:
        return self.stop.recipient_phone

    @property
    def gate_code(self) -> str:
        return GATE_CODES[int(self.luck("gate code") * len(GATE_CODES))]

    def answers_after(self) -> timedelta:
        """From being asked; at most three hours."""
        rng = random.Random(f"people:{self.seed}:{self.stop.key}:answers after")
        minutes = Assumed.ANSWER_MINUTES.number * rng.lognormvariate(0, SIGMA)
        return timedelta(minutes=min(180.0, max(1.0, minutes)))

    def chooses(self, question: str, among: Sequence[str]) -> str:
        return among[int(self.luck(question) * len(among))]


def asks_at(person: Person, expectation: Expectation, turn: int) -> datetime | None:
    """When somebody who hears nothing more asks where it is; None: never. `turn` counts what they asked before."""
    luck = person.luck(f"asks {turn}")
    length = max(expectation.until - expectation.since, timedelta(0))
    soon = Assumed.ASKS_THOUGH_TOLD if expectation.is_news else Assumed.ASKS_IN_WINDOW
    shares = [soon, Assumed.ASKS_20_LATE, Assumed.ASKS_60_LATE, Assumed.ASKS_120_LATE]
    points = [(0.0, expectation.since), (soon.number, expectation.since + length)]
    points += [
        (share.number, expectation.until + later) for share, later in zip(shares[1:], LATER[1:], strict=True)
    ]
    for (low, begin), (high, end) in pairwise(points):
        if low <= luck < high:
            return begin + (end - begin) * ((luck - low) / (high - low))
    return None


def leaves_at(person: Person, expectation: Expectation) -> datetime | None:
    """When somebody gives up waiting and goes out; None: they stay."""
    share = Assumed.LEAVES_THOUGH_TOLD if expectation.is_news else Assumed.LEAVES
    # One question for both: whoever leaves though told would have left untold.
    return expectation.until + LATER[1] if person.is_one_of(share, "leaves") else None


def comes_home(person: Person) -> bool:
    """Whether being told in time mends what the plan foresaw."""
    failure = person.stop.failure
    is_out = failure is not None and failure.reason is FailureReason.RECIPIENT_UNAVAILABLE
    return is_out and person.is_one_of(Assumed.COMES_HOME)


def sends_code_beforehand(person: Person) -> bool:
    failure = person.stop.failure
    is_locked = failure is not None and failure.reason is FailureReason.ACCESS_ISSUE
    return is_locked and person.is_one_of(Assumed.CODE_BEFOREHAND)


def second_try_succeeds(person: Person, chance: Assumed) -> bool:
    return person.is_one_of(chance, "second try")


def assumptions() -> dict[str, dict[str, float | str]]:
    return {each.name.lower(): {"value": each.number, "means": each.says} for each in Assumed}
