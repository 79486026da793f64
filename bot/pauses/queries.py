"""Finds maintenance windows that run, and what they cover."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.escalations.models import Escalation, EscalationStop
from bot.pauses import rules
from bot.pauses.models import Pause
from bot.stops.models import StopRecord
from connectors.escalation import EscalationState

_KNOWN = "pauses that run"


async def running(session: AsyncSession, now: datetime, *, lock: bool = False) -> list[Pause]:
    """Asked of the database once per transaction: a sweep asks for every cause."""
    known = session.info.setdefault(_KNOWN, {})
    if lock not in known:
        query = (
            select(Pause)
            .where(col(Pause.ended_at).is_(None), col(Pause.starts_at) <= now)
            .order_by(col(Pause.number))
        )
        known[lock] = list(await session.scalars(query.with_for_update(read=True) if lock else query))
    return [pause for pause in known[lock] if rules.runs(pause, now)]


def forget(session: AsyncSession) -> None:
    """What is running is asked anew: this transaction has just changed it."""
    session.info.pop(_KNOWN, None)


async def covered_by(
    session: AsyncSession, pauses: list[Pause], stop_ids: Collection[UUID]
) -> dict[UUID, list[UUID]]:
    """The stops that each pause holds back, by the pause's id."""
    rows = await session.execute(
        select(
            col(StopRecord.id),
            col(StopRecord.zone),
            col(StopRecord.client),
            col(StopRecord.platform),
            col(StopRecord.route_ref),
        ).where(col(StopRecord.id).in_(stop_ids))
    )
    covered: dict[UUID, list[UUID]] = defaultdict(list)
    for stop_id, zone, client, platform, route_ref in rows:
        about = rules.about_stop(zone, client, platform, route_ref)
        if (pause := rules.covering(pauses, about)) is not None:
            covered[pause.id].append(stop_id)
    return covered


async def raised_already(session: AsyncSession, cause_key: str) -> set[UUID] | None:
    """The stops of the open escalation of this cause; None when there is none."""
    rows = await session.execute(
        select(col(Escalation.id), col(EscalationStop.stop_id))
        .outerjoin(
            EscalationStop,
            (col(EscalationStop.escalation_id) == col(Escalation.id))
            & col(EscalationStop.settled_at).is_(None),
        )
        .where(col(Escalation.cause_key) == cause_key, col(Escalation.state) != EscalationState.RESOLVED)
    )
    found = list(rows)
    return {stop_id for _, stop_id in found if stop_id is not None} if found else None
