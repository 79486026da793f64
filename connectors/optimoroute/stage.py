"""The pretended day, played on the pretended OptimoRoute."""

from datetime import date, datetime, time

from connectors.base import DeliveryWindow
from connectors.optimoroute.emulator import OptimoRouteEmulator
from connectors.optimoroute.local_time import local_date, read_window, to_instant, write_window
from connectors.optimoroute.mapping import PLATFORM
from connectors.optimoroute.payloads import OrderStatus, from_unix
from connectors.world.evidence import LeftBehind
from connectors.world.plan import PlannedRoute, PlannedStop
from connectors.world.stage import Placement, Standing
from connectors.world.town import Failure

CLOSED = (OrderStatus.SUCCESS, OrderStatus.FAILED, OrderStatus.REJECTED, OrderStatus.CANCELLED)


class OptimoRouteStage:
    """Fulfils `connectors.world.stage.Stage`.

    The day's routes are planned when they are set up, and sent when the first driver goes on duty. Positions
    are not reported: nobody can read them there. A window over midnight ends there with its day.
    """

    def __init__(self, emulator: OptimoRouteEmulator, name: str = PLATFORM) -> None:
        self.name = name
        self._emulator = emulator

    def add_route(self, route: PlannedRoute) -> str:
        return self._emulator.add_driver(route.key, name=route.driver_name, vehicle=route.name)

    def add_stop(
        self, stop: PlannedStop, route: PlannedRoute, driver_ref: str, created_at: datetime
    ) -> Placement:
        data = self._emulator.add_order(
            stop.key,
            driver=driver_ref,
            address=stop.address,
            recipient_name=stop.recipient_name,
            recipient_phone=stop.recipient_phone,
            window=self._within_day(stop.window),
            planned_at=stop.planned_at,
            fields={"customField1": stop.client, "customField2": route.zone.name},
            notes=stop.notes,
            service_minutes=round(stop.service.total_seconds() / 60),
        )
        return Placement(data["id"], data["orderNo"])

    def set_duty(self, driver_ref: str, on_duty: bool, at: datetime) -> None:
        if on_duty:
            self._emulator.send_day(local_date(at, self._emulator.store.zone).isoformat())
        self._emulator.set_duty(driver_ref, on_duty, at)

    def report_position(self, driver_ref: str, latitude: float, longitude: float, at: datetime) -> None:
        """OptimoRoute tells no positions."""

    def report_eta(self, platform_ref: str, eta: datetime, at: datetime) -> None:
        self._emulator.set_eta(platform_ref, eta)

    def start(self, platform_ref: str, at: datetime) -> None:
        self._emulator.start_order(platform_ref, at)

    def arrive(self, platform_ref: str, at: datetime) -> None:
        self._emulator.arrive(platform_ref, at)

    def complete(self, platform_ref: str, at: datetime, failure: Failure | None, left: LeftBehind) -> None:
        self._emulator.complete(
            platform_ref,
            status=OrderStatus.FAILED if failure else OrderStatus.SUCCESS,
            note=failure.words if failure else left.note,
            photos=left.photos,
            is_signed=bool(left.signed_by),
            at=at,
        )

    def take_off_route(self, platform_ref: str) -> None:
        self._emulator.take_off_route(platform_ref)

    def put_on_route(self, platform_ref: str, driver_ref: str) -> None:
        self._emulator.put_on_route(platform_ref, driver_ref)

    def take_edits(self) -> list[str]:
        return self._emulator.take_edits()

    def find_standing(self, platform_ref: str) -> Standing | None:
        store = self._emulator.store
        order = store.orders.get(platform_ref)
        if order is None:
            return None
        driver = store.driver_of(platform_ref)
        closed = order["status"] in CLOSED and order["end"] is not None
        return Standing(
            self._window(order["data"]),
            from_unix(order["end"]) if closed else None,
            driver["externalId"] if driver else None,
        )

    def _within_day(self, window: DeliveryWindow) -> DeliveryWindow:
        zone = self._emulator.store.zone
        if write_window(window, zone) is not None:
            return window
        last_minute = datetime.combine(local_date(window.start_at, zone), time(23, 59))
        return DeliveryWindow(start_at=window.start_at, end_at=to_instant(last_minute, zone, later=True))

    def _window(self, data: dict[str, object]) -> DeliveryWindow | None:
        told = data["timeWindows"]
        if not isinstance(told, list) or not told or not data["date"]:
            return None
        day = date.fromisoformat(str(data["date"]))
        return read_window(day, told[0]["twFrom"], told[0]["twTo"], self._emulator.store.zone)
