"""The pretended Route4Me's v5: what v4 lacks."""

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from connectors.base import Now
from connectors.route4me.emulator_driving import Driving
from connectors.route4me.emulator_feed import Feed
from connectors.route4me.emulator_fields import ROUTE_STATUSES, Json, VendorError, is_true
from connectors.route4me.emulator_http import Gate, Handler, read_all, read_body
from connectors.route4me.emulator_stops import Stops
from connectors.route4me.emulator_store import Store
from connectors.route4me.wire import V5_PATH


class ApiV5:
    """Handlers by path, as in `emulator_api`."""

    def __init__(
        self, store: Store, feed: Feed, stops: Stops, driving: Driving, gate: Gate, now: Now
    ) -> None:
        self._store = store
        self._feed = feed
        self._stops = stops
        self._driving = driving
        self._gate = gate
        self._now = now

    def routes(self) -> list[Route]:
        status: dict[str, Handler] = {"GET": self._get_status, "POST": self._post_status}
        table: dict[str, dict[str, Handler]] = {
            "/route-stop-status": {"POST": self._stop_status},
            "/route-status/planned": {"POST": self._planned},
            "/route-status/{route_id}": status,
            "/route-status/{route_id}/history": {"GET": self._status_history},
            "/route-status/{route_id}/rollback": dict.fromkeys(("GET", "POST"), self._rollback),
            "/route-destinations/mark_visited": {"PATCH": self._mark_visited},
            "/route-destinations/mark_departed": {"PATCH": self._mark_departed},
            "/team/users": {"GET": self._members},
            "/team/users/{member_id}": {"GET": self._member},
            "/vehicles": {"GET": self._vehicles},
            "/vehicle-capacity-profiles": {"GET": self._profiles},
            "/notes/destination/{destination_id}": {"GET": self._notes_of_stop},
            "/notes/route/{route_id}": {"GET": self._notes_of_route},
            "/notes/{note_id}": {"PATCH": self._change_note, "DELETE": self._delete_note},
            "/activity/feed": {"GET": self._activities},
        }
        methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        return [
            Route(V5_PATH + path, self._gate.endpoint(handlers), methods=methods)
            for path, handlers in table.items()
        ]

    # --- stops and routes ---

    async def _stop_status(self, request: Request) -> Any:
        told = await read_body(request)
        self._stops.set_status(told.get("destination_ids"), told.get("status"))
        return {"status": True}

    async def _get_status(self, request: Request) -> Any:
        route = self._store.route(request.path_params["route_id"])
        given = self._store.route_statuses.get(route["route_id"])
        if not given:
            raise VendorError(404)
        return given[-1]

    async def _post_status(self, request: Request) -> Any:
        route = self._store.route(request.path_params["route_id"])
        told = await read_body(request)
        status = told.get("status")
        if status not in ROUTE_STATUSES:
            raise VendorError(406, "The selected status is invalid.")
        return self._driving.set_route_status(
            route["route_id"], str(status), self._at(told), lat=told.get("lat"), lng=told.get("lng")
        )

    def _at(self, told: Json) -> datetime:
        stamp = told.get("event_timestamp")
        return datetime.fromtimestamp(stamp, UTC) if isinstance(stamp, int) else self._now()

    async def _planned(self, request: Request) -> Any:
        for route_id in (await read_body(request)).get("route_ids") or []:
            route = self._store.route(str(route_id))
            self._driving.set_route_status(route["route_id"], "planned", self._now())
        return {"status": True}

    async def _status_history(self, request: Request) -> Any:
        route = self._store.route(request.path_params["route_id"])
        return {"data": self._store.route_statuses.get(route["route_id"]) or []}

    async def _rollback(self, request: Request) -> Any:
        route = self._store.route(request.path_params["route_id"])
        given = list(self._store.route_statuses.get(route["route_id"]) or [])
        self._store.route_statuses[route["route_id"]] = given[:-1]
        return given[-2] if len(given) > 1 else {"status": True}

    async def _mark_visited(self, request: Request) -> Any:
        return await self._mark(request, "is_visited")

    async def _mark_departed(self, request: Request) -> Any:
        return await self._mark(request, "is_departed")

    async def _mark(self, request: Request, name: str) -> Json:
        told = await read_body(request)
        numbers = told.get("destination_ids") or [told.get("route_destination_id")]
        for number in numbers:
            self._stops.mark("", str(number), {name: told.get(name, True)})
        return {"status": True}

    # --- people and vehicles ---

    async def _members(self, request: Request) -> Any:
        return list(self._store.members.values())

    async def _member(self, request: Request) -> Any:
        return self._store.member(request.path_params["member_id"])

    async def _vehicles(self, request: Request) -> Any:
        return list(self._store.vehicles.values())

    async def _profiles(self, request: Request) -> Any:
        return list(self._store.profiles.values())

    # --- notes and events ---

    async def _notes_of_stop(self, request: Request) -> Any:
        return {"data": self._store.notes_of(request.path_params["destination_id"])}

    async def _notes_of_route(self, request: Request) -> Any:
        route = self._store.route(request.path_params["route_id"])
        stops = self._store.addresses_of(route["route_id"])
        return {
            "data": [note for stop in stops for note in self._store.notes_of(stop["route_destination_id"])]
        }

    async def _change_note(self, request: Request) -> Any:
        note = self._note(request)
        words = str((await read_body(request)).get("strNoteContents") or note["contents"])
        self._store.notes[str(note["note_id"])] = note | {"contents": words}
        return self._store.notes[str(note["note_id"])]

    async def _delete_note(self, request: Request) -> Any:
        del self._store.notes[str(self._note(request)["note_id"])]
        return {"status": True}

    def _note(self, request: Request) -> Json:
        found: Json | None = self._store.notes.get(request.path_params["note_id"])
        if found is None:
            raise VendorError(404)
        return found

    async def _activities(self, request: Request) -> Any:
        told = await read_all(request)
        return self._feed.search({name: value for name, value in told.items() if is_true(value)})
