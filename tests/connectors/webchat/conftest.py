"""A browser reduced to its socket, talking to the real application with the real store."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, Self
from uuid import uuid4

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from tests.harness.world import World

PATIENCE_SECONDS = 10.0


class Browser:
    """One socket. `frames` holds everything that was heard so far."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.frames: list[dict[str, Any]] = []
        self.session = ""

    async def hello(self, session: str | None = None, last_seen: int | None = None) -> Self:
        """Says hello and waits for the session."""
        await self.sends({"type": "hello", "session": session, "last_seen": last_seen})
        self.session = (await self.hears("session"))["session"]
        return self

    async def sends(self, frame: Any) -> None:
        await self._socket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    async def says(self, text: str, client_id: str | None = None) -> str:
        """Sends one text and waits until it is acknowledged; gives its id."""
        client_id = client_id or str(uuid4())
        await self.sends({"type": "text", "id": client_id, "text": text})
        await self.hears("ack", id=client_id)
        return client_id

    async def hears(self, kind: str, **facts: Any) -> dict[str, Any]:
        """The first frame, already heard or still to come, of that kind and with these facts."""

        def fits(frame: dict[str, Any]) -> bool:
            return frame["type"] == kind and all(frame.get(key) == value for key, value in facts.items())

        for frame in self.frames:
            if fits(frame):
                return frame
        while True:
            frame = await self._next(f"{kind} {facts}")
            if fits(frame):
                return frame

    async def is_closed_with(self) -> int:
        """Waits until the server closes; gives the code."""
        with pytest.raises(ConnectionClosed) as ending:
            while True:
                await self._next("the end")
        assert ending.value.rcvd is not None
        return ending.value.rcvd.code

    async def _next(self, what: str) -> dict[str, Any]:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                frame: dict[str, Any] = json.loads(await self._socket.recv())
        except TimeoutError:
            raise AssertionError(f"waited for {what}; heard {self.frames}") from None
        self.frames.append(frame)
        return frame

    async def closes(self) -> None:
        await self._socket.close()

    async def breaks(self) -> None:
        """Goes away without a word, as a phone in a tunnel does."""
        self._socket.transport.abort()
        await self._socket.wait_closed()

    @property
    def lines(self) -> list[tuple[int, str, str]]:
        """Number, author and text of every line that was shown, in the order of their coming."""
        return [
            (frame["id"], frame["from"], frame["text"]) for frame in self.frames if frame["type"] == "message"
        ]


Opens = Callable[..., Awaitable[Browser]]


@pytest.fixture
async def opens(bare_world: World) -> AsyncIterator[Opens]:
    """Opens a socket to the application; `origin`, `url` and more headers may be given."""
    async with AsyncExitStack() as stack:

        async def open_one(
            *, origin: str | None = None, url: str | None = None, headers: dict[str, str] | None = None
        ) -> Browser:
            address = (url or bare_world.url).replace("http", "ws", 1) + "/connectors/webchat/ws"
            connection = connect(
                address,
                additional_headers=headers,
                origin=None if origin is None else Origin(origin),
                proxy=None,
                compression=None,
            )
            return Browser(await stack.enter_async_context(connection))

        yield open_one
