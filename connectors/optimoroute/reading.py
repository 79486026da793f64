"""Reads of an OptimoRoute account: orders, their schedules and their completion put together as stops."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import structlog
from pydantic import TypeAdapter, ValidationError

from connectors.base import Now, Stop
from connectors.errors import (
    PlatformRejectedError,
    PlatformUnavailableError,
    StopNotFoundError,
    UnreadablePayloadError,
)
from connectors.lenient import readable
from connectors.optimoroute.local_time import local_date
from connectors.optimoroute.mapping import (
    FINISHED,
    Account,
    Progress,
    Surroundings,
    is_own,
    order_status,
    plan_day,
    read_route_ref,
    to_stop,
)
from connectors.optimoroute.payloads import (
    PAGE,
    RANGE_DAYS,
    BulkAnswer,
    Completion,
    DispatchAnswer,
    DispatchState,
    FoundOrder,
    Order,
    OrderPage,
    OrderResult,
    OrderStatus,
    RoutesAnswer,
    Schedule,
    SchedulingInfo,
    WireRoute,
)
from connectors.optimoroute.wire import NOT_FOUND, OptimoRouteWire, checked
from connectors.optimoroute.writing import days_between

BULK = TypeAdapter(BulkAnswer)
ORDER_PAGE = TypeAdapter(OrderPage)
SCHEDULING = TypeAdapter(SchedulingInfo)
ROUTES = TypeAdapter(RoutesAnswer)
DISPATCH = TypeAdapter(DispatchAnswer)

Wanted = Callable[[Stop], bool]
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Look:
    """One order as it stands."""

    order: Order
    around: Surroundings

    @property
    def status(self) -> OrderStatus:
        return order_status(self.order.id, self.around)


class Reader:
    """Every method raises the errors of `connectors.base.RoutingPlatform`."""

    def __init__(self, wire: OptimoRouteWire, account: Account, now: Now) -> None:
        self._wire = wire
        self._account = account
        self._now = now

    def today(self) -> date:
        return local_date(self._now(), self._account.zone_info)

    # --- one order ---

    async def order(self, order_id: str) -> Order:
        result = await self._one({"id": order_id})
        return self._order_of(checked(self._account.name, result, order_id), order_id)

    async def order_by_number(self, order_no: str) -> Order | None:
        result = await self._one({"orderNo": order_no})
        if not result.success and result.code == NOT_FOUND:
            return None
        return self._order_of(checked(self._account.name, result, order_no), order_no)

    async def find_own(self, own_ref: str) -> Stop | None:
        """The stop that Doorline made under this number; a client's order with the same number is not."""
        order = await self.order_by_number(own_ref)
        if order is None or not is_own(order, self._account):
            return None
        return await self.stop(order.id)

    async def _one(self, key: Mapping[str, str]) -> OrderResult:
        answer = await self._wire.ask("get_orders", BULK, {"orders": [key]})
        (result,) = self._results(answer, 1)
        return result

    def _order_of(self, result: OrderResult, ref: str) -> Order:
        try:
            return Order.model_validate(result.data)
        except ValidationError as exc:
            raise PlatformUnavailableError(self._account.name, f"unreadable order {ref}") from exc

    async def look(self, order_id: str) -> Look:
        """Raises `StopNotFoundError` for an order that is not, or no longer, there."""
        order = await self.order(order_id)
        schedule, completions = await asyncio.gather(self._schedule(order_id), self.completions([order_id]))
        if order_id not in completions:
            raise PlatformUnavailableError(self._account.name, f"no completion details of {order_id}")
        return Look(order, Surroundings(schedule, completions[order_id]))

    async def stop(self, order_id: str) -> Stop:
        read_at = self._now()
        look = await self.look(order_id)
        try:
            progress = await self._progress_around(look)
            return to_stop(look.order, self._account, read_at, replace(look.around, progress=progress))
        except UnreadablePayloadError as exc:
            raise PlatformUnavailableError(self._account.name, str(exc)) from exc

    async def _progress_around(self, look: Look) -> Progress | None:
        """Of the order's own route, where that is of today and the order still open."""
        schedule = look.around.schedule
        if schedule is None or look.status in FINISHED:
            return None
        if plan_day(look.order, schedule) != self.today().isoformat():
            return None
        routes = await self.routes(self.today(), schedule.driver_serial)
        return (await self.progress(routes, self.today())).get(schedule.driver_ref or "")

    async def _schedule(self, order_id: str) -> Schedule | None:
        try:
            answer = await self._wire.get("get_scheduling_info", SCHEDULING, id=order_id)
        except StopNotFoundError as exc:
            raise StopNotFoundError(self._account.name, order_id) from exc
        return answer.schedule_information if answer.order_scheduled else None

    async def completions(self, order_ids: Sequence[str]) -> dict[str, Completion]:
        """By order id. Left out are orders that were deleted meanwhile, and what cannot be read."""
        found: dict[str, Completion] = {}
        for start in range(0, len(order_ids), PAGE):
            part = order_ids[start : start + PAGE]
            body = {"orders": [{"id": order_id} for order_id in part]}
            answer = await self._wire.ask("get_completion_details", BULK, body)
            for order_id, result in zip(part, self._results(answer, len(part)), strict=True):
                found |= self._completion_of(order_id, result)
        return found

    def _completion_of(self, order_id: str, result: OrderResult) -> dict[str, Completion]:
        # The typed client knows a list here, public integrations one object.
        data = result.data[0] if isinstance(result.data, list) and result.data else result.data
        if not result.success:
            if result.code != NOT_FOUND:
                log.warning("optimoroute_no_completion_details", order=order_id, code=result.code)
            return {}
        try:
            return {order_id: Completion.model_validate(data or {})}
        except ValidationError as exc:
            log.warning("optimoroute_unreadable_completion", order=order_id, errors=exc.error_count())
            return {}

    def _results(self, answer: BulkAnswer, asked: int) -> tuple[OrderResult, ...]:
        if len(answer.orders) != asked:
            what = f"asked for {asked} orders, answered {len(answer.orders)}"
            raise PlatformUnavailableError(self._account.name, what)
        return answer.orders

    # --- routes ---

    async def routes(self, day: date, driver_serial: str = "") -> tuple[WireRoute, ...]:
        params = {"date": day.isoformat()} | ({"driverSerial": driver_serial} if driver_serial else {})
        return (await self._wire.get("get_routes", ROUTES, **params)).routes

    async def progress(self, routes: Iterable[WireRoute], day: date) -> dict[str, Progress]:
        """How far each route is driven, by driver reference. Nothing of a later day is driven yet."""
        routes = tuple(routes)
        ids = [order_id for route in routes for order_id in route.order_ids] if day <= self.today() else []
        completions = await self.completions(ids)
        statuses = dict(_statuses(completions))
        return {
            route.driver_ref: Progress(
                route, day, {item: statuses[item] for item in route.order_ids if item in statuses}
            )
            for route in routes
        }

    async def dispatch_state(self, day: date) -> str:
        answer = await self._wire.get("get_dispatch_status", DISPATCH, date=day.isoformat())
        return answer.routes.state

    async def is_sent(self, day: date) -> bool:
        return await self.dispatch_state(day) == DispatchState.SENT

    # --- many ---

    async def stops_between(
        self, first: date, last: date, progress_day: date, wanted: Wanted
    ) -> AsyncIterator[Stop]:
        """The wanted stops of these local days, a page in memory at a time; `progress_day` is of the routes read."""
        progress = await self.progress(await self.routes(progress_day), progress_day)
        for start, end in days_between(first, last, RANGE_DAYS):
            days = {"dateRange": {"from": start.isoformat(), "to": end.isoformat()}}
            async for stop in self._search(days, progress, wanted):
                yield stop

    async def stops_of_route(self, ref: str) -> list[Stop]:
        told = read_route_ref(ref)
        routes = await self.routes(*told) if told else ()
        route = next((item for item in routes if told and item.serial == told[1]), None)
        if route is None or told is None:
            raise StopNotFoundError(self._account.name, ref)
        progress = await self.progress([route], told[0])
        stops: dict[str, Stop] = {}
        for start in range(0, len(route.order_ids), PAGE):
            keys = [{"id": order_id} for order_id in route.order_ids[start : start + PAGE]]
            async for stop in self._search({"orders": keys}, progress, lambda _: True):
                stops[stop.platform_ref] = stop
        return [stops[order_id] for order_id in route.order_ids if order_id in stops]

    async def _search(
        self, what: Mapping[str, Any], progress: Mapping[str, Progress], wanted: Wanted
    ) -> AsyncIterator[Stop]:
        body = {**what, "includeOrderData": True, "includeScheduleInformation": True}
        tag: str | None = None
        while True:
            read_at = self._now()
            page = await self._wire.ask(
                "search_orders", ORDER_PAGE, body | ({"after_tag": tag} if tag else {})
            )
            found = [order for raw in page.orders for order in readable(FoundOrder, raw, self._account.name)]
            for stop in await self._stops_of(found, progress, read_at):
                if wanted(stop):
                    yield stop
            if not page.after_tag or page.after_tag == tag:
                return
            tag = page.after_tag

    async def _stops_of(
        self, found: Sequence[FoundOrder], progress: Mapping[str, Progress], read_at: datetime
    ) -> list[Stop]:
        completions = await self.completions([item.id for item in found])
        driven = [item for item in found if self._is_driven(item, progress, completions)]
        estimates = dict(await asyncio.gather(*(self._live(item) for item in driven)))
        stops = []
        for item in found:
            if item.id in completions:
                schedule = estimates.get(item.id) or item.schedule_information
                route = progress.get(schedule.driver_ref or "") if schedule else None
                on_it = route if route and item.id in route.route.order_ids else None
                around = Surroundings(schedule, completions[item.id], on_it)
                stops += self._mapped(item.data, around, read_at)
        return stops

    def _is_driven(
        self, item: FoundOrder, progress: Mapping[str, Progress], completions: Mapping[str, Completion]
    ) -> bool:
        """Whether OptimoRoute has a live estimate: the stop is open, on a route of today whose driver is out."""
        schedule = item.schedule_information
        route = progress.get(schedule.driver_ref or "") if schedule else None
        if route is None or not route.is_under_way or route.day != self.today():
            return False
        return item.id in route.remaining and item.id in completions

    async def _live(self, item: FoundOrder) -> tuple[str, Schedule | None]:
        try:
            return item.id, await self._schedule(item.id)
        except (StopNotFoundError, PlatformRejectedError):
            return item.id, None  # deleted meanwhile: the next run does not list it

    def _mapped(self, order: Order, around: Surroundings, read_at: datetime) -> list[Stop]:
        try:
            return [to_stop(order, self._account, read_at, around)]
        except UnreadablePayloadError as exc:
            log.warning("optimoroute_unreadable_order", order=order.id, reason=str(exc))
            return []


def _statuses(completions: Mapping[str, Completion]) -> Iterable[tuple[str, OrderStatus]]:
    """Those that are documented; an unknown one is told of where its stop is made."""
    known = set(OrderStatus)
    for order_id, completion in completions.items():
        if completion.status in known:
            yield order_id, OrderStatus(completion.status)
