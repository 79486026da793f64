"""How Mailgun posts a mail to us: a signed form, tried again unless told 200 or 406.

Source: messaging-contracts C. A route either forwards raw MIME or fields; this one does as it is told.
"""

import asyncio
import hashlib
import hmac
import json
import secrets
from email.message import EmailMessage, Message

import httpx

from connectors.base import Now

RETRIES = 3
PAUSE_SECONDS = 0.1
"""Mailgun waits ten minutes first; nobody watches a demo that long."""


class RoutePoster:
    def __init__(self, signing_key: str, now: Now) -> None:
        self._key = signing_key.encode()
        self._now = now
        self._http = httpx.AsyncClient(trust_env=False, timeout=15.0)

    async def post(self, url: str, mail: Message, sender: str, recipient: str, *, as_mime: bool) -> int:
        """The last HTTP status; 0 when there was no answer at all."""
        fields = {"sender": sender, "recipient": recipient, "subject": str(mail["Subject"] or "")}
        fields |= {"body-mime": _text(mail)} if as_mime else _parsed(mail)
        files = [] if as_mime else _files(mail)
        status = 0
        for attempt in range(RETRIES + 1):
            status = await self._attempt(url, fields | self.seal(), files)
            if status in (200, 406):
                break
            await asyncio.sleep(PAUSE_SECONDS * 2**attempt)
        return status

    def seal(self) -> dict[str, str]:
        timestamp, token = str(int(self._now().timestamp())), secrets.token_hex(25)
        signature = hmac.new(self._key, f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest()
        return {"timestamp": timestamp, "token": token, "signature": signature}

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _attempt(
        self, url: str, fields: dict[str, str], files: list[tuple[str, tuple[str, bytes, str]]]
    ) -> int:
        try:
            return (await self._http.post(url, data=fields, files=files or None)).status_code
        except httpx.HTTPError:
            return 0


def _text(mail: Message) -> str:
    return mail.as_bytes().decode("utf-8", "replace")


def _parsed(mail: Message) -> dict[str, str]:
    bodies = {part.get_content_type(): part for part in mail.walk() if not part.get_filename()}
    plain = bodies.get("text/plain")
    rich = bodies.get("text/html")
    return {
        "from": str(mail["From"]),
        "body-plain": "" if plain is None else _content(plain),
        "body-html": "" if rich is None else _content(rich),
        "message-headers": json.dumps([[name, str(value)] for name, value in mail.items()]),
    }


def _content(part: Message) -> str:
    content = part.get_payload(decode=True)
    return (
        content.decode(part.get_content_charset() or "utf-8", "replace") if isinstance(content, bytes) else ""
    )


def _files(mail: Message) -> list[tuple[str, tuple[str, bytes, str]]]:
    parts = list(mail.iter_attachments()) if isinstance(mail, EmailMessage) and mail.is_multipart() else []
    found = []
    for number, part in enumerate(parts, start=1):
        content = part.get_payload(decode=True)
        if isinstance(content, bytes):
            found.append(
                (f"attachment-{number}", (part.get_filename() or "", content, part.get_content_type()))
            )
    return found
