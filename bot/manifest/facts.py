"""All that the manifests of one day are made of, as it stood at one instant. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from uuid import UUID

from bot.manifest.days import day_of, main_timezone
from bot.manifest.models import ManifestPost
from bot.stops.models import DriverRecord, RouteRecord, StopRecord
from connectors.base import StopStatus
from connectors.desk import ShiftState
from connectors.follow_up import FollowUp, SecondTry

Ref = tuple[str, str]
"""Platform, and its reference."""


@dataclass(frozen=True)
class Place:
    """Who carries a stop. A route without an identity of its own is its driver's; neither: nobody yet."""

    platform: str
    route_ref: str | None
    driver_ref: str | None

    @classmethod
    def of(cls, platform: str, route_ref: str | None, driver_ref: str | None) -> "Place":
        return cls(platform, route_ref, None if route_ref else driver_ref)

    @property
    def is_a_route(self) -> bool:
        return self.route_ref is not None or self.driver_ref is not None


@dataclass(frozen=True)
class DayFacts:
    day: date
    as_of: datetime
    stops: Sequence[StopRecord]
    """Of all zones, also those that a posted manifest still shows though they are another day's by now."""
    routes: Mapping[Ref, RouteRecord] = field(default_factory=dict)
    drivers: Mapping[Ref, DriverRecord] = field(default_factory=dict)
    shifts: Mapping[Ref, ShiftState] = field(default_factory=dict)
    posts: Mapping[str, ManifestPost] = field(default_factory=dict)
    """By zone."""
    follow_ups: Mapping[UUID, FollowUp] = field(default_factory=dict)
    """Of failed stops, by stop."""
    second_tries: Mapping[UUID, SecondTry] = field(default_factory=dict)
    """By the stop that tries again."""

    @property
    def zones(self) -> list[str]:
        """Those that have a manifest on this day, by name."""
        return sorted({stop.zone for stop in self.of_day.values()} | set(self.posts))

    def timezone_of(self, zone: str) -> str | None:
        """None for a zone without stops on this day."""
        if zone in self.posts:
            return self.posts[zone].timezone
        return main_timezone(stop.timezone for stop in self.of_day.values() if stop.zone == zone)

    @cached_property
    def of_day(self) -> dict[UUID, StopRecord]:
        """What is to be driven on this day, or was."""
        return {
            stop.id: stop
            for stop in self.stops
            if stop.status is not StopStatus.CANCELLED and day_of(stop) == self.day
        }

    def is_on(self, stop: StopRecord, zone: str) -> bool:
        return stop.zone == zone and stop.id in self.of_day

    def carried(self, place: Place) -> Sequence[StopRecord]:
        """What a route carries that day, whatever zones it goes through: a van has one capacity."""
        return self._carried.get(place, ())

    @cached_property
    def _carried(self) -> dict[Place, list[StopRecord]]:
        carried: dict[Place, list[StopRecord]] = defaultdict(list)
        for stop in self.of_day.values():
            carried[Place.of(stop.platform, stop.route_ref, stop.driver_ref)].append(stop)
        return carried

    def driver(self, platform: str, driver_ref: str | None) -> DriverRecord | None:
        return self.drivers.get((platform, driver_ref)) if driver_ref is not None else None

    def driver_name(self, platform: str, driver_ref: str | None) -> str:
        driver = self.driver(platform, driver_ref)
        return driver.name if driver is not None else ""
