"""Why a stop failed, from the notes that drivers left at it. Pure."""

from collections.abc import Iterable, Mapping

from connectors.base import FailureReason
from connectors.failure_words import reason_in
from connectors.route4me.payloads import Note

NOTE_TYPES: Mapping[str, FailureReason] = {
    "noanswer": FailureReason.RECIPIENT_UNAVAILABLE,
    "notpresent": FailureReason.RECIPIENT_UNAVAILABLE,
    "notfound": FailureReason.ADDRESS_ISSUE,
    "wrongaddressrecipient": FailureReason.ADDRESS_ISSUE,
    "wrongdelivery": FailureReason.DEPOT,
    "parts_missing": FailureReason.DEPOT,
}
"""Source: routing-platforms.md 5.3. The wrong or too few goods were loaded at the depot; `notpaid` has no twin
and, like `other`, goes by its words."""


def failure_reason(notes: Iterable[Note]) -> FailureReason:
    """By the newest note that says one; `notes` come newest first."""
    for note in notes:
        if note.activity_type in NOTE_TYPES:
            return NOTE_TYPES[note.activity_type]
        if (meant := reason_in(note.contents)) is not None:
            return meant
    return FailureReason.OTHER
