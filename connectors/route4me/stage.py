"""The pretended day, played on the pretended Route4Me: an order behind every stop, a route per driver."""

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from connectors.base import Address, DeliveryWindow, FailureReason
from connectors.route4me.emulator import Route4MeEmulator
from connectors.route4me.emulator_fields import Json
from connectors.route4me.mapping import ORDER_REF, PLATFORM
from connectors.route4me.windows import route_day, window_of_order, window_of_stop
from connectors.world.evidence import LeftBehind
from connectors.world.plan import PlannedRoute, PlannedStop
from connectors.world.stage import Placement, Standing
from connectors.world.town import COUNTRY, REGION, Failure

NOTE_TYPES: Mapping[FailureReason, str] = {
    FailureReason.RECIPIENT_UNAVAILABLE: "notpresent",
    FailureReason.ADDRESS_ISSUE: "notfound",
}
"""Which type the driver picks; there is none for the other reasons, and the words have to say it."""
STOPS_A_VAN_TAKES = 30


class Route4MeStage:
    """Fulfils `connectors.world.stage.Stage`."""

    name = PLATFORM

    def __init__(self, emulator: Route4MeEmulator) -> None:
        self._emulator = emulator
        self._zone = ZoneInfo(emulator.timezone)
        self._route_of: dict[str, str] = {}
        """By driver: today's route."""

    def add_route(self, route: PlannedRoute) -> str:
        emulator, zone = self._emulator, route.zone
        driver = emulator.add_member(
            route.key,
            name=route.driver_name,
            phone=route.driver_phone,
            zone=zone.name,
            location=(zone.latitude, zone.longitude),
        )
        depot = Address(
            line=f"{zone.name} depot",
            city=zone.city,
            postcode=zone.postcode,
            region=REGION,
            country=COUNTRY,
            latitude=zone.latitude,
            longitude=zone.longitude,
        )
        self._route_of[driver] = emulator.add_route(
            route.key,
            name=route.name,
            day=route.departs_at.astimezone(self._zone).date(),
            member=driver,
            depot=depot,
            starts_at=route.departs_at,
            most_weight=STOPS_A_VAN_TAKES,
        )
        return driver

    def add_stop(
        self, stop: PlannedStop, route: PlannedRoute, driver_ref: str, created_at: datetime
    ) -> Placement:
        order = self._emulator.add_order(
            stop.key,
            address=stop.address,
            recipient_name=stop.recipient_name,
            recipient_phone=stop.recipient_phone,
            window=stop.window,
            created_at=created_at,
            custom={
                "client": stop.client,
                "zone": route.zone.name,
                "order_ref": stop.key,
                "notes": stop.notes,
                "load": "1",
            },
            service_seconds=round(stop.service.total_seconds()),
        )
        if not self._emulator.was_planned(order) and self._emulator.find_order(
            f"{ORDER_REF}{order['order_id']}"
        ):
            self._emulator.route_order(
                order, self._route_of[driver_ref], planned_at=stop.planned_at, at=created_at
            )
        return Placement(f"{ORDER_REF}{order['order_id']}", order["tracking_number"])

    def set_duty(self, driver_ref: str, on_duty: bool, at: datetime) -> None:
        """Route4Me knows no duty: the driver gets the route, and ends it. It starts with the first stop."""
        route_id = self._route_of[driver_ref]
        if on_duty:
            self._emulator.stops.release(route_id, at)
        else:
            self._emulator.driving.set_route_status(route_id, "completed", at)

    def report_position(self, driver_ref: str, latitude: float, longitude: float, at: datetime) -> None:
        self._emulator.driving.report_position(driver_ref, latitude, longitude, at)

    def report_eta(self, platform_ref: str, eta: datetime, at: datetime) -> None:
        if self._emulator.address_of(platform_ref) is not None:
            self._emulator.predict(platform_ref, eta)

    def start(self, platform_ref: str, at: datetime) -> None:
        if self._emulator.address_of(platform_ref) is not None:
            self._emulator.start(platform_ref, at)

    def arrive(self, platform_ref: str, at: datetime) -> None:
        if self._emulator.address_of(platform_ref) is not None:
            self._emulator.arrive(platform_ref, at)

    def complete(self, platform_ref: str, at: datetime, failure: Failure | None, left: LeftBehind) -> None:
        if self._emulator.address_of(platform_ref) is None:
            return
        self._emulator.complete(
            platform_ref,
            at,
            status="Failed" if failure else "Completed",
            note_type=NOTE_TYPES.get(failure.reason, "other") if failure else "dropoff" if left.note else "",
            words=f"{failure.listed}: {failure.words}" if failure else left.note,
            photos=left.photos,
            signed_by=left.signed_by,
            place=(left.latitude, left.longitude),
        )

    def take_off_route(self, platform_ref: str) -> None:
        address = self._emulator.address_of(platform_ref)
        if address is not None:
            self._emulator.unroute(address)

    def put_on_route(self, platform_ref: str, driver_ref: str) -> None:
        order = self._emulator.find_order(platform_ref)
        if order is not None:
            self._emulator.route_order(order, self._route_of[driver_ref])

    def take_edits(self) -> list[str]:
        return self._emulator.take_edits()

    def find_standing(self, platform_ref: str) -> Standing | None:
        address = self._emulator.address_of(platform_ref)
        if address is not None:
            return self._on_route(address)
        order = self._emulator.find_order(platform_ref)
        return Standing(self._order_window(order), None, None) if order is not None else None

    def _on_route(self, address: Json) -> Standing:
        route = self._emulator.store.route(address["route_id"])
        day = route_day(route["parameters"]["route_date"])
        pair = (address["time_window_start"], address["time_window_end"])
        # Route4Me knows whole seconds; the day is exact.
        closed_at = self._emulator.store.closed_at.get(str(address["route_destination_id"]))
        return Standing(
            window_of_stop(pair, day, self._zone),
            datetime.fromisoformat(closed_at) if closed_at else None,
            str(route["member_id"]),
        )

    def _order_window(self, order: Json) -> DeliveryWindow | None:
        day = order["day_scheduled_for_YYMMDD"]
        if not day:
            return None
        pair = (order["local_time_window_start"], order["local_time_window_end"])
        return window_of_order(pair, date.fromisoformat(day), self._zone)
