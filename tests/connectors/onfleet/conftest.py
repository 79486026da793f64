"""The town of `onfleet_town`, served, and clients on it."""

from collections.abc import AsyncIterator

import pytest

from connectors.emulation import serving
from connectors.onfleet.client import OnfleetPlatform
from tests.connectors.onfleet.onfleet_town import API_KEY, Connect, Town, add_driver, add_stop, new_emulator
from tests.connectors.towns import Clock, connecting


@pytest.fixture
async def town(clock: Clock) -> AsyncIterator[Town]:
    emulator = new_emulator(clock)
    driver = add_driver(emulator)
    tasks = [add_stop(emulator, clock, driver, number) for number in (1, 2, 3)]
    async with serving(emulator.app) as url:
        yield Town(emulator, url, clock, driver, tasks)


@pytest.fixture
async def connect(town: Town) -> AsyncIterator[Connect]:
    keys = {"api_key": API_KEY, "api_base": town.url}
    async with connecting(OnfleetPlatform, **keys, now=town.clock) as connect:
        yield connect


@pytest.fixture
def platform(connect: Connect) -> OnfleetPlatform:
    return connect()
