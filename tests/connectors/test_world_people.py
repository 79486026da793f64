"""The pretended recipients: the same people for one seed, their habits as assumed, and what they change at the door."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.base import FailureReason
from connectors.world.people import (
    Assumed,
    Expectation,
    Person,
    asks_at,
    assumptions,
    comes_home,
    leaves_at,
    second_try_succeeds,
)
from connectors.world.plan import PlannedRoute, plan_day
from connectors.world.town import failure_for
from connectors.world.truth import Change, ChangeKind, drive

NINE = datetime(2026, 6, 9, 13, 0, tzinfo=UTC)
ROUTES = plan_day(3, NINE, 2000)
PEOPLE = [Person(3, stop) for route in ROUTES for stop in route.stops]
WINDOW = Expectation(NINE, NINE + timedelta(hours=2))
TOLD = replace(WINDOW, is_news=True)


def share(found: list[bool]) -> float:
    return sum(found) / len(found)


def asked_by(expectation: Expectation, later: timedelta) -> float:
    times = [asks_at(person, expectation, 0) for person in PEOPLE]
    return share([at is not None and at <= expectation.until + later for at in times])


def test_the_same_seed_has_the_same_people_and_another_one_others() -> None:
    again = [Person(3, person.stop) for person in PEOPLE]
    other = [Person(4, person.stop) for person in PEOPLE]
    assert [each.luck("asks 0") for each in again] == [each.luck("asks 0") for each in PEOPLE]
    assert [each.luck("asks 0") for each in other] != [each.luck("asks 0") for each in PEOPLE]


@pytest.mark.parametrize("habit", [Assumed.SPANISH, Assumed.LANDLINE, Assumed.ANSWERS, Assumed.CALLED_BACK])
def test_shares_are_as_assumed(habit: Assumed) -> None:
    assert share([person.is_one_of(habit) for person in PEOPLE]) == pytest.approx(habit.number, abs=0.03)


@pytest.mark.parametrize(
    ("later", "habit"),
    [
        (0, Assumed.ASKS_IN_WINDOW),
        (20, Assumed.ASKS_20_LATE),
        (60, Assumed.ASKS_60_LATE),
        (120, Assumed.ASKS_120_LATE),
    ],
)
def test_who_hears_nothing_asks_the_more_the_later_it_gets(later: int, habit: Assumed) -> None:
    assert asked_by(WINDOW, timedelta(minutes=later)) == pytest.approx(habit.number, abs=0.03)


def test_who_was_told_asks_less_and_never_before_who_was_not() -> None:
    assert asked_by(TOLD, timedelta(0)) < asked_by(WINDOW, timedelta(0)) / 3
    pairs = [(asks_at(person, WINDOW, 0), asks_at(person, TOLD, 0)) for person in PEOPLE]
    assert all(told is None or (dark is not None and dark <= told) for dark, told in pairs)


def test_nobody_asks_after_two_hours_or_before_the_window() -> None:
    times = [at for person in PEOPLE if (at := asks_at(person, WINDOW, 0)) is not None]
    assert min(times) >= WINDOW.since
    assert max(times) <= WINDOW.until + timedelta(hours=2)


def test_who_leaves_though_told_would_have_left_untold() -> None:
    told = {person.stop.key for person in PEOPLE if leaves_at(person, TOLD)}
    untold = {person.stop.key for person in PEOPLE if leaves_at(person, WINDOW)}
    assert told < untold


def test_only_who_would_be_out_comes_home() -> None:
    reasons = {person.stop.failure.reason for person in PEOPLE if comes_home(person) and person.stop.failure}
    assert reasons == {FailureReason.RECIPIENT_UNAVAILABLE}


def test_a_second_try_that_was_agreed_never_does_worse_for_the_same_person() -> None:
    assert all(
        second_try_succeeds(person, Assumed.TRY_BOOKED)
        for person in PEOPLE
        if second_try_succeeds(person, Assumed.TRY_UNASKED)
    )


def test_every_assumption_says_what_it_means() -> None:
    assert all(len(str(each["means"])) > 10 for each in assumptions().values())


def route_that_fails(reason: FailureReason) -> PlannedRoute:
    route = ROUTES[2]
    first = replace(route.stops[0], failure=failure_for(reason))
    return replace(
        route, stops=(first, *(replace(stop, failure=None) for stop in route.stops[1:])), delays=()
    )


@pytest.mark.parametrize(
    ("reason", "presence", "expected"),
    [
        (FailureReason.RECIPIENT_UNAVAILABLE, None, FailureReason.RECIPIENT_UNAVAILABLE),
        (FailureReason.RECIPIENT_UNAVAILABLE, ChangeKind.HOME, None),
        (FailureReason.ACCESS_ISSUE, ChangeKind.HOME, None),
        (FailureReason.DAMAGED, ChangeKind.HOME, FailureReason.DAMAGED),
        (FailureReason.DAMAGED, ChangeKind.AWAY, FailureReason.DAMAGED),
    ],
)
def test_being_home_mends_what_fails_for_want_of_somebody(
    reason: FailureReason, presence: ChangeKind | None, expected: FailureReason | None
) -> None:
    route = route_that_fails(reason)
    key = route.stops[0].key
    changes = [Change(route.departs_at, presence, key)] if presence else []
    visit = drive(route, changes)[0]
    assert (visit.failure.reason if visit.failure else None) == expected


def test_who_has_left_is_not_there_and_who_leaves_after_the_driver_came_was() -> None:
    route = route_that_fails(FailureReason.RECIPIENT_UNAVAILABLE)
    second = drive(route, [])[1]
    assert second.arrives_at is not None
    for at, is_there in ((second.arrives_at, True), (second.arrives_at - timedelta(seconds=1), False)):
        visit = drive(route, [Change(at, ChangeKind.AWAY, second.stop.key)])[1]
        assert (visit.failure is None) is is_there


def test_what_a_person_does_changes_nothing_of_what_was_before() -> None:
    route = route_that_fails(FailureReason.RECIPIENT_UNAVAILABLE)
    before = drive(route, [])
    last = before[-1]
    changed = drive(route, [Change(last.starts_at, ChangeKind.AWAY, last.stop.key)])
    assert changed[:-1] == before[:-1]
