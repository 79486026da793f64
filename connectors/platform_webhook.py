"""How a platform's webhook is answered, whatever it says."""

from collections.abc import Callable
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.responses import PlainTextResponse, Response

from connectors.base import PlatformEvent, ReceivePlatformEvent
from connectors.errors import BadSignatureError, StorageUnavailableError, UnreadablePayloadError

MAX_BODY = 1_000_000
"""Bytes."""

Shape = TypeVar("Shape", bound=BaseModel)


async def take_event(
    request: Request, read: Callable[[bytes], PlatformEvent | None], receive: ReceivePlatformEvent
) -> Response:
    """Hands on what `read` makes of the raw body. It raises `BadSignatureError` and `UnreadablePayloadError`, and
    returns None for what changes nothing here."""
    body = await read_body(request)
    if body is None:
        return PlainTextResponse(f"more than {MAX_BODY} bytes", 413)
    try:
        event = read(body)
        if event is not None:
            await receive(event)
    except BadSignatureError as exc:
        return PlainTextResponse(str(exc), 403)
    except UnreadablePayloadError as exc:
        return PlainTextResponse(str(exc), 400)
    except StorageUnavailableError:
        return PlainTextResponse("not stored, send it again", 503)
    return PlainTextResponse("")


async def read_body(request: Request) -> bytes | None:
    """The raw body, or None as soon as it is longer than we take."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return body


def parse_body(shape: type[Shape], body: bytes) -> Shape:
    """Raises `UnreadablePayloadError`."""
    try:
        return shape.model_validate_json(body)
    except ValidationError as exc:
        # Only where it is wrong: the value itself may be a key or an address.
        first = exc.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise UnreadablePayloadError(f"{where}: {first['msg']}") from exc
