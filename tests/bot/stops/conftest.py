"""A town with its recipients, on an empty database."""

import pytest

from bot.db import Database
from tests.bot.stops.town import Town


@pytest.fixture
def town(database: Database) -> Town:
    return Town(database)
