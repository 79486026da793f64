"""One small town on each routing platform: the connector, the pretended vendor, and hands to play with it.

Everything is seeded through the vendor's `stage.py`, so that the same day stands on all of them.
"""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.base import (
    Address,
    Capability,
    DeliveryWindow,
    NewStop,
    Reattempt,
    RoutingPlatform,
    Stop,
)
from connectors.emulation import Faults
from connectors.onfleet.client import OnfleetPlatform
from connectors.onfleet.emulator import OnfleetEmulator
from connectors.onfleet.stage import OnfleetStage
from connectors.optimoroute.client import OptimoRoutePlatform
from connectors.optimoroute.emulator import OptimoRouteEmulator
from connectors.optimoroute.stage import OptimoRouteStage
from connectors.platform_wire import Limits
from connectors.route4me.client import Route4MePlatform
from connectors.route4me.emulator import Route4MeEmulator
from connectors.route4me.stage import Route4MeStage
from connectors.world.evidence import LeftBehind, left_behind
from connectors.world.plan import PlannedRoute, PlannedStop
from connectors.world.stage import Placement, Stage
from connectors.world.town import ZONES, Failure
from tests.connectors.towns import NINE_IN_NEW_YORK, TIMEZONE, Clock, Doorway, connecting

KEY = "0123456789abcdef0123456789abcdef"
NEW_YORK = ZoneInfo(TIMEZONE)
NINE = NINE_IN_NEW_YORK
TODAY = date(2026, 6, 8)
HOUR = timedelta(hours=1)
QUICK = Limits(per_second=1000, backoff_seconds=0.01, read_seconds=5.0)
VENDORS = ("onfleet", "route4me", "optimoroute")


class LosingAnswers:
    """Between client and vendor: does what was asked, then loses the answer of the next request that matches."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._lost: list[re.Pattern[str]] = []
        self.seen: list[str] = []
        """`METHOD /path body` of every request."""
        self.before: Callable[[str], None] | None = None
        """Called with the same before each: lets a driver act between two calls of the connector."""

    @property
    def nothing_left_to_lose(self) -> bool:
        return not self._lost

    def lose(self, pattern: str) -> None:
        self._lost.append(re.compile(pattern))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await _body_of(receive)
        receive = _once_more(body)
        asked = f"{scope['method']} {scope['path']} {body.decode(errors='replace')}".strip()
        self.seen.append(asked)
        if self.before is not None:
            self.before(asked)
        hit = next((pattern for pattern in self._lost if pattern.search(asked)), None)
        if hit is None:
            await self._app(scope, receive, send)
            return
        self._lost.remove(hit)
        await self._app(scope, receive, _swallow)
        start: Message = {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-length", b"9")],
        }
        await send(start)
        await send({"type": "http.response.body", "body": b"{", "more_body": True})
        raise ConnectionResetError("the answer was lost")


async def _body_of(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _once_more(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _swallow(message: Message) -> None:
    """The work is done, its answer is lost."""


@dataclass(frozen=True)
class Ways:
    """Where the vendors differ in what a test has to know."""

    creates: str
    """Matches `METHOD /path body` of the write that makes a stop."""
    clones: str
    """... and of the one that makes a re-attempt."""
    unknown_ref: str
    """Well formed, and never given to any stop."""
    plans: bool = False
    """Who drives a stop, and when, is a wish until the platform has planned again; a planned stop stays planned."""


@dataclass
class Stand:
    """Two drivers with a route of three stops each: S-1 to S-3 and S-4 to S-6, windows 10-12, 12-14, 14-16."""

    vendor: str
    ways: Ways
    platform: RoutingPlatform
    connect: Callable[..., RoutingPlatform]
    emulator: Any
    stage: Stage
    clock: Clock
    between: LosingAnswers
    routes: list[PlannedRoute] = field(default_factory=list)
    drivers: list[str] = field(default_factory=list)
    placed: list[Placement] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.vendor}_west"

    @property
    def faults(self) -> Faults:
        faults: Faults = self.emulator.faults
        return faults

    @property
    def refs(self) -> list[str]:
        return [placement.platform_ref for placement in self.placed]

    @property
    def planned(self) -> list[PlannedStop]:
        return [stop for route in self.routes for stop in route.stops]

    def needs(self, *capabilities: Capability) -> None:
        for capability in capabilities:
            if capability not in self.platform.capabilities:
                pytest.skip(f"{self.vendor} cannot: {capability.value}")

    # --- the day ---

    def seed(self) -> None:
        for number in (0, 1):
            route = planned_route(number)
            driver = self.stage.add_route(route)
            self.routes.append(route)
            self.drivers.append(driver)
            for stop in route.stops:
                created_at = NINE - timedelta(hours=14)
                self.placed.append(self.stage.add_stop(stop, route, driver, created_at))

    def start(self, index: int) -> str:
        """The driver of the stop goes on duty and sets out for it."""
        self.stage.set_duty(self.drivers[index // 3], True, self.clock())
        self.clock.advance(minutes=1)
        self.stage.start(self.refs[index], self.clock())
        return self.refs[index]

    def finish(self, index: int, failure: Failure | None = None, left: LeftBehind | None = None) -> str:
        ref = self.start(index)
        self.stage.arrive(ref, self.clock.advance(minutes=10))
        self.complete(index, failure, left)
        return ref

    def complete(self, index: int, failure: Failure | None = None, left: LeftBehind | None = None) -> None:
        left = left or left_behind(self.planned[index], failure)
        self.stage.complete(self.refs[index], self.clock.advance(minutes=5), failure, left)

    # --- what Doorline does ---

    async def make(self, own_ref: str = "DL-1", **changes: Any) -> Stop:
        return await self.platform.create_stop(new_stop(own_ref, **changes))

    async def a_stop_to_move(self) -> str:
        """A stop whose driver may still be changed at once: driver 0's or, where that takes planning, nobody's."""
        return (await self.make("DL-MOVE")).platform_ref if self.ways.plans else self.refs[2]

    async def of_day(self, day: date = TODAY) -> dict[str, Stop]:
        stops = [stop async for stop in self.platform.stops_of_day(day)]
        assert len(stops) == len({stop.platform_ref for stop in stops}), "a stop was told twice"
        return {stop.platform_ref: stop for stop in stops}

    async def changed(self, back: timedelta = timedelta(hours=1)) -> dict[str, Stop]:
        stops = [stop async for stop in self.platform.changed_stops(self.clock() - back)]
        return {stop.platform_ref: stop for stop in stops}


def local(day: date, hour: float) -> datetime:
    """Wall-clock time in New York as an instant; 25 is one in the next morning."""
    wall_clock = datetime.combine(day, time(0), NEW_YORK) + timedelta(hours=hour)
    return wall_clock.astimezone(UTC)


def window(start: float, end: float, day: date = TODAY) -> DeliveryWindow:
    return DeliveryWindow(start_at=local(day, start), end_at=local(day, end))


TOMORROW = TODAY + timedelta(days=1)


def elm_street(number: int) -> Address:
    return Address(
        line=f"{number} Elm St",
        city="Norwalk",
        postcode="06850",
        region="CT",
        country="United States",
        latitude=41.12 + number / 1000,
        longitude=-73.41,
    )


def planned_route(number: int) -> PlannedRoute:
    stops = tuple(planned_stop(number * 3 + index) for index in range(3))
    return PlannedRoute(
        key=f"R-{number + 1}",
        name=f"North {number + 1}",
        zone=ZONES[0],
        driver_name=("Sam Porter", "Rosa Delgado")[number],
        driver_phone=f"+1732555010{number}",
        departs_at=NINE,
        stops=stops,
    )


def planned_stop(index: int) -> PlannedStop:
    opens = 10 + 2 * (index % 3)
    return PlannedStop(
        key=f"S-{index + 1}",
        client="Acme",
        recipient_name="Dana Okafor",
        recipient_phone=f"+1203555010{index}",
        address=elm_street(index + 1),
        window=window(opens, opens + 2),
        planned_at=local(TODAY, opens + 1),
        travel=timedelta(minutes=20),
        service=timedelta(minutes=5),
        notes="Ring twice",
    )


def new_stop(own_ref: str = "DL-1", **changes: Any) -> NewStop:
    given: dict[str, Any] = {
        "own_ref": own_ref,
        "client": "Nova",
        "zone": "North",
        "address": elm_street(77),
        "recipient_name": "Ana Ruiz",
        "recipient_phone": "+12035550177",
        "window": window(13, 15, TOMORROW),
        "service": timedelta(minutes=4),
        "load": 2.0,
        "order_ref": "N-4711",
        "notes": "Side entrance",
    }
    return NewStop(**(given | changes))


def second_try(own_ref: str = "DL-R1", **changes: Any) -> Reattempt:
    return Reattempt(**({"own_ref": own_ref, "window": window(10, 12, TOMORROW)} | changes))


# --- the vendors ---


def _onfleet(clock: Clock) -> tuple[Any, Stage, Ways]:
    emulator = OnfleetEmulator(KEY, "5c" * 32, now=clock, timezone=TIMEZONE, rate_limit=None)
    ways = Ways(
        creates=r"^POST /api/v2/tasks \{",
        clones=r"^POST [^ ]*/clone ",
        unknown_ref="h*wSb*apKlDkUFnuLTtjPke0",
    )
    return emulator, OnfleetStage(emulator), ways


def _route4me(clock: Clock) -> tuple[Any, Stage, Ways]:
    emulator = Route4MeEmulator(KEY, now=clock, timezone=TIMEZONE)
    creates = r'^POST /api\.v4/order\.php .*"address_1"'
    return emulator, Route4MeStage(emulator), Ways(creates, creates, unknown_ref="order:999999")


def _optimoroute(clock: Clock) -> tuple[Any, Stage, Ways]:
    emulator = OptimoRouteEmulator(KEY, now=clock, timezone=TIMEZONE, at_once=None)
    creates = r"^POST /v1/create_order "
    return emulator, OptimoRouteStage(emulator), Ways(creates, creates, unknown_ref="0" * 32, plans=True)


OPEN: dict[str, tuple[Callable[[Clock], tuple[Any, Stage, Ways]], Callable[..., RoutingPlatform]]] = {
    "onfleet": (_onfleet, OnfleetPlatform),
    "route4me": (_route4me, Route4MePlatform),
    "optimoroute": (_optimoroute, OptimoRoutePlatform),
}


@asynccontextmanager
async def standing(vendor: str, doorway: Doorway) -> AsyncIterator[Stand]:
    """The vendor with its seeded day, behind `doorway`, and a connector on it."""
    clock = Clock()
    pretend, client = OPEN[vendor]
    emulator, stage, ways = pretend(clock)
    between = LosingAnswers(emulator.app)
    doorway.app = between
    given = {"api_key": KEY, "api_base": doorway.url, "name": f"{vendor}_west", "now": clock, "limits": QUICK}
    async with connecting(client, **given) as connect:
        stand = Stand(vendor, ways, connect(), connect, emulator, stage, clock, between)
        stand.seed()
        yield stand


def patient(limits: Limits, **changes: Any) -> Limits:
    return replace(limits, **changes)
