"""What is particular to Onfleet in writing: people, plans, places in a list. The common part: tests/connectors/platforms."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import (
    ACCESS_CODE_LABEL,
    Address,
    Capability,
    DeliveryWindow,
    NewStop,
    Reattempt,
    RouteStatus,
)
from connectors.errors import PlatformRejectedError, Refused
from connectors.onfleet.bodies import wire_address, with_access_code, with_line
from connectors.onfleet.client import OnfleetPlatform
from connectors.onfleet.emulator_fields import geocoded
from connectors.onfleet.mapping import read_route_ref, route_ref
from tests.connectors.onfleet.onfleet_town import Town, add_driver

ELM = Address(line="14 Elm St, 2B", city="Norwalk", postcode="06850", region="CT", country="United States")


def new_stop(town: Town, own_ref: str = "DL-1", **changes: Any) -> NewStop:
    opens = town.clock() + timedelta(hours=4)
    given: dict[str, Any] = {
        "own_ref": own_ref,
        "client": "Nova",
        "zone": "North",
        "address": ELM,
        "recipient_name": "Ana Ruiz",
        "recipient_phone": "+12035550177",
        "window": DeliveryWindow(start_at=opens, end_at=opens + timedelta(hours=2)),
    }
    return NewStop(**(given | changes))


# --- people ---


async def test_a_known_recipient_keeps_name_notes_and_the_wish_for_no_messages(
    town: Town, platform: OnfleetPlatform
) -> None:
    known = town.emulator.store.recipient_by_phone("+12035550101")
    assert known is not None
    town.emulator.store.put_recipient(known | {"skipSMSNotifications": True, "notes": "deaf, please knock"})
    before = town.emulator.store.recipient(known["id"])
    made = await platform.create_stop(
        new_stop(town, recipient_phone="+12035550101", recipient_name="D. Okafor")
    )
    assert made.recipient_name == "D. Okafor"
    assert town.emulator.store.recipient(known["id"]) == before
    assert (await platform.get_stop(town.refs[0])).recipient_name == "Dana Okafor"


async def test_what_is_created_carries_our_names_in_its_metadata(
    town: Town, platform: OnfleetPlatform
) -> None:
    made = await platform.create_stop(new_stop(town, order_ref="N-1", driver_ref=town.driver))
    task = town.emulator.store.task(made.platform_ref)
    assert {item["name"]: item["value"] for item in task["metadata"]} == {
        "own_ref": "DL-1",
        "client": "Nova",
        "zone": "North",
        "orderNo": "N-1",
    }
    assert (task["worker"], task["quantity"], task["serviceTime"]) == (town.driver, 1, 5)
    assert made.sequence == 3


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"recipient_phone": "+1"}, Refused.BAD_PHONE),
        ({"driver_ref": "nobody"}, Refused.UNKNOWN_DRIVER),
        ({"address": Address(line="1 Nowhere Rd", city="Norwalk", country="US")}, Refused.BAD_ADDRESS),
    ],
)
async def test_what_onfleet_cannot_take_is_refused_by_name(
    town: Town, platform: OnfleetPlatform, changes: dict[str, Any], code: Refused
) -> None:
    with pytest.raises(PlatformRejectedError) as refused:
        await platform.create_stop(new_stop(town, **changes))
    assert refused.value.code == code
    assert len(town.emulator.store.tasks) == 3


async def test_a_dispatchers_copy_of_our_stop_is_not_taken_for_ours(
    town: Town, platform: OnfleetPlatform
) -> None:
    made = await platform.create_stop(new_stop(town))
    town.clock.advance(minutes=5)
    town.emulator.tasks.clone(made.platform_ref, {"options": {"includeMetadata": True}})
    found = await platform.find_stop("DL-1")
    assert found is not None
    assert found.platform_ref == made.platform_ref


# --- second tries ---


async def failed_stop(town: Town) -> str:
    town.emulator.start_task(town.refs[0])
    town.emulator.complete_task(town.refs[0], success=False, reason="No access")
    return town.refs[0]


def tomorrow(town: Town, **changes: Any) -> Reattempt:
    opens = town.clock() + timedelta(days=1)
    window = DeliveryWindow(start_at=opens, end_at=opens + timedelta(hours=2))
    return Reattempt(**({"own_ref": "DL-R1", "window": window} | changes))


async def test_a_second_try_names_us_once_and_keeps_what_others_noted(
    town: Town, platform: OnfleetPlatform
) -> None:
    ref = (await platform.create_stop(new_stop(town, driver_ref=town.driver))).platform_ref
    metadata = town.emulator.store.task(ref)["metadata"]
    odd = {"name": "weight", "type": "number", "value": 3, "visibility": ["worker"]}
    town.emulator.tasks.update(ref, {"metadata": [*metadata, odd]})
    town.emulator.start_task(ref)
    town.emulator.complete_task(ref, success=False)
    again = await platform.reattempt(ref, tomorrow(town))
    held = town.emulator.store.task(again.platform_ref)["metadata"]
    assert [item["value"] for item in held if item["name"] == "own_ref"] == ["DL-R1"]
    assert odd in held
    first = await platform.find_stop("DL-1")
    assert first is not None
    assert first.platform_ref == ref


async def test_the_code_of_the_old_door_does_not_go_to_the_new_one(
    town: Town, platform: OnfleetPlatform
) -> None:
    await platform.set_access_code(town.refs[0], "#1111")
    ref = await failed_stop(town)
    same_door = await platform.reattempt(ref, tomorrow(town))
    assert "#1111" in same_door.notes
    other_door = await platform.reattempt(ref, tomorrow(town, own_ref="DL-R2", address=ELM))
    assert other_door.notes == "Ring twice"
    assert other_door.address.line == "14 Elm St 2B"


async def test_a_second_try_in_the_past_is_refused(town: Town, platform: OnfleetPlatform) -> None:
    ref = await failed_stop(town)
    opened = town.clock() - timedelta(minutes=1)
    past = DeliveryWindow(start_at=opened, end_at=opened + timedelta(hours=2))
    with pytest.raises(PlatformRejectedError) as refused:
        await platform.reattempt(ref, tomorrow(town, window=past))
    assert refused.value.code == Refused.BAD_WINDOW


# --- route plans and places ---


def plan_of(town: Town, worker: str | None) -> str:
    starts_at = town.clock() + timedelta(minutes=30)
    return town.emulator.add_route_plan("P-1", name="North early", worker=worker, starts_at=starts_at)


async def test_a_stop_joins_a_plan_and_its_drivers_list_at_a_place(
    town: Town, platform: OnfleetPlatform
) -> None:
    other = add_driver(town.emulator, "R-2")
    plan = plan_of(town, other)
    for ref in town.refs[:2]:
        joined = await platform.assign_route(ref, plan)
        assert (joined.driver_ref, joined.route_ref) == (other, plan)
    await platform.assign_route(town.refs[2], plan, 1)
    stops = await platform.stops_of_route(plan)
    assert [stop.platform_ref for stop in stops] == [town.refs[0], town.refs[2], town.refs[1]]
    (route,) = await platform.routes()
    assert (route.platform_ref, route.name, route.driver_ref) == (plan, "North early", other)
    assert route.starts_at == town.clock() + timedelta(minutes=30)
    assert route.status is RouteStatus.RELEASED
    taken = await platform.assign_driver(town.refs[2], None)
    assert taken.route_ref is None


async def test_a_plan_without_a_driver_takes_stops_too(town: Town, platform: OnfleetPlatform) -> None:
    plan = plan_of(town, None)
    ref = (await platform.create_stop(new_stop(town))).platform_ref
    joined = await platform.assign_route(ref, plan, 0)
    assert (joined.driver_ref, joined.route_ref) == (None, plan)
    routes = {route.platform_ref: route for route in await platform.routes()}
    assert (routes[plan].status, routes[plan].stop_refs) == (RouteStatus.PLANNED, (ref,))


async def test_nothing_is_put_before_the_stop_under_way(town: Town, platform: OnfleetPlatform) -> None:
    town.emulator.set_duty(town.driver, True, town.clock())
    town.emulator.start_task(town.refs[0])
    route = (await platform.routes())[0].platform_ref
    moved = await platform.assign_route(town.refs[2], route, 0)
    assert moved.sequence == 1
    assert town.emulator.store.held({"type": "WORKER", "worker": town.driver}) == [
        town.refs[0],
        town.refs[2],
        town.refs[1],
    ]
    with pytest.raises(PlatformRejectedError) as refused:
        await platform.assign_route(town.refs[0], route, 2)
    assert refused.value.code == Refused.UNDER_WAY


async def test_a_stop_moved_to_another_day_leaves_todays_route_but_not_the_drivers_list(
    town: Town, platform: OnfleetPlatform
) -> None:
    moved = await platform.change_window(town.refs[1], tomorrow(town).window)
    today, next_day = [
        await platform.routes(day) for day in (town.clock().date(), tomorrow(town).window.start_at.date())
    ]
    assert [route.stop_refs for route in today] == [(town.refs[0], town.refs[2])]
    assert [route.stop_refs for route in next_day] == [(moved.platform_ref,)]
    assert moved.driver_ref == town.driver
    assert [stop.platform_ref for stop in await platform.stops_of_route(next_day[0].platform_ref)] == [
        moved.platform_ref
    ]


async def test_drivers_tell_their_teams_and_what_their_van_takes(
    town: Town, platform: OnfleetPlatform
) -> None:
    town.emulator.store.workers[town.driver] = town.emulator.store.worker(town.driver) | {"capacity": 18}
    add_driver(town.emulator, "R-2")
    one, two = await platform.drivers()
    assert (one.zones, one.capacity, two.capacity) == (("North",), 18, None)


async def test_onfleet_tells_what_it_can(platform: OnfleetPlatform) -> None:
    assert frozenset(Capability) - platform.capabilities == {
        Capability.POLL_EVENTS,
        Capability.RELEASE_ROUTES,
    }


# --- pure ---


@pytest.mark.parametrize(
    ("notes", "code", "expected"),
    [
        ("", "1", "Access code: 1"),
        ("Ring", "1", "Ring\nAccess code: 1"),
        ("Access code: 1\nRing", "2", "Access code: 2\nRing"),
        ("Access code: 1\nRing\nAccess code: 3", "2", "Access code: 2\nRing"),
        ("Ring\nAccess code: 1", "", "Ring"),
        ("Ring", " ", "Ring"),
        ("Ring", "1\n2", "Ring\nAccess code: 1 2"),
    ],
)
def test_an_access_code_has_one_line(notes: str, code: str, expected: str) -> None:
    assert with_access_code(notes, code) == expected


NOTES = st.lists(st.sampled_from(["Ring", "Side door", f"{ACCESS_CODE_LABEL}9", "Dog"]), unique=True).map(
    "\n".join
)


@given(NOTES, st.text("0123456789#*", min_size=1), st.sampled_from(["Ring", "call first", ""]))
def test_writing_notes_twice_is_writing_them_once(notes: str, code: str, line: str) -> None:
    coded, lined = with_access_code(notes, code), with_line(notes, line)
    assert with_access_code(coded, code) == coded
    assert with_line(lined, line) == lined
    assert coded.count(ACCESS_CODE_LABEL) == 1
    others = [kept for kept in notes.splitlines() if not kept.startswith(ACCESS_CODE_LABEL)]
    assert [kept for kept in coded.splitlines() if not kept.startswith(ACCESS_CODE_LABEL)] == others


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (
            ELM,
            {
                "number": "14",
                "street": "Elm St",
                "apartment": "2B",
                "city": "Norwalk",
                "state": "CT",
                "postalCode": "06850",
                "country": "United States",
            },
        ),
        (
            Address(line="Union Square Cafe", city="Norwalk", country="US"),
            {"unparsed": "Union Square Cafe, Norwalk, US"},
        ),
        (
            Address(line="14 Elm St", city="Norwalk", region="CT", postcode="06850"),
            {"unparsed": "14 Elm St, Norwalk, CT 06850"},
        ),
        (Address(line="14 Elm St"), {"unparsed": "14 Elm St"}),
    ],
)
def test_an_address_goes_in_parts_or_for_the_geocoder_in_one(
    address: Address, expected: dict[str, str]
) -> None:
    assert wire_address(address) == expected


def test_the_pretended_geocoder_finds_the_same_place_for_the_same_address() -> None:
    whole = {"unparsed": "14 Elm St, Norwalk, CT 06850, United States"}
    parts, place = geocoded(whole, [-73.4, 41.1])
    assert (parts["number"], parts["street"], parts["postalCode"]) == ("14", "Elm St", "06850")
    assert geocoded(parts, [-73.4, 41.1]) == (parts, place)


@pytest.mark.parametrize("ref", ["", "worker:", "worker:w1", "worker:w1:soon", "worker::2026-06-08", "p1"])
def test_what_is_no_reference_to_a_drivers_day_may_be_a_plan(ref: str) -> None:
    assert read_route_ref(ref) is None


@given(st.text("abcXYZ019*~", min_size=1, max_size=24), st.dates())
def test_a_route_reference_is_read_as_it_was_written(worker_id: str, day: Any) -> None:
    assert read_route_ref(route_ref(worker_id, day)) == (worker_id, day)
