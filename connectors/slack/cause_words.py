"""Root causes, severities and endings as dispatchers read them, wherever they stand. Pure."""

from connectors.base import FailureReason, StopStatus
from connectors.escalation import Severity

SEVERITIES = {
    Severity.AT_RISK: "At risk",
    Severity.BREACHED: "Breached",
    Severity.FAILED: "Delivery failed",
    Severity.RECIPIENT_WAITING: "Waiting for an answer",
    Severity.PLATFORM_SILENT: "No platform updates",
    Severity.NOBODY_ON_CALL: "Nobody on call",
}

CAUSES = {
    FailureReason.DRIVER_DELAY: "Driver delay",
    FailureReason.TRAFFIC: "Traffic",
    FailureReason.ACCESS_ISSUE: "Access",
    FailureReason.RECIPIENT_UNAVAILABLE: "Recipient not there",
    FailureReason.ADDRESS_ISSUE: "Address",
    FailureReason.REFUSED: "Refused",
    FailureReason.DAMAGED: "Damaged",
    FailureReason.VEHICLE: "Vehicle",
    FailureReason.WEATHER: "Weather",
    FailureReason.DEPOT: "Depot",
    FailureReason.OTHER: "Something else",
}

CLOSED = {
    StopStatus.DELIVERED: "delivered",
    StopStatus.FAILED: "delivery failed",
    StopStatus.CANCELLED: "cancelled",
    StopStatus.RETURNED: "returned",
}

LATE = frozenset({Severity.AT_RISK, Severity.BREACHED, Severity.FAILED})
"""What is about stops on the road: the deeds make sense for these."""


def cause_words(cause: FailureReason) -> str:
    """Inside a sentence: `traffic`."""
    return CAUSES[cause].lower()
