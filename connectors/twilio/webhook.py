"""The edge that Twilio calls: inbound texts and receipts. Verify, store, answer; nothing else."""

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qsl

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.datastructures import ImmutableMultiDict
from twilio.request_validator import RequestValidator

from connectors.base import ReceiveMessage, ReceiveReceipt
from connectors.errors import BadSignatureError, StorageUnavailableError, UnreadablePayloadError
from connectors.twilio import mapping
from connectors.twilio.payloads import InboundForm, StatusForm

MAX_BYTES = 64 * 1024
MAX_FIELDS = 500
RETRY_AFTER_SECONDS = 2
FORM_TYPE = "application/x-www-form-urlencoded"

log = structlog.get_logger()

Fields = ImmutableMultiDict[str, str]


class _TooLargeError(UnreadablePayloadError):
    pass


def router(
    receive_message: ReceiveMessage, receive_receipt: ReceiveReceipt, *, auth_token: str, public_url: str
) -> APIRouter:
    """`POST /sms` and `POST /status`, to be mounted under `/connectors/twilio`.

    `public_url` is the address that Twilio was given (scheme, host, and path prefix if there is one):
    signatures are checked against it, because behind a proxy the request itself shows another one.
    """
    routes = APIRouter(route_class=EdgeRoute, include_in_schema=False)
    validator = RequestValidator(auth_token)
    base = public_url.rstrip("/")

    @routes.post("/sms")
    async def receive_sms(request: Request) -> Response:
        form = InboundForm.read(dict(await signed_fields(request, validator, base)))
        await receive_message(mapping.inbound_message(form))
        return empty_twiml()

    @routes.post("/status")
    async def receive_status(request: Request) -> Response:
        form = StatusForm.read(dict(await signed_fields(request, validator, base)))
        receipt = mapping.receipt_from_form(form, request.query_params.get("outbound_id"))
        if receipt is None:
            log.warning("twilio.unknown_status", message_sid=form.message_sid, status=form.status)
        else:
            await receive_receipt(receipt)
        return empty_twiml()

    return routes


class EdgeRoute(APIRoute):
    """Turns the connector's errors into the answers that `connectors.errors` promises."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except BadSignatureError as exc:
                return _refused(403, exc)
            except _TooLargeError as exc:
                return _refused(413, exc)
            except UnreadablePayloadError as exc:
                return _refused(400, exc)
            except StorageUnavailableError:
                log.error("twilio.not_stored", path=request.scope["path"])
                return JSONResponse(
                    {"detail": "nothing was stored, deliver it again"},
                    503,
                    headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
                )

        return answer


def _refused(status: int, reason: Exception) -> Response:
    log.warning("twilio.webhook_refused", status=status, reason=str(reason))
    # JSON, never text/plain: Twilio used to send a plain body to the recipient (A1).
    return JSONResponse({"detail": str(reason)}, status)


def empty_twiml() -> Response:
    """Received, and no reply: ours leave through the outbox."""
    return Response(
        '<?xml version="1.0" encoding="UTF-8"?><Response></Response>', media_type="text/xml; charset=utf-8"
    )


async def signed_fields(request: Request, validator: Any, base: str) -> Fields:
    """The form's fields, empty and repeated ones included, once the signature is proven.

    Raises `BadSignatureError`, or `UnreadablePayloadError` when there is no form to check a signature over.
    """
    signature = request.headers.get("x-twilio-signature")
    if not signature:
        raise BadSignatureError("X-Twilio-Signature is missing")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise UnreadablePayloadError(f"the Content-Type must be {FORM_TYPE}")
    fields = _parse(await _body(request))
    if not validator.validate(_public_address(request, base), fields, signature):
        raise BadSignatureError("X-Twilio-Signature does not match; check TWILIO_AUTH_TOKEN and PUBLIC_URL")
    return fields


def _public_address(request: Request, base: str) -> str:
    """The URL that Twilio signed. A fragment with overrides is not part of it and never arrives."""
    path: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    query: bytes = request.scope["query_string"]
    return base + (path + (b"?" + query if query else b"")).decode("latin-1")


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise _TooLargeError(f"the body is larger than {MAX_BYTES} bytes")
    return body


def _parse(body: bytes) -> Fields:
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except UnicodeDecodeError as exc:
        raise UnreadablePayloadError("the form is not UTF-8") from exc
    except ValueError as exc:
        raise UnreadablePayloadError(f"the form has more than {MAX_FIELDS} fields") from exc
    return ImmutableMultiDict(pairs)
