"""What an escalation does that grows, is merged, or finds nobody on call: the real service on the real tables."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.db import Database
from bot.durable.queue import open_queue
from bot.escalations import holding, moving, queries
from bot.escalations.calling import NOBODY
from bot.escalations.cause import Cause
from bot.escalations.claiming import HELD_SECONDS
from bot.escalations.models import Escalation, EscalationNote, EscalationStep
from bot.escalations.rules import LateStop
from bot.escalations.service import EscalationService
from bot.oncall.people import OnCallPerson
from bot.settings import PROJECT_ROOT
from bot.sop import ProtocolInForce
from bot.stops.models import SlaState, StopRecord
from connectors.base import StopStatus
from connectors.escalation import EscalationState, Happening, Severity
from tests.harness.clock import NOON_IN_NEW_YORK as NOON
from tests.harness.clock import ManualClock

Row = TypeVar("Row")
SOP = ProtocolInForce(PROJECT_ROOT / "bot" / "sop.yml")
POLICY = SOP.current.escalations


class EmptyRota:
    """Fulfils `OnCall`: a rota that nobody is on."""

    async def line(self, session: AsyncSession, zone: str, at: datetime) -> tuple[OnCallPerson, ...]:
        return ()

    def is_set_up(self, zone: str) -> bool:
        return True

    async def may_acknowledge(self, session: AsyncSession) -> frozenset[str]:
        return frozenset()


class Van:
    """A van whose stops are late."""

    def __init__(self, database: Database, service: EscalationService, key: str) -> None:
        self._database = database
        self._service = service
        self.key = key

    async def has(self, **states: SlaState) -> list[LateStop]:
        return [LateStop(str(await self._stop(name)), state, 5, None) for name, state in states.items()]

    async def _stop(self, name: str) -> UUID:
        stop = StopRecord(
            platform="onfleet",
            platform_ref=f"{self.key}:{name}",
            tracking=uuid4().hex,
            status=StopStatus.OUT_FOR_DELIVERY,
            client="Acme",
            zone="North",
            timezone="America/New_York",
            address_line="14 Elm St",
            postcode="10001",
            recipient_name="Robin",
            window_start_at=NOON,
            window_end_at=NOON + timedelta(hours=2),
            changed_at=NOON,
            confirmed_at=NOON,
            sla_state=SlaState.AT_RISK,
        )
        async with self._database.transaction() as session:
            session.add(stop)
        return stop.id

    async def reports(self, stops: list[LateStop], severity: Severity = Severity.AT_RISK) -> UUID | None:
        cause = Cause(
            key=self.key, severity=severity, why=self.key, timezone="America/New_York", zone="North"
        )
        async with self._database.transaction() as session:
            return await self._service.report_late(session, cause, stops)


@pytest.fixture
async def queued(database: Database) -> AsyncIterator[Database]:
    async with open_queue(database.url).open_async():
        yield database


async def rows(database: Database, table: type[Row]) -> list[Row]:
    async with database.transaction() as session:
        return list(await session.scalars(select(table)))


async def mentions(database: Database) -> int:
    return sum(note.kind is Happening.STEP_FIRED for note in await rows(database, EscalationNote))


async def test_growth_after_the_last_mention_is_mentioned_again(queued: Database) -> None:
    clock = ManualClock()
    service = EscalationService(queued, clock, SOP)
    van = Van(queued, service, "late:1")
    first, second = await van.has(a=SlaState.AT_RISK, b=SlaState.AT_RISK)
    await van.reports([first, second])
    clock.move(timedelta(minutes=11))
    await service.fire_due_steps()
    assert await mentions(queued) == 1
    breached = LateStop(first.stop_id, SlaState.BREACHED, 5, None)
    await van.reports([breached, second], Severity.BREACHED)
    clock.move(timedelta(minutes=11))
    await service.fire_due_steps()
    assert await mentions(queued) == 2
    clock.move(timedelta(minutes=60))
    await service.fire_due_steps()
    assert await mentions(queued) == 2


async def test_growth_calls_the_holder_and_nobody_else(queued: Database) -> None:
    clock = ManualClock()
    service = EscalationService(queued, clock, SOP)
    van = Van(queued, service, "late:1")
    (stop,) = await van.has(a=SlaState.AT_RISK)
    escalation_id = await van.reports([stop])
    assert escalation_id is not None
    async with queued.transaction() as session:
        row = (await queries.locked(session, escalation_id))[escalation_id]
        assert await holding.take(session, row, "U0DANA", "button:acknowledge", POLICY, clock.now())
    await van.reports([LateStop(stop.stop_id, SlaState.BREACHED, 5, None)], Severity.BREACHED)
    told = {note.kind: note.mention for note in await rows(queued, EscalationNote)}
    assert told[Happening.BREACHED] == "<@U0DANA>"
    assert all(step.fired_at or step.cancelled_at for step in await rows(queued, EscalationStep))


async def test_a_merged_cause_goes_on_where_it_was_merged_into(queued: Database) -> None:
    clock = ManualClock()
    service = EscalationService(queued, clock, SOP)
    one, other = Van(queued, service, "late:1"), Van(queued, service, "late:2")
    stops = await one.has(a=SlaState.AT_RISK)
    gone_id, kept_id = await one.reports(stops), await other.reports(await other.has(a=SlaState.AT_RISK))
    assert gone_id is not None
    assert kept_id is not None
    async with queued.transaction() as session:
        both = await queries.locked(session, gone_id, kept_id)
        assert await moving.merge(session, both[gone_id], both[kept_id], "U0DANA", POLICY, clock.now())
    stops += await one.has(b=SlaState.AT_RISK)
    assert await one.reports(stops) == kept_id
    async with queued.transaction() as session:
        kept = (await queries.locked(session, kept_id))[kept_id]
        assert len(await queries.members(session, kept_id)) == 3
        # The watch finds this stop late for another cause: it is no reason to settle it here.
        await service.settle(session, kept, UUID(stops[0].stop_id), "Moved to another van")
        assert (await queries.members(session, kept_id))[UUID(stops[0].stop_id)].settled_at is None
        assert await holding.resolve(session, kept, "U0DANA", "", clock.now())
    assert await one.reports(stops) is None
    states = {row.id: (row.state, row.merged_into) for row in await rows(queued, Escalation)}
    assert states[gone_id] == (EscalationState.RESOLVED, kept_id)


async def test_nobody_on_call_is_an_escalation_of_its_own_once_a_day(queued: Database) -> None:
    clock = ManualClock()
    service = EscalationService(queued, clock, SOP, on_call=EmptyRota())
    for number in range(2):
        van = Van(queued, service, f"late:{number}")
        await van.reports(await van.has(a=SlaState.AT_RISK))
    for _ in range(3):
        clock.move(timedelta(minutes=11))
        await service.fire_due_steps()
    raised = [row for row in await rows(queued, Escalation) if row.cause_key.startswith(NOBODY)]
    assert [(row.severity, row.zone) for row in raised] == [(Severity.NOBODY_ON_CALL, "North")]
    told = [note for note in await rows(queued, EscalationNote) if note.kind is Happening.NOBODY_ON_CALL]
    # Each of the two whose step found nobody, the new one at once, and its own step: all call the channel.
    assert len(told) == 4
    assert {note.mention for note in told} == {POLICY.mention}


async def test_a_step_whose_escalation_is_held_for_a_moment_fires_in_the_same_round(queued: Database) -> None:
    """Whoever shows its message or acknowledges holds it for some milliseconds."""
    clock = ManualClock()
    service = EscalationService(queued, clock, SOP)
    van = Van(queued, service, "late:1")
    escalation_id = await van.reports(await van.has(a=SlaState.AT_RISK))
    assert escalation_id is not None
    clock.move(timedelta(minutes=11))
    async with queued.transaction() as session:
        await queries.locked(session, escalation_id)
        tick = asyncio.create_task(service.fire_due_steps())
        await asyncio.sleep(HELD_SECONDS)
        assert not tick.done()
    assert await tick == 1
    assert await mentions(queued) == 1
