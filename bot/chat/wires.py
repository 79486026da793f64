"""What `doorline chat` talks over: the web chat of a running server, or a pretended phone of the demo."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from bot.errors import ConfigurationError

PHONE = re.compile(r"\+\d{7,15}")
LOOK_EVERY_SECONDS = 0.25
CLOSED = "the server has closed the chat: is it still running?"


class NobodyThereError(ConfigurationError):
    """Nothing runs that one could talk to; the text says what to start."""


class Wire(Protocol):
    """The recipient's side of one channel."""

    async def say(self, text: str) -> None: ...

    def replies(self) -> AsyncIterator[str]:
        """What comes back, as it comes. Raises `NobodyThereError` when the line has ended."""
        ...


# --- the demo's pretended phones ------------------------------------------------------------------


class Phone:
    """Texts through the demo's Twilio emulator, as that phone."""

    def __init__(self, http: httpx.AsyncClient, phone: str) -> None:
        self._http = http
        self._phone = phone
        self._read: set[str] = set()

    async def begin(self) -> None:
        """What came before is not shown again."""
        self._read = {message["sid"] for message in await self._to_me()}

    async def say(self, text: str) -> None:
        await _ask(self._http, "POST", "/_emulator/inbound", json={"from": self._phone, "body": text})

    async def replies(self) -> AsyncIterator[str]:
        while True:
            for message in await self._to_me():
                if message["sid"] not in self._read:
                    self._read.add(message["sid"])
                    yield message["body"]
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def _to_me(self) -> list[dict[str, Any]]:
        answer = await _ask(self._http, "GET", "/_emulator/messages", params={"phone": self._phone})
        return [one for one in answer["messages"] if one["direction"] != "inbound"]


async def _ask(http: httpx.AsyncClient, method: str, path: str, **more: Any) -> dict[str, Any]:
    try:
        response = await http.request(method, path, **more)
        response.raise_for_status()
    except httpx.HTTPError as exc:
        raise NobodyThereError("the demo does not answer any more: start it with `doorline demo`") from exc
    answer: dict[str, Any] = response.json()
    return answer


@asynccontextmanager
async def phone_wire(announcement: Path, phone: str) -> AsyncIterator[Phone]:
    """A phone of the demo that `announcement` (`var/demo.json`) tells about."""
    if PHONE.fullmatch(phone) is None:
        raise ConfigurationError("--phone: expected a number such as +12125550100")
    base = _announced(announcement).get("twilio", {}).get("base")
    if base is None:
        raise NobodyThereError("no demo is running here: --phone needs one, start it with `doorline demo`")
    async with httpx.AsyncClient(base_url=base, timeout=15, trust_env=False) as http:
        wire = Phone(http, phone)
        await wire.begin()
        yield wire


# --- the web chat of a running server -------------------------------------------------------------


class Chat:
    """A browser without a browser: one session of the web chat."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def begin(self) -> None:
        await self._send({"type": "hello"})

    async def say(self, text: str) -> None:
        await self._send({"type": "text", "id": str(uuid4()), "text": text})

    async def replies(self) -> AsyncIterator[str]:
        with suppress(ConnectionClosed):
            async for raw in self._socket:
                frame = json.loads(raw)
                if frame["type"] == "message" and frame["from"] != "you":
                    yield frame["text"]
                elif frame["type"] == "error":
                    yield _complaint(frame)
        raise NobodyThereError(CLOSED)

    async def _send(self, frame: dict[str, Any]) -> None:
        try:
            await self._socket.send(json.dumps(frame))
        except ConnectionClosed as exc:
            raise NobodyThereError(CLOSED) from exc


def _complaint(frame: dict[str, Any]) -> str:
    later = f", try again in {frame['retry']:g} s" if frame.get("retry") else ""
    return f"(not taken: {frame['code']}{later})"


@asynccontextmanager
async def chat_wire(url: str) -> AsyncIterator[Chat]:
    """The web chat of the server at `url`."""
    address = url.rstrip("/").replace("http", "ws", 1) + "/connectors/webchat/ws"
    try:
        socket = await connect(address, proxy=None, open_timeout=10)
    except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as exc:
        raise NobodyThereError(
            f"no chat answers at {url}: start `doorline demo` or `doorline serve`, or name it with --url"
        ) from exc
    async with socket:
        wire = Chat(socket)
        await wire.begin()
        yield wire


def server_url(announcement: Path, public_url: str) -> str:
    """The demo that runs here, or else the server that the settings name."""
    url: str = _announced(announcement).get("url", public_url)
    return url


def _announced(announcement: Path) -> dict[str, Any]:
    try:
        content = json.loads(announcement.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
