"""The database alone, for what needs no app."""

from collections.abc import AsyncIterator

import pytest

from bot.db import Database


@pytest.fixture
async def database(database_url: str, empty_database: None) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()
