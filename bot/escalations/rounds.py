"""The steps of one round: planned, stored, stopped."""

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.durable.queue import defer
from bot.escalations import jobs
from bot.escalations import policy as policies
from bot.escalations.models import Escalation, EscalationStep
from bot.escalations.thread import note
from bot.sop_escalations import Escalations as Policy
from bot.sop_escalations import TierKind
from bot.windows.holidays import public_holidays
from connectors.escalation import Happening

LOUD = (TierKind.SMS, TierKind.CALL)


async def begin_round(
    session: AsyncSession,
    escalation: Escalation,
    policy: Policy,
    now: datetime,
    round_number: int | None = None,
) -> None:
    """Plans the steps of a round by the policy that fits now: of the next one unless its number is told.

    The message itself stands already, or is asked for.
    """
    escalation.policy = policies.choose(policy, policies.facts_of(escalation), now)
    escalation.armed_at, escalation.repeats = now, 0
    planned = policies.plan_round(
        policy.steps_of(escalation.policy), now, escalation.timezone, public_holidays(policy.holidays_of)
    )
    if round_number is None:
        round_number = await _next_round(session, escalation)
    add_steps(session, escalation, planned, round_number, 1, now)


async def _next_round(session: AsyncSession, escalation: Escalation) -> int:
    newest = await session.scalar(
        select(func.max(EscalationStep.round)).where(col(EscalationStep.escalation_id) == escalation.id)
    )
    return (newest if newest is not None else -1) + 1


def add_steps(
    session: AsyncSession,
    escalation: Escalation,
    planned: list[policies.PlannedStep],
    round_number: int,
    position: int,
    now: datetime,
) -> None:
    """Stores steps to come, numbered from `position` on; says so where the first of them waits for its hours."""
    session.add_all(
        EscalationStep(
            escalation_id=escalation.id,
            round=round_number,
            position=position + number,
            kind=step.kind,
            due_at=step.due_at,
            planned_at=step.planned_at if step.is_deferred else None,
            tier=step.tier,
            place=step.place,
            person=step.person,
            out_of_hours=step.out_of_hours,
        )
        for number, step in enumerate(planned)
    )
    if planned and planned[0].is_deferred:
        note(session, escalation, Happening.STEP_DEFERRED, now, until=planned[0].due_at)
        audit.record(
            session,
            now,
            "escalation",
            str(escalation.id),
            "step_deferred",
            until=planned[0].due_at.isoformat(),
        )


async def cancel_steps(session: AsyncSession, escalation: Escalation, now: datetime) -> None:
    """No step of it fires any more; texts and calls that are under way are stopped once this is committed."""
    await session.execute(
        update(EscalationStep)
        .where(
            col(EscalationStep.escalation_id) == escalation.id,
            col(EscalationStep.fired_at).is_(None),
            col(EscalationStep.cancelled_at).is_(None),
        )
        .values(cancelled_at=now)
    )
    if await _has_paged(session, escalation):
        await defer(
            session, jobs.stop_paging, lock=f"paging:{escalation.id}", escalation_id=str(escalation.id)
        )


async def _has_paged(session: AsyncSession, escalation: Escalation) -> bool:
    paged = await session.scalar(
        select(col(EscalationStep.id))
        .where(
            col(EscalationStep.escalation_id) == escalation.id,
            col(EscalationStep.fired_at).is_not(None),
            col(EscalationStep.kind).in_(LOUD),
        )
        .limit(1)
    )
    return paged is not None
