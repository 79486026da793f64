"""Failures of ours under `/api/v1`: problem documents that quote nothing, and logs that name only the place."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from bot.db import Database
from bot.errors import DatabaseUnavailableError
from tests.harness.clients import Program, a_stop
from tests.harness.waiting import eventually
from tests.harness.world import World

IDLE = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND query LIKE '%the slow one%'"


@asynccontextmanager
async def opened(url: str, **limits: float) -> AsyncIterator[Database]:
    database = Database(url, **limits)  # type: ignore[arg-type]
    try:
        yield database
    finally:
        await database.close()


async def test_an_unforeseen_error_is_a_problem_document_and_quotes_nothing(bare_world: World) -> None:
    acme = await Program.of(bare_world)
    async with opened(bare_world.setting.database_url) as database:
        async with database.transaction() as session:
            await session.execute(text("SET LOCAL lock_timeout = '10s'"))
            await session.execute(text("ALTER TABLE stop_request RENAME TO stop_request_away"))
        try:
            with capture_logs() as logs:
                answer = await acme.asks_for(a_stop(bare_world))
        finally:
            async with database.transaction() as session:
                await session.execute(text("ALTER TABLE stop_request_away RENAME TO stop_request"))
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert answer.json()["code"] == "internal_server_error"
    assert not answer.json().get("detail")
    [line] = [each for each in logs if each["event"] == "api_failed"]
    assert line["error"] == "ProgrammingError"
    assert line["place"].startswith("bot/")
    assert "Robin Doe" not in str(logs)


async def test_a_transaction_that_the_server_ended_for_its_time_is_an_unavailable_database(
    database_url: str,
) -> None:
    async with opened(database_url) as database, opened(database_url) as watching:

        async def idle() -> int:
            async with watching.transaction() as session:
                return int((await session.execute(text(IDLE))).scalar_one())

        with pytest.raises(DatabaseUnavailableError):
            async with database.transaction() as session:
                await session.execute(text("SET LOCAL idle_in_transaction_session_timeout = '50ms'"))
                await session.execute(text("SELECT 1 /* the slow one */"))
                await eventually(idle, lambda count: count == 0, "the server to end it")
                await session.execute(text("SELECT 1"))
        async with database.transaction() as session:
            assert (await session.execute(text("SELECT 1"))).scalar_one() == 1


async def test_no_connection_left_in_time_is_an_unavailable_database(database_url: str) -> None:
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(opened(database_url, pool_size=1, patience_seconds=0.1))
        for _ in range(11):  # one kept, ten more that an engine may open
            session = await stack.enter_async_context(database.transaction())
            await session.execute(text("SELECT 1"))
        with pytest.raises(DatabaseUnavailableError):
            async with database.transaction() as session:
                await session.execute(text("SELECT 1"))
