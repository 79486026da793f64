"""What a gesture does, until when an acknowledgement holds, which steps are planned: tables of every case."""

from datetime import timedelta
from uuid import uuid4

import pytest

from bot.escalations.models import Escalation, EscalationStep
from bot.escalations.rules import (
    REQUEST,
    WAITING,
    LateStop,
    Verdict,
    holds_until,
    judge,
    next_step,
    severity_of,
    tell_once,
    with_digests,
)
from bot.sop_escalations import Taking, TierKind
from bot.stops.models import SlaState
from connectors.escalation import DispatcherVerb, EscalationState, Severity
from tests.harness.clock import NOON_IN_NEW_YORK as NOW
from tests.harness.rows import row_with

MINUTE = timedelta(minutes=1)
ACKNOWLEDGE, WITHDRAW, RESOLVE = DispatcherVerb.ACKNOWLEDGE, DispatcherVerb.WITHDRAW, DispatcherVerb.RESOLVE
RAISED, HELD, RESOLVED = EscalationState.RAISED, EscalationState.ACKNOWLEDGED, EscalationState.RESOLVED
SNOOZED = EscalationState.SNOOZED


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
    escalation = row_with(Escalation, state=state, acknowledged_by=holder, cause_key="late:x")
    assert judge(verb, escalation, "dana", ()) is verdict
    assert judge(verb, escalation, "dana", {"dana", "sam"}) is verdict
    assert judge(verb, escalation, "dana", {"sam"}) is Verdict.NOT_ALLOWED


SNOOZE, MERGE, NOISE = DispatcherVerb.SNOOZE, DispatcherVerb.MERGE, DispatcherVerb.MARK_NOISE


@pytest.mark.parametrize(
    ("verb", "snoozed_by", "verdict"),
    [
        (ACKNOWLEDGE, "dana", Verdict.APPLIED),
        (ACKNOWLEDGE, "sam", Verdict.APPLIED),
        (WITHDRAW, "dana", Verdict.APPLIED),
        (WITHDRAW, "sam", Verdict.NOT_YOURS),
        (SNOOZE, "sam", Verdict.APPLIED),
        (RESOLVE, "sam", Verdict.APPLIED),
    ],
)
def test_what_danas_gesture_does_to_what_is_snoozed(
    verb: DispatcherVerb, snoozed_by: str, verdict: Verdict
) -> None:
    escalation = row_with(Escalation, state=SNOOZED, snoozed_by=snoozed_by, cause_key="late:x")
    assert judge(verb, escalation, "dana", ()) is verdict


@pytest.mark.parametrize(
    ("verb", "key", "waits", "has_stops", "verdict"),
    [
        (SNOOZE, "late:x", False, True, Verdict.APPLIED),
        (SNOOZE, f"{WAITING}1", True, True, Verdict.NOT_POSSIBLE),
        (SNOOZE, f"{REQUEST}1", True, True, Verdict.NOT_POSSIBLE),
        (MERGE, f"{WAITING}1", True, True, Verdict.NOT_POSSIBLE),
        (NOISE, f"{WAITING}1", True, True, Verdict.APPLIED),
        (NOISE, f"{REQUEST}1", True, True, Verdict.NOT_POSSIBLE),
        (DispatcherVerb.CONTACT_DRIVER, "silent:onfleet", False, False, Verdict.NOT_POSSIBLE),
        (DispatcherVerb.MOVE_WINDOW, "late:x", False, True, Verdict.APPLIED),
        (DispatcherVerb.HAND_OVER, f"{WAITING}1", True, False, Verdict.APPLIED),
    ],
)
def test_what_can_be_done_depends_on_what_it_is_about(
    verb: DispatcherVerb, key: str, waits: bool, has_stops: bool, verdict: Verdict
) -> None:
    escalation = row_with(Escalation, state=RAISED, cause_key=key, conversation_id=uuid4() if waits else None)
    assert judge(verb, escalation, "dana", (), has_stops=has_stops) is verdict


@pytest.mark.parametrize("verb", [ACKNOWLEDGE, RESOLVE])
@pytest.mark.parametrize(
    ("gesture", "takes", "verdict"),
    [
        ("reaction:eyes", {Taking.REACTION, Taking.CALL}, Verdict.APPLIED),
        ("reaction:eyes", {Taking.BUTTON, Taking.CALL}, Verdict.REACTION_NOT_ENOUGH),
        ("button:acknowledge", {Taking.BUTTON}, Verdict.APPLIED),
        ("modal:resolve", {Taking.BUTTON}, Verdict.APPLIED),
        ("sms:1", {Taking.SMS}, Verdict.APPLIED),
    ],
)
def test_a_reaction_may_not_be_enough(
    verb: DispatcherVerb, gesture: str, takes: set[Taking], verdict: Verdict
) -> None:
    escalation = row_with(Escalation, state=RAISED, cause_key="late:x")
    assert judge(verb, escalation, "dana", (), gesture=gesture, takes=takes) is verdict


def test_a_cause_can_be_named_after_the_end() -> None:
    assert (
        judge(DispatcherVerb.NAME_CAUSE, row_with(Escalation, state=RESOLVED), "dana", ()) is Verdict.APPLIED
    )


def test_each_dispatcher_is_told_once_that_a_reaction_is_not_enough() -> None:
    escalation = row_with(Escalation)
    assert [tell_once(escalation, who) for who in ("dana", "sam", "dana", "sam")] == [
        True,
        True,
        False,
        False,
    ]


def test_newer_findings_replace_those_of_the_same_stop() -> None:
    assert with_digests("", "a:at_risk:1") == "a:at_risk:1"
    assert with_digests("a:at_risk:1|b:at_risk:0", "a:breached:2|c:at_risk:0") == (
        "a:breached:2|b:at_risk:0|c:at_risk:0"
    )


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


def test_the_next_step_is_the_earliest_that_is_still_to_come() -> None:
    def step(minutes: int, *, fired: bool = False, cancelled: bool = False) -> EscalationStep:
        return row_with(
            EscalationStep,
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
