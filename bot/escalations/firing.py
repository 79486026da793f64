"""Pure: what becomes of a step whose time has come: it fires, waits until a stored time, or is not needed any more."""

from collections.abc import Container
from datetime import date, datetime
from enum import Enum, auto

from bot.escalations.models import Escalation, EscalationStep
from bot.escalations.policy import PlannedStep, within_hours
from bot.sop_escalations import Steps
from connectors.escalation import EscalationState


class Dealing(Enum):
    FIRED = auto()
    DEFERRED = auto()
    CANCELLED = auto()


def deal_with(
    step: EscalationStep,
    escalation: Escalation,
    steps: Steps,
    holidays: Container[date],
    paused_until: datetime | None,
    now: datetime,
) -> Dealing:
    """Writes the outcome into the step, and nothing else: once fired or cancelled it stays so.

    `steps` is the policy of its round. Hours are judged at `now`, whenever the step was due.
    """
    if escalation.state is not EscalationState.RAISED:
        step.cancelled_at = now
        return Dealing.CANCELLED
    if paused_until is not None and paused_until > now:
        return _defer(step, paused_until)
    planned = PlannedStep(step.tier, step.kind, now, now, step.place, step.person, step.out_of_hours)
    allowed = within_hours(planned, steps, escalation.timezone, holidays)
    if allowed.is_deferred:
        return _defer(step, allowed.due_at)
    step.kind, step.place, step.person = allowed.kind, allowed.place, allowed.person
    step.out_of_hours, step.fired_at = allowed.out_of_hours, now
    return Dealing.FIRED


def _defer(step: EscalationStep, until: datetime) -> Dealing:
    step.planned_at = step.planned_at or step.due_at
    step.due_at = until
    return Dealing.DEFERRED
