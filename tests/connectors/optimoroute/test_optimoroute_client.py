"""The client against the served emulator: what it reads, and how it takes bad days."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from connectors.base import Capability, FailureReason, RouteStatus, Stop, StopStatus
from connectors.emulation import Fault
from connectors.errors import (
    MediaRefusedError,
    PlatformMisconfiguredError,
    PlatformUnavailableError,
    StopNotFoundError,
)
from connectors.optimoroute.client import OptimoRoutePlatform
from connectors.optimoroute.mapping import ConfiguredDriver
from connectors.optimoroute.payloads import OrderStatus
from connectors.platform_wire import Limits
from tests.connectors.optimoroute.optimoroute_town import TODAY, Connect, Town, add_stop, window_on

DAY = date(2026, 6, 8)


async def listed(
    platform: OptimoRoutePlatform, town: Town, back: timedelta = timedelta(0)
) -> dict[str, Stop]:
    stops = [stop async for stop in platform.changed_stops(town.clock() - back)]
    assert len(stops) == len({stop.platform_ref for stop in stops}), "a stop was told twice"
    return {stop.platform_ref: stop for stop in stops}


async def test_a_stop_is_read_with_everything_that_the_bot_tells(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    stop = await platform.get_stop(town.refs[1])
    assert (stop.tracking, stop.order_ref, stop.own_ref, stop.reattempt_of) == ("S-2", "A-2", None, None)
    assert (stop.client, stop.zone, stop.notes) == ("Acme", "North", "Ring twice")
    assert (stop.address.line, stop.address.city, stop.address.postcode) == (
        "2 Elm St 2B",
        "Norwalk",
        "06850",
    )
    assert (stop.address.region, stop.address.country) == ("CT", "United States")
    assert (stop.recipient_name, stop.recipient_phone) == ("Dana Okafor", "+12035550102")
    assert stop.window == window_on(TODAY, 12, 14)
    assert (stop.driver_ref, stop.sequence, stop.route_ref) == (town.driver, 1, f"{TODAY}:001")
    assert (stop.service, stop.load, stop.eta_at) == (timedelta(minutes=5), 1, None)
    assert stop.planned_at == datetime(2026, 6, 8, 16, 0, tzinfo=UTC)
    assert stop.status is StopStatus.ASSIGNED


async def test_listing_and_reading_one_say_the_same(town: Town, platform: OptimoRoutePlatform) -> None:
    town.send()
    town.emulator.start_order(town.refs[0])
    town.emulator.set_eta(town.refs[1], town.clock() + timedelta(hours=4))
    stops = await listed(platform, town)
    for ref in town.refs:
        assert stops[ref] == await platform.get_stop(ref)


async def test_stops_count_as_out_once_their_driver_is_under_way_also_between_two_stops(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    assert {stop.status for stop in (await listed(platform, town)).values()} == {StopStatus.ASSIGNED}
    town.emulator.start_order(town.refs[1])
    stops = await listed(platform, town)
    assert {stop.status for stop in stops.values()} == {StopStatus.OUT_FOR_DELIVERY}
    assert [stops[ref].sequence for ref in town.refs] == [1, 0, 2], "the stop that is driven to leads"
    town.emulator.arrive(town.refs[1])
    assert (await platform.get_stop(town.refs[1])).status is StopStatus.ARRIVING
    town.emulator.complete(town.refs[1])
    stops = await listed(platform, town, timedelta(minutes=1))
    assert [stops[ref].status for ref in town.refs] == [
        StopStatus.OUT_FOR_DELIVERY,
        StopStatus.DELIVERED,
        StopStatus.OUT_FOR_DELIVERY,
    ]
    assert [stops[ref].sequence for ref in town.refs] == [0, None, 1]


async def test_a_failed_stop_is_told_once_with_its_reason(town: Town, platform: OptimoRoutePlatform) -> None:
    town.emulator.start_order(town.refs[0])
    arrived_at = town.clock.advance(minutes=5)
    town.emulator.arrive(town.refs[0])
    failed_at = town.clock.advance(minutes=2)
    town.emulator.complete(town.refs[0], status=OrderStatus.FAILED, note="gate locked, no code")
    stop = (await listed(platform, town, timedelta(minutes=1)))[town.refs[0]]
    assert (stop.status, stop.failure_reason) == (StopStatus.FAILED, FailureReason.ACCESS_ISSUE)
    assert (stop.failure_note, stop.completed_at) == ("gate locked, no code", failed_at)
    assert stop.arrived_at == arrived_at
    town.clock.advance(minutes=10)
    assert town.refs[0] not in await listed(platform, town, timedelta(minutes=1))


async def test_what_the_driver_left_is_read_and_its_pictures_fetched(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    town.emulator.start_order(town.refs[0])
    town.emulator.complete(town.refs[0], note="front door", photos=2, is_signed=True)
    stop = await platform.get_stop(town.refs[0])
    assert stop.proof is not None
    assert (stop.proof.note, stop.proof.at, len(stop.proof.photo_urls)) == ("front door", town.clock(), 2)
    assert stop.tracking_url == f"https://order.is/{town.refs[0][:8]}"
    for url in (*stop.proof.photo_urls, stop.proof.signature_url or ""):
        picture = await platform.fetch_picture(url, at_most_bytes=500_000)
        assert picture.content_type == "image/png"
    with pytest.raises(MediaRefusedError):
        await platform.fetch_picture(stop.proof.photo_urls[0] + "x", at_most_bytes=500_000)


@pytest.mark.parametrize(
    "url",
    [
        "http://pictures.example.com/1.png",
        "https://127.0.0.1/1.png",
        "https://[::1]/1.png",
        "https://localhost/1.png",
        "file:///etc/passwd",
        "https://",
        "",
    ],
)
async def test_a_picture_is_fetched_from_public_hosts_only(platform: OptimoRoutePlatform, url: str) -> None:
    with pytest.raises(MediaRefusedError) as refused:
        await platform.fetch_picture(url, at_most_bytes=1000)
    assert refused.value.code == "foreign_url"


async def test_the_live_estimate_is_the_eta_and_only_asked_for_stops_that_are_driven(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    eta = town.clock() + timedelta(minutes=42)
    town.emulator.set_eta(town.refs[2], eta)
    town.emulator.api.calls.clear()
    assert (await listed(platform, town))[town.refs[2]].eta_at is None, "the route is not driven"
    assert "get_scheduling_info" not in town.emulator.api.calls
    town.emulator.start_order(town.refs[0])
    town.emulator.complete(town.refs[0])
    town.emulator.api.calls.clear()
    assert (await listed(platform, town))[town.refs[2]].eta_at == eta
    assert town.emulator.api.calls.count("get_scheduling_info") == 2, "not for the finished one"


async def test_pages_of_500_are_followed_to_the_last_and_bulk_calls_keep_to_500(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    expected = set(town.refs)
    for number in range(4, 4 + 1200):
        expected.add(
            add_stop(town.emulator, town.clock, number, driver=None, window=window_on(TODAY, 10, 12))
        )
    assert set(await listed(platform, town)) == expected
    assert town.emulator.api.calls.count("search_orders") == 3
    assert town.emulator.api.most_at_once <= 5


async def test_a_stop_deleted_between_two_pages_does_not_hide_the_rest(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    for number in range(4, 602):
        add_stop(town.emulator, town.clock, number, driver=None, window=window_on(TODAY, 10, 12))
    last_of_page = list(town.emulator.store.orders)[499]
    pages = 0

    def delete_before_the_second_page(method: str, params: object) -> None:
        nonlocal pages
        pages += method == "search_orders"
        if pages == 2 and last_of_page in town.emulator.store.orders:
            town.emulator.store.drop_order(last_of_page)

    town.emulator.api.before_request = delete_before_the_second_page
    assert len(await listed(platform, town)) == 601


async def test_a_long_absence_is_read_in_ranges_of_at_most_35_days(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    ranges: list[dict[str, str]] = []

    def note_range(method: str, params: dict[str, dict[str, str]]) -> None:
        if method == "search_orders":
            ranges.append(params["dateRange"])

    town.emulator.api.before_request = note_range
    assert set(await listed(platform, town, timedelta(days=60))) == set(town.refs)
    spans = [(date.fromisoformat(item["from"]), date.fromisoformat(item["to"])) for item in ranges]
    assert (spans[0][0], spans[-1][1]) == (DAY - timedelta(days=63), DAY + timedelta(days=21))
    assert all((end - start).days < 35 for start, end in spans)
    assert all(later[0] == earlier[1] + timedelta(days=1) for earlier, later in pairwise(spans))


async def test_an_unreadable_order_does_not_hide_the_others(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    broken, strange, good = town.refs
    town.emulator.store.change_order(broken, data=town.data(0) | {"timeWindows": "noon"})
    town.emulator.store.change_order(strange, status="teleported")
    assert set(await listed(platform, town)) == {good}
    with pytest.raises(PlatformUnavailableError, match="teleported"):
        await platform.get_stop(strange)


async def test_the_stops_of_a_day_and_of_a_route_are_told_in_order(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    town.emulator.start_order(town.refs[0])
    town.emulator.complete(town.refs[0])
    tomorrow = add_stop(town.emulator, town.clock, 9, window=window_on("2026-06-09", 9, 11))
    assert {stop.platform_ref async for stop in platform.stops_of_day(DAY)} == set(town.refs)
    (other,) = [stop async for stop in platform.stops_of_day(DAY + timedelta(days=1))]
    assert (other.platform_ref, other.sequence) == (tomorrow, 0)
    assert [stop.platform_ref for stop in await platform.stops_of_route(f"{TODAY}:001")] == town.refs
    for unknown in (f"{TODAY}:009", "nonsense", ":", f"{TODAY}:"):
        with pytest.raises(StopNotFoundError):
            await platform.stops_of_route(unknown)


async def test_a_break_on_the_route_is_no_stop(town: Town, platform: OptimoRoutePlatform) -> None:
    drivers = town.emulator.store.drivers
    drivers["001"] = drivers["001"] | {"breakAfter": 1}
    answer = await town.ask("GET", "get_routes", date=TODAY)
    assert [stop.get("type") for stop in answer["routes"][0]["stops"]] == [None, "break", None, None]
    (route,) = await platform.routes()
    assert list(route.stop_refs) == town.refs
    assert [stop.platform_ref for stop in await platform.stops_of_route(route.platform_ref)] == town.refs


async def test_a_route_goes_from_planned_to_released_to_started_to_finished(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    (route,) = await platform.routes()
    assert (route.platform_ref, route.name, route.driver_ref) == (f"{TODAY}:001", "North 1", "D-1")
    assert (route.day, list(route.stop_refs), route.status) == (DAY, town.refs, RouteStatus.PLANNED)
    assert route.starts_at == datetime(2026, 6, 8, 12, 0, tzinfo=UTC)
    town.send()
    assert (await platform.routes())[0].status is RouteStatus.RELEASED
    town.emulator.start_order(town.refs[0])
    assert (await platform.routes())[0].status is RouteStatus.STARTED
    for ref in town.refs:
        town.emulator.start_order(ref)
        town.emulator.complete(ref)
    assert (await platform.routes(DAY))[0].status is RouteStatus.FINISHED
    assert await platform.routes(DAY + timedelta(days=1)) == []


async def test_drivers_are_those_with_a_route_and_those_configured(town: Town, connect: Connect) -> None:
    known = ConfiguredDriver(external_id="D-1", phone="+17325550100", zones=("North",), capacity=40)
    spare = ConfiguredDriver(serial="007", name="Ada Spare")
    platform = connect(drivers=[known, spare])
    drivers = {driver.platform_ref: driver for driver in await platform.drivers()}
    assert set(drivers) == {"D-1", "007"}
    assert (drivers["D-1"].name, drivers["D-1"].phone, drivers["D-1"].zones) == (
        "Sam Porter",
        "+17325550100",
        ("North",),
    )
    assert (drivers["D-1"].capacity, drivers["007"].name, drivers["007"].on_duty) == (40, "Ada Spare", None)
    assert Capability.DRIVER_CAPACITY in platform.capabilities
    assert Capability.DRIVER_CAPACITY not in connect().capabilities


async def test_it_declares_what_it_can_and_what_not(platform: OptimoRoutePlatform) -> None:
    missing = {
        Capability.PUSH_EVENTS,
        Capability.DRIVER_POSITION,
        Capability.DRIVER_CAPACITY,
        Capability.ASSIGN_ROUTE,
    }
    assert platform.capabilities == frozenset(Capability) - missing
    assert platform.abilities[Capability.CHANGE_WINDOW] == "reaches the driver after planning and sending"


@pytest.mark.parametrize("timezone", ["", "Mars/Olympus", "../etc/passwd", "New York"])
def test_an_account_without_a_real_time_zone_is_refused(timezone: str) -> None:
    with pytest.raises(ValueError, match="IANA"):
        OptimoRoutePlatform("key", timezone=timezone, now=lambda: datetime.now(UTC))


@pytest.mark.parametrize(
    "fields",
    [
        {"client_field": "customField2"},
        {"zone_field": "customField6"},
        {"client_field": "notes"},
        {"client_field": "customField3", "zone_field": "customField3"},
    ],
)
def test_fields_that_are_none_or_used_twice_are_refused(fields: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="customField"):
        OptimoRoutePlatform("key", timezone="UTC", now=lambda: datetime.now(UTC), **fields)  # type: ignore[arg-type]


async def test_an_account_may_keep_client_and_zone_elsewhere(town: Town, connect: Connect) -> None:
    swapped = connect(client_field="customField2", zone_field="customField4")
    stop = await swapped.get_stop(town.refs[0])
    assert (stop.client, stop.zone, stop.order_ref) == ("North", "", "Acme")
    assert swapped.account.own_field == "customField5"


# --- bad days ---


async def test_an_unknown_stop_is_named(platform: OptimoRoutePlatform) -> None:
    with pytest.raises(StopNotFoundError, match="nosuchstop"):
        await platform.get_stop("nosuchstop")
    with pytest.raises(StopNotFoundError):
        await platform.get_stop("../get_routes?x=")


@pytest.mark.parametrize("by_status", [False, True])
async def test_a_wrong_key_is_a_matter_of_configuration(
    town: Town, connect: Connect, by_status: bool
) -> None:
    town.emulator.api.errors_by_status = by_status
    stranger = connect(api_key="wrong")
    with pytest.raises(PlatformMisconfiguredError):
        await stranger.get_stop(town.refs[0])
    probe = await stranger.probe()
    assert not probe.healthy
    assert "wrong" not in probe.detail
    assert (await connect().probe()).healthy


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", status=500),
        Fault("status", status=429, headers=(("Retry-After", "0"),)),
        Fault("status", status=200, body={"success": False, "code": "ERR_TOO_MANY_CONNECTIONS"}),
        Fault("status", status=200, body={"success": False, "code": "ERR_INTERNAL"}),
        Fault("reset"),
    ],
)
async def test_a_hiccup_is_sat_out(town: Town, platform: OptimoRoutePlatform, fault: Fault) -> None:
    town.emulator.faults.next(fault)
    assert (await platform.get_stop(town.refs[0])).tracking == "S-1"


@pytest.mark.parametrize(
    "body", [{}, {"success": True, "orders": "none"}, {"orders": []}, {"success": True, "orders": []}]
)
async def test_an_answer_that_makes_no_sense_is_no_answer(
    town: Town, platform: OptimoRoutePlatform, body: dict[str, object]
) -> None:
    town.emulator.faults.next(*[Fault("status", status=200, body=body, path_contains="get_orders")] * 4)
    with pytest.raises(PlatformUnavailableError):
        await platform.get_stop(town.refs[0])


async def test_a_platform_that_is_down_is_said_to_be(town: Town, platform: OptimoRoutePlatform) -> None:
    town.emulator.faults.down = True
    with pytest.raises(PlatformUnavailableError):
        await listed(platform, town)


async def test_never_more_than_five_calls_at_once_whatever_is_configured(
    town: Town, connect: Connect
) -> None:
    town.emulator.api.latency_seconds = 0.01
    platform = connect(limits=Limits(per_second=1000, at_once=50, attempts=1))
    stops = await asyncio.gather(*(platform.get_stop(ref) for ref in town.refs * 8))
    assert len(stops) == 24
    assert town.emulator.api.most_at_once == 5
