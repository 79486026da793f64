"""The pretended Onfleet's people and places: workers, teams, hubs and admins, made and changed over the API."""

from dataclasses import dataclass

from connectors.onfleet.emulator_fields import INVALID, geocoded
from connectors.onfleet.emulator_store import Json, Store, VendorError
from connectors.onfleet.emulator_tasks import Tasks
from connectors.onfleet.payloads import TaskState, to_ms
from connectors.phones import to_e164

DOES_NOT_EXIST = "A parameter refers to something that does not exist."


@dataclass(frozen=True)
class Kind:
    """Which fields a body must bring, and with which values the others start. All of them may be changed."""

    required: tuple[str, ...]
    defaults: Json


KINDS: dict[str, Kind] = {
    "workers": Kind(
        ("name", "phone", "teams"),
        {
            "displayName": None,
            "capacity": 0,
            "additionalCapacities": {"capacityA": 0, "capacityB": 0, "capacityC": 0},
            "vehicle": None,
            "metadata": [],
            "addresses": {"routing": None},
        },
    ),
    "teams": Kind(("name",), {"managers": [], "hub": None, "enableSelfAssignment": False}),
    "hubs": Kind(("name", "address"), {"teams": [], "location": None}),
    "admins": Kind(
        ("name", "email"), {"type": "standard", "isReadOnly": False, "phone": None, "metadata": []}
    ),
}


class Directory:
    def __init__(self, store: Store, tasks: Tasks) -> None:
        self._store = store
        self._tasks = tasks

    def create(self, kind: str, wanted: Json) -> Json:
        for name in KINDS[kind].required:
            if not wanted.get(name):
                raise VendorError(1000, INVALID, name)
        at = to_ms(self._tasks.instant())
        item = {
            "id": self._store.new_id(kind),
            "organization": self._store.organization_id,
            "timeCreated": at,
            "timeLastModified": at,
            **(self._born_worker(wanted, at) if kind == "workers" else {}),
            **KINDS[kind].defaults,
            **self._read(kind, wanted),
        }
        self._store.ledger(kind)[item["id"]] = item
        self._join(kind, item["id"], wanted)
        return self._whole(kind, item["id"])

    def update(self, kind: str, item_id: str, wanted: Json) -> Json:
        item = self._whole(kind, item_id) and self._store.ledger(kind)[item_id]
        changes = self._read(kind, wanted)
        if kind == "workers":
            changes.pop("phone", None)  # fixed once it is known
        moment = {"timeLastModified": to_ms(self._tasks.instant())}
        self._store.ledger(kind)[item_id] = item | changes | moment
        self._join(kind, item_id, wanted)
        return self._whole(kind, item_id)

    def delete(self, kind: str, item_id: str) -> None:
        """What a worker or team held goes back to the organisation."""
        whole = self._whole(kind, item_id)
        held = [self._store.task(task_id) for task_id in whole.get("tasks", [])]
        if any(task["state"] == TaskState.ACTIVE for task in held):
            raise VendorError(1000, INVALID, "a worker with an active task cannot be deleted")
        for task in held:
            self._tasks.assign(task["id"], self._store.own_container())
        del self._store.ledger(kind)[item_id]

    def _whole(self, kind: str, item_id: str) -> Json:
        whole = self._store.find(kind, item_id)
        if whole is None:
            raise VendorError(1402, "The requested resource does not exist.")
        return whole

    def _read(self, kind: str, wanted: Json) -> Json:
        known = {*KINDS[kind].required, *KINDS[kind].defaults}
        fields = {name: value for name, value in wanted.items() if name in known}
        if not set(fields.get("teams") or []) <= set(self._store.teams):
            raise VendorError(1003, DOES_NOT_EXIST, "teams")
        if kind == "workers" and "phone" in fields:
            fields["phone"] = self._free_phone(str(fields["phone"]))
        if isinstance(fields.get("address"), dict):
            fields["address"], found = geocoded(fields["address"], self._store.centre())
            fields["location"] = fields.get("location") or found
        return fields

    def _free_phone(self, given: str) -> str:
        phone = to_e164(given)
        if phone is None:
            raise VendorError(1010, "The phone number is invalid.", given)
        if any(worker["phone"] == phone for worker in self._store.workers.values()):
            raise VendorError(1004, "A worker with this phone number already exists.", phone)
        return phone

    def _born_worker(self, wanted: Json, at: int) -> Json:
        return {
            "timeLastSeen": at,
            "activeTask": None,
            "onDuty": False,
            "accountStatus": "INVITED",
            "location": None,
            "delayTime": None,
            "imageUrl": None,
            "timezone": self._store.organization["self"]["timezone"],
            "hasRecentlyUsedSpoofedLocations": False,
        }

    def _join(self, kind: str, team_id: str, wanted: Json) -> None:
        """A team's body lists its workers; the store keeps the teams of each worker."""
        if kind != "teams" or not isinstance(wanted.get("workers"), list):
            return
        for worker_id, worker in list(self._store.workers.items()):
            teams = [other for other in worker["teams"] if other != team_id]
            joined = [*teams, team_id] if worker_id in wanted["workers"] else teams
            self._store.workers[worker_id] = worker | {"teams": joined}

    # --- schedules ---

    def schedule(self, worker_id: str) -> Json:
        self._whole("workers", worker_id)
        return {"entries": self._store.schedules.get(worker_id, [])}

    def set_schedule(self, worker_id: str, wanted: Json) -> Json:
        self._whole("workers", worker_id)
        entries = wanted.get("entries")
        if not isinstance(entries, list) or not all(
            isinstance(entry, dict) and {"date", "shifts"} <= set(entry) for entry in entries
        ):
            raise VendorError(1000, INVALID, "entries")
        self._store.schedules[worker_id] = entries
        return self.schedule(worker_id)
