"""`stand`: the same small town, once on every routing platform."""

from collections.abc import AsyncIterator

import pytest

from tests.connectors.platforms.stands import VENDORS, Stand, standing
from tests.connectors.towns import Doorway


@pytest.fixture(params=VENDORS)
async def stand(request: pytest.FixtureRequest, doorway: Doorway) -> AsyncIterator[Stand]:
    async with standing(request.param, doorway) as stand:
        yield stand
