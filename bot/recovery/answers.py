"""Between the conversation and a followed-up failure: what is asked, what is wanted, what came of it."""

from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime

from bot.sop_recovery import Flow, PickUpPoint
from bot.stops.answers import Answer, StopAnswer
from connectors.base import DeliveryWindow, FailureReason


class Choice(StrEnum):
    REATTEMPT = "reattempt"
    NEIGHBOUR = "neighbour"
    SAFE_PLACE = "safe_place"
    PICK_UP = "pick_up"
    SEND_BACK = "return"


class Preference(Answer):
    """What the recipient wants with a parcel that failed. Data, not sentences: it is read back, confirmed, written."""

    choice: Choice = Choice.REATTEMPT
    window: DeliveryWindow | None = None
    """None: the next that can be booked."""
    place: str = ""
    """Safe place or neighbour, in the recipient's words, free of codes."""
    address: str = ""
    """The corrected one, in the recipient's words."""
    has_code: bool = False
    """There is an access code: in the recipient's own text, kept for the platform's notes only."""
    code_inbound_id: str | None = None
    """The text that holds the code."""
    note: str = ""
    """Further words for the driver, free of codes."""
    pick_up_point: str = ""


class FollowUpQuestion(Answer):
    """An open follow-up, as the conversation asks about it."""

    recovery_id: str
    stop: StopAnswer
    flow: Flow
    reason: FailureReason
    failed_at: AwareDatetime
    attempt: int
    offers: tuple[DeliveryWindow, ...] = ()
    """Windows that can be booked now, soonest first."""
    alternatives: frozenset[str] = frozenset()
    pick_up_points: tuple[PickUpPoint, ...] = ()
    is_reminder: bool = False
    preference: Preference | None = None
    """What is agreed already, where something is."""


class FollowUpOutcome(Answer):
    """`booked` only when the platform was read back and holds the second try, or the manifest does."""

    result: Literal[
        "booked", "asked_dispatcher", "pick_up", "sent_back", "over", "not_bookable", "platform_down"
    ]
    """`over`: the follow-up has ended meanwhile; `not_bookable`: that window cannot be had any more."""
    stop: StopAnswer
    """The second try where there is one, else the failed stop."""
    window: DeliveryWindow | None = None
    respond_by: AwareDatetime | None = None
    """By when a dispatcher answers, where one was asked."""
    lacks_code: bool = False
    """Booked without the access code: it was forgotten before it could be written, and a dispatcher asks for it."""
    problem: str | None = None
    """Why not bookable: as `Rescheduling.why_not_bookable_for` says."""
