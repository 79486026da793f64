"""The pretended Onfleet's route plans: runs of tasks with a start, perhaps already with a driver.

Which tasks are in a plan stands on the tasks. The plan's own clock follows from what its driver did.
"""

from typing import Any

from connectors.onfleet.emulator_fields import INVALID
from connectors.onfleet.emulator_store import Json, Store, VendorError, make_id
from connectors.onfleet.emulator_tasks import Tasks
from connectors.onfleet.payloads import TaskState, to_ms

CHANGEABLE = frozenset({"name", "color", "startTime", "endTime", "startAt", "endAt", "team"})
MOST = 500


class Plans:
    def __init__(self, store: Store, tasks: Tasks) -> None:
        self._store = store
        self._tasks = tasks

    def listed(self, query: dict[str, str]) -> list[Json]:
        held: dict[str, list[Json]] = {}
        for task in self._store.tasks.values():
            held.setdefault(task["routePlan"] or "", []).append(task)
        plans = [self._told(plan, held.get(plan_id, [])) for plan_id, plan in self._store.route_plans.items()]
        limit = int(query.get("limit") or MOST)
        return [plan for plan in plans if _is_asked_for(plan, query)][:limit]

    def create(self, wanted: Json) -> Json:
        if not isinstance(wanted.get("name"), str) or not isinstance(wanted.get("startTime"), int):
            raise VendorError(1000, INVALID, "name, startTime")
        plan_id = self._store.new_id("routePlan")
        self._store.route_plans[plan_id] = self._new_plan(plan_id, wanted)
        return self.add(plan_id, wanted.get("tasks") or wanted.get("taskIds") or [])

    def ensure(self, key: str, wanted: Json) -> str:
        """Id of the plan with this key, made now if it is not there. Asked for once per stop: reads no tasks."""
        plan_id = make_id("routePlan", key)
        if plan_id not in self._store.route_plans:
            self._store.route_plans[plan_id] = self._new_plan(plan_id, wanted)
        return plan_id

    def _new_plan(self, plan_id: str, wanted: Json) -> Json:
        at = to_ms(self._tasks.instant())
        return {
            "id": plan_id,
            "name": wanted["name"],
            "shortId": plan_id[:8],
            "color": wanted.get("color"),
            "organization": self._store.organization_id,
            "team": wanted.get("team"),
            "worker": self._driver(wanted.get("worker") or wanted.get("workerId")),
            "vehicleType": wanted.get("vehicleType") or "CAR",
            "startTime": wanted["startTime"],
            "endTime": wanted.get("endTime"),
            "startAt": wanted.get("startAt"),
            "endAt": wanted.get("endAt"),
            "startingHubId": wanted.get("startingHubId"),
            "endingHubId": wanted.get("endingHubId"),
            "timezone": self._store.organization["self"]["timezone"],
            "timeCreated": at,
            "timeLastModified": at,
        }

    def _driver(self, wanted: object) -> str | None:
        if wanted is not None and wanted not in self._store.workers:
            raise VendorError(1003, "A parameter refers to something that does not exist.", "worker")
        return str(wanted) if wanted is not None else None

    def update(self, plan_id: str, wanted: Json) -> Json:
        plan = self.whole(plan_id)
        changes = {name: value for name, value in wanted.items() if name in CHANGEABLE}
        if "worker" in wanted and wanted["worker"] != plan["worker"]:
            if plan["actualStartTime"] is not None:
                raise VendorError(1000, INVALID, "a plan that has started keeps its driver")
            changes["worker"] = self._driver(wanted["worker"])
        changes["timeLastModified"] = to_ms(self._tasks.instant())
        self._store.route_plans[plan_id] = self._store.route_plans[plan_id] | changes
        if "worker" in changes:
            self._hand_over(plan["tasks"], changes["worker"])
        return self.whole(plan_id)

    def _hand_over(self, task_ids: list[str], worker: str | None) -> None:
        container = {"type": "WORKER", "worker": worker} if worker else self._store.own_container()
        for task_id in task_ids:
            self._tasks.assign(task_id, container)
            self._tasks.edited.append(task_id)

    def add(self, plan_id: str, wanted: Any) -> Json:
        if not isinstance(wanted, list):
            raise VendorError(1000, INVALID, "tasks")
        plan = self.whole(plan_id)
        for task_id in wanted:
            if task_id not in self._store.tasks:
                raise VendorError(1003, "A parameter refers to something that does not exist.", "tasks")
            self._tasks.join_plan(task_id, plan)
        return self.whole(plan_id)

    def delete(self, plan_id: str) -> None:
        """The tasks stay with their driver."""
        for task_id in self.whole(plan_id)["tasks"]:
            self._store.tasks[task_id] = self._store.task(task_id) | {"routePlan": None}
        del self._store.route_plans[plan_id]

    def whole(self, plan_id: str) -> Json:
        """As the API answers it. `IN_PROGRESS` and `COMPLETED` are guesses: the states are not published."""
        plan: Json | None = self._store.route_plans.get(plan_id)
        if plan is None:
            raise VendorError(1402, "The requested resource does not exist.")
        return self._told(plan, [task for task in self._store.tasks.values() if task["routePlan"] == plan_id])

    def _told(self, plan: Json, held: list[Json]) -> Json:
        tasks = self._in_order(plan, held)
        started = [at for task in tasks for at in _starts(task)]
        ended = [task["completionDetails"]["time"] for task in tasks if _is_completed(task)]
        is_over = bool(tasks) and len(ended) == len(tasks)
        return plan | {
            "state": "COMPLETED" if is_over else "IN_PROGRESS" if started else "PENDING",
            "tasks": [task["id"] for task in tasks],
            "actualStartTime": min(started, default=None),
            "actualEndTime": max(ended) if is_over else None,
        }

    def _in_order(self, plan: Json, tasks: list[Json]) -> list[Json]:
        """Finished tasks by their end, then as they stand in the driver's list, then by creation."""
        held = self._store.held({"type": "WORKER", "worker": plan["worker"]}) if plan["worker"] else []

        def place(task: Json) -> tuple[int, int]:
            if _is_completed(task):
                return 0, task["completionDetails"]["time"]
            return (1, held.index(task["id"])) if task["id"] in held else (2, task["timeCreated"])

        return sorted(tasks, key=place)


def _is_asked_for(plan: Json, query: dict[str, str]) -> bool:
    start_from, start_to = int(query.get("startTimeFrom") or 0), int(query.get("startTimeTo") or 2**62)
    created_from, created_to = (
        int(query.get("createdTimeFrom") or 0),
        int(query.get("createdTimeTo") or 2**62),
    )
    return (
        query.get("workerId") in (None, plan["worker"])
        and start_from <= plan["startTime"] <= start_to
        and created_from <= plan["timeCreated"] <= created_to
        and (query.get("hasTasks") != "true" or bool(plan["tasks"]))
    )


def _is_completed(task: Json) -> bool:
    return bool(task["state"] == TaskState.COMPLETED)


def _starts(task: Json) -> list[int]:
    return [event["time"] for event in task["completionDetails"]["events"] if event["name"] == "start"]
