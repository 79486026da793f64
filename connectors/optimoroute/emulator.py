"""OptimoRoute, pretended: the vendor's API over HTTP, and what its drivers and dispatchers do as Python methods."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Literal

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from connectors import pictures
from connectors.address_lines import in_one_line
from connectors.base import Address, DeliveryWindow, Now
from connectors.emulated_faults import FaultsBody, faults_route
from connectors.emulation import FaultMiddleware, Faults
from connectors.optimoroute.emulator_api import Api
from connectors.optimoroute.emulator_fields import DEFAULTS
from connectors.optimoroute.emulator_orders import Orders
from connectors.optimoroute.emulator_plan import Plan
from connectors.optimoroute.emulator_store import Json, Store, make_id
from connectors.optimoroute.local_time import write_window
from connectors.optimoroute.payloads import OrderStatus

PICTURES = 6


class OptimoRouteEmulator:
    """One pretended account. Serve `app`; what happens in the drivers' vans comes in through the methods.

    Everything is remembered under `ledger_path` and survives kill -9. Instants are aware; `at` is when
    something happened and defaults to `now()`. Doing a thing twice changes nothing, so a killed day may repeat
    its last steps. Raises `ValueError` for an unknown `timezone`.
    """

    def __init__(
        self,
        api_key: str,
        *,
        now: Now,
        timezone: str,
        ledger_path: Path | None = None,
        at_once: int | None = 5,
    ) -> None:
        self.api_key = api_key
        self.faults = Faults()
        self.store = Store(ledger_path, timezone)
        self.orders = Orders(self.store, now)
        self.plan = Plan(self.store, now)
        self.api = Api(self.store, self.orders, self.plan, api_key=api_key, at_once=at_once)
        self._now = now
        self.app = self._make_app()

    def _make_app(self) -> ASGIApp:
        own = [
            Route("/_emulator/state", self._state, methods=["GET"]),
            faults_route(EventFaultsBody, self.apply_faults),
        ]
        # Stands in for the host of pictures, which asks for no key: the ids are the secret.
        media = Route("/media/{order_id}/{name}.png", self._picture, methods=["GET"])
        return FaultMiddleware(Starlette(routes=[*self.api.routes(), *own, media]), self.faults)

    # --- what an account is set up with ---

    def add_driver(
        self,
        external_id: str,
        *,
        name: str,
        vehicle: str = "",
        capacity: float | None = None,
        break_after: int | None = None,
    ) -> str:
        """Returns the external id. The same one again: the same driver. `break_after` counts stops."""
        if all(driver["externalId"] != external_id for driver in self.store.drivers.values()):
            serial = f"{self.store.count('drivers'):03d}"
            self.store.drivers[serial] = {
                "serial": serial,
                "externalId": external_id,
                "name": name,
                "vehicleLabel": vehicle or f"Van {serial}",
                "vehicleRegistration": f"V{serial}",
                "capacity1": capacity,
                "onDuty": False,
                "breakAfter": break_after,
                "days": {},
            }
        return external_id

    def add_order(
        self,
        key: str,
        *,
        driver: str | None,
        address: Address,
        recipient_name: str,
        recipient_phone: str,
        window: DeliveryWindow,
        planned_at: datetime | None = None,
        fields: dict[str, object] | None = None,
        notes: str = "",
        service_minutes: int = 5,
        load: float = 1,
    ) -> Json:
        """An order numbered `key`, scheduled on the driver's route of its day; the same `key`: what is there.

        `fields` are further ones by the wire's names. Raises `ValueError` for a window over midnight.
        """
        order_id = make_id("order", key)
        for known in (self.store.orders, self.store.deleted_orders):
            if order_id in known:
                return dict(known[order_id]["data"])
        told = write_window(window, self.store.zone)
        if told is None:
            raise ValueError("the window cannot be told in one day's local times")
        day, tw_from, tw_to = told
        data = DEFAULTS | {
            "date": day.isoformat(),
            "type": "D",
            "timeWindows": [{"twFrom": tw_from, "twTo": tw_to}],
            "location": self._location(key, address, recipient_name),
            "phone": recipient_phone,
            "notes": notes,
            "duration": service_minutes,
            "load1": load,
        }
        self.store.put_order(self.orders.fresh(order_id, key, data | (fields or {})))
        if driver is not None:
            self._schedule(order_id, driver, day.isoformat(), planned_at)
        return dict(self.store.order(order_id)["data"])

    def _location(self, key: str, address: Address, name: str) -> Json:
        return {
            "locationNo": f"L-{key}",
            "locationName": name,
            "address": in_one_line(address),
            "latitude": address.latitude,
            "longitude": address.longitude,
            "checkInTime": 0,
            "notes": "",
            "valid": True,
        }

    def _schedule(self, order_id: str, driver: str, day: str, planned_at: datetime | None = None) -> None:
        serial = self.store.driver({"externalId": driver})["serial"]
        self.plan.schedule(order_id, serial, day, planned_at)
        if day in self.store.dispatch:
            self.store.change_order(order_id, sent=True)

    # --- what drivers do ---

    def set_duty(self, driver: str, on_duty: bool, at: datetime | None = None) -> None:
        at, known = at or self._now(), self.store.driver({"externalId": driver})
        if known["onDuty"] is on_duty:
            return
        if not on_duty:
            self.store.tell("end_route", at, known)
        self.store.tell("on_duty" if on_duty else "off_duty", at, known)
        self.store.drivers[known["serial"]] = known | {"onDuty": on_duty}

    def start_order(self, order_id: str, at: datetime | None = None) -> None:
        """The driver leaves for a stop. An order that was not sent yet is sent first: the driver could not else."""
        self.send_route_of(order_id)
        self.orders.start(order_id, at or self._now())

    def arrive(self, order_id: str, at: datetime | None = None) -> None:
        self.orders.arrive(order_id, at or self._now())

    def complete(
        self,
        order_id: str,
        *,
        status: OrderStatus = OrderStatus.SUCCESS,
        note: str = "",
        photos: int = 0,
        is_signed: bool = False,
        at: datetime | None = None,
    ) -> None:
        """`status` is success, failed or rejected."""
        form = {"note": note, "photos": photos, "signed": is_signed}
        self.orders.finish(order_id, status, at or self._now(), form)

    def set_eta(self, order_id: str, eta: datetime) -> None:
        self.orders.predict(order_id, eta)

    # --- what dispatchers do in OptimoRoute's own pages ---

    def send_day(self, day: str) -> None:
        """Sends what was not sent; nothing to send is no error."""
        if any(
            not self.store.order(stop["id"])["sent"]
            for _, stops in self.store.routes_of(day)
            for stop in stops
        ):
            self.plan.send(day)

    def send_route_of(self, order_id: str) -> None:
        if key := self.store.route_key_of(order_id):
            self.send_day(key.partition(":")[0])

    def take_off_route(self, order_id: str) -> None:
        self.plan.unschedule(order_id)

    def put_on_route(self, order_id: str, driver: str) -> None:
        """Onto the driver's route of the order's day, the last stop; known to the driver where the day was sent."""
        self._schedule(order_id, driver, str(self.store.order(order_id)["data"]["date"]))

    def take_edits(self) -> list[str]:
        """Ids of the orders that were changed over the API since the last call, each once."""
        edited, self.orders.edited = list(dict.fromkeys(self.orders.edited)), []
        return edited

    # --- the emulator's own controls ---

    async def _state(self, request: Request) -> Response:
        by_status = dict.fromkeys(OrderStatus, 0)
        for order in self.store.orders.values():
            by_status[OrderStatus(order["status"])] += 1
        return JSONResponse(
            {
                "orders": by_status,
                "drivers": len(self.store.drivers),
                "events": len(self.store.events),
                "sent_days": list(self.store.dispatch),
                "most_at_once": self.api.most_at_once,
                "unexpected_requests": self.api.unexpected,
            }
        )

    async def _picture(self, request: Request) -> Response:
        order_id, name = request.path_params["order_id"], request.path_params["name"]
        order = self.store.orders.get(order_id)
        form = order["form"] if order else {}
        # Painting takes a moment, so there are few different pictures.
        variant = int(order_id[-1], 16) % PICTURES if order else 0
        if name == "signature" and form.get("signed"):
            return _png(await asyncio.to_thread(pictures.signature, str(variant)))
        if name.isdecimal() and int(name) < form.get("photos", 0):
            return _png(await asyncio.to_thread(pictures.parcel_at_a_door, variant, int(name)))
        return Response(status_code=404)

    def apply_faults(self, wanted: "EventFaultsBody") -> None:
        if wanted.clear:
            self.api.event_faults = set()
        wanted.apply_to(self.faults)
        if wanted.events is not None:
            self.api.event_faults = set(wanted.events)


class EventFaultsBody(FaultsBody):
    events: list[Literal["duplicate", "reorder"]] | None = None
    """How `get_events` misbehaves: tells events again, or in the wrong order."""


def _png(content: bytes) -> Response:
    return Response(content, media_type="image/png")
