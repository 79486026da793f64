"""What every emulator needs: a port of its own, a memory that survives a kill, and faults on demand.

An emulator speaks the vendor's protocol under the vendor's own paths. What only the demo page and the tests
use (texting as a recipient, reacting as a dispatcher, faults) lives under `/_emulator/` and says so.
"""

import asyncio
import json
import random
import socket
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, ItemsView, Iterator, MutableMapping, ValuesView
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any, Literal

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Ledger(MutableMapping[str, Any]):
    """A mapping of JSON values that remembers insertion order and, given a path, survives kill -9.

    Values are plain JSON. Assign a value to store it; changing it in place stores nothing.
    """

    def __init__(self, path: Path | None, table: str) -> None:
        self._values: dict[str, Any] = {}
        self._table = table
        self._connection: sqlite3.Connection | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute(
                "PRAGMA synchronous=OFF"
            )  # a killed process loses nothing; a power cut may
            self._connection.execute(
                f'CREATE TABLE IF NOT EXISTS "{table}" (key TEXT PRIMARY KEY, value TEXT NOT NULL)'
            )
            rows = self._connection.execute(f'SELECT key, value FROM "{table}" ORDER BY rowid')  # noqa: S608 - our own names
            self._values = {key: json.loads(value) for key, value in rows}

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._values[key] = value
        if self._connection is not None:
            self._connection.execute(
                f'INSERT INTO "{self._table}" VALUES (?, ?) '  # noqa: S608
                "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (key, json.dumps(value)),
            )

    def __delitem__(self, key: str) -> None:
        del self._values[key]
        if self._connection is not None:
            self._connection.execute(f'DELETE FROM "{self._table}" WHERE key = ?', (key,))  # noqa: S608

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._values))

    # Of a copy, as `__iter__`: whoever walks over them may change the ledger.
    def values(self) -> ValuesView[Any]:
        return dict(self._values).values()

    def items(self) -> ItemsView[str, Any]:
        return dict(self._values).items()

    def __len__(self) -> int:
        return len(self._values)


@dataclass(frozen=True)
class Fault:
    """One bad answer. `after_work` lets the emulator do what was asked first, so that the outcome is unknown."""

    kind: Literal["status", "slow", "reset", "malformed"]
    status: int = 500
    seconds: float = 0.0
    after_work: bool = False
    path_contains: str = ""
    """Only requests whose path contains this; empty means all."""
    body: dict[str, Any] | None = None
    headers: tuple[tuple[str, str], ...] = ()


class Faults:
    """Faults waiting for their request, a switch for a vendor that is wholly down, and random weather."""

    def __init__(self) -> None:
        self._queue: deque[Fault] = deque()
        self.down = False
        self.error_share = 0.0
        self.slow_share = 0.0
        self.slow_seconds = 2.0
        self._random = random.Random(7)

    def next(self, *faults: Fault) -> None:
        """Each of these hits one of the next matching requests, in order."""
        self._queue.extend(faults)

    def clear(self) -> None:
        self._queue.clear()
        self.down = False
        self.error_share = self.slow_share = 0.0

    def take(self, path: str) -> Fault | None:
        if self.down:
            return Fault("status", status=503)
        for fault in self._queue:
            if fault.path_contains in path:
                self._queue.remove(fault)
                return fault
        if self._random.random() < self.error_share:
            return Fault("status", status=500)
        if self._random.random() < self.slow_share:
            return Fault("slow", seconds=self.slow_seconds)
        return None


class FaultMiddleware:
    """Applies `Faults` to the vendor's paths; `/_emulator/` is never touched."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_emulator/"):
            await self._app(scope, receive, send)
            return
        fault = self._faults.take(scope["path"])
        if fault is None:
            await self._app(scope, receive, send)
            return
        if fault.kind == "slow":

            async def late(message: Message) -> None:
                """The work is done at once, its answer comes late."""
                if message["type"] == "http.response.start":
                    await asyncio.sleep(fault.seconds)
                await send(message)

            if not fault.after_work:
                await asyncio.sleep(fault.seconds)
            await self._app(scope, receive, late if fault.after_work else send)
            return
        if fault.after_work:

            async def swallow(message: Message) -> None:
                """The work is done, its answer is lost."""

            await self._app(scope, receive, swallow)
        if fault.kind == "reset":
            # More is announced than is sent: the server closes the connection in the middle of the answer.
            await send(
                {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"999")]}
            )
            await send({"type": "http.response.body", "body": b"{", "more_body": True})
            raise ConnectionResetError("emulated connection reset")
        if fault.kind == "malformed":
            await Response(b'{"broken": ', media_type="application/json")(scope, receive, send)
            return
        body = fault.body if fault.body is not None else {"message": "emulated fault"}
        await JSONResponse(body, fault.status, headers=dict(fault.headers))(scope, receive, send)


def free_port() -> int:
    """Where nobody listens now; somebody else may, the moment after."""
    with closing(bound_socket()) as probe:
        return int(probe.getsockname()[1])


def bound_socket(port: int = 0) -> socket.socket:
    # Named as TCP: only then does asyncio send small answers at once, instead of 40 ms later.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    return bound


KEEP_ALIVE_SECONDS = 75
"""As web servers do. With uvicorn's 5 s, which httpx has too, a call may meet a connection that is just closing."""


class Server:
    """An ASGI app on 127.0.0.1, inside the running event loop. Its port is its own from the beginning."""

    def __init__(self, app: ASGIApp, port: int = 0) -> None:
        self._socket = bound_socket(port)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_level="critical",
                access_log=False,
                lifespan="on",
                timeout_graceful_shutdown=2,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
            )
        )
        self._server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._server.serve([self._socket]))
        while not self._server.started:
            if self._task.done():
                self._task.result()
                raise RuntimeError(f"the server on port {self.port} ended while starting")
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        self._server.should_exit = True
        if self._task is not None:
            await self._task


@asynccontextmanager
async def serving(app: ASGIApp, port: int = 0) -> AsyncIterator[str]:
    """Serves `app` while the context is open; gives its base URL."""
    server = Server(app, port)
    await server.start()
    try:
        yield server.url
    finally:
        await server.stop()


TICK_SECONDS = 0.02


@asynccontextmanager
async def running_for(seconds: float) -> AsyncIterator[None]:
    """As `asyncio.timeout`, for a vendor's patience with us: only time in which this process runs counts.

    On a shared machine it stands still for seconds now and then, and whoever has to answer stands still with it.
    """
    async with asyncio.timeout(None) as limit:
        counting = asyncio.create_task(_run_out(limit, seconds))
        try:
            yield
        finally:
            counting.cancel()


async def _run_out(limit: asyncio.Timeout, seconds: float) -> None:
    for _ in range(ceil(seconds / TICK_SECONDS)):
        await asyncio.sleep(TICK_SECONDS)
    limit.reschedule(0)


async def read_json(request: Request) -> Any:
    """The body as JSON whatever the Content-Type says; None when there is no body or it is not JSON."""
    body = await request.body()
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None
