"""What is looked up about incidents."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.escalations.models import Escalation, EscalationStop
from bot.incidents.models import NUMBER_PREFIX, FollowUp, PromiseIncident
from connectors.escalation import Severity

ABOUT_PROMISES = (Severity.AT_RISK, Severity.BREACHED, Severity.FAILED)
SAME_DAY = timedelta(hours=18)
"""An escalation that was raised earlier than this before the promise was over was about something else."""
DEEPEST_MERGE = 10


async def find_incident(session: AsyncSession, name: str, *, locked: bool = False) -> PromiseIncident | None:
    """By id, or by its number as people say it: `INC-1042`, `inc 1042`, `1042`."""
    query = select(PromiseIncident)
    digits = name.strip().upper().removeprefix(NUMBER_PREFIX.rstrip("-")).strip(" -#")
    if digits.isascii() and digits.isdigit() and len(digits) <= 15:
        query = query.where(col(PromiseIncident.number) == int(digits))
    else:
        try:
            query = query.where(col(PromiseIncident.id) == UUID(name.strip()))
        except ValueError:
            return None
    return await session.scalar(query.with_for_update() if locked else query)


async def escalation_of(session: AsyncSession, incident: PromiseIncident) -> Escalation | None:
    """Where dispatchers dealt with it: the one it is about, or the one into which that was merged."""
    if incident.escalation_id is not None:
        escalation = await session.get(Escalation, incident.escalation_id)
    else:
        escalation = await session.scalar(_escalations(incident).limit(1)) if incident.stop_id else None
    for _ in range(DEEPEST_MERGE):
        if escalation is None or escalation.merged_into is None:
            break
        escalation = await session.get(Escalation, escalation.merged_into)
    return escalation


def _escalations(incident: PromiseIncident) -> Select[Any]:
    """Those that the stop was in while this promise was at stake, the first raised first."""
    ended = incident.promised_end_at or incident.opened_at
    query: Select[Any] = (
        select(Escalation)
        .join(EscalationStop, col(EscalationStop.escalation_id) == col(Escalation.id))
        .where(
            col(EscalationStop.stop_id) == incident.stop_id,
            col(Escalation.severity).in_(ABOUT_PROMISES),
            col(Escalation.is_noise).is_(False),
            col(EscalationStop.joined_at) >= ended - SAME_DAY,
        )
        .order_by(col(Escalation.raised_at), col(Escalation.id))
    )
    return query


async def follow_ups_of(session: AsyncSession, incident_id: UUID) -> list[FollowUp]:
    rows = await session.scalars(
        select(FollowUp)
        .where(col(FollowUp.incident_id) == incident_id)
        .order_by(col(FollowUp.due_on), col(FollowUp.created_at), col(FollowUp.id))
    )
    return list(rows)
