"""What drivers type of a failed stop, as a reason. Pure."""

from connectors.base import FailureReason

FAILURE_WORDS: tuple[tuple[str, FailureReason], ...] = (
    ("nobody", FailureReason.RECIPIENT_UNAVAILABLE),
    ("no one", FailureReason.RECIPIENT_UNAVAILABLE),
    ("not home", FailureReason.RECIPIENT_UNAVAILABLE),
    ("unavailable", FailureReason.RECIPIENT_UNAVAILABLE),
    ("no answer", FailureReason.RECIPIENT_UNAVAILABLE),
    ("did not order", FailureReason.REFUSED),
    ("refus", FailureReason.REFUSED),
    ("damage", FailureReason.DAMAGED),
    ("crushed", FailureReason.DAMAGED),
    ("leak", FailureReason.DAMAGED),
    ("gate", FailureReason.ACCESS_ISSUE),
    ("buzzer", FailureReason.ACCESS_ISSUE),
    ("intercom", FailureReason.ACCESS_ISSUE),
    ("door code", FailureReason.ACCESS_ISSUE),
    ("locked", FailureReason.ACCESS_ISSUE),
    ("access", FailureReason.ACCESS_ISSUE),
    ("broken", FailureReason.DAMAGED),  # unless it is what one gets in by
    ("address", FailureReason.ADDRESS_ISSUE),
    ("number does not exist", FailureReason.ADDRESS_ISSUE),
    ("flat tire", FailureReason.VEHICLE),
    ("breakdown", FailureReason.VEHICLE),
    ("vehicle", FailureReason.VEHICLE),
    ("snow", FailureReason.WEATHER),
    ("flood", FailureReason.WEATHER),
    ("weather", FailureReason.WEATHER),
    ("traffic", FailureReason.TRAFFIC),
    ("road closed", FailureReason.TRAFFIC),
    ("depot", FailureReason.DEPOT),
    ("warehouse", FailureReason.DEPOT),
    ("not on the shelf", FailureReason.DEPOT),
    ("out of time", FailureReason.DRIVER_DELAY),
    ("shift", FailureReason.DRIVER_DELAY),
)
"""Tried in order where the platform has no reason of its own. A guess: the words stay in `failure_note`."""


def reason_in(words: str) -> FailureReason | None:
    """None where the words say nothing that we know."""
    plain = " ".join(words.lower().split())
    return next((meant for word, meant in FAILURE_WORDS if word in plain), None)
