"""What reviews and reports read of incidents."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.audit import AuditLine
from bot.escalations.models import Escalation, EscalationStop
from bot.incidents.models import BrokenState, PromiseIncident
from bot.incidents.queries import ABOUT_PROMISES, SAME_DAY
from bot.incidents.watch import REACHES_BACK
from connectors.base import FailureReason

Row = TypeVar("Row")

BATCH = 1000
FAILS_EARLY = timedelta(days=7)
"""A delivery may be given up, and its incident opened, so long before its window ends."""


@dataclass(frozen=True, slots=True)
class IncidentFacts:
    """One breach or failed delivery, as it stands now. Times are aware UTC."""

    incident_id: UUID
    stop_id: UUID
    kind: str
    """`breach` or `failed_delivery`."""
    opened_at: datetime
    closed_at: datetime | None
    root_cause: FailureReason | None
    """None: nobody has said yet."""
    exclusion: str
    """Code of `sla.exclusions` in sop.yml; empty: it counts."""
    exposure_usd: int
    minutes_late: int
    """0 for a failed delivery."""
    raised_at: datetime | None
    """When dispatchers were first told of the stop; None: never."""
    acknowledged_at: datetime | None
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Told:
    """One escalation that a stop was in."""

    escalation_id: UUID
    joined_at: datetime
    resolved_at: datetime | None


async def incidents_between(
    session: AsyncSession, client: str | None, start: datetime, end: datetime
) -> list[IncidentFacts]:
    """Broken promises whose window ended from `start` until before `end`, in that order; of all clients for None.

    One without a window counts when it was opened. Those made by hand, and those that were none after all, are
    left out.
    """
    ended = func.coalesce(PromiseIncident.promised_end_at, PromiseIncident.opened_at)
    query = _counted().where(
        ended >= start,
        ended < end,
        col(PromiseIncident.opened_at) >= start - FAILS_EARLY,
        col(PromiseIncident.opened_at) < end + REACHES_BACK,
    )
    if client is not None:
        query = query.where(col(PromiseIncident.client) == client)
    rows = await session.scalars(query.order_by(ended, col(PromiseIncident.number)))
    return await _facts_of(session, list(rows))


async def incidents_of_stops(session: AsyncSession, stop_ids: Iterable[UUID]) -> list[IncidentFacts]:
    """Those of these stops, whenever they were, in the order in which they were opened."""
    found: list[PromiseIncident] = []
    for ids in _batches(sorted(set(stop_ids))):
        found += await session.scalars(_counted().where(col(PromiseIncident.stop_id).in_(ids)))
    return await _facts_of(
        session, sorted(found, key=lambda incident: (incident.opened_at, incident.number or 0))
    )


def _counted() -> Select[Any]:
    return select(PromiseIncident).where(
        col(PromiseIncident.by_hand).is_(False),
        col(PromiseIncident.state) != BrokenState.WITHDRAWN,
        col(PromiseIncident.stop_id).is_not(None),
    )


async def _facts_of(session: AsyncSession, incidents: list[PromiseIncident]) -> list[IncidentFacts]:
    facts: list[IncidentFacts] = []
    for batch in _batches(incidents):
        told = await _told(session, [incident.stop_id for incident in batch if incident.stop_id])
        taken = await _first_taken(session, {each.escalation_id for all_ in told.values() for each in all_})
        facts += [
            _fact(incident, incident.stop_id, told[incident.stop_id], taken)
            for incident in batch
            if incident.stop_id is not None
        ]
    return facts


async def _told(session: AsyncSession, stop_ids: list[UUID]) -> dict[UUID, list[_Told]]:
    rows = await session.execute(
        select(  # type: ignore[call-overload]
            EscalationStop.stop_id, Escalation.id, EscalationStop.joined_at, Escalation.resolved_at
        )
        .join(Escalation, col(Escalation.id) == col(EscalationStop.escalation_id))
        .where(col(EscalationStop.stop_id).in_(stop_ids), col(Escalation.severity).in_(ABOUT_PROMISES))
        .order_by(col(EscalationStop.joined_at), col(Escalation.id))
    )
    told: dict[UUID, list[_Told]] = defaultdict(list)
    for stop_id, escalation_id, joined_at, resolved_at in rows:
        told[stop_id].append(_Told(escalation_id, joined_at, resolved_at))
    return told


async def _first_taken(session: AsyncSession, escalation_ids: set[UUID]) -> dict[UUID, datetime]:
    """When each was taken for the first time; somebody who gave it back took it nevertheless."""
    rows = await session.execute(
        select(col(AuditLine.subject_id), func.min(AuditLine.at))
        .where(
            col(AuditLine.subject_kind) == "escalation",
            col(AuditLine.subject_id).in_(sorted(str(each) for each in escalation_ids)),
            col(AuditLine.verb) == "acknowledged",
        )
        .group_by(col(AuditLine.subject_id))
    )
    return {UUID(subject_id): at for subject_id, at in rows}


def _fact(
    incident: PromiseIncident, stop_id: UUID, told: list[_Told], taken: dict[UUID, datetime]
) -> IncidentFacts:
    since = (incident.promised_end_at or incident.opened_at) - SAME_DAY
    then = [each for each in told if each.joined_at >= since]
    took = [taken[each.escalation_id] for each in then if each.escalation_id in taken]
    ended = [each.resolved_at for each in then]
    resolved = [moment for moment in ended if moment is not None]
    return IncidentFacts(
        incident_id=incident.id,
        stop_id=stop_id,
        kind=incident.kind.value,
        opened_at=incident.opened_at,
        closed_at=incident.closed_at,
        root_cause=incident.root_cause,
        exclusion=incident.exclusion,
        exposure_usd=incident.exposure_usd,
        minutes_late=incident.minutes_late,
        raised_at=then[0].joined_at if then else None,
        acknowledged_at=min(took, default=None),
        resolved_at=max(resolved) if resolved and len(resolved) == len(ended) else None,
    )


def _batches(rows: Sequence[Row]) -> list[Sequence[Row]]:
    return [rows[begin : begin + BATCH] for begin in range(0, len(rows), BATCH)]
