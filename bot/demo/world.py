"""The process of the pretended outside world: the vendors' emulators, the day behind them, and its controls.

Simulated, all of it. It outlives the app: what it was told and what it answered survives kill -9.
"""

import asyncio
import signal
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot import logs
from bot.clock import PretendedClock
from bot.demo import files
from bot.demo.files import DemoFiles
from connectors.base import FailureReason
from connectors.emulation import Server, read_json
from connectors.onfleet.emulator import OnfleetEmulator
from connectors.onfleet.stage import OnfleetStage
from connectors.slack.emulator import SlackEmulator
from connectors.twilio.emulator import TwilioEmulator
from connectors.world import PretendedDay, remembered_day_start

log = structlog.get_logger()

TIMEZONE = "America/New_York"
SEED = 20
TICK_SECONDS = 0.5
HELD_UP_MINUTES = 45
SLOWEST, FASTEST = 0.1, 600.0


class World:
    """Everything outside, on 127.0.0.1, at the ports that the supervisor chose."""

    def __init__(self, demo: DemoFiles, *, app_url: str, speed: float, stops: int) -> None:
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
        self.onfleet = OnfleetEmulator(
            files.ONFLEET_API_KEY,
            files.ONFLEET_WEBHOOK_SECRET,
            now=now,
            timezone=TIMEZONE,
            ledger_path=demo.ledger,
            # A fast day asks more often in real time than any real day would.
            rate_limit=None,
            repeat_seconds=5.0,
        )
        self.day = PretendedDay(
            SEED,
            day_start,
            stages=[OnfleetStage(self.onfleet)],
            now=now,
            stops=stops,
            timezone=TIMEZONE,
            ledger_path=demo.ledger,
        )

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
                ("onfleet", self.onfleet.app),
            ):
                await _serve(stack, Server(app, ports[name]))
            self.day.build()
            # The controls come last: whoever reaches them finds everything else there.
            await _serve(stack, Server(controls(self), ports["world"]))
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


async def _serve(stack: AsyncExitStack, server: Server) -> None:
    await server.start()
    stack.push_async_callback(server.stop)


def controls(world: World) -> Starlette:
    """What the demo page may do to the pretended world."""

    async def summary(_request: Request) -> JSONResponse:
        return JSONResponse(world.day.summary() | {"onfleet_down": world.onfleet.faults.down})

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
        except (LookupError, TypeError, ValueError) as exc:
            return JSONResponse({"error": str(exc)}, 400)
        return JSONResponse({"driver_ref": driver})

    async def fail(request: Request) -> JSONResponse:
        body: dict[str, Any] = await read_json(request) or {}
        try:
            reason = FailureReason(body.get("reason", FailureReason.RECIPIENT_UNAVAILABLE))
            tracking = world.day.fail_stop(body.get("stop_ref"), reason)
        except (LookupError, ValueError) as exc:
            return JSONResponse({"error": str(exc)}, 400)
        return JSONResponse({"tracking": tracking})

    async def onfleet(request: Request) -> JSONResponse:
        world.onfleet.faults.down = bool((await read_json(request) or {}).get("down"))
        return JSONResponse({"down": world.onfleet.faults.down})

    return Starlette(
        routes=[
            Route("/world/summary", summary),
            Route("/world/recipients", recipients),
            Route("/world/clock", clock),
            Route("/world/speed", speed, methods=["POST"]),
            Route("/world/late", late, methods=["POST"]),
            Route("/world/fail", fail, methods=["POST"]),
            Route("/world/onfleet", onfleet, methods=["POST"]),
        ]
    )


def _clock(world: World) -> dict[str, Any]:
    return {"now": world.clock.now().isoformat(), "speed": world.clock.speed, "timezone": TIMEZONE}


def main(var: Path, app_url: str, speed: float, stops: int) -> None:
    """The process's whole life. `DemoFiles(var).ports` names the ports to serve on."""
    logs.configure(as_json=False)
    demo = DemoFiles(var)
    asyncio.run(World(demo, app_url=app_url, speed=speed, stops=stops).run(demo.read_ports()))
