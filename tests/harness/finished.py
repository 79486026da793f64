"""A stop that is over, and the places where its driver may have stood."""

from datetime import timedelta
from typing import Any

from tests.harness.world import World

AT_THE_DOOR = (40.7003, -74.0001)
TWO_KM_AWAY = (40.7188, -74.0)


async def has_delivered(world: World, at: str = "11:40", *, photos: int = 0, **facts: Any) -> str:
    """A stop that was delivered today at `at`, New York's time. Gives its tracking.

    `signed_by`, `location` and `has_signature` are what the driver left; the rest goes to `has_stop`.
    """
    left = {
        name: facts.pop(name)
        for name in ("signed_by", "location", "has_signature", "success", "reason")
        if name in facts
    }
    tracking = await world.has_stop(**{"window": ("11:00", "13:00"), "eta": None} | facts)
    await world.delivers(tracking, at=world.local(at), photos=photos, **left)
    return tracking


async def days_pass(world: World, days: float) -> None:
    """And the platform is read again, so that the news is fresh."""
    world.clock.move(timedelta(days=days))
    await world.sync()
