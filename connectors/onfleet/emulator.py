"""Onfleet, pretended: the vendor's API and webhooks over HTTP, and what its drivers do as Python methods."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from connectors import pictures
from connectors.base import Address, DeliveryWindow, Now
from connectors.emulated_faults import faults_route
from connectors.emulated_webhooks import WebhookFaultsBody
from connectors.emulation import FaultMiddleware, Faults
from connectors.onfleet.bodies import metadatum, wire_address
from connectors.onfleet.emulator_api import Api
from connectors.onfleet.emulator_fields import evidence
from connectors.onfleet.emulator_store import Json, Store, make_id
from connectors.onfleet.emulator_tasks import Tasks
from connectors.onfleet.emulator_webhooks import Webhooks
from connectors.onfleet.payloads import Trigger, to_ms

REPEAT_SECONDS = 1_800.0
"""What Onfleet waits before it delivers an unanswered event again; tests and the demo take less."""


PICTURES = 6


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
            faults_route(WebhookFaultsBody, self.apply_faults),
        ]
        # Stands in for Onfleet's media host, which asks for no key: the ids are the secret.
        media = Route("/{upload_id}/{size}.png", self._picture, methods=["GET"])
        app = Starlette(routes=[*self.api.routes(), *own, media], lifespan=self.webhooks.while_up)
        return FaultMiddleware(app, self.faults)

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
        capacity: float = 0,
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
                "capacity": capacity,
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

    def add_route_plan(self, key: str, *, name: str, worker: str | None, starts_at: datetime) -> str:
        """The same `key` again: the same plan."""
        wanted = {"name": name, "worker": worker, "startTime": to_ms(starts_at)}
        return self.api.plans.ensure(key, wanted)

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
        service_minutes: float = 5,
        quantity: float = 1,
        route_plan: str | None = None,
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
            "quantity": quantity,
            "routePlan": route_plan,
            "serviceTime": service_minutes,
            "container": {"type": "WORKER", "worker": worker},
            "metadata": [metadatum(name, value) for name, value in metadata.items()],
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
        photos: int = 0,
        signed_by: str = "",
        has_signature: bool | None = None,
        location: tuple[float, float] | None = None,
    ) -> None:
        """`location` is latitude, longitude. Whoever types a name also signs, unless told otherwise."""
        signs = bool(signed_by) if has_signature is None else has_signature
        left = evidence(task_id, photos, signed_by, signs, location)
        self.tasks.complete(
            task_id, at or self._now(), success=success, reason=reason, notes=notes, left=left
        )

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

    async def _picture(self, request: Request) -> Response:
        upload_id, size = request.path_params["upload_id"], request.path_params["size"]
        for task in self.store.tasks.values():
            details, variant = task["completionDetails"], ord(task["id"][-1]) % PICTURES
            photos = details["photoUploadIds"] or []
            # Painting takes a moment, so there are few different pictures.
            if size == "800x" and upload_id in photos:
                return _png(
                    await asyncio.to_thread(pictures.parcel_at_a_door, variant, photos.index(upload_id))
                )
            if size == "282x" and upload_id == details["signatureUploadId"]:
                return _png(await asyncio.to_thread(pictures.signature, str(variant)))
        return Response(status_code=403)

    def apply_faults(self, wanted: WebhookFaultsBody) -> None:
        wanted.apply_to(self.faults)
        self.webhooks.misbehave(wanted)


def _png(content: bytes) -> Response:
    return Response(content, media_type="image/png")
