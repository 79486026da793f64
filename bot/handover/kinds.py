"""What clients can subscribe to."""

from enum import StrEnum


class EventKind(StrEnum):
    STOP_CREATED = "stop.created"
    STOP_ASSIGNED = "stop.assigned"
    STOP_OUT_FOR_DELIVERY = "stop.out_for_delivery"
    STOP_WINDOW_CHANGED = "stop.window_changed"
    STOP_ETA_CHANGED = "stop.eta_changed"
    STOP_DELIVERED = "stop.delivered"
    STOP_FAILED = "stop.failed"
    STOP_CANCELLED = "stop.cancelled"
    STOP_RETURNED = "stop.returned"
    EXCEPTION_OPENED = "exception.opened"
    EXCEPTION_RESOLVED = "exception.resolved"
    REQUEST_ENTERED = "stop_request.entered"
    REQUEST_NEEDS_DISPATCHER = "stop_request.needs_dispatcher"
    REQUEST_DECLINED = "stop_request.declined"
    WINDOW_APPLIED = "window_change.applied"
    WINDOW_DECLINED = "window_change.declined"
    RECOVERY_OPENED = "recovery.opened"
    RECOVERY_REATTEMPT_BOOKED = "recovery.reattempt_booked"
    RECOVERY_PICK_UP = "recovery.pick_up"
    RECOVERY_SENT_BACK = "recovery.sent_back"
    RECOVERY_WITH_DISPATCHER = "recovery.with_dispatcher"
    RECOVERY_CLOSED = "recovery.closed"
    SLA_BREACHED = "sla.breached"
    SUMMARY_DAILY = "summary.daily"
    PING = "ping"
    """Asked for by the client itself; needs no subscription to it."""


SUBSCRIBABLE = tuple(kind for kind in EventKind if kind is not EventKind.PING)
