"""Pure: whether an escalation ended late without anybody having said why."""

from collections.abc import Sequence

from bot.escalations.models import Escalation
from bot.stops.models import StopRecord
from connectors.base import FailureReason, StopStatus
from connectors.escalation import EscalationState, Severity

LATE = frozenset({Severity.AT_RISK, Severity.BREACHED, Severity.FAILED})


def causes_asked(
    escalation: Escalation, stops: Sequence[StopRecord], causes: Sequence[FailureReason]
) -> tuple[FailureReason, ...]:
    """The causes to choose from; none while it is open, or where there is nothing to explain."""
    is_over = escalation.state is EscalationState.RESOLVED and escalation.severity in LATE
    is_said = escalation.root_cause is not None or escalation.is_noise or escalation.merged_into is not None
    if not is_over or is_said:
        return ()
    return tuple(causes) if any(_needs_a_cause(stop, escalation) for stop in stops) else ()


def _needs_a_cause(stop: StopRecord, escalation: Escalation) -> bool:
    """Late or failed, and not explained by the driver already. An arrival exactly at the window's end is late."""
    if stop.failure_reason is not None or stop.status is StopStatus.CANCELLED:
        return False
    if stop.status is StopStatus.FAILED:
        return True
    ended_at = stop.completed_at or escalation.resolved_at
    return stop.window_end_at is not None and ended_at is not None and ended_at >= stop.window_end_at
