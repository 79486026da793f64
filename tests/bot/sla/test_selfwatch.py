"""The watch over the watch: rounds that are missing, and a channel that takes nothing; each told once, and its end."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import SystemClock
from bot.db import Database
from bot.escalations.cause import Cause
from bot.escalations.models import Escalation, EscalationNote
from bot.escalations.service import EscalationService
from bot.paging.models import OperatorReason
from bot.settings import PROJECT_ROOT
from bot.sla.selfwatch import SelfWatch
from bot.sla.sweep import Sweep
from bot.sop import ProtocolInForce
from connectors.escalation import EscalationState, Severity

NOON = datetime(2026, 6, 9, 16, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class MovedClock(SystemClock):
    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at

    def wall(self) -> datetime:
        return self.at


class Operators:
    """Keeps what it is asked to tell, in place of texts and calls."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def page(self, session: AsyncSession, key: str, reason: OperatorReason, at: datetime) -> int:
        self.told.append(reason.value)
        return 1

    async def over(self, session: AsyncSession, key: str) -> bool:
        self.told.append("over")
        return True


class Stage:
    def __init__(self, database: Database) -> None:
        self.database, self.clock, self.operators = database, MovedClock(), Operators()
        self.sop = ProtocolInForce(PROJECT_ROOT / "bot" / "sop.yml")
        self.escalations = EscalationService(database, self.clock, self.sop)
        self.sweep = Sweep(database, self.clock, self.sop, self.escalations)
        self.watch = self.started()

    def started(self) -> SelfWatch:
        """As a process that has just come up."""
        return SelfWatch(self.database, self.clock, self.sop, self.escalations, self.operators)

    async def looks_for(self, minutes: int, *, sweeps: bool = False) -> None:
        for _ in range(2 * minutes):
            self.clock.at += MINUTE / 2
            if sweeps:
                await self.sweep.run()
            await self.watch.look()

    async def all_escalations(self) -> list[Escalation]:
        async with self.database.transaction() as session:
            return list(await session.scalars(select(Escalation)))


@pytest.fixture
async def stage(database_url: str, empty_database: None) -> AsyncIterator[Stage]:
    database = Database(database_url)
    yield Stage(database)
    await database.close()


async def test_rounds_that_are_missing_are_told_once_and_so_is_their_return(stage: Stage) -> None:
    await stage.sweep.run()
    await stage.looks_for(4)
    assert await stage.all_escalations() == []
    await stage.looks_for(8)
    (told,) = await stage.all_escalations()
    assert (told.severity, told.is_open) == (Severity.PLATFORM_SILENT, True)
    assert told.why.startswith("The watch over delivery windows has not run for 5 min")
    await stage.looks_for(1, sweeps=True)
    (told,) = await stage.all_escalations()
    assert (told.state, told.outcome) == (EscalationState.RESOLVED, "The watch runs again")


async def test_a_watch_that_never_ran_is_told_too(stage: Stage) -> None:
    await stage.looks_for(6)
    assert len(await stage.all_escalations()) == 1


async def test_a_start_after_a_long_stop_tells_the_operator_and_no_dispatcher(stage: Stage) -> None:
    await stage.sweep.run()
    stage.clock.at += 40 * MINUTE
    stage.watch = stage.started()
    await stage.watch.look()
    await stage.looks_for(3, sweeps=True)
    assert stage.operators.told == ["watch_stopped"]
    assert await stage.all_escalations() == []


async def test_a_channel_that_takes_nothing_is_told_elsewhere_once_and_so_is_its_return(stage: Stage) -> None:
    async with stage.database.transaction() as session:
        cause = Cause(key="x", severity=Severity.FAILED, why="Failed", timezone="America/New_York")
        await stage.escalations.raise_once(session, cause)
    await stage.looks_for(9, sweeps=True)
    assert stage.operators.told == []
    await stage.looks_for(5, sweeps=True)
    assert stage.operators.told == ["desk_unreachable"]
    async with stage.database.transaction() as session:
        escalation = (await session.scalars(select(Escalation))).one()
        escalation.posted_revision = escalation.revision
        for note in await session.scalars(select(EscalationNote)):
            note.posted_at = stage.clock.at
    await stage.looks_for(2, sweeps=True)
    assert stage.operators.told == ["desk_unreachable", "over"]
