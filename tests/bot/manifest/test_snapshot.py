"""Every number of a manifest was true at one instant, whatever is committed while it is read."""

from typing import Any

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import DBAPIError

from bot.db import Database, driver_url
from bot.drivers.queries import shift_states
from bot.manifest.reading import ManifestReader
from connectors.desk import ManifestView
from tests.bot.manifest.day import DAY, NOON, route, stop
from tests.harness.clock import ManualClock

MEANWHILE = (
    "UPDATE stop SET driver_ref = 'sam', route_ref = 'r2', load = 5",
    "UPDATE route SET name = 'Renamed', driver_ref = 'sam'",
    "UPDATE driver SET name = 'Somebody else', capacity = 99",
)


async def fill(database: Database) -> None:
    async with database.transaction() as session:
        session.add_all([stop("a", route="r1"), stop("b", route="r1"), route("r1", "Route 1", "dana")])
        await session.execute(
            text(
                "INSERT INTO driver (platform, platform_ref, name, capacity) VALUES ('onfleet', 'dana', 'Dana', 3)"
            )
        )


async def read(database: Database) -> ManifestView | None:
    return await ManifestReader(database, ManualClock(NOON), shift_states).find_view("North", DAY)


@pytest.mark.parametrize("after", ["FROM manifest_post", "FROM stop", "FROM route"])
async def test_a_commit_in_the_middle_of_reading_is_not_mixed_in(database: Database, after: str) -> None:
    await fill(database)
    others = create_engine(driver_url(database.url))
    happened: list[str] = []

    def meanwhile(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if after in statement and not happened:
            happened.append(statement)
            with others.begin() as connection:
                for change in MEANWHILE:
                    connection.execute(text(change))

    event.listen(database.engine.sync_engine, "after_cursor_execute", meanwhile)
    try:
        view = await read(database)
    finally:
        event.remove(database.engine.sync_engine, "after_cursor_execute", meanwhile)
        others.dispose()
    assert happened
    assert view is not None
    (found,) = view.routes
    assert (found.name, found.driver_name, found.load, found.capacity) == ("Route 1", "Dana", 2.0, 3.0)
    later = await read(database)
    assert later is not None
    assert [(each.route_ref, each.load) for each in later.routes] == [("r2", 10.0)]


async def test_a_snapshot_cannot_write_and_leaves_no_trace_on_its_connection(database: Database) -> None:
    with pytest.raises(DBAPIError, match="read-only"):
        async with database.snapshot() as session:
            await session.execute(text("UPDATE driver SET name = 'x'"))
    for _ in range(3):
        async with database.transaction() as session:
            level = await session.scalar(text("SHOW transaction_isolation"))
            read_only = await session.scalar(text("SHOW transaction_read_only"))
            assert (level, read_only) == ("read committed", "off")
