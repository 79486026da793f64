"""Turns the history of stops, and the incidents, into events for their clients.

The log of stop events is read by a mark. Ids are given out before they are committed, so the newest id that can be
seen is no proof that all smaller ones can. A look notes it, with the transactions that are writing to the log at that
moment, and goes up to it once all of those have ended: whoever was given a smaller id is one of them, or has committed.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.db import Database
from bot.handover import rules
from bot.handover.events import ClientEvents, event_row
from bot.handover.kinds import EventKind
from bot.handover.models import ReadingMark
from bot.incidents.models import Incident, IncidentState
from bot.stops.models import StopEvent, StopRecord

LOG = "stop_event"
BATCH = 500
AT_MOST = 200
REACHES_BACK = timedelta(days=14)
"""What is older and was never told is history from before anybody could subscribe."""

WRITING = text("""
    SELECT virtualtransaction FROM pg_locks
    WHERE relation = 'stop_event'::regclass AND mode = 'RowExclusiveLock' AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
""")
TOLD_ETAS = text("""
    SELECT DISTINCT ON (subject_id) subject_id, (facts ->> 'eta_at')::timestamptz AS eta_at
    FROM client_event WHERE subject_id = ANY(:stop_ids) AND facts ->> 'eta_at' IS NOT NULL
        AND kind IN ('stop.created', 'stop.eta_changed')
    ORDER BY subject_id, seq DESC
""")
UNTOLD_INCIDENTS = text("""
    SELECT incident.id FROM incident WHERE NOT EXISTS (
        SELECT 1 FROM client_event
        WHERE source_key = concat('incident:', incident.id, '/', CAST(:what AS text))
    ) AND (CAST(:what AS text) = 'opened' OR incident.state = 'closed') AND incident.opened_at >= :since
    ORDER BY incident.opened_at LIMIT :at_most
""")


class Deriving:
    def __init__(self, database: Database, clock: Clock, events: ClientEvents) -> None:
        self._database = database
        self._clock = clock
        self._events = events

    async def run(self) -> int:
        """Records what came since the last look; gives how many events."""
        recorded = 0
        while True:
            async with self._database.transaction() as session:
                count, is_more = await self._read_stops(session)
            recorded += count
            if not is_more:
                break
        async with self._database.transaction() as session:
            return recorded + await self._read_incidents(session)

    # --- stops ------------------------------------------------------------------------------------

    async def _read_stops(self, session: AsyncSession) -> tuple[int, bool]:
        newest = await session.scalar(select(func.max(StopEvent.id))) or 0
        mark = await _mark(session)
        if mark is None:
            return 0, False
        # Asked after the newest id was read: whoever has a smaller one began to write before.
        writing = set(await session.scalars(WRITING))
        if mark.done_id >= mark.seen_id and newest > mark.seen_id:
            mark.seen_id, mark.waits_for = newest, sorted(writing)
        if mark.done_id >= mark.seen_id or writing & set(mark.waits_for):
            return 0, False
        lines = await _lines(session, mark)
        is_whole = len(lines) < BATCH
        mark.done_id = mark.seen_id if is_whole else int(lines[-1][0].id or 0)
        since = self._clock.now() - REACHES_BACK
        rows = await _rows(session, [(line, stop) for line, stop in lines if line.at >= since])
        return await self._events.record_all(session, rows), not is_whole

    # --- incidents --------------------------------------------------------------------------------

    async def _read_incidents(self, session: AsyncSession) -> int:
        opened = await self._incidents(session, "opened", EventKind.EXCEPTION_OPENED)
        return opened + await self._incidents(session, "closed", EventKind.EXCEPTION_RESOLVED)

    async def _incidents(self, session: AsyncSession, what: str, kind: EventKind) -> int:
        since = self._clock.now() - REACHES_BACK
        wanted = {"what": what, "since": since, "at_most": AT_MOST}
        ids = list(await session.scalars(UNTOLD_INCIDENTS, wanted))
        if not ids:
            return 0
        found = await session.execute(
            select(Incident, StopRecord)
            .join(StopRecord, col(StopRecord.id) == col(Incident.stop_id))
            .where(col(Incident.id).in_(ids))
            .order_by(col(Incident.opened_at))
        )
        rows = [
            event_row(
                stop.client,
                kind,
                incident.id,
                _incident_facts(incident, stop, kind),
                (incident.closed_at if kind is EventKind.EXCEPTION_RESOLVED else None) or incident.opened_at,
                f"incident:{incident.id}/{what}",
            )
            for incident, stop in found
        ]
        return await self._events.record_all(session, rows)


async def _mark(session: AsyncSession) -> ReadingMark | None:
    """Locked; None while another process reads."""
    await session.execute(
        insert(ReadingMark)
        .values(log=LOG, done_id=0, seen_id=0, waits_for=[])
        .on_conflict_do_nothing(index_elements=["log"])
    )
    return await session.scalar(
        select(ReadingMark).where(col(ReadingMark.log) == LOG).with_for_update(skip_locked=True)
    )


async def _lines(session: AsyncSession, mark: ReadingMark) -> list[tuple[StopEvent, StopRecord]]:
    found = await session.execute(
        select(StopEvent, StopRecord)
        .join(StopRecord, col(StopRecord.id) == col(StopEvent.stop_id))
        .where(col(StopEvent.id) > mark.done_id, col(StopEvent.id) <= mark.seen_id)
        .order_by(col(StopEvent.id))
        .limit(BATCH)
    )
    return [(line, stop) for line, stop in found]


async def _rows(session: AsyncSession, lines: Sequence[tuple[StopEvent, StopRecord]]) -> list[dict[str, Any]]:
    if not lines:
        return []
    told = await _told_etas(session, [stop.id for _, stop in lines])
    rows = []
    for (line, stop), was in zip(lines, _as_they_were(lines), strict=True):
        facts = rules.stop_facts(stop, was)
        for kind in rules.kinds_of(line.changes, told.get(stop.id)):
            if kind in (EventKind.STOP_CREATED, EventKind.STOP_ETA_CHANGED) and facts["eta_at"]:
                told[stop.id] = datetime.fromisoformat(facts["eta_at"])
            own = (
                {"window_before": rules.window_before(line.changes, stop)}
                if kind is EventKind.STOP_WINDOW_CHANGED
                else {}
            )
            key = f"{LOG}:{line.id}:{kind.value}"
            rows.append(event_row(stop.client, kind, stop.id, facts | own, line.at, key))
    return rows


def _as_they_were(lines: Sequence[tuple[StopEvent, StopRecord]]) -> list[dict[str, Any]]:
    """For each line what later ones of the same stop changed again, as it was after this line."""
    later: dict[UUID, dict[str, Any]] = defaultdict(dict)
    found = []
    for line, stop in reversed(lines):
        found.append(later[stop.id] | {name: change[1] for name, change in line.changes.items()})
        later[stop.id].update((name, change[0]) for name, change in line.changes.items())
    return found[::-1]


async def _told_etas(session: AsyncSession, stop_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    found = await session.execute(TOLD_ETAS, {"stop_ids": list(set(stop_ids))})
    return {row.subject_id: row.eta_at for row in found}


def _incident_facts(incident: Incident, stop: StopRecord, kind: EventKind) -> dict[str, Any]:
    return {
        "exception_id": str(incident.id),
        "exception": incident.kind.value,
        "state": (IncidentState.CLOSED if kind is EventKind.EXCEPTION_RESOLVED else IncidentState.OPEN).value,
        "stop_id": str(stop.id),
        "order_ref": stop.order_ref,
        "own_ref": stop.own_ref,
        "tracking": stop.tracking,
        "status": stop.status.value,
    }
