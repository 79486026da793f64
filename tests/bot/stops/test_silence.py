"""A platform from which nothing comes is told of: also one that does not fail, but is not read at all."""

from datetime import timedelta

from sqlalchemy import update

from bot.stops.models import PlatformFeed
from tests.harness.people import readable
from tests.harness.world import World

MINUTE = timedelta(minutes=1)


async def not_read(world: World) -> None:
    """As if the job of every read were stuck: it is never due, and never comes to an end."""
    async with world.doorline.services.database.transaction() as session:
        await session.execute(update(PlatformFeed).values(next_read_at=world.clock.now() + timedelta(days=1)))


async def watch(world: World, minutes: int) -> None:
    for _ in range(minutes):
        world.clock.move(MINUTE)
        await world.doorline.services.feeds.watch_silence()
    await world.settled()


async def posts(world: World) -> list[str]:
    return [readable(message) for message in await world.channel()]


async def test_a_read_that_is_stuck_is_told_of_once_and_resolved_when_it_is_back(bare_world: World) -> None:
    await bare_world.sync()
    await bare_world.doorline.services.feeds.watch_silence()
    await not_read(bare_world)
    await watch(bare_world, 19)
    assert await posts(bare_world) == []
    await watch(bare_world, 5)
    (post,) = await posts(bare_world)
    assert "Nothing from Onfleet for 20 min: no reading of it comes to an end" in post
    async with bare_world.doorline.services.database.transaction() as session:
        await session.execute(update(PlatformFeed).values(next_read_at=bare_world.clock.now()))
    await bare_world.tick()
    await bare_world.channel_shows("Onfleet is back")
    assert len(await posts(bare_world)) == 1


async def test_what_was_not_read_while_we_were_down_is_no_silence(bare_world: World) -> None:
    await bare_world.sync()
    await bare_world.stop_app()
    bare_world.clock.move(timedelta(hours=3))
    await bare_world.start_app()
    await not_read(bare_world)
    await bare_world.doorline.services.feeds.watch_silence()
    await watch(bare_world, 15)
    assert await posts(bare_world) == []
    await watch(bare_world, 10)
    assert len(await posts(bare_world)) == 1


async def test_a_platform_that_cannot_be_reached_is_told_with_the_reason(bare_world: World) -> None:
    bare_world.onfleet.faults.down = True
    for _ in range(3):
        await bare_world.advance(minutes=11)
    (post,) = await posts(bare_world)
    assert "Nothing from Onfleet for 20 min: it cannot be reached" in post
    bare_world.onfleet.faults.down = False
