"""The world of mail, pretended: a relay that takes what we send, mailboxes behind it, and people who write.

Serve `app` on a port of its own; the relay listens on `smtp_port`. Some mailboxes behave by their names, see
`MAILBOXES` and `emulator_relay`. Under `/_emulator/`: `GET messages?address=`, `POST inbound`, `POST raw`,
`POST faults`, `GET state`. A fault's path is an SMTP command: `MAIL`, `RCPT` or `DATA`.
Not emulated: TLS, DKIM and SPF, mailing lists, retries of a mail that we put off for longer than a moment.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiosmtplib
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from connectors.base import Now
from connectors.email import emulator_letters as letters
from connectors.email.emulator_letters import Letter, Picture
from connectors.email.emulator_relay import Relay
from connectors.email.emulator_routes import RoutePoster
from connectors.emulation import Fault, Faults, Ledger, read_json

MAILBOXES = {
    "gone": "a report comes back: failed, 5.1.1",
    "late": "a report comes back: delayed, 4.4.1",
    "old": "a report comes back as prose, as qmail writes it",
    "away": "a holiday notice comes back",
}
RETRIES = 3
PAUSE_SECONDS = 0.05


class StoredMail(BaseModel):
    """One mail in somebody's mailbox. The same Message-ID again adds a copy, as large providers show one mail."""

    model_config = ConfigDict(frozen=True)

    message_id: str
    direction: str
    """`outbound`: from Doorline to a person; `inbound`: the other way."""
    sender: str
    recipient: str
    subject: str
    text: str
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    return_path: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    copies: int = 1
    answer: int = 250
    """What the receiving server said in the end; 0 when it was not reached."""
    at: AwareDatetime


class _InboundOrder(BaseModel):
    """Body of `POST /_emulator/inbound`. `reply` answers the last mail in the sender's mailbox, quoting it."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    sender: str = Field(alias="from", pattern=r"^[^@\s]+@[^@\s]+$")
    text: str = ""
    subject: str = ""
    name: str = ""
    reply: bool = True
    spanish: bool = False
    html_only: bool = False
    picture: str = Field(default="", description="base64 of a JPEG")


class _FaultOrder(BaseModel):
    """Body of `POST /_emulator/faults`; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    clear: bool = False
    down: bool | None = None
    error_share: float | None = None
    slow_share: float | None = None
    slow_seconds: float | None = None
    next: tuple[Fault, ...] = ()

    def apply(self, faults: Faults) -> None:
        if self.clear:
            faults.clear()
        for name in self.model_fields_set - {"clear", "next"}:
            setattr(faults, name, getattr(self, name))
        faults.next(*self.next)


class MailEmulator:
    """With `ledger_path` its mailboxes survive a kill; a report that was on its way does not."""

    def __init__(
        self,
        our_address: str,
        *,
        now: Now,
        username: str = "",
        password: str = "",
        ledger_path: Path | None = None,
        smtp_port: int = 0,
        inbound_url: str | None = None,
        signing_key: str = "",
        as_mime: bool = True,
        pace_seconds: float = 0.1,
    ) -> None:
        """`inbound_url` is where people's mails go: `smtp://host:port` of our listener, or our signed route
        (`http://…/connectors/email/inbound`, with `signing_key`). `pace_seconds` pass before a machine answers."""
        self.our_address = our_address
        self.now = now
        self.inbound_url = inbound_url
        self.faults = Faults()
        self.alerts: list[str] = []
        self.relay = Relay(username, password, self.faults, self._take, smtp_port)
        self._login = f"{username}:{password}@" if username else ""
        self._as_mime = as_mime
        self._pace = pace_seconds
        self._poster = RoutePoster(signing_key, now)
        self._ledger = Ledger(ledger_path, "mail_messages")
        self._errands: set[asyncio.Task[None]] = set()
        self.app: ASGIApp = Starlette(routes=self._routes(), lifespan=self._lifespan)

    @property
    def smtp_port(self) -> int:
        return self.relay.port

    @property
    def smtp_url(self) -> str:
        """For `SMTP_URL`."""
        return f"smtp://{self._login}127.0.0.1:{self.relay.port}?starttls=0"

    async def start(self) -> None:
        await self.relay.start()

    async def aclose(self) -> None:
        await self.relay.stop()
        for errand in list(self._errands):
            errand.cancel()
        await asyncio.gather(*self._errands, return_exceptions=True)
        await self._poster.aclose()

    async def settled(self) -> None:
        """Until every machine has answered."""
        while self._errands:
            await asyncio.gather(*self._errands)

    def messages(self, address: str | None = None) -> list[StoredMail]:
        """Both directions, oldest first."""
        stored = [StoredMail.model_validate(value) for value in self._ledger.values()]
        return [
            mail for mail in stored if address is None or address.lower() in (mail.sender, mail.recipient)
        ]

    # --- people who write to us ---------------------------------------------------------------

    async def write(self, letter: Letter) -> StoredMail:
        """Delivers it to `inbound_url`; tells what our edge answered."""
        return await self.deliver(letters.write(letter, self.now()), letter.sender)

    async def reply(self, sender: str, text: str, **changes: Any) -> StoredMail:
        """Answers the last mail that `sender` has got, as a mailer does; else begins a thread."""
        return await self.write(self.answer_to(sender, text, **changes))

    def answer_to(self, sender: str, text: str, **changes: Any) -> Letter:
        got = [mail for mail in self.messages(sender) if mail.direction == "outbound"]
        letter = Letter(sender=sender, recipient=self.our_address, text=text)
        if got:
            last = got[-1]
            letter = letter.model_copy(
                update={
                    "subject": last.subject if last.subject.startswith("Re:") else f"Re: {last.subject}",
                    "in_reply_to": last.message_id,
                    "references": last.references,
                    "quoted": last.text,
                }
            )
        return Letter.model_validate(letter.model_dump() | changes)

    async def deliver(self, mail: Message, return_path: str, recipient: str | None = None) -> StoredMail:
        """Any mail at all, over the real protocol; `recipient` is the envelope's, ours unless told otherwise."""
        to = recipient or self.our_address
        answer = await self._hand_in(mail, return_path, to)
        return self._store(mail, "inbound", return_path, to, answer)

    async def _hand_in(self, mail: Message, return_path: str, recipient: str) -> int:
        if self.inbound_url is None:
            self.alerts.append("a mail to Doorline, but no inbound_url")
            return 0
        if self.inbound_url.startswith("http"):
            url = self.inbound_url
            return await self._poster.post(url, mail, return_path, recipient, as_mime=self._as_mime)
        for attempt in range(RETRIES + 1):
            answer = await self._by_smtp(mail.as_bytes(), return_path, recipient)
            if answer and not 400 <= answer < 500:
                break
            await asyncio.sleep(PAUSE_SECONDS * 2**attempt)
        return answer

    async def _by_smtp(self, raw: bytes, return_path: str, recipient: str) -> int:
        parts = urlsplit(self.inbound_url or "")
        smtp = aiosmtplib.SMTP(
            hostname=parts.hostname, port=parts.port, start_tls=False, local_hostname="mx.example", timeout=15
        )
        try:
            async with smtp:
                await smtp.mail(return_path)
                await smtp.rcpt(recipient)
                return (await smtp.data(raw)).code
        except aiosmtplib.SMTPResponseException as exc:
            return exc.code
        except (aiosmtplib.SMTPException, OSError, ValueError):
            return 0

    # --- what Doorline sends ------------------------------------------------------------------

    async def _take(self, return_path: str, recipients: list[str], raw: bytes) -> None:
        mail = message_from_bytes(raw, policy=policy.default)
        for recipient in recipients:
            self._store(mail, "outbound", return_path, recipient.lower(), 250)
            self._begin(self._answer_by_itself(mail, return_path, recipient.lower()))

    async def _answer_by_itself(self, mail: Message, return_path: str, recipient: str) -> None:
        await asyncio.sleep(self._pace)
        local = recipient.partition("@")[0]
        now = self.now()
        if local in ("gone", "late"):
            action, status = ("failed", "5.1.1") if local == "gone" else ("delayed", "4.4.1")
            report = letters.report(
                mail, to=return_path, recipient=recipient, action=action, status=status, now=now
            )
            await self.deliver(report, "", return_path)
        elif local == "old":
            report = letters.prose_report(mail, to=return_path, recipient=recipient, now=now)
            await self.deliver(report, "", return_path)
        elif local == "away":
            notice = letters.holiday_notice(mail, sender=recipient, now=now)
            await self.deliver(notice, recipient)

    def _begin(self, errand: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    def _store(
        self, mail: Message, direction: str, return_path: str, recipient: str, answer: int
    ) -> StoredMail:
        message_id = str(mail["Message-ID"] or letters.new_id("nowhere@example.com")).strip().strip("<>")
        key = f"{direction} {recipient} {message_id}"
        stored = StoredMail(
            message_id=message_id,
            direction=direction,
            sender=_address(mail) or return_path,
            recipient=recipient,
            subject=str(mail["Subject"] or ""),
            text=_text(mail),
            in_reply_to=str(mail["In-Reply-To"] or "").strip("<>"),
            references=tuple(each.strip("<>") for each in str(mail["References"] or "").split()),
            return_path=return_path,
            headers=tuple((name, str(value)) for name, value in mail.items()),
            copies=1 + (self._ledger[key]["copies"] if key in self._ledger else 0),
            answer=answer,
            at=self.now(),
        )
        self._ledger[key] = stored.model_dump(mode="json")
        return stored

    # --- the emulator's own paths -------------------------------------------------------------

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        await self.start()
        try:
            yield
        finally:
            await self.aclose()

    def _routes(self) -> list[Route]:
        return [
            Route("/_emulator/messages", self._show_messages, methods=["GET"]),
            Route("/_emulator/inbound", self._write_to_us, methods=["POST"]),
            Route("/_emulator/raw", self._write_raw, methods=["POST"]),
            Route("/_emulator/faults", self._set_faults, methods=["POST"]),
            Route("/_emulator/state", self._show_state, methods=["GET"]),
            Route("/{path:path}", self._unexpected, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
        ]

    async def _show_messages(self, request: Request) -> Response:
        shown = [mail.model_dump(mode="json") for mail in self.messages(request.query_params.get("address"))]
        return JSONResponse({"messages": shown})

    async def _write_to_us(self, request: Request) -> Response:
        try:
            order = _InboundOrder.model_validate(await read_json(request))
            pictures = (Picture(content=base64.b64decode(order.picture)),) if order.picture else ()
        except ValueError as exc:
            return JSONResponse({"detail": str(exc)}, 422)
        changes = order.model_dump(include={"name", "spanish", "html_only"}) | {"pictures": pictures}
        changes |= {"subject": order.subject} if order.subject else {}
        letter = self.answer_to(order.sender, order.text, **changes)
        if not order.reply:
            letter = letter.model_copy(
                update={"in_reply_to": "", "references": (), "quoted": "", "subject": order.subject}
            )
        stored = await self.write(letter)
        return JSONResponse(stored.model_dump(mode="json"))

    async def _write_raw(self, request: Request) -> Response:
        """The body is a whole mail; `?return_path=` is its envelope's sender."""
        mail = message_from_bytes(await request.body())
        stored = await self.deliver(mail, request.query_params.get("return_path", ""))
        return JSONResponse(stored.model_dump(mode="json"))

    async def _set_faults(self, request: Request) -> Response:
        try:
            order = _FaultOrder.model_validate(await read_json(request))
        except ValidationError as exc:
            return JSONResponse({"detail": str(exc)}, 422)
        order.apply(self.faults)
        return await self._show_state(request)

    async def _show_state(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "address": self.our_address,
                "smtp_port": self.smtp_port,
                "inbound_url": self.inbound_url,
                "messages": len(self._ledger),
                "pending": len(self._errands),
                "down": self.faults.down,
                "alerts": self.alerts,
            }
        )

    async def _unexpected(self, request: Request) -> Response:
        self.alerts.append(f"nobody expected {request.method} {request.scope['path']}")
        return JSONResponse({"detail": "no such path"}, 404)


def _address(mail: Message) -> str:
    parsed = str(mail["From"] or "")
    return parsed.rpartition("<")[2].rstrip(">").strip().lower()


def _text(mail: Message) -> str:
    part = next((part for part in mail.walk() if part.get_content_type() == "text/plain"), None)
    content = None if part is None else part.get_payload(decode=True)
    charset = "utf-8" if part is None else part.get_content_charset() or "utf-8"
    text = content.decode(charset, "replace") if isinstance(content, bytes) else ""
    return text.replace("\r\n", "\n").strip()
