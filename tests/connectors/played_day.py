"""A pretended day on one platform's emulator, played by a clock that only tests move."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from connectors.base import RoutingPlatform, Stop
from connectors.emulation import serving
from connectors.world import PretendedDay
from connectors.world.stage import Stage
from tests.connectors.towns import Clock, connecting

TEN_IN_NEW_YORK = datetime(2026, 6, 8, 14, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

Emulator = TypeVar("Emulator")


class PlayedDay(ABC, Generic[Emulator]):
    """The day and its emulator, both remembered under `folder`, as the demo has them; `reopen` is a kill and a start.

    Subclasses say which platform.
    """

    client: ClassVar[type[Any]]
    emulator: Emulator

    def __init__(
        self,
        folder: Path | None = None,
        *,
        start: datetime = TEN_IN_NEW_YORK,
        seed: int = 7,
        stops: int = 60,
    ) -> None:
        self.clock = Clock(start)
        self._folder, self._start, self._seed, self._stops = folder, start, seed, stops
        self.reopen()

    @abstractmethod
    def open_stage(self, ledger: Path | None) -> tuple[Emulator, Stage]:
        """Its API key is `key`."""

    def reopen(self) -> None:
        ledger = self._folder / "demo.db" if self._folder else None
        self.emulator, stage = self.open_stage(ledger)
        self.day = PretendedDay(
            self._seed, self._start, stages=[stage], now=self.clock, stops=self._stops, ledger_path=ledger
        )
        self.day.build()

    def pass_time(self, total: timedelta, step: timedelta = MINUTE) -> None:
        until = self.clock.at + total
        while self.clock.at < until:
            self.clock.at = min(self.clock.at + step, until)
            self.day.tick()

    def statuses(self) -> Counter[str]:
        return Counter(entry["status"] for entry in self.day.recipients())

    def stops_of_summary(self) -> list[dict[str, Any]]:
        return [stop for route in self.day.summary()["routes"] for stop in route["stops"]]

    def waiting_stop(self, after: timedelta = timedelta(hours=2)) -> dict[str, Any]:
        """Of the summary, one that its driver will not start before `after` from now."""
        for stop in self.stops_of_summary():
            visit = self.day.truth(stop["id"])
            if visit and visit.starts_at > self.clock.at + after and visit.failure is None:
                return stop
        raise AssertionError("nothing waits")

    def waiting(self) -> str:
        return str(self.waiting_stop()["id"])

    @asynccontextmanager
    async def read(self) -> AsyncIterator[RoutingPlatform]:
        async with (
            serving(self.emulator.app) as url,  # type: ignore[attr-defined]
            connecting(self.client, "key", url, now=self.clock) as connect,
        ):
            yield connect()

    async def seen(self) -> dict[str, Stop]:
        """All stops of the day as the connector reads them, by reference."""
        async with self.read() as platform:
            since = TEN_IN_NEW_YORK - timedelta(hours=3)
            return {stop.platform_ref: stop async for stop in platform.changed_stops(since)}


def go_on(steady: PlayedDay[Any], killed: PlayedDay[Any]) -> None:
    """100 minutes of both; one of them is down for all of it, apart from four starts."""
    for _ in range(4):
        steady.pass_time(25 * MINUTE)
        killed.clock.at += 25 * MINUTE  # nobody ticks: the process is down
        killed.reopen()
        killed.day.tick()
