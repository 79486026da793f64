"""The log of stop events is read once, in order, without a gap, whoever commits first."""

import asyncio

from sqlalchemy.dialects.postgresql import insert

from bot.db import Database
from bot.stops.following import settled_end, take
from bot.stops.models import StopEvent, StopRecord
from tests.bot.stops.town import NOW, stop


async def add_stop(database: Database) -> StopRecord:
    record = stop("a")
    async with database.transaction() as session:
        session.add(record)
    return record


def event(record: StopRecord, number: int) -> StopEvent:
    return StopEvent(stop_id=record.id, at=NOW, source="onfleet:poll", changes={"sequence": [None, number]})


async def log(database: Database, record: StopRecord, *numbers: int) -> None:
    async with database.transaction() as session:
        for number in numbers:
            session.add(event(record, number))
            await session.flush()


async def read(database: Database, reader: str = "tests") -> list[int]:
    end = await settled_end(database, reader)
    if end is None:
        return []
    async with database.transaction() as session:
        return [each.changes["sequence"][1] for each in await take(session, reader, end)]


async def test_a_new_reader_begins_with_what_comes_then(database: Database) -> None:
    record = await add_stop(database)
    await log(database, record, 1, 2)
    assert await read(database) == []
    await log(database, record, 3, 4)
    assert await read(database) == [3, 4]
    assert await read(database) == []


async def test_readers_do_not_disturb_each_other(database: Database) -> None:
    record = await add_stop(database)
    for reader in ("one", "two"):
        await read(database, reader)
    await log(database, record, 1)
    assert await read(database, "one") == [1]
    assert await read(database, "two") == [1]


async def test_what_commits_late_with_an_earlier_number_is_not_left_out(database: Database) -> None:
    record = await add_stop(database)
    await read(database)
    slow = asyncio.Event()
    was_logged = asyncio.Event()

    async def commits_late() -> None:
        async with database.transaction() as session:
            # Without a lock on the stop, so that the quick one need not wait.
            await session.execute(
                insert(StopEvent).values(
                    stop_id=record.id, at=NOW, source="onfleet:poll", changes={"sequence": [None, 1]}
                )
            )
            was_logged.set()
            await slow.wait()

    writer = asyncio.create_task(commits_late())
    await was_logged.wait()
    await log(database, record, 2)
    assert await read(database) == []
    slow.set()
    await writer
    assert await read(database) == [1, 2]


async def test_a_stretch_that_was_not_committed_is_read_again(database: Database) -> None:
    record = await add_stop(database)
    await read(database)
    await log(database, record, 1)
    end = await settled_end(database, "tests")
    assert end is not None
    try:
        async with database.transaction() as session:
            assert len(await take(session, "tests", end)) == 1
            raise KeyError
    except KeyError:
        pass
    assert await read(database) == [1]


async def test_two_replicas_do_not_read_the_same(database: Database) -> None:
    record = await add_stop(database)
    await read(database)
    await log(database, record, 1)
    end = await settled_end(database, "tests")
    assert end is not None
    async with database.transaction() as one, database.transaction() as other:
        assert len(await take(one, "tests", end)) == 1
        assert await take(other, "tests", end) == []


async def test_a_table_that_is_busy_does_not_break_the_pool(database: Database) -> None:
    record = await add_stop(database)
    await read(database)
    await log(database, record, 1)
    async with database.transaction() as writer:
        writer.add(event(record, 2))
        await writer.flush()
        pool = database.engine.pool
        assert await settled_end(database, "tests") is None
        assert database.engine.pool is pool
    assert await read(database) == [1, 2]
