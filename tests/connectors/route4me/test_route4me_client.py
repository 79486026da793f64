"""The connector against the pretended account: what is read, what is written, what is refused."""

from datetime import date, timedelta

import pytest

from connectors.base import (
    Address,
    Capability,
    DeliveryWindow,
    FailureReason,
    PlatformEvent,
    Reattempt,
    RouteStatus,
    Stop,
    StopStatus,
)
from connectors.emulation import Fault
from connectors.errors import (
    MediaRefusedError,
    NotPossibleError,
    PlatformMisconfiguredError,
    PlatformRejectedError,
    PlatformUnavailableError,
    Refused,
    StopNotFoundError,
)
from connectors.platform_wire import Limits
from connectors.route4me.client import Route4MePlatform
from tests.connectors.route4me.route4me_town import Connect, Town, a_new_stop
from tests.connectors.towns import NINE_IN_NEW_YORK

HOUR = timedelta(hours=1)
TODAY = NINE_IN_NEW_YORK.date()


def moved(window: DeliveryWindow | None, by: timedelta) -> DeliveryWindow:
    assert window is not None
    return DeliveryWindow(start_at=window.start_at + by, end_at=window.end_at + by)


async def of_day(platform: Route4MePlatform, day: date) -> dict[str, Stop]:
    return {stop.platform_ref: stop async for stop in platform.stops_of_day(day)}


def edits(town: Town) -> list[str]:
    return town.emulator.take_edits()


# --- reading ---


async def test_a_stop_is_told_whole(town: Town, connect: Connect) -> None:
    platform = connect(tracking_page="https://track.example.com/{tracking}", name="route4me_west")
    stop = await platform.get_stop(town.refs[0])
    address = town.address(0)
    assert stop == Stop(
        platform="route4me_west",
        platform_ref=town.refs[0],
        tracking=address["tracking_number"],
        order_ref="A-1",
        status=StopStatus.ASSIGNED,
        address=Address(
            line="1 Elm St, 2B",
            city="Norwalk",
            postcode="06850",
            region="CT",
            country="United States",
            latitude=41.12,
            longitude=-73.41,
        ),
        client="Acme",
        zone="North",
        timezone="America/New_York",
        recipient_name="Dana Okafor",
        recipient_phone="+12035550101",
        window=DeliveryWindow(start_at=NINE_IN_NEW_YORK + HOUR, end_at=NINE_IN_NEW_YORK + 3 * HOUR),
        planned_at=NINE_IN_NEW_YORK + timedelta(minutes=80),
        sequence=0,
        route_ref=town.routes[0],
        driver_ref=town.drivers[0],
        service=timedelta(minutes=5),
        load=2,
        notes="Ring twice",
        tracking_url=f"https://track.example.com/{address['tracking_number']}",
        changed_at=NINE_IN_NEW_YORK,
    )


async def test_the_stops_of_a_day_are_those_on_routes_and_those_that_wait(
    town: Town, platform: Route4MePlatform
) -> None:
    waiting = await platform.create_stop(a_new_stop(town.clock))
    assert set(await of_day(platform, TODAY)) == set(town.refs)
    assert set(await of_day(platform, TODAY + timedelta(days=1))) == {waiting.platform_ref}
    assert await of_day(platform, TODAY + timedelta(days=2)) == {}


async def test_a_route_is_told_in_driving_order_and_an_unknown_one_is_not_found(
    town: Town, platform: Route4MePlatform
) -> None:
    stops = await platform.stops_of_route(town.routes[0])
    assert [stop.platform_ref for stop in stops] == town.refs
    assert [stop.sequence for stop in stops] == [0, 1, 2]
    with pytest.raises(StopNotFoundError):
        await platform.stops_of_route("0" * 32)


@pytest.mark.parametrize("ref", ["order:99", "stop:99", "nonsense", "order:", "order:abc", ""])
async def test_an_unknown_stop_is_not_found(platform: Route4MePlatform, ref: str) -> None:
    with pytest.raises(StopNotFoundError):
        await platform.get_stop(ref)


async def test_routes_are_told_with_their_driver_status_and_start(
    town: Town, platform: Route4MePlatform
) -> None:
    first, second = await platform.routes(TODAY)
    assert (first.driver_ref, first.stop_refs, first.day) == (town.drivers[0], tuple(town.refs), TODAY)
    assert (first.status, first.starts_at) == (RouteStatus.PLANNED, NINE_IN_NEW_YORK)
    assert second.stop_refs == ()
    await platform.release_routes(TODAY)
    assert {route.status for route in await platform.routes()} == {RouteStatus.RELEASED}
    town.emulator.start(town.refs[0], town.clock())
    assert (await platform.routes())[0].status is RouteStatus.STARTED


async def test_drivers_are_told_with_position_zone_and_what_their_van_takes(
    town: Town, platform: Route4MePlatform
) -> None:
    town.emulator.add_member("desk", name="Ida Desk", phone=None, member_type="SUB_ACCOUNT_DISPATCHER")
    drivers = {driver.platform_ref: driver for driver in await platform.drivers()}
    assert set(drivers) == set(town.drivers)
    sam = drivers[town.drivers[0]]
    assert (sam.name, sam.phone, sam.zones, sam.capacity) == ("Sam Porter", "+17325550100", ("North",), 20)
    assert (sam.latitude, sam.longitude, sam.seen_at) == (41.1, -73.4, NINE_IN_NEW_YORK)
    assert sam.on_duty is None


async def test_what_a_van_takes_is_read_from_its_profile_where_the_route_does_not_say(
    town: Town, platform: Route4MePlatform
) -> None:
    store = town.emulator.store
    route = store.route(town.routes[0])
    parameters = route["parameters"] | {"vehicle_max_cargo_weight": None, "vehicle_id": "V1"}
    store.routes[town.routes[0]] = route | {"parameters": parameters}
    store.vehicles["V1"] = {"vehicle_id": "V1", "vehicle_capacity_profile_id": 364}
    store.profiles["364"] = {"vehicle_capacity_profile_id": 364, "max_weight": 55.5}
    drivers = {driver.platform_ref: driver for driver in await platform.drivers()}
    assert [drivers[ref].capacity for ref in town.drivers] == [55.5, 20]


async def test_statuses_follow_the_driver(town: Town, platform: Route4MePlatform) -> None:
    first, second, _ = town.refs
    town.emulator.start(first, town.clock())
    stops = await of_day(platform, TODAY)
    assert {stop.status for stop in stops.values()} == {StopStatus.OUT_FOR_DELIVERY}
    town.emulator.arrive(first, town.clock.advance(minutes=30))
    at_door = await platform.get_stop(first)
    assert (at_door.status, at_door.arrived_at) == (StopStatus.ARRIVING, town.clock())
    town.emulator.complete(
        first,
        town.clock.advance(minutes=5),
        photos=2,
        signed_by="D. Okafor",
        words="porch",
        place=(41.12, -73.41),
    )
    done = await platform.get_stop(first)
    assert (done.status, done.completed_at, done.sequence) == (StopStatus.DELIVERED, town.clock(), None)
    assert done.proof is not None
    assert (len(done.proof.photo_urls), done.proof.signed_by, done.proof.note) == (2, "D. Okafor", "porch")
    assert (done.proof.latitude, done.proof.at) == (41.12, town.clock())
    assert (await platform.get_stop(second)).sequence == 0


@pytest.mark.parametrize(
    ("note_type", "words", "reason"),
    [
        ("noanswer", "", FailureReason.RECIPIENT_UNAVAILABLE),
        ("wrongaddressrecipient", "x", FailureReason.ADDRESS_ISSUE),
        ("parts_missing", "", FailureReason.DEPOT),
        ("other", "Gate locked, no code", FailureReason.ACCESS_ISSUE),
        ("notpaid", "", FailureReason.OTHER),
        ("", "", FailureReason.OTHER),
    ],
)
async def test_a_failure_is_told_with_its_reason(
    town: Town, platform: Route4MePlatform, note_type: str, words: str, reason: FailureReason
) -> None:
    town.emulator.complete(town.refs[0], town.clock(), status="Failed", note_type=note_type, words=words)
    stop = await platform.get_stop(town.refs[0])
    assert (stop.status, stop.failure_reason, stop.failure_note) == (StopStatus.FAILED, reason, words)
    assert stop.notes == "Ring twice"


async def test_the_order_of_a_skipped_stop_is_a_failed_one(town: Town, platform: Route4MePlatform) -> None:
    town.emulator.complete(town.refs[2], town.clock(), status="Skipped")
    stop = await platform.get_stop(town.refs[2])
    assert (stop.status, stop.failure_note) == (StopStatus.FAILED, "Skipped")


async def test_the_eta_is_told_once_it_is_more_than_the_plan(town: Town, platform: Route4MePlatform) -> None:
    ref = town.refs[1]
    assert (await platform.get_stop(ref)).eta_at is None
    late = NINE_IN_NEW_YORK + 5 * HOUR
    town.emulator.predict(ref, late)
    stop = await platform.get_stop(ref)
    assert (stop.eta_at, stop.planned_at) == (late, NINE_IN_NEW_YORK + 3 * HOUR + timedelta(minutes=20))


async def test_changed_stops_are_the_open_ones_and_those_closed_since(
    town: Town, platform: Route4MePlatform
) -> None:
    town.emulator.complete(town.refs[0], town.clock())
    since = town.clock.advance(minutes=10)
    assert {stop.platform_ref async for stop in platform.changed_stops(since)} == set(town.refs[1:])
    everything = {stop.platform_ref async for stop in platform.changed_stops(since - HOUR)}
    assert everything == set(town.refs)


async def test_what_a_phone_told_late_is_not_missed(town: Town, platform: Route4MePlatform) -> None:
    since = town.clock.advance(minutes=30)
    assert len([stop async for stop in platform.changed_stops(since)]) == 3
    # Done before the last look, uploaded after it.
    town.emulator.complete(town.refs[0], since - timedelta(minutes=20))
    town.clock.advance(minutes=1)
    told = {stop.platform_ref: stop async for stop in platform.changed_stops(since)}
    assert told[town.refs[0]].status is StopStatus.DELIVERED
    assert town.refs[0] not in {stop.platform_ref async for stop in platform.changed_stops(since)}


async def test_orders_beyond_one_page_and_routes_beyond_one_batch_are_all_told(
    town: Town, platform: Route4MePlatform
) -> None:
    for number in range(105):
        town.emulator.orders.create(
            {
                "address_1": f"{number} Oak Ave, Norwalk, CT 06850",
                "cached_lat": 41.1,
                "cached_lng": -73.4,
                "day_scheduled_for_YYMMDD": "2026-06-09",
            }
        )
        town.emulator.add_route(f"X-{number}", name="more", day=TODAY + timedelta(days=2))
    assert len([stop async for stop in platform.changed_stops(town.clock())]) == 108


async def test_an_unreadable_stop_hides_no_other(town: Town, platform: Route4MePlatform) -> None:
    town.emulator.store.put_address(town.address(1) | {"additional_status": "Teleported"})
    assert set(await of_day(platform, TODAY)) == {town.refs[0], town.refs[2]}


async def test_a_route_that_vanishes_between_list_and_look_is_left_out(
    town: Town, platform: Route4MePlatform
) -> None:
    def delete_second(method: str, path: str) -> None:
        if "route-status" in path or town.routes[1] not in town.emulator.store.routes:
            return
        if len(seen) == 1:
            town.emulator.stops.delete_route(town.routes[1])
        seen.append(path)

    seen: list[str] = []
    town.emulator.gate.before_request = delete_second
    assert len(await of_day(platform, TODAY)) == 3
    assert town.routes[1] not in town.emulator.store.routes


# --- identity ---


async def test_an_orders_stop_keeps_its_reference_and_tracking_on_and_off_routes(
    town: Town, platform: Route4MePlatform
) -> None:
    ref = town.refs[0]
    before = await platform.get_stop(ref)
    waiting = await platform.assign_driver(ref, None)
    assert (waiting.platform_ref, waiting.route_ref, waiting.status) == (ref, None, StopStatus.PLANNED)
    again = await platform.assign_driver(ref, town.drivers[1])
    assert (again.platform_ref, again.route_ref, again.driver_ref) == (ref, town.routes[1], town.drivers[1])
    told = {
        "tracking",
        "window",
        "client",
        "zone",
        "order_ref",
        "notes",
        "recipient_phone",
        "load",
        "address",
    }
    assert before.model_dump(include=told) == again.model_dump(include=told)


async def test_a_stop_without_an_order_is_found_on_whatever_route_somebody_moved_it_to(
    town: Town, platform: Route4MePlatform
) -> None:
    ref = town.refs[2]
    assert (await platform.get_stop(ref)).route_ref == town.routes[0]
    town.emulator.stops.move(ref.removeprefix("stop:"), town.routes[1], None)
    assert (await platform.get_stop(ref)).route_ref == town.routes[1]
    with pytest.raises(PlatformRejectedError) as refusal:
        await platform.assign_driver(ref, None)
    assert refusal.value.code == Refused.NOT_POSSIBLE


async def test_a_stop_is_also_found_by_its_number_on_the_route(
    town: Town, platform: Route4MePlatform
) -> None:
    number = town.address(0)["route_destination_id"]
    assert (await platform.get_stop(f"stop:{number}")).platform_ref == town.refs[0]


# --- windows, notes, codes ---


@pytest.mark.parametrize("index", [0, 2])
async def test_a_window_moves_and_is_read_back(town: Town, platform: Route4MePlatform, index: int) -> None:
    ref = town.refs[index]
    wanted = moved((await platform.get_stop(ref)).window, 3 * HOUR)
    assert (await platform.change_window(ref, wanted)).window == wanted
    assert edits(town) == [ref]
    assert (await platform.change_window(ref, wanted)).window == wanted
    assert edits(town) == []


async def test_a_second_window_is_gone_after_a_change(town: Town, platform: Route4MePlatform) -> None:
    town.emulator.store.put_address(
        town.address(0) | {"time_window_start_2": 72_000, "time_window_end_2": 75_600}
    )
    wanted = moved((await platform.get_stop(town.refs[0])).window, HOUR)
    await platform.change_window(town.refs[0], wanted)
    assert town.address(0)["time_window_start_2"] is None


async def test_a_stop_without_an_order_keeps_its_route_when_it_is_moved_to_tomorrow(
    town: Town, platform: Route4MePlatform
) -> None:
    ref = town.refs[2]
    wanted = moved((await platform.get_stop(ref)).window, timedelta(days=1))
    stop = await platform.change_window(ref, wanted)
    assert (stop.window, stop.route_ref) == (wanted, town.routes[0])
    assert ref in await of_day(platform, TODAY + timedelta(days=1))
    town.emulator.start(town.refs[0], town.clock())
    assert (await platform.get_stop(ref)).status is StopStatus.ASSIGNED


async def test_a_window_that_route4me_cannot_write_is_refused_before_anything_is_written(
    town: Town, platform: Route4MePlatform
) -> None:
    yesterday = moved((await platform.get_stop(town.refs[2])).window, -timedelta(days=1))
    with pytest.raises(PlatformRejectedError) as refusal:
        await platform.change_window(town.refs[2], yesterday)
    assert refusal.value.code == Refused.BAD_WINDOW
    assert edits(town) == []


async def test_what_stands_on_the_stop_goes_with_it_when_it_waits_for_another_day(
    town: Town, platform: Route4MePlatform
) -> None:
    ref = town.refs[0]
    await platform.add_note(ref, "Call first")
    await platform.set_access_code(ref, "12#34")
    wanted = moved((await platform.get_stop(ref)).window, timedelta(days=2))
    stop = await platform.change_window(ref, wanted)
    assert stop.notes == "Ring twice\nCall first\nAccess code: 12#34"
    assert stop.client == "Acme"


@pytest.mark.parametrize("index", [0, 2])
async def test_a_note_is_added_once_and_a_code_replaces_the_one_before(
    town: Town, platform: Route4MePlatform, index: int
) -> None:
    ref = town.refs[index]
    for _ in range(2):
        stop = await platform.add_note(ref, "Leave  with\nthe doorman")
    assert stop.notes == "Ring twice\nLeave with the doorman"
    await platform.set_access_code(ref, "1111")
    stop = await platform.set_access_code(ref, "2222")
    assert stop.notes.splitlines()[-1] == "Access code: 2222"
    assert "1111" not in stop.notes
    other = await platform.get_stop(town.refs[1])
    assert "2222" not in other.notes


async def test_notes_that_are_full_are_refused(town: Town, platform: Route4MePlatform) -> None:
    await platform.add_note(town.refs[0], "x" * 3_980)
    with pytest.raises(PlatformRejectedError) as refusal:
        await platform.add_note(town.refs[0], "y" * 100)
    assert refusal.value.code == Refused.NOTES_FULL


async def test_a_note_of_the_desk_is_read_and_not_written_twice(
    town: Town, platform: Route4MePlatform
) -> None:
    town.emulator.stops.add_note(town.address(0), {"contents": "Beware of the dog"})
    stop = await platform.add_note(town.refs[0], "Beware of the dog")
    assert stop.notes == "Ring twice\nBeware of the dog"
    assert edits(town) == []


# --- routes and drivers ---


async def test_a_stop_goes_to_the_end_of_a_drivers_route_once(town: Town, platform: Route4MePlatform) -> None:
    for _ in range(2):
        stop = await platform.assign_driver(town.refs[0], town.drivers[1])
    assert (stop.driver_ref, stop.sequence) == (town.drivers[1], 0)
    stop = await platform.assign_driver(town.refs[2], town.drivers[1])
    assert (stop.sequence, town.order_of) == (1, [town.refs[1]])
    assert edits(town) == [town.refs[0], town.refs[2]]


@pytest.mark.parametrize(("position", "place"), [(0, 0), (1, 1), (2, 2), (9, 2), (None, 2)])
async def test_a_stop_is_put_at_a_place_of_its_own_route(
    town: Town, platform: Route4MePlatform, position: int | None, place: int
) -> None:
    stop = await platform.assign_route(town.refs[1], town.routes[0], position)
    assert stop.sequence == place
    assert town.order_of.index(town.refs[1]) == place


@pytest.mark.parametrize("position", [0, 1, 3, None])
async def test_a_waiting_stop_is_put_at_a_place_of_a_route(
    town: Town, platform: Route4MePlatform, position: int | None
) -> None:
    opens = NINE_IN_NEW_YORK + 8 * HOUR
    window = DeliveryWindow(start_at=opens, end_at=opens + HOUR)
    new = await platform.create_stop(a_new_stop(town.clock, window=window))
    stop = await platform.assign_route(new.platform_ref, town.routes[0], position)
    assert stop.sequence == (3 if position is None else position)
    assert (stop.window, stop.notes, stop.own_ref) == (window, new.notes, new.own_ref)


async def test_places_count_the_stops_that_are_left(town: Town, platform: Route4MePlatform) -> None:
    town.emulator.complete(town.refs[0], town.clock())
    stop = await platform.assign_route(town.refs[2], town.routes[0], 0)
    assert (stop.sequence, town.order_of) == (0, [town.refs[0], town.refs[2], town.refs[1]])


async def test_a_promise_stays_when_its_stop_moves_to_a_route_of_another_day(
    town: Town, platform: Route4MePlatform
) -> None:
    earlier = town.emulator.add_route("Y", name="early", day=TODAY - timedelta(days=1))
    later = town.emulator.add_route("T", name="tomorrow", day=TODAY + timedelta(days=1))
    before = await platform.get_stop(town.refs[2])
    stop = await platform.assign_route(town.refs[2], earlier)
    assert (stop.window, stop.route_ref) == (before.window, earlier)
    with pytest.raises(PlatformRejectedError) as refusal:
        await platform.assign_route(town.refs[2], later)
    assert refusal.value.code == Refused.BAD_WINDOW
    assert (await platform.get_stop(town.refs[2])).route_ref == earlier


async def test_an_unknown_driver_and_one_without_a_route_are_refused(
    town: Town, platform: Route4MePlatform
) -> None:
    idle = town.emulator.add_member("R-3", name="Lo Idle", phone=None)
    for driver, code in (("999999", Refused.UNKNOWN_DRIVER), (idle, Refused.NO_ROUTE)):
        with pytest.raises(PlatformRejectedError) as refusal:
            await platform.assign_driver(town.refs[0], driver)
        assert refusal.value.code == code
    with pytest.raises(StopNotFoundError):
        await platform.assign_route(town.refs[0], "F" * 32)
    assert edits(town) == []


# --- new stops ---


async def test_a_new_stop_holds_all_that_was_asked_for(town: Town, platform: Route4MePlatform) -> None:
    new = a_new_stop(town.clock)
    stop = await platform.create_stop(new)
    assert stop.own_ref == new.own_ref
    told = {"client", "zone", "window", "service", "load", "order_ref", "recipient_name", "recipient_phone"}
    assert stop.model_dump(include=told) == new.model_dump(include=told)
    assert stop.recipient_email == new.recipient_email
    assert stop.notes == "Blue door\nAccess code: 4711"
    assert stop.address.line == "9 Oak Ave"
    assert stop.address.latitude is not None
    assert stop.status is StopStatus.PLANNED
    assert await platform.find_stop(new.own_ref) == stop
    assert await platform.find_stop("DL-000") is None


async def test_a_new_stop_is_made_once_whatever_happens_to_the_answer(town: Town, connect: Connect) -> None:
    platform = connect(limits=Limits(per_second=1000, backoff_seconds=0.01, attempts=1))
    town.emulator.faults.next(Fault("reset", path_contains="order.php"))
    with pytest.raises(PlatformUnavailableError):
        await platform.create_stop(a_new_stop(town.clock))
    assert len(town.emulator.store.orders) == 2

    def lose_the_answer(method: str, path: str) -> None:
        if method == "GET" and "geocoder" in path:
            town.emulator.faults.next(Fault("reset", after_work=True, path_contains="order.php"))

    town.emulator.gate.before_request = lose_the_answer
    with pytest.raises(PlatformUnavailableError):
        await platform.create_stop(a_new_stop(town.clock))
    town.emulator.gate.before_request = None
    assert len(town.emulator.store.orders) == 3
    await platform.create_stop(a_new_stop(town.clock))
    await platform.create_stop(a_new_stop(town.clock))
    assert len(town.emulator.store.orders) == 3


async def test_a_new_stop_is_given_to_a_driver_also_when_the_first_try_got_half_way(
    town: Town, platform: Route4MePlatform
) -> None:
    opens = NINE_IN_NEW_YORK + 8 * HOUR
    window = DeliveryWindow(start_at=opens, end_at=opens + HOUR)
    waiting = await platform.create_stop(a_new_stop(town.clock, window=window))
    new = a_new_stop(town.clock, window=window, driver_ref=town.drivers[1])
    for _ in range(2):
        stop = await platform.create_stop(new)
        assert (stop.platform_ref, stop.driver_ref) == (waiting.platform_ref, town.drivers[1])
    assert await platform.find_stop(new.own_ref) == stop
    assert len(town.emulator.store.addresses_of(town.routes[1])) == 2


async def test_an_unknown_driver_or_address_leaves_nothing_behind(
    town: Town, platform: Route4MePlatform
) -> None:
    nowhere = Address(line="1 Nowhere Lane", city="Norwalk", postcode="06850", region="CT")
    for changes, code in (
        ({"driver_ref": "999999"}, Refused.UNKNOWN_DRIVER),
        ({"address": nowhere}, Refused.BAD_ADDRESS),
    ):
        with pytest.raises(PlatformRejectedError) as refusal:
            await platform.create_stop(a_new_stop(town.clock, **changes))
        assert refusal.value.code == code
    assert len(town.emulator.store.orders) == 2


async def test_a_failed_stop_is_tried_again_once_and_linked(town: Town, platform: Route4MePlatform) -> None:
    ref = town.refs[0]
    before = await platform.get_stop(ref)
    again = Reattempt(
        own_ref="DL-RE-1", window=moved(before.window, timedelta(days=1)), note="After 5", access_code="99"
    )
    with pytest.raises(PlatformRejectedError) as refusal:
        await platform.reattempt(ref, again)
    assert refusal.value.code == Refused.NOT_FAILED
    town.emulator.complete(ref, town.clock(), status="Failed", note_type="noanswer")
    for _ in range(2):
        stop = await platform.reattempt(ref, again)
    assert (stop.reattempt_of, stop.own_ref, stop.window) == (ref, "DL-RE-1", again.window)
    same = {"client", "zone", "recipient_name", "recipient_phone", "address", "order_ref", "service", "load"}
    assert stop.model_dump(include=same) == before.model_dump(include=same)
    assert stop.notes == "Ring twice\nAfter 5\nAccess code: 99"
    assert stop.status is StopStatus.PLANNED
    assert len(town.emulator.store.orders) == 3
    assert (await platform.get_stop(ref)).status is StopStatus.FAILED


# --- the end, and what is too late ---


@pytest.mark.parametrize("index", [0, 2])
async def test_a_cancelled_stop_is_gone_and_cancelling_again_is_no_error(
    town: Town, platform: Route4MePlatform, index: int
) -> None:
    await platform.cancel(town.refs[index])
    await platform.cancel(town.refs[index])
    with pytest.raises(StopNotFoundError):
        await platform.get_stop(town.refs[index])
    assert town.routes[0] in town.emulator.store.routes
    assert len(town.order_of) == 2


@pytest.mark.parametrize("index", [0, 2])
async def test_nothing_of_a_finished_stop_is_changed(
    town: Town, platform: Route4MePlatform, index: int
) -> None:
    ref = town.refs[index]
    window = moved((await platform.get_stop(ref)).window, HOUR)
    town.emulator.complete(ref, town.clock())
    for write in (
        platform.change_window(ref, window),
        platform.add_note(ref, "too late"),
        platform.set_access_code(ref, "1"),
        platform.assign_driver(ref, town.drivers[1]),
        platform.assign_route(ref, town.routes[1], 0),
        platform.cancel(ref),
    ):
        with pytest.raises(PlatformRejectedError) as refusal:
            await write
        assert refusal.value.code == Refused.FINISHED
    assert edits(town) == []


@pytest.mark.parametrize("arrived", [False, True])
async def test_the_stop_that_is_driven_to_stays_as_it_is_but_notes_still_reach_the_driver(
    town: Town, platform: Route4MePlatform, arrived: bool
) -> None:
    ref = town.refs[1]
    window = moved((await platform.get_stop(ref)).window, HOUR)
    town.emulator.start(ref, town.clock())
    if arrived:
        town.emulator.arrive(ref, town.clock())
    for write in (
        platform.change_window(ref, window),
        platform.assign_driver(ref, None),
        platform.assign_route(ref, town.routes[1]),
        platform.cancel(ref),
    ):
        with pytest.raises(PlatformRejectedError) as refusal:
            await write
        assert refusal.value.code == Refused.UNDER_WAY
    assert edits(town) == []
    assert "Side door" in (await platform.add_note(ref, "Side door")).notes
    assert (await platform.change_window(town.refs[0], window)).window == window


async def test_a_write_that_was_answered_yes_and_not_done_is_told(
    town: Town, platform: Route4MePlatform
) -> None:
    ref = town.refs[0]
    window = moved((await platform.get_stop(ref)).window, HOUR)
    for path, write in (
        ("address.php", platform.change_window(ref, window)),
        ("address.php", platform.add_note(ref, "lost")),
        ("address.php", platform.set_access_code(ref, "lost")),
        ("move_route", platform.assign_route(ref, town.routes[1])),
    ):
        town.emulator.faults.next(Fault("status", status=200, body={"success": True}, path_contains=path))
        with pytest.raises(PlatformRejectedError) as refusal:
            await write
        assert refusal.value.code == Refused.KEPT


async def test_no_with_200_is_a_refusal(town: Town, platform: Route4MePlatform) -> None:
    town.emulator.faults.next(
        Fault("status", status=200, body={"status": False}, path_contains="address.php")
    )
    with pytest.raises(PlatformRejectedError) as refusal:
        await platform.add_note(town.refs[0], "x")
    assert refusal.value.code == "status_false"


# --- errors, limits, health ---


async def test_a_wrong_key_is_told_as_such(connect: Connect, town: Town) -> None:
    platform = connect(api_key="wrong")
    with pytest.raises(PlatformMisconfiguredError):
        await platform.get_stop(town.refs[0])
    probe = await platform.probe()
    assert not probe.healthy
    assert "ROUTE4ME_API_KEY" in probe.detail
    assert "wrong" not in probe.detail


async def test_a_healthy_account_is_told_with_its_drivers_and_a_strange_clock(
    connect: Connect, platform: Route4MePlatform
) -> None:
    probe = await platform.probe()
    assert (probe.healthy, probe.detail) == (True, "2 drivers")
    assert "America/New_York" in (await connect(timezone="Europe/Paris").probe()).detail


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", status=500),
        Fault("reset"),
        Fault("malformed"),
        Fault("status", status=429, headers=(("Retry-After", "0"),)),
    ],
)
async def test_one_bad_answer_to_a_reading_call(town: Town, platform: Route4MePlatform, fault: Fault) -> None:
    town.emulator.faults.next(fault)
    if fault.kind == "malformed":
        with pytest.raises(PlatformUnavailableError):
            await platform.get_stop(town.refs[0])
    else:
        assert (await platform.get_stop(town.refs[0])).platform_ref == town.refs[0]


async def test_a_limit_is_waited_out_also_by_writes(town: Town, connect: Connect) -> None:
    platform = connect(limits=Limits(per_second=1000, backoff_seconds=0.01))
    town.emulator.faults.next(
        Fault("status", status=429, headers=(("Retry-After", "0"),), path_contains="address.php")
    )
    assert "once" in (await platform.add_note(town.refs[0], "once")).notes


async def test_a_platform_that_is_down_is_unavailable(town: Town, platform: Route4MePlatform) -> None:
    town.emulator.faults.down = True
    with pytest.raises(PlatformUnavailableError):
        await platform.get_stop(town.refs[0])


async def test_pictures_are_fetched_from_where_route4me_keeps_them_only(
    town: Town, platform: Route4MePlatform
) -> None:
    town.emulator.complete(town.refs[0], town.clock(), photos=1, signed_by="D. O.")
    proof = (await platform.get_stop(town.refs[0])).proof
    assert proof is not None
    assert proof.signature_url is not None
    for url in (proof.photo_urls[0], proof.signature_url):
        picture = await platform.fetch_picture(url, at_most_bytes=1_000_000)
        assert picture.content_type == "image/png"
    for url in ("http://127.0.0.2/x.png", "https://route4me.com.evil.test/x.png", "file:///etc/hosts", "x"):
        with pytest.raises(MediaRefusedError):
            await platform.fetch_picture(url, at_most_bytes=1_000)


def test_what_it_can_is_declared_with_its_condition(platform: Route4MePlatform, connect: Connect) -> None:
    lacking = set(Capability) - platform.capabilities
    assert lacking == {Capability.DRIVER_DUTY, Capability.TRACKING_LINK}
    assert Capability.TRACKING_LINK in connect(tracking_page="https://x.example/{tracking}").capabilities
    assert (platform.vendor, platform.name) == ("route4me", "route4me")
    assert not issubclass(type(platform), NotPossibleError)


# --- events ---


async def test_events_are_polled_from_now_on_oldest_first_and_once(
    town: Town, platform: Route4MePlatform
) -> None:
    page = await platform.events_after(None)
    assert (page.events, page.has_more) == ((), False)
    town.clock.advance(minutes=1)
    town.emulator.start(town.refs[0], town.clock())
    town.emulator.arrive(town.refs[0], town.clock.advance(minutes=1))
    town.emulator.complete(town.refs[0], town.clock.advance(minutes=1), words="porch")
    await platform.get_stop(town.refs[0])  # now its order is known behind the number on the route
    page = await platform.events_after(page.cursor)
    assert [event.kind for event in page.events] == [
        "route_started",
        "stop_arriving",
        "stop_updated",
        "stop_updated",
        "stop_updated",
    ]  # a note, the status (polled lines do not say which), the departure
    assert page.events[0].route_ref == town.routes[0]
    assert {event.stop_ref for event in page.events[1:]} == {town.refs[0]}
    assert all(event.stop is None and not event.stop_deleted for event in page.events)
    again = await platform.events_after(page.cursor)
    assert again.events == ()


async def test_an_event_of_a_stop_that_is_not_known_names_its_route(
    town: Town, platform: Route4MePlatform
) -> None:
    page = await platform.events_after(None)
    town.clock.advance(minutes=1)
    town.emulator.arrive(town.refs[0], town.clock())
    (event,) = (await platform.events_after(page.cursor)).events
    assert (event.stop_ref, event.route_ref) == (None, town.routes[0])


async def test_what_is_told_late_under_an_earlier_time_is_not_missed(
    town: Town, platform: Route4MePlatform
) -> None:
    page = await platform.events_after(None)
    town.emulator.arrive(town.refs[1], town.clock.advance(minutes=10))
    page = await platform.events_after(page.cursor)
    assert len(page.events) == 1
    town.emulator.arrive(town.refs[0], town.clock() - timedelta(minutes=5))
    town.clock.advance(seconds=30)
    page = await platform.events_after(page.cursor)
    assert len(page.events) == 1
    assert (await platform.events_after(page.cursor)).events == ()


async def test_a_long_silence_is_read_piece_by_piece_with_nothing_missing(
    town: Town, platform: Route4MePlatform
) -> None:
    page = await platform.events_after(None)
    for _ in range(300):
        town.emulator.feed.write("route-update", town.clock.advance(seconds=40), route={"route_id": "R"})
    told: list[PlatformEvent] = []
    pages = 0
    while True:
        page = await platform.events_after(page.cursor)
        told += page.events
        pages += 1
        if not page.has_more:
            break
    assert pages > 2
    assert len({event.vendor_id for event in told}) == len(told) == 300
    assert [event.occurred_at for event in told] == sorted(event.occurred_at for event in told)


async def test_a_foreign_cursor_is_refused(platform: Route4MePlatform) -> None:
    for cursor in ("", "{}", "abc", '{"origin": "x", "until": 1, "seen": []}'):
        with pytest.raises(ValueError, match=r"cursor|invalid literal"):
            await platform.events_after(cursor)
