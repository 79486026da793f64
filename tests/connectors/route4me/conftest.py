"""The town of `route4me_town`, served, and clients on it."""

from collections.abc import AsyncIterator

import pytest

from connectors.route4me.client import Route4MePlatform
from tests.connectors.route4me.route4me_town import API_KEY, Connect, Town, furnish, new_emulator
from tests.connectors.towns import Clock, Doorway, connecting


@pytest.fixture
async def town(clock: Clock, doorway: Doorway) -> Town:
    emulator = new_emulator(clock)
    drivers, routes, refs = furnish(emulator, clock)
    doorway.app = emulator.app
    return Town(emulator, doorway.url, clock, drivers, routes, refs)


@pytest.fixture
async def connect(town: Town) -> AsyncIterator[Connect]:
    keys = {"api_key": API_KEY, "api_base": town.url}
    async with connecting(Route4MePlatform, **keys, now=town.clock) as connect:
        yield connect


@pytest.fixture
def platform(connect: Connect) -> Route4MePlatform:
    return connect()
