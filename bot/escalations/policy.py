"""Pure: which policy decides, which steps a round has and when, what is repeated, which gestures are enough now.

Every instant is aware UTC; hours, weekdays and holidays are local to the escalation.
"""

from collections.abc import Collection, Container, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from bot.escalations.hours import holds_at, next_opening
from bot.escalations.models import Escalation
from bot.sop_escalations import NEXT, ON_CALL, Escalations, OutOfHours, Steps, Taking, Tier, TierKind, When
from bot.windows.holidays import public_holidays
from connectors.escalation import Severity


@dataclass(frozen=True, slots=True)
class Facts:
    """What a policy may depend on."""

    severity: Severity
    timezone: str
    minutes_late: int = 0
    exposure_usd: int = 0
    clients: frozenset[str] = frozenset()
    zone: str = ""
    service: str = ""


def facts_of(escalation: Escalation) -> Facts:
    return Facts(
        severity=escalation.severity,
        timezone=escalation.timezone,
        minutes_late=escalation.minutes_late,
        exposure_usd=escalation.exposure_usd,
        clients=frozenset(name for name in escalation.client.split(", ") if name),
        zone=escalation.zone,
        service=escalation.service,
    )


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step to come. `planned_at` is when its wait is over, `due_at` when its hours allow it."""

    tier: int
    kind: TierKind
    planned_at: datetime
    due_at: datetime
    place: int = 0
    person: str = ""
    out_of_hours: bool = False

    @property
    def is_deferred(self) -> bool:
        return self.due_at > self.planned_at


# --- which policy ---------------------------------------------------------------------------------


def choose(section: Escalations, facts: Facts, now: datetime) -> str:
    """The name of the first policy that fits; empty: the section's own steps."""
    holidays = public_holidays(section.holidays_of)
    fitting = (policy.name for policy in section.policies if fits(policy.when, facts, now, holidays))
    return next(fitting, "")


def fits(when: When, facts: Facts, now: datetime, holidays: Container[date]) -> bool:
    return (
        _is_one_of(facts.severity, when.severity)
        and _is_one_of(facts.zone, when.zones)
        and _is_one_of(facts.service, when.services)
        and (not when.clients or bool(when.clients & facts.clients))
        and facts.minutes_late >= (when.minutes_late_from or 0)
        and facts.exposure_usd >= (when.exposure_usd_from or 0)
        and (when.hours is None or holds_at(when.hours, now, facts.timezone, holidays))
    )


def _is_one_of(value: str, wanted: Collection[str]) -> bool:
    return not wanted or value in wanted


# --- which steps ----------------------------------------------------------------------------------


def plan_round(
    steps: Steps, armed_at: datetime, timezone: str, holidays: Container[date]
) -> list[PlannedStep]:
    """All steps after the post, one per tier, in order; waits count from `armed_at`, not from the step before."""
    return _planned(steps, 1, armed_at, timezone, holidays)


def plan_repeat(
    steps: Steps, repeats: int, now: datetime, timezone: str, holidays: Container[date]
) -> list[PlannedStep]:
    """The steps that begin again once the last one has fired; empty: not, or not any more."""
    if steps.repeat is None or repeats >= steps.repeat.times:
        return []
    first = steps.repeat.from_step - 1
    begins_at = now + timedelta(minutes=steps.repeat.wait_minutes) - steps.tiers[first].after
    return _planned(steps, first, begins_at, timezone, holidays)


def _planned(
    steps: Steps, first: int, armed_at: datetime, timezone: str, holidays: Container[date]
) -> list[PlannedStep]:
    planned: list[PlannedStep] = []
    waiting: PlannedStep | None = None
    for index, place in _places(steps.tiers):
        if index < first:
            continue
        tier = steps.tiers[index]
        due_at = armed_at + tier.after
        step = PlannedStep(index, tier.kind, due_at, due_at, place, person_of(tier.to))
        step = within_hours(step, steps, timezone, holidays, waiting)
        waiting = step if step.is_deferred else waiting
        planned.append(step)
    return planned


def within_hours(
    step: PlannedStep,
    steps: Steps,
    timezone: str,
    holidays: Container[date],
    waiting: PlannedStep | None = None,
) -> PlannedStep:
    """The step itself, or what happens instead because it is outside its hours: later, or something else now.

    `waiting` is the deferred step before it: steps that wait for the same morning keep their distance there.
    """
    hours = steps.tiers[step.tier].hours if step.tier < len(steps.tiers) else None
    if hours is None or step.out_of_hours or holds_at(hours, step.due_at, timezone, holidays):
        return step
    if isinstance(steps.out_of_hours, OutOfHours):
        return replace(
            step,
            kind=steps.out_of_hours.kind,
            place=int(steps.out_of_hours.to == NEXT),
            person=person_of(steps.out_of_hours.to),
            out_of_hours=True,
        )
    earliest = step.due_at
    if waiting is not None:
        earliest = max(earliest, waiting.due_at + (step.planned_at - waiting.planned_at))
    opens_at = next_opening(hours, earliest, timezone, holidays)
    if opens_at is None and earliest > step.due_at:
        opens_at = next_opening(hours, step.due_at, timezone, holidays)
    # Hours that never come back would lose the step: it is due as if it had none.
    return replace(step, due_at=opens_at or step.due_at)


def _places(tiers: Sequence[Tier]) -> Iterator[tuple[int, int]]:
    """Each tier's index, and which person of the line it calls: `next` is whom no earlier tier reached this way."""
    reached: dict[TierKind, int] = {}
    for index, tier in enumerate(tiers):
        place = max(1, reached.get(tier.kind, 0)) if tier.to == NEXT else 0
        if tier.to in (ON_CALL, NEXT):
            reached[tier.kind] = max(reached.get(tier.kind, 0), place + 1)
        yield index, place


def person_of(to: str) -> str:
    """A key of `people`, or nothing where the line is meant."""
    return "" if to in (ON_CALL, NEXT) else to


# --- which gestures -------------------------------------------------------------------------------


def takes_at(steps: Steps, tier: int) -> frozenset[Taking]:
    """The gestures that take it, once the steps up to this tier have fired."""
    return steps.tiers[tier].takes if tier < len(steps.tiers) else frozenset(Taking)


def taking_of(gesture: str) -> Taking:
    """`reaction:eyes` is a reaction; windows and thread messages count as a button."""
    return _TAKINGS.get(gesture.split(":", 1)[0], Taking.BUTTON)


_TAKINGS = {taking.value: taking for taking in Taking}
