"""What a platform did while we could not see it comes in as it is now: nothing is told late as if it were new."""

from datetime import timedelta

import pytest

from bot.stops.differences import differences
from bot.stops.models import StopEvent
from connectors.base import StopStatus
from tests.harness.people import readable
from tests.harness.world import World


async def at_risk_posts(world: World) -> list[str]:
    posts = [readable(message) for message in await world.channel()]
    return [post for post in posts if "Elm" in post]


async def outage_begins(world: World, what: str) -> None:
    if what == "platform":
        world.onfleet.faults.down = True
    else:
        await world.stop_app()


async def outage_ends(world: World, what: str) -> None:
    if what == "platform":
        world.onfleet.faults.down = False
    else:
        await world.start_app()
    # Webhooks of the time between are delivered again by the platform, in whatever order.
    await world.sync()
    await world.tick()


@pytest.mark.parametrize("what", ["platform", "doorline"])
async def test_a_stop_that_was_late_and_delivered_meanwhile_is_told_of_by_nobody(
    what: str, bare_world: World
) -> None:
    tracking = await bare_world.has_stop(window=("12:00", "13:00"), eta="12:40")
    task = bare_world.task_of(tracking)["id"]
    await outage_begins(bare_world, what)
    for minutes, eta in ((10, "13:20"), (30, "13:40")):
        await _passes(bare_world, what, minutes)
        bare_world.onfleet.set_eta(task, bare_world.local(eta))
    await _passes(bare_world, what, 65)
    bare_world.onfleet.complete_task(task)
    await _passes(bare_world, what, 10)
    # That nothing was known of it when its window ended was told then, where there was somebody to tell it.
    told_before = len(await at_risk_posts(bare_world))
    await outage_ends(bare_world, what)
    record = await bare_world.stop_record(tracking)
    assert record.status is StopStatus.DELIVERED
    events = await bare_world.rows(StopEvent)
    assert events[-1].source in ("onfleet:poll", "onfleet:webhook")
    for _ in range(4):
        await bare_world.advance(minutes=2)
    assert len(await at_risk_posts(bare_world)) == told_before
    theirs = await bare_world.doorline.vendors.platforms["onfleet"].get_stop(task)
    assert differences([record], [theirs]) == []


@pytest.mark.parametrize("what", ["platform", "doorline"])
async def test_a_stop_that_is_late_still_is_told_of_once_with_what_is_true_now(
    what: str, bare_world: World
) -> None:
    tracking = await bare_world.has_stop(window=("12:00", "14:00"), eta="13:30")
    task = bare_world.task_of(tracking)["id"]
    await outage_begins(bare_world, what)
    for minutes, eta in ((10, "14:20"), (30, "14:40"), (20, "15:05")):
        await _passes(bare_world, what, minutes)
        bare_world.onfleet.set_eta(task, bare_world.local(eta))
    await outage_ends(bare_world, what)
    for _ in range(4):
        await bare_world.advance(minutes=2)
    (post,) = await at_risk_posts(bare_world)
    assert "3:05 pm" in post
    assert "2:20 pm" not in post


async def _passes(world: World, what: str, minutes: int) -> None:
    """Time goes by; what runs meanwhile runs."""
    if what == "platform":
        await world.advance(minutes=minutes)
    else:
        world.clock.move(timedelta(minutes=minutes))
