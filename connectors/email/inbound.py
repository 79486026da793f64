"""The edge that mail servers call: SMTP, or LMTP from a mail server on the same machine (RFC 2033).

A mail is answered with 250 only once it is stored; 451 keeps it in the sender's queue. Nothing is relayed:
every recipient must be one of ours. Runs on the application's own event loop.
"""

import asyncio
import logging
import ssl
from typing import Any

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP

from connectors.email.intake import Intake
from connectors.email.payloads import MAX_BYTES, Envelope, MailLoopError
from connectors.errors import StorageUnavailableError, UnreadablePayloadError

MAX_RECIPIENTS = 20
MAX_CONNECTIONS = 50
IDLE_SECONDS = 60.0
MAX_LINE_BYTES = 64 * 1024
"""RFC 5321 allows 1,000; mails with longer lines are common and a refusal would lose them."""

log = structlog.get_logger()

# aiosmtpd logs addresses, and below that whole dialogues.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)


class MailListener:
    """Start it with the application, stop it with it."""

    def __init__(
        self,
        intake: Intake,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        lmtp: bool = False,
        max_bytes: int = MAX_BYTES,
        hostname: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`port` 0 lets the system choose; `hostname` is what we call ourselves; `tls` offers STARTTLS."""
        self.port = port
        self._intake = intake
        self._host = host
        self._protocol = _Lmtp if lmtp else _Smtp
        self._options = {"data_size_limit": max_bytes, "tls_context": tls}
        self._hostname = hostname or intake.identity.domain
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()

    async def start(self) -> None:
        """Raises `OSError` when the port cannot be had."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._open, self._host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        log.info("email.listening", port=self.port)

    async def stop(self) -> None:
        """Connections are cut: a mail whose 250 was not sent stays in the sender's queue."""
        if self._server is None:
            return
        self._server.close()
        for connection in list(self._connections):
            connection.cut()
        await self._server.wait_closed()
        self._server = None

    def _open(self) -> "_Connection":
        return self._protocol(
            _Handler(self._intake, is_lmtp=self._protocol is _Lmtp),
            hostname=self._hostname,
            ident="Doorline",
            enable_SMTPUTF8=True,
            timeout=IDLE_SECONDS,
            loop=asyncio.get_running_loop(),
            open_connections=self._connections,
            **self._options,
        )


class _Connection(SMTP):
    line_length_limit = MAX_LINE_BYTES

    def __init__(self, *args: Any, open_connections: "set[_Connection]", **options: Any) -> None:
        super().__init__(*args, **options)
        self._open_connections = open_connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if len(self._open_connections) >= MAX_CONNECTIONS and self not in self._open_connections:
            if isinstance(transport, asyncio.WriteTransport):
                transport.write(b"421 4.7.0 too many connections, try again later\r\n")
            transport.close()
            return
        self._open_connections.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self in self._open_connections:
            self._open_connections.discard(self)
            super().connection_lost(error)

    def cut(self) -> None:
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()


class _Smtp(_Connection):
    pass


class _Lmtp(_Connection, LMTP):
    pass


class _Handler:
    """What aiosmtpd asks about one connection; the strings are SMTP answers."""

    def __init__(self, intake: Intake, *, is_lmtp: bool) -> None:
        self._intake = intake
        self._is_lmtp = is_lmtp

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        if not self._intake.identity.owns(address):
            return "550 5.1.1 no such recipient here"
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return "452 4.5.3 too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        answer = await self._answer(envelope.content, _envelope(envelope))
        # LMTP answers once per recipient; it is one mail, so they all hear the same.
        return "\r\n".join([answer] * (len(envelope.rcpt_tos) if self._is_lmtp else 1))

    async def handle_exception(self, error: Exception) -> str:
        # A mistake of ours must not bounce somebody's mail: their server tries again.
        log.error("email.edge_failed", error=type(error).__name__)
        return "451 4.3.0 something went wrong here, try again later"

    async def _answer(self, raw: bytes, envelope: Envelope) -> str:
        try:
            await self._intake.take(raw, envelope)
        except StorageUnavailableError:
            log.error("email.not_stored")
            return "451 4.3.0 nothing was stored, send it again"
        except MailLoopError:
            log.warning("email.loop")
            return "554 5.4.6 this mail was here before"
        except UnreadablePayloadError as exc:
            log.warning("email.refused", reason=str(exc))
            return "550 5.6.0 this mail cannot be read"
        return "250 2.0.0 OK"


def _envelope(envelope: Any) -> Envelope:
    sender = str(envelope.mail_from).strip("<>").lower()
    return Envelope(sender, tuple(str(address).lower() for address in envelope.rcpt_tos))
