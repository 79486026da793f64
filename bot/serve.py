"""The production processes: the app with its edges, worker and clock, or a worker alone."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

import uvicorn
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from bot import rasa_server
from bot.db import EmbeddedPostgres, alembic_config, driver_url, migrate, tracker_url
from bot.demo.files import DemoFiles
from bot.errors import ConfigurationError
from bot.keys import actions_token, secret_key
from bot.processes import end, free_port
from bot.rasa_server import say
from bot.settings import Settings

WEBSOCKET_FRAME_BYTES = 64 * 1024
"""Of web chat: a text of 1,600 characters needs a tenth of it."""


@dataclass(frozen=True)
class ServeOptions:
    host: str = "127.0.0.1"
    port: int = 8080
    with_worker: bool = True
    with_clock: bool = True
    with_rasa: bool = True
    inherited_socket: int | None = None
    """A listening socket that a parent holds, instead of `host` and `port`."""


def serve(settings: Settings, options: ServeOptions) -> None:
    """Runs until SIGTERM or Ctrl-C; starts the database and Rasa itself where none are configured."""
    # uvicorn raises the signal once more after its own shutdown: without this the process would end there, with
    # the database and Rasa still running.
    signal.signal(signal.SIGTERM, _leave)
    with database(settings) as ready, rasa(ready, options) as whole:
        from bot.app import create_app

        app = create_app(
            whole,
            with_worker=options.with_worker,
            with_clock=options.with_clock,
            stage=_stage_of(whole, options),
        )
        config = uvicorn.Config(
            app,
            host=options.host,
            port=options.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=5,
            # Longer than the minute after which a proxy gives up an idle connection: closed by us first, its next
            # call would be lost on it.
            timeout_keep_alive=75,
            ws_max_size=WEBSOCKET_FRAME_BYTES,
            forwarded_allow_ips=settings.trusted_proxies,
        )
        sockets = None
        if options.inherited_socket is not None:
            sockets = [socket.socket(fileno=options.inherited_socket)]
        _Server(config, whole).run(sockets)


class _Server(uvicorn.Server):
    """Tells the demo's supervisor when it answers."""

    def __init__(self, config: uvicorn.Config, settings: Settings) -> None:
        super().__init__(config)
        self._settings = settings

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self._settings.is_demo:
            DemoFiles(self._settings.doorline_var).serving.touch()


def _leave(_signal: int, _frame: object) -> NoReturn:
    raise SystemExit(0)


def work(settings: Settings) -> None:
    """A worker without HTTP: the same jobs, the same code. Needs RASA_URL."""
    if settings.rasa_url is None:
        raise ConfigurationError(
            "a worker needs RASA_URL: the Rasa server that `doorline serve` or you have started"
        )
    with database(settings) as ready:
        asyncio.run(_work_until_told(ready))


async def _work_until_told(settings: Settings) -> None:
    from bot.app import build, running

    stopped = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    async with running(build(settings), with_worker=True, with_clock=False, with_http=False):
        await stopped.wait()


@contextmanager
def database(settings: Settings) -> Iterator[Settings]:
    """Settings that name a database with the newest schema.

    Raises:
        ConfigurationError: DATABASE_URL is set and its schema is behind; migrating it is the operator's to start.
    """
    if settings.database_url is None:
        postgres = EmbeddedPostgres(settings.doorline_var / "postgres")
        try:
            migrate(postgres.url)
            yield settings.model_copy(update={"database_url": postgres.url})
        finally:
            postgres.stop()
        return
    if not schema_is_current(settings.database_url):
        raise ConfigurationError("the database's schema is behind: run `doorline db upgrade`")
    yield settings


def schema_is_current(url: str) -> bool:
    engine = create_engine(driver_url(url))
    try:
        with engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
    return current == ScriptDirectory.from_config(alembic_config(url)).get_current_head()


@contextmanager
def rasa(settings: Settings, options: ServeOptions) -> Iterator[Settings]:
    """Settings that name a Rasa server: the configured one, or one of our own."""
    if settings.rasa_url is not None or not options.with_rasa:
        # Without one, texts wait and their senders are told so: the same as when it is down.
        yield settings.model_copy(update={"rasa_url": settings.rasa_url or "http://127.0.0.1:5005"})
        return
    model, was_trained = rasa_server.train(settings.doorline_var)
    say("the language model is trained" if was_trained else "the language model is up to date")
    port = free_port()
    process = rasa_server.start(
        model,
        port,
        tracker_url=tracker_url(settings.database_url or ""),
        actions_url=f"http://127.0.0.1:{options.port}/actions/webhook",
        actions_token=actions_token(secret_key(settings)),
        log=settings.doorline_var / "rasa.log",
    )
    try:
        yield settings.model_copy(update={"rasa_url": f"http://127.0.0.1:{port}"})
    finally:
        end(process)


def _stage_of(settings: Settings, options: ServeOptions) -> Callable[[], str]:
    if settings.is_demo:
        return DemoFiles(settings.doorline_var).read_stage
    return lambda: "Loading the language model" if options.with_rasa else "Waiting for Rasa"
