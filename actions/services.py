"""What the actions ask of the bot, as protocols: the app hands in its services, tests hand in small worlds."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

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
from bot.windows.reading import WindowReading
from connectors.base import DeliveryWindow, Now


class StopFinder(Protocol):
    async def stops_in_question(self, turn: Turn, scope: Scope = Scope.STATUS) -> StopQuestion:
        """Looks at the sender and at the text: a tracking number in it decides."""
        ...

    async def remember(self, turn: Turn, stop_id: str) -> None:
        """This stop was just talked about: what follows is about it, unless it says otherwise."""
        ...

    async def get_answer(self, stop_id: str) -> StopAnswer: ...


class Rescheduling(Protocol):
    async def offers(self, stop_id: str, without: date | None = None) -> tuple[DeliveryWindow, ...]:
        """Bookable windows, soonest first, but for a local day that does not suit; empty where there are none."""
        ...

    async def windows_on(self, stop_id: str, day: date) -> tuple[DeliveryWindow, ...]:
        """Bookable windows of one local day, soonest first."""
        ...

    async def windows_within(self, stop_id: str, window: DeliveryWindow) -> tuple[DeliveryWindow, ...]:
        """Bookable windows that overlap a wish, soonest first: what is left of a day that has begun."""
        ...

    async def why_not_bookable_for(self, stop_id: str, window: DeliveryWindow) -> str | None:
        """`closed_day`, `too_soon`, `too_far` or `full`; None where it may be booked."""
        ...

    async def reschedule(self, turn: Turn, stop_id: str, window: DeliveryWindow) -> RescheduleOutcome:
        """Writes it to the platform. A dispatcher is asked when it was refused or the platform is down."""
        ...


class Handoff(Protocol):
    async def ask_dispatcher(self, turn: Turn, reason: str, stop_id: str | None = None) -> HandoffPromise:
        """Opens the escalation, or refreshes the open one; `reason` is an intent or a `handoff.Reason`."""
        ...


class Instructions(Protocol):
    async def leave(self, turn: Turn, stop_id: str, label: str = "") -> NoteOutcome:
        """Writes one line to the driver's notes: what the recipient's own text says, after a `label`.

        The original text is read, codes included; they stand nowhere but on the platform.
        """
        ...


RequestKind = Literal["reschedule", "change_address", "send_back", "hold", "note", "redeliver"]


class Requests(Protocol):
    async def ask(
        self,
        turn: Turn,
        kind: RequestKind,
        stop_id: str,
        *,
        window: DeliveryWindow | None = None,
        words: str = "",
    ) -> HandoffPromise:
        """Asks dispatchers to approve or decline; the recipient hears the result."""
        ...


class Incidents(Protocol):
    async def open(self, turn: Turn, kind: IncidentKind, stop_id: str) -> IncidentAnswer: ...

    async def add_photos(self, turn: Turn, incident_id: str | None) -> IncidentAnswer | None:
        """Keeps the pictures of this text with the incident; with None the newest open one of the conversation."""
        ...


class Proofs(Protocol):
    async def look(self, turn: Turn, stop_id: str) -> ProofAnswer: ...


class Faq(Protocol):
    def answer(self, text: str, language: str) -> str | None:
        """The operator's own words on a general question, or None where the protocol has none."""
        ...


class ConsentLedger(Protocol):
    async def opt_out(self, turn: Turn) -> None: ...


class Windows(Protocol):
    def read(self, text: str, timezone: str, locale: str) -> WindowReading:
        """Never raises, whatever the text."""
        ...

    def to_window(self, reading: WindowReading, timezone: str) -> DeliveryWindow | None:
        """None while something must be asked first, or no single day is known."""
        ...


class Recoveries(Protocol):
    """Failed deliveries that are followed up until a second try is booked, or their end is decided."""

    async def question(self, turn: Turn, recovery_id: str) -> FollowUpQuestion | None:
        """What is asked now, with what can be booked now; None where nothing of it can be changed any more."""
        ...

    async def open_for(self, turn: Turn, stop_id: str) -> FollowUpQuestion | None:
        """The follow-up of this stop that whoever writes about it joins; None where there is none."""
        ...

    async def answer(self, turn: Turn, recovery_id: str, preference: Preference) -> FollowUpOutcome:
        """Writes what the recipient wants to the platform, or asks a dispatcher. The same again changes nothing."""
        ...


Say = Callable[[str, str], str]
"""A response of the domain that needs no slots, by name and language: what stands inside another one."""


@dataclass(frozen=True)
class ActionServices:
    """Everything the actions are built with."""

    finder: StopFinder
    rescheduling: Rescheduling
    handoff: Handoff
    consent: ConsentLedger
    instructions: Instructions
    requests: Requests
    incidents: Incidents
    proofs: Proofs
    faq: Faq
    recovery: Recoveries
    windows: Windows
    say: Say
    now: Now
    operator: str
    """The operator's name as recipients know it: `QuickShip`."""
