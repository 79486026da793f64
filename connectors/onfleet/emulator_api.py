"""The pretended Onfleet's HTTP API under `/api/v2`: key, rate limit, routes, and the shape of answers."""

import base64
import binascii
import time
from collections import deque
from collections.abc import Awaitable, Callable
from heapq import nsmallest
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.emulation import read_json
from connectors.onfleet.emulator_directory import KINDS, Directory
from connectors.onfleet.emulator_fields import INVALID, metres
from connectors.onfleet.emulator_planning import Planning
from connectors.onfleet.emulator_plans import Plans
from connectors.onfleet.emulator_store import Json, Store, VendorError, make_id
from connectors.onfleet.emulator_tasks import Tasks
from connectors.onfleet.emulator_webhooks import Webhooks
from connectors.onfleet.payloads import TaskState, to_ms

ROOT = "/api/v2"
METHODS = ["GET", "POST", "PUT", "DELETE"]
PAGE = 64
MAX_BATCH = 500
CHANGEABLE = frozenset({"name", "notes", "skipSMSNotifications", "metadata"})
"""What may change on a recipient: the phone is fixed."""
CONTAINERS = {
    "workers": "WORKER",
    "teams": "TEAM",
    "organizations": "ORGANIZATION",
    "organization": "ORGANIZATION",
}
"""The path's plural by container type; pyonfleet writes the organisation's path in the singular."""

Handler = Callable[[Request], Awaitable[Any]]


class RateLimit:
    """Requests per second over a sliding second of real time; None switches it off."""

    def __init__(self, per_second: int | None) -> None:
        self.per_second = per_second
        self.clock = time.monotonic
        self._recent: deque[float] = deque()

    def admit(self) -> int:
        """Counts one request and returns what remains. Raises `VendorError` when nothing does."""
        now = self.clock()
        while self._recent and self._recent[0] <= now - 1:
            self._recent.popleft()
        limit = self.per_second or PAGE
        if self.per_second is not None and len(self._recent) >= limit:
            raise VendorError(2300, "Too many requests.", "more than the organization's limit")
        self._recent.append(now)
        # Never 0 on a 2xx: pyonfleet divides by it.
        return max(limit - len(self._recent), 1) if self.per_second is not None else limit


class Api:
    """Handlers by path. Each returns the JSON value of its answer; `endpoint` does the rest."""

    def __init__(
        self, store: Store, tasks: Tasks, webhooks: Webhooks, *, api_key: str, rate_limit: int | None
    ) -> None:
        self.plans = Plans(store, tasks)
        self.directory = Directory(store, tasks)
        self.planning = Planning(store, tasks)
        self._store = store
        self._tasks = tasks
        self._webhooks = webhooks
        self._api_key = api_key
        self.rate_limit = RateLimit(rate_limit)
        self.before_request: Callable[[str, str], None] | None = None
        """Called with method and path before each answer: lets a driver act between two calls of a client."""
        self.unexpected: list[str] = []
        """Requests for which Onfleet has no route."""

    def routes(self) -> list[Route]:
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/auth/test", self._auth_test),
            ("GET", "/organization", self._organization),
            ("GET", "/organizations/{id}", self._organization),
            ("GET", "/tasks/all", self._list_tasks),
            ("POST", "/tasks", self._create_task),
            ("POST", "/tasks/batch", self._create_batch),
            ("POST", "/tasks/batch-async", self._create_batch_later),
            ("GET", "/tasks/batch/{id}", self._batch_status),
            ("POST", "/tasks/autoAssign", self._auto_assign),
            ("POST", "/{kind}/metadata", self._by_metadata),
            ("GET", "/tasks/shortId/{id}", self._task_by_short_id),
            ("GET", "/tasks/{id}", self._get_task),
            ("PUT", "/tasks/{id}", self._update_task),
            ("DELETE", "/tasks/{id}", self._delete_task),
            ("POST", "/tasks/{id}/clone", self._clone_task),
            ("POST", "/tasks/{id}/complete", self._complete_task),
            ("GET", "/workers/location", self._workers_near),
            ("GET", "/workers/{id}/tasks", self._held_tasks("WORKER")),
            ("GET", "/workers/{id}/schedule", self._schedule),
            ("POST", "/workers/{id}/schedule", self._set_schedule),
            ("GET", "/workers", self._workers),
            ("GET", "/teams/{id}/tasks", self._held_tasks("TEAM")),
            ("POST", "/teams/{id}/dispatch", self._dispatch),
            ("GET", "/teams/{id}/estimate", self._estimate),
            ("POST", "/integrations/marketplace", self._manifest),
            ("GET", "/containers/{kind}/{id}", self._get_container),
            ("PUT", "/containers/{kind}/{id}", self._arrange_container),
            ("GET", "/routePlans", self._route_plans),
            ("POST", "/routePlans", self._create_plan),
            ("GET", "/routePlans/all", self._route_plan_page),
            ("GET", "/routePlans/{id}", self._route_plan),
            ("PUT", "/routePlans/{id}/tasks", self._add_to_plan),
            ("PUT", "/routePlans/{id}", self._update_plan),
            ("DELETE", "/routePlans/{id}", self._delete_plan),
            ("POST", "/recipients", self._create_recipient),
            ("GET", "/recipients/phone/{phone}", self._recipient_by_phone),
            ("GET", "/recipients/name/{name}", self._recipient_by_name),
            ("GET", "/recipients/{id}", self._one("recipients")),
            ("PUT", "/recipients/{id}", self._update_recipient),
            ("POST", "/destinations", self._create_destination),
            ("GET", "/destinations/{id}", self._one("destinations")),
            ("GET", "/webhooks", self._all("webhooks")),
            ("POST", "/webhooks", self._create_webhook),
            ("DELETE", "/webhooks/{id}", self._delete_webhook),
            ("GET", "/teams", self._all("teams")),
            ("GET", "/hubs", self._all("hubs")),
            ("GET", "/admins", self._all("admins")),
            ("GET", "/workers/{id}", self._one("workers")),
            ("GET", "/teams/{id}", self._one("teams")),
            ("GET", "/hubs/{id}", self._one("hubs")),
        ]
        for kind in KINDS:
            table += [
                ("POST", f"/{kind}", self._create(kind)),
                ("PUT", f"/{kind}/{{id}}", self._update(kind)),
                ("DELETE", f"/{kind}/{{id}}", self._delete(kind)),
            ]
        routes = [
            Route(f"{ROOT}{path}", self._endpoint(run), methods=[method]) for method, path, run in table
        ]
        return [*routes, Route(ROOT + "/{rest:path}", self._endpoint(self._nothing), methods=METHODS)]

    def _endpoint(self, run: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                self._check_key(request)
                remaining = self.rate_limit.admit()
                if self.before_request is not None:
                    self.before_request(request.method, request.url.path)
                value = await run(request)
            except VendorError as exc:
                wait = {"Retry-After": "1"} if exc.status == 429 else None
                return JSONResponse(exc.body(), exc.status, headers=wait)
            limit = self.rate_limit.per_second or PAGE
            headers = {"X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": str(remaining)}
            return JSONResponse(value, headers=headers)

        return answer

    def _check_key(self, request: Request) -> None:
        kind, _, credentials = request.headers.get("Authorization", "").partition(" ")
        try:
            given = base64.b64decode(credentials, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            given = ""
        # node-onfleet sends the key without the colon.
        if kind != "Basic" or given.removesuffix(":") != self._api_key:
            cause = "This key does not exist or is no longer active."
            raise VendorError(1102, "The API key provided is invalid.", cause)

    # --- account ---

    async def _nothing(self, request: Request) -> Any:
        self.unexpected.append(f"{request.method} {request.url.path}")
        raise VendorError(1402, "The requested resource does not exist.")

    async def _auth_test(self, request: Request) -> Json:
        caller = request.client.host if request.client else "unknown"
        hello = f"Hello organization '{self._store.organization_id}' hitting Onfleet from {caller}"
        return {"message": hello, "status": 200}

    async def _organization(self, request: Request) -> Json:
        if request.path_params.get("id", self._store.organization_id) != self._store.organization_id:
            raise VendorError(1402, "The requested resource does not exist.")
        organization: Json = self._store.organization["self"]
        return organization

    def _all(self, kind: str) -> Handler:
        async def answer(request: Request) -> list[Json]:
            return self._store.all_of(kind)

        return answer

    def _one(self, kind: str) -> Handler:
        async def answer(request: Request) -> Json:
            return self._found(kind, request.path_params["id"])

        return answer

    def _create(self, kind: str) -> Handler:
        async def answer(request: Request) -> Json:
            return self.directory.create(kind, await _object(request))

        return answer

    def _update(self, kind: str) -> Handler:
        async def answer(request: Request) -> Json:
            return self.directory.update(kind, request.path_params["id"], await _object(request))

        return answer

    def _delete(self, kind: str) -> Handler:
        async def answer(request: Request) -> None:
            self.directory.delete(kind, request.path_params["id"])

        return answer

    def _found(self, kind: str, wanted: str) -> Json:
        item = self._store.find(kind, wanted)
        if item is None:
            raise VendorError(1402, "The requested resource does not exist.")
        return item

    async def _by_metadata(self, request: Request) -> list[Json]:
        kind, wanted = request.path_params["kind"], await read_json(request)
        if kind not in {"tasks", "workers", "recipients", "destinations", "admins"}:
            return list(await self._nothing(request))
        if not isinstance(wanted, list):
            raise VendorError(1000, INVALID, "metadata")
        return [item for item in self._store.all_of(kind) if _carries(item, wanted)]

    # --- tasks ---

    async def _list_tasks(self, request: Request) -> Json:
        """Onfleet compares `from` with the completion of completed tasks and the creation of all others."""
        query = request.query_params
        if not query.get("from", "").isdigit():
            raise VendorError(1000, INVALID, "from")
        wanted = _task_filter(dict(query))
        last_id = query.get("lastId")
        last = (self._store.created_at(last_id), last_id) if last_id else (0, "")
        left = (task for task in self._store.tasks.values() if _by_creation(task) > last and wanted(task))
        tasks = nsmallest(PAGE + 1, left, key=_by_creation)
        page = [self._store.whole_task(task) for task in tasks[:PAGE]]
        return {"tasks": page} | ({"lastId": page[-1]["id"]} if len(tasks) > PAGE else {})

    async def _create_task(self, request: Request) -> Json:
        return self._store.whole_task(self._made(await _object(request)))

    def _made(self, wanted: Json) -> Json:
        options = wanted.get("autoAssign")
        if options is not None and wanted.get("container") is not None:
            raise VendorError(1000, INVALID, "autoAssign and container")
        task = self._tasks.create(wanted)
        if options is not None:
            self.planning.assign_automatically({"tasks": [task["id"]], "options": options})
        return self._store.task(task["id"])

    async def _auto_assign(self, request: Request) -> Json:
        return self.planning.assign_automatically(await _object(request))

    async def _create_batch(self, request: Request) -> Json:
        wanted = (await _object(request)).get("tasks")
        if not isinstance(wanted, list) or len(wanted) > MAX_BATCH:
            raise VendorError(1000, INVALID, "tasks")
        done: Json = {"tasks": [], "errors": []}
        for item in wanted:
            try:
                done["tasks"].append(self._store.whole_task(self._made(item)))
            except VendorError as exc:
                done["errors"].append({"error": exc.body()["message"], "task": item})
        return done

    async def _create_batch_later(self, request: Request) -> Json:
        done = await self._create_batch(request)
        return {"status": "success", "jobId": self._store.add_batch(done)}

    async def _batch_status(self, request: Request) -> Json:
        return self._found("batches", request.path_params["id"])

    async def _get_task(self, request: Request) -> Json:
        return self._found("tasks", request.path_params["id"])

    async def _task_by_short_id(self, request: Request) -> Json:
        return self._store.whole_task(self._store.task_by_short_id(request.path_params["id"]))

    async def _update_task(self, request: Request) -> Json:
        changed = self._tasks.update(request.path_params["id"], await _object(request))
        return self._store.whole_task(changed)

    async def _delete_task(self, request: Request) -> None:
        self._tasks.delete(request.path_params["id"])

    async def _clone_task(self, request: Request) -> Json:
        return self._store.whole_task(self._tasks.clone(request.path_params["id"], await read_json(request)))

    async def _complete_task(self, request: Request) -> None:
        self._tasks.complete_by_force(request.path_params["id"], await read_json(request))

    # --- drivers, containers, routes ---

    async def _workers(self, request: Request) -> list[Json]:
        states = request.query_params.get("states")
        teams = request.query_params.get("teams")
        phones = request.query_params.get("phones")
        return [
            worker
            for worker in self._store.all_of("workers")
            if (states is None or str(_worker_state(worker)) in states.split(","))
            and (teams is None or set(teams.split(",")) & set(worker["teams"]))
            and (phones is None or worker["phone"] in phones.split(","))
        ]

    async def _workers_near(self, request: Request) -> Json:
        query = request.query_params
        try:
            here = [float(query["longitude"]), float(query["latitude"])]
            radius = float(query.get("radius", "1000"))
        except (KeyError, ValueError) as exc:
            raise VendorError(1000, INVALID, "longitude, latitude") from exc
        workers = [item for item in self._store.all_of("workers") if item["onDuty"] and item["location"]]
        return {"workers": [item for item in workers if metres(item["location"], here) <= radius]}

    def _held_tasks(self, kind: str) -> Handler:
        async def answer(request: Request) -> Json:
            self._found(f"{kind.lower()}s", request.path_params["id"])
            held = self._store.held({"type": kind, kind.lower(): request.path_params["id"]})
            return {"tasks": [self._store.whole_task(self._store.task(item)) for item in held]}

        return answer

    async def _schedule(self, request: Request) -> Json:
        return self.directory.schedule(request.path_params["id"])

    async def _set_schedule(self, request: Request) -> Json:
        return self.directory.set_schedule(request.path_params["id"], await _object(request))

    async def _dispatch(self, request: Request) -> Json:
        self._found("teams", request.path_params["id"])
        return self.planning.dispatch(request.path_params["id"])

    async def _estimate(self, request: Request) -> Json:
        self._found("teams", request.path_params["id"])
        return self.planning.estimate(request.path_params["id"], dict(request.query_params))

    async def _manifest(self, request: Request) -> Json:
        has_maps = request.headers.get("X-API-Key", "").startswith("Google ")
        return self.planning.manifest(await _object(request), has_maps=has_maps)

    def _container_of(self, request: Request) -> Json:
        kind, wanted = CONTAINERS.get(request.path_params["kind"], ""), request.path_params["id"]
        if kind == "ORGANIZATION" and wanted == self._store.organization_id:
            return self._store.own_container()
        if kind not in {"WORKER", "TEAM"}:
            raise VendorError(1402, "The requested resource does not exist.")
        self._found(f"{kind.lower()}s", wanted)
        return {"type": kind, kind.lower(): wanted}

    async def _get_container(self, request: Request) -> Json:
        return self._whole_container(self._container_of(request))

    def _whole_container(self, container: Json) -> Json:
        worker = self._store.workers.get(container.get("worker", ""))
        whole = {
            "id": make_id("container", str(sorted(container.items()))),
            "organization": self._store.organization_id,
            "timeCreated": self._store.organization["self"]["timeCreated"],
            "timeLastModified": to_ms(self._tasks.instant()),
            "tasks": self._store.held(container),
            "activeTask": worker["activeTask"] if worker else None,
        }
        return whole | container

    async def _arrange_container(self, request: Request) -> Json:
        container = self._container_of(request)
        self._tasks.arrange(container, (await _object(request)).get("tasks"))
        return self._whole_container(container)

    async def _route_plans(self, request: Request) -> list[Json]:
        return self.plans.listed(dict(request.query_params))

    async def _route_plan_page(self, request: Request) -> Json:
        return {"routePlans": await self._route_plans(request)}

    async def _create_plan(self, request: Request) -> Json:
        return self.plans.create(await _object(request))

    async def _route_plan(self, request: Request) -> Json:
        return self.plans.whole(request.path_params["id"])

    async def _update_plan(self, request: Request) -> Json:
        return self.plans.update(request.path_params["id"], await _object(request))

    async def _add_to_plan(self, request: Request) -> Json:
        return self.plans.add(request.path_params["id"], (await _object(request)).get("tasks"))

    async def _delete_plan(self, request: Request) -> None:
        self.plans.delete(request.path_params["id"])

    # --- recipients, destinations, webhooks ---

    async def _create_recipient(self, request: Request) -> Json:
        return self._tasks.add_recipient(await _object(request))

    async def _recipient_by_phone(self, request: Request) -> Json:
        phone = request.path_params["phone"].strip()
        found = self._store.recipient_by_phone(phone if phone.startswith("+") else f"+{phone}")
        if found is None:
            raise VendorError(1402, "The requested resource does not exist.")
        return found

    async def _recipient_by_name(self, request: Request) -> Json:
        wanted = request.path_params["name"].lower()
        for recipient in self._store.recipients.values():
            if recipient["name"].lower() == wanted:
                return dict(recipient)
        raise VendorError(1402, "The requested resource does not exist.")

    async def _update_recipient(self, request: Request) -> Json:
        recipient = self._store.recipient(request.path_params["id"])
        wanted = await _object(request)
        changes = {name: value for name, value in wanted.items() if name in CHANGEABLE}
        changed = recipient | changes | {"timeLastModified": to_ms(self._tasks.instant())}
        self._store.put_recipient(changed)
        return changed

    async def _create_destination(self, request: Request) -> Json:
        return self._tasks.add_destination(await _object(request))

    async def _create_webhook(self, request: Request) -> Json:
        return await self._webhooks.register(await _object(request))

    async def _delete_webhook(self, request: Request) -> None:
        self._found("webhooks", request.path_params["id"])
        del self._store.webhooks[request.path_params["id"]]


async def _object(request: Request) -> Json:
    body = await read_json(request)
    if not isinstance(body, dict):
        raise VendorError(1000, INVALID, "the body is not a JSON object")
    return body


def _task_filter(query: dict[str, str]) -> Callable[[Json], bool]:
    start, end = int(query["from"]), int(query.get("to") or 2**62)
    states = (
        {int(item) for item in query["state"].split(",") if item.isdigit()} if query.get("state") else None
    )
    worker = query.get("worker")
    before, after = query.get("completeBeforeBefore"), query.get("completeAfterAfter")

    def wanted(task: Json) -> bool:
        completed = task["state"] == TaskState.COMPLETED
        moment = task["completionDetails"]["time"] if completed else task["timeCreated"]
        return (
            start <= moment <= end
            and (states is None or task["state"] in states)
            and (worker is None or task["worker"] == worker)
            and (
                before is None
                or (task["completeBefore"] is not None and task["completeBefore"] < int(before))
            )
            and (after is None or (task["completeAfter"] is not None and task["completeAfter"] > int(after)))
        )

    return wanted


def _by_creation(task: Json) -> tuple[int, str]:
    return task["timeCreated"], task["id"]


def _carries(item: Json, wanted: list[Json]) -> bool:
    held = item.get("metadata") or []
    return all(any(_same_entry(entry, want) for entry in held) for want in wanted)


def _same_entry(entry: Json, wanted: Json) -> bool:
    return all(entry.get(name) == wanted.get(name) for name in ("name", "type", "value"))


def _worker_state(worker: Json) -> int:
    """0 off duty, 1 on duty and idle, 2 on duty with an active task."""
    if not worker["onDuty"]:
        return 0
    return 2 if worker["activeTask"] else 1
