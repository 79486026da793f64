"""The pretended Route4Me's v4: one PHP file per call."""

from datetime import UTC, date, datetime
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from connectors.base import Now
from connectors.route4me.emulator_driving import Driving, tracking_page
from connectors.route4me.emulator_feed import Feed
from connectors.route4me.emulator_fields import Json, VendorError, is_true, make_id
from connectors.route4me.emulator_http import Gate, Handler, needed, read_all, read_body
from connectors.route4me.emulator_orders import Orders
from connectors.route4me.emulator_places import geocode
from connectors.route4me.emulator_stops import Stops
from connectors.route4me.emulator_store import OWNER, Store
from connectors.route4me.payloads import to_ts
from connectors.route4me.windows import route_day

OPTIMIZED = 4


class ApiV4:
    """Handlers by path. Each returns the JSON value of its answer."""

    def __init__(
        self, store: Store, feed: Feed, orders: Orders, stops: Stops, driving: Driving, gate: Gate, now: Now
    ) -> None:
        self._store = store
        self._feed = feed
        self._orders = orders
        self._stops = stops
        self._driving = driving
        self._gate = gate
        self._now = now

    def routes(self) -> list[Route]:
        table: dict[str, dict[str, Handler]] = {
            "/api.v4/route.php": {
                "GET": self._get_route,
                "PUT": self._put_route,
                "DELETE": self._delete_route,
            },
            "/api.v4/address.php": {
                "GET": self._get_address,
                "PUT": self._put_address,
                "DELETE": self._delete_address,
            },
            "/api.v4/order.php": {
                "GET": self._get_order,
                "POST": self._post_order,
                "PUT": self._put_order,
                "DELETE": self._delete_order,
            },
            "/api.v4/optimization_problem.php": {
                "GET": self._get_problem,
                "POST": self._post_problem,
                "PUT": self._get_problem,
                "DELETE": self._delete_problem,
            },
            "/api.v4/status.php": {"GET": self._tracking},
            "/api.v4/user.php": {"GET": self._members},
            "/api/member/view_users.php": {"GET": self._members},
            "/api.v4/activity_feed.php": {"GET": self._activities, "POST": self._post_activity},
            "/api/get_activities.php": {"GET": self._activities},
            "/api/geocoder.php": dict.fromkeys(("GET", "POST"), self._geocode),
            "/api/address.php": {"GET": self._geocode_one},
            "/api/track/view_user_locations.php": {"GET": self._user_locations},
            "/api/track/get_device_location.php": {"GET": self._device_location},
            "/track/set.php": dict.fromkeys(("GET", "POST"), self._set_position),
            "/actions/addRouteNotes.php": {"POST": self._add_note},
            "/actions/route/move_route_destination.php": {"POST": self._move},
            "/actions/address/update_address_visited.php": dict.fromkeys(("GET", "PUT"), self._mark),
            "/api/route/mark_address_visited.php": dict.fromkeys(("GET", "PUT"), self._mark),
            "/api/route/mark_address_departed.php": dict.fromkeys(("GET", "PUT"), self._mark),
            "/actions/duplicate_route.php": dict.fromkeys(("GET", "POST"), self._duplicate),
            "/actions/merge_routes.php": {"POST": self._merge},
            "/actions/route/share_route.php": {"POST": self._share},
            "/api.v3/route/reoptimize_2.php": {"GET": self._resequence},
        }
        methods = ["GET", "POST", "PUT", "DELETE"]
        return [
            Route(path, self._gate.endpoint(handlers), methods=methods) for path, handlers in table.items()
        ]

    # --- routes ---

    async def _get_route(self, request: Request) -> Any:
        told = dict(request.query_params)
        if not told.get("route_id"):
            return self._list_routes(told)
        whole = self._store.whole_route(
            self._store.route(told["route_id"]), notes=is_true(told.get("notes", ""))
        )
        if told.get("route_path_output"):
            whole["path"] = [{"lat": item["lat"], "lng": item["lng"]} for item in whole["addresses"]]
        if is_true(told.get("directions", "")):
            whole["directions"] = []
        if is_true(told.get("device_tracking_history", "")):
            whole["tracking_history"] = []
        return whole

    def _list_routes(self, told: Json) -> list[Json]:
        first, last = (_day(told.get(name)) for name in ("start_date", "end_date"))
        query = str(told.get("query") or "").lower()
        found = [
            route
            for route in self._store.routes.values()
            if (first is None or first <= route_day(route["parameters"]["route_date"]))
            and (last is None or route_day(route["parameters"]["route_date"]) <= last)
            and query in route["parameters"]["route_name"].lower()
        ]
        offset, limit = int(told.get("offset") or 0), int(told.get("limit") or 100)
        return [self._store.header(route) for route in found[offset : offset + limit]]

    async def _put_route(self, request: Request) -> Any:
        told = await read_all(request)
        return self._stops.update_route(needed(told, "route_id"), told)

    async def _delete_route(self, request: Request) -> Any:
        told = await read_all(request)
        if told.get("route_destination_id"):
            # The Go client takes single stops off here: that must not take the route.
            return self._take_off(told)
        route_ids = needed(told, "route_id").split(",")
        for route_id in route_ids:
            self._stops.delete_route(route_id)
        return {"deleted": True, "route_id": ",".join(route_ids), "route_ids": route_ids}

    async def _duplicate(self, request: Request) -> Any:
        told = await read_all(request)
        copy = self._stops.duplicate(needed(told, "route_id"))
        return {"optimization_problem_id": copy["optimization_problem_id"], "success": True}

    async def _merge(self, request: Request) -> Any:
        told = await read_all(request)
        first, *others = [item.strip() for item in needed(told, "route_ids").split(",")]
        self._store.route(first)
        for route_id in others:
            for address in self._store.addresses_of(self._store.route(route_id)["route_id"]):
                if not address["is_depot"]:
                    self._stops.move(str(address["route_destination_id"]), first, None)
        self._feed.write("route-merge", self._now(), route=self._store.route(first))
        return {"status": True}

    async def _share(self, request: Request) -> Any:
        self._store.route(needed(await read_all(request), "route_id"))
        return {"status": True}

    async def _resequence(self, request: Request) -> Any:
        self._store.route(needed(await read_all(request), "route_id"))
        return {"status": True}

    # --- stops ---

    async def _get_address(self, request: Request) -> Any:
        told = dict(request.query_params)
        address = self._store.address(needed(told, "route_id"), needed(told, "route_destination_id"))
        return self._store.whole_address(address, notes=is_true(told.get("notes", "")))

    async def _put_address(self, request: Request) -> Any:
        # The Go client says in the body which stop it means.
        told = await read_all(request)
        wanted = await read_body(request)
        return self._stops.update(needed(told, "route_id"), needed(told, "route_destination_id"), wanted)

    async def _delete_address(self, request: Request) -> Any:
        return self._take_off(await read_all(request))

    def _take_off(self, told: Json) -> Json:
        destination_id = needed(told, "route_destination_id")
        address = self._store.address(str(told.get("route_id") or ""), destination_id)
        self._stops.delete(address["route_id"], destination_id)
        return {"deleted": True, "route_destination_id": address["route_destination_id"]}

    async def _move(self, request: Request) -> Any:
        told = await read_all(request)
        after = told.get("after_destination_id") or None
        self._stops.move(needed(told, "route_destination_id"), needed(told, "to_route_id"), after)
        return {"success": True}

    async def _mark(self, request: Request) -> Any:
        told = await read_all(request)
        flags: Json = {name: told[name] for name in ("is_visited", "is_departed") if name in told}
        self._stops.mark(str(told.get("route_id") or ""), needed(told, "address_id"), flags)
        return {"status": True}

    async def _add_note(self, request: Request) -> Any:
        told = await read_all(request)
        address = self._store.address(str(told.get("route_id") or ""), needed(told, "address_id"))
        note = self._stops.add_note(
            address,
            {
                "contents": told.get("strNoteContents", ""),
                "activity_type": told.get("strUpdateType") or "",
                "lat": _number(told.get("dev_lat")),
                "lng": _number(told.get("dev_lng")),
                "device_type": told.get("device_type") or "web",
            },
        )
        return {"status": True, "note_id": str(note["note_id"]), "upload_id": "", "note": note}

    # --- orders ---

    async def _get_order(self, request: Request) -> Any:
        told = dict(request.query_params)
        if told.get("order_id"):
            return self._store.whole_order(self._store.order(told["order_id"]))
        return self._orders.search(told)

    async def _post_order(self, request: Request) -> Any:
        told = await read_body(request)
        if isinstance(told.get("filter"), dict):
            return self._orders.search(told["filter"])
        return self._store.whole_order(self._orders.create(told))

    async def _put_order(self, request: Request) -> Any:
        return self._store.whole_order(self._orders.update(await read_body(request)))

    async def _delete_order(self, request: Request) -> Any:
        self._orders.delete((await read_body(request)).get("order_ids"))
        return {"status": True}

    # --- optimisation: taken as it comes, in one route ---

    async def _post_problem(self, request: Request) -> Any:
        told = await read_body(request)
        problem_id = make_id("problem", str(self._store.next_number("problem", 1)))
        parameters = told.get("parameters") or {}
        member = parameters.get("member_id") or OWNER
        route = self._stops.create_route(parameters, member_id=member, problem_id=problem_id)
        for address in told.get("addresses") or []:
            self._stops.insert(route["route_id"], {**address, "sequence_no": None})
        self._store.problems[problem_id] = {
            "optimization_problem_id": problem_id,
            "state": OPTIMIZED,
            "parameters": parameters,
            "created_timestamp": to_ts(self._now()),
            "route_ids": [route["route_id"]],
        }
        return self._whole_problem(problem_id)

    def _whole_problem(self, problem_id: str) -> Json:
        held = [
            route for route in self._store.routes.values() if route["optimization_problem_id"] == problem_id
        ]
        known: Json | None = self._store.problems.get(problem_id)
        if known is None and not held:
            raise VendorError(404, "The optimization problem does not exist")
        base = known or {"optimization_problem_id": problem_id, "state": OPTIMIZED, "parameters": {}}
        routes = [self._store.whole_route(route) for route in held]
        addresses = [address for route in routes for address in route["addresses"]]
        told = {name: value for name, value in base.items() if name != "route_ids"}
        return told | {"user_errors": [], "addresses": addresses, "routes": routes}

    async def _get_problem(self, request: Request) -> Any:
        told = dict(request.query_params)
        if told.get("optimization_problem_id"):
            return self._whole_problem(told["optimization_problem_id"])
        problems = [self._whole_problem(problem_id) for problem_id in self._store.problems]
        return {"optimizations": problems, "totalRecords": len(problems)}

    async def _delete_problem(self, request: Request) -> Any:
        told = await read_all(request)
        wanted = told.get("optimization_problem_ids") or [needed(told, "optimization_problem_id")]
        removed = [
            problem_id for problem_id in wanted if self._store.problems.pop(str(problem_id), None) is not None
        ]
        return {"status": bool(removed), "removed": len(removed)}

    # --- tracking, people, events ---

    async def _tracking(self, request: Request) -> Any:
        address = self._store.address_by_tracking(request.query_params.get("tracking", ""))
        if address is None:
            raise VendorError(404, "The tracking number does not exist")
        route = self._store.route(address["route_id"])
        member = self._store.members.get(str(route["member_id"]), {})
        return tracking_page(address, route, member, self._store.status_of_route(route["route_id"]))

    async def _members(self, request: Request) -> Any:
        members = [member_of_v4(member) for member in self._store.members.values()]
        return {"results": members, "total": len(members)}

    async def _user_locations(self, request: Request) -> Any:
        return [
            self._user_location(self._store.members[member_id], place)
            for member_id, place in self._store.locations.items()
            if member_id in self._store.members
        ]

    def _user_location(self, member: Json, place: Json) -> Json:
        seen = datetime.fromtimestamp(place["activity_timestamp"], UTC)
        return {
            "member_data": {
                "member_id": member["member_id"],
                "member_first_name": member["member_first_name"],
                "member_last_name": member["member_last_name"],
                "member_email": member["member_email"],
                "account_type_id": 126,
                "member_type": member["member_type"],
                "phone_number": member["member_phone"],
                "readonly_user": 0,
                "show_superuser_addresses": 1,
            },
            "tracking": {
                "route_id": "",
                "device_id": "",
                "device_timestamp": seen.strftime("%Y-%m-%d %H:%M:%S"),
                "device_type": "android_phone",
                "member_id": member["member_id"],
                "vehicle_id": 0,
                "direction": 0,
                "speed": 0,
                "day_id": 0,
                "altitude": 0,
                "footsteps": None,
                "data_source_name": "R4M",
                "custom_data": "",
                "device_timezone": member["timezone"],
                "device_timezone_offset": 0,
                "activity_timestamp_friendly": seen.strftime("%m/%d/%Y %H:%M:%S"),
                "LAST_KNOWN": place["activity_timestamp"],
            }
            | place,
            "from_cache": False,
        }

    async def _device_location(self, request: Request) -> Any:
        route = self._store.route(needed(dict(request.query_params), "route_id"))
        place = self._store.locations.get(str(route["member_id"]))
        points = (
            [{"lat": place["position_lat"], "lng": place["position_lng"], "ts_friendly": ""}] if place else []
        )
        return {"data": points}

    async def _set_position(self, request: Request) -> Any:
        told = await read_all(request)
        latitude, longitude = _number(told.get("lat")), _number(told.get("lng"))
        if latitude is None or longitude is None:
            raise VendorError(400, "lat and lng are required")
        member_id = str(told.get("member_id") or OWNER)
        self._driving.report_position(member_id, latitude, longitude, self._now())
        return {"status": True, "tx_id": make_id("tx", member_id).lower()}

    async def _activities(self, request: Request) -> Any:
        return self._feed.search(dict(request.query_params))

    async def _post_activity(self, request: Request) -> Any:
        told = await read_body(request)
        route = self._store.route(needed(told, "route_id"))
        self._feed.write("user_message", self._now(), route=route, message=needed(told, "activity_message"))
        return {"status": True}

    # --- the map ---

    async def _geocode(self, request: Request) -> Any:
        told = await read_all(request)
        lines = needed(told, "addresses").replace("||", "\n").splitlines()
        return [line for address in lines for line in _geocoded(address.strip())]

    async def _geocode_one(self, request: Request) -> Any:
        found = _geocoded(needed(dict(request.query_params), "address"))
        if not found:
            raise VendorError(404)
        return found[0]


def member_of_v4(member: Json) -> Json:
    """v4 tells the same people, flags and numbers as words, and each one's key."""
    same = (
        "member_type",
        "member_first_name",
        "member_last_name",
        "member_email",
        "member_phone",
        "timezone",
    )
    return {name: member[name] for name in same} | {
        "member_id": str(member["member_id"]),
        "OWNER_MEMBER_ID": str(member["OWNER_MEMBER_ID"]),
        "preferred_units": "MI",
        "preferred_language": "en",
        "HIDE_ROUTED_ADDRESSES": str(member["HIDE_ROUTED_ADDRESSES"]).upper(),
        "HIDE_VISITED_ADDRESSES": str(member["HIDE_VISITED_ADDRESSES"]).upper(),
        "HIDE_NONFUTURE_ROUTES": str(member["HIDE_NONFUTURE_ROUTES"]).upper(),
        "SHOW_ALL_DRIVERS": str(member["SHOW_ALL_DRIVERS"]).upper(),
        "SHOW_ALL_VEHICLES": "0",
        "READONLY_USER": str(member["READONLY_USER"]).upper(),
        "member_zipcode": None,
        "date_of_birth": member["date_of_birth"],
        "user_reg_state_id": None,
        "user_reg_country_id": None,
        "member_picture": None,
        "level": 0,
        "custom_data": [],
        "api_key": "00000000000000000000000000000000",
    }


def _geocoded(address: str) -> list[Json]:
    found = geocode(address)
    if found is None:
        return []
    place = {"lat": found[0], "lng": found[1], "type": "street_address", "confidence": "high"}
    return [{"address": address, "original": address} | place]


def _day(told: object) -> date | None:
    try:
        return date.fromisoformat(str(told))
    except ValueError:
        return None


def _number(told: object) -> float | None:
    try:
        return float(str(told))
    except ValueError:
        return None
