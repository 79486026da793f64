"""The pretended drivers: what they answer to the texts that Doorline really writes, and to nothing else."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.conversations.words import Words
from bot.drivers.reading import DriverAnswer, read_answer
from bot.drivers.replies import Reply, read_reply
from bot.settings import PROJECT_ROOT
from connectors.base import Address, DeliveryWindow, FailureReason
from connectors.onfleet.emulator import OnfleetEmulator
from connectors.onfleet.stage import OnfleetStage
from connectors.world import PretendedDay
from connectors.world.driver_phones import DriverPhones
from connectors.world.drivers import LATE, LATEST_SECONDS, SOONEST_SECONDS, Driver, held_up_by, reply_to
from connectors.world.plan import PlannedRoute, PlannedStop, plan_day
from connectors.world.route import RouteState
from connectors.world.truth import Change, ChangeKind
from tests.connectors.towns import TIMEZONE, Clock

NINE = datetime(2026, 6, 9, 13, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WORDS = Words(PROJECT_ROOT / "nlu" / "domain")
SLOTS = {"operator": "QuickShip", "eta": "4 pm", "stops": "15", "message": "how much longer?"}
PLAN = plan_day(3, NINE, 60)[2]


def asked(response: str, language: str = "en", *, place: str = "14 Elm St", number: str = "1") -> str:
    return WORDS.say(response, language, **SLOTS, place=place, number=number)


def habits(*, silent: bool = False, spanish: bool = False, plan: PlannedRoute = PLAN) -> Driver:
    """The first seed's driver with these habits."""
    drivers = (Driver(seed, plan) for seed in range(200))
    return next(each for each in drivers if (each.is_silent, each.writes_spanish) == (silent, spanish))


def delay(minutes: int, cause: str = "traffic", at: datetime = NINE + MINUTE) -> Change:
    return Change(at, ChangeKind.DELAY, length=minutes * MINUTE, cause=cause)


def route(*changes: Change) -> RouteState:
    """By the plan at 14 Elm St at 9:25, at 2B at 9:55, at 114 at 10:25, each with 20 minutes to spare."""
    lines = ("14 Elm St", "14 Elm St, 2B", "114 Elm St")
    stops = tuple(stop(number, line) for number, line in enumerate(lines))
    stage = OnfleetStage(OnfleetEmulator("key", "5c" * 32, now=lambda: NINE, timezone=TIMEZONE))
    return RouteState(replace(PLAN, departs_at=NINE, stops=stops, delays=()), stage, "W1", list(changes))


def stop(number: int, line: str) -> PlannedStop:
    at = NINE + (25 + 30 * number) * MINUTE
    return replace(
        PLAN.stops[0],
        key=f"S-{number}",
        address=Address(line=line, city="Stamford", postcode="06902"),
        window=DeliveryWindow(start_at=at - 120 * MINUTE, end_at=at + 20 * MINUTE),
        planned_at=at,
        travel=25 * MINUTE,
        service=5 * MINUTE,
        failure=None,
    )


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    ("response", "place", "minutes"),
    [
        ("utter_driver_stop_on_time", "14 Elm St", 70),
        ("utter_driver_stop_how_late", "14 Elm St, 2B", 100),
        ("utter_driver_on_time", "114 Elm St", 130),
        ("utter_driver_how_late", "14 Elm St, 2B", 100),
        # As some platforms write an address, and as a text cuts it.
        ("utter_driver_how_late", "14 Elm St, 2B, Stamford, CT 069...", 100),
        # The driver's app has another address: the number counts.
        ("utter_driver_stop_on_time", "99 Other Rd", 100),
    ],
)
def test_who_is_late_says_why_and_how_long_it_takes_to_that_stop(
    response: str, place: str, minutes: int, language: str
) -> None:
    body = asked(response, language, place=place, number="2")
    words = reply_to(habits(), body, route(delay(50)), NINE + 5 * MINUTE)
    assert words is not None
    assert read_answer(words) == DriverAnswer(root_cause=FailureReason.TRAFFIC, minutes=minutes)


@pytest.mark.parametrize(
    ("changes", "after", "expected"),
    [
        ((), 5, "1"),
        ((delay(19),), 5, "1"),
        # The window ends when it arrives.
        ((delay(20),), 5, "40"),
        ((delay(20),), 6, "40"),
        # Nobody foresees what is still to come.
        ((delay(50, at=NINE + 10 * MINUTE),), 5, "1"),
        # At the door, and gone.
        ((delay(50),), 76, "5"),
        ((delay(50),), 80, None),
        ((Change(NINE - MINUTE, ChangeKind.LEFT, "S-0"),), 5, None),
    ],
)
def test_the_answer_is_what_the_driver_can_know_by_then(
    changes: tuple[Change, ...], after: int, expected: str | None
) -> None:
    words = reply_to(habits(), asked("utter_driver_stop_on_time"), route(*changes), NINE + after * MINUTE)
    if expected in (None, "1"):
        assert words == expected
    else:
        assert words is not None
        assert read_answer(words).minutes == int(expected or 0)


@pytest.mark.parametrize(
    ("changes", "after", "cause"),
    [
        ((), 10, ""),
        ((delay(50, "vehicle"),), 0, ""),
        ((delay(5, "traffic"), delay(40, "vehicle", NINE + 2 * MINUTE)), 10, "vehicle"),
        # What is over explains less than what holds the van now, and is remembered when nothing does.
        ((delay(20, "depot"), delay(5, "traffic", NINE + 30 * MINUTE)), 32, "traffic"),
        ((delay(20, "depot"), delay(5, "traffic", NINE + 30 * MINUTE)), 60, "depot"),
    ],
)
def test_the_cause_is_the_delay_that_holds_the_van(
    changes: tuple[Change, ...], after: int, cause: str
) -> None:
    assert held_up_by(changes, NINE + after * MINUTE) == cause


CAUSES = {
    "traffic": FailureReason.TRAFFIC,
    "vehicle": FailureReason.VEHICLE,
    "depot": FailureReason.DEPOT,
    "weather": FailureReason.WEATHER,
}


@pytest.mark.parametrize("minutes", [5, 25, 115])
@pytest.mark.parametrize(
    ("cause", "phrase"),
    [(cause, phrase) for cause in LATE for phrases in LATE[cause].values() for phrase in phrases],
)
def test_doorline_reads_whatever_drivers_write(cause: str, phrase: str, minutes: int) -> None:
    answer = read_answer(phrase.format(minutes=minutes))
    expected = CAUSES.get(cause)
    assert answer.minutes == minutes
    assert answer.root_cause in ([expected] if expected else [None, FailureReason.DRIVER_DELAY])


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    "response", ["utter_driver_ask_shift", "utter_driver_ask_shift_one", "utter_driver_ask_again"]
)
def test_a_shift_is_confirmed(response: str, language: str) -> None:
    words = reply_to(habits(), asked(response, language), route(), NINE)
    assert read_reply(words or "") is Reply.YES


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    "response",
    [
        "utter_driver_answer_taken",
        "utter_driver_confirmed",
        "utter_driver_delay_taken",
        "utter_driver_dispatch_asks",
        "utter_driver_passed_on",
        "utter_driver_relay",
        "utter_driver_report_taken",
        "utter_driver_route_changed",
        "utter_driver_route_given",
        "utter_driver_stop_cancelled",
        "utter_driver_which_stop",
        "utter_driver_why_not_delivered",
    ],
)
def test_nothing_else_is_answered(response: str, language: str) -> None:
    body = WORDS.say(response, language, **SLOTS, place="14 Elm St", number="1", options="1) 14 Elm St")
    assert reply_to(habits(), body, route(delay(50)), NINE + 5 * MINUTE) is None


def test_some_never_answer_and_some_write_spanish_but_the_van_that_falls_behind_for_certain_answers() -> None:
    assert not any(Driver(seed, plan_day(seed, NINE, 24)[0]).is_silent for seed in range(50))
    drivers = [Driver(3, each) for each in plan_day(3, NINE, 2000)]
    assert 0.05 < sum(each.is_silent for each in drivers) / len(drivers) < 0.2
    assert 0.1 < sum(each.writes_spanish for each in drivers) / len(drivers) < 0.3
    late, body = route(delay(50)), asked("utter_driver_stop_how_late")
    assert reply_to(habits(silent=True), body, late, NINE + 5 * MINUTE) is None
    assert reply_to(habits(silent=True), asked("utter_driver_ask_shift"), late, NINE) is None
    late = route(delay(50, "depot"))
    assert reply_to(habits(spanish=True), body, late, NINE + 5 * MINUTE) == (
        "me cargaron tarde en la bodega, 70 min más"
    )


# --- their phones ---


@dataclass(frozen=True)
class Sms:
    sid: str
    body: str
    created_at: datetime
    direction: str = "outbound-api"
    status: str = "delivered"


@dataclass
class Carrier:
    """Twilio's list, kept by a carrier that may die after it took a text."""

    phone: str
    sms: list[Sms]
    brought: list[tuple[str, str]] = field(default_factory=list)
    dies: bool = False

    def messages(self, phone: str) -> list[Sms]:
        return self.sms if phone == self.phone else []

    async def text(self, sender: str, body: str, *, sid: str) -> None:
        self.brought.append((body, sid))
        if self.dies:
            raise ConnectionResetError


def phones(carrier: Carrier, clock: Clock, folder: Path) -> DriverPhones:
    ledger = folder / "demo.db"
    emulator = OnfleetEmulator("key", "5c" * 32, now=clock, timezone=TIMEZONE, ledger_path=ledger)
    day = PretendedDay(3, NINE, stages=[OnfleetStage(emulator)], now=clock, stops=60, ledger_path=ledger)
    day.build()
    return DriverPhones(day, habits().seed, carrier, now=clock, ledger_path=ledger)


def question(sid: str, **changes: object) -> Sms:
    return replace(Sms(sid, asked("utter_driver_ask_shift"), NINE), **changes)  # type: ignore[arg-type]


async def test_a_text_is_answered_once_after_some_seconds_whoever_dies_meanwhile(tmp_path: Path) -> None:
    clock, carrier = Clock(NINE), Carrier(PLAN.driver_phone, [question("SM1")])
    clock.at = NINE + timedelta(seconds=SOONEST_SECONDS - 1)
    assert await phones(carrier, clock, tmp_path).step() == 0
    clock.at = NINE + timedelta(seconds=LATEST_SECONDS)
    carrier.dies = True
    with pytest.raises(ConnectionResetError):
        await phones(carrier, clock, tmp_path).step()
    carrier.dies = False
    assert await phones(carrier, clock, tmp_path).step() == 1
    assert await phones(carrier, clock, tmp_path).step() == 0
    # The same name both times: one text, brought twice.
    assert [body for body, _ in carrier.brought] == ["1", "1"]
    assert len({sid for _, sid in carrier.brought}) == 1


@pytest.mark.parametrize(
    "changes", [{"direction": "inbound"}, {"status": "undelivered"}, {"status": "queued"}]
)
async def test_only_what_reached_the_phone_is_answered(tmp_path: Path, changes: dict[str, str]) -> None:
    carrier = Carrier(PLAN.driver_phone, [question("SM1", **changes), question("SM2")])
    assert await phones(carrier, Clock(NINE + MINUTE), tmp_path).step() == 1
