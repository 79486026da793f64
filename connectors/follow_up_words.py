"""How a follow-up stands, in one short phrase: the same on the manifest, on the board and in Slack. Pure.

Plain text: who puts it into markup escapes it.
"""

from datetime import datetime

from connectors.base import FailureReason
from connectors.day_times import moment, window_words
from connectors.follow_up import FollowUp, FollowUpState, NextStep, SecondTry

REASONS = {
    FailureReason.ACCESS_ISSUE: "No access",
    FailureReason.RECIPIENT_UNAVAILABLE: "Nobody there",
    FailureReason.ADDRESS_ISSUE: "Address not found",
    FailureReason.REFUSED: "Refused",
    FailureReason.DAMAGED: "Damaged",
    FailureReason.VEHICLE: "Vehicle broke down",
    FailureReason.WEATHER: "Weather",
    FailureReason.TRAFFIC: "Traffic",
    FailureReason.DRIVER_DELAY: "Driver delay",
    FailureReason.DEPOT: "Depot",
    FailureReason.OTHER: "Reason unknown",
}

STEPS = {
    NextStep.ASK: "asks the recipient",
    NextStep.REMIND: "reminder",
    NextStep.SECOND_CHANNEL: "another channel",
    NextStep.DISPATCHER: "dispatch takes over",
    NextStep.DEFAULT: "settles itself",
}

WHY = {
    "unknown_reason": "reason unknown",
    "attempts": "attempts used up",
    "nobody_to_ask": "nobody to ask",
    "no_answer": "no answer",
    "ending": "nobody answered",
    "not_possible": "no second tries there",
    "refused": "the platform refused the second try",
    "no_window": "no window to be had",
    "try_cancelled": "the second try was cancelled on the platform",
    "code_lost": "the code did not get through",
    "request": "a wish to approve",
    "pick_up": "to be held for pick-up",
    "send_back": "to be sent back",
}
"""Codes of why a person decides. What is not listed is shown as plain words."""

_ORDINALS = {1: "first", 2: "second", 3: "third"}


def follow_up_words(follow_up: FollowUp, timezone: str, now: datetime) -> str:
    """`asked 11:45 am, no answer yet; reminder 1:45 pm`, `second try Tue Jun 11, 4-6 pm`, `back to the sender`."""
    then = _next(follow_up, timezone, now) if follow_up.state is FollowUpState.ASKING else ""
    return "; ".join(part for part in (state_words(follow_up, timezone, now), then) if part)


def state_words(follow_up: FollowUp, timezone: str, now: datetime) -> str:
    """The same without what happens next."""
    match follow_up.state:
        case FollowUpState.ASKING:
            return _asked(follow_up, timezone, now)
        case FollowUpState.WITH_DISPATCHER:
            return f"with dispatch: {why_words(follow_up)}"
        case FollowUpState.BOOKED:
            window = window_words(follow_up.window, timezone, now) if follow_up.window else "booked"
            return f"{ordinal(follow_up.attempt + 1)} try {window}"
        case FollowUpState.PICK_UP:
            return f"to be picked up at {follow_up.place}" if follow_up.place else "to be picked up"
        case FollowUpState.WRITING:
            return "answered, being booked"
        case FollowUpState.SENT_BACK:
            return "back to the sender"
    return "follow-up over"


def why_words(follow_up: FollowUp) -> str:
    """Why a person has to decide."""
    if follow_up.why in ("", "by_rule"):
        return REASONS[follow_up.reason].lower()
    return WHY.get(follow_up.why) or follow_up.why.replace("_", " ")


def next_words(follow_up: FollowUp, timezone: str, now: datetime) -> str:
    """`Reminder 1:45 pm`; empty where nothing happens by itself."""
    words = _next(follow_up, timezone, now)
    return words[:1].upper() + words[1:]


def second_try_words(second: SecondTry) -> str:
    """`2nd try. Safe place: behind the planter. Code on file`."""
    place = {"neighbour": "Neighbour", "safe_place": "Safe place"}.get(second.choice, "Leave it")
    parts = [
        f"{numeral(second.attempt)} try",
        f"{place}: {second.place}" if second.place else "",
        second.note,
        "Code on file" if second.has_code else "",
    ]
    return ". ".join(part.rstrip(". ") for part in parts if part)


def ordinal(number: int) -> str:
    return _ORDINALS.get(number) or numeral(number)


def numeral(number: int) -> str:
    """`2nd`, `11th`, `22nd`."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _asked(follow_up: FollowUp, timezone: str, now: datetime) -> str:
    if follow_up.answered_at is not None:
        return f"answered {moment(follow_up.answered_at, timezone, now)}, not settled yet"
    if follow_up.asked_at is not None:
        return f"asked {moment(follow_up.asked_at, timezone, now)}, no answer yet"
    return "not asked yet"


def _next(follow_up: FollowUp, timezone: str, now: datetime) -> str:
    if follow_up.next_step is None or follow_up.next_at is None:
        return ""
    return f"{STEPS[follow_up.next_step]} {moment(follow_up.next_at, timezone, now)}"
