"""Finds escalations: by their cause, by their message, by their stops. What is to be changed comes locked."""

from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from bot.conversations.models import Conversation
from bot.escalations.models import Escalation, EscalationStep, EscalationStop
from bot.escalations.policy import takes_at
from bot.sop_escalations import Escalations, Taking
from bot.stops.models import StopRecord
from connectors.escalation import DispatcherAction, EscalationState, Severity


async def open_by_cause(session: AsyncSession, cause_key: str) -> Escalation | None:
    """The open escalation of this cause, locked."""
    return await session.scalar(
        select(Escalation)
        .where(col(Escalation.cause_key) == cause_key, col(Escalation.state) != EscalationState.RESOLVED)
        .with_for_update()
    )


async def addressed(session: AsyncSession, action: DispatcherAction) -> Escalation | None:
    """The escalation that a gesture is about, locked."""
    query = select(Escalation).with_for_update()
    if action.escalation_id is not None:
        return await session.scalar(query.where(col(Escalation.id) == UUID(action.escalation_id)))
    return await session.scalar(
        query.where(
            col(Escalation.slack_channel) == action.channel, col(Escalation.slack_ts) == action.message_ts
        )
    )


async def id_at(session: AsyncSession, channel: str, ts: str) -> UUID | None:
    """The escalation whose message stands there."""
    return await session.scalar(
        select(col(Escalation.id)).where(
            col(Escalation.slack_channel) == channel, col(Escalation.slack_ts) == ts
        )
    )


async def locked(session: AsyncSession, *escalation_ids: UUID) -> dict[UUID, Escalation]:
    """Several at once, locked in the order of their ids, so that two who want the same ones do not wait for ever."""
    rows = await session.scalars(
        select(Escalation)
        .where(col(Escalation.id).in_(escalation_ids))
        .order_by(col(Escalation.id))
        .with_for_update()
    )
    return {row.id: row for row in rows}


async def members(session: AsyncSession, escalation_id: UUID) -> dict[UUID, EscalationStop]:
    rows = await session.scalars(
        select(EscalationStop).where(col(EscalationStop.escalation_id) == escalation_id)
    )
    return {row.stop_id: row for row in rows}


async def resolved_by_person(session: AsyncSession, cause_key: str) -> set[UUID]:
    """The stops of this cause that a person is done with, here or where a dispatcher merged it into."""
    merged = aliased(Escalation)
    rows = await session.scalars(
        select(col(EscalationStop.stop_id))
        .join(Escalation, col(Escalation.id) == col(EscalationStop.escalation_id))
        .where(
            col(Escalation.resolved_by).is_not(None),
            or_(
                col(Escalation.cause_key) == cause_key,
                col(Escalation.id).in_(
                    select(col(merged.merged_into)).where(
                        col(merged.cause_key) == cause_key, col(merged.merged_into).is_not(None)
                    )
                ),
            ),
        )
    )
    return set(rows)


async def open_merged(session: AsyncSession, cause_key: str) -> Escalation | None:
    """The open escalation into which a dispatcher merged this cause, locked; the newest of several."""
    merged = aliased(Escalation)
    return await session.scalar(
        select(Escalation)
        .join(merged, col(merged.merged_into) == col(Escalation.id))
        .where(col(merged.cause_key) == cause_key, col(Escalation.state) != EscalationState.RESOLVED)
        .order_by(col(merged.resolved_at).desc())
        .limit(1)
        .with_for_update(of=Escalation)
    )


async def came_by_merging(session: AsyncSession, escalation_id: UUID, stop_id: UUID) -> bool:
    """Whether this stop was in another escalation, which a dispatcher merged into this one."""
    found = await session.scalar(
        select(col(EscalationStop.stop_id))
        .join(Escalation, col(Escalation.id) == col(EscalationStop.escalation_id))
        .where(col(Escalation.merged_into) == escalation_id, col(EscalationStop.stop_id) == stop_id)
        .limit(1)
    )
    return found is not None


async def was_raised(session: AsyncSession, cause_key: str) -> bool:
    """Whether this cause was ever raised, open or over."""
    found = await session.scalar(
        select(col(Escalation.id)).where(col(Escalation.cause_key) == cause_key).limit(1)
    )
    return found is not None


async def has_stops(session: AsyncSession, escalation_id: UUID) -> bool:
    return bool(await members(session, escalation_id))


async def takes_now(session: AsyncSession, escalation: Escalation, section: Escalations) -> frozenset[Taking]:
    """The gestures that are enough to take it, by the highest tier that has fired since it was last armed."""
    newest = select(func.max(EscalationStep.round)).where(col(EscalationStep.escalation_id) == escalation.id)
    tier = await session.scalar(
        select(func.max(EscalationStep.tier)).where(
            col(EscalationStep.escalation_id) == escalation.id,
            col(EscalationStep.round) == newest.scalar_subquery(),
            col(EscalationStep.fired_at).is_not(None),
        )
    )
    return takes_at(section.steps_of(escalation.policy), tier or 0)


async def about_person(
    session: AsyncSession, conversation: Conversation
) -> list[tuple[Escalation, UUID | None]]:
    """Open escalations in which dispatchers look at a stop of this person, or at them; each once, locked."""
    by_stop = await session.execute(
        select(Escalation, col(StopRecord.id))
        .join(EscalationStop, col(EscalationStop.escalation_id) == col(Escalation.id))
        .join(StopRecord, col(StopRecord.id) == col(EscalationStop.stop_id))
        .where(
            col(StopRecord.recipient_phone) == conversation.address,
            col(EscalationStop.settled_at).is_(None),
            col(Escalation.state) != EscalationState.RESOLVED,
        )
        .order_by(col(Escalation.id), col(StopRecord.sequence).desc())
        .with_for_update(of=Escalation)
    )
    # Of two parcels of one person in one escalation the next one stands for both.
    found: dict[UUID, tuple[Escalation, UUID | None]] = {row[0].id: (row[0], row[1]) for row in by_stop}
    by_person = await session.scalars(
        select(Escalation)
        .where(
            col(Escalation.conversation_id) == conversation.id,
            col(Escalation.state) != EscalationState.RESOLVED,
        )
        .order_by(col(Escalation.id))
        .with_for_update()
    )
    for escalation in by_person:
        found.setdefault(escalation.id, (escalation, None))
    return list(found.values())


async def has_stop(session: AsyncSession, stop_id: UUID) -> bool:
    """Whether dispatchers are looking at this stop already."""
    found = await session.scalar(
        select(col(EscalationStop.stop_id))
        .join(Escalation, col(Escalation.id) == col(EscalationStop.escalation_id))
        .where(
            col(EscalationStop.stop_id) == stop_id,
            col(EscalationStop.settled_at).is_(None),
            col(Escalation.state) != EscalationState.RESOLVED,
        )
        .limit(1)
    )
    return found is not None


async def open_late(session: AsyncSession) -> list[tuple[Escalation, UUID]]:
    """Open escalations about lateness, each with one of its unsettled stops; locked."""
    rows = await session.execute(
        select(Escalation, col(EscalationStop.stop_id))
        .join(EscalationStop, col(EscalationStop.escalation_id) == col(Escalation.id))
        .where(
            col(Escalation.state) != EscalationState.RESOLVED,
            col(Escalation.severity).in_((Severity.AT_RISK, Severity.BREACHED)),
            col(EscalationStop.settled_at).is_(None),
        )
        .order_by(col(Escalation.id))
        .with_for_update(of=Escalation)
    )
    return [(escalation, stop_id) for escalation, stop_id in rows]
