"""The facts of a small world, behind the protocols that the actions ask: no database, no platform, no Rasa."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rasa_sdk.executor import ActionExecutor

from actions import build_actions
from actions.services import ActionServices, RequestKind
from bot.recovery.answers import FollowUpOutcome, FollowUpQuestion, Preference
from bot.stops.answers import (
    HandoffPromise,
    IncidentAnswer,
    IncidentKind,
    NoteOutcome,
    ProofAnswer,
    RescheduleOutcome,
    Scope,
    StopAnswer,
    StopQuestion,
    Turn,
)
from bot.windows import WindowReading, read_window, to_window
from bot.windows.offers import day_of
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
    remembered: list[str] = field(default_factory=list)
    noted: list[tuple[str, str]] = field(default_factory=list)
    note: NoteOutcome | None = None
    requested: list[tuple[str, str, DeliveryWindow | None, str]] = field(default_factory=list)
    incidents: list[tuple[IncidentKind, str]] = field(default_factory=list)
    photos: int = 0
    proof: dict[str, Any] = field(default_factory=dict)
    faq: dict[str, str] = field(default_factory=dict)
    left: tuple[DeliveryWindow, ...] = ()
    """What is still bookable of a wish that has begun."""
    found: StopQuestion | None = None
    """What the finder answers, whatever is asked."""
    followed: FollowUpQuestion | None = None
    """The open follow-up of the one failed stop."""
    answered: list[Preference] = field(default_factory=list)
    outcome: dict[str, Any] = field(default_factory=lambda: {"result": "booked"})

    async def stops_in_question(self, turn: Turn, scope: Scope = Scope.STATUS) -> StopQuestion:
        if self.found is not None:
            return self.found
        named = [stop for stop in self.stops if stop.tracking.casefold() in turn.text.casefold()]
        stops = tuple(named or self.stops)
        if "QS-" in turn.text and not named:
            return StopQuestion(kind="no_such_tracking", now=NOW)
        if not stops:
            return StopQuestion(kind="unknown_phone", now=NOW)
        return StopQuestion(kind="one" if len(stops) == 1 else "several", stops=stops, now=NOW)

    async def get_answer(self, stop_id: str) -> StopAnswer:
        return next(stop for stop in self.stops if stop.stop_id == stop_id)

    async def why_not_bookable_for(self, stop_id: str, window: DeliveryWindow) -> str | None:
        return self.unbookable

    async def offers(self, stop_id: str, without: date | None = None) -> tuple[DeliveryWindow, ...]:
        zone = self.stops[0].timezone
        return tuple(offer for offer in self.offered if day_of(offer, zone) != without)

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

    async def remember(self, turn: Turn, stop_id: str) -> None:
        self.remembered.append(stop_id)

    async def windows_on(self, stop_id: str, day: date) -> tuple[DeliveryWindow, ...]:
        return tuple(
            offer for offer in (window(day.day, 8, 12), window(day.day, 17, 21)) if self.unbookable is None
        )

    async def windows_within(self, stop_id: str, wished: DeliveryWindow) -> tuple[DeliveryWindow, ...]:
        return self.left

    async def leave(self, turn: Turn, stop_id: str, label: str = "") -> NoteOutcome:
        self.noted.append((stop_id, f"{label}: {turn.text}" if label else turn.text))
        return self.note or NoteOutcome(result="noted", stop=await self.get_answer(stop_id))

    async def ask(
        self,
        turn: Turn,
        kind: RequestKind,
        stop_id: str,
        *,
        window: DeliveryWindow | None = None,
        words: str = "",
    ) -> HandoffPromise:
        self.requested.append((kind, stop_id, window, words))
        return HandoffPromise(respond_by=NOW + timedelta(minutes=15), timezone=TIMEZONE)

    async def open(self, turn: Turn, kind: IncidentKind, stop_id: str) -> IncidentAnswer:
        self.incidents.append((kind, stop_id))
        return self._incident(kind)

    async def add_photos(self, turn: Turn, incident_id: str | None) -> IncidentAnswer | None:
        if not self.incidents:
            return None
        self.photos += turn.photos
        return self._incident(self.incidents[-1][0])

    def _incident(self, kind: IncidentKind) -> IncidentAnswer:
        respond_by = NOW + timedelta(minutes=15)
        return IncidentAnswer(
            incident_id="INC1", kind=kind, photos=self.photos, respond_by=respond_by, timezone=TIMEZONE
        )

    async def look(self, turn: Turn, stop_id: str) -> ProofAnswer:
        return ProofAnswer(stop=await self.get_answer(stop_id), **self.proof)

    async def question(self, turn: Turn, recovery_id: str) -> FollowUpQuestion | None:
        return self.followed

    async def open_for(self, turn: Turn, stop_id: str) -> FollowUpQuestion | None:
        is_theirs = self.followed is not None and self.followed.stop.stop_id == stop_id
        return self.followed if is_theirs else None

    async def settle(self, turn: Turn, recovery_id: str, preference: Preference) -> FollowUpOutcome:
        self.answered.append(preference)
        stop = await self.get_answer(self.followed.stop.stop_id if self.followed else "S1")
        return FollowUpOutcome(**({"stop": stop, "window": preference.window} | self.outcome))

    def answer(self, text: str, language: str) -> str | None:
        return next((said for asked, said in self.faq.items() if asked in text), None)

    def read(self, text: str, timezone: str, locale: str) -> WindowReading:
        return read_window(text, now=NOW, timezone=timezone, locale=locale)

    def to_window(self, reading: WindowReading, timezone: str) -> DeliveryWindow | None:
        return to_window(reading, timezone)

    def services(self) -> ActionServices:
        return ActionServices(
            finder=self,
            rescheduling=self,
            handoff=self,
            consent=self,
            instructions=self,
            requests=self,
            incidents=self,
            proofs=self,
            faq=self,
            recovery=_Recoveries(self),
            windows=self,
            say=lambda response, language: response.removeprefix("utter_phrase_"),
            now=lambda: NOW,
            operator="QuickShip",
        )


@dataclass(frozen=True)
class _Recoveries:
    """The follow-ups of the facts: `answer` is the name of another service's there."""

    facts: Facts

    async def question(self, turn: Turn, recovery_id: str) -> FollowUpQuestion | None:
        return await self.facts.question(turn, recovery_id)

    async def open_for(self, turn: Turn, stop_id: str) -> FollowUpQuestion | None:
        return await self.facts.open_for(turn, stop_id)

    async def answer(self, turn: Turn, recovery_id: str, preference: Preference) -> FollowUpOutcome:
        return await self.facts.settle(turn, recovery_id, preference)


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

    async def run(
        self,
        action: str,
        text: str,
        intent: str,
        confidence: float = 0.9,
        *,
        form: str | None = None,
        photos: int = 0,
        ranking: Sequence[tuple[str, float]] = (),
        **slots: Any,
    ) -> Said:
        """`form` is the active one; `ranking` what else the text may mean."""
        self.slots |= slots
        message = {
            "text": text,
            "intent": {"name": intent, "confidence": confidence},
            "intent_ranking": [{"name": name, "confidence": likely} for name, likely in ranking],
            "metadata": {"inbound_id": "I1", "photos": photos},
        }
        return await self._run(action, message, [{"event": "user", "text": text}], form)

    async def begins(
        self,
        intent: str,
        facts: Mapping[str, str],
        *,
        action: str = "action_follow_up",
        before: Sequence[Mapping[str, Any]] = (),
        form: str | None = None,
    ) -> Said:
        """What Rasa does with `trigger_intent`; `before` is what its tracker holds of earlier texts."""
        message = {
            "text": f"EXTERNAL: {intent}",
            "intent": {"name": intent},
            "entities": [{"entity": name, "value": value} for name, value in facts.items()],
            "metadata": {"is_external": True},
        }
        events = [*before, {"event": "user", "text": message["text"], "metadata": message["metadata"]}]
        return await self._run(action, message, events, form)

    async def _run(
        self,
        action: str,
        message: Mapping[str, Any],
        events: Sequence[Mapping[str, Any]],
        form: str | None,
    ) -> Said:
        executor = ActionExecutor()
        for built in build_actions(self.facts.services()):
            executor.register_action(built)
        tracker = {
            "sender_id": "C1",
            "slots": dict(self.slots),
            "latest_message": message,
            "events": events,
            "active_loop": {"name": form} if form else {},
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
