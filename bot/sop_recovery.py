"""Section `recovery` of `sop.yml`: what happens after a failed delivery, by reason and client."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from bot.sop_parts import Minutes, Section
from connectors.base import FailureReason


class Flow(StrEnum):
    """What the recipient is asked."""

    ACCESS_CODE = "access_code"
    """How to get in; then the second try."""
    WINDOWS = "windows"
    """When to come again."""
    ADDRESS = "address"
    """Where to; a dispatcher approves the new address."""
    ALTERNATIVES = "alternatives"
    """Again, with a neighbour, in a safe place, picked up, or back to the sender."""
    DISPATCHER = "dispatcher"
    """Nothing: a person decides."""


class Ending(StrEnum):
    """What becomes of a parcel when nobody answers."""

    NEXT_DAY = "next_day"
    """A second try on the next service day, in the same hours."""
    SEND_BACK = "return"
    DISPATCHER = "dispatcher"


class RungKind(StrEnum):
    ASK = "ask"
    REMIND = "remind"
    SECOND_CHANNEL = "second_channel"
    DISPATCHER = "dispatcher"
    DEFAULT = "default"


class Rung(Section):
    kind: RungKind
    after_minutes: Minutes
    """After the failure. What would write to a recipient in the quiet hours waits until they end."""


LADDER = (
    Rung(kind=RungKind.ASK, after_minutes=0),
    Rung(kind=RungKind.REMIND, after_minutes=120),
    Rung(kind=RungKind.SECOND_CHANNEL, after_minutes=240),
    Rung(kind=RungKind.DISPATCHER, after_minutes=480),
    Rung(kind=RungKind.DEFAULT, after_minutes=1440),
)

FLOWS = {
    FailureReason.ACCESS_ISSUE: Flow.ACCESS_CODE,
    FailureReason.RECIPIENT_UNAVAILABLE: Flow.WINDOWS,
    FailureReason.ADDRESS_ISSUE: Flow.ADDRESS,
    FailureReason.REFUSED: Flow.ALTERNATIVES,
    FailureReason.DAMAGED: Flow.DISPATCHER,
    FailureReason.VEHICLE: Flow.WINDOWS,
    FailureReason.WEATHER: Flow.WINDOWS,
    FailureReason.TRAFFIC: Flow.WINDOWS,
    FailureReason.DRIVER_DELAY: Flow.WINDOWS,
    FailureReason.DEPOT: Flow.WINDOWS,
    FailureReason.OTHER: Flow.DISPATCHER,
}


class PickUpPoint(Section):
    name: str = Field(min_length=1, max_length=40)
    """As a recipient reads it: `our depot, 8 Dock Rd`."""
    hours: str = Field(default="", max_length=40)
    zones: tuple[str, ...] = ()
    """Empty: for all."""


class ClientRecovery(Section):
    """What one client has otherwise; what is not named stays as it is for everybody."""

    flows: dict[FailureReason, Flow] = Field(default_factory=dict)
    ending: Ending | None = None
    attempts: Annotated[int, Field(ge=1, le=10)] | None = None
    alternatives: frozenset[str] | None = None


class Recovery(Section):
    enabled: bool = False
    attempts: int = Field(default=3, ge=1, le=10)
    """Tries of one parcel in all; after the last one a dispatcher decides."""
    flows: dict[FailureReason, Flow] = Field(default_factory=dict)
    """Other than the usual ones."""
    ladder: tuple[Rung, ...] = Field(default=LADDER, min_length=1)
    ending: Ending = Ending.NEXT_DAY
    alternatives: frozenset[str] = frozenset({"neighbour", "safe_place", "pick_up", "return"})
    """What else than another time is offered: `neighbour`, `safe_place`, `pick_up`, `return`."""
    pick_up_points: tuple[PickUpPoint, ...] = ()
    words: dict[str, dict[str, FailureReason]] = Field(default_factory=dict)
    """By account: what its drivers choose or write, in any case, and the reason that it means here."""
    clients: dict[str, ClientRecovery] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _ladder_rises(self) -> Self:
        minutes = [rung.after_minutes for rung in self.ladder]
        if minutes != sorted(minutes):
            raise ValueError("expected the steps of `ladder` in the order of their minutes")
        return self

    def flow_for(self, reason: FailureReason, client: str) -> Flow:
        own = self.clients.get(client, ClientRecovery()).flows
        return own.get(reason) or self.flows.get(reason) or FLOWS[reason]
