"""Pure: whether a promise was broken, how, and when an incident is done with."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.incidents.models import BrokenKind, BrokenState, PromiseIncident
from bot.sla.outcomes import Outcome, outcome_of
from connectors.base import DeliveryWindow, FailureReason, StopStatus

LOOKS_WHILE_OPEN = timedelta(minutes=1)
LOOKS_AFTERWARDS = timedelta(minutes=15)
FOLLOWED_FOR = timedelta(days=3)
"""Platforms correct what they said of a stop for so long after it was over; then it is settled."""


@dataclass(frozen=True, slots=True)
class StopFacts:
    """What the judgement needs of a stop, as it stands."""

    status: StopStatus
    window: DeliveryWindow | None
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Terms:
    """What was promised beside the window, by sop.yml."""

    grace: timedelta
    penalty_usd: int


@dataclass(frozen=True, slots=True)
class Broken:
    kind: BrokenKind
    minutes_late: int
    penalty_usd: int


def broken(stop: StopFacts, terms: Terms, now: datetime) -> Broken | None:
    """How the stop's promise is broken at `now`; None while it is not.

    A delivery that failed without a window, or within it, costs no penalty: what the client was promised by then
    was still possible. One that failed after its window was late first.
    """
    if stop.status in (StopStatus.FAILED, StopStatus.RETURNED):
        ended = stop.completed_at or now
        was_late = stop.window is not None and ended >= stop.window.end_at + terms.grace
        return Broken(BrokenKind.FAILED_DELIVERY, 0, terms.penalty_usd if was_late else 0)
    outcome = outcome_of(stop.window, stop.status, stop.completed_at, terms.grace, now)
    if stop.window is None or outcome is not Outcome.LATE:
        return None
    late = (stop.completed_at or now) - stop.window.end_at
    return Broken(BrokenKind.BREACH, int(late.total_seconds() // 60), terms.penalty_usd)


def compare(incident: PromiseIncident, stop: StopFacts, terms: Terms, now: datetime) -> bool:
    """Brings the incident up to what its stop is now; tells whether its kind or state changed.

    A stop that has another window by now keeps the incident of the earlier one as it was: moving a window that
    was over does not unbreak the promise. A failed stop that is tried again failed nevertheless, unless it is
    then delivered within the same window.
    """
    before = (incident.kind, incident.state)
    if not _is_same_promise(incident, stop):
        incident.look_at = None
        return False
    found = broken(stop, terms, now)
    if found is not None:
        incident.kind, incident.minutes_late = found.kind, found.minutes_late
        incident.penalty_usd = found.penalty_usd
        incident.finished_at = stop.completed_at if stop.status.is_closed else None
        if incident.state is BrokenState.WITHDRAWN:
            incident.state, incident.closed_at = BrokenState.OPEN, None
    elif stop.status.is_closed:
        _withdraw(incident, stop, now)
    else:
        incident.finished_at = None
    incident.look_at = next_look(incident, stop, now)
    return before != (incident.kind, incident.state)


def _is_same_promise(incident: PromiseIncident, stop: StopFacts) -> bool:
    return incident.promised_end_at == (stop.window.end_at if stop.window else None)


def _withdraw(incident: PromiseIncident, stop: StopFacts, now: datetime) -> None:
    incident.finished_at = stop.completed_at
    if incident.state is not BrokenState.WITHDRAWN:
        incident.state, incident.closed_at, incident.closed_by = BrokenState.WITHDRAWN, now, None


def next_look(incident: PromiseIncident, stop: StopFacts, now: datetime) -> datetime | None:
    if not stop.status.is_closed:
        return now + LOOKS_WHILE_OPEN
    if now - max(incident.opened_at, incident.finished_at or incident.opened_at) >= FOLLOWED_FOR:
        return None
    return now + (LOOKS_WHILE_OPEN if incident.state is BrokenState.OPEN else LOOKS_AFTERWARDS)


def cause_of(by_people: FailureReason | None, by_platform: FailureReason | None) -> FailureReason | None:
    """What a dispatcher or the driver said weighs more than the reason that the platform was given."""
    return by_people or by_platform


def is_done_with(
    incident: PromiseIncident, *, is_over: bool, is_resolved: bool, open_follow_ups: int, follow_ups: int
) -> bool:
    """Whether it closes by itself. `is_over`: its stop can change nothing any more; `is_resolved`: no dispatcher
    works on it.

    One made by hand is somebody's to close, unless what was to be done about it is done.
    """
    if incident.state is not BrokenState.OPEN or incident.root_cause is None or open_follow_ups:
        return False
    if incident.by_hand:
        return follow_ups > 0
    return is_over and is_resolved
