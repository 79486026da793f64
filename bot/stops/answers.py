"""What may be told about a stop, and to which question: the records that actions turn into words."""

from datetime import datetime
from enum import StrEnum
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
    """Digits of access codes are other digits here; who needs the code reads the original by `inbound_id`."""
    language: str = "en"
    photos: int = 0
    """How many pictures came with it."""


class Scope(StrEnum):
    """Which stops somebody can mean, by what they want."""

    STATUS = "status"
    """Any: open ones of today first, finished ones for a fortnight."""
    COMING = "coming"
    """Something is to be changed: open ones and failed tries."""
    FINISHED = "finished"
    """Something is wrong with what came, or did not: finished ones of a fortnight first, then open ones."""


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
    `unproved`: on a channel that proves nothing by itself (web chat, email), tracking number and postcode or
    the last four digits of the phone are needed first. `wrong_proof`: they do not fit, whichever it was.
    `proof_locked`: too many wrong tries; only a person helps for now.
    """

    kind: Literal[
        "one",
        "several",
        "unknown_phone",
        "nothing_open",
        "no_such_tracking",
        "unproved",
        "wrong_proof",
        "proof_locked",
    ]
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


class NoteOutcome(Answer):
    """What became of a line for the driver. `noted` only when the platform was read back and holds it."""

    result: Literal[
        "noted", "nothing_said", "refused_by_platform", "platform_down", "stop_closed", "not_yours"
    ]
    """`nothing_said`: the text announces instructions and holds none."""
    stop: StopAnswer
    has_code: bool = False
    place: str = ""
    """Where to leave it or with whom, in the recipient's own words, free of codes; empty if not said."""
    respond_by: datetime | None = None
    """By when a dispatcher answers, where one was asked."""


class ProofAnswer(Answer):
    """What is known of how a stop was finished, and a link to it that expires."""

    stop: StopAnswer
    at: datetime | None = None
    photos: int = 0
    signed_by: str = ""
    has_signature: bool = False
    near: Literal["at_address", "elsewhere", "unknown"] = "unknown"
    """Where the driver was when the stop was finished, against the address."""
    link: str | None = None
    """None when there is neither picture nor signature to show."""
    may_be_shown: bool = True
    """False for who only knows the number on the parcel: then nothing but `at` is told, whatever there is."""


class IncidentKind(StrEnum):
    MISSING = "missing"
    DAMAGED = "damaged"
    WRONG = "wrong"
    INCOMPLETE = "incomplete"


class IncidentAnswer(Answer):
    """An incident that was opened, or the open one of this stop and kind that was added to."""

    incident_id: str
    kind: IncidentKind
    photos: int
    respond_by: datetime
    timezone: str
