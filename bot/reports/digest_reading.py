"""Reads what the weekly digest tells beyond stops: all escalations, and maintenance windows."""

from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.pauses.models import Pause, PauseHit
from bot.reports.reading import first_taken
from bot.reports.records import RaisedEscalation
from connectors.digest import DigestPause

RAISED_BETWEEN = text("""
    SELECT id, raised_at, acknowledged_at, resolved_at, is_noise, split_part(cause_key, ':', 1) AS rule
    FROM escalation WHERE raised_at >= :start AND raised_at < :end ORDER BY raised_at, id
""")


async def raised_between(session: AsyncSession, start: datetime, end: datetime) -> list[RaisedEscalation]:
    """Whatever they are about; without their stops."""
    rows = (await session.execute(RAISED_BETWEEN, {"start": start, "end": end})).all()
    taken = await first_taken(session, {row.id: row for row in rows})
    return [
        RaisedEscalation(
            escalation_id=row.id,
            raised_at=row.raised_at,
            acknowledged_at=taken.get(row.id, row.acknowledged_at),
            resolved_at=row.resolved_at,
            is_noise=row.is_noise,
            rule=row.rule,
        )
        for row in rows
    ]


async def pauses_between(session: AsyncSession, start: datetime, end: datetime) -> list[DigestPause]:
    """Those that ran for a while of it, in the order in which they began. One that was called off never ran."""
    rows = await session.scalars(
        select(Pause)
        .where(
            col(Pause.starts_at) < end,
            col(Pause.ended_at).is_(None)
            | ((col(Pause.ended_at) > start) & (col(Pause.ended_at) > col(Pause.starts_at))),
        )
        .order_by(col(Pause.starts_at), col(Pause.number))
    )
    pauses = list(rows)
    held = await session.execute(
        select(
            col(PauseHit.pause_id),
            # A stop that came up by several causes was held back once.
            func.count(
                func.distinct(func.coalesce(func.nullif(PauseHit.stop_id, ""), PauseHit.cause_key))
            ).label("held"),
        )
        .where(col(PauseHit.pause_id).in_([pause.id for pause in pauses]))
        .group_by(col(PauseHit.pause_id))
    )
    counts = {row.pause_id: row.held for row in held}
    return [DigestPause(pause=pause.notice(), held=counts.get(pause.id, 0)) for pause in pauses]
