"""When a driver gets where by the pace of the route: tables first, then what holds for any route."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sla.pace import Pace, RouteStop, pace_of, told_behind
from bot.sop_sla import Estimate
from connectors.base import StopStatus

NINE = datetime(2026, 6, 9, 13, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RULES = Estimate(service_minutes=5, speed_kmh=30, detour=1.0, spread_minutes=4, spread_percent=10)


def stop(
    number: int,
    planned: int | None = None,
    done: int | None = None,
    arrived: int | None = None,
    *,
    status: StopStatus | None = None,
    sequence: int | None = -1,
    north_km: float | None = None,
) -> RouteStop:
    """Minutes count from nine; a stop that is done was reached two minutes before."""
    if status is None:
        status = StopStatus.DELIVERED if done is not None else StopStatus.OUT_FOR_DELIVERY
    if arrived is None and done is not None:
        arrived = done - 2
    return RouteStop(
        stop_id=UUID(int=number),
        status=status,
        sequence=number if sequence == -1 else sequence,
        planned_at=None if planned is None else NINE + planned * MINUTE,
        arrived_at=None if arrived is None else NINE + arrived * MINUTE,
        completed_at=None if done is None else NINE + done * MINUTE,
        service=5 * MINUTE,
        place=None if north_km is None else (41.0 + north_km / 111.195, -73.0),
    )


def arrivals(pace: Pace) -> dict[int, int]:
    """Minutes after nine by stop."""
    return {key.int: round((found.at - NINE) / MINUTE) for key, found in pace.arrivals.items()}


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (20, {2: 30, 3: 50}),
        (30, {2: 30, 3: 50}),
        (45, {2: 45, 3: 65}),
    ],
)
def test_a_route_on_plan_goes_on_as_planned_and_slips_when_nothing_happens(
    now: int, expected: dict[int, int]
) -> None:
    route = [stop(1, planned=10, done=15, arrived=10), stop(2, planned=30), stop(3, planned=50)]
    assert arrivals(pace_of(route, RULES, NINE + now * MINUTE)) == expected


def test_a_driver_who_is_late_at_one_stop_is_late_at_the_next() -> None:
    route = [stop(1, planned=10, done=55, arrived=50), stop(2, planned=30), stop(3, planned=50)]
    assert arrivals(pace_of(route, RULES, NINE + 56 * MINUTE)) == {2: 70, 3: 90}


def test_a_van_that_has_not_left_the_depot_has_its_first_leg_still_before_it() -> None:
    route = [stop(1, planned=10, status=StopStatus.ASSIGNED), stop(2, planned=30, status=StopStatus.ASSIGNED)]
    assert arrivals(pace_of(route, RULES, NINE)) == {1: 10, 2: 30}
    assert arrivals(pace_of(route, RULES, NINE + 40 * MINUTE)) == {1: 50, 2: 70}


def test_without_a_plan_the_distance_tells() -> None:
    route = [stop(1, done=10, north_km=0), stop(2, north_km=5), stop(3, north_km=10)]
    assert arrivals(pace_of(route, RULES, NINE + 11 * MINUTE)) == {2: 20, 3: 35}


def test_the_speed_that_a_route_has_shown_counts_more_than_the_usual_one() -> None:
    """Ten kilometres in an hour so far: half the speed of the rules would be three times as fast."""
    slow = [stop(1, done=0, north_km=0), stop(2, done=62, arrived=60, north_km=10), stop(3, north_km=15)]
    assert arrivals(pace_of(slow, RULES, NINE + 62 * MINUTE)) == {3: 92}


@pytest.mark.parametrize(
    "route",
    [
        [stop(1, status=StopStatus.ASSIGNED)],
        [stop(1, done=10), stop(2)],
        [stop(1, done=10, north_km=0), stop(2, sequence=None, north_km=5)],
    ],
)
def test_where_nothing_tells_nothing_is_invented(route: list[RouteStop]) -> None:
    assert pace_of(route, RULES, NINE + 20 * MINUTE).arrivals == {}


def test_who_stands_at_the_door_has_arrived() -> None:
    there = stop(2, planned=30, arrived=33, status=StopStatus.ARRIVING)
    route = [stop(1, planned=10, done=15, arrived=10), there, stop(3, planned=50)]
    assert arrivals(pace_of(route, RULES, NINE + 34 * MINUTE)) == {2: 33, 3: 53}
    assert arrivals(pace_of(route, RULES, NINE + 60 * MINUTE)) == {2: 33, 3: 75}


def test_the_uncertainty_grows_with_the_time_that_is_left() -> None:
    route = [stop(1, planned=0, done=5, arrived=0), stop(2, planned=65)]
    found = pace_of(route, RULES, NINE + 5 * MINUTE).arrivals[UUID(int=2)]
    assert (found.high - found.at, found.at - found.low, found.give_or_take) == (10 * MINUTE, 10 * MINUTE, 10)


@pytest.mark.parametrize(("now", "behind"), [(34, 0), (35, 1), (54, 1), (55, 2), (90, 2)])
def test_stops_behind_plan_are_those_that_should_be_done(now: int, behind: int) -> None:
    route = [stop(1, planned=10, done=15, arrived=10), stop(2, planned=30), stop(3, planned=50)]
    assert pace_of(route, RULES, NINE + now * MINUTE).behind == behind


def test_what_was_done_ahead_counts_and_what_was_cancelled_does_not() -> None:
    ahead = [stop(1, planned=30), stop(2, planned=50, done=20)]
    assert pace_of(ahead, RULES, NINE + 40 * MINUTE).behind == 0
    cancelled = [stop(1, planned=30, status=StopStatus.CANCELLED), stop(2, planned=90)]
    assert pace_of(cancelled, RULES, NINE + 40 * MINUTE).behind == 0


@pytest.mark.parametrize(("count", "words"), [(0, ""), (1, "1 stop behind plan"), (3, "3 stops behind plan")])
def test_being_behind_in_words(count: int, words: str) -> None:
    assert told_behind(count) == words


# --- for any route --------------------------------------------------------------------------------


@st.composite
def routes(draw: st.DrawFn) -> list[RouteStop]:
    gaps = draw(st.lists(st.integers(6, 60), min_size=1, max_size=8))
    done, late, at = draw(st.integers(0, len(gaps))), draw(st.integers(-10, 90)), 0
    has_plan = draw(st.booleans())
    route = []
    for number, gap in enumerate(gaps):
        at += gap
        is_done = number < done
        route.append(
            stop(
                number,
                planned=at if has_plan else None,
                done=max(0, at + late) if is_done else None,
                north_km=float(at % 17),
            )
        )
    return route


@given(routes(), st.integers(0, 300), st.integers(0, 300))
def test_an_arrival_never_gets_earlier_nor_slips_by_more_than_the_time_that_passes(
    route: list[RouteStop], first: int, later: int
) -> None:
    latest = max((item.completed_at for item in route if item.completed_at), default=NINE)
    now = max(NINE, latest) + first * MINUTE
    before, after = pace_of(route, RULES, now), pace_of(route, RULES, now + later * MINUTE)
    assert before.arrivals.keys() == after.arrivals.keys()
    for key, found in before.arrivals.items():
        assert found.at <= after.arrivals[key].at <= found.at + later * MINUTE
        assert after.arrivals[key].high <= found.high + later * MINUTE


@given(routes(), st.integers(0, 300))
def test_arrivals_come_in_driving_order_and_inside_their_uncertainty(
    route: list[RouteStop], minutes: int
) -> None:
    now = NINE + minutes * MINUTE
    found = list(pace_of(route, RULES, now).arrivals.values())
    assert [each.at for each in found] == sorted(each.at for each in found)
    assert all(each.low <= each.at <= each.high for each in found)
