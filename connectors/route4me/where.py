"""Where a stop is now: the routes and orders of one account, read as they stand, and which stop is on which route."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from pydantic import TypeAdapter

from connectors.base import Now, RouteStatus, Stop
from connectors.errors import PlatformUnavailableError, StopNotFoundError, UnreadablePayloadError
from connectors.lenient import readable
from connectors.route4me.mapping import (
    ORDER_REF,
    STOP_REF,
    Account,
    open_stops,
    order_day,
    order_to_stop,
    ref_of,
    to_route_status,
    to_stop,
    visits,
)
from connectors.route4me.payloads import Order, OrderPage, R4MRoute, RouteAddress, RouteStatusAnswer
from connectors.route4me.windows import route_day
from connectors.route4me.wire import Wires

ROUTE = TypeAdapter(R4MRoute)
ROUTES = TypeAdapter(list[Any])
ROUTE_STATUS = TypeAdapter(RouteStatusAnswer)
ORDER = TypeAdapter(Order)
ORDER_PAGE = TypeAdapter(OrderPage)

ROUTE_PATH = "api.v4/route.php"
ORDER_PATH = "api.v4/order.php"
PAGE = 100
ROUTES_AT_ONCE = 6
"""Whole routes that are held at one time, however many a day has."""
DAYS_AHEAD = 14
DAYS_BACK = 1
MOST_PLACES = 200_000
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SeenRoute:
    """A route with its stops as it stood at `read_at`."""

    route: R4MRoute
    status: RouteStatus
    read_at: datetime

    @property
    def day(self) -> date:
        return route_day(self.route.parameters.route_date)


@dataclass(frozen=True)
class Found:
    """A stop where it is now: on a route (`seen` and `address`), or an order that waits (`order`)."""

    stop: Stop
    seen: SeenRoute | None = None
    address: RouteAddress | None = None
    order: Order | None = None

    @property
    def custom(self) -> Mapping[str, str]:
        if self.address is not None:
            return self.address.custom_fields
        return self.order.custom_data if self.order is not None else {}

    @property
    def order_id(self) -> str:
        if self.address is not None:
            return self.address.order_id
        return self.order.order_id if self.order is not None else ""


class Whereabouts:
    """Reads routes and orders. Remembers on which route each stop was last seen, and looks again where it left."""

    def __init__(self, wires: Wires, account: Account, now: Now) -> None:
        self._wires = wires
        self._account = account
        self._now = now
        self._route_of: dict[str, str] = {}
        self._ref_of_destination: dict[str, str] = {}

    # --- routes ---

    async def headers(self, first: date, last: date) -> AsyncIterator[R4MRoute]:
        """The routes of some days without their stops, which Route4Me leaves out of lists."""
        offset = 0
        span = {"start_date": first.isoformat(), "end_date": last.isoformat()}
        while True:
            params = span | {"limit": str(PAGE), "offset": str(offset)}
            page = await self._wires.v4.get(ROUTE_PATH, ROUTES, params)
            for raw in page:
                for route in readable(R4MRoute, raw, self._account.name):
                    yield route
            offset += len(page)
            if len(page) < PAGE:
                return

    async def routes(self, first: date, last: date) -> AsyncIterator[SeenRoute]:
        """Whole routes, a few at a time. One that is deleted between list and look is left out."""
        batch: list[str] = []
        async for header in self.headers(first, last):
            batch.append(header.route_id)
            if len(batch) == ROUTES_AT_ONCE:
                for seen in await self._seen_of(batch):
                    yield seen
                batch = []
        for seen in await self._seen_of(batch):
            yield seen

    async def _seen_of(self, route_ids: Iterable[str]) -> list[SeenRoute]:
        looked = await asyncio.gather(*(self._find_route(route_id) for route_id in route_ids))
        return [seen for seen in looked if seen is not None]

    async def _find_route(self, route_id: str) -> SeenRoute | None:
        try:
            return await self.route(route_id)
        except StopNotFoundError:
            return None

    async def route(self, route_id: str) -> SeenRoute:
        """Raises `StopNotFoundError` for an unknown route."""
        read_at = self._now()
        try:
            route = await self._wires.v4.get(ROUTE_PATH, ROUTE, {"route_id": route_id, "notes": "1"})
        except StopNotFoundError as exc:
            raise StopNotFoundError(self._account.name, route_id) from exc
        if route.route_id != route_id:
            raise StopNotFoundError(self._account.name, route_id)
        self._remember_route(route)
        return SeenRoute(route, await self._status_of(route, read_at), read_at)

    async def _status_of(self, route: R4MRoute, read_at: datetime) -> RouteStatus:
        """Asked of v5 only where the answer matters: the route's day has come and stops are left."""
        told = ""
        if route_day(route.parameters.route_date) <= self._account.local_date(read_at) and open_stops(route):
            try:
                answer = await self._wires.v5.get(f"route-status/{route.route_id}", ROUTE_STATUS)
                told = answer.status
            except StopNotFoundError:
                told = ""  # nobody has set one yet
        return to_route_status(told, route)

    def stops(self, seen: SeenRoute) -> list[Stop]:
        """In driving order. A stop that cannot be read is logged and left out."""
        return [found.stop for found in self._all_on(seen)]

    def _all_on(self, seen: SeenRoute) -> list[Found]:
        return [found for address in visits(seen.route) for found in self._found_on(seen, address)]

    def _found_on(self, seen: SeenRoute, address: RouteAddress) -> list[Found]:
        try:
            stop = to_stop(address, seen.route, seen.status, self._account, seen.read_at)
        except UnreadablePayloadError as exc:
            log.warning("route4me_unreadable_stop", platform=self._account.name, reason=str(exc))
            return []
        return [Found(stop, seen=seen, address=address)]

    # --- orders ---

    async def order(self, order_id: str) -> Order:
        """Raises `StopNotFoundError` for an unknown order."""
        try:
            order = await self._wires.v4.get(ORDER_PATH, ORDER, {"order_id": order_id})
        except StopNotFoundError as exc:
            raise StopNotFoundError(self._account.name, ORDER_REF + order_id) from exc
        if order.order_id != order_id:
            raise StopNotFoundError(self._account.name, ORDER_REF + order_id)
        return order

    async def unrouted_orders(self, first: date, last: date) -> AsyncIterator[Order]:
        """Orders of some days that are on no route."""
        wanted = {"display": "unrouted", "scheduled_for_YYMMDD": [first.isoformat(), last.isoformat()]}
        offset, seen = 0, set[str]()
        while True:
            body = {"filter": wanted | {"limit": PAGE, "offset": offset}}
            page = await self._wires.v4.call("POST", ORDER_PATH, ORDER_PAGE, json=body, repeatable=True)
            fresh = [
                order
                for raw in page.results
                for order in readable(Order, raw, self._account.name)
                if order.order_id not in seen
            ]
            for order in fresh:
                seen.add(order.order_id)
                yield order
            offset += len(page.results)
            # A list that begins anew instead of going on would never end.
            if not fresh or offset >= page.total:
                return

    async def order_with(self, name: str, value: str) -> Order | None:
        """The order whose custom data hold exactly this; Route4Me's search finds more than that."""
        params = {"query": value, "limit": str(PAGE)}
        page = await self._wires.v4.get(ORDER_PATH, ORDER_PAGE, params)
        for raw in page.results:
            for order in readable(Order, raw, self._account.name):
                if order.custom_data.get(name) == value:
                    return order
        return None

    # --- one stop ---

    async def find(self, ref: str) -> Found:
        """The stop where it is now. Raises `StopNotFoundError`."""
        kind, _, number = ref.partition(":")
        if f"{kind}:" not in (ORDER_REF, STOP_REF) or not number.isdecimal():
            raise StopNotFoundError(self._account.name, ref)
        if (found := await self._where_it_was(ref)) is not None:
            return found
        if f"{kind}:" == ORDER_REF:
            return await self._find_order(ref, number)
        today = self._account.local_date(self._now())
        found = await self._search(ref, today - timedelta(days=DAYS_BACK), today + timedelta(days=DAYS_AHEAD))
        if found is None:
            raise StopNotFoundError(self._account.name, ref)
        return found

    async def _where_it_was(self, ref: str) -> Found | None:
        route_id = self._route_of.get(ref) or self._route_of.get(
            self.known_ref(ref.removeprefix(STOP_REF)) or ""
        )
        if route_id is None:
            return None
        seen = await self._find_route(route_id)
        found = self._on(seen, ref) if seen is not None else None
        if found is None:
            self._route_of.pop(ref, None)
        return found

    async def _find_order(self, ref: str, order_id: str) -> Found:
        order = await self.order(order_id)
        day = order_day(order)
        if order.in_route_count and day is not None:
            found = await self._search(ref, day, day)
            today = self._account.local_date(self._now())
            if found is None:
                found = await self._search(
                    ref, today - timedelta(days=DAYS_BACK), today + timedelta(days=DAYS_AHEAD)
                )
            if found is not None:
                return found
        return self.waiting(order)

    def waiting(self, order: Order) -> Found:
        try:
            return Found(order_to_stop(order, self._account, self._now()), order=order)
        except UnreadablePayloadError as exc:
            raise PlatformUnavailableError(self._account.name, str(exc)) from exc

    async def _search(self, ref: str, first: date, last: date) -> Found | None:
        async for seen in self.routes(first, last):
            if (found := self._on(seen, ref)) is not None:
                return found
        return None

    def _on(self, seen: SeenRoute, ref: str) -> Found | None:
        """The stop on this route, whether it is called by its order or by its place on the route."""
        for found in self._all_on(seen):
            if found.address and ref in (
                ref_of(found.address),
                STOP_REF + found.address.route_destination_id,
            ):
                return found
        return None

    # --- memory ---

    def known_ref(self, route_destination_id: str) -> str | None:
        """How we call the stop with this number on its route, where it was seen before."""
        return self._ref_of_destination.get(route_destination_id)

    def remember(self, ref: str, route_id: str | None) -> None:
        if route_id is None:
            self._route_of.pop(ref, None)
        else:
            self._route_of[ref] = route_id

    def _remember_route(self, route: R4MRoute) -> None:
        if len(self._route_of) > MOST_PLACES:
            self._route_of.clear()
            self._ref_of_destination.clear()
        for address in visits(route):
            self._route_of[ref_of(address)] = route.route_id
            self._ref_of_destination[address.route_destination_id] = ref_of(address)
