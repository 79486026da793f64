"""One test's world: the emulators, the app, the people. Reads like the story that the test tells."""

import asyncio
import secrets
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar
from zoneinfo import ZoneInfo

import httpx
from fastapi import FastAPI
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import select, text
from sqlmodel import SQLModel, col

from bot.app import Doorline, create_app
from bot.settings import PROJECT_ROOT, Settings
from bot.stops.models import StopRecord
from connectors.base import Address, DeliveryWindow
from connectors.emulation import Server
from connectors.onfleet.emulator import OnfleetEmulator
from connectors.slack.emulator import SlackEmulator
from connectors.twilio.emulator import TwilioEmulator
from tests.harness.clock import ManualClock
from tests.harness.dialogue import PretendedRasa
from tests.harness.waiting import eventually

Row = TypeVar("Row", bound=SQLModel)

TIMEZONE = "America/New_York"
ACCOUNT_SID = "AC" + "0a" * 16
AUTH_TOKEN = "the-auth-token"
OUR_NUMBER = "+15005550006"
BOT_TOKEN = "xoxb-the-bot"
SIGNING_SECRET = "the-signing-secret"
ONFLEET_KEY = "the-onfleet-key"
ONFLEET_SECRET = "0d" * 32
CHANNEL = "C0DISPATCH"
DISPATCHERS = [{"id": "U0DANA", "name": "Dana"}, {"id": "U0SAM", "name": "Sam"}]

TABLES = """
    SELECT string_agg(format('%I', tablename), ', ') FROM pg_tables
    WHERE schemaname = 'public' AND tablename NOT IN ('alembic_version', 'events')
"""


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

    `with_app=False` leaves the app to the test: another process, or none.
    """

    def __init__(
        self,
        setting: Setting,
        *,
        sop: Path | None = None,
        clock: ManualClock | None = None,
        with_clock: bool = False,
        with_app: bool = True,
    ) -> None:
        self.setting = setting
        self.clock = clock or ManualClock()
        self.rasa = PretendedRasa()
        """Stands in where the setting has no real server."""
        self._with_clock = with_clock
        self._with_app = with_app
        self._sop = sop or PROJECT_ROOT / "bot" / "sop.yml"
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
        )
        self.slack.events_url = f"{self.url}/connectors/slack/events"
        self.onfleet = OnfleetEmulator(
            ONFLEET_KEY, ONFLEET_SECRET, now=now, timezone=TIMEZONE, rate_limit=None, repeat_seconds=0.2
        )
        self._app_stack = AsyncExitStack()
        self.app: FastAPI
        self.http: httpx.AsyncClient

    async def __aenter__(self) -> Self:
        servers = {
            "twilio": Server(self.twilio.app),
            "slack": Server(self.slack.app),
            "onfleet": Server(self.onfleet.app),
            "rasa": Server(self.rasa.app),
        }
        await asyncio.gather(*(server.start() for server in servers.values()))
        self._servers = list(servers.values())
        self.bases = {name: server.url for name, server in servers.items()}
        self.http = await self._stack.enter_async_context(httpx.AsyncClient(timeout=30, trust_env=False))
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
            onfleet_api_key=SecretStr(ONFLEET_KEY),
            onfleet_api_base=self.bases["onfleet"],
            onfleet_webhook_secret=SecretStr(ONFLEET_SECRET),
        )

    async def start_app(self, **changes: Any) -> None:
        """`changes` replace settings, and `with_worker=False` leaves the jobs to another process."""
        with_worker = changes.pop("with_worker", True)
        settings = self.settings.model_copy(update=changes)
        self.app = create_app(
            settings, clock=self.clock, with_clock=self._with_clock, with_worker=with_worker
        )
        server = Server(self.app, self.setting.app_port)
        await server.start()
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
        services = self.doorline.services
        await services.feeds.ask_for_due_reads()
        await self.settled()
        await services.sweep.run()
        await services.conversations.send_due_holding_answers()
        await services.conversations.hand_over_due()
        await services.feeds.watch_silence()
        await services.escalations.fire_due_steps()
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
        key = secrets.token_hex(4)
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

    def dispatcher(self, dispatcher: str = "U0DANA") -> "Dispatcher":
        return Dispatcher(self, dispatcher)

    async def channel(self) -> list[dict[str, Any]]:
        """The messages that stand in the dispatchers' channel, oldest first."""
        answer = await self.http.get(f"{self.bases['slack']}/_emulator/channels/{CHANNEL}")
        messages: list[dict[str, Any]] = answer.raise_for_status().json()["messages"]
        return sorted(messages, key=lambda message: message["ts"])

    async def channel_shows(self, *words: str) -> dict[str, Any]:
        """Waits for a message in the channel that has all these words; gives it."""

        def fits(messages: list[dict[str, Any]]) -> bool:
            return any(all(word in readable(message) for word in words) for message in messages)

        messages = await eventually(self.channel, fits, f"a Slack message with {words}")
        return next(m for m in messages if all(word in readable(m) for word in words))


class Recipient:
    """Somebody with a phone. Texts go through Twilio's emulator, which signs and delivers them."""

    def __init__(self, world: World, phone: str) -> None:
        self._world = world
        self.phone = phone

    async def texts(self, body: str, sid: str | None = None, media: int = 0) -> None:
        """Sends one text; returns once our webhook has answered."""
        wanted: dict[str, Any] = {"from": self.phone, "body": body}
        if sid is not None:
            wanted["sid"] = sid
        if media:
            wanted["num_media"] = media
        answer = await self._world.http.post(f"{self._world.bases['twilio']}/_emulator/inbound", json=wanted)
        assert answer.raise_for_status().json()["webhook_status"] == 200, answer.text

    async def reads(self) -> list[str]:
        """Every text that Doorline has sent to this phone, oldest first."""
        base = self._world.bases["twilio"]
        answer = await self._world.http.get(f"{base}/_emulator/messages", params={"phone": self.phone})
        messages = answer.raise_for_status().json()["messages"]
        return [message["body"] for message in messages if message["direction"] == "outbound-api"]

    async def reads_next(self, count: int) -> list[str]:
        """Waits until at least `count` texts have come in all; gives them."""
        return await eventually(
            self.reads, lambda texts: len(texts) >= count, f"{count} texts to {self.phone}"
        )

    async def asks(self, body: str) -> str:
        """Sends one text and waits for its answer."""
        before = len(await self.reads())
        await self.texts(body)
        return (await self.reads_next(before + 1))[before]


class Dispatcher:
    """Somebody in Slack, acting through the real slack_sdk with a token of their own."""

    def __init__(self, world: World, user_id: str) -> None:
        self._world = world
        self.user_id = user_id
        self._client = AsyncWebClient(token=f"xoxp-{user_id}", base_url=world.bases["slack"] + "/api/")
        self._client.proxy = None

    async def reacts(self, message: dict[str, Any], name: str) -> None:
        await self._client.reactions_add(channel=CHANNEL, timestamp=message["ts"], name=name)

    async def takes_back(self, message: dict[str, Any], name: str) -> None:
        await self._client.reactions_remove(channel=CHANNEL, timestamp=message["ts"], name=name)

    async def presses(self, message: dict[str, Any], action_id: str) -> None:
        wanted = {"channel": CHANNEL, "ts": message["ts"], "user": self.user_id, "action_id": action_id}
        answer = await self._world.http.post(f"{self._world.bases['slack']}/_emulator/press", json=wanted)
        assert answer.raise_for_status().json()["status"] == 200, answer.text


def readable(message: dict[str, Any]) -> str:
    """All that a dispatcher can read in one message, blocks first."""
    parts: list[str] = []

    def collect(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("text"), str):
                parts.append(node["text"])
            for value in node.values():
                collect(value)
        elif isinstance(node, list):
            for value in node:
                collect(value)

    collect(message.get("blocks", []))
    return "\n".join(parts) or str(message.get("text", ""))


async def pause() -> None:
    """Lets other tasks run."""
    await asyncio.sleep(0)
