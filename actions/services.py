"""What the actions ask of the bot, as protocols: the app hands in its services, tests hand in small worlds."""

from dataclasses import dataclass
from typing import Protocol

from bot.stops.answers import HandoffPromise, RescheduleOutcome, StopAnswer, StopQuestion, Turn
from bot.windows.reading import WindowReading
from connectors.base import DeliveryWindow, Now


class StopFinder(Protocol):
    async def stops_in_question(self, turn: Turn) -> StopQuestion:
        """Looks at the sender and at the text: a tracking number in it decides."""
        ...

    async def get_answer(self, stop_id: str) -> StopAnswer: ...


class Rescheduling(Protocol):
    async def offers(self, stop_id: str) -> tuple[DeliveryWindow, ...]:
        """Bookable windows, soonest first; empty where none can be offered."""
        ...

    def why_not_bookable(self, window: DeliveryWindow, timezone: str) -> str | None:
        """`closed_day`, `too_soon` or `too_far` by the operator's protocol; None where it may be booked."""
        ...

    async def reschedule(self, turn: Turn, stop_id: str, window: DeliveryWindow) -> RescheduleOutcome:
        """Writes it to the platform. A dispatcher is asked when it was refused or the platform is down."""
        ...


class Handoff(Protocol):
    async def ask_dispatcher(self, turn: Turn, reason: str, stop_id: str | None = None) -> HandoffPromise:
        """Opens the escalation, or refreshes the open one; `reason` is an intent or a `handoff.Reason`."""
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


@dataclass(frozen=True)
class ActionServices:
    """Everything the actions are built with."""

    finder: StopFinder
    rescheduling: Rescheduling
    handoff: Handoff
    consent: ConsentLedger
    windows: Windows
    now: Now
    operator: str
    """The operator's name as recipients know it: `QuickShip`."""
