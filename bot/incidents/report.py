"""One incident as it is handed to a reader: what happened, what it costs, who did what, what follows.

Pure but for `IncidentReports`. The same tables give the same report, byte for byte: it does not say when it was made.
"""

from datetime import date, datetime, timedelta
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from bot.db import Database
from bot.errors import NotFoundError
from bot.incidents.entries import Entry, Source, local_clock, local_day, local_window
from bot.incidents.evidence import Evidence, gather
from bot.incidents.models import BrokenKind, BrokenState, FollowUp, PromiseIncident
from bot.incidents.naming import Names
from bot.incidents.queries import find_incident
from bot.incidents.timeline import timeline_of
from bot.sop import Protocol, ProtocolInForce
from connectors.base import FailureReason


class Reported(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TimelineLine(Reported):
    at: datetime
    """UTC."""
    local_day: str
    local_time: str
    who: str
    what: str
    words: str
    receipt: str
    source: Source


class PlannedFollowUp(Reported):
    id: UUID
    what: str
    owner: str
    due_on: date
    done_at: datetime | None
    done_by: str


class Response(Reported):
    """How dispatch reacted. Null: it did not happen, or not yet."""

    told_at: datetime | None
    taken_at: datetime | None
    minutes_to_take: int | None
    resolved_at: datetime | None


class IncidentReport(Reported):
    """Instants are UTC, `timezone` is where the stop is."""

    id: UUID
    number: str
    kind: BrokenKind
    state: BrokenState
    headline: str
    operator: str
    client: str
    zone: str
    timezone: str
    stop_id: UUID | None
    tracking: str
    order_ref: str
    address_line: str
    recipient_name: str
    promised_start_at: datetime | None
    promised_end_at: datetime | None
    promised: str
    """The window in local words."""
    opened_at: datetime
    finished_at: datetime | None
    closed_at: datetime | None
    minutes_late: int
    root_cause: FailureReason | None
    exclusion: str
    exclusion_label: str
    penalty_usd: int
    exposure_usd: int
    note: str
    response: Response
    follow_ups: list[PlannedFollowUp]
    timeline: list[TimelineLine]


class IncidentReports:
    def __init__(self, database: Database, sop: ProtocolInForce) -> None:
        self._database = database
        self._sop = sop

    async def read(self, name: str, *, for_client: bool = False) -> IncidentReport:
        """By id or number. `for_client`: without names of staff and what dispatch keeps to itself.

        Raises `NotFoundError`.
        """
        async with self._database.snapshot() as session:
            incident = await find_incident(session, name)
            if incident is None:
                raise NotFoundError(f"no incident {name}")
            evidence = await gather(session, incident)
        return report_of(evidence, self._sop.current, for_client=for_client)


def report_of(evidence: Evidence, sop: Protocol, *, for_client: bool = False) -> IncidentReport:
    incident, stop = evidence.incident, evidence.stop
    names = Names.of(sop, for_client=for_client)
    start, end = incident.promised_start_at, incident.promised_end_at
    exclusion = sop.sla.exclusions.get(incident.exclusion)
    return IncidentReport(
        id=incident.id,
        number=incident.name,
        kind=incident.kind,
        state=incident.state,
        headline=headline(incident),
        operator=sop.operator.name,
        client=incident.client,
        zone=incident.zone,
        timezone=incident.timezone,
        stop_id=incident.stop_id,
        tracking=stop.tracking if stop else "",
        order_ref=(stop.order_ref or "") if stop else "",
        address_line=stop.address_line if stop else "",
        recipient_name=stop.recipient_name if stop else "",
        promised_start_at=start,
        promised_end_at=end,
        promised=local_window(start, end, incident.timezone) if start and end else "",
        opened_at=incident.opened_at,
        finished_at=incident.finished_at,
        closed_at=incident.closed_at,
        minutes_late=incident.minutes_late,
        root_cause=incident.root_cause,
        exclusion=incident.exclusion,
        exclusion_label=exclusion.label if exclusion else incident.exclusion.replace("_", " "),
        penalty_usd=incident.penalty_usd,
        exposure_usd=incident.exposure_usd,
        note="" if for_client else incident.note,
        response=response_of(evidence),
        follow_ups=[_planned(each, names) for each in evidence.follow_ups],
        timeline=[_line(entry, incident.timezone) for entry in timeline_of(evidence, names)],
    )


def headline(incident: PromiseIncident) -> str:
    """What happened, in one sentence."""
    if incident.state is BrokenState.WITHDRAWN:
        return "The promise was kept after all."
    if incident.kind is BrokenKind.FAILED_DELIVERY:
        cause = f": {incident.root_cause.value.replace('_', ' ')}" if incident.root_cause else ""
        return f"The delivery failed{cause}."
    if incident.kind is BrokenKind.BREACH:
        late = spell_minutes(incident.minutes_late)
        if incident.finished_at is not None:
            return f"Delivered {late} after the promised window."
        return f"Not delivered by the end of the promised window, {late} ago when last looked at."
    return f"Made an incident by dispatch: {incident.kind.value}."


def spell_minutes(minutes: int) -> str:
    """`25 minutes`, `1 hour 5 minutes`; `less than a minute` for 0."""
    hours, rest = divmod(minutes, 60)
    parts = [_many(hours, "hour")] if hours else []
    parts += [_many(rest, "minute")] if rest else []
    return " ".join(parts) or "less than a minute"


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def response_of(evidence: Evidence) -> Response:
    """From the audit log: who gave an escalation back took it nevertheless."""
    lines = [line for line in evidence.audit if line.subject_kind == "escalation"]
    told = min((line.at for line in lines if line.verb == "raised"), default=None)
    taken = min((line.at for line in lines if line.verb == "acknowledged"), default=None)
    ended = [each.resolved_at for each in evidence.escalations]
    resolved = [moment for moment in ended if moment is not None]
    return Response(
        told_at=told,
        taken_at=taken,
        minutes_to_take=int((taken - told) / timedelta(minutes=1)) if told and taken else None,
        resolved_at=max(resolved) if resolved and len(resolved) == len(ended) else None,
    )


def _planned(each: FollowUp, names: Names) -> PlannedFollowUp:
    return PlannedFollowUp(
        id=each.id,
        what=each.what,
        owner=names.person(each.owner),
        due_on=each.due_on,
        done_at=each.done_at,
        done_by=names.who(each.done_by) if each.done_by else "",
    )


def _line(entry: Entry, timezone: str) -> TimelineLine:
    return TimelineLine(
        at=entry.at,
        local_day=local_day(entry.at, timezone),
        local_time=local_clock(entry.at, timezone),
        who=entry.who,
        what=entry.what,
        words=entry.words,
        receipt=entry.receipt,
        source=entry.source,
    )
