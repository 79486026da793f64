"""Failed deliveries as dispatchers see them: how each follow-up stands, and what the second try has to know."""

from datetime import date
from enum import StrEnum

from pydantic import AwareDatetime

from connectors.base import DeliveryWindow, FailureReason, Record


class FollowUpState(StrEnum):
    """As a dispatcher reads it; the values are those of the recovery's own states."""

    WITH_DISPATCHER = "with_dispatcher"
    ASKING = "asking"
    WRITING = "writing"
    """Agreed, and being written to the platform."""
    BOOKED = "booked"
    PICK_UP = "pick_up"
    SENT_BACK = "sent_back"
    CLOSED = "closed"

    @property
    def is_over(self) -> bool:
        return self not in (FollowUpState.WITH_DISPATCHER, FollowUpState.ASKING, FollowUpState.WRITING)


class NextStep(StrEnum):
    """What happens next by itself, while nobody answers."""

    ASK = "ask"
    REMIND = "remind"
    SECOND_CHANNEL = "second_channel"
    DISPATCHER = "dispatcher"
    DEFAULT = "default"


class FollowUp(Record):
    """One failed delivery and what is being done about it. No access code, only that there is one."""

    state: FollowUpState
    reason: FailureReason
    attempt: int
    """Which try of the parcel failed."""
    failed_at: AwareDatetime
    asked_at: AwareDatetime | None = None
    answered_at: AwareDatetime | None = None
    settled_at: AwareDatetime | None = None
    settled_by: str = ""
    """`recipient`, `default`, or a dispatcher's id."""
    next_step: NextStep | None = None
    next_at: AwareDatetime | None = None
    window: DeliveryWindow | None = None
    """Of the second try, or the one that is wanted."""
    place: str = ""
    """Where it is picked up."""
    why: str = ""
    """A code of why it is with a dispatcher."""


class SecondTry(Record):
    """What the driver of a second try has to know, in the recipient's words."""

    attempt: int
    """2 for the second."""
    choice: str = "reattempt"
    """`reattempt`, `neighbour`, `safe_place`."""
    place: str = ""
    """The neighbour or the safe place."""
    note: str = ""
    has_code: bool = False
    """It stands in the platform's notes and nowhere else."""


class BoardStop(Record):
    """A stop on the board: what a dispatcher knows it by."""

    stop_id: str
    tracking: str
    order_ref: str = ""
    client: str
    zone: str
    address_line: str
    recipient_name: str = ""
    timezone: str
    driver_name: str = ""


class FollowedUp(Record):
    stop: BoardStop
    follow_up: FollowUp
    url: str = ""
    """Opens the message in the workspace that asks a dispatcher; empty where there is none."""
    is_to_do: bool = False
    """Something is asked of a dispatcher, also where the follow-up itself is over: to hold it, to send it back."""

    @property
    def waits_for_dispatch(self) -> bool:
        return self.follow_up.state is FollowUpState.WITH_DISPATCHER or self.is_to_do


class LateStop(Record):
    """An open stop that is late or about to be."""

    stop: BoardStop
    window: DeliveryWindow | None
    eta_at: AwareDatetime | None
    is_breached: bool
    url: str = ""
    """Opens its escalation."""
    held_by: str = ""
    """Name or id of who has it; empty: nobody."""
    told_at: AwareDatetime | None = None
    """When the recipient was told that it is late; None: not yet."""


class Board(Record):
    """What is open today, over all zones or one. Read at one instant."""

    day: date
    """Local to the operator."""
    timezone: str
    as_of: AwareDatetime
    zone: str | None = None
    """None: all."""
    zones: tuple[str, ...] = ()
    """That there are, by name."""
    follow_ups: tuple[FollowedUp, ...] = ()
    """All open ones, the oldest first, and those that were settled today."""
    late: tuple[LateStop, ...] = ()
    """The breached ones first, then by the end of their windows."""
    late_more: int = 0
    """Beyond those that are shown."""


class ZoneFollowUps(Record):
    """One zone's open follow-ups, counted."""

    zone: str
    asking: int = 0
    with_dispatcher: int = 0
    oldest_at: AwareDatetime
    """When the one failed that has waited longest."""

    @property
    def open(self) -> int:
        return self.asking + self.with_dispatcher
