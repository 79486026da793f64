"""What the pretended Onfleet remembers: its objects, as the JSON it answers with, and who holds which task.

Times are unix milliseconds here. Tasks refer to destinations and recipients by id and are made whole on
reading, so that a recipient's change shows on every task.
"""

import base64
import hashlib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.emulation import Ledger
from connectors.onfleet.payloads import to_ms

Json = dict[str, Any]

ERRORS: dict[int, tuple[int, str]] = {
    1000: (400, "InvalidContent"),
    1002: (400, "InvalidContent"),
    1003: (400, "InvalidContent"),
    1004: (400, "InvalidContent"),
    1008: (400, "InvalidContent"),
    1009: (400, "InvalidContent"),
    1010: (400, "InvalidContent"),
    1011: (400, "InvalidContent"),
    1102: (401, "InvalidCredentials"),
    1402: (404, "ResourceNotFound"),
    2300: (429, "TooManyRequests"),
}
"""HTTP status and `code` by error number. The name for 2300 is a guess, no client reads it."""


class VendorError(Exception):
    """An answer of the pretended vendor that is not 2xx."""

    def __init__(self, number: int, message: str, cause: str | None = None) -> None:
        super().__init__(message)
        self.number = number
        self.status, self.code = ERRORS[number]
        self.cause = cause

    def body(self) -> Json:
        detail = {
            "error": self.number,
            "message": str(self),
            "request": "00000000-0000-4000-8000-000000000000",
        }
        return {"code": self.code, "message": detail | ({"cause": self.cause} if self.cause else {})}


def make_id(kind: str, key: str) -> str:
    """24 characters of `[A-Za-z0-9*~]`, the same for the same key."""
    digest = hashlib.sha256(f"{kind}:{key}".encode()).digest()
    return base64.b64encode(digest, altchars=b"*~").decode()[:24]


class Store:
    """Every object of the pretended account. Give a `path` and it survives kill -9."""

    def __init__(self, path: Path | None) -> None:
        self.organization = Ledger(path, "onfleet_organization")
        self.admins = Ledger(path, "onfleet_admins")
        self.teams = Ledger(path, "onfleet_teams")
        self.hubs = Ledger(path, "onfleet_hubs")
        self.workers = Ledger(path, "onfleet_workers")
        self.recipients = Ledger(path, "onfleet_recipients")
        self.destinations = Ledger(path, "onfleet_destinations")
        self.tasks = Ledger(path, "onfleet_tasks")
        self.deleted_tasks = Ledger(path, "onfleet_deleted_tasks")
        self.containers = Ledger(path, "onfleet_containers")
        self.route_plans = Ledger(path, "onfleet_route_plans")
        self.schedules = Ledger(path, "onfleet_schedules")
        self.webhooks = Ledger(path, "onfleet_webhooks")
        self.batches = Ledger(path, "onfleet_batches")
        self._counters = Ledger(path, "onfleet_counters")
        self._task_by_short_id = {task["shortId"]: task_id for task_id, task in self.tasks.items()}
        self._recipient_by_phone = {item["phone"]: key for key, item in self.recipients.items()}

    def new_id(self, kind: str) -> str:
        number = self._counters.get(kind, 0) + 1
        self._counters[kind] = number
        return make_id(kind, str(number))

    @property
    def organization_id(self) -> str:
        return str(self.organization["self"]["id"])

    def settle_organization(self, name: str, timezone: str, now: datetime) -> None:
        if "self" in self.organization:
            return
        self.organization["self"] = {
            "id": make_id("organization", name),
            "timeCreated": to_ms(now),
            "timeLastModified": to_ms(now),
            "name": name,
            "email": "dispatch@example.com",
            "image": None,
            "timezone": timezone,
            "country": "US",
            "delegatees": [],
            "driverSupportEmail": "dispatch@example.com",
        }
        admin_id = make_id("admin", name)
        self.admins[admin_id] = {
            "id": admin_id,
            "organization": self.organization_id,
            "email": "dispatch@example.com",
            "type": "super",
            "name": f"{name} dispatch",
            "isActive": True,
        }

    # --- containers: who holds which unfinished task, in driving order ---

    def held(self, container: Json) -> list[str]:
        return list(self.containers.get(container_key(container), []))

    def put_held(self, container: Json, task_ids: Iterable[str]) -> None:
        self.containers[container_key(container)] = list(task_ids)

    def append_held(self, container: Json, task_id: str) -> None:
        held = self.held(container)
        if task_id not in held:
            self.put_held(container, [*held, task_id])

    def drop_held(self, task: Json) -> None:
        held = self.held(task["container"])
        if task["id"] in held:
            self.put_held(task["container"], [task_id for task_id in held if task_id != task["id"]])

    def own_container(self) -> Json:
        return {"type": "ORGANIZATION", "organization": self.organization_id}

    def centre(self) -> list[float]:
        """`[lng, lat]` around which unknown addresses are found: where the first driver was made known."""
        for worker in self.workers.values():
            if worker["location"]:
                return list(worker["location"])
        return [-73.41, 41.12]

    # --- tasks, recipients, destinations ---

    def add_task(self, task: Json) -> None:
        self._task_by_short_id[task["shortId"]] = task["id"]
        # The task comes last: a kill in between leaves nothing that a second call would take for done.
        self.append_held(task["container"], task["id"])
        self.tasks[task["id"]] = task

    def task(self, task_id: str) -> Json:
        return _found(self.tasks, task_id)

    def task_by_short_id(self, short_id: str) -> Json:
        return self.task(self._task_by_short_id.get(short_id, ""))

    def worker(self, worker_id: str) -> Json:
        return _found(self.workers, worker_id)

    def recipient(self, recipient_id: str) -> Json:
        return _found(self.recipients, recipient_id)

    def recipient_by_phone(self, phone: str) -> Json | None:
        found = self._recipient_by_phone.get(phone)
        return self.recipients[found] if found else None

    def put_recipient(self, recipient: Json) -> None:
        self._recipient_by_phone[recipient["phone"]] = recipient["id"]
        self.recipients[recipient["id"]] = recipient

    def whole_task(self, task: Json) -> Json:
        """The task as the API answers it."""
        return task | {
            "destination": self.destinations.get(task["destination"]),
            "recipients": [self.recipients[item] for item in task["recipients"] if item in self.recipients],
        }

    def whole_worker(self, worker: Json) -> Json:
        return worker | {"tasks": self.held({"type": "WORKER", "worker": worker["id"]})}

    def whole_team(self, team: Json) -> Json:
        members = [worker["id"] for worker in self.workers.values() if team["id"] in worker["teams"]]
        return team | {"workers": members, "tasks": self.held({"type": "TEAM", "team": team["id"]})}

    def created_at(self, task_id: str) -> int:
        """When a task was created, also one deleted meanwhile: a page may end with it."""
        if task_id in self.deleted_tasks:
            return int(self.deleted_tasks[task_id]["timeCreated"])
        return int(self.task(task_id)["timeCreated"])

    def add_batch(self, done: Json) -> str:
        job_id = self.new_id("batch")
        self.batches[job_id] = {
            "status": "succeeded",
            "submitted": "Less than a minute ago.",
            "tasksReceived": len(done["tasks"]) + len(done["errors"]),
            "tasksCreated": len(done["tasks"]),
            "errors": done["errors"],
            "failedTasks": [item["task"] for item in done["errors"]],
            "succeededWithWarnings": [],
        }
        return job_id

    def all_of(self, kind: str) -> list[Json]:
        """Every object of a plural kind (`tasks`, `workers`, ...) as the API answers it."""
        return [self._whole(kind, item) for item in self.ledger(kind).values()]

    def find(self, kind: str, wanted: str) -> Json | None:
        item = self.ledger(kind).get(wanted)
        return self._whole(kind, item) if item is not None else None

    def ledger(self, kind: str) -> Ledger:
        ledger: Ledger = getattr(self, kind)
        return ledger

    def _whole(self, kind: str, item: Json) -> Json:
        whole = {"tasks": self.whole_task, "workers": self.whole_worker, "teams": self.whole_team}.get(kind)
        return whole(item) if whole else item


def container_key(container: Json) -> str:
    kind = container["type"]
    return f"{kind}:{container[kind.lower()]}"


def _found(ledger: Ledger, key: str) -> Json:
    if key not in ledger:
        raise VendorError(1402, "The requested resource does not exist.")
    value: Json = ledger[key]
    return value
