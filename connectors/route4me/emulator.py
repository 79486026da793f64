"""Route4Me, pretended: v4, v5 and the activity callback over HTTP, and what its drivers do as Python methods."""

import asyncio
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from connectors import pictures
from connectors.address_lines import in_one_line
from connectors.base import Address, DeliveryWindow, Now
from connectors.emulated_faults import faults_route
from connectors.emulated_webhooks import WebhookFaultsBody
from connectors.emulation import FaultMiddleware, Faults
from connectors.route4me.emulator_api import ApiV4
from connectors.route4me.emulator_api5 import ApiV5
from connectors.route4me.emulator_driving import Driving
from connectors.route4me.emulator_feed import Feed
from connectors.route4me.emulator_fields import Json, new_address, new_member, tracking_number
from connectors.route4me.emulator_http import METHODS, Gate
from connectors.route4me.emulator_orders import FIRST_ORDER, Orders
from connectors.route4me.emulator_stops import Stops
from connectors.route4me.emulator_store import OWNER, Store
from connectors.route4me.orders import order_window_body, stop_window_body
from connectors.route4me.payloads import to_ts
from connectors.route4me.windows import route_date, route_day, window_of_stop

REPEAT_SECONDS = 60.0
"""Route4Me does not say how long it waits before it repeats; tests and the demo take less."""
FIRST_MEMBER = 1_001
FIRST_STOP = 317_000_001
PICTURES = 6


class Route4MeEmulator:
    """One pretended account. Serve `app`; what happens in the drivers' vans comes in through the methods.

    Everything is remembered under `ledger_path` and survives kill -9, undelivered activities included. Instants
    are aware. Doing a thing twice changes nothing, so a killed day may repeat its last steps.
    """

    def __init__(
        self,
        api_key: str,
        *,
        now: Now,
        timezone: str,
        ledger_path: Path | None = None,
        rate_limit: int | None = None,
        repeat_seconds: float = REPEAT_SECONDS,
        callback_url: str | None = None,
    ) -> None:
        self.api_key = api_key
        self.timezone = timezone
        self.faults = Faults()
        self.store = Store(ledger_path)
        self.store.settle_owner(timezone)
        self.feed = Feed(self.store, ledger_path, repeat_seconds, api_key)
        self.feed.callback_url = callback_url
        self.orders = Orders(self.store, self.feed, now, timezone)
        self.stops = Stops(self.store, self.feed, self.orders, now)
        self.driving = Driving(self.store, self.feed, self.stops)
        self.gate = Gate(self.store, api_key, rate_limit)
        self._now = now
        self._zone = ZoneInfo(timezone)
        self.app = self._make_app()

    @property
    def callback_url(self) -> str | None:
        """Where activities are pushed to; the web settings of the account, without an API."""
        return self.feed.callback_url

    @callback_url.setter
    def callback_url(self, url: str | None) -> None:
        self.feed.callback_url = url
        self.feed.wake()

    def _make_app(self) -> ASGIApp:
        v4 = ApiV4(self.store, self.feed, self.orders, self.stops, self.driving, self.gate, self._now)
        v5 = ApiV5(self.store, self.feed, self.stops, self.driving, self.gate, self._now)
        own = [
            Route("/_emulator/state", self._state, methods=["GET"]),
            faults_route(WebhookFaultsBody, self.apply_faults),
        ]
        # Stands in for the host of uploads, which asks for no key: the ids are the secret.
        media = Route("/uploads/{kind}/{upload_id}.png", self._picture, methods=["GET"])
        unknown = Route("/{path:path}", self.gate.no_such_call, methods=METHODS)
        routes = [*v4.routes(), *v5.routes(), *own, media, unknown]
        return FaultMiddleware(Starlette(routes=routes, lifespan=self.feed.while_up), self.faults)

    # --- what an account is set up with ---

    def add_member(
        self,
        key: str,
        *,
        name: str,
        phone: str | None,
        zone: str = "",
        member_type: str = "SUB_ACCOUNT_DRIVER",
        location: tuple[float, float] | None = None,
    ) -> str:
        """A member of the team. `location` is latitude, longitude. The same `key` again: the same member."""
        number = self.store.number_of("member", key, FIRST_MEMBER)
        if str(number) not in self.store.members:
            first, _, last = name.partition(" ")
            self.store.members[str(number)] = new_member() | {
                "member_id": number,
                "member_first_name": first,
                "member_last_name": last,
                "member_email": f"driver{number}@example.com",
                "member_type": member_type,
                "member_phone": phone,
                "timezone": self.timezone,
                "custom_data": {"zone": zone} if zone else {},
            }
            if location is not None:
                self.driving.report_position(str(number), *location, self._now())
        return str(number)

    def add_route(
        self,
        key: str,
        *,
        name: str,
        day: date,
        member: str = OWNER,
        depot: Address | None = None,
        starts_at: datetime | None = None,
        most_weight: float | None = None,
    ) -> str:
        """A route of `day`, with its depot as the first place. The same `key` again: the same route."""
        route = self.stops.create_route(
            {
                "route_name": name,
                "route_date": route_date(day),
                "route_time": to_ts(starts_at) - route_date(day) if starts_at else 0,
                "vehicle_max_cargo_weight": most_weight,
            },
            key=key,
            member_id=member,
        )
        route_id = str(route["route_id"])
        if depot is not None and not self.store.addresses_of(route_id):
            number = self.store.number_of("place", f"depot:{key}", FIRST_STOP)
            place = {"lat": depot.latitude, "lng": depot.longitude, "address": in_one_line(depot)}
            ids = {"route_destination_id": number, "route_id": route_id, "member_id": route["member_id"]}
            self.store.put_address(
                new_address() | place | ids | {"is_depot": True, "address_stop_type": "PICKUP"}
            )
        return route_id

    def add_order(
        self,
        key: str,
        *,
        address: Address,
        recipient_name: str,
        recipient_phone: str,
        window: DeliveryWindow,
        created_at: datetime,
        custom: dict[str, str],
        service_seconds: int = 300,
    ) -> Json:
        """An order that waits to be planned; the same `key` again gives the first, even if it was deleted."""
        number = self.store.number_of("order", key, FIRST_ORDER)
        held: Json | None = self.store.orders.get(str(number))
        if held is not None:
            return held
        if f"gone:{number}" in self.store.known:
            return {"order_id": number, "tracking_number": tracking_number(f"order:{number}")}
        first, _, last = recipient_name.partition(" ")
        wanted = (order_window_body(window, self._zone) or {}) | {
            "address_1": in_one_line(address),
            "address_alias": recipient_name,
            "address_city": address.city,
            "address_zip": address.postcode,
            "cached_lat": address.latitude,
            "cached_lng": address.longitude,
            "EXT_FIELD_first_name": first,
            "EXT_FIELD_last_name": last,
            "EXT_FIELD_phone": recipient_phone,
            "EXT_FIELD_custom_data": custom,
            "service_time": service_seconds,
        }
        return self.orders.create(wanted, order_id=number, at=created_at)

    def was_planned(self, order: Json) -> bool:
        """Whether `route_order` ever put it on a route: whoever took it off since meant it."""
        return f"planned:{order['order_id']}" in self.store.known

    def find_order(self, ref: str) -> Json | None:
        found: Json | None = self.store.orders.get(ref.removeprefix("order:"))
        return found

    def route_order(
        self, order: Json, route_id: str, *, planned_at: datetime | None = None, at: datetime | None = None
    ) -> Json:
        """What the account's planner does: puts a waiting order at the end of a route."""
        held = self.store.address_of_order(order["order_id"])
        if held is not None:
            return held
        wanted: Json = {"order_id": order["order_id"]}
        address = self.stops.insert(route_id, wanted, at=at, edited=False)
        if planned_at is not None:
            self._plan(address, planned_at)
        self.store.known[f"planned:{order['order_id']}"] = 1
        return self.address_of(f"order:{order['order_id']}") or address

    def unroute(self, address: Json) -> None:
        """A dispatcher takes a stop off its route; its order takes along what stands on the stop, and waits."""
        order = self.store.orders.get(str(address["order_id"]))
        if order is not None:
            self.store.orders[str(order["order_id"])] = order | self._written_on(address)
        self.stops.delete(address["route_id"], str(address["route_destination_id"]))

    def _written_on(self, address: Json) -> Json:
        day = route_day(self.store.route(address["route_id"])["parameters"]["route_date"])
        pair = (address["time_window_start"], address["time_window_end"])
        window = window_of_stop(pair, day, self._zone)
        timed = order_window_body(window, self._zone) if window else None
        return (timed or {}) | {"EXT_FIELD_custom_data": dict(address["custom_fields"])}

    def _plan(self, address: Json, planned_at: datetime) -> None:
        arrives, leaves = to_ts(planned_at), to_ts(planned_at) + int(address["time"] or 0)
        times = {
            f"{kind}_{what}_time_ts": stamp
            for kind in ("projected", "scheduled", "estimated")
            for what, stamp in (("arrival", arrives), ("departure", leaves))
        }
        self.store.put_address(address | {"manifest": address["manifest"] | times})

    def add_stop(
        self,
        key: str,
        route_id: str,
        *,
        address: Address,
        recipient_name: str,
        recipient_phone: str,
        window: DeliveryWindow,
        custom: dict[str, str],
        at: datetime | None = None,
    ) -> Json:
        """A stop without an order behind it. The same `key` again gives the one that is already there."""
        number = self.store.number_of("place", f"stop:{key}", FIRST_STOP)
        held: Json | None = self.store.addresses.get(str(number))
        if held is not None:
            return held
        day = route_day(self.store.route(route_id)["parameters"]["route_date"])
        first, _, last = recipient_name.partition(" ")
        wanted = (stop_window_body(window, day, self._zone) or {}) | {
            "address": in_one_line(address),
            "lat": address.latitude,
            "lng": address.longitude,
            "first_name": first,
            "last_name": last,
            "phone": recipient_phone,
            "time": 300,
            "custom_fields": custom,
        }
        return self.stops.insert(route_id, wanted, destination_id=number, at=at, edited=False)

    # --- what drivers do ---

    def address_of(self, ref: str) -> Json | None:
        """The stop on its route by our reference; None where it is on none."""
        kind, _, number = ref.partition(":")
        found: Json | None = (
            self.store.address_of_order(number) if kind == "order" else self.store.addresses.get(number)
        )
        return found

    def routed(self, ref: str) -> Json:
        """Raises `LookupError` for a stop that is on no route."""
        if (found := self.address_of(ref)) is None:
            raise LookupError(f"{ref} is on no route")
        return found

    def start(self, ref: str, at: datetime) -> None:
        self.driving.start(self.routed(ref), at)

    def arrive(self, ref: str, at: datetime) -> None:
        self.driving.arrive(self.routed(ref), at)

    def predict(self, ref: str, eta: datetime) -> None:
        self.driving.predict(self.routed(ref), eta)

    def complete(
        self,
        ref: str,
        at: datetime,
        *,
        status: str = "Completed",
        note_type: str = "",
        words: str = "",
        photos: int = 0,
        signed_by: str = "",
        place: tuple[float, float] | None = None,
    ) -> None:
        """`place` is latitude, longitude. Whoever types a name also signs."""
        address = self.routed(ref)
        notes = [self.driving.picture(address, index, is_signature=False) for index in range(photos)]
        if signed_by:
            notes.append(self.driving.picture(address, 0, is_signature=True, contents=signed_by))
        if words or note_type:
            notes.append({"contents": words, "activity_type": note_type or "other"})
        self.driving.complete(address, at, status=status, notes=notes, place=place)

    def take_edits(self) -> list[str]:
        """References of the stops that were changed over the API since the last call, each once."""
        edited, self.orders.edited = list(dict.fromkeys(self.orders.edited)), []
        return edited

    # --- the emulator's own controls ---

    async def _state(self, request: Request) -> Response:
        return JSONResponse(
            {
                "routes": len(self.store.routes),
                "stops": sum(not address["is_depot"] for address in self.store.addresses.values()),
                "orders": len(self.store.orders),
                "members": len(self.store.members),
                "events_delivered": self.feed.delivered,
                "events_waiting": self.feed.undelivered,
                "unexpected_requests": self.gate.unexpected,
            }
        )

    async def _picture(self, request: Request) -> Response:
        kind, upload_id = request.path_params["kind"], request.path_params["upload_id"]
        known = (note for note in self.store.notes.values() if note["upload_id"] == upload_id)
        if next(known, None) is None:
            return Response(status_code=404)
        variant = int(upload_id[-4:], 16) % PICTURES
        # Painting takes a moment, so there are few different pictures.
        if kind == "photo":
            content = await asyncio.to_thread(pictures.parcel_at_a_door, variant)
        else:
            content = await asyncio.to_thread(pictures.signature, str(variant))
        return Response(content, media_type="image/png")

    def apply_faults(self, wanted: WebhookFaultsBody) -> None:
        wanted.apply_to(self.faults)
        self.feed.misbehave(wanted)
