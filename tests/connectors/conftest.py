"""What the towns of all platforms stand on."""

from collections.abc import AsyncIterator

import pytest

from connectors.emulation import serving
from tests.connectors.towns import Clock, Doorway


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
async def doorway() -> AsyncIterator[Doorway]:
    doorway = Doorway()
    async with serving(doorway) as doorway.url:
        yield doorway
