"""The facts of a small world, behind the protocols that the actions ask: no database, no platform, no Rasa."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rasa_sdk.executor import ActionExecutor

from actions import build_actions
from actions.services import ActionServices
from bot.stops.answers import HandoffPromise, RescheduleOutcome, StopAnswer, StopQuestion, Turn
from bot.windows import WindowReading, read_window, to_window
from connectors.base import DeliveryWindow, StopStatus

TIMEZONE = "America/New_York"
NOW = datetime(2024, 6, 10, 13, 30, tzinfo=ZoneInfo(TIMEZONE)).astimezone(UTC)
"""A Monday, half past one in the afternoon."""


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant of June 2024, told in the stop's zone."""
    return datetime(2024, 6, day, hour, minute, tzinfo=ZoneInfo(TIMEZONE)).astimezone(UTC)


def window(day: int, start: int, end: int) -> DeliveryWindow:
    return DeliveryWindow(start_at=at(day, start), end_at=at(day, end))


def stop(stop_id: str = "S1", **facts: Any) -> StopAnswer:
    """An Acme parcel on the van, due at 15:22 in a window of 2 to 4 pm, unless `facts` say otherwise."""
    usual: dict[str, Any] = {
        "stop_id": stop_id,
        "tracking": f"QS-{stop_id}",
        "client": "Acme",
        "address_line": "14 Elm St 2B",
        "timezone": TIMEZONE,
        "status": StopStatus.OUT_FOR_DELIVERY,
        "window": window(10, 14, 16),
        "eta_at": at(10, 15, 22),
        "stops_away": 4,
        "data_at": NOW,
        "stale": False,
        "completed_at": None,
        "failure_reason": None,
        "can_change_window": True,
    }
    return StopAnswer(**(usual | facts))


@dataclass
class Facts:
    """What is true, and what the bot has done to it."""

    stops: list[StopAnswer] = field(default_factory=list)
    offered: tuple[DeliveryWindow, ...] = (window(11, 8, 12), window(11, 17, 21))
    platform_is_down: bool = False
    unbookable: str | None = None
    asked_dispatcher: list[tuple[str, str | None]] = field(default_factory=list)
    booked: list[tuple[str, DeliveryWindow]] = field(default_factory=list)
    opted_out: list[str] = field(default_factory=list)

    async def stops_in_question(self, turn: Turn) -> StopQuestion:
        named = [stop for stop in self.stops if stop.tracking.casefold() in turn.text.casefold()]
        stops = tuple(named or self.stops)
        if "QS-" in turn.text and not named:
            return StopQuestion(kind="no_such_tracking", now=NOW)
        if not stops:
            return StopQuestion(kind="unknown_phone", now=NOW)
        return StopQuestion(kind="one" if len(stops) == 1 else "several", stops=stops, now=NOW)

    async def get_answer(self, stop_id: str) -> StopAnswer:
        return next(stop for stop in self.stops if stop.stop_id == stop_id)

    def why_not_bookable(self, window: DeliveryWindow, timezone: str) -> str | None:
        return self.unbookable

    async def offers(self, stop_id: str) -> tuple[DeliveryWindow, ...]:
        return self.offered

    async def reschedule(self, turn: Turn, stop_id: str, window: DeliveryWindow) -> RescheduleOutcome:
        stop = await self.get_answer(stop_id)
        if self.platform_is_down:
            return RescheduleOutcome(
                result="platform_down", stop=stop, respond_by=NOW + timedelta(minutes=20)
            )
        self.booked.append((stop_id, window))
        return RescheduleOutcome(result="booked", stop=stop.model_copy(update={"window": window}))

    async def ask_dispatcher(self, turn: Turn, reason: str, stop_id: str | None = None) -> HandoffPromise:
        self.asked_dispatcher.append((reason, stop_id))
        return HandoffPromise(respond_by=NOW + timedelta(minutes=15), timezone=TIMEZONE)

    async def opt_out(self, turn: Turn) -> None:
        self.opted_out.append(turn.conversation_id)

    def read(self, text: str, timezone: str, locale: str) -> WindowReading:
        return read_window(text, now=NOW, timezone=timezone, locale=locale)

    def to_window(self, reading: WindowReading, timezone: str) -> DeliveryWindow | None:
        return to_window(reading, timezone)

    def services(self) -> ActionServices:
        return ActionServices(self, self, self, self, self, lambda: NOW, "QuickShip")


@dataclass
class Said:
    """What one action answered: responses with what fills them, and the slots it set."""

    responses: list[tuple[str, dict[str, Any]]]
    slots: dict[str, Any]
    events: list[str]
    followed_by: str | None = None

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.responses]


@dataclass
class Conversation:
    """Calls single actions through the real executor, as Rasa does; slots persist between the calls."""

    facts: Facts
    slots: dict[str, Any] = field(default_factory=dict)

    async def run(self, action: str, text: str, intent: str, confidence: float = 0.9, **slots: Any) -> Said:
        executor = ActionExecutor()
        for built in build_actions(self.facts.services()):
            executor.register_action(built)
        self.slots |= slots
        message = {
            "text": text,
            "intent": {"name": intent, "confidence": confidence},
            "metadata": {"inbound_id": "I1"},
        }
        tracker = {
            "sender_id": "C1",
            "slots": dict(self.slots),
            "latest_message": message,
            "events": [{"event": "user", "text": text}],
            "active_loop": {},
        }
        answer = await executor.run({"next_action": action, "tracker": tracker, "domain": {}})
        assert answer is not None
        said = _said(answer.events, answer.responses)
        self.slots |= said.slots
        return said


def _said(events: list[dict[str, Any]], responses: list[dict[str, Any]]) -> Said:
    usual = {"text", "buttons", "elements", "custom", "template", "response", "image", "attachment"}
    return Said(
        responses=[
            (reply["response"], {key: value for key, value in reply.items() if key not in usual})
            for reply in responses
        ],
        slots={event["name"]: event["value"] for event in events if event["event"] == "slot"},
        events=[event["event"] for event in events],
        followed_by=next((event["name"] for event in events if event["event"] == "followup"), None),
    )
