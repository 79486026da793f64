"""Pure: what a gesture does to an escalation, which steps are due, until when an acknowledgement holds."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.escalations.models import Escalation, EscalationStep
from bot.sop import Tier
from bot.stops.models import SlaState
from connectors.base import DispatcherVerb, EscalationState, Severity


class Verdict(StrEnum):
    APPLIED = "applied"
    ALREADY_HELD = "already_held"
    ALREADY_RESOLVED = "already_resolved"
    NOT_ALLOWED = "not_allowed"
    NOT_YOURS = "not_yours"
    NOTHING_TO_DO = "nothing_to_do"


def judge(verb: DispatcherVerb, escalation: Escalation, dispatcher: str, allowed: Collection[str]) -> Verdict:
    """Whether a dispatcher's gesture changes this escalation. What is resolved stays resolved."""
    if allowed and dispatcher not in allowed:
        return Verdict.NOT_ALLOWED
    if not escalation.is_open:
        return Verdict.NOTHING_TO_DO if verb is DispatcherVerb.WITHDRAW else Verdict.ALREADY_RESOLVED
    held_by = escalation.acknowledged_by if escalation.state is EscalationState.ACKNOWLEDGED else None
    if verb is DispatcherVerb.ACKNOWLEDGE and held_by is not None:
        return Verdict.NOTHING_TO_DO if held_by == dispatcher else Verdict.ALREADY_HELD
    if verb is DispatcherVerb.WITHDRAW and held_by != dispatcher:
        return Verdict.NOTHING_TO_DO if held_by is None else Verdict.NOT_YOURS
    return Verdict.APPLIED


def holds_until(now: datetime, window_ends: Sequence[datetime], after_the_window: timedelta) -> datetime:
    """Until when an acknowledgement counts: the next promised window's end, or, with all over, a while from now."""
    coming = [end for end in window_ends if end > now]
    return min(coming, default=now + after_the_window)


@dataclass(frozen=True)
class PlannedStep:
    position: int
    tier: Tier
    due_at: datetime


def plan_steps(tiers: Sequence[Tier], armed_at: datetime, *, after_post: bool = False) -> list[PlannedStep]:
    """The steps of one round; delays count from `armed_at`, not from the previous step.

    `after_post` leaves the first tier out: the message stands in the channel already.
    """
    return [
        PlannedStep(position, tier, armed_at + tier.after)
        for position, tier in enumerate(tiers)
        if not (after_post and position == 0)
    ]


def next_step(steps: Sequence[EscalationStep]) -> EscalationStep | None:
    """The earliest step that was neither fired nor cancelled."""
    pending = [step for step in steps if step.fired_at is None and step.cancelled_at is None]
    return min(pending, key=lambda step: step.due_at, default=None)


def severity_of(states: Collection[SlaState]) -> Severity:
    return Severity.BREACHED if SlaState.BREACHED in states else Severity.AT_RISK


@dataclass(frozen=True)
class LateStop:
    """One stop of a cause, as the sweep found it."""

    stop_id: str
    state: SlaState
    minutes_late: int
    eta_at: datetime | None

    def digest(self) -> str:
        """Changes when a dispatcher should see something new: the state, or the lateness by five minutes."""
        return f"{self.stop_id}:{self.state.value}:{self.minutes_late // 5}"


def digest_of(stops: Sequence[LateStop]) -> str:
    """Of a whole cause: equal digests look the same to a dispatcher."""
    return "|".join(sorted(stop.digest() for stop in stops))


def newly_breached(stops: Sequence[LateStop], shown: str) -> list[str]:
    """Ids of the stops that are breached now and were not when `shown` was made."""
    before = {item.split(":")[0] for item in shown.split("|") if f":{SlaState.BREACHED.value}:" in item}
    return [stop.stop_id for stop in stops if stop.state is SlaState.BREACHED and stop.stop_id not in before]
