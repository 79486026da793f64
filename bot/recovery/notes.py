"""Pure: what the driver of the second try reads on the platform. Free of codes: those have a place of their own."""

from datetime import datetime
from zoneinfo import ZoneInfo

from bot.recovery.answers import Choice, Preference
from bot.recovery.models import Recovery, RecoveryState
from bot.sla.rules import clock_time
from bot.stops.note_text import without_codes
from connectors.base import DeliveryWindow, FailureReason

LONGEST = 280
ORDINALS = {2: "2nd", 3: "3rd"}

FAILED_FOR = {
    FailureReason.ACCESS_ISSUE: "no access",
    FailureReason.RECIPIENT_UNAVAILABLE: "nobody home",
    FailureReason.ADDRESS_ISSUE: "wrong address",
    FailureReason.REFUSED: "refused",
    FailureReason.DAMAGED: "damaged",
    FailureReason.VEHICLE: "van trouble",
    FailureReason.WEATHER: "weather",
    FailureReason.TRAFFIC: "traffic",
    FailureReason.DRIVER_DELAY: "driver late",
    FailureReason.DEPOT: "depot",
    FailureReason.OTHER: "not delivered",
}


ENDS = {
    RecoveryState.PICK_UP: "Held for pick-up.",
    RecoveryState.SENT_BACK: "Goes back to the sender.",
}


def note_of(preference: Preference, attempt: int, reason: FailureReason) -> str:
    """One line: `2nd try (nobody home before). Safe place: behind the planter. Gate code on file.`"""
    parts = [f"{ORDINALS.get(attempt + 1, f'{attempt + 1}th')} try ({FAILED_FOR[reason]} before)"]
    if preference.place:
        label = "Leave with" if preference.choice is Choice.NEIGHBOUR else "Safe place"
        parts.append(f"{label}: {preference.place}")
    if preference.has_code:
        parts.append("Access code on file")
    if preference.note:
        parts.append(preference.note)
    line = " ".join(f"{part.strip(' .')}." for part in parts)
    return without_codes(" ".join(line.split()))[:LONGEST]


def exception_note(recovery: Recovery, again: DeliveryWindow | None) -> str:
    """What stays on the stop that failed: `Failed 11/22 11:40 am: no access. Next try 11/23 2:00 pm.`"""
    timezone = recovery.timezone
    line = f"Failed {_moment(recovery.failed_at, timezone)}: {FAILED_FOR[recovery.reason]}."
    end = (
        f"Next try {_moment(again.start_at, timezone)}."
        if again is not None
        else ENDS.get(recovery.state, "")
    )
    return f"{line} {end}".strip()


def _moment(moment: datetime, timezone: str) -> str:
    local = moment.astimezone(ZoneInfo(timezone))
    return f"{local:%-m/%-d} {clock_time(moment, timezone)}"
