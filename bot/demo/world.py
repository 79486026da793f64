"""The process of the pretended outside world: the vendors' emulators, the day behind them, and its controls.

Simulated, all of it. It outlives the app: what it was told and what it answered survives kill -9.
"""

import asyncio
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from bot import logs
from bot.clock import PretendedClock
from bot.demo import files
from bot.demo.files import TIMEZONE, DemoFiles
from bot.keys import secret_key, webhook_secret
from bot.settings import Settings
from bot.stops.accounts import told_name
from connectors.base import FailureReason, Now
from connectors.email.emulator import MailEmulator
from connectors.emulation import Faults, Server, read_json
from connectors.onfleet.emulator import OnfleetEmulator
from connectors.onfleet.stage import OnfleetStage
from connectors.optimoroute.emulator import OptimoRouteEmulator
from connectors.optimoroute.stage import OptimoRouteStage
from connectors.route4me.emulator import Route4MeEmulator
from connectors.route4me.stage import Route4MeStage
from connectors.slack.emulator import SlackEmulator
from connectors.twilio.emulator import TwilioEmulator
from connectors.world import PretendedDay, remembered_day_start
from connectors.world.driver_phones import DriverPhones
from connectors.world.plan import PlannedStop
from connectors.world.stage import Stage

log = structlog.get_logger()

SEED = 20
TICK_SECONDS = 0.5
HELD_UP_MINUTES, HELD_UP_LONGER_MINUTES, HELD_UP_TIMES = 45, 30, 4
NOTICED_WHEN_LATE = timedelta(minutes=15)
"""A delay is told when it is ten minutes or more; the platform's ETA may err by some."""
SLOWEST, FASTEST = 0.1, 600.0


@dataclass(frozen=True)
class Platform:
    """A pretended routing platform: what is served, how it is disturbed, and where the day is played on it."""

    app: ASGIApp
    faults: Faults
    stage: Stage


def _platform(name: str, now: Now, ledger: Path, route4me_hook: str) -> Platform:
    if name == "route4me":
        route4me = Route4MeEmulator(
            files.ROUTE4ME_API_KEY,
            now=now,
            timezone=TIMEZONE,
            ledger_path=ledger,
            callback_url=route4me_hook,
        )
        return Platform(route4me.app, route4me.faults, Route4MeStage(route4me))
    if name == "optimoroute":
        optimoroute = OptimoRouteEmulator(
            files.OPTIMOROUTE_API_KEY, now=now, timezone=TIMEZONE, ledger_path=ledger
        )
        return Platform(optimoroute.app, optimoroute.faults, OptimoRouteStage(optimoroute))
    onfleet = OnfleetEmulator(
        files.ONFLEET_API_KEY,
        files.ONFLEET_WEBHOOK_SECRET,
        now=now,
        timezone=TIMEZONE,
        ledger_path=ledger,
        # A fast day asks more often in real time than any real day would.
        rate_limit=None,
        repeat_seconds=5.0,
    )
    return Platform(onfleet.app, onfleet.faults, OnfleetStage(onfleet))


class World:
    """Everything outside, on 127.0.0.1, at the ports that the supervisor chose."""

    def __init__(
        self,
        demo: DemoFiles,
        *,
        app_url: str,
        speed: float,
        stops: int,
        platforms: Sequence[str],
        route4me_secret: str,
    ) -> None:
        self._demo = demo
        self.clock = PretendedClock(demo.clock)
        day_start = self._set_clock(speed)
        now = self.clock.now
        self.twilio = TwilioEmulator(
            files.TWILIO_ACCOUNT_SID,
            files.TWILIO_AUTH_TOKEN,
            files.TWILIO_NUMBER,
            now=now,
            ledger_path=demo.ledger,
            inbound_url=f"{app_url}/connectors/twilio/sms#rc=5&rp=ct,rt,5xx",
        )
        ports = demo.read_ports()
        self.mail = MailEmulator(
            files.EMAIL_ADDRESS,
            now=now,
            ledger_path=demo.ledger,
            smtp_port=ports["smtp"],
            inbound_url=files.smtp(ports["inbound_mail"]),
        )
        self.slack = SlackEmulator(
            bot_token=files.SLACK_BOT_TOKEN,
            signing_secret=files.SLACK_SIGNING_SECRET,
            now=now,
            channels=files.SLACK_CHANNELS,
            dispatchers=files.DISPATCHERS,
            ledger_path=demo.ledger,
            retry_scale=0.1,
        )
        self.slack.events_url = f"{app_url}/connectors/slack/events"
        hook = f"{app_url}/connectors/route4me/webhook/{route4me_secret}"
        self.platforms = {name: _platform(name, now, demo.ledger, hook) for name in platforms}
        self.day = PretendedDay(
            SEED,
            day_start,
            stages=[platform.stage for platform in self.platforms.values()],
            now=now,
            stops=stops,
            timezone=TIMEZONE,
            ledger_path=demo.ledger,
        )
        self.driver_phones = DriverPhones(self.day, SEED, self.twilio, now=now, ledger_path=demo.ledger)

    def _set_clock(self, speed: float) -> datetime:
        """Goes on with a day that was cut off, or begins one."""
        remembered = remembered_day_start(self._demo.ledger)
        if remembered is not None and self._demo.clock.exists():
            self.clock.resume(speed)
            return remembered
        day_start = files.first_instant(datetime.now(ZoneInfo(TIMEZONE)))
        self.clock.start(day_start, speed)
        return day_start

    async def run(self, ports: dict[str, int]) -> None:
        """Serves until SIGTERM."""
        async with AsyncExitStack() as stack:
            for name, app in (
                ("twilio", self.twilio.app),
                ("slack", self.slack.app),
                ("mail", self.mail.app),
                *((name, platform.app) for name, platform in self.platforms.items()),
            ):
                await _serve(stack, Server(app, ports[name]))
            self.day.build()
            # The controls come last: whoever reaches them finds everything else there.
            await _serve(stack, Server(controls(self), ports["world"]))
            # An answer that waits for the app does not hold up the day.
            stack.callback(asyncio.create_task(self._drivers_answer()).cancel)
            stopped = asyncio.Event()
            for ending in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(ending, stopped.set)
            await self._live(stopped)

    async def _live(self, stopped: asyncio.Event) -> None:
        while not stopped.is_set():
            try:
                self.day.tick()
                self.clock.beat()
            except Exception:
                log.exception("pretended_day_stumbled")
            await asyncio.sleep(TICK_SECONDS)

    async def _drivers_answer(self) -> None:
        while True:
            try:
                await self.driver_phones.step()
            except Exception:
                log.exception("pretended_drivers_stumbled")
            await asyncio.sleep(TICK_SECONDS)


async def _serve(stack: AsyncExitStack, server: Server) -> None:
    await server.start()
    stack.push_async_callback(server.stop)


def controls(world: World) -> Starlette:
    """What the demo page may do to the pretended world."""

    async def summary(_request: Request) -> JSONResponse:
        platforms = [
            {"name": name, "label": told_name(name), "down": platform.faults.down}
            for name, platform in world.platforms.items()
        ]
        return JSONResponse(world.day.summary() | {"platforms": platforms})

    async def recipients(_request: Request) -> JSONResponse:
        return JSONResponse(world.day.recipients())

    async def clock(_request: Request) -> JSONResponse:
        return JSONResponse(_clock(world))

    async def speed(request: Request) -> JSONResponse:
        wanted = (await read_json(request) or {}).get("speed")
        if not isinstance(wanted, int | float) or not SLOWEST <= wanted <= FASTEST:
            return JSONResponse({"error": f"speed: expected {SLOWEST} to {FASTEST}"}, 400)
        world.clock.set_speed(float(wanted))
        return JSONResponse(_clock(world))

    async def late(request: Request) -> JSONResponse:
        body: dict[str, Any] = await read_json(request) or {}
        try:
            driver = world.day.make_late(body.get("driver_ref"), int(body.get("minutes", HELD_UP_MINUTES)))
            waiting = _until_somebody_waits(world.day, driver)
        except (LookupError, TypeError, ValueError) as exc:
            return JSONResponse({"error": str(exc)}, 400)
        return JSONResponse({"driver_ref": driver} | _recipient(waiting))

    async def fail(request: Request) -> JSONResponse:
        body: dict[str, Any] = await read_json(request) or {}
        try:
            reason = FailureReason(body.get("reason", FailureReason.RECIPIENT_UNAVAILABLE))
            tracking = world.day.fail_stop(body.get("stop_ref"), reason)
        except (LookupError, ValueError) as exc:
            return JSONResponse({"error": str(exc)}, 400)
        return JSONResponse({"tracking": tracking} | _recipient(world.day.recipient_of(tracking)))

    async def platform(request: Request) -> JSONResponse:
        body: dict[str, Any] = await read_json(request) or {}
        found = world.platforms.get(str(body.get("platform")))
        if found is None:
            return JSONResponse({"error": f"no platform {body.get('platform')} runs here"}, 400)
        found.faults.down = bool(body.get("down"))
        return JSONResponse({"down": found.faults.down})

    return Starlette(
        routes=[
            Route("/world/summary", summary),
            Route("/world/recipients", recipients),
            Route("/world/clock", clock),
            Route("/world/speed", speed, methods=["POST"]),
            Route("/world/late", late, methods=["POST"]),
            Route("/world/fail", fail, methods=["POST"]),
            Route("/world/platform", platform, methods=["POST"]),
        ]
    )


def _until_somebody_waits(day: PretendedDay, driver_ref: str) -> PlannedStop | None:
    """Holds the driver up for longer until some promise is missed by so much that its recipient is told."""
    for _ in range(HELD_UP_TIMES):
        waiting = day.first_to_wait(driver_ref, NOTICED_WHEN_LATE)
        if waiting is not None:
            return waiting
        day.make_late(driver_ref, HELD_UP_LONGER_MINUTES)
    return day.first_to_wait(driver_ref, NOTICED_WHEN_LATE)


def _recipient(stop: PlannedStop | None) -> dict[str, str]:
    """Whose phone to look at."""
    return {"phone": stop.recipient_phone, "name": stop.recipient_name} if stop else {}


def _clock(world: World) -> dict[str, Any]:
    return {"now": world.clock.now().isoformat(), "speed": world.clock.speed, "timezone": TIMEZONE}


def main(settings: Settings, app_url: str, speed: float, stops: int, platforms: Sequence[str]) -> None:
    """The process's whole life. `DemoFiles.ports` names the ports to serve on."""
    logs.configure(as_json=False)
    demo = DemoFiles(settings.doorline_var)
    secret = webhook_secret(secret_key(settings), "route4me")
    world = World(
        demo, app_url=app_url, speed=speed, stops=stops, platforms=platforms, route4me_secret=secret
    )
    asyncio.run(world.run(demo.read_ports()))
