"""Onfleet, pretended: the vendor's API and webhooks over HTTP, and what its drivers do as Python methods."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from connectors.base import Address, DeliveryWindow, Now
from connectors.emulation import Fault, FaultMiddleware, Faults, read_json
from connectors.onfleet.emulator_api import Api
from connectors.onfleet.emulator_store import Json, Store, make_id
from connectors.onfleet.emulator_tasks import Tasks
from connectors.onfleet.emulator_webhooks import Webhooks
from connectors.onfleet.payloads import Trigger, to_ms

REPEAT_SECONDS = 1_800.0
"""What Onfleet waits before it delivers an unanswered event again; tests and the demo take less."""


class OnfleetEmulator:
    """One pretended account. Serve `app`; what happens in the drivers' vans comes in through the methods.

    Everything is remembered under `ledger_path` and survives kill -9, undelivered events included. Instants
    are aware; `at` is when something happened and defaults to `now()`. Doing a thing twice changes nothing,
    so a killed day may repeat its last steps.
    """

    def __init__(
        self,
        api_key: str,
        webhook_secret: str,
        *,
        now: Now,
        timezone: str,
        organization: str = "QuickShip",
        ledger_path: Path | None = None,
        rate_limit: int | None = 20,
        repeat_seconds: float = REPEAT_SECONDS,
    ) -> None:
        self.api_key = api_key
        self.webhook_secret = webhook_secret
        self.faults = Faults()
        self.store = Store(ledger_path)
        self.store.settle_organization(organization, timezone, now())
        self.webhooks = Webhooks(self.store, webhook_secret, ledger_path, repeat_seconds)
        self.tasks = Tasks(self.store, self.webhooks, now)
        self.api = Api(self.store, self.tasks, self.webhooks, api_key=api_key, rate_limit=rate_limit)
        self._now = now
        self.app = self._make_app()

    def _make_app(self) -> ASGIApp:
        own = [
            Route("/_emulator/state", self._state, methods=["GET"]),
            Route("/_emulator/faults", self._change_faults, methods=["POST"]),
        ]
        app = Starlette(routes=[*self.api.routes(), *own], lifespan=self._delivering)
        return FaultMiddleware(app, self.faults)

    @asynccontextmanager
    async def _delivering(self, app: Starlette) -> AsyncIterator[None]:
        sender = asyncio.create_task(self.webhooks.run())
        try:
            yield
        finally:
            sender.cancel()
            with suppress(asyncio.CancelledError):
                await sender

    # --- what an account is set up with ---

    def add_team(self, name: str) -> str:
        team_id = make_id("team", name)
        if team_id not in self.store.teams:
            moment = to_ms(self._now())
            self.store.teams[team_id] = {
                "id": team_id,
                "name": name,
                "timeCreated": moment,
                "timeLastModified": moment,
                "managers": list(self.store.admins),
                "hub": None,
                "enableSelfAssignment": False,
            }
        return team_id

    def add_hub(self, name: str, address: Address, teams: Iterable[str]) -> str:
        hub_id = make_id("hub", name)
        self.store.hubs[hub_id] = {
            "id": hub_id,
            "name": name,
            "location": [address.longitude, address.latitude],
            "address": wire_address(address),
            "teams": list(teams),
        }
        return hub_id

    def add_worker(
        self,
        key: str,
        *,
        name: str,
        phone: str,
        team: str,
        location: tuple[float, float],
        display_name: str = "",
    ) -> str:
        """A driver, off duty. `location` is latitude, longitude. The same `key` again: the same driver."""
        worker_id = make_id("worker", key)
        if worker_id not in self.store.workers:
            moment = to_ms(self._now())
            self.store.workers[worker_id] = {
                "id": worker_id,
                "timeCreated": moment,
                "timeLastModified": moment,
                "timeLastSeen": moment,
                "organization": self.store.organization_id,
                "name": name,
                "displayName": display_name or name,
                "phone": phone,
                "activeTask": None,
                "onDuty": False,
                "accountStatus": "ACCEPTED",
                "teams": [team],
                "location": [location[1], location[0]],
                "capacity": 0,
                "additionalCapacities": {"capacityA": 0, "capacityB": 0, "capacityC": 0},
                "vehicle": {"id": make_id("vehicle", key), "type": "CAR", "description": "Van"},
                "delayTime": None,
                "metadata": [],
                "imageUrl": None,
                "timezone": self.store.organization["self"]["timezone"],
                "addresses": {"routing": None},
                "hasRecentlyUsedSpoofedLocations": False,
            }
        return worker_id

    def add_task(
        self,
        key: str,
        *,
        worker: str,
        address: Address,
        recipient_name: str,
        recipient_phone: str,
        window: DeliveryWindow,
        created_at: datetime,
        metadata: dict[str, str],
        notes: str = "",
        service_minutes: int = 5,
    ) -> Json:
        """A task assigned to `worker`; the same `key` again gives the task that is already there."""
        wanted = {
            "destination": {
                "address": wire_address(address),
                "location": [address.longitude, address.latitude],
            },
            "recipients": [{"name": recipient_name, "phone": recipient_phone}],
            "recipientName": recipient_name,
            "completeAfter": to_ms(window.start_at),
            "completeBefore": to_ms(window.end_at),
            "notes": notes,
            "quantity": 1,
            "serviceTime": service_minutes,
            "container": {"type": "WORKER", "worker": worker},
            "metadata": [_metadatum(name, value) for name, value in metadata.items()],
        }
        return self.tasks.create(wanted, at=created_at, key=key)

    # --- what drivers do ---

    def set_duty(self, worker_id: str, on_duty: bool, at: datetime) -> None:
        worker = self.store.worker(worker_id)
        if worker["onDuty"] is on_duty:
            return
        changed = worker | {"onDuty": on_duty, "timeLastModified": to_ms(at), "timeLastSeen": to_ms(at)}
        self.webhooks.fire(Trigger.WORKER_DUTY, at, worker=changed, status=int(on_duty))
        self.store.workers[worker_id] = changed

    def move_worker(self, worker_id: str, latitude: float, longitude: float, at: datetime) -> None:
        worker = self.store.worker(worker_id)
        location = [round(longitude, 6), round(latitude, 6)]
        self.store.workers[worker_id] = worker | {"location": location, "timeLastSeen": to_ms(at)}
        if worker["activeTask"]:
            self.tasks.near(worker["activeTask"], location, at)

    def start_task(self, task_id: str, at: datetime | None = None) -> None:
        self.tasks.start(task_id, at or self._now())

    def set_eta(self, task_id: str, eta: datetime, at: datetime | None = None) -> None:
        self.tasks.predict(task_id, eta, at or self._now())

    def arrive(self, task_id: str, at: datetime | None = None) -> None:
        self.tasks.arrive(task_id, at or self._now())

    def complete_task(
        self,
        task_id: str,
        *,
        success: bool = True,
        reason: str = "NONE",
        notes: str = "",
        at: datetime | None = None,
    ) -> None:
        self.tasks.complete(task_id, at or self._now(), success=success, reason=reason, notes=notes)

    def take_off_route(self, task_id: str, at: datetime | None = None) -> None:
        """A dispatcher gives an unstarted task back to the organisation's pool."""
        self.tasks.assign(task_id, self.store.own_container(), at)

    def put_on_route(self, task_id: str, worker_id: str, at: datetime | None = None) -> None:
        self.tasks.assign(task_id, {"type": "WORKER", "worker": worker_id}, at)

    def take_edits(self) -> list[str]:
        """Ids of the tasks that were changed over the API since the last call, each once."""
        edited, self.tasks.edited = list(dict.fromkeys(self.tasks.edited)), []
        return edited

    # --- the emulator's own controls ---

    async def _state(self, request: Request) -> Response:
        by_state = [0, 0, 0, 0]
        for task in self.store.tasks.values():
            by_state[task["state"]] += 1
        return JSONResponse(
            {
                "tasks": dict(zip(("unassigned", "assigned", "active", "completed"), by_state, strict=True)),
                "workers": len(self.store.workers),
                "webhooks": len(self.store.webhooks),
                "events_delivered": self.webhooks.delivered,
                "events_waiting": self.webhooks.undelivered,
                "unexpected_requests": self.api.unexpected,
            }
        )

    async def _change_faults(self, request: Request) -> Response:
        """Sets what the body names; see `FaultsBody`."""
        try:
            wanted = FaultsBody.model_validate(await read_json(request))
        except ValueError as exc:
            return JSONResponse({"message": str(exc)}, 400)
        self.apply_faults(wanted)
        return JSONResponse({"ok": True})

    def apply_faults(self, wanted: "FaultsBody") -> None:
        if wanted.clear:
            self.faults.clear()
        for name in ("down", "error_share", "slow_share", "slow_seconds"):
            if (value := getattr(wanted, name)) is not None:
                setattr(self.faults, name, value)
        self.faults.next(*wanted.next)
        if wanted.webhooks is not None:
            self.webhooks.faults.__dict__.update(wanted.webhooks.model_dump())
            self.webhooks.wake()


class WebhookFaultsBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    duplicate: bool = False
    reorder: bool = False
    down: bool = False


class FaultsBody(BaseModel):
    """`POST /_emulator/faults`: what is not named stays as it is; `clear` comes first."""

    model_config = ConfigDict(extra="forbid")

    clear: bool = False
    down: bool | None = None
    error_share: float | None = None
    slow_share: float | None = None
    slow_seconds: float | None = None
    next: list[Fault] = []
    webhooks: WebhookFaultsBody | None = None


def wire_address(address: Address) -> Json:
    """Onfleet's parts of an address; a comma sets the apartment off: `14 Elm St, 2B`."""
    number, _, street = address.line.partition(" ")
    street, _, apartment = street.partition(", ")
    return {
        "number": number,
        "street": street,
        "apartment": apartment,
        "city": address.city,
        "state": address.region,
        "postalCode": address.postcode,
        "country": address.country,
    }


def _metadatum(name: str, value: str) -> Json:
    return {"name": name, "type": "string", "value": value, "visibility": ["api"]}
