"""Calls to OptimoRoute: its envelope and codes translated into ours, and a guard against writes that wipe."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from connectors.errors import (
    PlatformError,
    PlatformMisconfiguredError,
    PlatformRejectedError,
    PlatformUnavailableError,
    Refused,
    StopNotFoundError,
)
from connectors.http import retry_after
from connectors.optimoroute.payloads import OrderResult
from connectors.optimoroute.payloads import Wire as WireModel
from connectors.platform_wire import Limits, PlatformWire, ThrottledError

LIMITS = Limits(per_second=200, at_once=5)
"""Five calls at a time per account or address is the only limit that is documented; per second there is none."""
SAFE_OPERATIONS = frozenset({"CREATE", "UPDATE", "MERGE"})
NOT_FOUND = "ERR_ORD_NOT_FOUND"
EXISTS = "ERR_ORD_EXISTS"
NOTHING_TO_SEND = "ERR_NOTHING_TO_SEND"

T = TypeVar("T")
Make = Callable[[str, str, timedelta | None], PlatformError]

BY_CODE: Mapping[str, Make] = {
    "AUTH_KEY_MISSING": lambda name, text, _: PlatformMisconfiguredError(name, text),
    "AUTH_KEY_UNKNOWN": lambda name, text, _: PlatformMisconfiguredError(name, text),
    "ERR_TOO_MANY_CONNECTIONS": lambda name, text, wait: ThrottledError(name, text, retry_after=wait),
    "ERR_INTERNAL": lambda name, text, wait: PlatformUnavailableError(name, text, retry_after=wait),
    NOT_FOUND: lambda name, _, __: StopNotFoundError(name, ""),
    "ERR_LOC_GEOCODING": lambda name, text, _: _bad_address(name, text),
    "ERR_LOC_GEOCODING_MULTIPLE": lambda name, text, _: _bad_address(name, text),
    "ERR_LOC_GEOCODING_PARTIAL": lambda name, text, _: _bad_address(name, text),
}
"""Any other code raises `PlatformRejectedError` and stands in it. Source: routing-platforms 4.1."""


class Envelope(WireModel):
    success: bool | None = None
    code: str = ""


class OptimoRouteWire:
    """One account's connection. Every call raises the errors of `connectors.base.RoutingPlatform`."""

    def __init__(self, name: str, api_key: str, api_base: str, limits: Limits = LIMITS) -> None:
        self._name = name
        self._wire = PlatformWire(
            name,
            api_base.rstrip("/") + "/v1/",
            translate=lambda response, _: translate(name, response),
            limits=limits,
            params={"key": api_key},
        )

    async def aclose(self) -> None:
        await self._wire.aclose()

    async def get(self, method: str, shape: TypeAdapter[T], **params: str) -> T:
        return await self._wire.get(method, shape, params)

    async def ask(self, method: str, shape: TypeAdapter[T], body: Mapping[str, Any]) -> T:
        """A read by POST, or a write that sets what it says and may be done twice."""
        return await self._wire.call("POST", method, shape, json=guarded(self._name, body), repeatable=True)

    async def do_once(self, method: str, shape: TypeAdapter[T], body: Mapping[str, Any]) -> T:
        """A write that is not repeated while its outcome is unknown."""
        return await self._wire.call("POST", method, shape, json=guarded(self._name, body))


def guarded(name: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """`body`, if it can wipe nothing. SYNC resets every field that is not given, also those we do not know."""
    orders = body.get("orders")
    for part in (body, *(orders if isinstance(orders, list) else ())):
        operation = part.get("operation") if isinstance(part, Mapping) else None
        if operation is not None and operation not in SAFE_OPERATIONS:
            raise PlatformRejectedError(
                name, f"{operation} resets what is not given", code=Refused.WOULD_WIPE
            )
    return body


def translate(name: str, response: httpx.Response) -> PlatformError | None:
    """A refusal, which comes with 200 as well as with 4xx. None for a success, and for what is no envelope."""
    try:
        envelope = Envelope.model_validate_json(response.content)
    except ValidationError:
        envelope = Envelope()
    if response.is_success and envelope.success is not False:
        return None
    return error_of(name, envelope.code, response.status_code, retry_after(response))


def error_of(name: str, code: str, status: int, wait: timedelta | None = None) -> PlatformError:
    # The vendor's message is left out: it may repeat an address or a phone number.
    text = f"{status} {code}".strip()
    if code in BY_CODE:
        return BY_CODE[code](name, text, wait)
    if status == 429:
        return ThrottledError(name, text, retry_after=wait)
    if status >= 500:
        return PlatformUnavailableError(name, text, retry_after=wait)
    if status in (401, 403):
        return PlatformMisconfiguredError(name, text)
    return PlatformRejectedError(name, text, code=code or str(status))


def checked(name: str, result: OrderResult, platform_ref: str) -> OrderResult:
    """One entry of a bulk answer, which can fail while the whole succeeds."""
    if result.success:
        return result
    if result.code == NOT_FOUND:
        raise StopNotFoundError(name, platform_ref)
    raise error_of(name, result.code, 200)


def _bad_address(name: str, text: str) -> PlatformRejectedError:
    return PlatformRejectedError(name, text, code=Refused.BAD_ADDRESS)
