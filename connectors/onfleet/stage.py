"""The pretended day, played on the pretended Onfleet."""

from datetime import datetime

from connectors.base import DeliveryWindow
from connectors.onfleet.emulator import OnfleetEmulator
from connectors.onfleet.mapping import PLATFORM
from connectors.onfleet.payloads import TaskState, from_ms
from connectors.world.evidence import LeftBehind
from connectors.world.plan import PlannedRoute, PlannedStop
from connectors.world.stage import Placement, Standing
from connectors.world.town import Failure

CAPACITY = 24
"""Parcels that a pretended van takes; each stop has one."""


class OnfleetStage:
    """Fulfils `connectors.world.stage.Stage`."""

    def __init__(self, emulator: OnfleetEmulator, name: str = PLATFORM) -> None:
        self.name = name
        self._emulator = emulator

    def add_route(self, route: PlannedRoute) -> str:
        return self._emulator.add_worker(
            route.key,
            name=route.driver_name,
            display_name=route.name,
            phone=route.driver_phone,
            team=self._emulator.add_team(route.zone.name),
            location=(route.zone.latitude, route.zone.longitude),
            capacity=CAPACITY,
        )

    def add_stop(
        self, stop: PlannedStop, route: PlannedRoute, driver_ref: str, created_at: datetime
    ) -> Placement:
        task = self._emulator.add_task(
            stop.key,
            worker=driver_ref,
            address=stop.address,
            recipient_name=stop.recipient_name,
            recipient_phone=stop.recipient_phone,
            window=stop.window,
            created_at=created_at,
            metadata={"client": stop.client, "zone": route.zone.name, "orderNo": stop.key},
            notes=stop.notes,
            service_minutes=round(stop.service.total_seconds() / 60),
            route_plan=self._plan(route, driver_ref),
        )
        return Placement(task["id"], task["shortId"])

    def _plan(self, route: PlannedRoute, driver_ref: str) -> str:
        """A plan per driver and day."""
        key = f"{route.key}:{route.departs_at.date().isoformat()}"
        return self._emulator.add_route_plan(
            key, name=route.name, worker=driver_ref, starts_at=route.departs_at
        )

    def set_duty(self, driver_ref: str, on_duty: bool, at: datetime) -> None:
        self._emulator.set_duty(driver_ref, on_duty, at)

    def report_position(self, driver_ref: str, latitude: float, longitude: float, at: datetime) -> None:
        self._emulator.move_worker(driver_ref, latitude, longitude, at)

    def report_eta(self, platform_ref: str, eta: datetime, at: datetime) -> None:
        self._emulator.set_eta(platform_ref, eta, at)

    def start(self, platform_ref: str, at: datetime) -> None:
        self._emulator.start_task(platform_ref, at)

    def arrive(self, platform_ref: str, at: datetime) -> None:
        self._emulator.arrive(platform_ref, at)

    def complete(self, platform_ref: str, at: datetime, failure: Failure | None, left: LeftBehind) -> None:
        self._emulator.complete_task(
            platform_ref,
            success=failure is None,
            reason=failure.listed if failure else "NONE",
            notes=failure.words if failure else left.note,
            at=at,
            photos=left.photos,
            signed_by=left.signed_by,
            location=(left.latitude, left.longitude),
        )

    def take_off_route(self, platform_ref: str) -> None:
        self._emulator.take_off_route(platform_ref)

    def put_on_route(self, platform_ref: str, driver_ref: str) -> None:
        self._emulator.put_on_route(platform_ref, driver_ref)

    def take_edits(self) -> list[str]:
        return self._emulator.take_edits()

    def find_standing(self, platform_ref: str) -> Standing | None:
        task = self._emulator.store.tasks.get(platform_ref)
        if task is None:
            return None
        start, end = task["completeAfter"], task["completeBefore"]
        window = None
        if start is not None and end is not None:
            window = DeliveryWindow(start_at=from_ms(start), end_at=from_ms(end))
        closed = task["state"] == TaskState.COMPLETED
        return Standing(
            window, from_ms(task["completionDetails"]["time"]) if closed else None, task["worker"]
        )
