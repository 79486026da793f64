"""What pages read: one dispatcher's escalations and tasks, the day's counts, the stops that are late."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.desk.models import DeskTask
from bot.escalations.models import Escalation, EscalationStep, EscalationStop
from bot.stops.models import OPEN_STATUSES, PlatformFeed, SlaState, StopRecord
from connectors.base import StopStatus
from connectors.desk import TaskState
from connectors.escalation import EscalationState

MOST_ITEMS = 50
MOST_AT_RISK = 200
LATE_FOR = timedelta(days=2)
AHEAD = timedelta(hours=18)
"""Windows that end within these bounds are looked at for stops at risk; the index is by the window's end."""


@dataclass(frozen=True, slots=True)
class CountedStops:
    zone: str
    status: StopStatus
    sla_state: SlaState
    count: int


async def held_by(session: AsyncSession, dispatcher: str) -> list[Escalation]:
    """What this dispatcher holds or snoozed, the one that runs out first at the head."""
    rows = await session.scalars(
        select(Escalation)
        .where(
            or_(
                (col(Escalation.state) == EscalationState.ACKNOWLEDGED)
                & (col(Escalation.acknowledged_by) == dispatcher),
                (col(Escalation.state) == EscalationState.SNOOZED)
                & (col(Escalation.snoozed_by) == dispatcher),
            )
        )
        .order_by(func.coalesce(col(Escalation.snoozed_until), col(Escalation.acknowledged_until)))
        .limit(MOST_ITEMS)
    )
    return list(rows)


async def held_by_nobody(session: AsyncSession, zones: Sequence[str]) -> list[Escalation]:
    """Of these zones, or of all where none is named; the worst penalty, then the oldest first."""
    query = select(Escalation).where(col(Escalation.state) == EscalationState.RAISED)
    if zones:
        query = query.where(col(Escalation.zone).in_(zones))
    ordered = query.order_by(col(Escalation.exposure_usd).desc(), col(Escalation.raised_at))
    return list(await session.scalars(ordered.limit(MOST_ITEMS)))


async def half_approved(session: AsyncSession, dispatcher: str) -> list[DeskTask]:
    rows = await session.scalars(
        select(DeskTask)
        .where(
            col(DeskTask.state) == TaskState.OPEN,
            col(DeskTask.approvals_needed) > 1,
            col(DeskTask.approved_by).contains([dispatcher]),
        )
        .order_by(col(DeskTask.created_at))
        .limit(MOST_ITEMS)
    )
    return list(rows)


async def stop_counts(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many unsettled stops each of these escalations is about."""
    if not ids:
        return {}
    rows = await session.execute(
        select(col(EscalationStop.escalation_id), func.count())
        .where(col(EscalationStop.escalation_id).in_(ids), col(EscalationStop.settled_at).is_(None))
        .group_by(col(EscalationStop.escalation_id))
    )
    return {row[0]: row[1] for row in rows}


async def next_steps(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """When each of these escalations calls the next person, where it does."""
    if not ids:
        return {}
    rows = await session.execute(
        select(col(EscalationStep.escalation_id), func.min(col(EscalationStep.due_at)))
        .where(
            col(EscalationStep.escalation_id).in_(ids),
            col(EscalationStep.fired_at).is_(None),
            col(EscalationStep.cancelled_at).is_(None),
        )
        .group_by(col(EscalationStep.escalation_id))
    )
    return {row[0]: row[1] for row in rows}


async def counted(session: AsyncSession, since: datetime, until: datetime) -> list[CountedStops]:
    """The stops whose windows start in [since, until), counted by zone and how they stand."""
    columns = (col(StopRecord.zone), col(StopRecord.status), col(StopRecord.sla_state))
    rows = await session.execute(
        select(*columns, func.count())
        .where(col(StopRecord.window_start_at) >= since, col(StopRecord.window_start_at) < until)
        .group_by(*columns)
    )
    return [CountedStops(*row) for row in rows]


async def stops_at_risk(session: AsyncSession, now: datetime) -> list[StopRecord]:
    """Open stops that are late or about to be, the breached ones first, then by the end of their windows."""
    rows = await session.scalars(
        select(StopRecord)
        .where(
            col(StopRecord.status).in_(OPEN_STATUSES),
            col(StopRecord.sla_state).in_((SlaState.AT_RISK, SlaState.BREACHED)),
            col(StopRecord.window_end_at).between(now - LATE_FOR, now + AHEAD),
        )
        .order_by(
            col(StopRecord.sla_state) != SlaState.BREACHED, col(StopRecord.window_end_at), col(StopRecord.id)
        )
        .limit(MOST_AT_RISK)
    )
    return list(rows)


async def feeds(session: AsyncSession) -> list[PlatformFeed]:
    return list(await session.scalars(select(PlatformFeed).order_by(col(PlatformFeed.platform))))
