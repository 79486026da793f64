"""What may be told about a stop, and to which question: the records that actions turn into words."""

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from connectors.base import DeliveryWindow, FailureReason, StopStatus


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Turn(Answer):
    """One text of a recipient, as Rasa hands it to an action."""

    conversation_id: str
    inbound_id: str | None
    text: str
    language: str = "en"


class StopAnswer(Answer):
    """What a recipient may know about one stop of theirs. Street and client, never a full address."""

    stop_id: str
    tracking: str
    client: str
    address_line: str
    timezone: str
    status: StopStatus
    window: DeliveryWindow | None
    eta_at: AwareDatetime | None
    stops_away: int | None
    """Stops before this one on the driver's route; None when the platform does not say."""
    data_at: AwareDatetime
    """When the platform last confirmed this."""
    stale: bool
    completed_at: AwareDatetime | None
    failure_reason: FailureReason | None
    can_change_window: bool


class StopQuestion(Answer):
    """Which stops a text is about.

    `unknown_phone`: nothing is known of this address, ask for the tracking number, tell nothing.
    `no_such_tracking`: the number in the text is not known, or this conversation has guessed too often.
    """

    kind: Literal["one", "several", "unknown_phone", "nothing_open", "no_such_tracking"]
    stops: tuple[StopAnswer, ...] = ()
    now: AwareDatetime


class RescheduleOutcome(Answer):
    """`booked` only when the platform was read back and holds the new window."""

    result: Literal["booked", "refused_by_platform", "platform_down", "stop_closed"]
    stop: StopAnswer
    respond_by: datetime | None = None
    """By when a dispatcher answers, where one was asked."""


class HandoffPromise(Answer):
    respond_by: datetime
    timezone: str
