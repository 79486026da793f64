"""The town of `onfleet_town`, served, and clients on it."""

from collections.abc import AsyncIterator

import pytest

from connectors.emulation import serving
from connectors.onfleet.client import OnfleetPlatform
from tests.connectors.onfleet.onfleet_town import (
    API_KEY,
    TIMEZONE,
    Clock,
    Connect,
    Town,
    add_driver,
    add_stop,
    new_emulator,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def town(clock: Clock) -> AsyncIterator[Town]:
    emulator = new_emulator(clock)
    driver = add_driver(emulator)
    tasks = [add_stop(emulator, clock, driver, number) for number in (1, 2, 3)]
    async with serving(emulator.app) as url:
        yield Town(emulator, url, clock, driver, tasks)


@pytest.fixture
async def connect(town: Town) -> AsyncIterator[Connect]:
    """Opens clients on the town; they are closed at the end."""
    opened: list[OnfleetPlatform] = []

    def open_platform(**options: object) -> OnfleetPlatform:
        given = {"api_key": API_KEY, "api_base": town.url, "timezone": TIMEZONE, "now": town.clock}
        quick = {"backoff_seconds": 0.01, "requests_per_second": 1000}
        platform = OnfleetPlatform(**(given | quick | options))  # type: ignore[arg-type]
        opened.append(platform)
        return platform

    yield open_platform
    for platform in opened:
        await platform.aclose()


@pytest.fixture
def platform(connect: Connect) -> OnfleetPlatform:
    return connect()
