"""The pretended OptimoRoute's HTTP API under `/v1`: key, connections at once, methods, and the shape of answers."""

import asyncio
import base64
import binascii
from collections.abc import Callable
from datetime import date
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.emulation import read_json
from connectors.optimoroute.emulator_answers import Answers
from connectors.optimoroute.emulator_fields import is_date, is_range
from connectors.optimoroute.emulator_orders import Orders
from connectors.optimoroute.emulator_plan import Plan
from connectors.optimoroute.emulator_store import HTTP_STATUSES, Json, Store, VendorError
from connectors.optimoroute.payloads import PAGE, RANGE_DAYS

ROOT = "/v1"
VERBS = ["GET", "POST", "PUT", "PATCH", "DELETE"]

Handler = Callable[[Json], Json]
"""Takes the body of a POST or the query of a GET, returns what stands beside `success`."""


class Api:
    """Handlers by method. `_answer` does the rest."""

    def __init__(
        self, store: Store, orders: Orders, plan: Plan, *, api_key: str, at_once: int | None
    ) -> None:
        self._store = store
        self._orders = orders
        self._plan = plan
        self._api_key = api_key
        self.at_once = at_once
        """Requests served at the same time; None switches the limit off."""
        self.latency_seconds = 0.0
        self.errors_by_status = False
        """Errors with an HTTP status of their own instead of 200: clients in the wild meet both."""
        self.event_faults: set[Literal["duplicate", "reorder"]] = set()
        self.before_request: Callable[[str, Json], None] | None = None
        """Called with method and parameters before each answer: lets a driver act between two calls."""
        self.calls: list[str] = []
        """Methods called, in order."""
        self.most_at_once = 0
        self.unexpected: list[str] = []
        """Requests for which OptimoRoute has no method."""
        self._serving = 0
        self._methods: dict[str, dict[str, Handler]] = {
            "search_orders": {"POST": self._search_orders},
            "get_orders": {"GET": self._get_order, "POST": self._get_orders},
            "create_order": {"POST": self._create_order},
            "create_or_update_orders": {"POST": self._write_orders},
            "delete_order": {"POST": self._delete_order},
            "delete_orders": {"POST": self._delete_orders},
            "delete_all_orders": {"POST": self._delete_all},
            "get_routes": {"GET": self._get_routes},
            "get_scheduling_info": {"GET": self._scheduling_info},
            "get_completion_details": {"GET": self._completion, "POST": self._completions},
            "update_completion_details": {"POST": self._update_completion},
            "get_events": {"GET": self._get_events},
            "start_planning": {"POST": self._plan.start},
            "stop_planning": {"POST": self._stop_planning},
            "get_planning_status": {"GET": self._planning_status},
            "send_routes": {"POST": self._send_routes},
            "get_dispatch_status": {"GET": self._dispatch_status},
            "update_driver_parameters": {"POST": self._driver_parameters},
            "update_drivers_parameters": {"POST": self._drivers_parameters},
            "update_drivers_positions": {"POST": self._driver_positions},
        }

    def routes(self) -> list[Route]:
        return [Route(ROOT + "/{method:path}", self._serve, methods=VERBS)]

    # --- every request ---

    async def _serve(self, request: Request) -> Response:
        self._serving += 1
        self.most_at_once = max(self.most_at_once, self._serving)
        try:
            return await self._limited(request)
        finally:
            self._serving -= 1

    async def _limited(self, request: Request) -> Response:
        try:
            if self.at_once is not None and self._serving > self.at_once:
                raise VendorError("ERR_TOO_MANY_CONNECTIONS", "Too many concurrent requests.")
            await asyncio.sleep(self.latency_seconds)
            self._check_key(request.query_params.get("key"))
            answer = self._absolute(await self._run(request), str(request.base_url))
        except VendorError as exc:
            status = HTTP_STATUSES.get(exc.code, 400) if self.errors_by_status else 200
            return JSONResponse(exc.body(), status)
        return JSONResponse({"success": True, **answer})

    def _check_key(self, key: str | None) -> None:
        if not key:
            raise VendorError("AUTH_KEY_MISSING", "The authentication key is missing.")
        if key != self._api_key:
            raise VendorError("AUTH_KEY_UNKNOWN", "The authentication key is not known.")

    async def _run(self, request: Request) -> Json:
        method = request.path_params["method"]
        verbs = self._methods.get(method)
        if verbs is None:
            self.unexpected.append(f"{request.method} {method}")
            raise VendorError("METHOD_UNKNOWN", f"There is no method {method}.")
        if request.method not in verbs:
            raise VendorError("WRONG_VERB", f"{method} does not take {request.method}.")
        params = await self._params(request)
        self.calls.append(method)
        if self.before_request is not None:
            self.before_request(method, params)
        self._plan.settle()
        return verbs[request.method](params)

    async def _params(self, request: Request) -> Json:
        """Of a POST the body, whatever it is called; what its query repeats is not looked at."""
        if request.method == "GET":
            return dict(request.query_params)
        body = await read_json(request)
        if not isinstance(body, dict):
            raise VendorError("MALFORMED_REQUEST", "The body is not a JSON object.")
        return body

    def _absolute(self, value: Any, base: str) -> Any:
        """Addresses of pictures are made whole where the request came to."""
        if isinstance(value, dict):
            return {name: self._absolute(item, base) for name, item in value.items()}
        if isinstance(value, list):
            return [self._absolute(item, base) for item in value]
        is_ours = isinstance(value, str) and value.startswith("/media/")
        return base.rstrip("/") + value if is_ours else value

    # --- orders ---

    def _search_orders(self, body: Json) -> Json:
        keys, days = body.get("orders"), body.get("dateRange")
        if keys:
            found = [order for key in bulk(body, "orders") if (order := self._find(key))]
        elif isinstance(days, dict) and is_range(days):
            if (date.fromisoformat(days["to"]) - date.fromisoformat(days["from"])).days >= RANGE_DAYS:
                raise VendorError("ERR_INVALID_PARAM_FORMAT", "dateRange is longer than 35 days")
            found = [
                order
                for order in self._store.orders.values()
                if days["from"] <= str(order["data"]["date"]) <= days["to"]
            ]
        else:
            raise VendorError("ERR_MISSING_MAND_FIELD", "dateRange or orders")
        if wanted := body.get("orderStatus"):
            found = [order for order in found if order["status"] in wanted]
        return self._page(body, sorted(found, key=lambda order: int(order["seq"])))

    def _page(self, body: Json, found: list[Json]) -> Json:
        after = read_tag(body.get("after_tag"))
        left = [order for order in found if order["seq"] > after]
        answers = Answers(self._store)
        page = [answers.found(order, body) for order in left[:PAGE]]
        tag = {"after_tag": write_tag(left[PAGE - 1]["seq"])} if len(left) > PAGE else {}
        return {"orders": page} | tag

    def _find(self, key: object) -> Json | None:
        try:
            return self._store.named(key)
        except VendorError:
            return None

    def _get_order(self, query: Json) -> Json:
        return {"orders": [self._one_of_bulk(query, Answers(self._store).order)]}

    def _get_orders(self, body: Json) -> Json:
        answers = Answers(self._store)
        return {"orders": [self._one_of_bulk(key, answers.order) for key in bulk(body, "orders")]}

    def _one_of_bulk(self, key: object, tell: Callable[[Json], Json]) -> Json:
        """One entry of a bulk answer, at the place of its question."""
        asked = key if isinstance(key, dict) else {}
        named = {name: asked[name] for name in ("orderNo", "id") if asked.get(name)}
        try:
            order = self._store.named(key)
            names = {"orderNo": order["data"]["orderNo"], "id": order["data"]["id"]}
            return {"success": True, **names, "data": tell(order)}
        except VendorError as exc:
            return exc.body() | named

    def _create_order(self, body: Json) -> Json:
        return {"id": self._orders.write(body, geocode=True)["data"]["id"]}

    def _write_orders(self, body: Json) -> Json:
        results = [self._write_one(order, body.get("operation")) for order in bulk(body, "orders")]
        return {"orders": results}

    def _write_one(self, order: object, operation: object) -> Json:
        try:
            data = self._orders.write(order, geocode=False, operation=operation)["data"]
        except VendorError as exc:
            number = order.get("orderNo") if isinstance(order, dict) else None
            return exc.body() | ({"orderNo": number} if number else {})
        return {"success": True, "orderNo": data["orderNo"], "id": data["id"]}

    def _delete_order(self, body: Json) -> Json:
        self._orders.delete(body)
        return {}

    def _delete_orders(self, body: Json) -> Json:
        return {"orders": [self._delete_one(key) for key in bulk(body, "orders")]}

    def _delete_one(self, key: object) -> Json:
        try:
            self._orders.delete(key)
        except VendorError as exc:
            return exc.body() | {"orderNo": key.get("orderNo") if isinstance(key, dict) else None}
        return {"success": True}

    def _delete_all(self, body: Json) -> Json:
        day = body.get("date")
        if day is not None and not is_date(day):
            raise VendorError("ERR_INVALID_PARAM_FORMAT", "date")
        for order in list(self._store.orders.values()):
            if day is None or order["data"]["date"] == day:
                self._orders.delete(order["data"])
        return {}

    # --- routes and completion ---

    def _get_routes(self, query: Json) -> Json:
        if not is_date(query.get("date")):
            raise VendorError("ERR_MISSING_MAND_FIELD", "date")
        answers = Answers(self._store)
        routes = [
            answers.route(driver, stops, query) for driver, stops in self._store.routes_of(query["date"])
        ]
        names = ("driverSerial", "driverExternalId", "vehicleRegistration")
        asked = {name: query[name] for name in names if query.get(name)}
        return {"routes": [item for item in routes if asked.items() <= item.items()]}

    def _scheduling_info(self, query: Json) -> Json:
        order = self._store.named(query)
        schedule = Answers(self._store).schedule(order, live=True)
        return {"orderScheduled": schedule is not None} | (
            {"scheduleInformation": schedule} if schedule else {}
        )

    def _completion(self, query: Json) -> Json:
        return {"orders": [self._one_of_bulk(query, Answers(self._store).completion)]}

    def _completions(self, body: Json) -> Json:
        answers = Answers(self._store)
        return {"orders": [self._one_of_bulk(key, answers.completion) for key in bulk(body, "orders")]}

    def _update_completion(self, body: Json) -> Json:
        return {"orders": [self._update_one(update) for update in bulk(body, "updates")]}

    def _update_one(self, update: object) -> Json:
        try:
            data = self._orders.set_completion(update)["data"]
        except VendorError as exc:
            return exc.body()
        return {"success": True, "orderNo": data["orderNo"], "id": data["id"]}

    # --- events ---

    def _get_events(self, query: Json) -> Json:
        """What drivers did, by an opaque tag. Events may be told again and out of order."""
        tag = query.get("after_tag") or query.get("afterTag") or ""
        start = read_tag("" if tag in ("undefined", "null") else tag)
        events = list(self._store.events.values())
        first = max(start - 1, 0) if "duplicate" in self.event_faults else start
        page = events[first : start + PAGE]
        end = min(start + PAGE, len(events))
        if "duplicate" in self.event_faults:
            page = [event for event in page for _ in range(2)]
        if "reorder" in self.event_faults:
            page.reverse()
        return {"events": page, "tag": write_tag(end), "remainingEvents": len(events) - end}

    # --- planning, sending, drivers ---

    def _stop_planning(self, body: Json) -> Json:
        self._plan.stop(body.get("planningId"))
        return {}

    def _planning_status(self, query: Json) -> Json:
        return self._plan.status(query.get("planningId"))

    def _send_routes(self, body: Json) -> Json:
        self._plan.send(_date_of(body))
        return {}

    def _dispatch_status(self, query: Json) -> Json:
        return self._plan.dispatch_status(_date_of(query))

    def _driver_parameters(self, body: Json) -> Json:
        self._plan.change_day(self._store.driver(body), str(body.get("date")), body)
        return {}

    def _drivers_parameters(self, body: Json) -> Json:
        return {
            "updates": [self._one_driver(update, self._day_of_driver) for update in bulk(body, "updates")]
        }

    def _day_of_driver(self, driver: Json, update: Json) -> None:
        self._plan.change_day(driver, str(update.get("date")), update)

    def _driver_positions(self, body: Json) -> Json:
        return {
            "updates": [self._one_driver(update, self._take_positions) for update in bulk(body, "updates")]
        }

    def _take_positions(self, driver: Json, update: Json) -> None:
        positions = update.get("positions")
        if not isinstance(positions, list) or not positions:
            raise VendorError("ERR_MISSING_MAND_FIELD", "positions")
        self._store.drivers[driver["serial"]] = driver | {"position": positions[-1]}

    def _one_driver(self, update: object, change: Callable[[Json, Json], None]) -> Json:
        told = update if isinstance(update, dict) else {}
        try:
            change(self._store.driver(told.get("driver")), told)
        except VendorError as exc:
            return exc.body()
        return {"success": True}


def bulk(body: Json, name: str) -> list[Any]:
    items = body.get(name)
    if not isinstance(items, list):
        raise VendorError("ERR_MISSING_MAND_FIELD", name)
    if len(items) > PAGE:
        raise VendorError("MALFORMED_REQUEST", f"more than {PAGE} {name}")
    return items


def write_tag(number: int) -> str:
    return base64.urlsafe_b64encode(f"after:{number}".encode()).decode().rstrip("=")


def read_tag(tag: object) -> int:
    """0 for no tag, which is the beginning."""
    if not tag:
        return 0
    try:
        text = base64.urlsafe_b64decode(str(tag) + "=" * (-len(str(tag)) % 4)).decode()
        return int(text.removeprefix("after:"))
    except (ValueError, binascii.Error) as exc:
        raise VendorError("ERR_INVALID_PARAM_FORMAT", "after_tag") from exc


def _date_of(params: Json) -> str:
    if not is_date(params.get("date")):
        raise VendorError("ERR_MISSING_MAND_FIELD", "date")
    return str(params["date"])
