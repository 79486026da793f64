"""Calls to Onfleet: its rate kept, safe calls repeated, its errors translated into ours."""

import asyncio
from collections import deque
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypeVar

import httpx
import structlog
from pydantic import TypeAdapter, ValidationError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_random_exponential

from connectors.errors import (
    PlatformError,
    PlatformMisconfiguredError,
    PlatformRejectedError,
    PlatformUnavailableError,
    StopNotFoundError,
)
from connectors.http import READ_SECONDS, open_client, retry_after
from connectors.onfleet.payloads import ErrorBody

PLATFORM = "onfleet"
ATTEMPTS = 4
SECOND = 1.05
"""A little more than one: calls may bunch up on their way."""
LONGEST_WAIT = timedelta(seconds=10)
"""A longer `Retry-After` is handed to the caller instead of being sat out."""

T = TypeVar("T")
log = structlog.get_logger(__name__)


class ThrottledError(PlatformUnavailableError):
    """Refused by the rate limit: nothing was done, so even a write may be repeated."""


class RateLimiter:
    """Lets `per_second` calls through in any one second; the others wait their turn, first come, first served."""

    def __init__(self, per_second: int) -> None:
        self._passed: deque[float] = deque(maxlen=per_second)
        self._turn = asyncio.Lock()

    async def take(self) -> None:
        loop = asyncio.get_running_loop()
        async with self._turn:
            if len(self._passed) == self._passed.maxlen:
                await asyncio.sleep(max(self._passed[0] + SECOND - loop.time(), 0))
            self._passed.append(loop.time())


class Wire:
    """One account's connection. Every call raises the errors of `connectors.base.RoutingPlatform`."""

    def __init__(
        self,
        api_key: str,
        api_base: str,
        *,
        requests_per_second: int,
        read_seconds: float = READ_SECONDS,
        backoff_seconds: float = 0.5,
    ) -> None:
        self._http = open_client(
            api_base.rstrip("/") + "/api/v2/", auth=(api_key, ""), read_seconds=read_seconds
        )
        self._limiter = RateLimiter(requests_per_second)
        self._backoff = wait_random_exponential(multiplier=backoff_seconds, max=LONGEST_WAIT.total_seconds())

    async def aclose(self) -> None:
        await self._http.aclose()

    async def get(self, path: str, shape: TypeAdapter[T], params: Mapping[str, str] | None = None) -> T:
        return await self._call("GET", path, shape, params=params)

    async def put(self, path: str, shape: TypeAdapter[T], body: Mapping[str, Any]) -> T:
        return await self._call("PUT", path, shape, body=body)

    async def post(self, path: str, shape: TypeAdapter[T], body: Mapping[str, Any]) -> T:
        return await self._call("POST", path, shape, body=body)

    async def _call(
        self,
        method: str,
        path: str,
        shape: TypeAdapter[T],
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> T:
        retrying = AsyncRetrying(
            stop=stop_after_attempt(ATTEMPTS),
            retry=retry_if_exception(lambda exc: may_repeat(method, exc)),
            wait=self._wait,
            reraise=True,
        )
        response: httpx.Response = await retrying(self._send, method, path, params, body)
        return read(response, shape)

    async def _send(
        self, method: str, path: str, params: Mapping[str, str] | None, body: Mapping[str, Any] | None
    ) -> httpx.Response:
        await self._limiter.take()
        try:
            response = await self._http.request(method, path, params=params, json=body)
        except httpx.HTTPError as exc:
            raise PlatformUnavailableError(PLATFORM, f"{method} {path}: {type(exc).__name__}") from exc
        if response.is_success:
            return response
        raise translate(response, path)

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        wanted = error.retry_after if isinstance(error, PlatformUnavailableError) else None
        return max(self._backoff(state), wanted.total_seconds() if wanted else 0.0)


def may_repeat(method: str, error: BaseException) -> bool:
    """A read may be repeated, a write only when it was refused unread. A long wait is left to the caller."""
    if not isinstance(error, PlatformUnavailableError):
        return False
    if error.retry_after is not None and error.retry_after > LONGEST_WAIT:
        return False
    return method == "GET" or isinstance(error, ThrottledError)


def read(response: httpx.Response, shape: TypeAdapter[T]) -> T:
    try:
        return shape.validate_json(response.content)
    except ValidationError as exc:
        what = f"unreadable answer to {response.request.method} {response.request.url.path}"
        log.warning("onfleet_unreadable_answer", path=response.request.url.path, errors=exc.error_count())
        raise PlatformUnavailableError(PLATFORM, what) from exc


def translate(response: httpx.Response, path: str) -> PlatformError:
    """Onfleet's refusal as our error: by the number in its body where there is one, else by status."""
    detail = _detail_of(response)
    number, status = detail.message.error, response.status_code
    text = f"{status} {detail.code} {number} {detail.message.message} {detail.message.cause}".strip()
    if status == 404 or number == 1402:
        return StopNotFoundError(PLATFORM, path.rsplit("/", 1)[-1])
    if status == 429 or number in (2300, 2301):
        return ThrottledError(PLATFORM, text, retry_after=retry_after(response))
    if status in (401, 403) or 1100 <= number <= 1112 or number == 1300:
        return PlatformMisconfiguredError(PLATFORM, text)
    if status >= 500 or number >= 2500:
        return PlatformUnavailableError(PLATFORM, text, retry_after=retry_after(response))
    return PlatformRejectedError(PLATFORM, text, code=str(number or status))


def _detail_of(response: httpx.Response) -> ErrorBody:
    try:
        return ErrorBody.model_validate_json(response.content)
    except ValidationError:
        return ErrorBody()
