"""The one database: schema and models agree, transactions hold, the embedded server outlives a killed process."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from alembic import command
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from bot.db import Database, alembic_config, create_database, driver_url, libpq_url, migrate, tracker_url
from bot.errors import ConfigurationError, DatabaseUnavailableError
from bot.serve import database as ready_database
from bot.settings import PROJECT_ROOT, Settings


def test_the_migrations_make_exactly_what_the_models_say(database_url: str) -> None:
    command.check(alembic_config(database_url))


def test_migrating_again_changes_nothing(database_url: str) -> None:
    migrate(database_url)
    command.check(alembic_config(database_url))


async def test_an_error_of_the_database_quotes_nothing_that_was_to_be_written(database: Database) -> None:
    with pytest.raises(DBAPIError) as refused:
        async with database.transaction() as session:
            await session.execute(text("SELECT 1 / :zero, :phone"), {"zero": 0, "phone": "+12125550100"})
    assert "+12125550100" not in str(refused.value)


@pytest.fixture
def other_database(postgres_url: str) -> Iterator[str]:
    name = f"doorline_other_{os.getpid()}"
    yield create_database(postgres_url, name, replace=True)
    engine = create_engine(driver_url(postgres_url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    engine.dispose()


def test_a_database_whose_schema_is_behind_is_refused_with_the_remedy(other_database: str) -> None:
    settings = Settings(database_url=other_database)
    with pytest.raises(ConfigurationError, match="doorline db upgrade"), ready_database(settings):
        pass
    migrate(other_database)
    with ready_database(settings) as ready:
        assert ready.database_url == other_database


def test_making_a_database_that_is_there_keeps_it(other_database: str, postgres_url: str) -> None:
    migrate(other_database)
    name = make_url(other_database).database
    assert name is not None
    assert create_database(postgres_url, name) == other_database
    command.check(alembic_config(other_database))


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_the_operator_may_write_the_url_with_any_scheme(scheme: str) -> None:
    url = f"{scheme}://me:p%40ss@db.internal:6432/doorline?host=/run/pg"
    assert driver_url(url) == "postgresql+psycopg://me:p%40ss@db.internal:6432/doorline?host=%2Frun%2Fpg"
    assert libpq_url(url).startswith("postgresql://me:p%40ss@db.internal:6432/doorline?host=")
    assert tracker_url(url).startswith("postgresql+psycopg2://me:p%40ss@")


# --- transactions ---------------------------------------------------------------------------------

COUNT = text("SELECT count(*) FROM platform_feed")
INSERT = text("INSERT INTO platform_feed (platform, next_read_at, last_error) VALUES ('x', now(), '')")


async def test_a_block_that_raises_leaves_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError, match="died"):
        async with database.transaction() as session:
            await session.execute(INSERT)
            raise RuntimeError("died")
    async with database.transaction() as session:
        assert await session.scalar(COUNT) == 0


async def test_a_server_that_is_gone_is_told_as_such_and_found_again(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(INSERT)
    with pytest.raises(DatabaseUnavailableError):
        async with database.transaction() as session:
            await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    async with database.transaction() as session:
        assert await session.scalar(COUNT) == 1


async def test_nobody_is_there(database_url: str) -> None:
    nowhere = Database(make_url(database_url).set(host=None, query={"host": "/nowhere"}).render_as_string())
    assert await nowhere.is_reachable() is False
    await nowhere.close()


async def test_a_frozen_process_does_not_hold_its_locks_for_long(database: Database) -> None:
    """A transaction that nobody goes on with is ended by the server, well within the 30 s of a conversation."""
    async with database.transaction() as session:
        shown = await session.scalar(
            text(
                "SELECT extract(epoch FROM current_setting('idle_in_transaction_session_timeout')::interval)"
            )
        )
    assert 0 < float(shown or 0) <= 20


# --- the embedded server --------------------------------------------------------------------------

HOLD = """
import sys, time
from pathlib import Path
from bot.db import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
print(server.url, flush=True)
sys.stdin.readline()
server.stop()
"""


class Holder:
    """A process that has the embedded server open."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(folder)],
            cwd=PROJECT_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        assert self.url, "the server did not start"

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def leave(self) -> None:
        self.process.communicate("\n", timeout=30)


def run(url: str, statement: str) -> object:
    engine = create_engine(driver_url(url))
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        value = result.scalar() if result.returns_rows else None
    engine.dispose()
    return value


def server_pid(folder: Path) -> int | None:
    file = folder / "postmaster.pid"
    return int(file.read_text().splitlines()[0]) if file.exists() else None


def wait_until_gone(pid: int) -> bool:
    deadline = time.monotonic() + 20
    while psutil.pid_exists(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not psutil.pid_exists(pid)


def test_the_embedded_server_survives_a_killed_process_and_stops_with_the_last_one(tmp_path: Path) -> None:
    folder = tmp_path / "pg"
    first = Holder(folder)
    run(first.url, "CREATE TABLE kept (words text)")
    run(first.url, "INSERT INTO kept VALUES ('still here')")
    dead = first.process.pid
    first.kill()

    second = Holder(folder)
    assert run(second.url, "SELECT words FROM kept") == "still here"
    handles = json.loads((folder / ".handle_pids.json").read_text())
    assert dead not in handles
    assert second.process.pid in handles

    third = Holder(folder)
    second.leave()
    assert run(third.url, "SELECT words FROM kept") == "still here", "one is still there"
    pid = server_pid(folder)
    assert pid is not None
    third.leave()
    assert wait_until_gone(pid), "the server outlived everyone"


def test_the_embedded_server_starts_over_a_pid_file_that_was_left_behind(tmp_path: Path) -> None:
    """The machine lost power: server and process are gone, the pid file is not."""
    folder = tmp_path / "pg"
    first = Holder(folder)
    run(first.url, "CREATE TABLE kept (words text)")
    run(first.url, "INSERT INTO kept VALUES ('still here')")
    pid = server_pid(folder)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    first.kill()
    assert wait_until_gone(pid)
    assert server_pid(folder) == pid

    second = Holder(folder)
    assert run(second.url, "SELECT words FROM kept") == "still here"
    second.leave()
