"""What every deed begins with: whose the escalation is from now on, and which of its stops are meant."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.escalations import holding, queries, rules
from bot.escalations.models import Escalation, EscalationStop
from bot.escalations.rules import Verdict
from bot.sop_escalations import Escalations as Policy
from bot.stops.models import StopRecord
from connectors.escalation import DispatcherAction, DispatcherVerb, EscalationState


class Deed(Protocol):
    """One thing that dispatchers do about an escalation, which comes locked and was judged possible."""

    async def do(
        self, session: AsyncSession, escalation: Escalation, action: DispatcherAction
    ) -> Verdict: ...


Deeds = Mapping[DispatcherVerb, Deed]


async def work_on(
    session: AsyncSession, escalation: Escalation, action: DispatcherAction, policy: Policy, now: datetime
) -> None:
    """Who does something about it has it, unless somebody else does; the holder keeps it longer.

    Where a press is not enough to take it at this stage, the deed is done and the steps go on.
    """
    if escalation.state is EscalationState.ACKNOWLEDGED:
        if escalation.acknowledged_by == action.dispatcher:
            await holding.prolong(session, escalation, policy, now)
        return
    takes = await queries.takes_now(session, escalation, policy)
    verdict = rules.judge(
        DispatcherVerb.ACKNOWLEDGE, escalation, action.dispatcher, (), gesture=action.gesture, takes=takes
    )
    if verdict is Verdict.APPLIED:
        await holding.take(session, escalation, action.dispatcher, action.gesture, policy, now)


def is_anothers(escalation: Escalation, dispatcher: str) -> bool:
    is_held = escalation.state is EscalationState.ACKNOWLEDGED
    return is_held and escalation.acknowledged_by != dispatcher


async def open_stops(session: AsyncSession, escalation_id: UUID, wanted: str = "") -> list[StopRecord]:
    """Its stops that are neither settled nor over, by their windows; `wanted` names some, comma separated."""
    query = (
        select(StopRecord)
        .join(EscalationStop, col(EscalationStop.stop_id) == col(StopRecord.id))
        .where(col(EscalationStop.escalation_id) == escalation_id, col(EscalationStop.settled_at).is_(None))
        .order_by(col(StopRecord.window_end_at), col(StopRecord.sequence), col(StopRecord.id))
    )
    named = {part.strip() for part in wanted.split(",") if part.strip()}
    found = [stop for stop in await session.scalars(query) if stop.is_open]
    return [stop for stop in found if not named or str(stop.id) in named]
