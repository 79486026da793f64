"""What the Slack tests share: a clock, a durable receiver, signed bodies, views of one escalation."""

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

import httpx
from slack_sdk.signature import SignatureVerifier

from connectors.base import DeliveryWindow, StopStatus
from connectors.desk import DeskCommand, TaskAction
from connectors.escalation import DispatcherAction, EscalationLine, EscalationState, EscalationView, Severity
from connectors.home import HomeAction
from connectors.slack.client import SlackDesk
from connectors.slack.emulator import SlackEmulator

BOT_TOKEN = "xoxb-test-token"
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"  # the worked example of Slack's signing page
CHANNELS: list[dict[str, Any]] = [
    {"id": "C0NORTH001", "name": "dispatch-north"},
    {"id": "C0SOUTH001", "name": "dispatch-south", "is_private": True},
    {"id": "C0EMPTY001", "name": "not-joined", "is_member": False},
]
DISPATCHERS = [{"id": "U0DANA0001", "name": "Dana"}, {"id": "U0OMAR0001", "name": "Omar"}]


class Clock:
    """Monday, June 10, 2024, 3:35 pm in New York, until it is moved."""

    def __init__(self) -> None:
        self.at = datetime(2024, 6, 10, 19, 35, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_by(self, **length: float) -> None:
        self.at += timedelta(**length)


Action = TypeVar("Action", DispatcherAction, TaskAction, DeskCommand, HomeAction)


class Receiver(Generic[Action]):
    """What the durable inbox does: keeps an action once, whatever number of times it comes; may be down."""

    def __init__(self) -> None:
        self.stored: dict[str, Action] = {}
        self.arrivals = 0
        self.refusals: list[Exception] = []

    async def __call__(self, action: Action) -> None:
        self.arrivals += 1
        if self.refusals:
            raise self.refusals.pop(0)
        self.stored.setdefault(action.vendor_id, action)

    @property
    def actions(self) -> list[Action]:
        return list(self.stored.values())


class SlackWorld:
    def __init__(self, emulator: SlackEmulator, url: str, desk: SlackDesk, clock: Clock) -> None:
        self.emulator = emulator
        self.url = url
        self.api = f"{url}/api/"
        self.desk = desk
        self.clock = clock
        self.receiver = Receiver[DispatcherAction]()
        self.task_receiver = Receiver[TaskAction]()
        self.command_receiver = Receiver[DeskCommand]()
        self.home_receiver = Receiver[HomeAction]()
        self.clients: list[str] = []
        self.events_url = ""

    async def control(self, path: str, order: dict[str, Any] | None = None) -> dict[str, Any]:
        async with httpx.AsyncClient(trust_env=False) as http:
            url = f"{self.url}/_emulator/{path}"
            answer = await (http.get(url) if order is None else http.post(url, json=order))
            told: dict[str, Any] = answer.json()
            return told

    async def channel(self, channel: str = "dispatch-north") -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = (await self.control(f"channels/{channel}"))["messages"]
        return messages


def sign(body: str, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    timestamp = str(int(time.time() if at is None else at))
    signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body)
    assert signature is not None
    return {"x-slack-request-timestamp": timestamp, "x-slack-signature": signature}


def reaction_body(event_id: str = "Ev0000000001", **event: Any) -> str:
    """Shape: Events API envelope and reaction_added reference."""
    item = {"type": "message", "channel": "C0NORTH001", "ts": "1718048000.000100"}
    full = {"type": "reaction_added", "user": "U0DANA0001", "reaction": "eyes", "item": item} | event
    authorizations = [{"team_id": "T0DOORLINE", "user_id": "U0DOORLINE", "is_bot": True}]
    return json.dumps(
        {
            "type": "event_callback",
            "team_id": "T0DOORLINE",
            "event_id": event_id,
            "event_time": 1718048100,
            "event": {"event_ts": "1718048100.000200", **full},
            "authorizations": authorizations,
        }
    )


def pretended_slack(clock: Clock, **changes: Any) -> SlackEmulator:
    """The workspace of these tests, as patient as Slack."""
    values: dict[str, Any] = {
        "bot_token": BOT_TOKEN,
        "signing_secret": SECRET,
        "now": clock,
        "channels": CHANNELS,
        "dispatchers": DISPATCHERS,
        "retry_scale": 0.001,
    }
    return SlackEmulator(**values | changes)


async def wait_until(condition: Callable[[], Any]) -> None:
    """Ends as soon as the condition holds; fails after ten seconds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def make_line(**changes: Any) -> EscalationLine:
    values: dict[str, Any] = {
        "stop_id": "S-17",
        "tracking": "T17",
        "client": "Acme",
        "address_line": "14 Elm St 2B",
        "window": DeliveryWindow(
            start_at=datetime(2024, 6, 10, 18, tzinfo=UTC), end_at=datetime(2024, 6, 10, 20, tzinfo=UTC)
        ),
        "eta_at": datetime(2024, 6, 10, 20, 25, tzinfo=UTC),
        "status": StopStatus.OUT_FOR_DELIVERY,
    }
    return EscalationLine(**values | changes)


def make_view(**changes: Any) -> EscalationView:
    values: dict[str, Any] = {
        "escalation_id": "E-1",
        "severity": Severity.AT_RISK,
        "state": EscalationState.RAISED,
        "zone": "North 3",
        "client": "Acme",
        "timezone": "America/New_York",
        "why": "ETA 4:25 pm, window ends 4:00 pm",
        "driver_name": "Van 7",
        "driver_behind": "3 stops behind plan",
        "has_driver": True,
        "lines": (make_line(),),
        "exposure_usd": 150,
        "next_step": "mentions <!subteam^S1|oncall-north>",
        "next_step_at": datetime(2024, 6, 10, 19, 41, tzinfo=UTC),
    }
    return EscalationView(**values | changes)
