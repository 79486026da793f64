"""The whole of Doorline between pretended vendors, on a day that is moved on step by step.

The app, its worker and its clock's ticks run in this process, the database and Rasa beside it. The day's clock runs on
in real time while work is under way and leaps to the next step when all is done: what a text waited for its answer is
real, and the hours between are not.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, Self

import httpx
from pydantic import SecretStr
from sqlalchemy import text

from bot.app import Doorline, create_app
from bot.app.clockwork import ticks_of
from bot.durable.ticks import Tick
from bot.settings import Settings
from connectors.emulation import Server
from connectors.onfleet.emulator import OnfleetEmulator
from connectors.slack.emulator import SlackEmulator
from connectors.twilio.emulator import TwilioEmulator

TIMEZONE = "America/New_York"
ACCOUNT_SID = "AC" + "0b" * 16
OUR_NUMBER = "+15005550006"
WEBHOOK_SECRET = "0c" * 32
CHANNEL = "C0DISPATCH"
DISPATCHERS = [{"id": "U0DANA", "name": "Dana"}, {"id": "U0SAM", "name": "Sam"}]
KEY = "bench"
NOT_NOW = frozenset({"protocol"})
UNHURRIED_SECONDS, UNHURRIED_EVERY = 10.0, 5
"""What the app's own clock does no more often than that is done in each so many-th step."""
WORTH_EACH_STEP = frozenset({"silence", "shifts", "notifications"})
FIRST, SECOND = ("feeds", "events"), ("sweep",)
UNLIMITED = 1_000
"""Calls a second to the platform: its own limit would be waited out in real time, of which a day here has minutes."""
PATIENCE_SECONDS = 180.0
LOOK_SECONDS, LONGEST_LOOK_SECONDS = 0.03, 0.24

RUNNABLE = text("""
    SELECT count(*) FROM procrastinate_jobs AS job
    WHERE status IN ('todo', 'doing') AND (
        status = 'doing' OR (coalesce(scheduled_at <= now(), true) AND NOT EXISTS (
            SELECT 1 FROM procrastinate_jobs AS earlier
            WHERE earlier.lock = job.lock AND earlier.id < job.id
                AND earlier.status = 'todo' AND earlier.scheduled_at > now()
        ))
    )
""")
WAITING_FOR_A_RETRY = text(
    "UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo' AND scheduled_at > now()"
)


class SteppedClock:
    """Runs in real time from where it was last put."""

    speed = 1.0

    def __init__(self, at: datetime) -> None:
        self._at, self._since = at, monotonic()

    def now(self) -> datetime:
        return self._at + timedelta(seconds=monotonic() - self._since)

    wall = now

    def go_to(self, moment: datetime) -> None:
        """Never back: a step that took longer than it is long has made the day later."""
        self._at, self._since = max(moment, self.now()), monotonic()


@dataclass(frozen=True)
class Ground:
    """What the stages of one run share."""

    database_url: str
    rasa_url: str
    app_port: int
    """Where Rasa calls the actions."""
    secret_key: str
    var: Path
    sop: Path


class DayStage:
    def __init__(self, ground: Ground, day_at: datetime) -> None:
        self.ground = ground
        self.clock = SteppedClock(day_at)
        now = self.clock.now
        self.url = f"http://127.0.0.1:{ground.app_port}"
        self.twilio = TwilioEmulator(
            account_sid=ACCOUNT_SID,
            auth_token=KEY,
            number=OUR_NUMBER,
            now=now,
            inbound_url=f"{self.url}/connectors/twilio/sms",
            pace_seconds=0.005,
        )
        self.slack = SlackEmulator(
            bot_token="xoxb-bench",
            signing_secret=KEY,
            now=now,
            channels=[{"id": CHANNEL, "name": "dispatch"}],
            dispatchers=DISPATCHERS,
            retry_scale=0.01,
        )
        self.slack.events_url = f"{self.url}/connectors/slack/events"
        self.onfleet = OnfleetEmulator(
            KEY, WEBHOOK_SECRET, now=now, timezone=TIMEZONE, rate_limit=None, repeat_seconds=0.5
        )
        self._stack, self._app_stack = AsyncExitStack(), AsyncExitStack()
        self.bases: dict[str, str] = {}
        self.http: httpx.AsyncClient
        self._doorline: Doorline | None = None
        self._round = 0

    async def __aenter__(self) -> Self:
        apps = {"twilio": self.twilio.app, "slack": self.slack.app, "onfleet": self.onfleet.app}
        for name, app in apps.items():
            server = Server(app)
            await server.start()
            self._stack.push_async_callback(server.stop)
            self.bases[name] = server.url
        client = httpx.AsyncClient(timeout=60, trust_env=False)
        self.http = await self._stack.enter_async_context(client)
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.stop_app()
        await self._stack.aclose()

    # --- the app ------------------------------------------------------------------------------

    def _settings(self) -> Settings:
        return Settings(
            database_url=self.ground.database_url,
            public_url=self.url,
            secret_key=SecretStr(self.ground.secret_key),
            doorline_sop=self.ground.sop,
            doorline_var=self.ground.var,
            rasa_url=self.ground.rasa_url,
            twilio_account_sid=ACCOUNT_SID,
            twilio_auth_token=SecretStr(KEY),
            twilio_from=OUR_NUMBER,
            twilio_api_base=self.bases["twilio"],
            slack_bot_token=SecretStr("xoxb-bench"),
            slack_signing_secret=SecretStr(KEY),
            slack_api_base=self.bases["slack"] + "/api/",
            onfleet_api_key=SecretStr(KEY),
            onfleet_api_base=self.bases["onfleet"],
            onfleet_webhook_secret=SecretStr(WEBHOOK_SECRET),
            platform_pause_seconds=0.05,
        )

    async def start_app(self) -> None:
        app = create_app(self._settings(), clock=self.clock, with_clock=False, with_worker=True)
        server = Server(app, self.ground.app_port)
        await server.start()
        self._doorline = app.state.doorline
        for _, platform in self.doorline.vendors.onfleets():
            platform.let_through(UNLIMITED)
        self._app_stack.push_async_callback(server.stop)

    async def stop_app(self) -> None:
        """In the middle of whatever it does: jobs under way are cut off and found again."""
        await self._app_stack.aclose()
        self._doorline = None

    @property
    def doorline(self) -> Doorline:
        assert self._doorline is not None, "the app is not running"
        return self._doorline

    # --- time ---------------------------------------------------------------------------------

    async def tick(self) -> None:
        """All that the app's own clock does, in an order in which each sees what the one before has done."""
        self._round += 1
        ticks = {tick.name: tick.run for tick in ticks_of(self.doorline) if self._is_due(tick)}
        for names in (FIRST, SECOND):
            for name in names:
                await _calmly(name, ticks.pop(name))
            await self.settled()
        for name, run in ticks.items():
            await _calmly(name, run)
        await self.settled()

    async def tick_and_leave(self) -> None:
        """Asks for all the work that is due, and does not wait for it."""
        for tick in ticks_of(self.doorline):
            await _calmly(tick.name, tick.run)

    def _is_due(self, tick: Tick) -> bool:
        if tick.name in NOT_NOW:
            return False
        is_hurried = tick.every_seconds < UNHURRIED_SECONDS or tick.name in WORTH_EACH_STEP
        return is_hurried or self._round % UNHURRIED_EVERY == 0

    async def settled(self) -> None:
        """Waits until nothing is under way: webhooks, the queue, and what the carrier still has to tell."""
        await self._until_quiet(self._jobs_left)
        while self.twilio.is_busy:
            await self.twilio.settled()
            await self._until_quiet(self._jobs_left)

    async def platform_settled(self) -> None:
        if not self.onfleet.webhooks.faults.down:
            await self.onfleet.webhooks.settle(PATIENCE_SECONDS)

    async def retry_now(self) -> None:
        """What waits for its next try does not wait."""
        async with self.doorline.services.database.transaction() as session:
            await session.execute(WAITING_FOR_A_RETRY)
        await self.settled()

    async def _until_quiet(self, left: Callable[[], Awaitable[int]]) -> None:
        deadline, pause = monotonic() + PATIENCE_SECONDS, LOOK_SECONDS
        while (count := await left()) > 0:
            if monotonic() > deadline:
                raise TimeoutError(f"{count} jobs are still under way")
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LONGEST_LOOK_SECONDS)

    async def _jobs_left(self) -> int:
        async with self.doorline.services.database.transaction() as session:
            return int(await session.scalar(RUNNABLE) or 0)

    # --- hands in Slack -----------------------------------------------------------------------

    async def channel(self) -> list[dict[str, Any]]:
        answer = await self.http.get(f"{self.bases['slack']}/_emulator/channels/{CHANNEL}")
        messages: list[dict[str, Any]] = answer.raise_for_status().json()["messages"]
        return messages

    async def press(self, ts: str, action_id: str, user: str) -> dict[str, Any] | None:
        """The window that opened, if one did."""
        order = {"channel": CHANNEL, "ts": ts, "user": user, "action_id": action_id}
        answer = await self.http.post(f"{self.bases['slack']}/_emulator/press", json=order)
        view: dict[str, Any] | None = answer.json().get("view") if answer.is_success else None
        return view

    async def submit(self, user: str, view: dict[str, Any], **fields: str) -> None:
        values = {name: {name: words} for name, words in fields.items()}
        order = {"user": user, "view_id": view["id"], "values": values}
        await self.http.post(f"{self.bases['slack']}/_emulator/submit", json=order)


async def _calmly(name: str, run: Callable[[], Awaitable[object]]) -> None:
    """As the app's own clock: what fails now comes again with the next round."""
    try:
        await run()
    except Exception as exc:  # any error of any tick: it is shown, and counted by nobody
        print(f"tick {name} failed: {type(exc).__name__}: {str(exc).splitlines()[0]}", flush=True)


def utc(year: int, month: int, day: int, hour: int) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)
