"""Sending mails through an SMTP relay, once each, and turning every failure into a `ChannelError`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Set
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib
import structlog

from connectors.base import (
    ChannelName,
    MediaContent,
    Now,
    OutboundMessage,
    Probe,
    Receipt,
    ReceiptStatus,
)
from connectors.email import mapping
from connectors.email.identity import CHANNEL, Identity
from connectors.email.mapping import Step
from connectors.errors import (
    ChannelError,
    ChannelMisconfiguredError,
    ChannelUnavailableError,
    MediaRefusedError,
    OutcomeUnknownError,
)

CONNECT_SECONDS = 5.0
READ_SECONDS = 60.0
"""For one answer. RFC 5321 allows ten minutes after the content; a conversation cannot wait that long."""
CONNECTIONS = 5
"""At once: relays refuse more from one client. Further mails wait for their turn."""
DEFAULT_PORTS = {"smtp": 25, "smtps": 465}

ReadAttachment = Callable[[str, int], Awaitable[MediaContent]]
"""Gives back what `KeepAttachment` kept under a URL, at most so many bytes; raises as `Channel.fetch_media`."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Relay:
    """`SMTP_URL`, read."""

    host: str
    port: int
    username: str | None
    password: str | None
    use_tls: bool
    start_tls: bool | None
    """None: when the server offers it."""

    @classmethod
    def read(cls, url: str) -> Self:
        """`smtp://user:pass@host:587?starttls=1` or `smtps://…`.

        With a password STARTTLS is demanded unless `starttls=0` forbids it: an attacker on the way could take
        the offer away and read the password. Raises `ChannelMisconfiguredError`.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or DEFAULT_PORTS[parts.scheme]
        except (ValueError, KeyError):
            raise ChannelMisconfiguredError(CHANNEL, "SMTP_URL is not smtp://… or smtps://…") from None
        if not parts.hostname:
            raise ChannelMisconfiguredError(CHANNEL, "SMTP_URL names no host")
        return cls(
            host=parts.hostname,
            port=port,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            use_tls=parts.scheme == "smtps",
            start_tls=_start_tls(parts.query, parts.scheme, has_password=bool(parts.password)),
        )


def _start_tls(query: str, scheme: str, *, has_password: bool) -> bool | None:
    wish = parse_qs(query).get("starttls", [""])[-1].lower()
    if scheme == "smtps" or wish in ("0", "no", "false"):
        return False
    return True if wish in ("1", "yes", "true") or has_password else None


class EmailChannel:
    """Mails through one relay, from one address."""

    name = ChannelName.EMAIL

    def __init__(
        self,
        smtp_url: str,
        identity: Identity,
        *,
        now: Now,
        read_attachment: ReadAttachment | None = None,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        """Raises `ChannelMisconfiguredError` when `smtp_url` cannot be read."""
        self._relay = Relay.read(smtp_url)
        self._identity = identity
        self._now = now
        self._read_attachment = read_attachment
        self._read_seconds = read_seconds
        self._turns = asyncio.Semaphore(CONNECTIONS)

    async def send(self, message: OutboundMessage) -> Receipt:
        """Raises as `Channel.send` says. `SENT` means that the relay has it; a bounce may still follow."""
        mail = mapping.outgoing(message, self._identity, self._now())
        async with self._turns, self._session() as smtp:
            await self._hand_over(smtp, message, mail)
        return Receipt(
            vendor_id=self._identity.message_id(message.outbound_id),
            status=ReceiptStatus.SENT,
            outbound_id=message.outbound_id,
        )

    async def find_sent(
        self, message: OutboundMessage, attempted_at: datetime, known_vendor_ids: Set[str]
    ) -> Receipt | None:
        """Always None: SMTP has no list of what was taken, so a mail whose outcome is unknown is sent again.

        It carries the same Message-ID as before, by which large providers (and `duplicate` in Sieve) show one
        mail only. Not sending it again could leave a recipient without an answer, which is worse than twice.
        """
        return None

    async def fetch_media(self, url: str, *, at_most_bytes: int) -> MediaContent:
        """From where the application itself has kept it when the mail came in."""
        if self._read_attachment is None:
            raise MediaRefusedError(CHANNEL, "no attachments are kept", "gone")
        content = await self._read_attachment(url, at_most_bytes)
        if len(content.content) > at_most_bytes:
            raise MediaRefusedError(CHANNEL, "the picture is too big", "too_big")
        return content

    async def probe(self) -> Probe:
        """Whether the relay lets us in and takes our sender; sends nothing. For `doorline doctor`."""
        where = f"{self._relay.host}:{self._relay.port}"
        try:
            async with self._session() as smtp:
                with _translated(Step.SENDER):
                    await smtp.mail(self._identity.envelope_sender("doctor"), encoding="ascii")
                    await smtp.rset()
        except ChannelError as exc:
            return Probe(
                name="email", healthy=False, detail=f"{exc}; check SMTP_URL and EMAIL_FROM ({where})"
            )
        return Probe(name="email", healthy=True, detail=f"{where} takes mail from {self._identity.domain}")

    async def aclose(self) -> None:
        """Nothing stays open between two mails."""

    async def _hand_over(self, smtp: aiosmtplib.SMTP, message: OutboundMessage, mail: EmailMessage) -> None:
        content = mail.as_bytes()
        with _translated(Step.SENDER):
            await smtp.mail(self._identity.envelope_sender(message.outbound_id), encoding="ascii")
        with _translated(Step.RECIPIENT):
            await smtp.rcpt(mapping.ascii_address(message.recipient), encoding="ascii")
        with _translated(Step.CONTENT):
            await smtp.data(content)

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """Connected and logged in. Saying goodbye may fail: what mattered was answered before."""
        smtp = aiosmtplib.SMTP(
            hostname=self._relay.host,
            port=self._relay.port,
            use_tls=self._relay.use_tls,
            start_tls=self._relay.start_tls,
            # Ours, not the machine's name: that may be anything.
            local_hostname=self._identity.domain,
            timeout=self._read_seconds,
        )
        try:
            await self._enter(smtp)
            yield smtp
            await _say_goodbye(smtp)
        finally:
            smtp.close()

    async def _enter(self, smtp: aiosmtplib.SMTP) -> None:
        with _translated(Step.CONNECT):
            await smtp.connect(timeout=CONNECT_SECONDS)
        if self._relay.username is not None:
            with _translated(Step.LOGIN):
                await smtp.login(self._relay.username, self._relay.password or "")


async def _say_goodbye(smtp: aiosmtplib.SMTP) -> None:
    try:
        await smtp.quit(timeout=1.0)
    except (aiosmtplib.SMTPException, OSError):
        log.debug("email.goodbye_unheard")


@contextmanager
def _translated(step: Step) -> Iterator[None]:
    """aiosmtplib's errors as ours. What broke after the content went out may have been delivered."""
    try:
        yield
    except aiosmtplib.SMTPResponseException as exc:
        # From None: the server's words, which aiosmtplib's error quotes, name addresses.
        raise mapping.refusal(step, exc.code, exc.message) from None
    except (aiosmtplib.SMTPConnectError, aiosmtplib.SMTPServerDisconnected, TimeoutError, OSError) as exc:
        kind = OutcomeUnknownError if step is Step.CONTENT else ChannelUnavailableError
        raise kind(CHANNEL, f"no answer to the {step}: {type(exc).__name__}") from exc
    except (aiosmtplib.SMTPException, ValueError) as exc:
        raise ChannelMisconfiguredError(CHANNEL, f"cannot {step}: {type(exc).__name__}") from exc
