"""Onfleet's address, pace and refusals: what `connectors.platform_wire` has to know of it."""

from collections.abc import Callable

import httpx
from pydantic import ValidationError

from connectors.errors import (
    PlatformError,
    PlatformMisconfiguredError,
    PlatformRejectedError,
    PlatformUnavailableError,
    Refused,
    StopNotFoundError,
)
from connectors.http import retry_after
from connectors.onfleet.payloads import ErrorBody
from connectors.platform_wire import Limits, PlatformWire, ThrottledError

LIMITS = Limits(per_second=20)
"""Onfleet counts over all keys of an organisation; give less where others share it."""

REFUSALS: dict[int, Refused] = {
    1009: Refused.BAD_WINDOW,
    1010: Refused.BAD_PHONE,
    1011: Refused.BAD_ADDRESS,
}
"""Error numbers that mean one thing only. The others keep their number as the code."""
REFERS_TO_NOTHING = "1003"
"""Code of a refusal because something that the body names does not exist."""


def open_wire(api_key: str, api_base: str, *, name: str, limits: Limits) -> PlatformWire:
    base_url = api_base.rstrip("/") + "/api/v2/"
    return PlatformWire(name, base_url, translate=translator(name), limits=limits, auth=(api_key, ""))


def translator(name: str) -> Callable[[httpx.Response, str], PlatformError | None]:
    """Tells what an answer refuses, as our error: by the number in its body where there is one, else by status."""

    def translate(response: httpx.Response, path: str) -> PlatformError | None:
        return None if response.is_success else _refusal(name, response, path)

    return translate


def _refusal(name: str, response: httpx.Response, path: str) -> PlatformError:
    detail = _detail_of(response)
    number, status = detail.message.error, response.status_code
    text = f"{status} {detail.code} {number} {detail.message.message} {detail.message.cause}".strip()
    if status == 404 or number == 1402:
        return StopNotFoundError(name, path.rsplit("/", 1)[-1])
    if status == 429 or number in (2300, 2301):
        return ThrottledError(name, text, retry_after=retry_after(response))
    if status in (401, 403) or 1100 <= number <= 1112 or number == 1300:
        return PlatformMisconfiguredError(name, text)
    if status >= 500 or number >= 2500:
        return PlatformUnavailableError(name, text, retry_after=retry_after(response))
    return PlatformRejectedError(name, text, code=REFUSALS.get(number, str(number or status)))


def _detail_of(response: httpx.Response) -> ErrorBody:
    try:
        return ErrorBody.model_validate_json(response.content)
    except ValidationError:
        return ErrorBody()
