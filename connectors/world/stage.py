"""Where a pretended day is played: what a platform's emulator must let drivers and dispatchers do."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from connectors.base import DeliveryWindow
from connectors.world.evidence import LeftBehind
from connectors.world.plan import PlannedRoute, PlannedStop
from connectors.world.town import Failure


@dataclass(frozen=True)
class Placement:
    """How the platform calls a stop, and how its recipient does."""

    platform_ref: str
    tracking: str


@dataclass(frozen=True)
class Standing:
    """A stop as the platform holds it, after whatever its API was used for."""

    window: DeliveryWindow | None
    closed_at: datetime | None
    driver_ref: str | None


class Stage(Protocol):
    """One platform. All of it is idempotent: a resumed day sets up again and repeats its last steps."""

    name: str

    def add_route(self, route: PlannedRoute) -> str:
        """Makes the driver known; returns the driver's reference."""
        ...

    def add_stop(
        self, stop: PlannedStop, route: PlannedRoute, driver_ref: str, created_at: datetime
    ) -> Placement: ...

    def set_duty(self, driver_ref: str, on_duty: bool, at: datetime) -> None: ...

    def report_position(self, driver_ref: str, latitude: float, longitude: float, at: datetime) -> None: ...

    def report_eta(self, platform_ref: str, eta: datetime, at: datetime) -> None: ...

    def start(self, platform_ref: str, at: datetime) -> None: ...

    def arrive(self, platform_ref: str, at: datetime) -> None: ...

    def complete(
        self, platform_ref: str, at: datetime, failure: Failure | None, left: LeftBehind
    ) -> None: ...

    def take_off_route(self, platform_ref: str) -> None: ...

    def put_on_route(self, platform_ref: str, driver_ref: str) -> None: ...

    def take_edits(self) -> list[str]:
        """References of the stops that the platform's API changed since the last call."""
        ...

    def find_standing(self, platform_ref: str) -> Standing | None:
        """None once the stop was deleted."""
        ...
