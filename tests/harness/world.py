"""One test's world: the emulators, the app, the people. Reads like the story that the test tells."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Self, TypeVar
from zoneinfo import ZoneInfo

import httpx
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import select, text
from sqlmodel import SQLModel, col

from bot.app import Doorline, create_app
from bot.app.clockwork import ticks_of
from bot.keys import webhook_secret
from bot.processes import free_port
from bot.settings import Settings
from bot.stops.models import StopRecord
from connectors.base import Address, DeliveryWindow
from connectors.email.emulator import MailEmulator
from connectors.emulation import Server
from connectors.onfleet.emulator import OnfleetEmulator
from connectors.optimoroute.emulator import OptimoRouteEmulator
from connectors.route4me.emulator import Route4MeEmulator
from connectors.slack.emulator import SlackEmulator
from connectors.twilio.emulator import TwilioEmulator
from tests.harness.accounts import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    BOT_TOKEN,
    CHANNEL,
    DISPATCHERS,
    ONFLEET_KEY,
    ONFLEET_SECRET,
    OPTIMOROUTE_KEY,
    OUR_MAIL,
    OUR_NUMBER,
    ROUTE4ME_KEY,
    SIGNING_SECRET,
    TIMEZONE,
    USERGROUPS,
)
from tests.harness.clock import ManualClock
from tests.harness.dialogue import PretendedRasa
from tests.harness.patience import FreshConnections
from tests.harness.people import Dispatcher, Recipient, readable
from tests.harness.protocol import QUIET
from tests.harness.visitors import WebVisitor, Writer
from tests.harness.waiting import eventually

Row = TypeVar("Row", bound=SQLModel)

TABLES = """
    SELECT string_agg(format('%I', tablename), ', ') FROM pg_tables
    WHERE schemaname = 'public' AND tablename NOT IN ('alembic_version', 'events')
"""

REAL_TIME_TICKS = frozenset({"protocol", "rescue", "stranded", "catch_up"})
"""Files that change, workers that die, webhooks that were lost: each has tests of its own."""

RUNNABLE_JOBS = """
    SELECT count(*) FROM procrastinate_jobs AS job
    WHERE status = 'doing' OR (status = 'todo' AND coalesce(scheduled_at <= now(), true) AND NOT EXISTS (
        SELECT 1 FROM procrastinate_jobs AS earlier
        WHERE earlier.lock = job.lock AND earlier.id < job.id
            AND earlier.status = 'todo' AND earlier.scheduled_at > now()
    ))
"""


@dataclass(frozen=True)
class Setting:
    """What all worlds of one test session share."""

    database_url: str
    rasa_url: str | None
    """None: each world brings a pretended one."""
    app_port: int
    secret_key: str
    var: Path


class World:
    """Everything of one test. `async with World(...)` opens it; nothing of an earlier test is left.

    `with_app=False` leaves the app to the test: another process, or none. `with_mail=True` switches email on.
    Nobody is written to unasked, but by a `sop` that says so. `platforms` are the routing platforms that Doorline has a key of.
    """

    def __init__(
        self,
        setting: Setting,
        *,
        sop: Path | None = None,
        clock: ManualClock | None = None,
        with_clock: bool = False,
        with_app: bool = True,
        with_mail: bool = False,
        platforms: Sequence[str] = ("onfleet",),
    ) -> None:
        self.setting = setting
        self.clock = clock or ManualClock()
        self._short_ids = Random(0)
        """The same ones in each run: a number that happens to read as something fails here or nowhere."""
        self.rasa = PretendedRasa()
        """Stands in where the setting has no real server."""
        self._with_clock = with_clock
        self._with_app = with_app
        self._platforms = tuple(platforms)
        self._sop = sop or QUIET
        self._stack = AsyncExitStack()
        self.url = f"http://127.0.0.1:{setting.app_port}"
        now = self.clock.now
        self.twilio = TwilioEmulator(
            ACCOUNT_SID,
            AUTH_TOKEN,
            OUR_NUMBER,
            now=now,
            inbound_url=f"{self.url}/connectors/twilio/sms",
            pace_seconds=0.01,
        )
        self.slack = SlackEmulator(
            bot_token=BOT_TOKEN,
            signing_secret=SIGNING_SECRET,
            now=now,
            channels=[{"id": CHANNEL, "name": "dispatch"}],
            dispatchers=DISPATCHERS,
            retry_scale=0.01,
            usergroups=USERGROUPS,
        )
        self.slack.events_url = f"{self.url}/connectors/slack/events"
        self.onfleet = OnfleetEmulator(
            ONFLEET_KEY, ONFLEET_SECRET, now=now, timezone=TIMEZONE, rate_limit=None, repeat_seconds=0.2
        )
        self.route4me = Route4MeEmulator(ROUTE4ME_KEY, now=now, timezone=TIMEZONE, repeat_seconds=0.2)
        self.optimoroute = OptimoRouteEmulator(OPTIMOROUTE_KEY, now=now, timezone=TIMEZONE)
        self.mail_port = free_port() if with_mail else None
        """Where the app listens for mails."""
        self.mail = MailEmulator(OUR_MAIL, now=now, inbound_url=f"smtp://127.0.0.1:{self.mail_port}")
        self._app_stack = AsyncExitStack()
        self.app: FastAPI
        self.http: httpx.AsyncClient

    async def __aenter__(self) -> Self:
        servers = {
            "twilio": Server(self.twilio.app),
            "slack": Server(self.slack.app),
            "onfleet": Server(self.onfleet.app),
            "route4me": Server(self.route4me.app),
            "optimoroute": Server(self.optimoroute.app),
            "rasa": Server(self.rasa.app),
            **({"mail": Server(self.mail.app)} if self.mail_port else {}),
        }
        await asyncio.gather(*(server.start() for server in servers.values()))
        self._servers = list(servers.values())
        self.bases = {name: server.url for name, server in servers.items()}
        client = httpx.AsyncClient(timeout=30, transport=FreshConnections())
        self.http = await self._stack.enter_async_context(client)
        if self._with_app:
            await self.start_app()
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.rasa.release()
        await self.stop_app()
        await self._stack.aclose()
        await asyncio.gather(*(server.stop() for server in self._servers))

    # --- the app ------------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        return Settings(
            database_url=self.setting.database_url,
            public_url=self.url,
            secret_key=SecretStr(self.setting.secret_key),
            doorline_sop=self._sop,
            doorline_var=self.setting.var,
            rasa_url=self.setting.rasa_url or self.bases["rasa"],
            twilio_account_sid=ACCOUNT_SID,
            twilio_auth_token=SecretStr(AUTH_TOKEN),
            twilio_from=OUR_NUMBER,
            twilio_api_base=self.bases["twilio"],
            slack_bot_token=SecretStr(BOT_TOKEN),
            slack_signing_secret=SecretStr(SIGNING_SECRET),
            slack_api_base=self.bases["slack"] + "/api/",
            onfleet_api_key=self._key_of("onfleet", ONFLEET_KEY),
            onfleet_api_base=self.bases["onfleet"],
            onfleet_webhook_secret=self._key_of("onfleet", ONFLEET_SECRET),
            route4me_api_key=self._key_of("route4me", ROUTE4ME_KEY),
            route4me_api_base=self.bases["route4me"],
            optimoroute_api_key=self._key_of("optimoroute", OPTIMOROUTE_KEY),
            optimoroute_api_base=self.bases["optimoroute"],
            optimoroute_timezone=TIMEZONE,
            platform_pause_seconds=0.05,
            smtp_url=SecretStr(self.mail.smtp_url) if self.mail_port else None,
            email_from=f"QuickShip <{OUR_MAIL}>" if self.mail_port else None,
            email_inbound_port=self.mail_port,
        )

    def _key_of(self, platform: str, key: str) -> SecretStr | None:
        return SecretStr(key) if platform in self._platforms else None

    async def start_app(self, **changes: Any) -> None:
        """`changes` replace settings, and `with_worker=False` leaves the jobs to another process."""
        with_worker = changes.pop("with_worker", True)
        settings = self.settings.model_copy(update=changes)
        self.app = create_app(
            settings, clock=self.clock, with_clock=self._with_clock, with_worker=with_worker
        )
        server = Server(self.app, self.setting.app_port)
        await server.start()
        secret = webhook_secret(self.setting.secret_key, "route4me")
        self.route4me.callback_url = f"{self.url}/connectors/route4me/webhook/{secret}"
        self._app_stack.push_async_callback(server.stop)

    async def stop_app(self) -> None:
        await self._app_stack.aclose()

    async def restart_app(self, **changes: Any) -> None:
        await self.stop_app()
        await self.start_app(**changes)

    @property
    def doorline(self) -> Doorline:
        doorline: Doorline = self.app.state.doorline
        return doorline

    # --- time ---------------------------------------------------------------------------------

    async def advance(self, **duration: float) -> None:
        """Moves the clock, then lets everything that is due happen, as the app's own clock would."""
        self.clock.move(timedelta(**duration))
        await self.tick()

    async def tick(self) -> None:
        """All that the app's own clock does, but for what only real time brings."""
        ticks = {tick.name: tick.run for tick in ticks_of(self.doorline) if tick.name not in REAL_TIME_TICKS}
        await ticks.pop("feeds")()
        await ticks.pop("events")()
        send_paced = ticks.pop("paced_messages")
        await self.settled()
        # A stop that is over by now must not be escalated by a step that is due by now.
        await ticks.pop("sweep")()
        # What the sweep changed is being shown; steps of a row that is held would wait for the next tick.
        await self.settled()
        for run in ticks.values():
            await run()
        await self.settled()
        # What all of that had to say to somebody unasked waits for the sender's pace.
        await send_paced()
        await self.settled()

    async def settled(self) -> None:
        """Waits until the queue is empty but for what waits for its next try, or behind such a job."""
        await eventually(self._jobs_left, lambda left: left == 0, "the queue to be empty")

    async def _jobs_left(self) -> int:
        async with self.doorline.services.database.transaction() as session:
            return int(await session.scalar(text(RUNNABLE_JOBS)) or 0)

    async def retries(self) -> None:
        """Lets every job that waits for its next try run now."""
        async with self.doorline.services.database.transaction() as session:
            await session.execute(
                text("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'")
            )
        await self.settled()

    # --- what is kept -------------------------------------------------------------------------

    async def rows(self, table: type[Row], *conditions: Any) -> list[Row]:
        """Rows of one of our tables that fulfil all conditions."""
        async with self.doorline.services.database.transaction() as session:
            return list(await session.scalars(select(table).where(*conditions)))

    # --- the routing platform -----------------------------------------------------------------

    async def has_stop(
        self,
        *,
        phone: str = "+12125550100",
        window: tuple[str, str] = ("14:00", "16:00"),
        eta: str | None = "15:20",
        client: str = "Acme",
        address: str = "14 Elm St 2B",
        driver: str = "van-7",
        day: int = 0,
        name: str = "Robin Doe",
        on_route: bool = True,
    ) -> str:
        """A stop on Onfleet, known to Doorline. Times are New York's, `day` counts from today. Gives its tracking."""
        key = f"{self._short_ids.getrandbits(32):08x}"
        team = self.onfleet.add_team("North")
        worker = self.onfleet.add_worker(
            driver, name=f"Driver of {driver}", phone="+12125550999", team=team, location=(40.7, -74.0)
        )
        task = self.onfleet.add_task(
            key,
            worker=worker,
            address=Address(line=address, city="New York", postcode="10001", latitude=40.7, longitude=-74.0),
            recipient_name=name,
            recipient_phone=phone,
            window=DeliveryWindow(start_at=self.local(window[0], day), end_at=self.local(window[1], day)),
            created_at=self.clock.now() - timedelta(hours=14),
            metadata={"client": client, "zone": "North"},
        )
        if on_route:
            self.onfleet.set_duty(worker, True, self.clock.now())
        if eta is not None:
            self.onfleet.set_eta(task["id"], self.local(eta, day))
        if self._with_app:
            await self.sync()
        return str(task["shortId"])

    async def delivers(self, tracking: str, **left: Any) -> None:
        """The driver finishes a stop; `left` is what `OnfleetEmulator.complete_task` takes beside it."""
        self.onfleet.complete_task(self.task_of(tracking)["id"], **left)
        await self.sync()

    def task_of(self, tracking: str) -> dict[str, Any]:
        """Onfleet's own record of a stop."""
        return next(task for task in self.onfleet.store.tasks.values() if task["shortId"] == tracking)

    def local(self, clock_time: str, day: int = 0) -> datetime:
        hour, minute = (int(part) for part in clock_time.split(":"))
        today = self.clock.now().astimezone(ZoneInfo(TIMEZONE))
        return (today + timedelta(days=day)).replace(hour=hour, minute=minute, second=0, microsecond=0)

    async def stop_record(self, tracking: str) -> StopRecord:
        """Doorline's own record of a stop."""
        async with self.doorline.services.database.transaction() as session:
            return (
                await session.scalars(select(StopRecord).where(col(StopRecord.tracking) == tracking))
            ).one()

    async def sync(self) -> None:
        """Lets Doorline read the platform now, whole."""
        services = self.doorline.services
        self.clock.move(timedelta(seconds=31))
        await services.feeds.ask_for_due_reads()
        await self.settled()

    # --- people -------------------------------------------------------------------------------

    def recipient(self, phone: str = "+12125550100") -> "Recipient":
        return Recipient(self, phone)

    async def web_visitor(self, network: str = "203.0.113.7") -> WebVisitor:
        """Somebody who has just opened the chat page."""
        visitor = WebVisitor(self.url, network)
        await visitor.opens()
        self._app_stack.push_async_callback(visitor.closes)
        return visitor

    def writer(self, address: str = "robin@mail.example") -> Writer:
        """Somebody with a mailbox; the world needs `with_mail`."""
        return Writer(self.mail, address)

    def dispatcher(self, dispatcher: str = "U0DANA") -> "Dispatcher":
        return Dispatcher(self, dispatcher)

    async def channel(self) -> list[dict[str, Any]]:
        """The messages that stand in the dispatchers' channel, oldest first."""
        answer = await self.http.get(f"{self.bases['slack']}/_emulator/channels/{CHANNEL}")
        messages: list[dict[str, Any]] = answer.raise_for_status().json()["messages"]
        return sorted(messages, key=lambda message: message["ts"])

    async def thread(self, message: dict[str, Any]) -> list[str]:
        """What stands in the thread of a message, oldest first."""
        messages = {other["ts"]: other for other in await self.channel()}
        return [readable(reply) for reply in messages[message["ts"]]["replies"]]

    async def thread_shows(self, message: dict[str, Any], *words: str) -> str:
        """Waits for a line in the thread that has all these words; gives it."""

        def fitting(lines: list[str]) -> list[str]:
            return [line for line in lines if all(word in line for word in words)]

        seen = await eventually(
            lambda: self.thread(message), lambda lines: bool(fitting(lines)), f"a thread line with {words}"
        )
        return fitting(seen)[-1]

    async def channel_shows(self, *words: str) -> dict[str, Any]:
        """Waits for a message in the channel that has all these words; gives it."""

        def fits(messages: list[dict[str, Any]]) -> bool:
            return any(all(word in readable(message) for word in words) for message in messages)

        messages = await eventually(self.channel, fits, f"a Slack message with {words}")
        return next(m for m in messages if all(word in readable(m) for word in words))


async def pause() -> None:
    """Lets other tasks run."""
    await asyncio.sleep(0)
