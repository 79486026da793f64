"""When a driver is asked, what is too much for a van, who could take a route: edges first."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from bot.drivers.answers import concerns
from bot.drivers.models import DriverShift
from bot.drivers.replies import Reply
from bot.drivers.rules import (
    Overload,
    Run,
    RunStop,
    Step,
    ask_at,
    changed_much,
    deadline,
    next_step,
    overload_of,
    runs_of,
    suggestions_for,
)
from bot.drivers.texts import place_of
from bot.sop_desk import Shifts
from bot.stops.models import DriverRecord, RouteRecord
from connectors.base import RouteStatus, StopStatus
from connectors.desk import ShiftState

DAY = date(2026, 6, 9)
START = datetime(2026, 6, 9, 13, 0, tzinfo=UTC)
"""9 am in New York."""
RULES = Shifts(enabled=True, ask_before_minutes=90, answer_within_minutes=45)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def stop(**changes: Any) -> RunStop:
    values: dict[str, Any] = {
        "id": uuid4(),
        "platform": "onfleet",
        "platform_ref": uuid4().hex[:6],
        "driver_ref": "d1",
        "route_ref": None,
        "status": StopStatus.ASSIGNED,
        "timezone": "America/New_York",
        "zone": "North",
        "address_line": "14 Elm St",
        "window_start_at": START,
        "load": 1.0,
    }
    return RunStop(**values | changes)


def run(count: int = 5, **changes: Any) -> Run:
    (found,) = runs_of([stop(sequence=index, **changes) for index in range(count)])
    return found


def shift(state: ShiftState = ShiftState.ASKED, **changes: Any) -> DriverShift:
    values: dict[str, Any] = {
        "platform": "onfleet",
        "driver_ref": "d1",
        "day": DAY,
        "timezone": "America/New_York",
        "state": state,
        "stops": 5,
        "starts_at": START,
        "asked_at": START - minutes(90),
        "deadline_at": START - minutes(45),
    }
    return DriverShift(**values | changes)


# --- runs -----------------------------------------------------------------------------------------


def test_a_run_is_one_drivers_local_day_in_driving_order() -> None:
    evening = datetime(2026, 6, 10, 1, 0, tzinfo=UTC)
    late, first = stop(window_start_at=evening, sequence=1), stop(sequence=0)
    tomorrow = stop(window_start_at=evening + timedelta(hours=12))
    other = stop(driver_ref="d2")
    runs = runs_of([tomorrow, late, first, other])
    assert [(found.driver_ref, found.day, len(found.stops)) for found in runs] == [
        ("d1", DAY, 2),
        ("d2", DAY, 1),
        ("d1", DAY + timedelta(days=1), 1),
    ]
    assert runs[0].stops == (first, late)


@pytest.mark.parametrize(
    "left_out",
    [
        stop(driver_ref=None),
        stop(status=StopStatus.CANCELLED),
        stop(window_start_at=None),
    ],
)
def test_what_nobody_drives_or_planned_is_no_run(left_out: RunStop) -> None:
    assert runs_of([left_out]) == []


def test_the_routes_own_start_counts_before_the_first_promise() -> None:
    route = RouteRecord(
        platform="onfleet",
        platform_ref="r1",
        name="North 1",
        day=DAY,
        status=RouteStatus.PLANNED,
        starts_at=START - minutes(40),
        updated_at=START,
    )
    (found,) = runs_of([stop(route_ref="r1")], [route])
    assert (found.starts_at, found.route_name) == (START - minutes(40), "North 1")
    (found,) = runs_of([stop(route_ref="r2")], [route])
    assert found.starts_at == START


def test_a_plan_counts_before_a_promise() -> None:
    (found,) = runs_of([stop(planned_at=START + minutes(30)), stop(planned_at=START + minutes(10))])
    assert found.starts_at == START + minutes(10)


# --- asking ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before_start", "step"),
    [(90.1, Step.NOTHING), (90, Step.ASK), (1, Step.ASK), (0, Step.NOTHING), (-10, Step.NOTHING)],
)
def test_a_driver_is_asked_from_ninety_minutes_before_until_the_start(
    before_start: float, step: Step
) -> None:
    assert next_step(run(), None, RULES, START - minutes(before_start)) is step


def test_nobody_is_woken() -> None:
    """A start at 6:30 would be asked about at 5:00; half past five is early enough."""
    early = run(window_start_at=START - minutes(150))
    assert ask_at(early, RULES) == datetime(2026, 6, 9, 9, 30, tzinfo=UTC)


def test_on_the_day_the_clocks_change_half_past_five_is_half_past_five() -> None:
    spring = run(window_start_at=datetime(2026, 3, 8, 10, 0, tzinfo=UTC))
    assert ask_at(spring, RULES) == datetime(2026, 3, 8, 9, 30, tzinfo=UTC)
    day_before = run(window_start_at=datetime(2026, 3, 7, 11, 0, tzinfo=UTC))
    assert ask_at(day_before, RULES) == datetime(2026, 3, 7, 10, 30, tzinfo=UTC)


def test_an_answer_is_due_before_the_start_at_the_latest() -> None:
    assert deadline(run(), RULES, START - minutes(90)) == START - minutes(45)
    assert deadline(run(), RULES, START - minutes(10)) == START


@pytest.mark.parametrize(
    ("state", "now", "step"),
    [
        (ShiftState.ASKED, START - minutes(45.1), Step.NOTHING),
        (ShiftState.ASKED, START - minutes(45), Step.NO_ANSWER),
        (ShiftState.SILENT, START, Step.NOTHING),
        (ShiftState.REFUSED, START, Step.NOTHING),
        (ShiftState.CONFIRMED, START, Step.NOTHING),
        (ShiftState.NOT_ASKED, START - minutes(60), Step.NOTHING),
    ],
)
def test_the_deadline_counts_for_who_was_asked(state: ShiftState, now: datetime, step: Step) -> None:
    assert next_step(run(), shift(state), RULES, now) is step


def test_a_shift_that_was_kept_for_another_reason_is_asked_about() -> None:
    kept = shift(ShiftState.NOT_ASKED, asked_at=None, deadline_at=None, overload="load")
    assert next_step(run(), kept, RULES, START - minutes(60)) is Step.ASK


@pytest.mark.parametrize(
    ("state", "step"),
    [
        (ShiftState.ASKED, Step.BEGUN),
        (ShiftState.SILENT, Step.BEGUN),
        (ShiftState.CONFIRMED, Step.NOTHING),
        (ShiftState.REFUSED, Step.NOTHING),
    ],
)
def test_who_drives_has_said_yes(state: ShiftState, step: Step) -> None:
    (begun,) = runs_of([stop(status=StopStatus.OUT_FOR_DELIVERY), stop()])
    assert next_step(begun, shift(state), RULES, START) is step


def test_a_route_under_way_is_not_asked_about() -> None:
    (begun,) = runs_of([stop(status=StopStatus.DELIVERED), stop()])
    assert next_step(begun, None, RULES, START - minutes(60)) is Step.NOTHING


@pytest.mark.parametrize(
    ("count", "moved", "is_big"),
    [
        (5, 0, False),
        (7, 0, False),
        (3, 0, False),
        (8, 0, True),
        (2, 0, True),
        (5, 29.9, False),
        (5, 30, True),
        (5, -30, True),
    ],
)
def test_a_change_is_big_from_three_stops_or_half_an_hour_on(count: int, moved: float, is_big: bool) -> None:
    assert changed_much(run(count, window_start_at=START + minutes(moved)), shift()) is is_big


# --- capacity -------------------------------------------------------------------------------------


def driver(ref: str = "d1", **changes: Any) -> DriverRecord:
    values: dict[str, Any] = {
        "platform": "onfleet",
        "platform_ref": ref,
        "name": f"Driver {ref}",
        "zones": ["North"],
        "on_duty": True,
        "capacity": None,
    }
    return DriverRecord(**values | changes)


@pytest.mark.parametrize(
    ("capacity", "on_duty", "after_start", "overload"),
    [
        (5, True, -60, None),
        (4.9, True, -60, Overload.LOAD),
        (None, True, 60, None),
        (None, False, 14.9, None),
        (None, False, 15, Overload.OFF_DUTY),
        (None, None, 60, None),
        (4, False, 60, Overload.LOAD),
    ],
)
def test_a_van_is_too_full_above_its_capacity_and_a_driver_missing_after_a_grace(
    capacity: float | None, on_duty: bool | None, after_start: float, overload: Overload | None
) -> None:
    van = driver(capacity=capacity, on_duty=on_duty)
    assert overload_of(run(), van, START + minutes(after_start)) is overload


def test_a_run_that_is_over_is_never_too_much() -> None:
    (over,) = runs_of([stop(status=StopStatus.DELIVERED) for _ in range(9)])
    assert overload_of(over, driver(capacity=1, on_duty=False), START + minutes(600)) is None


# --- who else -------------------------------------------------------------------------------------


def names(drivers: list[DriverRecord], others: list[Run] | None = None, **more: Any) -> list[str]:
    found = suggestions_for(run(), drivers, others or [], **more)
    return [each.driver_ref for each in found]


def run_of(ref: str, count: int) -> Run:
    return run(count, driver_ref=ref)


@pytest.mark.parametrize(
    "unfit",
    [
        driver("d1"),
        driver("d2", on_duty=False),
        driver("d2", zones=["South"]),
        driver("d2", platform="route4me"),
        driver("d2", capacity=4.9),
    ],
)
def test_who_cannot_take_it_is_not_suggested(unfit: DriverRecord) -> None:
    assert names([unfit]) == []


def test_who_refused_is_not_suggested() -> None:
    assert names([driver("d2")], taken=frozenset({"d2"})) == []


@pytest.mark.parametrize(("count", "is_fit"), [(8, True), (9, False)])
def test_few_stops_of_their_own_are_no_hindrance(count: int, is_fit: bool) -> None:
    assert names([driver("d2")], [run_of("d2", count)]) == (["d2"] if is_fit else [])


def test_room_counts_what_is_on_the_van_already() -> None:
    assert names([driver("d2", capacity=7)], [run_of("d2", 3)]) == []
    assert names([driver("d2", capacity=8)], [run_of("d2", 3)]) == ["d2"]


def test_the_best_come_first() -> None:
    drivers = [
        driver("unknown", on_duty=None),
        driver("anywhere", zones=[]),
        driver("busy"),
        driver("idle", capacity=10),
        driver("roomy", capacity=50),
    ]
    assert names(drivers, [run_of("busy", 4)]) == ["roomy", "idle", "busy", "anywhere", "unknown"]


def test_at_most_five_are_suggested() -> None:
    assert len(names([driver(f"d{number}") for number in range(2, 30)])) == 5


# --- whose text it is -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "reply", "is_recipient", "concerned"),
    [
        (ShiftState.ASKED, Reply.YES, False, True),
        (ShiftState.ASKED, Reply.YES, True, True),
        (ShiftState.ASKED, Reply.NO, True, True),
        (ShiftState.ASKED, Reply.UNCLEAR, False, True),
        (ShiftState.ASKED, Reply.UNCLEAR, True, False),
        (ShiftState.SILENT, Reply.YES, False, True),
        (ShiftState.SILENT, Reply.NO, False, True),
        (ShiftState.SILENT, Reply.YES, True, False),
        (ShiftState.SILENT, Reply.UNCLEAR, False, False),
        (ShiftState.REFUSED, Reply.YES, False, True),
        (ShiftState.REFUSED, Reply.NO, False, False),
        (ShiftState.CONFIRMED, Reply.NO, False, True),
        (ShiftState.CONFIRMED, Reply.YES, False, False),
        (ShiftState.CONFIRMED, Reply.NO, True, False),
        (ShiftState.NOT_ASKED, Reply.YES, False, False),
    ],
)
def test_a_text_is_about_the_shift_only_where_it_must_be(
    state: ShiftState, reply: Reply, is_recipient: bool, concerned: bool
) -> None:
    now = START - minutes(1)
    assert concerns(shift(state), reply, now, is_recipient=is_recipient) is concerned


def test_after_the_start_a_no_is_the_bots_again() -> None:
    assert not concerns(shift(ShiftState.CONFIRMED), Reply.NO, START, is_recipient=False)


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("14 Elm St", "14 Elm St"),
        ("x" * 36, "x" * 36),
        ("1600 Very Long Boulevard North Building 7", "1600 Very Long Boulevard North Bu..."),
    ],
)
def test_an_address_is_cut_to_what_fits_into_a_text(line: str, place: str) -> None:
    assert place_of(line) == place
