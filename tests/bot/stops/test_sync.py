"""What the platforms tell is stored whole, follows their events, and is neither lost nor told twice by a crash."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from bot.stops import sync as sync_module
from bot.stops.models import DriverRecord, PlatformFeed, RouteRecord, StopEvent, StopRecord
from connectors.base import PlatformEvent, RouteStatus, StopStatus
from connectors.emulation import Fault
from connectors.errors import PlatformUnavailableError
from connectors.optimoroute.stage import OptimoRouteStage
from connectors.world.evidence import left_behind
from connectors.world.plan import plan_day
from tests.harness.accounts import TIMEZONE
from tests.harness.world import Setting, World

STOPS = 12


@pytest.fixture
async def polled(bare_setting: Setting, empty_database: None) -> AsyncIterator[World]:
    """A world whose only platform is asked for its events."""
    async with World(bare_setting, platforms=("optimoroute",)) as world:
        yield world


class Route:
    """One driver of an OptimoRoute day, played by hand."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.stage = OptimoRouteStage(world.optimoroute)
        plans = plan_day(5, self.now.astimezone(world.local("09:00").tzinfo), STOPS)
        self.plan = plan = max(plans, key=lambda each: len(each.stops))
        self.driver = self.stage.add_route(plan)
        created_at = self.now - timedelta(hours=12)
        self.refs = [
            self.stage.add_stop(stop, plan, self.driver, created_at).platform_ref for stop in plan.stops
        ]

    @property
    def now(self) -> datetime:
        return self._world.clock.now()

    def delivers(self, index: int) -> None:
        self.stage.start(self.refs[index], self.now)
        self.stage.complete(self.refs[index], self.now, None, left_behind(self.plan.stops[index], None))


async def statuses(world: World) -> dict[str, StopStatus]:
    return {record.platform_ref: record.status for record in await world.rows(StopRecord)}


async def follow(world: World) -> None:
    """Asks for events alone: no whole read takes part."""
    await world.doorline.services.feeds.ask_for_due_events()
    await world.settled()


async def feed(world: World) -> PlatformFeed:
    (row,) = await world.rows(PlatformFeed)
    return row


async def test_a_whole_read_keeps_drivers_routes_and_what_is_planned(bare_world: World) -> None:
    await bare_world.has_stop()
    (driver,) = await bare_world.rows(DriverRecord)
    assert (driver.zones, driver.on_duty, driver.latitude) == (["North"], True, 40.7)
    (route,) = await bare_world.rows(RouteRecord)
    (stop,) = await bare_world.rows(StopRecord)
    assert (route.platform, route.driver_ref) == ("onfleet", driver.platform_ref)
    assert route.day == bare_world.local("12:00").date()
    assert stop.route_ref == route.platform_ref
    await bare_world.delivers(stop.tracking)
    await bare_world.sync()
    (route,) = await bare_world.rows(RouteRecord)
    assert route.status is RouteStatus.FINISHED


async def test_events_bring_in_what_happened_between_two_whole_reads(polled: World) -> None:
    route = Route(polled)
    await polled.sync()
    await follow(polled)
    assert (await feed(polled)).cursor
    read_at = (await feed(polled)).read_at
    route.delivers(0)
    polled.clock.move(timedelta(seconds=11))
    await follow(polled)
    assert (await statuses(polled))[route.refs[0]] is StopStatus.DELIVERED
    assert (await feed(polled)).read_at == read_at
    before = len(await polled.rows(StopEvent))
    polled.clock.move(timedelta(seconds=11))
    await follow(polled)
    assert len(await polled.rows(StopEvent)) == before


async def test_duty_is_followed_by_events(polled: World) -> None:
    route = Route(polled)
    await polled.sync()
    await follow(polled)
    for on_duty in (True, False):
        polled.clock.move(timedelta(seconds=11))
        route.stage.set_duty(route.driver, on_duty, route.now)
        await follow(polled)
        (driver,) = await polled.rows(DriverRecord)
        assert driver.on_duty is on_duty


async def test_events_that_were_not_all_brought_in_come_again(polled: World) -> None:
    """The look at the stop fails after the events were read, as a crash there would."""
    route = Route(polled)
    await polled.sync()
    await follow(polled)
    cursor = (await feed(polled)).cursor
    route.delivers(0)
    polled.optimoroute.faults.next(
        *[Fault("status", status=503, path_contains="get_orders")] * 8,
        *[Fault("status", status=503, path_contains="search_orders")] * 8,
    )
    with pytest.raises(PlatformUnavailableError):
        await polled.doorline.services.sync.read_events("optimoroute")
    assert (await feed(polled)).cursor == cursor
    polled.optimoroute.faults.clear()
    await polled.doorline.services.sync.read_events("optimoroute")
    assert (await statuses(polled))[route.refs[0]] is StopStatus.DELIVERED
    assert (await feed(polled)).cursor != cursor


async def test_more_events_than_are_looked_at_one_by_one_ask_for_a_whole_read(
    polled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_module, "SINGLE_LOOKS", 1)
    route = Route(polled)
    await polled.sync()
    await follow(polled)
    for index in range(3):
        route.delivers(index)
    polled.clock.move(timedelta(seconds=11))
    await follow(polled)
    assert StopStatus.DELIVERED not in (await statuses(polled)).values()
    assert (await feed(polled)).next_read_at <= polled.clock.now()
    await polled.doorline.services.feeds.ask_for_due_reads()
    await polled.settled()
    done = [ref for ref, status in (await statuses(polled)).items() if status is StopStatus.DELIVERED]
    assert sorted(done) == sorted(route.refs[:3])


async def test_an_event_that_names_a_route_looks_at_all_of_it(bare_world: World) -> None:
    tracking = await bare_world.has_stop()
    await bare_world.has_stop(phone="+12125550101", address="16 Elm St")
    (one, other) = await bare_world.rows(StopRecord)
    gone = one if one.tracking == tracking else other
    kept = other if gone is one else one
    del bare_world.onfleet.store.tasks[gone.platform_ref]
    bare_world.onfleet.set_eta(kept.platform_ref, bare_world.local("15:55"))
    event = PlatformEvent(
        platform="onfleet",
        vendor_id="v-1",
        kind="route_changed",
        occurred_at=bare_world.clock.now(),
        route_ref=gone.route_ref,
    )
    changed = await bare_world.doorline.services.sync.apply_event(event)
    assert set(changed) == {gone.id, kept.id}
    assert (await statuses(bare_world))[gone.platform_ref] is StopStatus.CANCELLED


async def test_an_event_of_an_account_that_is_off_changes_nothing(bare_world: World) -> None:
    event = PlatformEvent(
        platform="onfleet_west",
        vendor_id="v-1",
        kind="stop_updated",
        occurred_at=bare_world.clock.now(),
        stop_ref="x",
    )
    assert await bare_world.doorline.services.sync.apply_event(event) == []


async def test_a_read_that_does_not_end_counts_as_failed_and_keeps_no_other_waiting(
    bare_setting: Setting, empty_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_module, "LONGEST_READ", timedelta(seconds=5))
    async with World(bare_setting, platforms=("onfleet", "optimoroute")) as world:
        Route(world)
        world.onfleet.faults.slow_share, world.onfleet.faults.slow_seconds = 1.0, 6.0
        await world.doorline.services.feeds.ask_for_due_reads()
        await world.settled()
        feeds = {each.platform: each for each in await world.rows(PlatformFeed)}
        assert feeds["onfleet"].last_error == "PlatformUnavailableError"
        assert feeds["onfleet"].failing_since is not None
        assert feeds["optimoroute"].failing_since is None
        assert {record.platform for record in await world.rows(StopRecord)} == {"optimoroute"}
        world.onfleet.faults.clear()


async def test_the_zone_of_the_account_is_the_stops(polled: World) -> None:
    Route(polled)
    await polled.sync()
    assert {record.timezone for record in await polled.rows(StopRecord)} == {TIMEZONE}
