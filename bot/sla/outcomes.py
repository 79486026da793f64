"""Pure: what became of a promise, once for the watch, the incidents and the reports."""

from datetime import datetime, timedelta
from enum import StrEnum

from connectors.base import DeliveryWindow, StopStatus


class Outcome(StrEnum):
    UNPROMISED = "unpromised"
    """No window was promised, or the stop was cancelled: it counts nowhere."""
    OPEN = "open"
    ON_TIME = "on_time"
    LATE = "late"
    """Delivered after the window's end and the grace, or still not delivered by then."""
    FAILED = "failed"


def outcome_of(
    window: DeliveryWindow | None,
    status: StopStatus,
    completed_at: datetime | None,
    grace: timedelta,
    now: datetime,
) -> Outcome:
    """A window's end is exclusive, and so is the grace's: finished at it is late. Failed or returned is `FAILED`."""
    if window is None or status is StopStatus.CANCELLED:
        return Outcome.UNPROMISED
    if status in (StopStatus.FAILED, StopStatus.RETURNED):
        return Outcome.FAILED
    limit = window.end_at + grace
    if status is StopStatus.DELIVERED:
        return Outcome.LATE if completed_at is not None and completed_at >= limit else Outcome.ON_TIME
    return Outcome.LATE if now >= limit else Outcome.OPEN
