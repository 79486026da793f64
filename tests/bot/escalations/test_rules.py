"""What a gesture does, until when an acknowledgement holds, which steps are planned: tables of every case."""

from datetime import timedelta

import pytest

from bot.escalations.models import Escalation, EscalationStep
from bot.escalations.rules import LateStop, Verdict, holds_until, judge, next_step, plan_steps, severity_of
from bot.sop import Tier, TierKind
from bot.stops.models import SlaState
from connectors.base import DispatcherVerb, EscalationState, Severity
from tests.harness.clock import NOON_IN_NEW_YORK as NOW

MINUTE = timedelta(minutes=1)
ACKNOWLEDGE, WITHDRAW, RESOLVE = DispatcherVerb.ACKNOWLEDGE, DispatcherVerb.WITHDRAW, DispatcherVerb.RESOLVE
RAISED, HELD, RESOLVED = EscalationState.RAISED, EscalationState.ACKNOWLEDGED, EscalationState.RESOLVED
TIERS = (Tier(kind=TierKind.POST, after_minutes=0), Tier(kind=TierKind.MENTION, after_minutes=10))


@pytest.mark.parametrize(
    ("verb", "state", "holder", "verdict"),
    [
        (ACKNOWLEDGE, RAISED, None, Verdict.APPLIED),
        (ACKNOWLEDGE, HELD, "dana", Verdict.NOTHING_TO_DO),
        (ACKNOWLEDGE, HELD, "sam", Verdict.ALREADY_HELD),
        (ACKNOWLEDGE, RESOLVED, None, Verdict.ALREADY_RESOLVED),
        (ACKNOWLEDGE, RESOLVED, "dana", Verdict.ALREADY_RESOLVED),
        (WITHDRAW, RAISED, None, Verdict.NOTHING_TO_DO),
        (WITHDRAW, HELD, "dana", Verdict.APPLIED),
        (WITHDRAW, HELD, "sam", Verdict.NOT_YOURS),
        (WITHDRAW, RESOLVED, "dana", Verdict.NOTHING_TO_DO),
        (RESOLVE, RAISED, None, Verdict.APPLIED),
        (RESOLVE, HELD, "dana", Verdict.APPLIED),
        (RESOLVE, HELD, "sam", Verdict.APPLIED),
        (RESOLVE, RESOLVED, None, Verdict.ALREADY_RESOLVED),
    ],
)
def test_what_danas_gesture_does(
    verb: DispatcherVerb, state: EscalationState, holder: str | None, verdict: Verdict
) -> None:
    escalation = Escalation(state=state, acknowledged_by=holder)
    assert judge(verb, escalation, "dana", ()) is verdict
    assert judge(verb, escalation, "dana", {"dana", "sam"}) is verdict
    assert judge(verb, escalation, "dana", {"sam"}) is Verdict.NOT_ALLOWED


@pytest.mark.parametrize(
    ("ends", "holds"),
    [
        ([], 60),
        ([30], 30),
        ([30, 10, 90], 10),
        ([-5, 30], 30),
        ([0], 60),
        ([-5, -10], 60),
    ],
)
def test_an_acknowledgement_holds_until_the_next_windows_end_or_for_a_while(
    ends: list[int], holds: int
) -> None:
    windows = [NOW + minutes * MINUTE for minutes in ends]
    assert holds_until(NOW, windows, 60 * MINUTE) == NOW + holds * MINUTE


def test_delays_count_from_the_moment_it_was_raised() -> None:
    tiers = (*TIERS, Tier(kind=TierKind.MENTION, after_minutes=25))
    assert [step.due_at - NOW for step in plan_steps(tiers, NOW)] == [0 * MINUTE, 10 * MINUTE, 25 * MINUTE]


def test_a_second_round_does_not_post_again() -> None:
    steps = plan_steps(TIERS, NOW, after_post=True)
    assert [(step.position, step.tier.kind, step.due_at) for step in steps] == [
        (1, TierKind.MENTION, NOW + 10 * MINUTE)
    ]


def test_the_next_step_is_the_earliest_that_is_still_to_come() -> None:
    def step(minutes: int, *, fired: bool = False, cancelled: bool = False) -> EscalationStep:
        return EscalationStep(
            position=minutes,
            kind=TierKind.MENTION,
            due_at=NOW + minutes * MINUTE,
            fired_at=NOW if fired else None,
            cancelled_at=NOW if cancelled else None,
        )

    found = next_step([step(30), step(5, fired=True), step(10, cancelled=True), step(20)])
    assert found is not None
    assert found.position == 20
    assert next_step([step(5, fired=True)]) is None
    assert next_step([]) is None


def test_one_breach_makes_the_whole_a_breach() -> None:
    assert severity_of({SlaState.AT_RISK}) is Severity.AT_RISK
    assert severity_of({SlaState.AT_RISK, SlaState.BREACHED}) is Severity.BREACHED


@pytest.mark.parametrize(("minutes", "same"), [(0, True), (4, True), (5, False), (9, False)])
def test_dispatchers_see_an_edit_when_the_lateness_has_grown_by_five_minutes(
    minutes: int, same: bool
) -> None:
    first = LateStop("s", SlaState.AT_RISK, 0, None)
    later = LateStop("s", SlaState.AT_RISK, minutes, None)
    assert (first.digest() == later.digest()) is same
