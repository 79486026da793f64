"""Calls to Route4Me's two generations, and what their answers mean when they are no success."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx

from connectors.errors import (
    PlatformMisconfiguredError,
    PlatformRejectedError,
    PlatformUnavailableError,
    Refused,
    StopNotFoundError,
)
from connectors.http import retry_after
from connectors.platform_wire import Limits, PlatformWire, ThrottledError, Translate

API_BASE = "https://api.route4me.com"
V5_BASE = "https://wh.route4me.com/modules/api/v5.0"
V5_PATH = "/modules/api/v5.0"

LONGEST_REFUSAL = 4_000
"""Bytes. An answer that says no is short; a whole route is not looked through for it."""
WRONG_KEY_EXIT = 2
TOO_SOON = timedelta(seconds=1)


class Wires:
    """One account's connections: v4 for most, v5 for what v4 lacks. Both take the key in the query."""

    def __init__(
        self, platform: str, api_key: str, api_base: str, v5_base: str | None, limits: Limits
    ) -> None:
        base = api_base.rstrip("/")
        newer = v5_base or (V5_BASE if base == API_BASE else base + V5_PATH)
        translate, key = refusals_of(platform), {"api_key": api_key}
        self.v4 = PlatformWire(platform, base + "/", translate=translate, limits=limits, params=key)
        self.v5 = PlatformWire(
            platform, newer.rstrip("/") + "/", translate=translate, limits=limits, params=key
        )

    async def aclose(self) -> None:
        await self.v4.aclose()
        await self.v5.aclose()


def refusals_of(platform: str) -> Translate:
    """Route4Me says no with a status, or with 200 and a false `status`, `deleted` or `success`."""

    def translate(response: httpx.Response, path: str) -> Exception | None:
        if response.is_success:
            return _said_no(platform, response, path)
        return _by_status(platform, response.status_code, path, response)

    return translate


def _said_no(platform: str, response: httpx.Response, path: str) -> Exception | None:
    if len(response.content) > LONGEST_REFUSAL:
        return None
    body = _object(response)
    if not any(body.get(name) is False for name in ("status", "success", "deleted")):
        return None
    code = body.get("code")
    if isinstance(code, int) and code >= httpx.codes.BAD_REQUEST:
        return _by_status(platform, code, path, response)
    return PlatformRejectedError(platform, f"{path}: it says no", code="status_false")


def _by_status(platform: str, status: int, path: str, response: httpx.Response) -> Exception:
    if status == httpx.codes.NOT_FOUND:
        return StopNotFoundError(platform, path)
    if status == httpx.codes.TOO_MANY_REQUESTS:
        wait = retry_after(response)
        return ThrottledError(platform, f"{path}: too many calls", TOO_SOON if wait is None else wait)
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return PlatformMisconfiguredError(platform, f"HTTP {status}: the key is refused")
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status < httpx.codes.BAD_REQUEST:
        return PlatformUnavailableError(platform, f"{path}: HTTP {status}", retry_after(response))
    return _rejected(platform, status, path, _object(response))


def _rejected(platform: str, status: int, path: str, body: Mapping[str, Any]) -> Exception:
    """The vendor's own words stay out: they may quote an address or a name."""
    if body.get("exit_code") == WRONG_KEY_EXIT:
        return PlatformMisconfiguredError(platform, f"HTTP {status}: the key is refused")
    words = json.dumps([body.get("errors"), body.get("messages")]).lower()
    if "geocod" in words:
        return PlatformRejectedError(platform, f"{path}: no such address", code=Refused.BAD_ADDRESS)
    fields = body.get("messages")
    named = ", ".join(sorted(fields)) if isinstance(fields, dict) else ""
    return PlatformRejectedError(platform, f"{path}: HTTP {status} {named}".rstrip(), code=str(status))


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
