"""Reads what a report is computed from, at one instant: stops with a promise, and how they were watched."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.incidents.review import IncidentFacts
from bot.manifest.days import anywhere_on
from bot.recovery.models import RecoveryState
from bot.reports.records import FailedTry, Period, PromisedStop, RaisedEscalation
from bot.reports.terms import TermsBook
from bot.stops.models import StopRecord
from connectors.base import DeliveryWindow, FailureReason, StopStatus

IncidentsBetween = Callable[
    [AsyncSession, str | None, datetime, datetime], Awaitable[Sequence[IncidentFacts]]
]
"""Breaches and failed deliveries of stops whose window ends between two instants; of one client, or of all."""

RAISED = text("""
    SELECT link.stop_id, link.joined_at, escalation.id, escalation.raised_at, escalation.acknowledged_at,
        escalation.resolved_at, escalation.is_noise, escalation.root_cause, escalation.exclusion,
        split_part(escalation.cause_key, ':', 1) AS rule
    FROM escalation_stop AS link
    JOIN escalation ON escalation.id = link.escalation_id
    JOIN stop ON stop.id = link.stop_id
    WHERE escalation.severity IN ('at_risk', 'breached')
        AND (CAST(:client AS text) IS NULL OR stop.client = :client)
        AND stop.window_end_at >= :earliest AND stop.window_end_at < :latest
    ORDER BY escalation.raised_at, escalation.id, link.stop_id
""")

FIRST_TAKEN = text("""
    SELECT subject_id, min(at) AS at FROM audit_line
    WHERE subject_kind = 'escalation' AND verb = 'acknowledged' AND subject_id = ANY(:ids)
    GROUP BY subject_id
""").bindparams(bindparam("ids", type_=ARRAY(TEXT)))
"""The row itself forgets it when an acknowledgement is withdrawn or lapses."""

MOVED = text("""
    SELECT DISTINCT event.stop_id FROM stop_event AS event
    JOIN stop ON stop.id = event.stop_id
    WHERE (event.changes -> 'window_end_at' ->> 0 IS NOT NULL
            OR event.changes -> 'window_start_at' ->> 0 IS NOT NULL)
        AND (CAST(:client AS text) IS NULL OR stop.client = :client)
        AND stop.window_end_at >= :earliest AND stop.window_end_at < :latest
""")

FAILED = text("""
    SELECT stop.id, stop.zone, stop.timezone, recovery.reason, recovery.failed_at,
        recovery.state, recovery.asked_at, recovery.answered_at, again.status AS again
    FROM recovery
    JOIN stop ON stop.id = recovery.stop_id
    LEFT JOIN stop AS again ON again.id = recovery.reattempt_id
    WHERE (CAST(:client AS text) IS NULL OR stop.client = :client)
        AND recovery.failed_at >= :earliest AND recovery.failed_at < :latest
    UNION ALL
    SELECT stop.id, stop.zone, stop.timezone, stop.failure_reason, stop.completed_at, NULL, NULL, NULL, NULL
    FROM stop
    WHERE (CAST(:client AS text) IS NULL OR stop.client = :client)
        AND stop.status = 'failed' AND stop.completed_at >= :earliest AND stop.completed_at < :latest
        AND NOT EXISTS (SELECT 1 FROM recovery WHERE recovery.stop_id = stop.id)
""")
"""Followed up, and those that were not: nobody is asked where `recovery` is switched off."""

TOLD = text("""
    SELECT stop.id, count(message.id) AS messages,
        (SELECT min(note.decided_at) FROM notification AS note
            WHERE note.stop_id = stop.id AND note.kind = 'running_late' AND note.state = 'reached') AS late_at
    FROM stop
    JOIN outbound_message AS message ON message.stop_id = stop.id
    WHERE message.purpose = 'proactive' AND message.sent_at IS NOT NULL
        AND (CAST(:client AS text) IS NULL OR stop.client = :client)
        AND stop.window_end_at >= :earliest AND stop.window_end_at < :latest
    GROUP BY stop.id
""")
"""What was sent unasked, by stop."""

MARGIN = timedelta(days=1)


async def read_stops(
    session: AsyncSession,
    client: str | None,
    period: Period,
    terms: TermsBook,
    incidents: IncidentsBetween,
) -> tuple[list[PromisedStop], list[RaisedEscalation]]:
    """Of the period and the one before it, somewhat more: which day it is where a stop is, is for the figures.

    Without `client` of all of them. What incidents say of a stop goes before what its escalations say.
    """
    earliest, latest = anywhere_on(period.before.start)[0], anywhere_on(period.end)[1] + MARGIN
    bounds = {"client": client, "earliest": earliest, "latest": latest}
    raised = (await session.execute(RAISED, bounds)).all()
    moved = set(await session.scalars(MOVED, bounds))
    facts = {each.stop_id: each for each in await incidents(session, client, earliest, latest)}
    told = {row.id: row for row in await session.execute(TOLD, bounds)}
    of_stop: dict[UUID, list[Any]] = {}
    for row in raised:
        of_stop.setdefault(row.stop_id, []).append(row)
    stops = [
        _promised(row, terms, of_stop.get(row.id, []), facts.get(row.id), row.id in moved, told.get(row.id))
        for row in await _stop_rows(session, client, earliest, latest)
    ]
    return stops, await _escalations(session, raised)


async def read_failures(session: AsyncSession, client: str | None, period: Period) -> list[FailedTry]:
    """Failed deliveries of the period and the one before it, somewhat more; without `client` of all of them."""
    bounds = {
        "client": client,
        "earliest": anywhere_on(period.before.start)[0],
        "latest": anywhere_on(period.end)[1],
    }
    return [
        FailedTry(
            stop_id=row.id,
            zone=row.zone,
            timezone=row.timezone,
            reason=FailureReason(row.reason) if row.reason else None,
            failed_at=row.failed_at,
            state=RecoveryState(row.state) if row.state else None,
            asked_at=row.asked_at,
            answered_at=row.answered_at,
            again=StopStatus(row.again) if row.again else None,
        )
        for row in await session.execute(FAILED, bounds)
    ]


async def known_clients(session: AsyncSession) -> list[str]:
    """Everybody who has, or had, a stop."""
    names = await session.scalars(select(col(StopRecord.client)).distinct())
    return sorted(name for name in names if name)


async def _stop_rows(
    session: AsyncSession, client: str | None, earliest: datetime, latest: datetime
) -> Sequence[Any]:
    query = select(
        col(StopRecord.id),
        col(StopRecord.tracking),
        col(StopRecord.client),
        col(StopRecord.zone),
        col(StopRecord.service_kind),
        col(StopRecord.timezone),
        col(StopRecord.window_start_at),
        col(StopRecord.window_end_at),
        col(StopRecord.status),
        col(StopRecord.completed_at),
        col(StopRecord.failure_reason),
    ).where(
        col(StopRecord.window_end_at) >= earliest,
        col(StopRecord.window_end_at) < latest,
        col(StopRecord.window_start_at).is_not(None),
        col(StopRecord.status) != StopStatus.CANCELLED,
    )
    if client is not None:
        query = query.where(col(StopRecord.client) == client)
    rows: Sequence[Any] = (await session.execute(query)).all()
    return rows


def _promised(
    row: Any,
    terms: TermsBook,
    raised: Sequence[Any],
    incident: IncidentFacts | None,
    was_moved: bool,
    told: Any | None,
) -> PromisedStop:
    cause, exclusion = _why(row, raised, incident, terms)
    return PromisedStop(
        stop_id=row.id,
        tracking=row.tracking,
        client=row.client,
        zone=row.zone,
        service=row.service_kind,
        timezone=row.timezone,
        window=DeliveryWindow.model_construct(start_at=row.window_start_at, end_at=row.window_end_at),
        was_moved=was_moved,
        status=row.status,
        completed_at=row.completed_at,
        terms=terms.of(row.client, row.zone, row.service_kind),
        cause=cause,
        exclusion=exclusion,
        raised_at=min((each.joined_at for each in raised), default=None),
        told_late_at=told.late_at if told is not None else None,
        messages=told.messages if told is not None else 0,
    )


def _why(
    row: Any, raised: Sequence[Any], incident: IncidentFacts | None, terms: TermsBook
) -> tuple[FailureReason | None, str]:
    """Cause and exclusion by who looked at it last: the incident, the newest escalation that says so, the driver."""
    if incident is not None and (incident.root_cause or incident.exclusion):
        return incident.root_cause, incident.exclusion
    said = next((each for each in reversed(raised) if each.root_cause or each.exclusion), None)
    cause = FailureReason(said.root_cause) if said is not None and said.root_cause else row.failure_reason
    exclusion = said.exclusion if said is not None else ""
    return cause, exclusion or terms.exclusion_of(cause)


async def _escalations(session: AsyncSession, raised: Sequence[Any]) -> list[RaisedEscalation]:
    stops: dict[UUID, set[UUID]] = {}
    for row in raised:
        stops.setdefault(row.id, set()).add(row.stop_id)
    taken = await first_taken(session, stops)
    rows = {row.id: row for row in raised}
    return [
        RaisedEscalation(
            escalation_id=key,
            raised_at=row.raised_at,
            acknowledged_at=taken.get(key, row.acknowledged_at),
            resolved_at=row.resolved_at,
            stop_ids=frozenset(stops[key]),
            is_noise=row.is_noise,
            rule=row.rule,
        )
        for key, row in rows.items()
    ]


async def first_taken(session: AsyncSession, escalation_ids: Mapping[UUID, object]) -> dict[UUID, datetime]:
    """When somebody first had each of these; those that nobody took are left out."""
    rows = await session.execute(FIRST_TAKEN, {"ids": [str(key) for key in escalation_ids]})
    return {UUID(row.subject_id): row.at for row in rows}
