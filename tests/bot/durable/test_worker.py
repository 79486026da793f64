"""The worker looks for jobs when there may be one: these run with a poll that would come far too late."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from procrastinate import App, PsycopgConnector

from bot.db import libpq_url
from bot.durable.worker import PromptWorker
from tests.harness.waiting import eventually

NEVER = 3600.0


class Line:
    """A queue with one kind of job, which notes its number."""

    def __init__(self, url: str) -> None:
        self.app = App(connector=PsycopgConnector(conninfo=libpq_url(url), min_size=1, max_size=4))
        self.done: list[int] = []
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.task = self.app.task(name="probe")(self._probe)

    async def _probe(self, number: int) -> None:
        await self.may_end.wait()
        self.done.append(number)

    async def ask(self, number: int, lock: str | None = None) -> None:
        await self.task.configure(lock=lock).defer_async(number=number)

    async def does(self, count: int) -> list[int]:
        async def look() -> list[int]:
            return list(self.done)

        return await eventually(look, lambda done: len(done) >= count, f"{count} jobs to be done")


@pytest.fixture
async def line(database_url: str, empty_database: None) -> AsyncIterator[Line]:
    line = Line(database_url)
    async with line.app.open_async():
        worker = PromptWorker(
            line.app, concurrency=4, fetch_job_polling_interval=NEVER, install_signal_handlers=False
        )
        running = asyncio.create_task(worker.run())
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
