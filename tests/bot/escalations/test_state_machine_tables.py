"""The machine of `test_state_machine` on the real tables: the real services, PostgreSQL's locks, posts that fail.

Fewer orders are tried than in memory; `DOORLINE_EXAMPLES_TABLES` says how many.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select, text

from bot.conversations.consent import ConsentLedger
from bot.db import Database
from bot.durable.queue import open_queue
from bot.escalations.cause import Cause
from bot.escalations.deeds.ending import MarkNoise, Resolve
from bot.escalations.deeds.handing_over import HandOver
from bot.escalations.deeds.merging import Merge
from bot.escalations.deeds.snoozing import Snooze
from bot.escalations.deeds.working import Deed
from bot.escalations.desk import DeskKeeper
from bot.escalations.gestures import Gestures
from bot.escalations.models import Escalation, EscalationNote, EscalationPost, EscalationStep
from bot.escalations.replies import Replies
from bot.escalations.rules import LateStop, Verdict
from bot.escalations.service import EscalationService
from bot.sop import ProtocolInForce
from bot.sop_escalations import TierKind
from bot.stops.models import SlaState, StopRecord
from connectors.base import StopStatus
from connectors.errors import ChannelUnavailableError
from connectors.escalation import DispatcherAction, DispatcherVerb, EscalationState, Happening, Severity
from connectors.slack import blocks as slack_words
from tests.bot.escalations.workspace import Trouble, Workspace
from tests.harness.clock import ManualClock
from tests.harness.protocol import protocol_with

EXAMPLES = int(os.environ.get("DOORLINE_EXAMPLES_TABLES", "15"))
MORNING = datetime(2026, 6, 9, 10, 30, tzinfo=UTC)
POLICY = {
    '    default: "#dispatch"': '    default: "#dispatch"\n    South: "#south"\n    West: "#west"',
    "    - {kind: mention, after_minutes: 10}": """    - {kind: mention, after_minutes: 10}
    - {kind: sms, after_minutes: 15, hours: {start: "07:00", end: "22:00"}}
    - {kind: call, after_minutes: 20, to: next}
  repeat: {from_step: 3, times: 1, wait_minutes: 15}
  policies:
    - name: breach
      when: {severity: [breached]}
      out_of_hours: {kind: mention}
      tiers:
        - {kind: post, after_minutes: 0}
        - {kind: mention, after_minutes: 2, hours: {start: "07:00", end: "22:00"}}
        - {kind: call, after_minutes: 6, takes: [button, call]}""",
}
PEOPLE = st.sampled_from(["U0DANA", "U0SAM", "U0KIM"])
WHICH = st.integers(0, 2)
VERBS = st.sampled_from(
    [DispatcherVerb.WITHDRAW, DispatcherVerb.RESOLVE, DispatcherVerb.MARK_NOISE, DispatcherVerb.HAND_OVER]
)
EMPTY = """
DELETE FROM escalation_note; DELETE FROM escalation_step; DELETE FROM escalation_post; DELETE FROM escalation_stop;
DELETE FROM escalation; DELETE FROM stop; DELETE FROM audit_line; DELETE FROM procrastinate_jobs
"""
"""Quicker than to truncate, where there are a few rows."""
TABLES = (Escalation, EscalationStep, EscalationNote, EscalationPost)
Value = TypeVar("Value")


class NothingToDecide:
    """Fulfils `Decisions`: no escalation here is a request."""

    async def decide(self, session: Any, escalation: Escalation, action: DispatcherAction) -> Verdict:
        raise AssertionError("nobody asks for a decision")

    async def close_undecided(self, session: Any, escalation: Escalation, dispatcher: str) -> Verdict:
        raise AssertionError("nobody asks for a decision")


class Shift:
    """The real services on one database, as two replicas have them."""

    def __init__(self, url: str, sop: ProtocolInForce) -> None:
        self.database = Database(url)
        self.clock = ManualClock(MORNING)
        self.desk = Workspace()
        self.service = EscalationService(self.database, self.clock, sop)
        self.keeper = DeskKeeper(self.database, self.clock, sop, self.desk, slack_words)
        deeds: dict[DispatcherVerb, Deed] = {
            DispatcherVerb.RESOLVE: Resolve(self.clock, sop),
            DispatcherVerb.MARK_NOISE: MarkNoise(self.clock),
            DispatcherVerb.SNOOZE: Snooze(self.clock, sop),
            DispatcherVerb.HAND_OVER: HandOver(self.clock, sop),
            DispatcherVerb.MERGE: Merge(self.clock, sop),
        }
        replies = Replies(self.clock, sop, ConsentLedger(self.clock))
        self.gestures = Gestures(self.clock, sop, replies, NothingToDecide(), deeds)

    async def act(
        self, escalation_id: UUID, verb: DispatcherVerb, who: str, gesture: str, **fields: str
    ) -> Verdict:
        action = DispatcherAction(
            vendor_id=uuid4().hex,
            verb=verb,
            dispatcher=who,
            channel="",
            message_ts="",
            escalation_id=str(escalation_id),
            gesture=gesture,
            fields=fields,
            occurred_at=self.clock.now(),
        )
        async with self.database.transaction() as session:
            verdict, _ = await self.gestures.act(session, action)
        return verdict

    async def begin_anew(self) -> None:
        self.clock.at, self.desk.posts, self.desk.troubles = MORNING, [], []
        async with self.database.transaction() as session:
            for statement in EMPTY.split(";"):
                await session.execute(text(statement))


class TablesMachine(RuleBasedStateMachine):
    def __init__(self, runner: asyncio.Runner, shift: Shift) -> None:
        super().__init__()
        self.runner = runner
        self.shift = shift
        self.causes: list[Cause] = []
        self.stops: list[list[LateStop]] = []
        self.ended: dict[UUID, tuple[Any, ...]] = {}
        self.fired: dict[UUID, datetime] = {}
        self.seen: dict[type, list[Any]] = {}
        self.run(shift.begin_anew())

    def run(self, work: Awaitable[Value]) -> Value:
        async def awaited() -> Value:
            return await work

        self.seen = {}
        return self.runner.run(awaited())

    def rows(self, table: type[Value]) -> list[Value]:
        """As of the last thing that happened: all tables are read at once, and once."""

        async def read() -> dict[type, list[Any]]:
            async with self.shift.database.transaction() as session:
                return {each: list(await session.scalars(select(each))) for each in TABLES}

        if not self.seen:
            self.seen = self.run(read())
        return self.seen[table]

    def one(self, which: int) -> Escalation:
        rows = sorted(self.rows(Escalation), key=lambda row: (row.cause_key, row.raised_at))
        return rows[which % len(rows)]

    # --- what happens -------------------------------------------------------------------------

    @initialize(ends_in=st.integers(5, 200))
    def begin(self, ends_in: int) -> None:
        self.a_van_falls_behind(ends_in, stops=2)

    @precondition(lambda self: len(self.causes) < 3)
    @rule(ends_in=st.integers(5, 200), stops=st.integers(1, 2))
    def a_van_falls_behind(self, ends_in: int, stops: int) -> None:
        key = f"late:{len(self.causes)}"
        self.causes.append(
            Cause(key=key, severity=Severity.AT_RISK, why="late", timezone="America/New_York", zone="North")
        )
        self.stops.append([self._stop(ends_in) for _ in range(stops)])
        self._report(len(self.causes) - 1)

    def _stop(self, ends_in: int) -> LateStop:
        stop = StopRecord(
            platform="onfleet",
            platform_ref=uuid4().hex,
            tracking=uuid4().hex,
            status=StopStatus.OUT_FOR_DELIVERY,
            client="Acme",
            zone="North",
            timezone="America/New_York",
            address_line="14 Elm St",
            postcode="10001",
            recipient_name="Robin",
            window_start_at=MORNING,
            window_end_at=self.shift.clock.now() + timedelta(minutes=ends_in),
            changed_at=MORNING,
            confirmed_at=MORNING,
            sla_state=SlaState.AT_RISK,
        )

        async def add() -> None:
            async with self.shift.database.transaction() as session:
                session.add(stop)

        self.run(add())
        return LateStop(str(stop.id), SlaState.AT_RISK, 5, None)

    def _report(self, which: int) -> None:
        async def report() -> None:
            async with self.shift.database.transaction() as session:
                await self.shift.service.report_late(session, self.causes[which], self.stops[which])

        if self.stops[which]:
            self.run(report())

    @rule(which=WHICH, more=st.booleans())
    def a_stop_breaches(self, which: int, more: bool) -> None:
        which %= len(self.causes)
        if more:
            self.stops[which].append(self._stop(30))
        elif self.stops[which]:
            first = self.stops[which][0]
            self.stops[which][0] = LateStop(first.stop_id, SlaState.BREACHED, first.minutes_late + 5, None)
            self.causes[which] = Cause(
                **{**self.causes[which].__dict__, "severity": Severity.BREACHED, "minutes_late": 5}
            )
        self._report(which)

    @rule(which=WHICH)
    def a_stop_is_delivered(self, which: int) -> None:
        which %= len(self.causes)
        if not self.stops[which]:
            return
        stop_id = UUID(self.stops[which].pop(0).stop_id)

        async def deliver() -> None:
            async with self.shift.database.transaction() as session:
                stop = await session.get_one(StopRecord, stop_id)
                stop.status, stop.completed_at = StopStatus.DELIVERED, self.shift.clock.now()
                for escalation, member in await self.shift.service.open_late(session):
                    if member == stop_id:
                        await self.shift.service.settle(session, escalation, stop_id, "Delivered")

        self.run(deliver())

    @rule(minutes=st.integers(1, 30) | st.just(600), replicas=st.integers(1, 2))
    def time_passes(self, minutes: int, replicas: int) -> None:
        self.shift.clock.move(timedelta(minutes=minutes))

        async def tick() -> None:
            await asyncio.gather(*(self.shift.service.fire_due_steps(at_most=2) for _ in range(replicas)))

        self.run(tick())
        # What one replica held while the other looked is due again at the next tick.
        self.run(self.shift.service.fire_due_steps())
        now = self.shift.clock.now()
        for step in self.rows(EscalationStep):
            assert step.fired_at or step.cancelled_at or step.due_at > now, "a step was lost"

    @rule()
    def a_replica_dies_in_a_tick(self) -> None:
        """Its transaction ends with it, and everything that it did."""

        async def die() -> None:
            async with self.shift.database.transaction() as session:
                await self.shift.service._steps.fire_due(session, self.shift.clock.now(), 5)
                await session.flush()
                await session.rollback()

        self.run(die())

    # --- what dispatchers do ------------------------------------------------------------------

    @rule(
        which=WHICH,
        people=st.lists(PEOPLE, min_size=1, max_size=3, unique=True),
        gesture=st.sampled_from(["reaction:eyes", "button:acknowledge", "call:1"]),
    )
    def acknowledge_at_once(self, which: int, people: list[str], gesture: str) -> None:
        row = self.one(which)

        async def all_at_once() -> list[Verdict]:
            acts = (self.shift.act(row.id, DispatcherVerb.ACKNOWLEDGE, who, gesture) for who in people)
            return await asyncio.gather(*acts)

        verdicts = self.run(all_at_once())
        assert verdicts.count(Verdict.APPLIED) <= 1
        if Verdict.APPLIED in verdicts:
            assert verdicts.count(Verdict.ALREADY_HELD) == len(people) - 1
            assert self._row(row.id).acknowledged_by == people[verdicts.index(Verdict.APPLIED)]

    def _row(self, escalation_id: UUID) -> Escalation:
        return next(row for row in self.rows(Escalation) if row.id == escalation_id)

    @rule(which=WHICH, who=PEOPLE, verb=VERBS, zone=st.sampled_from(["South", "West"]))
    def dispatcher_does(self, which: int, who: str, verb: DispatcherVerb, zone: str) -> None:
        self.run(self.shift.act(self.one(which).id, verb, who, "button:x", zone=zone))

    @rule(which=WHICH, who=PEOPLE, minutes=st.integers(1, 60))
    def snooze(self, which: int, who: str, minutes: int) -> None:
        until = self.shift.clock.now() + timedelta(minutes=minutes)
        fields = {"until": until.isoformat()}
        self.run(self.shift.act(self.one(which).id, DispatcherVerb.SNOOZE, who, "modal:snooze", **fields))

    @rule(which=WHICH, into=WHICH, who=PEOPLE)
    def merge(self, which: int, into: int, who: str) -> None:
        one, other = self.one(which).id, self.one(into).id

        async def both_ways() -> list[Verdict]:
            acts = (
                self.shift.act(first, DispatcherVerb.MERGE, who, "modal:merge", into=str(second))
                for first, second in ((one, other), (other, one))
            )
            return await asyncio.gather(*acts)

        verdicts = self.run(both_ways())
        assert verdicts.count(Verdict.APPLIED) <= (one != other)

    # --- the workspace ------------------------------------------------------------------------

    @rule(which=WHICH, troubles=st.lists(st.sampled_from(Trouble), max_size=3))
    def the_channel_is_written(self, which: int, troubles: list[Trouble]) -> None:
        self.shift.desk.troubles = troubles
        self._sync(self.one(which).id)
        self.shift.desk.troubles = []

    @rule(which=WHICH, who=PEOPLE, zone=st.sampled_from(["South", "West"]))
    def it_is_handed_over_while_it_is_written(self, which: int, who: str, zone: str) -> None:
        row = self.one(which)

        async def hand_over() -> None:
            await self.shift.act(row.id, DispatcherVerb.HAND_OVER, who, "modal:hand_over", zone=zone)

        self.shift.desk.meanwhile = hand_over
        self._sync(row.id)
        self.shift.desk.meanwhile = None

    def _sync(self, escalation_id: UUID) -> bool:
        try:
            self.run(self.shift.keeper.sync(escalation_id))
        except ChannelUnavailableError:
            return False
        return True

    # --- what is relied on --------------------------------------------------------------------

    @invariant()
    def the_tables_are_whole(self) -> None:
        escalations = {row.id: row for row in self.rows(Escalation)}
        for step in self.rows(EscalationStep):
            assert step.fired_at is None or step.cancelled_at is None
            pending = step.fired_at is None and step.cancelled_at is None
            assert not pending or escalations[step.escalation_id].state is EscalationState.RAISED
            if step.kind is not TierKind.POST and step.fired_at is not None:
                assert self.fired.setdefault(step.id, step.fired_at) == step.fired_at, "fired twice"
                assert step.fired_at >= (step.planned_at or step.due_at)
        for row in escalations.values():
            standing = (row.state, row.resolved_by, row.resolved_at, row.merged_into and True, row.is_noise)
            if row.state is EscalationState.RESOLVED:
                assert self.ended.setdefault(row.id, standing) == standing, "not final"
            else:
                assert row.id not in self.ended, "opened again"

    @invariant()
    def each_step_that_fired_is_told_once(self) -> None:
        told = [note for note in self.rows(EscalationNote) if note.kind is Happening.STEP_FIRED]
        fired = [
            step for step in self.rows(EscalationStep) if step.fired_at and step.kind is not TierKind.POST
        ]
        # Without numbers texts and calls go to the channel: each step is one line.
        assert len(told) == len(fired)

    @invariant()
    def one_message_per_escalation_and_channel(self) -> None:
        seen = [(post.view.escalation_id, post.channel) for post in self.shift.desk.posts]
        assert len(seen) == len(set(seen)), "posted twice"

    def teardown(self) -> None:
        """With the workspace back, everything is shown where it belongs, and nowhere else but as a pointer."""
        self.shift.desk.troubles = []
        for row in self.rows(Escalation):
            assert any(self._sync(row.id) for _ in range(4))
        left = self.rows(EscalationPost)
        notes = self.rows(EscalationNote)
        assert all(note.posted_at is not None for note in notes)
        for row in self.rows(Escalation):
            posts = {post.channel: post for post in self.shift.desk.of(str(row.id))}
            assert row.channel in posts, "shown nowhere"
            assert posts[row.channel].view.state is row.state
            assert row.slack_channel == row.channel
            gone = {post.channel for post in left if post.escalation_id == row.id}
            assert set(posts) - {row.channel} <= gone
        shown = [note_id for post in self.shift.desk.posts for note_id in post.notes]
        assert sorted(shown) == sorted(str(note.id) for note in notes)


@pytest.fixture
def shift(database_url: str, empty_database: None, tmp_path: Path) -> Iterator[Callable[[], TablesMachine]]:
    with asyncio.Runner() as runner:
        sop = ProtocolInForce(protocol_with(tmp_path, POLICY))
        shift = Shift(database_url, sop)
        queue = open_queue(database_url)
        runner.run(queue.open_async().__aenter__())
        yield lambda: TablesMachine(runner, shift)
        runner.run(queue.close_async())
        runner.run(shift.database.close())


def test_any_order_keeps_the_tables_whole(shift: Callable[[], TablesMachine]) -> None:
    run_state_machine_as_test(
        shift,  # type: ignore[arg-type]  # a factory does, by its own documentation
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_what_is_handed_over_while_it_is_posted_stands_once_in_each_channel(
    shift: Callable[[], TablesMachine],
) -> None:
    machine = shift()
    machine.begin(ends_in=60)
    machine.it_is_handed_over_while_it_is_written(which=0, who="U0DANA", zone="South")
    machine.teardown()
    assert sorted(post.channel for post in machine.shift.desk.posts) == ["#dispatch", "#south"]
