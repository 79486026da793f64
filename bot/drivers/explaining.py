"""What a driver said before anybody was alarmed explains the escalation that comes after it."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.db import Database
from bot.drivers.models import DriverWord
from bot.escalations import holding
from bot.escalations.models import Escalation, EscalationStop
from bot.sla.causes import STORM
from bot.stops.models import StopRecord
from connectors.base import FailureReason
from connectors.escalation import EscalationState, Severity

OF_LATENESS = (Severity.AT_RISK, Severity.BREACHED)
SAID_BEFORE = timedelta(hours=1)
"""So long before it was raised."""


class DriversExplain:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def look(self) -> int:
        """Names the cause of open escalations that have none and whose van's driver said why; gives how many."""
        async with self._database.transaction() as session:
            found = await _unexplained(session)
            for escalation, cause in found.values():
                await holding.set_root_cause(session, escalation, cause, None, self._clock.now())
        return len(found)


async def _unexplained(session: AsyncSession) -> dict[str, tuple[Escalation, FailureReason]]:
    """By id, locked, with the cause that was said last."""
    rows = await session.execute(
        select(Escalation, col(DriverWord.root_cause))
        .join(EscalationStop, col(EscalationStop.escalation_id) == col(Escalation.id))
        .join(StopRecord, col(StopRecord.id) == col(EscalationStop.stop_id))
        .join(
            DriverWord,
            (col(DriverWord.platform) == col(StopRecord.platform))
            & (col(DriverWord.driver_ref) == col(StopRecord.driver_ref)),
        )
        .where(
            col(Escalation.state) != EscalationState.RESOLVED,
            col(Escalation.severity).in_(OF_LATENESS),
            col(Escalation.root_cause).is_(None),
            # One driver's word explains no storm.
            col(Escalation.cause_key).not_like(f"{STORM}%"),
            col(EscalationStop.settled_at).is_(None),
            col(DriverWord.root_cause).is_not(None),
            col(DriverWord.said_at) >= col(Escalation.raised_at) - SAID_BEFORE,
        )
        .order_by(col(Escalation.id), col(DriverWord.said_at))
        .with_for_update(of=Escalation, skip_locked=True)
    )
    return {str(escalation.id): (escalation, cause) for escalation, cause in rows if cause is not None}
