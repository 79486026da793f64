"""What all tests share: one database server, one Rasa server with the real model, one world per test."""

import json
import os
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import structlog
from sqlalchemy import create_engine, text

from bot import rasa_server
from bot.db import EmbeddedPostgres, create_database, driver_url, migrate, tracker_url
from bot.keys import actions_token
from bot.processes import end, free_port
from bot.settings import PROJECT_ROOT
from tests.harness.var import VAR
from tests.harness.world import TABLES, Setting, World

SHARED = PROJECT_ROOT.parent / "shared"
RASA_PATIENCE_SECONDS = 120


structlog.configure(
    processors=[
        structlog.stdlib.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


@pytest.fixture(scope="session")
def var() -> Path:
    VAR.mkdir(parents=True, exist_ok=True)
    return VAR


@pytest.fixture(scope="session")
def postgres_url(var: Path) -> Iterator[str]:
    """URL of a PostgreSQL server of this test session."""
    server = EmbeddedPostgres(var / "postgres")
    _leave_the_disk_to_the_kernel(server.url)
    yield server.url
    server.stop()


def _leave_the_disk_to_the_kernel(postgres_url: str) -> None:
    """Nothing waits for a busy disk. What is committed outlives any killed process, but not the machine."""
    engine = create_engine(driver_url(postgres_url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in ("fsync", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()


@pytest.fixture(scope="session")
def database_url(postgres_url: str) -> Iterator[str]:
    """A database with the newest schema, dropped afterwards."""
    name = f"doorline_test_{os.getpid()}"
    url = create_database(postgres_url, name, replace=True)
    migrate(url)
    yield url
    engine = create_engine(driver_url(postgres_url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
    engine.dispose()


@pytest.fixture(scope="session")
def setting(database_url: str, var: Path) -> Iterator[Setting]:
    """The real Rasa server with the real model, started once, calling actions at the app's fixed port."""
    secret = secrets.token_hex(16)
    app_port, rasa_port = free_port(), free_port()
    model, _ = rasa_server.train(PROJECT_ROOT / "var")
    process = rasa_server.start(
        model,
        rasa_port,
        tracker_url=tracker_url(database_url),
        actions_url=f"http://127.0.0.1:{app_port}/actions/webhook",
        actions_token=actions_token(secret),
        log=var / "rasa.log",
    )
    url = f"http://127.0.0.1:{rasa_port}"
    try:
        _wait_for_rasa(url, process, var / "rasa.log")
        yield Setting(database_url, url, app_port, secret, var)
    finally:
        end(process)


def _wait_for_rasa(url: str, process: object, log: Path) -> None:
    deadline = time.monotonic() + RASA_PATIENCE_SECONDS
    while time.monotonic() < deadline:
        assert getattr(process, "poll")() is None, f"Rasa ended:\n{log.read_text()[-3000:]}"  # noqa: B009
        try:
            status = httpx.get(f"{url}/status", timeout=2, trust_env=False)
            if status.is_success and json.loads(status.text).get("model_file"):
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.3)
    raise AssertionError(f"Rasa did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture
def empty_database(database_url: str) -> None:
    engine = create_engine(driver_url(database_url))
    with engine.begin() as connection:
        tables = connection.execute(text(TABLES)).scalar_one()
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    engine.dispose()


@pytest.fixture
async def world(setting: Setting, empty_database: None) -> AsyncIterator[World]:
    async with World(setting) as world:
        yield world


@pytest.fixture(scope="session")
def bare_setting(database_url: str, var: Path) -> Setting:
    """What worlds without the real Rasa share."""
    return Setting(database_url, None, free_port(), secrets.token_hex(16), var)


@pytest.fixture
async def bare_world(bare_setting: Setting, empty_database: None) -> AsyncIterator[World]:
    """A world whose dialogue is pretended: for what does not depend on understanding."""
    async with World(bare_setting) as world:
        yield world


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder beside the project that only this place and CI have."""
    if not SHARED.exists():
        pytest.skip("../shared is not on this machine")
    return SHARED
