"""Polled events: each fact once and in order, whatever the platform does, and what only they tell."""

import pytest

from connectors.base import EventPage, PlatformEvent, RouteStatus
from connectors.optimoroute.client import OptimoRoutePlatform
from connectors.optimoroute.emulator import EventFaultsBody
from connectors.optimoroute.payloads import OrderStatus
from tests.connectors.optimoroute.optimoroute_town import TODAY, Connect, Town


def drive_day(town: Town) -> None:
    """On duty, one delivered, one failed, one rejected, off duty: ten events, a minute apart."""
    town.send()
    town.emulator.set_duty("D-1", True)
    outcomes = (OrderStatus.SUCCESS, OrderStatus.FAILED, OrderStatus.REJECTED)
    for ref, status in zip(town.refs, outcomes, strict=True):
        town.clock.advance(minutes=1)
        town.emulator.start_order(ref)
        town.clock.advance(minutes=1)
        town.emulator.arrive(ref)
        town.clock.advance(minutes=1)
        town.emulator.complete(ref, status=status)
    town.clock.advance(minutes=1)
    town.emulator.set_duty("D-1", False)


DAY = [
    ("driver_duty", None),
    ("route_started", None),
    ("stop_arriving", 0),
    ("stop_delivered", 0),
    ("stop_arriving", 1),
    ("stop_failed", 1),
    ("stop_arriving", 2),
    ("stop_failed", 2),
]


def told(events: tuple[PlatformEvent, ...], town: Town) -> list[tuple[str, int | None]]:
    return [(event.kind, town.refs.index(event.stop_ref) if event.stop_ref else None) for event in events]


async def test_without_a_cursor_there_is_nothing_but_the_place_to_go_on_from(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    drive_day(town)
    page = await platform.events_after(None)
    assert (page.events, page.has_more) == ((), False)
    assert await platform.events_after(page.cursor) == EventPage(cursor=page.cursor)
    (driver,) = await platform.drivers()
    assert driver.on_duty is False, "who is on duty was learned on the way"


async def test_what_happened_since_is_told_in_order(town: Town, platform: OptimoRoutePlatform) -> None:
    start = await platform.events_after(None)
    drive_day(town)
    page = await platform.events_after(start.cursor)
    assert told(page.events, town)[:8] == DAY
    assert {kind for kind, _ in told(page.events, town)[8:]} == {"route_finished", "driver_duty"}
    assert [event.on_duty for event in page.events if event.kind == "driver_duty"] == [True, False]
    assert {event.driver_ref for event in page.events} == {"D-1"}
    assert {event.route_ref for event in page.events if event.kind == "route_started"} == {f"{TODAY}:001"}
    assert all(event.stop is None and not event.stop_deleted for event in page.events)
    assert page.events[3].occurred_at == page.events[2].occurred_at.replace(minute=3)


@pytest.mark.parametrize("faults", [["duplicate"], ["reorder"], ["duplicate", "reorder"]])
async def test_events_told_twice_or_in_the_wrong_order_make_no_difference(
    town: Town, connect: Connect, faults: list[str]
) -> None:
    platform = connect()
    drive_day(town)
    plain = await platform.events_after("")
    town.emulator.apply_faults(EventFaultsBody.model_validate({"events": faults}))
    bent = await platform.events_after("")
    assert sorted(event.vendor_id for event in bent.events) == sorted(
        event.vendor_id for event in plain.events
    )
    assert [event.occurred_at for event in bent.events] == [event.occurred_at for event in plain.events]
    again = await platform.events_after(bent.cursor)
    assert {event.vendor_id for event in again.events} <= {event.vendor_id for event in plain.events}
    (driver,) = await platform.drivers()
    assert driver.on_duty is False, "an older event does not overrule a newer one"


async def test_pages_are_followed_and_an_event_without_an_id_finds_its_stop(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    for number in range(700):
        town.clock.advance(seconds=1)
        town.emulator.store.tell("start_service", town.clock(), None, town.order(number % 3))
    first_key = next(iter(town.emulator.store.events))
    first = dict(town.emulator.store.events[first_key])
    del first["orderId"]
    town.emulator.store.events[first_key] = first | {"unixTimestamp": str(first["unixTimestamp"])}
    page = await platform.events_after("")
    assert (len(page.events), page.has_more, page.events[0].stop_ref) == (500, True, town.refs[0])
    rest = await platform.events_after(page.cursor)
    assert (len(rest.events), rest.has_more) == (200, False)
    assert (await platform.events_after(None)).cursor == rest.cursor


async def test_an_event_that_cannot_be_read_or_is_new_hides_no_other(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    events = town.emulator.store.events
    events["a"] = {"event": "success", "unixTimestamp": "yesterday", "orderId": town.refs[0]}
    events["b"] = {"event": "coffee_break", "unixTimestamp": 1781000000, "driverSerial": "001"}
    events["c"] = {"event": "parcel_scanned", "unixTimestamp": 1781000001, "orderId": town.refs[1]}
    events["d"] = {"event": "failed", "unixTimestamp": 1781000002.0, "orderId": town.refs[2]}
    events["e"] = {"event": "failed", "unixTimestamp": 1781000003, "orderNo": "gone"}
    page = await platform.events_after("")
    assert told(page.events, town) == [("stop_updated", 1), ("stop_failed", 2), ("stop_failed", None)]


async def test_the_events_of_drivers_say_how_far_a_route_is(
    town: Town, platform: OptimoRoutePlatform
) -> None:
    town.send()
    town.emulator.store.tell("start_route", town.clock(), town.emulator.store.drivers["001"])
    assert (await platform.routes())[0].status is RouteStatus.RELEASED, "nobody has asked for events yet"
    await platform.events_after("")
    assert (await platform.routes())[0].status is RouteStatus.STARTED
