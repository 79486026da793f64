"""What drivers say, in the threads of the escalations that it is about."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.drivers.reading import DriverAnswer
from bot.escalations import holding
from bot.escalations.models import Escalation, EscalationStop
from bot.escalations.thread import note, show
from bot.sla.causes import STORM
from connectors.escalation import EscalationState, Happening


async def tell_thread(
    session: AsyncSession,
    escalation: Escalation,
    kind: Happening,
    answer: DriverAnswer,
    now: datetime,
    *,
    stop_id: UUID | None,
    words: str,
    name: str,
    mention: str = "",
) -> None:
    """A line with the words; the root cause, unless a person named one; the message anew. Locked by the caller.

    One driver's word explains no storm.
    """
    cause = answer.root_cause
    facts = {"root_cause": cause.value if cause else None, "minutes": answer.minutes}
    note(
        session,
        escalation,
        kind,
        now,
        stop_id=stop_id,
        words=words,
        person=name,
        facts=facts,
        mention=mention,
    )
    is_storm = escalation.cause_key.startswith(STORM)
    if cause is not None and not is_storm and not await _named_by_person(session, escalation):
        await holding.set_root_cause(session, escalation, cause, None, now)
    await show(session, escalation)


async def goes_on_in(session: AsyncSession, escalation_id: UUID) -> Escalation:
    """The escalation, or the one into which it was merged, locked."""
    escalation = await session.get_one(Escalation, escalation_id, with_for_update=True)
    while escalation.merged_into is not None:
        escalation = await session.get_one(Escalation, escalation.merged_into, with_for_update=True)
    return escalation


async def open_about(session: AsyncSession, stop_id: UUID) -> Escalation | None:
    """Where dispatchers look at this stop, locked; the newest of several."""
    return await session.scalar(
        select(Escalation)
        .join(EscalationStop, col(EscalationStop.escalation_id) == col(Escalation.id))
        .where(
            col(EscalationStop.stop_id) == stop_id,
            col(EscalationStop.settled_at).is_(None),
            col(Escalation.state) != EscalationState.RESOLVED,
        )
        .order_by(col(Escalation.raised_at).desc())
        .limit(1)
        .with_for_update(of=Escalation)
    )


async def _named_by_person(session: AsyncSession, escalation: Escalation) -> bool:
    """Whether a dispatcher said why: the driver's word does not take its place."""
    if escalation.root_cause is None:
        return False
    lines = await audit.timeline(session, "escalation", str(escalation.id))
    newest = next((line for line in reversed(lines) if line.verb == "cause_set"), None)
    return newest is not None and newest.actor != audit.SYSTEM
