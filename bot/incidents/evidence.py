"""Everything that the tables know of one incident, as it is read for its report."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exists, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.audit import AuditLine
from bot.conversations.models import Conversation, InboundText
from bot.durable.models import OutboundText, Purpose
from bot.escalations.models import Escalation, EscalationNote, EscalationStop
from bot.incidents.models import FollowUp, Incident, PromiseIncident
from bot.incidents.queries import ABOUT_PROMISES, escalation_of, follow_ups_of
from bot.requests.models import DispatchRequest
from bot.stops.models import DriverRecord, StopEvent, StopRecord

LOOKS_BACK = timedelta(hours=24)
"""Before the promised window begins."""
LOOKS_ON = timedelta(hours=1)
"""After it was closed."""
SAME_DOOR = timedelta(days=3)


@dataclass(frozen=True)
class Evidence:
    """Rows in a settled order: the same tables give the same evidence."""

    incident: PromiseIncident
    stop: StopRecord | None
    escalations: list[Escalation]
    events: list[StopEvent]
    audit: list[AuditLine]
    notes: list[EscalationNote]
    received: list[InboundText]
    sent: list[OutboundText]
    follow_ups: list[FollowUp]
    drivers: dict[str, str]
    """By the platform's reference."""
    recipient_is_shared: bool
    """The recipient awaits something of another client too: their messages may be about that."""


@dataclass(frozen=True)
class _Period:
    since: datetime
    until: datetime | None

    def holds(self, moment: Any) -> Any:
        return moment >= self.since if self.until is None else moment.between(self.since, self.until)


async def gather(session: AsyncSession, incident: PromiseIncident) -> Evidence:
    stop = await session.get(StopRecord, incident.stop_id) if incident.stop_id else None
    period = _period(incident)
    escalations = await _escalations(session, incident, period)
    talks = await _conversations(session, stop, escalations)
    subjects = await _subjects(session, incident, escalations, period)
    return Evidence(
        incident=incident,
        stop=stop,
        escalations=escalations,
        events=await _events(session, incident, period),
        audit=await _audit(session, subjects, period),
        notes=await _notes(session, incident, escalations),
        received=await _received(session, talks, period),
        sent=await _sent(session, talks, period),
        follow_ups=await follow_ups_of(session, incident.id),
        drivers=await _drivers(session, stop),
        recipient_is_shared=await _is_shared(session, stop),
    )


def _period(incident: PromiseIncident) -> _Period:
    since = (incident.promised_start_at or incident.opened_at) - LOOKS_BACK
    until = incident.closed_at + LOOKS_ON if incident.closed_at is not None else None
    return _Period(since, until)


async def _escalations(session: AsyncSession, incident: PromiseIncident, period: _Period) -> list[Escalation]:
    found: dict[UUID, Escalation] = {}
    if incident.stop_id is not None:
        rows = await session.scalars(
            select(Escalation)
            .join(EscalationStop, col(EscalationStop.escalation_id) == col(Escalation.id))
            .where(
                col(EscalationStop.stop_id) == incident.stop_id,
                or_(
                    col(Escalation.severity).in_(ABOUT_PROMISES), col(Escalation.conversation_id).is_not(None)
                ),
                period.holds(col(EscalationStop.joined_at)),
            )
        )
        found = {row.id: row for row in rows}
    worked_on = await escalation_of(session, incident)
    if worked_on is not None:
        found[worked_on.id] = worked_on
    return sorted(found.values(), key=lambda each: (each.raised_at, each.id))


async def _conversations(
    session: AsyncSession, stop: StopRecord | None, escalations: list[Escalation]
) -> list[UUID]:
    ids = {each.conversation_id for each in escalations if each.conversation_id is not None}
    addresses = [each for each in (stop.recipient_phone, stop.recipient_email) if each] if stop else []
    if addresses:
        ids |= set(
            await session.scalars(
                select(col(Conversation.id)).where(col(Conversation.address).in_(addresses))
            )
        )
    return sorted(ids)


async def _subjects(
    session: AsyncSession, incident: PromiseIncident, escalations: list[Escalation], period: _Period
) -> list[tuple[str, str]]:
    """What the audit log calls the things that this is about."""
    subjects = [("promise_incident", str(incident.id))]
    subjects += [("escalation", str(each.id)) for each in escalations]
    if incident.stop_id is None:
        return subjects
    of_stop = incident.stop_id
    requests = await session.scalars(
        select(col(DispatchRequest.id)).where(
            col(DispatchRequest.stop_id) == of_stop, period.holds(col(DispatchRequest.asked_at))
        )
    )
    reports = await session.scalars(
        select(col(Incident.id)).where(
            col(Incident.stop_id) == of_stop, period.holds(col(Incident.opened_at))
        )
    )
    subjects += [("stop", str(of_stop))]
    subjects += [("request", str(each)) for each in sorted(requests)]
    return subjects + [("incident", str(each)) for each in sorted(reports)]


async def _audit(session: AsyncSession, subjects: list[tuple[str, str]], period: _Period) -> list[AuditLine]:
    # What is said of the incident itself is told to the end, however late it was said.
    of_incident = col(AuditLine.subject_kind) == "promise_incident"
    rows = await session.scalars(
        select(AuditLine)
        .where(
            tuple_(col(AuditLine.subject_kind), col(AuditLine.subject_id)).in_(subjects),
            or_(of_incident, period.holds(col(AuditLine.at))),
        )
        .order_by(col(AuditLine.id))
    )
    return list(rows)


async def _events(session: AsyncSession, incident: PromiseIncident, period: _Period) -> list[StopEvent]:
    if incident.stop_id is None:
        return []
    rows = await session.scalars(
        select(StopEvent)
        .where(col(StopEvent.stop_id) == incident.stop_id, period.holds(col(StopEvent.at)))
        .order_by(col(StopEvent.id))
    )
    return list(rows)


async def _notes(
    session: AsyncSession, incident: PromiseIncident, escalations: list[Escalation]
) -> list[EscalationNote]:
    """Without what is told of other stops of the same van: they may be other clients'."""
    rows = await session.scalars(
        select(EscalationNote)
        .where(
            col(EscalationNote.escalation_id).in_([each.id for each in escalations]),
            or_(col(EscalationNote.stop_id).is_(None), col(EscalationNote.stop_id) == incident.stop_id),
        )
        .order_by(col(EscalationNote.number))
    )
    return list(rows)


async def _received(session: AsyncSession, talks: list[UUID], period: _Period) -> list[InboundText]:
    rows = await session.scalars(
        select(InboundText)
        .where(col(InboundText.conversation_id).in_(talks), period.holds(col(InboundText.received_at)))
        .order_by(col(InboundText.received_at), col(InboundText.id))
    )
    return list(rows)


async def _sent(session: AsyncSession, talks: list[UUID], period: _Period) -> list[OutboundText]:
    rows = await session.scalars(
        select(OutboundText)
        .where(
            col(OutboundText.conversation_id).in_(talks),
            # A dispatcher who awaits a parcel is called by the same number.
            col(OutboundText.purpose) != Purpose.PAGE,
            period.holds(col(OutboundText.created_at)),
        )
        .order_by(col(OutboundText.created_at), col(OutboundText.id))
    )
    return list(rows)


async def _drivers(session: AsyncSession, stop: StopRecord | None) -> dict[str, str]:
    if stop is None:
        return {}
    rows = await session.execute(
        select(col(DriverRecord.platform_ref), col(DriverRecord.name)).where(
            col(DriverRecord.platform) == stop.platform
        )
    )
    return {row.platform_ref: row.name for row in rows}


async def _is_shared(session: AsyncSession, stop: StopRecord | None) -> bool:
    if stop is None or stop.recipient_phone is None:
        return False
    day = stop.window_start_at or stop.changed_at
    other = select(StopRecord.id).where(  # type: ignore[call-overload]
        col(StopRecord.recipient_phone) == stop.recipient_phone,
        col(StopRecord.client) != stop.client,
        or_(
            col(StopRecord.window_start_at).between(day - SAME_DOOR, day + SAME_DOOR),
            col(StopRecord.changed_at).between(day - SAME_DOOR, day + SAME_DOOR),
        ),
    )
    return bool(await session.scalar(select(exists(other))))
