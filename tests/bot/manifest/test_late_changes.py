"""A stop changes on a route that is out: its driver and dispatchers hear of it, once."""

from datetime import timedelta
from typing import Any

from bot.desk.models import DeskTask
from bot.manifest.models import DriverOut
from connectors.base import DeliveryWindow
from connectors.desk import TaskKind, TaskState
from tests.harness.world import World

DRIVER = "+12125550999"


async def tasks(world: World) -> list[DeskTask]:
    return await world.rows(DeskTask, DeskTask.kind == TaskKind.LATE_CHANGE)


async def told(world: World) -> list[tuple[str, str]]:
    return sorted((task.told.change, task.told.address_line) for task in await tasks(world))


async def texts_to(world: World, phone: str = DRIVER) -> list[str]:
    return await world.recipient(phone).reads()


async def is_out(world: World, **facts: Any) -> str:
    """A driver on duty with one stop, seen by the clock."""
    tracking = await world.has_stop(**({"address": "1 First St"} | facts))
    await world.tick()
    assert await texts_to(world) == []
    return tracking


async def move(world: World, tracking: str, start: str, end: str) -> None:
    window = DeliveryWindow(start_at=world.local(start), end_at=world.local(end))
    record = await world.stop_record(tracking)
    await world.doorline.vendors.platforms["onfleet"].change_window(record.platform_ref, window)
    await world.sync()


async def test_a_stop_added_to_a_route_that_is_out(bare_world: World) -> None:
    await is_out(bare_world)
    await bare_world.has_stop(address="14 Elm St 2B", phone="+12125550101")
    await bare_world.advance(seconds=10)
    assert await texts_to(bare_world) == ["QuickShip: new stop on your route: 14 Elm St 2B, 2-4 pm."]
    assert await told(bare_world) == [("added", "14 Elm St 2B")]
    await bare_world.channel_shows("14 Elm St 2B", "Driver of van-7")
    await bare_world.advance(minutes=5)
    assert len(await texts_to(bare_world)) == 1


async def test_a_stop_cancelled_on_the_platform(bare_world: World) -> None:
    tracking = await is_out(bare_world)
    await bare_world.doorline.vendors.platforms["onfleet"].cancel(
        (await bare_world.stop_record(tracking)).platform_ref
    )
    await bare_world.sync()
    await bare_world.tick()
    assert await texts_to(bare_world) == ["QuickShip: stop cancelled, no need to go there: 1 First St."]
    assert await told(bare_world) == [("cancelled", "1 First St")]


async def test_a_window_moved_while_the_driver_is_out(bare_world: World) -> None:
    tracking = await is_out(bare_world)
    await move(bare_world, tracking, "17:00", "19:00")
    await bare_world.tick()
    assert await texts_to(bare_world) == ["QuickShip: the window of 1 First St has changed: now 5-7 pm."]
    assert await told(bare_world) == [("moved", "1 First St")]


async def test_both_drivers_hear_of_a_stop_that_changes_hands(bare_world: World) -> None:
    tracking = await is_out(bare_world)
    other = bare_world.onfleet.add_worker(
        "van-8",
        name="Sam",
        phone="+12125550888",
        team=bare_world.onfleet.add_team("North"),
        location=(40.7, -74.0),
    )
    bare_world.onfleet.set_duty(other, True, bare_world.clock.now())
    await bare_world.has_stop(address="8 Eighth St", driver="van-8", phone="+12125550108")
    await bare_world.tick()
    before = await texts_to(bare_world, "+12125550888")
    bare_world.onfleet.put_on_route(bare_world.task_of(tracking)["id"], other)
    await bare_world.sync()
    await bare_world.tick()
    assert await texts_to(bare_world) == [
        "QuickShip: this stop is no longer yours, someone else has it: 1 First St."
    ]
    assert (await texts_to(bare_world, "+12125550888"))[len(before) :] == [
        "QuickShip: new stop on your route: 1 First St, 2-4 pm."
    ]
    assert ("reassigned", "1 First St") in await told(bare_world)


async def test_a_stop_that_goes_to_another_day_and_then_to_nobody_is_told_once(bare_world: World) -> None:
    tracking = await is_out(bare_world)
    window = DeliveryWindow(start_at=bare_world.local("17:00", 1), end_at=bare_world.local("19:00", 1))
    ref = (await bare_world.stop_record(tracking)).platform_ref
    await bare_world.doorline.vendors.platforms["onfleet"].change_window(ref, window)
    await bare_world.sync()
    await bare_world.tick()
    await bare_world.doorline.vendors.platforms["onfleet"].assign_driver(ref, None)
    await bare_world.sync()
    await bare_world.tick()
    assert await texts_to(bare_world) == [
        "QuickShip: stop off your route today, no need to go there: 1 First St."
    ]
    assert await told(bare_world) == [("taken_off", "1 First St")]
    await bare_world.channel_shows("1 First St", "is no longer on Driver of van-7")


async def test_what_is_planned_before_the_route_is_out_is_silent(bare_world: World) -> None:
    await bare_world.has_stop(on_route=False, address="1 First St")
    await bare_world.tick()
    await bare_world.has_stop(on_route=False, address="2 Second St", phone="+12125550101")
    await bare_world.tick()
    assert (await texts_to(bare_world), await tasks(bare_world)) == ([], [])
    assert await bare_world.rows(DriverOut) == []


async def test_many_changes_at_once_are_one_text_and_one_post(bare_world: World) -> None:
    await is_out(bare_world)
    for number in range(5):
        await bare_world.has_stop(address=f"{number} New St", phone=f"+1212555020{number}")
    await bare_world.advance(seconds=10)
    assert await texts_to(bare_world) == [
        "QuickShip: 5 stops of your route have changed. Look at it in your app before you go on."
    ]
    (task,) = await tasks(bare_world)
    assert (task.told.stops, len(task.told.addresses)) == (5, 5)


async def test_after_an_outage_a_stop_that_is_finished_already_is_no_news(bare_world: World) -> None:
    await is_out(bare_world)
    await bare_world.stop_app()
    added = await _added_on_the_platform_alone(bare_world)
    bare_world.clock.move(timedelta(hours=1))
    bare_world.onfleet.complete_task(added)
    await bare_world.start_app()
    await bare_world.sync()
    await bare_world.tick()
    assert (await texts_to(bare_world), await tasks(bare_world)) == ([], [])


async def _added_on_the_platform_alone(world: World) -> str:
    world._with_app = False  # `has_stop` would let the app read it
    tracking = await world.has_stop(address="14 Elm St 2B", phone="+12125550101")
    world._with_app = True
    return str(world.task_of(tracking)["id"])


async def test_after_an_outage_what_is_still_to_be_driven_is_told_once(bare_world: World) -> None:
    await is_out(bare_world)
    await bare_world.stop_app()
    await _added_on_the_platform_alone(bare_world)
    bare_world.clock.move(timedelta(minutes=20))
    await bare_world.start_app()
    await bare_world.sync()
    await bare_world.tick()
    await bare_world.restart_app()
    await bare_world.tick()
    assert len(await texts_to(bare_world)) == 1
    assert await told(bare_world) == [("added", "14 Elm St 2B")]


async def test_a_driver_who_left_is_not_texted_and_dispatchers_know(bare_world: World) -> None:
    await is_out(bare_world)
    await bare_world.recipient(DRIVER).texts("STOP")
    await bare_world.settled()
    before = await texts_to(bare_world)
    await bare_world.has_stop(address="14 Elm St 2B", phone="+12125550101")
    await bare_world.advance(seconds=10)
    assert await texts_to(bare_world) == before
    (task,) = await tasks(bare_world)
    assert task.told.reasons == ("driver_opted_out",)


async def test_the_task_ends_with_the_day(bare_world: World) -> None:
    await is_out(bare_world)
    await bare_world.has_stop(address="14 Elm St 2B", phone="+12125550101")
    await bare_world.advance(seconds=10)
    await bare_world.advance(hours=12)
    (task,) = await tasks(bare_world)
    assert task.state is TaskState.EXPIRED
