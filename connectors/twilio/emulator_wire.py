"""How the pretended Twilio reads forms and credentials, and refuses."""

import base64
import binascii
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.twilio.emulator_rules import HTTP_STATUS, error_body


def credentials(request: Request) -> tuple[str, str]:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        name, _, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (name, secret) if scheme.lower() == "basic" else ("", "")


async def form_of(request: Request) -> dict[str, list[str]]:
    return parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)


def refused(code: int, value: str = "") -> Response:
    return JSONResponse(error_body(code, value), HTTP_STATUS.get(code, 400))


def not_found(request: Request) -> Response:
    return refused(20404, request.scope["path"])
