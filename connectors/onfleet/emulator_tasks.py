"""The pretended Onfleet's rules for tasks: what may be made, and what may still change in which state."""

import hashlib
from datetime import datetime, timedelta
from typing import Any, Literal

from connectors.base import Now
from connectors.onfleet.emulator_fields import (
    INVALID,
    KNOWN_FIELDS,
    check_window,
    defaults,
    fields,
    geocoded,
    metres,
    no_completion,
    overrides,
    unused,
)
from connectors.onfleet.emulator_store import Json, Store, VendorError, make_id
from connectors.onfleet.emulator_webhooks import Webhooks
from connectors.onfleet.payloads import TaskState, Trigger, to_ms
from connectors.phones import to_e164

UNASSIGNED, ASSIGNED, ACTIVE, COMPLETED = TaskState

MILLISECOND = timedelta(milliseconds=1)
EDITABLE: dict[TaskState, frozenset[str]] = {
    ACTIVE: frozenset({"notes", "metadata"}),
    COMPLETED: frozenset({"metadata"}),
}
"""What may still be changed once a driver is on the way. Before that: everything but the state."""


class Tasks:
    """Tasks as the API and the driver's app may treat them. Raises `VendorError` where Onfleet says no."""

    def __init__(self, store: Store, webhooks: Webhooks, now: Now) -> None:
        self._store = store
        self._webhooks = webhooks
        self._now = now
        self._last_instant: datetime | None = None
        self.edited: list[str] = []
        """Ids of tasks that the API changed, for the pretended day to look at."""
        self.forbidden_edits: Literal["refuse", "drop"] = "refuse"
        """What happens to a field that may no longer change. Onfleet documents neither."""
        self.refuse_delete_in_flight = True
        """Whether active and completed tasks cannot be deleted. Not documented either."""

    def instant(self) -> datetime:
        """The present, never the same millisecond twice: a changed object shows a later time."""
        now = self._now()
        if self._last_instant is not None and now <= self._last_instant:
            now = self._last_instant + MILLISECOND
        self._last_instant = now
        return now

    # --- made and changed ---

    def create(self, wanted: Json, *, at: datetime | None = None, key: str | None = None) -> Json:
        """A new task from a create body. The same `key` again gives the task that is, or was, already there."""
        task_id = make_id("task", key) if key else self._store.new_id("task")
        for known in (self._store.tasks, self._store.deleted_tasks):
            if task_id in known:
                return dict(known[task_id])
        at = at or self.instant()
        task = self._new_task(task_id, wanted, at)
        # Clones are told as clones only.
        trigger = Trigger.TASK_CLONED if task["sourceTaskId"] else Trigger.TASK_CREATED
        self._webhooks.fire(trigger, at, task=task)
        self._store.add_task(task)
        return task

    def _new_task(self, task_id: str, wanted: Json, at: datetime) -> Json:
        short_id = hashlib.sha256(task_id.encode()).hexdigest()[:8]
        container = self._container(wanted.get("container"))
        task: Json = {
            "id": task_id,
            "timeCreated": to_ms(at),
            "timeLastModified": to_ms(at),
            "organization": self._store.organization_id,
            "shortId": short_id,
            "orderShortId": None,
            "trackingURL": f"https://onf.lt/{short_id}",
            "state": int(ASSIGNED if container["type"] == "WORKER" else UNASSIGNED),
            "merchant": self._store.organization_id,
            "executor": self._store.organization_id,
            "creator": next(iter(self._store.admins), None),
            "worker": container.get("worker"),
            "container": container,
            "destination": self._destination(wanted.get("destination"), at),
            "recipients": self._recipients(wanted.get("recipients"), at),
            "overrides": overrides(wanted),
            "routePlan": wanted.get("routePlan"),
            "completionDetails": no_completion(),
            "estimatedArrivalTime": None,
            "estimatedCompletionTime": None,
            "eta": None,
            "delayTime": None,
            "feedback": [],
            "trackingViewed": False,
            "sourceTaskId": wanted.get("sourceTaskId"),
            **unused(),
        }
        return task | fields(wanted, defaults())

    def update(self, task_id: str, wanted: Json) -> Json:
        task = self._store.task(task_id)
        state = TaskState(task["state"])
        changes = {name: value for name, value in wanted.items() if self._differs(task, name, value)}
        forbidden = set(changes) - EDITABLE.get(state, set(changes))
        if forbidden and self.forbidden_edits == "refuse":
            raise VendorError(
                1000, INVALID, f"{sorted(forbidden)} cannot be changed on a task in state {state}"
            )
        allowed = {name: value for name, value in changes.items() if name not in forbidden}
        return self._apply(task, allowed) if allowed else task

    def _differs(self, task: Json, name: str, value: Any) -> bool:
        # gonfleet always sends `pickupTask: false`: what does not change is no edit.
        return name not in {"id", "state"} and task.get(name) != value

    def _apply(self, task: Json, changes: Json) -> Json:
        at = self.instant()
        changed = task | fields(changes, {}) | {"timeLastModified": to_ms(at)}
        check_window(changed)
        if "destination" in changes:
            changed["destination"] = self._destination(changes["destination"], at)
        if "recipients" in changes:
            changed["recipients"] = self._recipients(changes["recipients"], at)
        self._webhooks.fire(Trigger.TASK_UPDATED, at, task=changed)
        self._store.tasks[task["id"]] = changed
        if "container" in changes:
            changed = self.assign(task["id"], changes["container"], at)
        self.edited.append(task["id"])
        return changed

    def assign(self, task_id: str, container: Json, at: datetime | None = None) -> Json:
        """Hands an unstarted task over, to the end of the new container's order."""
        task, container = self._store.task(task_id), self._container(container)
        if task["container"] == container:
            return task
        if task["state"] in (ACTIVE, COMPLETED):
            raise VendorError(1000, INVALID, "an active or completed task keeps its driver")
        at = at or self.instant()
        to_driver = container["type"] == "WORKER"
        changed = task | {
            "container": container,
            "worker": container.get("worker"),
            "state": int(ASSIGNED if to_driver else UNASSIGNED),
            "routePlan": self._plan_kept(task, container),
            "timeLastModified": to_ms(at),
        }
        self._webhooks.fire(Trigger.TASK_ASSIGNED if to_driver else Trigger.TASK_UNASSIGNED, at, task=changed)
        self._store.drop_held(task)
        self._store.append_held(container, task_id)
        self._store.tasks[task_id] = changed
        return changed

    def _plan_kept(self, task: Json, container: Json) -> str | None:
        """A task that is given to somebody else leaves its route plan."""
        plan = self._store.route_plans.get(task["routePlan"] or "")
        return plan["id"] if plan and plan["worker"] == container.get("worker") else None

    def join_plan(self, task_id: str, plan: Json) -> None:
        """Puts an unstarted task into a plan, and at the end of the plan's driver's list."""
        task = self._store.task(task_id)
        if task["routePlan"] == plan["id"]:
            return
        if task["state"] in (ACTIVE, COMPLETED):
            raise VendorError(1000, INVALID, "an active or completed task keeps its route")
        at = self.instant()
        self._store.tasks[task_id] = task | {"routePlan": plan["id"], "timeLastModified": to_ms(at)}
        if plan["worker"]:
            self.assign(task_id, {"type": "WORKER", "worker": plan["worker"]}, at)
        self._webhooks.fire(Trigger.TASK_UPDATED, at, task=self._store.task(task_id))
        self.edited.append(task_id)

    def arrange(self, container: Json, wanted: object) -> None:
        """`PUT /containers`: a leading number inserts there (-1 appends), without one the list replaces."""
        container = self._container(container)
        if not isinstance(wanted, list):
            raise VendorError(1000, INVALID, "tasks")
        position = wanted[0] if wanted and isinstance(wanted[0], int) else None
        ids = [str(item) for item in (wanted if position is None else wanted[1:])]
        before = self._store.held(container)
        kept = [item for item in before if item not in ids]
        if position is None:
            self._release([item for item in kept if self._store.task(item)["state"] != ACTIVE])
            kept = [item for item in kept if self._store.task(item)["state"] == ACTIVE]
        place = len(kept) if position in (None, -1) else int(position or 0)
        for task_id in ids:
            self.assign(task_id, container)
        self._store.put_held(container, [*kept[:place], *ids, *kept[place:]])
        self.edited += ids

    def _release(self, task_ids: list[str]) -> None:
        for task_id in task_ids:
            self.assign(task_id, self._store.own_container())
            self.edited.append(task_id)

    def delete(self, task_id: str) -> None:
        task = self._store.task(task_id)
        if task["state"] in (ACTIVE, COMPLETED) and self.refuse_delete_in_flight:
            raise VendorError(1000, INVALID, "an active or completed task cannot be deleted")
        self._webhooks.fire(Trigger.TASK_DELETED, self.instant(), task=task)
        self._store.drop_held(task)
        if task["state"] == ACTIVE:
            self._set_worker(task["worker"], activeTask=None)
        self._store.deleted_tasks[task_id] = task
        del self._store.tasks[task_id]
        self.edited.append(task_id)

    def clone(self, task_id: str, body: object) -> Json:
        """`POST /tasks/:id/clone`: a body of null, `{"options": {...}}` or the options themselves."""
        task = self._store.task(task_id)
        options = body.get("options", body) if isinstance(body, dict) else {}
        overrides = options.get("overrides") or {}
        wanted = {name: task[name] for name in KNOWN_FIELDS - {"metadata", "dependencies"} if name in task}
        wanted |= {"destination": task["destination"], "recipients": task["recipients"]}
        wanted["recipientName"] = task["overrides"]["recipientName"]
        if options.get("includeMetadata"):
            wanted["metadata"] = task["metadata"]
        after = overrides.get("completeAfter")
        if after is not None and after <= to_ms(self._now()):
            raise VendorError(1009, "A time constraint was violated.", "completeAfter must be in the future")
        return self.create(wanted | overrides | {"sourceTaskId": task_id})

    def complete_by_force(self, task_id: str, body: object) -> None:
        details = body.get("completionDetails") if isinstance(body, dict) else None
        if not isinstance(details, dict) or not isinstance(details.get("success"), bool):
            raise VendorError(1000, INVALID, "completionDetails")
        if self._store.task(task_id)["state"] != ACTIVE:
            raise VendorError(1000, INVALID, "only an active task can be completed")
        self.complete(
            task_id, self.instant(), success=details["success"], notes=str(details.get("notes") or "")
        )
        self.edited.append(task_id)

    # --- what the driver's app does; each does nothing when it was done before ---

    def start(self, task_id: str, at: datetime) -> None:
        task = self._store.task(task_id)
        if task["state"] != ASSIGNED:
            return
        held = [task_id, *(item for item in self._store.held(task["container"]) if item != task_id)]
        changed = self._with_event(task, "start", at) | {"state": int(ACTIVE)}
        self._webhooks.fire(Trigger.TASK_STARTED, at, task=changed)
        self._store.put_held(task["container"], held)
        self._set_worker(task["worker"], activeTask=task_id)
        self._store.tasks[task_id] = changed

    def arrive(self, task_id: str, at: datetime) -> None:
        task = self._store.task(task_id)
        if task["state"] != ACTIVE or _has_event(task, "arrival"):
            return
        changed = self._with_event(task, "arrival", at)
        self._webhooks.fire(Trigger.TASK_ARRIVAL, at, task=changed, distance=0)
        self._store.tasks[task_id] = changed

    def complete(
        self,
        task_id: str,
        at: datetime,
        *,
        success: bool,
        reason: str = "NONE",
        notes: str = "",
        left: Json | None = None,
    ) -> None:
        """`left` is what `emulator_fields.evidence` makes: photos, a signature, where the driver was."""
        task = self._store.task(task_id)
        if task["state"] == COMPLETED:
            return
        left = left or {}
        changed = self._with_event(task, "departure", at, left.get("lastLocation"))
        changed |= {"state": int(COMPLETED), "delayTime": None}
        words = (
            {"notes": notes, "successNotes": notes} if success else {"failureNotes": notes, "notes": notes}
        )
        changed["completionDetails"] |= {
            "success": success,
            "time": to_ms(at),
            "failureReason": "NONE" if success else reason,
        } | words
        changed["completionDetails"] |= left
        self._webhooks.fire(Trigger.TASK_COMPLETED if success else Trigger.TASK_FAILED, at, task=changed)
        self._store.drop_held(task)
        if task["worker"]:
            self._set_worker(task["worker"], activeTask=None)
        self._store.tasks[task_id] = changed

    def predict(self, task_id: str, eta: datetime, at: datetime) -> None:
        """A new ETA. Onfleet's list of ETA, delay and predicted-delay events follows from it."""
        task = self._store.task(task_id)
        if task["state"] == COMPLETED:
            return
        service = timedelta(minutes=task.get("serviceTime") or 0)
        end = task["completeBefore"]
        late = max((to_ms(eta) - end) // 1000, 0) if end is not None else 0
        changed = task | {
            "estimatedArrivalTime": to_ms(eta),
            "estimatedCompletionTime": to_ms(eta + service),
            "eta": to_ms(eta),
            "delayTime": late or None,
            "timeLastModified": max(to_ms(at), task["timeLastModified"]),
        }
        if task["state"] == ACTIVE:
            seconds = max((to_ms(eta) - to_ms(at)) // 1000, 0)
            self._webhooks.fire(Trigger.TASK_ETA, at, task=changed, etaSeconds=seconds)
        if late and task["state"] == ACTIVE:
            self._webhooks.fire(Trigger.TASK_DELAYED, at, task=changed, delay=late)
        if late:
            self._webhooks.fire(Trigger.PREDICTED_TASK_DELAY, at, task=changed, delay=late)
        self._store.tasks[task_id] = changed

    def near(self, task_id: str, location: list[float], at: datetime) -> None:
        """The driver was seen at `location`: the arrival event goes out once its distance is passed."""
        task = self._store.task(task_id)
        destination = self._store.destinations[task["destination"]]["location"]
        if task["state"] == ACTIVE and destination:
            self._webhooks.fire(Trigger.TASK_ARRIVAL, at, task=task, distance=metres(location, destination))

    # --- parts ---

    def _with_event(self, task: Json, name: str, at: datetime, location: object = None) -> Json:
        details = dict(task["completionDetails"])
        event = {"name": name, "time": to_ms(at)} | ({"location": location} if location else {})
        details["events"] = [*details["events"], event]
        return task | {"completionDetails": details, "timeLastModified": to_ms(at)}

    def _set_worker(self, worker_id: str, **changes: Any) -> None:
        self._store.workers[worker_id] = self._store.worker(worker_id) | changes

    def _container(self, wanted: object) -> Json:
        if wanted is None:
            return self._store.own_container()
        kind = wanted.get("type") if isinstance(wanted, dict) else None
        known = {"WORKER": self._store.workers, "TEAM": self._store.teams}.get(str(kind))
        if kind == "ORGANIZATION":
            return self._store.own_container()
        target = wanted.get(str(kind).lower()) if isinstance(wanted, dict) else None
        if known is None or target not in known:
            raise VendorError(1003, "A parameter refers to something that does not exist.", "container")
        return {"type": kind, str(kind).lower(): target}

    def _destination(self, wanted: object, at: datetime) -> str:
        if isinstance(wanted, str):
            if wanted not in self._store.destinations:
                raise VendorError(1003, "A parameter refers to something that does not exist.", "destination")
            return wanted
        return str(self.add_destination(wanted, at)["id"])

    def add_destination(self, wanted: object, at: datetime | None = None) -> Json:
        if not isinstance(wanted, dict) or not isinstance(wanted.get("address"), dict):
            raise VendorError(1000, INVALID, "destination.address")
        address, location = geocoded(wanted["address"], self._store.centre())
        at = at or self.instant()
        destination: Json = {
            "id": self._store.new_id("destination"),
            "timeCreated": to_ms(at),
            "timeLastModified": to_ms(at),
            "location": wanted.get("location") or location,
            "address": address,
            "notes": wanted.get("notes") or "",
            "metadata": wanted.get("metadata") or [],
            "googlePlaceId": None,
            "warnings": [],
        }
        self._store.destinations[str(destination["id"])] = destination
        return destination

    def _recipients(self, wanted: object, at: datetime) -> list[str]:
        if not isinstance(wanted, list) or len(wanted) > 1:
            if wanted is None:
                return []
            raise VendorError(1000, INVALID, "recipients")
        return [self._recipient_id(item, at) for item in wanted]

    def _recipient_id(self, wanted: object, at: datetime) -> str:
        if isinstance(wanted, str):
            return str(self._store.recipient(wanted)["id"])
        return str(self.add_recipient(wanted, at)["id"])

    def add_recipient(self, wanted: object, at: datetime | None = None) -> Json:
        """A new recipient; a phone that is known already keeps its id and takes the new name and notes."""
        if not isinstance(wanted, dict) or not isinstance(wanted.get("name"), str):
            raise VendorError(1000, INVALID, "recipient.name")
        phone = to_e164(str(wanted.get("phone", "")))
        if phone is None:
            raise VendorError(1010, "The phone number is invalid.", str(wanted.get("phone")))
        at = at or self.instant()
        known = self._store.recipient_by_phone(phone)
        recipient = (known or {"id": self._store.new_id("recipient"), "timeCreated": to_ms(at)}) | {
            "organization": self._store.organization_id,
            "timeLastModified": to_ms(at),
            "name": wanted["name"],
            "phone": phone,
            "notes": wanted.get("notes") or "",
            "skipSMSNotifications": bool(wanted.get("skipSMSNotifications")),
            "metadata": wanted.get("metadata") or [],
        }
        self._store.put_recipient(recipient)
        return recipient


def _has_event(task: Json, name: str) -> bool:
    return any(event["name"] == name for event in task["completionDetails"]["events"])
