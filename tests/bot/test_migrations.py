"""Each migration goes up over a database in use, down, and up again."""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from alembic import command
from sqlalchemy import Column, Connection, MetaData, Table, create_engine, func, select

from bot.db import alembic_config, create_database, driver_url
from bot.tables import METADATA

VALUES: dict[type, Any] = {
    str: "x",
    int: 1,
    bool: False,
    object: {},
    datetime: datetime.now(UTC),
    UUID: uuid4(),
    date: date(2026, 6, 9),
    float: 1.0,
    bytes: b"x",
}
"""By the Python type of the column; JSON is an object."""


OLD = ("0001", "0004")
"""Of the first version, and of the one before the newest."""


@pytest.fixture(params=OLD)
def revision(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def old_database(postgres_url: str, revision: str) -> Iterator[str]:
    """A database as that version left it, a row in every table."""
    name = f"doorline_old_{os.getpid()}"
    url = create_database(postgres_url, name, replace=True)
    command.upgrade(alembic_config(url), revision)
    fill(url)
    yield url
    engine = create_engine(driver_url(postgres_url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')
    engine.dispose()


def fill(url: str) -> None:
    engine = create_engine(driver_url(url))
    with engine.begin() as connection:
        for table in ours(connection):
            connection.execute(table.insert().values(row_of(table, connection)))
    engine.dispose()


def ours(connection: Connection) -> list[Table]:
    """Our tables as the database has them, referenced ones first."""
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name in METADATA.tables)
    return found.sorted_tables


def row_of(table: Table, connection: Connection) -> dict[str, Any]:
    needed = [
        column
        for column in table.columns
        if (not column.nullable or column.foreign_keys)
        and column.identity is None
        and column.server_default is None
    ]
    return {column.name: value_of(column, connection) for column in needed}


def value_of(column: Column[Any], connection: Connection) -> Any:
    for key in column.foreign_keys:
        return connection.scalar(select(key.column).limit(1))
    return VALUES[column.type.python_type]


def counts(url: str) -> dict[str, int]:
    engine = create_engine(driver_url(url))
    with engine.connect() as connection:
        found = {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in ours(connection)
        }
    engine.dispose()
    return found


def test_a_database_in_use_goes_to_the_newest_schema_back_and_there_again(
    old_database: str, revision: str
) -> None:
    config = alembic_config(old_database)
    before = counts(old_database)
    assert set(before.values()) == {1}
    command.upgrade(config, "head")
    command.check(config)
    newest = counts(old_database)
    assert newest == dict.fromkeys(newest, 0) | before
    command.downgrade(config, revision)
    assert counts(old_database) == before
    command.upgrade(config, "head")
    command.check(config)
    assert counts(old_database) == newest
