"""What escalations do without: nobody named as on call, nobody to page, nothing paused."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.escalations.cause import Cause
from bot.escalations.models import Escalation, EscalationStep
from bot.oncall.people import OnCallPerson
from bot.sop import ProtocolInForce


class NobodyOnCall:
    """Fulfils `OnCall` where no rota is kept: a mention calls `escalations.mention`."""

    def __init__(self, sop: ProtocolInForce) -> None:
        self._sop = sop

    async def line(self, session: AsyncSession, zone: str, at: datetime) -> tuple[OnCallPerson, ...]:
        return ()

    def is_set_up(self, zone: str) -> bool:
        return False

    async def may_acknowledge(self, session: AsyncSession) -> frozenset[str]:
        return self._sop.current.escalations.dispatchers


class NoPager:
    """Fulfils `Pager` where there is no phone: nobody is reached, so the channel is called instead."""

    async def page(
        self, session: AsyncSession, escalation: Escalation, step: EscalationStep, person: OnCallPerson
    ) -> bool:
        return False

    async def stop(self, session: AsyncSession, escalation_id: UUID) -> None:
        return None


class NothingPaused:
    """Fulfils `PausedCauses` and `PausedSteps`."""

    async def holds_back(
        self, session: AsyncSession, cause: Cause, stop_ids: Collection[UUID]
    ) -> frozenset[UUID] | None:
        return frozenset()

    async def is_paused(self, session: AsyncSession, escalation: Escalation) -> datetime | None:
        return None
