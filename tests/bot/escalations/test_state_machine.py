"""Any order of ticks, gestures, deliveries, pauses and restarts keeps what dispatchers rely on.

`DOORLINE_EXAMPLES` says how many orders are tried; 5,000 take a few minutes. The same machine on the real tables is in
`test_state_machine_tables.py`.
"""

import os
from copy import deepcopy
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot.escalations import transitions
from bot.escalations.changing import standing_of
from bot.escalations.rules import Verdict
from bot.escalations.transitions import Change
from connectors.escalation import DispatcherVerb, Happening, Severity
from tests.bot.escalations.ledger import HELD, RAISED, RESOLVED, SECTION, SNOOZED, Entry, Ledger

EXAMPLES = int(os.environ.get("DOORLINE_EXAMPLES", "150"))
MORNING = datetime(2026, 6, 9, 10, 30, tzinfo=UTC)
"""6:30 am in New York: the hours of two tiers begin soon."""

PEOPLE = st.sampled_from(["U0DANA", "U0SAM", "person:kim"])
GESTURES = st.sampled_from(["reaction:eyes", "button:acknowledge", "sms:1", "call:1", "modal:reply"])
MINUTES = st.integers(1, 45) | st.sampled_from([90, 300, 720])
WHICH = st.integers(0, 3)


class EscalationMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.now = MORNING
        self.paused_until: datetime | None = None

    def entry(self, which: int) -> Entry:
        return self.ledger.entries[which % len(self.ledger.entries)]

    # --- what happens -------------------------------------------------------------------------

    @initialize(severity=st.sampled_from([Severity.AT_RISK, Severity.BREACHED]), ends_in=MINUTES)
    def begin(self, severity: Severity, ends_in: int) -> None:
        self.raise_one(severity, 2, ends_in)

    @precondition(lambda self: len(self.ledger.entries) < 4)
    @rule(
        severity=st.sampled_from([Severity.AT_RISK, Severity.BREACHED]),
        stops=st.integers(1, 3),
        ends_in=MINUTES,
    )
    def raise_one(self, severity: Severity, stops: int, ends_in: int) -> None:
        self.ledger.add(severity, stops, self.now + timedelta(minutes=ends_in), self.now)

    @rule(minutes=MINUTES)
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(replicas=st.integers(1, 3))
    def tick(self, replicas: int) -> None:
        self.ledger.tick(self.now, self.paused_until)
        for _ in range(replicas - 1):
            assert self.ledger.tick(self.now, self.paused_until) == 0
        for entry in self.ledger.entries:
            assert not entry.due(self.now), "a step was lost"
            assert transitions.run_out(standing_of(entry.row), self.now) is None

    @rule(minutes=MINUTES, then=st.integers(1, 15))
    def time_passes_and_ticks(self, minutes: int, then: int) -> None:
        self.time_passes(minutes)
        self.tick(1)
        self.time_passes(then)
        self.tick(1)

    @rule()
    def a_replica_dies_in_a_tick(self) -> None:
        """Its transaction is rolled back: what it did to its copies never happened."""
        doomed = deepcopy(self.ledger)
        doomed.tick(self.now, self.paused_until)

    @rule(minutes=st.integers(1, 180))
    def pause(self, minutes: int) -> None:
        self.paused_until = self.now + timedelta(minutes=minutes)

    # --- what dispatchers do ------------------------------------------------------------------

    @rule(which=WHICH, people=st.lists(PEOPLE, min_size=1, max_size=3, unique=True), gesture=GESTURES)
    def acknowledge_at_once(self, which: int, people: list[str], gesture: str) -> None:
        """All decide on the same standing; only one of their changes is made."""
        entry, before = self.entry(which), standing_of(self.entry(which).row)
        wanted: list[Change] = []
        for who in people:
            if entry.judge(DispatcherVerb.ACKNOWLEDGE, who, gesture) is Verdict.APPLIED:
                change = transitions.acknowledge(before, who, entry.held_until(self.now), self.now)
                assert change is not None
                wanted.append(change)
        made = [entry.make(change, self.now) for change in wanted]
        assert sum(made) == bool(wanted)
        if wanted:
            assert entry.row.acknowledged_by == wanted[0].actor
            assert all(
                entry.judge(DispatcherVerb.ACKNOWLEDGE, str(late.actor), gesture) is Verdict.ALREADY_HELD
                for late in wanted[1:]
            )

    @rule(which=WHICH, who=PEOPLE)
    def withdraw(self, which: int, who: str) -> None:
        entry = self.entry(which)
        judged = entry.judge(DispatcherVerb.WITHDRAW, who, "reaction:eyes")
        made = entry.make(transitions.give_back(standing_of(entry.row), who), self.now)
        assert made is (judged is Verdict.APPLIED)

    @rule(which=WHICH, who=PEOPLE, minutes=st.integers(-5, 200))
    def snooze(self, which: int, who: str, minutes: int) -> None:
        entry = self.entry(which)
        judged = entry.judge(DispatcherVerb.SNOOZE, who, "modal:snooze")
        until = self.now + timedelta(minutes=minutes)
        made = entry.make(transitions.snooze(standing_of(entry.row), who, until, self.now), self.now)
        assert made is (judged is Verdict.APPLIED and minutes > 0)

    @rule(
        which=WHICH,
        who=PEOPLE,
        how=st.sampled_from([Happening.RESOLVED, Happening.NOISE, Happening.MERGED]),
        gesture=GESTURES,
    )
    def resolve(self, which: int, who: str, how: Happening, gesture: str) -> None:
        entry = self.entry(which)
        judged = entry.judge(DispatcherVerb.RESOLVE, who, gesture)
        if judged is Verdict.APPLIED:
            assert entry.make(transitions.end(standing_of(entry.row), who, self.now, how), self.now)
        elif judged is Verdict.ALREADY_RESOLVED:
            assert not entry.make(transitions.end(standing_of(entry.row), who, self.now, how), self.now)

    @rule(which=WHICH, who=PEOPLE)
    def hand_over(self, which: int, who: str) -> None:
        entry = self.entry(which)
        was_open = entry.row.is_open
        change = transitions.open_again(standing_of(entry.row), Happening.HANDED_OVER, who)
        assert entry.make(change, self.now) is was_open

    # --- what drivers do ----------------------------------------------------------------------

    @rule(which=WHICH)
    def a_stop_is_delivered(self, which: int) -> None:
        entry = self.entry(which)
        entry.stops = max(0, entry.stops - 1)
        if entry.stops == 0:
            entry.make(transitions.end(standing_of(entry.row), None, self.now), self.now)

    @rule(which=WHICH)
    def another_stop_breaches(self, which: int) -> None:
        entry = self.entry(which)
        if entry.row.is_open:
            entry.grow(self.now)

    # --- what is relied on --------------------------------------------------------------------

    @invariant()
    def no_step_after_somebody_has_it(self) -> None:
        for entry in self.ledger.entries:
            if entry.row.state is not RAISED:
                assert not entry.pending

    @invariant()
    def no_step_twice(self) -> None:
        for entry in self.ledger.entries:
            fired = [step_id for step_id, _ in entry.fired]
            assert len(fired) == len(set(fired))
            assert {step.id for step in entry.steps if step.fired_at is not None} == set(fired)
            assert all(step.fired_at is None or step.cancelled_at is None for step in entry.steps)
            places = [(step.round, step.position) for step in entry.steps]
            assert len(places) == len(set(places))

    @invariant()
    def no_step_is_lost(self) -> None:
        """Each tier of each round has its step; one that waits has a stored time, and only a change stops it."""
        for entry in self.ledger.entries:
            for round_number in entry.rounds:
                tiers = {step.tier for step in entry.steps if step.round == round_number}
                assert tiers >= set(range(1, max(tiers) + 1))
            if entry.row.state is RAISED:
                newest = [step for step in entry.steps if step.round == entry.rounds[-1]]
                assert all(step.cancelled_at is None for step in newest)

    @invariant()
    def no_step_comes_before_its_wait(self) -> None:
        for entry in self.ledger.entries:
            for step in entry.steps:
                assert step.planned_at is None or step.planned_at <= step.due_at
                assert step.fired_at is None or step.fired_at >= (step.planned_at or step.due_at)

    @invariant()
    def resolved_is_final(self) -> None:
        for entry in self.ledger.entries:
            assert (entry.row.state is RESOLVED) is (entry.ended_as is not None)
            if entry.ended_as is not None:
                assert standing_of(entry.row) == entry.ended_as

    @invariant()
    def one_person_has_it_or_nobody(self) -> None:
        for entry in self.ledger.entries:
            row = entry.row
            assert (row.state is HELD) is (row.acknowledged_by is not None) or row.state is RESOLVED
            assert (row.state is SNOOZED) is (row.snoozed_by is not None)
            assert row.state is not HELD or row.acknowledged_until is not None

    @invariant()
    def repeats_are_bounded(self) -> None:
        for entry in self.ledger.entries:
            repeat = entry.policy.repeat
            assert entry.row.repeats <= (repeat.times if repeat is not None else 0)
            for round_number in entry.rounds:
                most = max(len(SECTION.tiers), 4 + 2 * 2)
                assert len([step for step in entry.steps if step.round == round_number]) <= most


EscalationMachine.TestCase.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestEscalations = EscalationMachine.TestCase
