"""One open line to one browser: what it sends is stored and acknowledged, what is put up is shown, in order."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from connectors.base import ReceiveMessage
from connectors.errors import StorageUnavailableError, UnreadablePayloadError
from connectors.webchat import mapping, payloads
from connectors.webchat.feed import Feed, Line, News
from connectors.webchat.payloads import (
    AckFrame,
    CloseCode,
    ErrorCode,
    ErrorFrame,
    Hello,
    Outgoing,
    Text,
    Typing,
    TypingFrame,
)
from connectors.webchat.policy import Doorman, Policy

HISTORY_LINES = 50
STORAGE_RETRY_SECONDS = 2.0
FIRST_DOTS_SECONDS = 0.25
"""Most answers are there sooner, and nobody needs dots for them."""
DOTS_SECONDS = 1.5
DOTS_AT_MOST = 80
"""Two minutes: long before that the person was told that it takes longer."""

GONE = (WebSocketDisconnect, RuntimeError)
"""How sending to, or reading from, a browser that has left shows itself in Starlette."""

log = structlog.get_logger()


class Greet(Protocol):
    async def __call__(self, *, is_known: bool) -> None: ...


class Wire:
    """Frames of our protocol over one WebSocket."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def receive(self) -> payloads.Hello | Text | Typing:
        """The next frame. Raises `UnreadablePayloadError`, and `WebSocketDisconnect` when the browser has left."""
        message = await self._socket.receive()
        if message["type"] != "websocket.receive":
            raise WebSocketDisconnect(message.get("code", 1006))
        frame = message.get("text")
        if frame is None or len(frame) > payloads.LONGEST_FRAME:
            raise UnreadablePayloadError("not a frame of this protocol")
        return payloads.read(frame)

    async def send(self, frame: Outgoing) -> None:
        await self._socket.send_text(frame.model_dump_json(exclude_none=True))

    async def close(self, code: int) -> None:
        if self._socket.application_state is WebSocketState.CONNECTED:
            await self._socket.close(code)

    async def refuse(self, error: str, code: int, retry: float | None = None) -> None:
        await self.send(ErrorFrame(code=error, retry=retry))
        await self.close(code)


class Talk:
    def __init__(
        self,
        wire: Wire,
        address: str,
        network: str,
        receive: ReceiveMessage,
        feed: Feed,
        doorman: Doorman,
        policy: Callable[[], Policy],
    ) -> None:
        self._wire = wire
        self._address = address
        self._network = network
        self._receive = receive
        self._feed = feed
        self._doorman = doorman
        self._policy = policy
        self._dots: asyncio.Task[None] | None = None

    async def run(self, last_seen: int | None, greet: Greet) -> None:
        """Until the browser leaves or has been still for too long."""
        async with self._feed.news_of(self._address) as news:
            await _first_to_end(self._listen(), self._show(last_seen, greet, news))

    # --- from the browser ---------------------------------------------------------------------

    async def _listen(self) -> None:
        try:
            while True:
                async with asyncio.timeout(self._policy().idle_minutes * 60):
                    frame = await self._wire.receive()
                await self._take(frame)
        except TimeoutError:
            await self._wire.close(CloseCode.IDLE)
        except UnreadablePayloadError:
            await self._wire.refuse(ErrorCode.UNREADABLE, CloseCode.UNREADABLE)
        finally:
            if self._dots is not None:
                self._dots.cancel()

    async def _take(self, frame: payloads.Hello | Text | Typing) -> None:
        if isinstance(frame, Hello):
            raise UnreadablePayloadError("a second hello")
        if isinstance(frame, Text):
            await self._take_text(frame)

    async def _take_text(self, text: Text) -> None:
        """Acknowledged once it is stored, never before."""
        fault = mapping.fault_of(text)
        if fault is not None:
            await self._wire.send(ErrorFrame(code=fault, id=text.id))
            return
        wait = self._doorman.wait_for_text(self._address, self._network, self._policy()).total_seconds()
        if wait > 0:
            await self._wire.send(
                ErrorFrame(code=ErrorCode.TOO_FAST, id=text.id, retry=round(wait + 0.05, 1))
            )
            return
        try:
            await self._receive(mapping.inbound_message(text, self._address, self._network))
        except StorageUnavailableError:
            log.error("webchat.not_stored")
            await self._wire.send(
                ErrorFrame(code=ErrorCode.NOT_STORED, id=text.id, retry=STORAGE_RETRY_SECONDS)
            )
            return
        await self._wire.send(AckFrame(id=text.id))
        if self._dots is None or self._dots.done():
            self._dots = asyncio.create_task(self._show_dots())

    async def _show_dots(self) -> None:
        """Typing dots, only while somebody is really at it."""
        await asyncio.sleep(FIRST_DOTS_SECONDS)
        try:
            for _ in range(DOTS_AT_MOST):
                if not await self._feed.is_answering(self._address):
                    return
                await self._wire.send(TypingFrame())
                await asyncio.sleep(DOTS_SECONDS)
        except (StorageUnavailableError, *GONE):
            return

    # --- to the browser -----------------------------------------------------------------------

    async def _show(self, last_seen: int | None, greet: Greet, news: News) -> None:
        newest = await self._patiently(lambda: self._feed.newest_lines(self._address, HISTORY_LINES))
        highest = newest[-1].number if newest else 0
        # A browser that has seen more than there is holds lines of a conversation that is gone.
        is_known = last_seen is None or last_seen <= highest
        await greet(is_known=is_known)
        shown = last_seen
        if shown is None or not is_known:
            shown = await self._send_lines(newest, 0)
        while True:
            shown = await self._show_what_follows(shown)
            await news.wait()

    async def _show_what_follows(self, shown: int) -> int:
        """Everything after line `shown`; gives the number of the last line that there is."""
        lines = await self._after(shown)
        while lines:
            shown = await self._send_lines(lines, shown)
            lines = await self._after(shown) if len(lines) == HISTORY_LINES else ()
        return shown

    async def _after(self, number: int) -> Sequence[Line]:
        return await self._patiently(lambda: self._feed.lines_after(self._address, number, HISTORY_LINES))

    async def _send_lines(self, lines: Sequence[Line], shown: int) -> int:
        for line in lines:
            await self._wire.send(mapping.message_frame(line))
            shown = line.number
        return shown

    async def _patiently(self, look: Callable[[], Coroutine[Any, Any, Sequence[Line]]]) -> Sequence[Line]:
        """Looks until the database answers."""
        while True:
            try:
                return await look()
            except StorageUnavailableError:
                await asyncio.sleep(STORAGE_RETRY_SECONDS)


async def _first_to_end(*works: Coroutine[Any, Any, None]) -> None:
    """Runs all until one ends, then ends the others; raises what that one raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
