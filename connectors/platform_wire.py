"""Calls to a routing platform: its limits kept, safe calls repeated, a dead one left alone for a while.

One `PlatformWire` per account: a slow account never takes the connections or the turns of another.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import httpx
import structlog
from purgatory import AsyncCircuitBreakerFactory
from purgatory.domain.model import HALF_OPENED, OpenedState
from purgatory.service._async.circuitbreaker import AsyncCircuitBreaker
from pydantic import TypeAdapter, ValidationError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_random_exponential

from connectors.errors import (
    PlatformMisconfiguredError,
    PlatformRejectedError,
    PlatformUnavailableError,
    StopNotFoundError,
)
from connectors.http import READ_SECONDS, open_client

SECOND = 1.05
"""A little more than one: calls may bunch up on their way."""

T = TypeVar("T")
log = structlog.get_logger(__name__)


class ThrottledError(PlatformUnavailableError):
    """Refused by a limit: nothing was done, so even a write may be repeated."""


class LeftAloneError(PlatformUnavailableError):
    """Not called at all, because it did not answer several times in a row. Not repeated here."""


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


@dataclass(frozen=True)
class Limits:
    """How one account may be called. The defaults suit a platform that names no numbers."""

    per_second: int = 10
    at_once: int = 10
    attempts: int = 4
    backoff_seconds: float = 0.5
    read_seconds: float = READ_SECONDS
    longest_wait: timedelta = timedelta(seconds=10)
    """A longer `Retry-After` is handed to the caller instead of being sat out."""
    failures_to_open: int = 8
    """Calls in a row, repeats counted, after which the platform is taken for dead ..."""
    open_seconds: float = 20.0
    """... and is not called for so long. Then one call tries it out."""
    trial_seconds: float = 2.0
    """How long other calls wait to hear of that one. Then they are refused."""


Translate = Callable[[httpx.Response, str], Exception | None]
"""What an answer says that is no success, as our error; None: it is one. `str` is the path that was called."""


class PlatformWire:
    """One account's connection. Every call raises the errors of `connectors.base.RoutingPlatform`."""

    def __init__(
        self,
        platform: str,
        base_url: str,
        *,
        translate: Translate,
        limits: Limits | None = None,
        auth: tuple[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`params` and `headers` go with every call, such as a key. `base_url` ends in a slash."""
        self._platform = platform
        self._limits = limits or Limits()
        self._http = open_client(
            base_url,
            auth=auth,
            read_seconds=self._limits.read_seconds,
            max_connections=self._limits.at_once,
        )
        self._http.params = self._http.params.merge(dict(params or {}))
        self._http.headers.update(dict(headers or {}))
        self._translate = translate
        self._limiter = RateLimiter(self._limits.per_second)
        self._at_once = asyncio.Semaphore(self._limits.at_once)
        self._trial: asyncio.Event | None = None
        """Of the one call that finds out whether a platform that was taken for dead answers again."""
        self._breakers = AsyncCircuitBreakerFactory(
            default_threshold=self._limits.failures_to_open,
            default_ttl=self._limits.open_seconds,
            # A refusal, a limit or a wrong key is an answer: the platform is alive.
            exclude=[ThrottledError, PlatformRejectedError, PlatformMisconfiguredError, StopNotFoundError],
        )
        self._backoff = wait_random_exponential(
            multiplier=self._limits.backoff_seconds, max=self._limits.longest_wait.total_seconds()
        )

    def let_through(self, per_second: int) -> None:
        """From now on so many calls a second: for a day that passes faster than the vendor's limit means."""
        self._limiter = RateLimiter(per_second)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def get(self, path: str, shape: TypeAdapter[T], params: Mapping[str, str] | None = None) -> T:
        return await self.call("GET", path, shape, params=params)

    async def call(
        self,
        method: str,
        path: str,
        shape: TypeAdapter[T],
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
    ) -> T:
        """One call and its repeats. `repeatable`: doing it twice changes nothing; None: only GET is such.

        An unreadable answer is not asked for again, and does not count towards leaving the platform alone:
        it is alive, and what it says elsewhere may be readable.
        """
        return self._read(await self._answer(method, path, params, json, form, repeatable), shape)

    async def tell(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        repeatable: bool | None = None,
    ) -> None:
        """As `call`, where the answer says nothing but yes, perhaps with an empty body."""
        await self._answer(method, path, params, json, None, repeatable)

    async def _answer(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        json: Any,
        form: Mapping[str, str] | None,
        repeatable: bool | None,
    ) -> httpx.Response:
        may_repeat = method == "GET" if repeatable is None else repeatable
        retrying = AsyncRetrying(
            stop=stop_after_attempt(self._limits.attempts),
            retry=retry_if_exception(lambda exc: self._is_worth_repeating(exc, may_repeat)),
            wait=self._wait,
            reraise=True,
        )
        response: httpx.Response = await retrying(self._guarded, method, path, params, json, form)
        return response

    async def _guarded(
        self, method: str, path: str, params: Mapping[str, str] | None, json: Any, form: Any
    ) -> httpx.Response:
        # Who waited for a turn while the platform died is refused too, and takes no turn for it.
        async with self._at_once, self._alive():
            await self._limiter.take()
            return await self._send(method, path, params, json, form)

    async def _send(
        self, method: str, path: str, params: Mapping[str, str] | None, json: Any, form: Any
    ) -> httpx.Response:
        try:
            # httpx would drop the client's own parameters for an empty mapping.
            response = await self._http.request(
                method, path, params=dict(params) if params else None, json=json, data=form
            )
        except httpx.HTTPError as exc:
            raise PlatformUnavailableError(self._platform, f"{method} {path}: {type(exc).__name__}") from exc
        if (error := self._translate(response, path)) is not None:
            raise error
        return response

    @asynccontextmanager
    async def _alive(self) -> AsyncIterator[None]:
        breaker = await self._breakers.get_breaker(self._platform)
        trial = await self._enter(breaker)
        try:
            yield
        except Exception as exc:
            await breaker.__aexit__(type(exc), exc, exc.__traceback__)
            raise
        else:
            await breaker.__aexit__(None, None, None)
        finally:
            # A cancelled call has learned nothing: it neither counts as a failure nor as an answer.
            if trial is not None:
                self._trial = None
                trial.set()

    async def _enter(self, breaker: AsyncCircuitBreaker) -> asyncio.Event | None:
        """Waits for a trial that is under way, though not long; returns what ends one if this call is the trial."""
        while True:
            await self._pass(breaker)
            if breaker.context.state != HALF_OPENED:
                return None
            if self._trial is None:
                self._trial = asyncio.Event()
                return self._trial
            try:
                await asyncio.wait_for(self._trial.wait(), self._limits.trial_seconds)
            except TimeoutError:
                raise self._left_alone(self._limits.trial_seconds) from None

    async def _pass(self, breaker: AsyncCircuitBreaker) -> None:
        try:
            await breaker.__aenter__()
        except OpenedState as exc:
            # The library raises the same object again and again, and its traceback would grow each time.
            exc.__traceback__ = None
            again_in = exc.opened_at + self._limits.open_seconds - time.time()
            raise self._left_alone(max(again_in, 0.0)) from None

    def _left_alone(self, seconds: float) -> LeftAloneError:
        detail = "not called: it did not answer several times in a row"
        return LeftAloneError(self._platform, detail, retry_after=timedelta(seconds=seconds))

    def _is_worth_repeating(self, error: BaseException, may_repeat: bool) -> bool:
        if not isinstance(error, PlatformUnavailableError) or isinstance(error, LeftAloneError):
            return False
        if error.retry_after is not None and error.retry_after > self._limits.longest_wait:
            return False
        return may_repeat or isinstance(error, ThrottledError)

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        wanted = error.retry_after if isinstance(error, PlatformUnavailableError) else None
        return max(self._backoff(state), wanted.total_seconds() if wanted else 0.0)

    def _read(self, response: httpx.Response, shape: TypeAdapter[T]) -> T:
        try:
            return shape.validate_json(response.content)
        except ValidationError as exc:
            what = f"unreadable answer to {response.request.method} {response.request.url.path}"
            log.warning(
                "platform_unreadable_answer",
                platform=self._platform,
                path=response.request.url.path,
                errors=exc.error_count(),
            )
            raise PlatformUnavailableError(self._platform, what) from exc
