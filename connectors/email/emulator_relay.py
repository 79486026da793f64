"""The pretended SMTP relay: checks the login, answers as mail servers do, and hands on what it took."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from connectors.emulation import Fault, Faults

Accept = Callable[[str, list[str], bytes], Awaitable[None]]
"""Takes (return path, recipients, mail)."""

REFUSED_RECIPIENTS = {
    "unknown": "550 5.1.1 <{address}>: Recipient address rejected: User unknown",
    "elsewhere": "554 5.7.1 <{address}>: Relay access denied",
    "full": "452 4.2.2 <{address}>: mailbox full",
}
"""By the part before the `@`, as Twilio's test numbers are by their last digits."""
GREYLISTED = "greylisted"
REFUSED_CONTENT = {"strict": "554 5.7.1 message refused as spam"}

FAULT_CODES = {500: 451, 503: 421}
"""A fault that speaks HTTP, in SMTP's words."""


class Relay:
    """Start it, stop it. One port on 127.0.0.1, plain SMTP with AUTH PLAIN and LOGIN."""

    def __init__(self, username: str, password: str, faults: Faults, accept: Accept, port: int = 0) -> None:
        self.port = port
        self.faults = faults
        self.accept = accept
        self._login = (username.encode(), password.encode())
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._greylisted: set[tuple[str, str]] = set()

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._open, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is None:
            return
        self._server.close()
        for connection in list(self._connections):
            connection.drop()
        await self._server.wait_closed()
        self._server = None

    def knows(self, login: object) -> bool:
        return isinstance(login, LoginPassword) and (login.login, login.password) == self._login

    def is_first_try(self, sender: str, recipient: str) -> bool:
        pair = (sender, recipient)
        is_first = pair not in self._greylisted
        self._greylisted.add(pair)
        return is_first

    def _open(self) -> "_Connection":
        return _Connection(self, self._connections, self._login != (b"", b""))


class _Connection(SMTP):
    def __init__(self, relay: Relay, connections: "set[_Connection]", has_login: bool) -> None:
        super().__init__(
            _Handler(relay),
            hostname="relay.example",
            ident="pretended",
            auth_require_tls=False,
            auth_required=False,
            authenticator=_authenticator(relay) if has_login else None,
            loop=asyncio.get_running_loop(),
        )
        self._needs_login = has_login
        self._connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connections.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.discard(self)
        super().connection_lost(error)

    def drop(self) -> None:
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()

    @property
    def is_refused(self) -> bool:
        return self._needs_login and not (self.session is not None and self.session.authenticated)


def _authenticator(relay: Relay) -> Callable[..., AuthResult]:
    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, login: object) -> AuthResult:
        if relay.knows(login):
            return AuthResult(success=True)
        return AuthResult(success=False, handled=False, message="535 5.7.8 authentication failed")

    return check


class _Handler:
    """The strings are SMTP answers; aiosmtpd calls these by name."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def handle_MAIL(  # noqa: N802
        self, server: _Connection, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        if server.is_refused:
            return "530 5.7.0 authentication required"
        bad = await self._stumble(server, "MAIL")
        if bad is not None:
            return bad
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: _Connection, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        local = address.partition("@")[0]
        if local in REFUSED_RECIPIENTS:
            return REFUSED_RECIPIENTS[local].format(address=address)
        if local == GREYLISTED and self._relay.is_first_try(envelope.mail_from, address):
            return "450 4.7.1 greylisted, try again later"
        bad = await self._stumble(server, "RCPT")
        if bad is not None:
            return bad
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: _Connection, _session: Any, envelope: Any) -> str:  # noqa: N802
        refusals = [REFUSED_CONTENT.get(address.partition("@")[0]) for address in envelope.rcpt_tos]
        refusal = next((each for each in refusals if each), None)
        if refusal is not None:
            return refusal
        fault = self._relay.faults.take("DATA")
        if fault is None or fault.after_work:
            await self._relay.accept(envelope.mail_from, list(envelope.rcpt_tos), envelope.content)
        bad = None if fault is None else await self._answer(server, fault)
        if bad is not None:
            return bad
        if fault is not None and not fault.after_work:
            await self._relay.accept(envelope.mail_from, list(envelope.rcpt_tos), envelope.content)
        return "250 2.0.0 queued"

    async def _stumble(self, server: _Connection, command: str) -> str | None:
        fault = self._relay.faults.take(command)
        return None if fault is None else await self._answer(server, fault)

    async def _answer(self, server: _Connection, fault: Fault) -> str | None:
        """What the fault makes of the answer; None for one that is only late."""
        if fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
            return None
        if fault.kind == "reset":
            server.drop()
            raise ConnectionResetError("emulated connection reset")
        if fault.kind == "malformed":
            return "what?"
        return f"{FAULT_CODES.get(fault.status, fault.status)} emulated fault"
