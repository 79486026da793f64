"""Writes one change of an escalation's state: a compare-and-set on the row, with its lines and its steps stopped."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.escalations.models import Escalation
from bot.escalations.rounds import cancel_steps
from bot.escalations.thread import note
from bot.escalations.transitions import Change, Standing


def standing_of(escalation: Escalation) -> Standing:
    return Standing(
        state=escalation.state,
        acknowledged_by=escalation.acknowledged_by,
        acknowledged_at=escalation.acknowledged_at,
        acknowledged_until=escalation.acknowledged_until,
        snoozed_by=escalation.snoozed_by,
        snoozed_until=escalation.snoozed_until,
        resolved_by=escalation.resolved_by,
        resolved_at=escalation.resolved_at,
    )


async def make(
    session: AsyncSession,
    escalation: Escalation,
    change: Change | None,
    now: datetime,
    *,
    until: datetime | None = None,
    words: str = "",
    **details: Any,
) -> bool:
    """Writes a change if the row stands as it was decided on; with its line, its audit line, and its steps stopped."""
    if change is None or not await _swap(session, escalation, change):
        return False
    await cancel_steps(session, escalation, now)
    note(session, escalation, change.happening, now, dispatcher=change.actor, until=until, words=words)
    if until is not None:
        details["until"] = until.isoformat()
    audit.record(
        session,
        now,
        "escalation",
        str(escalation.id),
        change.verb,
        actor=change.actor or audit.SYSTEM,
        **details,
    )
    return True


async def _swap(session: AsyncSession, escalation: Escalation, change: Change) -> bool:
    await session.flush()
    expected = {
        "state": change.before.state,
        "acknowledged_by": change.before.acknowledged_by,
        "snoozed_by": change.before.snoozed_by,
        "snoozed_until": change.before.snoozed_until,
    }
    conditions = [
        col(getattr(Escalation, name)).is_not_distinct_from(value) for name, value in expected.items()
    ]
    done = await session.scalar(
        update(Escalation)
        .where(col(Escalation.id) == escalation.id, *conditions)
        .values(**asdict(change.after))
        .returning(col(Escalation.id))
        .execution_options(synchronize_session=False)
    )
    await session.refresh(escalation, list(asdict(change.after)))
    return done is not None
