"""The town of `optimoroute_town`, served, and clients on it."""

from collections.abc import AsyncIterator

import pytest

from connectors.emulation import serving
from connectors.optimoroute.client import OptimoRoutePlatform
from tests.connectors.optimoroute.optimoroute_town import API_KEY, Connect, Town, add_stop, new_emulator
from tests.connectors.towns import Clock, connecting


@pytest.fixture
async def town(clock: Clock) -> AsyncIterator[Town]:
    emulator = new_emulator(clock)
    emulator.add_driver("D-1", name="Sam Porter", vehicle="North 1")
    emulator.add_driver("D-2", name="Rosa Delgado", vehicle="North 2")
    refs = [add_stop(emulator, clock, number) for number in (1, 2, 3)]
    async with serving(emulator.app) as url:
        yield Town(emulator, url, clock, "D-1", refs)


@pytest.fixture
async def connect(town: Town) -> AsyncIterator[Connect]:
    keys = {"api_key": API_KEY, "api_base": town.url}
    async with connecting(OptimoRoutePlatform, **keys, now=town.clock) as connect:
        yield connect


@pytest.fixture
def platform(connect: Connect) -> OptimoRoutePlatform:
    return connect()
