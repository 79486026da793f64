"""What an escalation does that got worse: more stops of it breach, or another one was merged into it.

- Raised, with steps to come: they go on; where a policy that stands before its own one fits now, that one's steps
  begin, and what was due sooner anyway stays due.
- Raised, with all its steps spent: a new round begins, so that growth after the last mention is told again. At most
  one round at a time: a storm does not call anybody more often than the waits of the policy allow.
- Held: nobody else is called; the line that tells it calls the holder, who took what was smaller then.
- Snoozed: the snooze is over. Whoever set it knew of less.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.escalations import holding
from bot.escalations import policy as policies
from bot.escalations.models import Escalation, EscalationStep
from bot.escalations.rounds import LOUD, begin_round
from bot.sop_escalations import Escalations as Policy
from bot.sop_escalations import TierKind
from connectors.escalation import EscalationState

CALLING = (TierKind.MENTION, *LOUD)


async def grew(session: AsyncSession, escalation: Escalation, policy: Policy, now: datetime) -> None:
    """Call it after the escalation's facts were changed."""
    if escalation.state is EscalationState.SNOOZED:
        await holding.wake(session, escalation, policy, now)
    elif escalation.state is EscalationState.RAISED and await _is_spent(session, escalation):
        await begin_round(session, escalation, policy, now)
    else:
        await reconsider(session, escalation, policy, now)


async def reconsider(session: AsyncSession, escalation: Escalation, policy: Policy, now: datetime) -> None:
    """Goes over to a policy that stands before the present one and fits now; never back within a round."""
    chosen = policies.choose(policy, policies.facts_of(escalation), now)
    order = [named.name for named in policy.policies] + [""]
    if escalation.state is not EscalationState.RAISED or chosen == escalation.policy:
        return
    if escalation.policy in order and order.index(chosen) > order.index(escalation.policy):
        return
    pending = await _pending(session, escalation)
    await begin_round(session, escalation, policy, now)
    await session.flush()
    begins_at = await session.scalar(
        select(func.min(EscalationStep.due_at)).where(
            *_still_to_come(escalation), col(EscalationStep.id).not_in(pending)
        )
    )
    if begins_at is not None:
        await session.execute(
            update(EscalationStep)
            .where(col(EscalationStep.id).in_(pending), col(EscalationStep.due_at) >= begins_at)
            .values(cancelled_at=now)
        )


async def _is_spent(session: AsyncSession, escalation: Escalation) -> bool:
    """Somebody was called, and nobody is going to be."""
    if await _pending(session, escalation):
        return False
    called = await session.scalar(
        select(col(EscalationStep.id))
        .where(
            col(EscalationStep.escalation_id) == escalation.id,
            col(EscalationStep.fired_at).is_not(None),
            col(EscalationStep.kind).in_(CALLING),
        )
        .limit(1)
    )
    return called is not None


async def _pending(session: AsyncSession, escalation: Escalation) -> list[UUID]:
    await session.flush()
    return list(await session.scalars(select(col(EscalationStep.id)).where(*_still_to_come(escalation))))


def _still_to_come(escalation: Escalation) -> tuple[ColumnElement[bool], ...]:
    return (
        col(EscalationStep.escalation_id) == escalation.id,
        col(EscalationStep.fired_at).is_(None),
        col(EscalationStep.cancelled_at).is_(None),
    )
