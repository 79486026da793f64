"""The edge that Mailgun's routes call. Verify, store, answer; nothing else.

Answers in Mailgun's terms: 406 drops a mail for good; everything else but 200 is delivered again for hours.
Source: messaging-contracts C.
"""

import hashlib
import hmac
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.types import Message

from connectors.base import Now
from connectors.email.authenticity import mailgun_verdict
from connectors.email.intake import Intake, Taken
from connectors.email.mime import read_form
from connectors.email.payloads import (
    MAX_ATTACHMENT_BYTES,
    MAX_ATTACHMENTS,
    MAX_BYTES,
    EmailAttachment,
    Envelope,
    MailgunForm,
    MailgunSignature,
    MailLoopError,
)
from connectors.errors import BadSignatureError, StorageUnavailableError, UnreadablePayloadError

MAX_AGE = timedelta(minutes=5)
MAX_FIELDS = 500
MAX_REQUEST_BYTES = MAX_BYTES * 3 // 2
"""A mail, with what its transport encoding adds."""
RETRY_AFTER_SECONDS = 2

log = structlog.get_logger()


def router(intake: Intake, *, signing_key: str, now: Now) -> APIRouter:
    """`POST /inbound`, to be mounted under `/connectors/email`."""
    routes = APIRouter(route_class=_EdgeRoute, include_in_schema=False)
    seal = _Seal(signing_key, now)

    @routes.post("/inbound")
    async def receive_mail(request: Request) -> Response:
        async with _form(request) as form:
            with seal.checked(form):
                taken = await _take(intake, form)
        return JSONResponse({"taken": taken})

    return routes


async def _take(intake: Intake, fields: FormData) -> Taken:
    form = MailgunForm.read({name: value for name, value in fields.items() if isinstance(value, str)})
    recipients = tuple(each.strip().lower() for each in form.recipient.split(",") if each.strip())
    headers = {name.lower(): (value,) for name, value in reversed(form.message_headers)}
    sender = None if form.sender is None else form.sender.strip().strip("<>").lower()
    envelope = Envelope(sender, recipients, mailgun_verdict(headers))
    if form.body_mime is not None:
        return await intake.take(form.body_mime.encode("utf-8", "surrogateescape"), envelope)
    return await intake.take_mail(read_form(form, await _attachments(fields), envelope))


async def _attachments(fields: FormData) -> list[EmailAttachment]:
    uploads = [value for value in fields.values() if isinstance(value, UploadFile)]
    return [
        EmailAttachment(upload.filename or "", upload.content_type or "", await upload.read())
        for upload in uploads[:MAX_ATTACHMENTS]
        if upload.size is not None and 0 < upload.size <= MAX_ATTACHMENT_BYTES
    ]


class _Seal:
    """The signature covers a time and a token, not the mail: so a token is good for one mail only.

    Remembered by this process alone: behind several edges a captured token could bring in one mail per edge,
    for as long as `MAX_AGE`.
    """

    def __init__(self, signing_key: str, now: Now) -> None:
        self._key = signing_key.encode()
        self._now = now
        self._used: dict[str, float] = {}

    @contextmanager
    def checked(self, form: FormData) -> Iterator[None]:
        """Raises `BadSignatureError`. A token whose mail was not stored is free again for the next try."""
        seal = self._read(form)
        self._forget_old()
        if seal.token in self._used:
            raise BadSignatureError("the token was used before")
        self._used[seal.token] = self._now().timestamp()
        try:
            yield
        except BaseException:
            self._used.pop(seal.token, None)
            raise

    def _read(self, form: FormData) -> MailgunSignature:
        try:
            seal = MailgunSignature.model_validate(
                {name: form.get(name) for name in ("timestamp", "token", "signature")}
            )
        except ValidationError:
            raise BadSignatureError("timestamp, token or signature is missing or malformed") from None
        # As it was sent: the digest is over the characters, not over the number.
        signed = f"{form['timestamp']}{seal.token}".encode()
        expected = hmac.new(self._key, signed, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, seal.signature.lower()):
            raise BadSignatureError("the signature does not match; check the signing key")
        if abs(self._now().timestamp() - seal.timestamp) > MAX_AGE.total_seconds():
            raise BadSignatureError("the timestamp is too old, or a clock is wrong")
        return seal

    def _forget_old(self) -> None:
        # A signature may be made as far in the future as in the past.
        oldest = self._now().timestamp() - 2 * MAX_AGE.total_seconds()
        while self._used and next(iter(self._used.values())) < oldest:
            del self._used[next(iter(self._used))]


class _TooLargeError(UnreadablePayloadError):
    pass


class _EdgeRoute(APIRoute):
    """Turns the connector's errors into answers that Mailgun understands."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except BadSignatureError as exc:
                return _refused(403, exc)
            except (UnreadablePayloadError, MailLoopError) as exc:
                return _refused(406, exc)
            except StorageUnavailableError:
                log.error("email.not_stored")
                return JSONResponse(
                    {"detail": "nothing was stored, deliver it again"},
                    503,
                    headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
                )

        return answer


def _refused(status: int, reason: Exception) -> Response:
    log.warning("email.webhook_refused", status=status, reason=str(reason))
    return JSONResponse({"detail": str(reason)}, status)


@asynccontextmanager
async def _form(request: Request) -> AsyncIterator[FormData]:
    """The fields of a form of either type. Raises `UnreadablePayloadError`."""
    body = await _body(request)

    async def replay() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    replayed = Request(request.scope, replay)
    try:
        form = await replayed.form(
            max_files=MAX_ATTACHMENTS * 2, max_fields=MAX_FIELDS, max_part_size=MAX_REQUEST_BYTES
        )
    except (MultiPartException, HTTPException, ValueError, LookupError) as exc:
        raise UnreadablePayloadError(f"no readable form: {type(exc).__name__}") from None
    try:
        yield form
    finally:
        await form.close()


async def _body(request: Request) -> bytes:
    pieces, size = [], 0
    async for piece in request.stream():
        pieces.append(piece)
        size += len(piece)
        if size > MAX_REQUEST_BYTES:
            raise _TooLargeError(f"the body is larger than {MAX_REQUEST_BYTES} bytes")
    return b"".join(pieces)
