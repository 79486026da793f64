"""Escalations in memory, decided by the same pure functions as in the database: for a machine that tries thousands.

Rows are the real ones, unsaved. What is played here is only how `changing`, `rounds` and `steps` write them.
"""

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from bot.escalations import policy as policies
from bot.escalations import rules, transitions
from bot.escalations.changing import standing_of
from bot.escalations.firing import Dealing, deal_with
from bot.escalations.models import Escalation, EscalationStep
from bot.escalations.policy import PlannedStep
from bot.escalations.rules import Verdict
from bot.escalations.transitions import HELD, RAISED, RESOLVED, SNOOZED, Change, Standing
from bot.sop_escalations import Escalations, Steps, Taking, TierKind
from bot.windows.holidays import public_holidays
from connectors.escalation import DispatcherVerb, Happening, Severity

DAYTIME = {"start": "07:00", "end": "22:00"}
SECTION = Escalations.model_validate(
    {
        "channels": {"default": "#dispatch", "South": "#south"},
        "dispatchers": [],
        "mention": "<!here>",
        "acknowledgement_holds_minutes": 60,
        "tiers": [
            {"kind": "post", "after_minutes": 0},
            {"kind": "mention", "after_minutes": 10},
            {"kind": "sms", "after_minutes": 15, "hours": DAYTIME},
            {"kind": "call", "after_minutes": 20, "hours": DAYTIME, "takes": ["button", "call", "sms"]},
            {"kind": "call", "after_minutes": 30, "to": "next"},
        ],
        "policies": [
            {
                "name": "breach",
                "when": {"severity": ["breached"]},
                "tiers": [
                    {"kind": "post", "after_minutes": 0},
                    {"kind": "mention", "after_minutes": 0},
                    {"kind": "call", "after_minutes": 5, "hours": DAYTIME},
                    {"kind": "call", "after_minutes": 10, "to": "next"},
                ],
                "repeat": {"from_step": 3, "times": 2, "wait_minutes": 15},
                "out_of_hours": {"kind": "sms", "to": "on_call"},
            }
        ],
    }
)
ZONE = "America/New_York"
HOLIDAYS = public_holidays(SECTION.holidays_of)


@dataclass
class Entry:
    """One escalation with its steps, and what was seen of it."""

    row: Escalation
    stops: int
    window_end_at: datetime
    steps: list[EscalationStep] = field(default_factory=list)
    fired: list[tuple[UUID, datetime]] = field(default_factory=list)
    rounds: list[int] = field(default_factory=list)
    changes: list[Happening] = field(default_factory=list)
    ended_as: Standing | None = None

    @property
    def policy(self) -> Steps:
        return SECTION.steps_of(self.row.policy)

    @property
    def pending(self) -> list[EscalationStep]:
        return [step for step in self.steps if step.fired_at is None and step.cancelled_at is None]

    def due(self, now: datetime) -> list[EscalationStep]:
        return [step for step in self.pending if step.due_at <= now]

    # --- what the database's functions do -----------------------------------------------------

    def begin_round(self, now: datetime) -> None:
        self.row.policy = policies.choose(SECTION, policies.facts_of(self.row), now)
        self.row.armed_at, self.row.repeats = now, 0
        self.rounds.append(len(self.rounds))
        self.plan(policies.plan_round(self.policy, now, ZONE, HOLIDAYS))

    def plan(self, planned: list[PlannedStep]) -> None:
        position = max((step.position for step in self.steps), default=0) + 1
        for number, step in enumerate(planned):
            self.steps.append(
                EscalationStep(
                    id=uuid4(),
                    escalation_id=self.row.id,
                    round=self.rounds[-1],
                    position=position + number,
                    kind=step.kind,
                    due_at=step.due_at,
                    planned_at=step.planned_at if step.is_deferred else None,
                    tier=step.tier,
                    place=step.place,
                    person=step.person,
                    out_of_hours=step.out_of_hours,
                )
            )

    def make(self, change: Change | None, now: datetime) -> bool:
        """The compare-and-set: a change that was decided on another standing is not made."""
        if change is None or change.before != standing_of(self.row):
            return False
        for name, value in asdict(change.after).items():
            setattr(self.row, name, value)
        for step in self.pending:
            step.cancelled_at = now
        self.changes.append(change.happening)
        if change.begins_round:
            self.begin_round(now)
        if change.after.state is RESOLVED:
            self.ended_as = change.after
        return True

    def grow(self, now: datetime) -> None:
        self.row.severity, self.stops = Severity.BREACHED, self.stops + 1
        if self.row.state is SNOOZED:
            self.make(transitions.wake(standing_of(self.row)), now)
        elif self.row.state is RAISED and not self.pending and self.fired:
            self.begin_round(now)

    def takes(self) -> frozenset[Taking]:
        tiers = [step.tier for step in self.steps if step.fired_at and step.round == self.rounds[-1]]
        return policies.takes_at(self.policy, max(tiers, default=0))

    def judge(self, verb: DispatcherVerb, who: str, gesture: str) -> Verdict:
        return rules.judge(verb, self.row, who, (), gesture=gesture, takes=self.takes())

    def held_until(self, now: datetime) -> datetime:
        return rules.holds_until(now, [self.window_end_at], timedelta(hours=1))


class Ledger:
    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def add(self, severity: Severity, stops: int, window_end_at: datetime, now: datetime) -> Entry:
        row = Escalation(
            id=uuid4(),
            cause_key=f"late:{len(self.entries)}",
            severity=severity,
            state=RAISED,
            timezone=ZONE,
            why="",
            channel="#dispatch",
            raised_at=now,
        )
        entry = Entry(row, stops, window_end_at)
        entry.begin_round(now)
        self.entries.append(entry)
        return entry

    def tick(self, now: datetime, paused_until: datetime | None) -> int:
        """One round of one replica's clock; gives how many steps fired."""
        fired = 0
        for entry in self.entries:
            entry.make(transitions.run_out(standing_of(entry.row), now), now)
        while due := [(step, entry) for entry in self.entries for step in entry.due(now)]:
            for step, entry in sorted(due, key=lambda each: each[0].due_at):
                fired += self._deal_with(step, entry, paused_until, now)
        return fired

    def _deal_with(
        self, step: EscalationStep, entry: Entry, paused_until: datetime | None, now: datetime
    ) -> bool:
        dealing = deal_with(step, entry.row, entry.policy, HOLIDAYS, paused_until, now)
        if dealing is not Dealing.FIRED:
            return False
        assert entry.row.state is RAISED
        assert step.kind is not TierKind.POST
        entry.fired.append((step.id, now))
        if not entry.pending:
            planned = policies.plan_repeat(entry.policy, entry.row.repeats, now, ZONE, HOLIDAYS)
            entry.row.repeats += bool(planned)
            entry.plan(planned)
        return True


__all__ = ["HELD", "RAISED", "RESOLVED", "SECTION", "SNOOZED", "Entry", "Ledger"]
