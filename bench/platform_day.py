"""A pretended day on several routing platforms at once, and where Doorline's stops differ from theirs at its end."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import SecretStr
from sqlalchemy import select

from bot.app import Doorline, create_app
from bot.keys import webhook_secret
from bot.processes import free_port
from bot.settings import Settings
from bot.stops.differences import Difference, DifferenceFinder
from bot.stops.models import PlatformFeed, StopRecord
from connectors.emulation import Server, serving
from connectors.onfleet.emulator import OnfleetEmulator
from connectors.onfleet.stage import OnfleetStage
from connectors.optimoroute.emulator import OptimoRouteEmulator
from connectors.optimoroute.stage import OptimoRouteStage
from connectors.route4me.emulator import Route4MeEmulator
from connectors.route4me.stage import Route4MeStage
from connectors.world import PretendedDay
from connectors.world.stage import Stage

ALL = ("onfleet", "route4me", "optimoroute")
TIMEZONE = "America/New_York"
SEED = 11
TICK_SECONDS = 0.25
READ_WITHIN_SECONDS = 120
KEY = "bench"
SECRET = "0d" * 32


class FastClock:
    """A day that runs by itself, `speed` times as fast as ours, and can be moved on."""

    def __init__(self, at: datetime, speed: float) -> None:
        self.speed = speed
        self._at = at
        self._since = self.wall()

    def now(self) -> datetime:
        return self._at + (self.wall() - self._since) * self.speed

    def wall(self) -> datetime:
        return datetime.now(UTC)

    def move(self, delta: timedelta) -> None:
        self._at = self.now() + delta
        self._since = self.wall()


@dataclass(frozen=True)
class Emulators:
    onfleet: OnfleetEmulator
    route4me: Route4MeEmulator
    optimoroute: OptimoRouteEmulator

    @classmethod
    def open(cls, clock: FastClock) -> "Emulators":
        now = clock.now
        return cls(
            OnfleetEmulator(KEY, SECRET, now=now, timezone=TIMEZONE, rate_limit=None, repeat_seconds=1.0),
            Route4MeEmulator(KEY, now=now, timezone=TIMEZONE, repeat_seconds=1.0),
            OptimoRouteEmulator(KEY, now=now, timezone=TIMEZONE),
        )

    def stages(self) -> list[Stage]:
        return [
            OnfleetStage(self.onfleet),
            Route4MeStage(self.route4me),
            OptimoRouteStage(self.optimoroute),
        ]

    def faults(self) -> Mapping[str, Any]:
        return {name: getattr(self, name).faults for name in ALL}


@asynccontextmanager
async def app_on(
    emulators: Emulators, clock: FastClock, database_url: str, var: Path, *, works: bool = True
) -> AsyncIterator[Doorline]:
    """The app beside the emulators, in this process, with worker and clock if it `works`; no texts, no Slack."""
    async with (
        serving(emulators.onfleet.app) as onfleet,
        serving(emulators.route4me.app) as route4me,
        serving(emulators.optimoroute.app) as optimoroute,
    ):
        port = free_port()
        settings = Settings(
            database_url=database_url,
            public_url=f"http://127.0.0.1:{port}",
            secret_key=SecretStr(KEY),
            doorline_var=var,
            rasa_url="http://127.0.0.1:9",
            onfleet_api_key=SecretStr(KEY),
            onfleet_webhook_secret=SecretStr(SECRET),
            onfleet_api_base=onfleet,
            route4me_api_key=SecretStr(KEY),
            route4me_api_base=route4me,
            optimoroute_api_key=SecretStr(KEY),
            optimoroute_api_base=optimoroute,
            optimoroute_timezone=TIMEZONE,
            platform_pause_seconds=2.0,
        )
        app = create_app(settings, clock=clock, with_worker=works, with_clock=works)
        server = Server(app, port)
        await server.start()
        secret = webhook_secret(KEY, "route4me")
        emulators.route4me.callback_url = f"{settings.public_url}/connectors/route4me/webhook/{secret}"
        try:
            yield app.state.doorline
        finally:
            await server.stop()


class PlatformDay:
    """Drivers on the emulators, from the clock's now on."""

    def __init__(self, emulators: Emulators, clock: FastClock, stops: int) -> None:
        self._clock = clock
        self.faults = emulators.faults()
        self.began_at = clock.now()
        self.day = PretendedDay(
            SEED,
            self.began_at,
            stages=emulators.stages(),
            now=clock.now,
            stops=stops,
            timezone=TIMEZONE,
        )
        self.day.build()

    def make_weather(self, error_share: float, slow_share: float, slow_seconds: float) -> None:
        """A share of all calls fails, another is slow, and what pushes webhooks pushes each twice."""
        for faults in self.faults.values():
            faults.error_share, faults.slow_share = error_share, slow_share
            faults.slow_seconds = slow_seconds
            if hasattr(faults, "duplicate"):
                faults.duplicate = True

    def clear_up(self) -> None:
        for faults in self.faults.values():
            faults.clear()

    async def live_until(self, moment: datetime) -> None:
        while self._clock.now() < moment:
            self.day.tick()
            await asyncio.sleep(TICK_SECONDS)

    def evening(self) -> datetime:
        """When all drivers are back."""
        last = max(visit.ends_at for route in self.day.routes for visit in route.visits)
        return last + timedelta(minutes=20)

    async def is_read_whole(self, doorline: Doorline) -> None:
        """Lets half an hour pass, and waits until every platform was read whole, from a beginning after that.

        Raises `TimeoutError`.
        """
        self._clock.move(timedelta(minutes=30))
        self.day.tick()
        begin, deadline = self._clock.now(), monotonic() + READ_WITHIN_SECONDS
        while await _read_since(doorline, begin) < len(ALL):
            if monotonic() > deadline:
                raise TimeoutError("not every platform was read whole")
            await asyncio.sleep(0.1)

    async def differences(self, doorline: Doorline) -> list[Difference]:
        """Ours beside what each connector reads of the day, and beside what the drivers truly did."""
        finder = DifferenceFinder(doorline.services.database, doorline.vendors.platforms)
        today = self.began_at.astimezone(ZoneInfo(TIMEZONE)).date()
        found = []
        for name in ALL:
            found += await finder.of_day(name, today, TIMEZONE)
        async with doorline.services.database.transaction() as session:
            records = list(await session.scalars(select(StopRecord)))
        return found + self._from_truth(records)

    def _from_truth(self, records: Sequence[StopRecord]) -> list[Difference]:
        """Status and window by the day itself, so that no connector is judged by its own reading."""
        ours = {(record.platform, record.tracking): _told(record) for record in records}
        return [
            Difference(
                platform=told["platform"],
                platform_ref=told["tracking"],
                field="truth",
                ours=ours.get((told["platform"], told["tracking"])),
                theirs=_true(told),
            )
            for told in self.day.recipients()
            if ours.get((told["platform"], told["tracking"])) != _true(told)
        ]


def _told(record: StopRecord) -> list[object]:
    return [record.status.value, record.window_start_at, record.window_end_at]


def _true(told: Mapping[str, str]) -> list[object]:
    window = (datetime.fromisoformat(told[name]) for name in ("window_start", "window_end"))
    return [told["status"], *window]


async def _read_since(doorline: Doorline, begin: datetime) -> int:
    async with doorline.services.database.transaction() as session:
        feeds = list(await session.scalars(select(PlatformFeed)))
    return sum(feed.read_at is not None and feed.read_at >= begin for feed in feeds)
