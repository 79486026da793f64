"""The whole of Doorline between pretended vendors, in real time: the app and Rasa as processes of their own."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic, perf_counter
from typing import Any

import httpx

from bot import rasa_server
from bot.db import EmbeddedPostgres, create_database, migrate
from bot.processes import dies_with_parent, free_port
from bot.settings import PROJECT_ROOT
from connectors.base import Address, DeliveryWindow
from connectors.emulation import serving
from connectors.onfleet.emulator import OnfleetEmulator
from connectors.slack.emulator import SlackEmulator
from connectors.twilio.emulator import TwilioEmulator
from connectors.twilio.emulator_rules import Order
from connectors.twilio.emulator_state import StoredMessage

VAR = PROJECT_ROOT / "var"
FOLDER = VAR / "bench"
ACCOUNT_SID = "AC" + "0b" * 16
OUR_NUMBER = "+15005550006"
WEBHOOK_SECRET = "0c" * 32
READY_WITHIN_SECONDS = 180


def now() -> datetime:
    return datetime.now(UTC)


class TimedTwilio(TwilioEmulator):
    """Notes the moment at which each of our messages reaches it."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.arrivals: list[tuple[str, float]] = []
        """Recipient and `perf_counter` of each message of ours, in order."""

    def take_order(self, order: Order, direction: str = "outbound-api") -> StoredMessage:
        if direction == "outbound-api":
            self.arrivals.append((order.to, perf_counter()))
        return super().take_order(order, direction)


@dataclass(frozen=True)
class Stage:
    url: str
    database_url: str
    twilio: TimedTwilio
    onfleet: OnfleetEmulator
    slack: SlackEmulator

    def add_stop(self, phone: str) -> None:
        """A parcel that is on its way to `phone` today."""
        team = self.onfleet.add_team("North")
        worker = self.onfleet.add_worker(
            "van", name="Driver", phone="+12125550999", team=team, location=(40.7, -74.0)
        )
        task = self.onfleet.add_task(
            phone,
            worker=worker,
            address=Address(line="14 Elm St", city="New York", latitude=40.7, longitude=-74.0),
            recipient_name="Robin Doe",
            recipient_phone=phone,
            window=DeliveryWindow(start_at=now() - timedelta(hours=1), end_at=now() + timedelta(hours=3)),
            created_at=now() - timedelta(hours=3),
            metadata={"client": "Acme", "zone": "North"},
        )
        self.onfleet.set_duty(worker, True, now())
        self.onfleet.set_eta(task["id"], now() + timedelta(hours=1))


@asynccontextmanager
async def open_stage(phones: list[str], *, rasa_url: str | None = None) -> AsyncIterator[Stage]:
    """Everything, ready to answer; each of `phones` has a parcel on its way.

    With `rasa_url` what answers there stands in for Rasa: the measurement must say so.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    if rasa_url is None:
        rasa_server.train(VAR)
    postgres = EmbeddedPostgres(FOLDER / "postgres")
    try:
        database_url = create_database(postgres.url, "bench", replace=True)
        migrate(database_url)
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        twilio, slack, onfleet = _emulators(url)
        stage = Stage(url, database_url, twilio, onfleet, slack)
        for phone in phones:
            stage.add_stop(phone)
        async with serving(twilio.app) as texts, serving(slack.app) as desk, serving(onfleet.app) as platform:
            environment = _environment(stage, texts, desk, platform)
            environment |= {"RASA_URL": rasa_url} if rasa_url is not None else {}
            async with _app(environment, port):
                await _until_ready(url)
                yield stage
    finally:
        postgres.stop()


def _emulators(url: str) -> tuple[TimedTwilio, SlackEmulator, OnfleetEmulator]:
    twilio = TimedTwilio(
        account_sid=ACCOUNT_SID,
        auth_token="bench",
        number=OUR_NUMBER,
        now=now,
        inbound_url=f"{url}/connectors/twilio/sms",
    )
    slack = SlackEmulator(
        bot_token="xoxb-bench",
        signing_secret="bench",
        now=now,
        channels=[{"id": "C0DISPATCH", "name": "dispatch"}],
        dispatchers=[{"id": "U0DANA", "name": "Dana"}],
    )
    slack.events_url = f"{url}/connectors/slack/events"
    onfleet = OnfleetEmulator("bench", WEBHOOK_SECRET, now=now, timezone="America/New_York", rate_limit=None)
    return twilio, slack, onfleet


def _environment(stage: Stage, texts: str, desk: str, platform: str) -> dict[str, str]:
    return os.environ | {
        "DATABASE_URL": stage.database_url,
        "PUBLIC_URL": stage.url,
        "DOORLINE_VAR": str(VAR),
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": "bench",
        "TWILIO_FROM": OUR_NUMBER,
        "TWILIO_API_BASE": texts,
        "SLACK_BOT_TOKEN": "xoxb-bench",
        "SLACK_SIGNING_SECRET": "bench",
        "SLACK_API_BASE": f"{desk}/api/",
        "ONFLEET_API_KEY": "bench",
        "ONFLEET_API_BASE": platform,
        "ONFLEET_WEBHOOK_SECRET": WEBHOOK_SECRET,
    }


@asynccontextmanager
async def _app(environment: dict[str, str], port: int) -> AsyncIterator[None]:
    """`doorline serve`, which starts Rasa itself and ends it."""
    with (FOLDER / "app.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "serve", "--port", str(port)),
            cwd=PROJECT_ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            preexec_fn=dies_with_parent,
        )
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 30)
        except TimeoutError:
            process.kill()


async def _until_ready(url: str) -> None:
    deadline = monotonic() + READY_WITHIN_SECONDS
    async with httpx.AsyncClient(trust_env=False) as http:
        while monotonic() < deadline:
            try:
                if (await http.get(f"{url}/readyz", timeout=5)).is_success:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.5)
    raise RuntimeError(f"the app was not ready within {READY_WITHIN_SECONDS} s; see {FOLDER / 'app.log'}")
