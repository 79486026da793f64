"""Nobody can be told what they are to answer: a follow-up that asks them goes to a dispatcher at once."""

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.recovery.models import Recovery, RecoveryState, RecoveryStep
from bot.sop_recovery import RungKind

ASKING_RUNGS = (RungKind.ASK, RungKind.REMIND, RungKind.SECOND_CHANNEL)


class FollowUpsHear:
    """Fulfils `failing.Unreached`: the rungs that would write again fall away, the dispatcher's is due now."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def nobody_reached(self, session: AsyncSession, stop_id: UUID, why: str) -> None:
        now = self._clock.now()
        recovery = await session.scalar(
            select(Recovery)
            .where(col(Recovery.stop_id) == stop_id, col(Recovery.state) == RecoveryState.ASKING)
            .with_for_update()
        )
        if recovery is None:
            return
        pending = (
            col(RecoveryStep.recovery_id) == recovery.id,
            col(RecoveryStep.fired_at).is_(None),
            col(RecoveryStep.cancelled_at).is_(None),
        )
        await session.execute(
            update(RecoveryStep)
            .where(*pending, col(RecoveryStep.kind).in_(ASKING_RUNGS))
            .values(cancelled_at=now, result="nobody_to_ask")
        )
        await session.execute(
            update(RecoveryStep)
            .where(*pending, col(RecoveryStep.kind) == RungKind.DISPATCHER, col(RecoveryStep.due_at) > now)
            .values(due_at=now)
        )
        audit.record(session, now, "recovery", str(recovery.id), "nobody_reached", why=why)
