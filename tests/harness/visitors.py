"""People who reach us without a phone: in a browser's chat, over its real socket, and by email, over real SMTP."""

import asyncio
import json
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect

from connectors.email.emulator import MailEmulator, StoredMail
from tests.harness.waiting import PATIENCE_SECONDS, eventually


class WebVisitor:
    """One browser's socket. It has one conversation, for as long as it holds its session."""

    def __init__(self, url: str, network: str) -> None:
        self._address = url.replace("http", "ws", 1) + "/connectors/webchat/ws"
        self._network = network
        self._socket: ClientConnection
        self._lines: dict[int, dict[str, Any]] = {}
        self._acknowledged: set[str] = set()
        self.session: str | None = None

    async def opens(self) -> None:
        """Connects and says hello; a session that it holds already is resumed."""
        headers = {"X-Forwarded-For": self._network}
        self._socket = await connect(self._address, additional_headers=headers, proxy=None, compression=None)
        await self._send(
            {"type": "hello", "session": self.session, "last_seen": max(self._lines, default=None)}
        )
        self.session = None
        while self.session is None:
            await self._hear("a session")

    async def closes(self) -> None:
        await self._socket.close()

    async def texts(self, body: str) -> None:
        """Sends one text; returns once it is stored."""
        client_id = str(uuid4())
        await self._send({"type": "text", "id": client_id, "text": body})
        while client_id not in self._acknowledged:
            await self._hear("an acknowledgement")

    async def asks(self, body: str) -> str:
        """Sends one text and waits for its answer."""
        before = len(self.seen)
        await self.texts(body)
        return (await self.reads_next(before + 1))[before]

    async def reads_next(self, count: int) -> list[str]:
        """Waits until at least `count` of our lines were shown in all; gives them."""
        while len(self.seen) < count:
            await self._hear(f"line {count} of {self.seen}")
        return self.seen

    @property
    def seen(self) -> list[str]:
        """What bot and dispatchers wrote, in the order of the page."""
        return [line["text"] for _, line in sorted(self._lines.items()) if line["from"] != "you"]

    async def _send(self, frame: dict[str, Any]) -> None:
        await self._socket.send(json.dumps(frame))

    async def _hear(self, what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                frame: dict[str, Any] = json.loads(await self._socket.recv())
        except TimeoutError:
            raise AssertionError(f"waited for {what}") from None
        match frame["type"]:
            case "session":
                self.session = frame["session"]
            case "ack":
                self._acknowledged.add(frame["id"])
            case "message":
                self._lines[frame["id"]] = frame
            case "error":
                raise AssertionError(f"waited for {what}, got {frame}")


class Writer:
    """Somebody who writes mails, with a mailer that quotes what it answers."""

    def __init__(self, mail: MailEmulator, address: str) -> None:
        self._mail = mail
        self.address = address

    async def writes(self, body: str, **letter: Any) -> StoredMail:
        """Answers the last mail that came, else begins a thread; returns once our listener has taken it."""
        written = await self._mail.reply(self.address, body, **letter)
        assert written.answer == 250, written
        return written

    def mailbox(self) -> list[StoredMail]:
        """Every mail that Doorline has sent to this address, oldest first."""
        return [mail for mail in self._mail.messages(self.address) if mail.direction == "outbound"]

    async def reads_next(self, count: int) -> list[StoredMail]:
        """Waits until at least `count` mails have come in all; gives them."""

        async def look() -> list[StoredMail]:
            return self.mailbox()

        return await eventually(look, lambda mails: len(mails) >= count, f"{count} mails to {self.address}")

    async def asks(self, body: str, **letter: Any) -> StoredMail:
        """Writes one mail and waits for its answer."""
        before = len(self.mailbox())
        await self.writes(body, **letter)
        return (await self.reads_next(before + 1))[before]
