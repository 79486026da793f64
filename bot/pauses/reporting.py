"""What a maintenance window held back, as it stands at its end."""

from collections import Counter
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.pauses import rules
from bot.pauses.models import Pause, PauseHit
from bot.stops.models import StopRecord
from connectors.pauses import HitFate, PauseHitLine, PauseReport

ORDER = list(HitFate)


async def report_of(session: AsyncSession, pause: Pause, others: list[Pause]) -> PauseReport:
    """`others` are the windows that still run. A stop that came up by several causes is told once, by the newest."""
    hits = list(
        await session.scalars(
            select(PauseHit)
            .where(col(PauseHit.pause_id) == pause.id)
            .order_by(col(PauseHit.first_seen_at), col(PauseHit.cause_key), col(PauseHit.stop_id))
        )
    )
    newest = {hit.stop_id or hit.cause_key: hit for hit in sorted(hits, key=lambda hit: hit.last_seen_at)}
    stops = await _stops(session, [UUID(hit.stop_id) for hit in newest.values() if hit.stop_id])
    lines = [_line(hit, stops.get(hit.stop_id), others) for hit in newest.values()]
    lines.sort(key=lambda line: (ORDER.index(line.fate), line.first_seen_at))
    counts = Counter(line.fate for line in lines)
    shown = tuple(lines[: rules.LINES])
    return PauseReport(pause=pause.notice(), counts=dict(counts), lines=shown, more=len(lines) - len(shown))


async def _stops(session: AsyncSession, stop_ids: list[UUID]) -> dict[str, StopRecord]:
    rows = await session.scalars(select(StopRecord).where(col(StopRecord.id).in_(stop_ids)))
    return {str(stop.id): stop for stop in rows}


def _line(hit: PauseHit, stop: StopRecord | None, others: list[Pause]) -> PauseHitLine:
    return PauseHitLine(
        severity=hit.severity,
        why=hit.why,
        client=stop.client if stop else hit.client,
        where=(stop.address_line or stop.tracking) if stop else "",
        first_seen_at=hit.first_seen_at,
        fate=rules.fate_of(hit, stop, others),
    )
