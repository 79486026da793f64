"""The worker looks for jobs when there may be one, and lives on when the database goes away and comes back."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import pytest
from procrastinate import App, PsycopgConnector
from sqlalchemy import create_engine, text

from bot.db import create_database, driver_url, libpq_url
from bot.durable.worker import work_forever
from tests.harness.waiting import eventually

NEVER = 3600.0
"""A poll that comes far too late: what runs was not found by polling."""

NAME = f"doorline_line_{os.getpid()}"


class Server:
    """The database server, with one database that can be taken away."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(driver_url(url), isolation_level="AUTOCOMMIT")

    def run(self, *statements: str) -> None:
        with self._engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))

    async def waiting_backends(self) -> list[int]:
        """Processes that wait for a lock in this database."""
        waiting = text("SELECT pid FROM pg_stat_activity WHERE datname = :name AND wait_event_type = 'Lock'")
        with self._engine.connect() as connection:
            return list(connection.execute(waiting, {"name": NAME}).scalars())

    def take_away(self) -> None:
        ending = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{NAME}'"
        self.run(f'ALTER DATABASE "{NAME}" WITH ALLOW_CONNECTIONS false', ending)

    def give_back(self) -> None:
        self.run(f'ALTER DATABASE "{NAME}" WITH ALLOW_CONNECTIONS true')

    def close(self) -> None:
        self.run(f'DROP DATABASE IF EXISTS "{NAME}" WITH (FORCE)')
        self._engine.dispose()


class Line:
    """A queue with one kind of job, which notes its number."""

    def __init__(self, url: str, server: Server) -> None:
        connector = PsycopgConnector(
            conninfo=libpq_url(url), min_size=1, max_size=4, timeout=2, reconnect_timeout=1
        )
        self.app = App(connector=connector)
        self.server = server
        self.url = url
        self.done: list[int] = []
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.task = self.app.task(name="probe")(self._probe)

    async def _probe(self, number: int) -> None:
        self.begun.set()
        await self.may_end.wait()
        self.done.append(number)

    async def ask(self, number: int, lock: str | None = None) -> None:
        await self.task.configure(lock=lock).defer_async(number=number)

    async def does(self, count: int) -> list[int]:
        async def look() -> list[int]:
            return list(self.done)

        return await eventually(look, lambda done: len(done) >= count, f"{count} jobs to be done")


@pytest.fixture
def server(postgres_url: str) -> Iterator[Server]:
    server = Server(postgres_url)
    yield server
    server.close()


@pytest.fixture
def poll() -> float:
    return NEVER


@pytest.fixture
async def line(postgres_url: str, server: Server, poll: float) -> AsyncIterator[Line]:
    line = Line(create_database(postgres_url, NAME, replace=True), server)
    async with line.app.open_async():
        await line.app.schema_manager.apply_schema_async()
        work = work_forever(
            line.app, concurrency=4, fetch_job_polling_interval=poll, shutdown_graceful_timeout=1
        )
        running = asyncio.create_task(work)
        yield line
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_jobs_behind_one_lock_follow_each_other_at_once_and_in_order(line: Line) -> None:
    line.may_end.clear()
    for number in range(8):
        await line.ask(number, lock="conversation")
    line.may_end.set()
    assert await line.does(8) == list(range(8))


async def test_no_announcement_is_missed_in_a_busy_moment(line: Line) -> None:
    for number in range(120):
        await line.ask(number)
        await asyncio.sleep(0.0007 * (number % 5))
    assert sorted(await line.does(120)) == list(range(120))


@pytest.mark.parametrize("poll", [0.5])
async def test_a_job_whose_outcome_got_lost_does_not_hold_its_lock_for_ever(line: Line) -> None:
    """The connection is cut in the middle of writing that the job is done; the worker itself lives on."""
    line.may_end.clear()
    for number in range(3):
        await line.ask(number, lock="conversation")
    await asyncio.wait_for(line.begun.wait(), 20)
    engine = create_engine(driver_url(line.url))
    with engine.connect() as connection:
        # In a thread: the row may just be locked by the worker, which needs this event loop to let it go.
        await asyncio.to_thread(connection.execute, text("SELECT id FROM procrastinate_jobs FOR UPDATE"))
        line.may_end.set()
        await eventually(line.server.waiting_backends, bool, "the outcome to wait for the row")
        for backend in await line.server.waiting_backends():
            line.server.run(f"SELECT pg_terminate_backend({backend})")
        connection.rollback()
    engine.dispose()
    assert await line.does(3) == [0, 1, 2]


@pytest.mark.parametrize("poll", [0.5])
async def test_the_worker_goes_on_after_the_database_was_away(line: Line) -> None:
    await line.ask(0)
    await line.does(1)
    line.server.take_away()
    await asyncio.sleep(1)
    line.server.give_back()

    async def asked() -> bool:
        with suppress(Exception):
            await line.ask(1)
            return True
        return False

    await eventually(asked, bool, "the queue to be reached again")
    assert await line.does(2) == [0, 1]
