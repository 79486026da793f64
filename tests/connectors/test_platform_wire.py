"""Calls to a platform over loopback: limits kept, safe calls repeated, a dead platform left alone."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.emulation import free_port, serving
from connectors.errors import (
    PlatformError,
    PlatformMisconfiguredError,
    PlatformRejectedError,
    PlatformUnavailableError,
    StopNotFoundError,
)
from connectors.http import retry_after
from connectors.platform_wire import LeftAloneError, Limits, PlatformWire, RateLimiter, ThrottledError

NUMBER = TypeAdapter(dict[str, int])
QUICK = {"per_second": 1000, "backoff_seconds": 0.01, "attempts": 1}


class Vendor:
    """Answers what it is told to, then `{"n": …}`; remembers what came in, and how much of it at once."""

    def __init__(self) -> None:
        self.answers: deque[Response] = deque()
        self.calls: list[str] = []
        self.came_at: list[float] = []
        self.seconds = 0.0
        self.at_once = self.most_at_once = 0
        self.queries: list[dict[str, str]] = []
        self.app = Starlette(
            routes=[Route("/{path:path}", self.answer, methods=["GET", "POST", "PUT", "DELETE"])]
        )

    def next(self, *statuses: int, headers: dict[str, str] | None = None) -> None:
        self.answers.extend(Response(status_code=status, headers=headers) for status in statuses)

    async def answer(self, request: Request) -> Response:
        self.calls.append(f"{request.method} {request.url.path}")
        self.came_at.append(time.monotonic())
        self.queries.append(dict(request.query_params))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.at_once -= 1
        return self.answers.popleft() if self.answers else JSONResponse({"n": len(self.calls)})


def translate(response: httpx.Response, path: str) -> PlatformError | None:
    status = response.status_code
    if status == 429:
        return ThrottledError("vendor", "429", retry_after=retry_after(response))
    known: dict[int, PlatformError] = {
        401: PlatformMisconfiguredError("vendor", "401"),
        404: StopNotFoundError("vendor", path),
        409: PlatformRejectedError("vendor", "409", code="409"),
    }
    if status in known:
        return known[status]
    return None if response.is_success else PlatformUnavailableError("vendor", str(status))


Connect = Callable[..., PlatformWire]


@pytest.fixture
async def vendor() -> AsyncIterator[tuple[Vendor, str]]:
    vendor = Vendor()
    async with serving(vendor.app) as url:
        yield vendor, url


@pytest.fixture
async def connect(vendor: tuple[Vendor, str]) -> AsyncIterator[Connect]:
    opened: list[PlatformWire] = []

    def open_wire(base_url: str = "", params: dict[str, str] | None = None, **limits: Any) -> PlatformWire:
        wire = PlatformWire(
            "vendor",
            base_url or f"{vendor[1]}/",
            translate=translate,
            limits=Limits(**(QUICK | limits)),
            params=params,
        )
        opened.append(wire)
        return wire

    yield open_wire
    for wire in opened:
        await wire.aclose()


async def outcome(wire: PlatformWire, method: str = "GET", **options: Any) -> type[BaseException] | None:
    try:
        await wire.call(method, "x", NUMBER, **options)
    except PlatformError as exc:
        return type(exc)
    return None


# --- limits ---


async def test_no_second_sees_more_calls_than_allowed() -> None:
    limiter, loop = RateLimiter(20), asyncio.get_running_loop()
    passed: list[float] = []

    async def call() -> None:
        await limiter.take()
        passed.append(loop.time())

    await asyncio.gather(*(call() for _ in range(25)))
    assert min(passed[index + 20] - passed[index] for index in range(5)) >= 1
    assert passed[19] - passed[0] < 0.5, "the first ones need not wait"


async def test_a_call_that_gave_up_waiting_takes_no_turn() -> None:
    limiter = RateLimiter(1)
    await limiter.take()
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(limiter.take(), 0.1)
    await limiter.take()
    assert time.monotonic() - started < 1.5


async def test_the_vendor_sees_no_more_calls_per_second_and_at_once_than_allowed(
    vendor: tuple[Vendor, str], connect: Connect
) -> None:
    vendor[0].seconds = 0.05
    wire = connect(per_second=10, at_once=3)
    await asyncio.gather(*(wire.get("x", NUMBER) for _ in range(13)))
    came = vendor[0].came_at
    assert vendor[0].most_at_once == 3
    assert min(came[index + 10] - came[index] for index in range(3)) >= 1


# --- repeats ---


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_a_read_is_repeated_until_it_works(
    vendor: tuple[Vendor, str], connect: Connect, status: int
) -> None:
    vendor[0].next(status, status)
    assert await outcome(connect(attempts=3)) is None
    assert len(vendor[0].calls) == 3
    vendor[0].next(*[status] * 3)
    assert await outcome(connect(attempts=3)) is not None


@pytest.mark.parametrize(
    ("method", "status", "repeatable", "calls"),
    [
        ("POST", 503, None, 1),
        ("PUT", 503, None, 1),
        ("DELETE", 503, None, 1),
        ("POST", 429, None, 2),
        ("PUT", 429, None, 2),
        ("POST", 503, True, 2),
        ("GET", 503, False, 1),
        ("GET", 404, None, 1),
        ("GET", 409, None, 1),
        ("GET", 401, None, 1),
    ],
)
async def test_a_write_is_repeated_only_where_nothing_was_done(
    vendor: tuple[Vendor, str],
    connect: Connect,
    method: str,
    status: int,
    repeatable: bool | None,
    calls: int,
) -> None:
    vendor[0].next(status)
    await outcome(connect(attempts=2), method, repeatable=repeatable)
    assert len(vendor[0].calls) == calls


async def test_a_short_retry_after_is_sat_out_and_a_long_one_handed_on(
    vendor: tuple[Vendor, str], connect: Connect
) -> None:
    wire = connect(attempts=2, longest_wait=timedelta(seconds=2))
    vendor[0].next(429, headers={"Retry-After": "0.4"})
    assert await outcome(wire, "POST") is None
    assert vendor[0].came_at[1] - vendor[0].came_at[0] >= 0.4
    vendor[0].next(429, headers={"Retry-After": "120"})
    with pytest.raises(ThrottledError) as told:
        await wire.get("x", NUMBER)
    assert told.value.retry_after == timedelta(seconds=120)
    assert len(vendor[0].calls) == 3


async def test_the_pauses_between_repeats_grow_up_to_a_limit(
    vendor: tuple[Vendor, str], connect: Connect
) -> None:
    """They are drawn at random below a limit that doubles: their sum is below the sum of the limits."""
    vendor[0].next(*[503] * 5)
    assert await outcome(connect(attempts=6, backoff_seconds=0.05, failures_to_open=99)) is None
    came = vendor[0].came_at
    pauses = [later - earlier for earlier, later in pairwise(came)]
    for number, pause in enumerate(pauses):
        assert pause <= 0.05 * 2**number + 0.25


async def test_a_vendor_that_says_nothing_is_given_up(vendor: tuple[Vendor, str], connect: Connect) -> None:
    vendor[0].seconds = 1.0
    with pytest.raises(PlatformUnavailableError, match="ReadTimeout"):
        await connect(read_seconds=0.05).get("x", NUMBER)


async def test_nonsense_is_an_unavailable_platform_and_is_not_asked_for_again(
    vendor: tuple[Vendor, str], connect: Connect
) -> None:
    vendor[0].answers.append(Response(b'{"broken": '))
    with pytest.raises(PlatformUnavailableError, match="unreadable"):
        await connect(attempts=3).get("x", NUMBER)
    assert len(vendor[0].calls) == 1


async def test_an_empty_answer_will_do_where_only_a_yes_is_wanted(
    vendor: tuple[Vendor, str], connect: Connect
) -> None:
    vendor[0].next(200, 404)
    await connect().tell("DELETE", "x")
    with pytest.raises(StopNotFoundError):
        await connect().tell("DELETE", "x")


async def test_the_parameters_of_the_account_go_with_every_call(
    vendor: tuple[Vendor, str], connect: Connect
) -> None:
    wire = connect(params={"key": "k"})
    await wire.get("x", NUMBER)
    await wire.get("x", NUMBER, {"day": "1"})
    await wire.get("x", NUMBER, {})
    assert vendor[0].queries == [{"key": "k"}, {"key": "k", "day": "1"}, {"key": "k"}]


# --- a dead platform ---


async def test_a_dead_platform_is_left_alone_then_tried_by_one_call_and_taken_back(
    vendor: tuple[Vendor, str], connect: Connect
) -> None:
    wire = connect(failures_to_open=3, open_seconds=0.3)
    vendor[0].next(503, 503, 503)
    assert [await outcome(wire) for _ in range(3)] == [PlatformUnavailableError] * 3
    started = time.monotonic()
    with pytest.raises(LeftAloneError) as told:
        await wire.get("x", NUMBER)
    assert time.monotonic() - started < 0.1, "refused at once, although attempts are left"
    assert told.value.retry_after is not None
    assert timedelta(0) < told.value.retry_after <= timedelta(seconds=0.3)
    assert len(vendor[0].calls) == 3
    await asyncio.sleep(0.35)
    vendor[0].seconds = 0.1
    assert await asyncio.gather(*(outcome(wire) for _ in range(5))) == [None] * 5
    tried_at, *others = vendor[0].came_at[3:]
    assert min(others) - tried_at >= 0.1, "the others waited to hear of it"


async def test_nobody_waits_long_for_a_trial(vendor: tuple[Vendor, str], connect: Connect) -> None:
    wire = connect(failures_to_open=1, open_seconds=0.1, trial_seconds=0.1)
    vendor[0].next(503)
    await outcome(wire)
    await asyncio.sleep(0.15)
    vendor[0].seconds = 0.5
    trial = asyncio.create_task(outcome(wire))
    await asyncio.sleep(0.02)
    started = time.monotonic()
    assert await asyncio.gather(*(outcome(wire) for _ in range(3))) == [LeftAloneError] * 3
    assert time.monotonic() - started < 0.3
    assert await trial is None


async def test_a_trial_that_fails_leaves_it_alone_again(vendor: tuple[Vendor, str], connect: Connect) -> None:
    wire = connect(failures_to_open=2, open_seconds=0.2)
    vendor[0].next(503, 503, 503)
    await outcome(wire)
    await outcome(wire)
    await asyncio.sleep(0.25)
    outcomes = await asyncio.gather(*(outcome(wire) for _ in range(4)))
    assert outcomes == [PlatformUnavailableError, *[LeftAloneError] * 3]
    assert len(vendor[0].calls) == 3


async def test_calls_that_wait_for_their_turn_are_refused_when_the_platform_dies(
    vendor: tuple[Vendor, str], connect: Connect
) -> None:
    vendor[0].next(*[503] * 30)
    outcomes = await asyncio.gather(
        *(outcome(wire) for wire in [connect(failures_to_open=3, at_once=1)] * 10)
    )
    assert outcomes.count(LeftAloneError) == 7
    assert len(vendor[0].calls) == 3


async def test_repeats_count_and_end_once_it_is_left_alone(
    vendor: tuple[Vendor, str], connect: Connect
) -> None:
    vendor[0].next(*[503] * 30)
    assert await outcome(connect(attempts=10, failures_to_open=4)) is LeftAloneError
    assert len(vendor[0].calls) == 4


@pytest.mark.parametrize("status", [404, 409, 401, 429])
async def test_a_refusal_is_an_answer_and_starts_the_count_anew(
    vendor: tuple[Vendor, str], connect: Connect, status: int
) -> None:
    wire = connect(failures_to_open=2, open_seconds=60)
    vendor[0].next(503, *[status] * 5, 503, status)
    for _ in range(8):
        assert await outcome(wire) is not LeftAloneError
    assert await outcome(wire) is None


async def test_nonsense_does_not_count_as_dead(vendor: tuple[Vendor, str], connect: Connect) -> None:
    wire = connect(failures_to_open=2, open_seconds=60)
    vendor[0].answers.extend(Response(b"<html>") for _ in range(5))
    assert [await outcome(wire) for _ in range(5)] == [PlatformUnavailableError] * 5
    assert await outcome(wire) is None


async def test_cancelled_calls_are_neither_failures_nor_answers(
    vendor: tuple[Vendor, str], connect: Connect
) -> None:
    wire = connect(failures_to_open=2, open_seconds=0.2)

    async def given_up() -> None:
        vendor[0].seconds = 1.0
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(wire.get("x", NUMBER), 0.05)
        vendor[0].seconds = 0.0

    for _ in range(4):
        await given_up()
    assert await outcome(wire) is None, "four that were given up do not make it dead"
    vendor[0].next(503)
    assert await outcome(wire) is PlatformUnavailableError
    await given_up()
    vendor[0].next(503)
    await outcome(wire)
    assert await outcome(wire) is LeftAloneError, "nor does one make two failures in a row undone"
    await asyncio.sleep(0.25)
    await given_up()
    assert await outcome(wire) is None, "a trial that was given up lets the next one try"


async def test_a_slow_or_dead_account_takes_nothing_from_another(
    vendor: tuple[Vendor, str], connect: Connect
) -> None:
    """Two accounts of one vendor: one hangs with all its turns taken, the other answers as ever."""
    dead = connect(f"http://127.0.0.1:{free_port()}/", failures_to_open=1)
    slow, quick = connect(at_once=2, per_second=5, read_seconds=1.0), connect()
    assert await outcome(dead) is PlatformUnavailableError
    vendor[0].seconds = 0.5
    hanging = [asyncio.create_task(outcome(slow)) for _ in range(4)]
    await asyncio.sleep(0.1)
    vendor[0].seconds = 0.0
    started = time.monotonic()
    assert await asyncio.gather(*(outcome(quick) for _ in range(50))) == [None] * 50
    assert time.monotonic() - started < 0.4
    assert not any(task.done() for task in hanging[:2])
    assert await asyncio.gather(*hanging) == [None] * 4
