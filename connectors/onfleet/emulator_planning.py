"""What the pretended Onfleet works out by itself: who gets a task, who could come when, the manifest of a driver."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from connectors.onfleet.emulator_fields import INVALID, metres
from connectors.onfleet.emulator_store import Json, Store, VendorError
from connectors.onfleet.emulator_tasks import Tasks
from connectors.onfleet.payloads import TaskState, to_ms

METRES_PER_SECOND = 8.0
METRES_PER_MILE = 1609.344
MANIFEST_PATH = "providers/manifest/generate"


class Planning:
    def __init__(self, store: Store, tasks: Tasks) -> None:
        self._store = store
        self._tasks = tasks

    # --- who gets it ---

    def assign_automatically(self, wanted: Json) -> Json:
        """`POST /tasks/autoAssign`: every unassigned one of `tasks`, by `options`. Nobody on duty: none is assigned."""
        task_ids, options = wanted.get("tasks"), wanted.get("options") or {}
        if not isinstance(task_ids, list) or options.get("mode") not in ("distance", "load"):
            raise VendorError(1000, INVALID, "tasks, options.mode")
        assigned: Json = {}
        for task_id in task_ids:
            if self._store.task(task_id)["state"] != TaskState.UNASSIGNED:
                continue
            if (worker_id := self._best_worker(self._store.task(task_id), options)) is not None:
                self._tasks.assign(task_id, {"type": "WORKER", "worker": worker_id})
                self._tasks.edited.append(task_id)
                assigned[task_id] = worker_id
        return {"assignedTasksCount": len(assigned), "assignedTasks": assigned}

    def _best_worker(self, task: Json, options: Json) -> str | None:
        free = [worker for worker in self._on_duty(options) if self._has_room(worker, options)]
        if not free:
            return None
        location = self._store.destinations[task["destination"]]["location"]
        by_load = options["mode"] == "load" or not location
        best = min(
            free, key=lambda worker: len(worker["tasks"]) if by_load else metres(worker["location"], location)
        )
        return str(best["id"])

    def _on_duty(self, options: Json) -> list[Json]:
        """Those of the wanted teams, or of all."""
        teams = set(options.get("teams") or ([options["team"]] if options.get("team") else []))
        excluded = set(options.get("excludedWorkerIds") or [])
        return [
            worker
            for worker in self._store.all_of("workers")
            if worker["onDuty"] and worker["location"] and worker["id"] not in excluded
            if not teams or teams & set(worker["teams"])
        ]

    def _has_room(self, worker: Json, options: Json) -> bool:
        most = options.get("maxAssignedTaskCount")
        return most is None or len(worker["tasks"]) < int(most)

    def dispatch(self, team_id: str) -> Json:
        """`POST /teams/:id/dispatch`: what the team holds, evenly over its drivers on duty."""
        held = self._store.held({"type": "TEAM", "team": team_id})
        options = {"mode": "load", "teams": [team_id]}
        self.assign_automatically({"tasks": held, "options": options})
        return {"dispatchId": self._store.new_id("dispatch")}

    # --- who could come when ---

    def estimate(self, team_id: str, query: dict[str, str]) -> Json:
        """`GET /teams/:id/estimate`, in unix seconds, unlike everything else."""
        hub = next((hub for hub in self._store.hubs.values() if team_id in hub["teams"]), None)
        workers = self._on_duty({"teams": [team_id]})
        if hub is None or not workers:
            raise VendorError(1402, "The requested resource does not exist.", "a hub and a worker on duty")
        places = [_place(query, name) for name in ("pickupLocation", "dropoffLocation") if query.get(name)]
        if not places:
            raise VendorError(1000, INVALID, "dropoffLocation")
        worker = min(workers, key=lambda item: metres(item["location"], places[0]))
        return {
            "workerId": worker["id"],
            "vehicle": (worker["vehicle"] or {}).get("type"),
            "steps": self._steps(worker["location"], places, int(query.get("serviceTime") or 120)),
        }

    def _steps(self, start: list[float], places: list[list[float]], service_seconds: int) -> list[Json]:
        here, at, steps = start, to_ms(self._tasks.instant()) // 1000, []
        for place in places:
            distance = metres(here, place)
            travel = round(distance / METRES_PER_SECOND)
            arrives = at + travel
            here, at = place, arrives + service_seconds
            steps.append(
                {
                    "location": place,
                    "travelTime": travel,
                    "distance": distance,
                    "serviceTime": service_seconds,
                    "arrivalTime": arrives,
                    "completionTime": at,
                }
            )
        return steps

    # --- the manifest of a driver ---

    def manifest(self, wanted: Json, *, has_maps: bool) -> Json:
        """`POST /integrations/marketplace`, which passes a path on. Without a Google key: no turns, no distance."""
        asked = urlsplit(str(wanted.get("path") or ""))
        query = {name: values[0] for name, values in parse_qs(asked.query).items()}
        hub, worker = self._store.hubs.get(query.get("hubId", "")), query.get("workerId", "")
        if asked.path != MANIFEST_PATH or hub is None:
            raise VendorError(1402, "The requested resource does not exist.")
        driver = self._store.whole_worker(self._store.worker(worker))
        tasks = [self._store.whole_task(self._store.task(item)) for item in driver["tasks"]]
        now = to_ms(self._tasks.instant())
        return {
            "manifestDate": now,
            "departureTime": now,
            "driver": {"name": driver["name"], "phone": driver["phone"]},
            "vehicle": driver["vehicle"],
            "hubAddress": _one_line(hub["address"]),
            "turnByTurn": [],
            "totalDistance": None,
            "tasks": tasks,
        } | (self._turns(hub, tasks) if has_maps else {})

    def _turns(self, hub: Json, tasks: list[Json]) -> Json:
        """Legs from door to door. The steps are few: nobody drives by them."""
        here, line, at, legs, total = hub["location"], _one_line(hub["address"]), self._tasks.instant(), [], 0
        for task in tasks:
            there, end = task["destination"]["location"], _one_line(task["destination"]["address"])
            distance = metres(here, there) if here and there else 0
            at += timedelta(seconds=distance / METRES_PER_SECOND)
            legs.append(
                {
                    "start_address": line,
                    "end_address": end,
                    "eta": to_ms(at),
                    "driving_distance": f"{distance / METRES_PER_MILE:.1f} mi",
                    "steps": [f"Head to {end}"],
                }
            )
            here, line, total = there, end, total + distance
        return {"turnByTurn": legs, "totalDistance": total}


def _one_line(address: Json) -> str:
    street = " ".join(str(address.get(name) or "") for name in ("number", "street")).strip()
    return ", ".join(part for part in (street, str(address.get("city") or "")) if part)


def _place(query: dict[str, str], name: str) -> list[float]:
    try:
        longitude, latitude = (float(part) for part in query[name].split(","))
    except ValueError as exc:
        raise VendorError(1000, INVALID, name) from exc
    return [longitude, latitude]
