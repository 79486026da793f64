"""The row of what the calendar asked for: taken by one transaction, and finished in it."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot import audit
from bot.clock import Clock
from bot.reports.models import ReportRun, RunState


async def take(session: AsyncSession, run_id: UUID) -> bool:
    """Whether this transaction is the one that finishes the run; whoever comes second waits, and sees it done."""
    run = await session.get_one(ReportRun, run_id, with_for_update=True, populate_existing=True)
    return run.state is RunState.MAKING


async def finish(session: AsyncSession, run_id: UUID, state: RunState, clock: Clock) -> None:
    run = await session.get_one(ReportRun, run_id)
    run.state, run.made_at = state, clock.now()
    audit.record(
        session, clock.now(), "report", str(run_id), state.value, kind=run.kind.value, subject=run.subject
    )
