"""What is read is the same on every platform, in the same fields."""

from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.base import Capability, FailureReason, PlatformEvent, RouteStatus, Stop, StopStatus
from connectors.errors import StopNotFoundError
from connectors.world.evidence import left_behind
from connectors.world.town import failure_for
from tests.connectors.platforms.stands import NINE, TODAY, TOMORROW, Stand, new_stop, window

PLENTY = 5_000_000


async def test_every_stop_of_a_day_is_told_with_the_same_fields(stand: Stand) -> None:
    stops = await stand.of_day()
    assert set(stops) == set(stand.refs)
    for index, (planned, placement) in enumerate(zip(stand.planned, stand.placed, strict=True)):
        stop = stops[placement.platform_ref]
        assert (stop.platform, stop.tracking, stop.timezone) == (
            stand.name,
            placement.tracking,
            "America/New_York",
        )
        assert (stop.client, stop.zone, stop.order_ref) == ("Acme", "North", planned.key)
        assert (stop.address.line, stop.address.latitude) == (planned.address.line, planned.address.latitude)
        assert "Norwalk" in (stop.address.city or stop.address.line)
        assert (stop.recipient_name, stop.recipient_phone) == ("Dana Okafor", planned.recipient_phone)
        assert (stop.window, stop.notes, stop.service) == (planned.window, "Ring twice", planned.service)
        assert (stop.status, stop.driver_ref) == (StopStatus.ASSIGNED, stand.drivers[index // 3])
        assert stop.own_ref is None
        assert (stop.completed_at, stop.failure_reason, stop.proof) == (None, None, None)


async def test_a_single_stop_reads_as_it_does_in_the_list(stand: Stand) -> None:
    stops = await stand.of_day()
    for ref in stand.refs[:2]:
        assert comparable(await stand.platform.get_stop(ref)) == comparable(stops[ref])


async def test_the_day_and_what_changed_read_the_same(stand: Stand) -> None:
    stand.finish(0)
    stand.start(1)
    of_day, changed = await stand.of_day(), await stand.changed()
    assert of_day.keys() == changed.keys()
    for ref, stop in of_day.items():
        assert comparable(stop) == comparable(changed[ref])


def comparable(stop: Stop) -> dict[str, object]:
    """Without what depends on the moment of reading, or on what a list may leave out."""
    return stop.model_dump(exclude={"changed_at", "sequence", "eta_at", "tracking_url"})


async def test_another_day_has_none_of_todays_stops(stand: Stand) -> None:
    stand.needs(Capability.CREATE_STOP)
    made = await stand.make()
    assert set(await stand.of_day(TOMORROW)) == {made.platform_ref}
    assert set(await stand.of_day()) == set(stand.refs)
    assert await stand.of_day(TODAY - timedelta(days=1)) == {}


async def test_stops_of_a_day_include_the_finished_ones(stand: Stand) -> None:
    done = stand.finish(0)
    failed = stand.finish(3, failure_for(FailureReason.ACCESS_ISSUE))
    stops = await stand.of_day()
    assert set(stops) == set(stand.refs)
    assert (stops[done].status, stops[failed].status) == (StopStatus.DELIVERED, StopStatus.FAILED)


async def test_a_delivery_is_followed_from_the_depot_to_the_door(stand: Stand) -> None:
    ref = stand.start(0)
    assert (await stand.platform.get_stop(ref)).status is StopStatus.OUT_FOR_DELIVERY
    stand.stage.arrive(ref, stand.clock.advance(minutes=10))
    arriving = await stand.platform.get_stop(ref)
    assert (arriving.status, arriving.completed_at) == (StopStatus.ARRIVING, None)
    stand.complete(0)
    done = await stand.platform.get_stop(ref)
    assert (done.status, done.completed_at) == (StopStatus.DELIVERED, stand.clock())
    assert done.failure_reason is None


async def test_a_failure_is_told_with_its_reason_and_the_drivers_words(stand: Stand) -> None:
    stand.needs(Capability.FAILURE_REASON)
    ref = stand.finish(0, failure_for(FailureReason.RECIPIENT_UNAVAILABLE))
    stop = (await stand.changed())[ref]
    assert (stop.status, stop.failure_reason) == (StopStatus.FAILED, FailureReason.RECIPIENT_UNAVAILABLE)
    assert "nobody home" in stop.failure_note


async def test_what_the_driver_left_is_told_and_its_pictures_can_be_fetched(stand: Stand) -> None:
    stand.needs(Capability.PROOF)
    left = replace(left_behind(stand.planned[0], None), photos=2, signed_by="D. Okafor", note="porch")
    stop = await stand.platform.get_stop(stand.finish(0, left=left))
    assert stop.proof is not None
    assert len(stop.proof.photo_urls) == 2
    assert stop.proof.signature_url is not None
    assert "porch" in stop.proof.note
    for url in (*stop.proof.photo_urls, stop.proof.signature_url):
        picture = await stand.platform.fetch_picture(url, at_most_bytes=PLENTY)
        assert picture.content_type.startswith("image/")


async def test_a_live_eta_follows_the_day(stand: Stand) -> None:
    stand.needs(Capability.LIVE_ETA)
    ref = stand.start(0)
    eta = NINE + timedelta(minutes=95)
    stand.stage.report_eta(ref, eta, stand.clock())
    assert (await stand.platform.get_stop(ref)).eta_at == eta


async def test_a_tracking_link_belongs_to_its_stop(stand: Stand) -> None:
    stand.needs(Capability.TRACKING_LINK)
    stand.start(0)
    stops = [await stand.platform.get_stop(ref) for ref in stand.refs[:2]]
    assert stops[0].tracking_url
    assert stops[0].tracking_url.startswith("https://")
    assert stops[0].tracking_url != stops[1].tracking_url


async def test_drivers_are_told_with_what_the_platform_knows_of_them(stand: Stand) -> None:
    stand.start(0)
    stand.stage.report_position(stand.drivers[0], 41.2, -73.5, stand.clock())
    drivers = {driver.platform_ref: driver for driver in await stand.platform.drivers()}
    assert set(stand.drivers) <= set(drivers)
    first = drivers[stand.drivers[0]]
    assert (first.platform, first.name) == (stand.name, "Sam Porter")
    can = stand.platform.capabilities
    if Capability.DRIVER_DUTY in can:
        # Some platforms tell it in events only, and the client remembers.
        if Capability.POLL_EVENTS in can:
            await stand.platform.events_after(None)
            drivers = {driver.platform_ref: driver for driver in await stand.platform.drivers()}
        assert drivers[stand.drivers[0]].on_duty is True
    else:
        assert first.on_duty is None
    if Capability.DRIVER_POSITION in can:
        assert (first.latitude, first.longitude, first.seen_at) == (41.2, -73.5, stand.clock())
    else:
        assert first.latitude is None
    if Capability.DRIVER_CAPACITY not in can:
        assert first.capacity is None


async def test_routes_of_the_day_hold_their_stops_in_driving_order(stand: Stand) -> None:
    routes = {route.driver_ref: route for route in await stand.platform.routes()}
    assert set(routes) == set(stand.drivers)
    for number, driver in enumerate(stand.drivers):
        route = routes[driver]
        assert (route.platform, route.day) == (stand.name, TODAY)
        assert list(route.stop_refs) == stand.refs[number * 3 : number * 3 + 3]
        assert {stop.route_ref for stop in await stand.platform.stops_of_route(route.platform_ref)} == {
            route.platform_ref
        }
    assert await stand.platform.routes(TODAY - timedelta(days=3)) == []


async def test_a_route_shows_whether_it_has_begun_and_ended(stand: Stand) -> None:
    async def status() -> RouteStatus:
        routes = {route.driver_ref: route for route in await stand.platform.routes()}
        return routes[stand.drivers[0]].status

    assert await status() in (RouteStatus.PLANNED, RouteStatus.RELEASED)
    stand.finish(0)
    assert await status() is RouteStatus.STARTED
    stand.finish(1)
    stand.finish(2)
    stand.stage.set_duty(stand.drivers[0], False, stand.clock.advance(minutes=5))
    assert await status() is RouteStatus.FINISHED


async def test_the_stops_of_a_route_come_in_driving_order_finished_ones_first(stand: Stand) -> None:
    stand.finish(1)
    (route,) = [item for item in await stand.platform.routes() if item.driver_ref == stand.drivers[0]]
    told = [stop.platform_ref for stop in await stand.platform.stops_of_route(route.platform_ref)]
    left = [ref for ref in told if ref != stand.refs[1]]
    assert left == [stand.refs[0], stand.refs[2]]
    if len(told) == 3 and stand.vendor == "onfleet":
        assert told[0] == stand.refs[1]


async def test_an_unknown_route_or_stop_is_named(stand: Stand) -> None:
    for unknown in (stand.ways.unknown_ref, "nosuchstop", "../x"):
        with pytest.raises(StopNotFoundError) as told:
            await stand.platform.get_stop(unknown)
        assert told.value.platform_ref == unknown
    with pytest.raises(StopNotFoundError):
        await stand.platform.stops_of_route("nosuchroute")


async def test_a_stop_is_found_by_our_own_reference(stand: Stand) -> None:
    assert await stand.platform.find_stop("DL-1") is None
    stand.needs(Capability.CREATE_STOP)
    made = await stand.make("DL-1")
    await stand.make("DL-10", recipient_phone="+12035550178")
    found = await stand.platform.find_stop("DL-1")
    assert found is not None
    assert (found.platform_ref, found.own_ref) == (made.platform_ref, "DL-1")
    assert (await stand.connect().find_stop("DL-10")) is not None, "a fresh process finds it too"
    assert await stand.platform.find_stop("DL-2") is None


# --- events ---


async def test_events_are_told_once_in_order_from_the_cursor_on(stand: Stand) -> None:
    stand.needs(Capability.POLL_EVENTS)
    stand.start(0)
    page = await stand.platform.events_after(None)
    assert page.events == (), "without a cursor: from now on"
    stand.stage.arrive(stand.refs[0], stand.clock.advance(minutes=10))
    stand.complete(0)
    events, cursor = await _drained(stand, page.cursor)
    route_ref = (await stand.platform.get_stop(stand.refs[0])).route_ref
    assert {stand.refs[0], route_ref} & {event.stop_ref or event.route_ref for event in events}
    assert [event.occurred_at for event in events] == sorted(event.occurred_at for event in events)
    assert len({event.vendor_id for event in events}) == len(events)
    assert {event.platform for event in events} == {stand.name}
    again, _ = await _drained(stand, cursor)
    assert again == []
    repeated, _ = await _drained(stand, page.cursor)
    assert {event.vendor_id for event in repeated} == {event.vendor_id for event in events}, (
        "same fact, same id"
    )


async def _drained(stand: Stand, cursor: str) -> tuple[list[PlatformEvent], str]:
    events: list[PlatformEvent] = []
    while True:
        page = await stand.platform.events_after(cursor)
        events += page.events
        cursor = page.cursor
        if not page.has_more:
            return events, cursor


async def test_a_new_window_of_a_new_stop_is_local_to_no_machine(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine's own zone must not matter."""
    stand.needs(Capability.CREATE_STOP)
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    made = await stand.platform.create_stop(new_stop(window=window(8, 9, TOMORROW)))
    assert made.window == window(8, 9, TOMORROW)
