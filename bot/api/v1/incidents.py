"""Broken promises: what happened, what it costs, what follows. A client reads its own, an operator deals with all."""

from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import ConfigDict, Field
from sqlalchemy import select
from sqlmodel import col

from bot.api.v1.auth import CallerIn, OperatorIn, ServicesIn
from bot.api.v1.bodies import Day, Text, reads
from bot.api.v1.pages import Cursor, Limit, after, cursor_at
from bot.api.v1.problems import ProblemError, not_found, problems
from bot.api.v1.shown import Shown, Window
from bot.clients.service import Caller
from bot.incidents.handling import FollowUpChange, NotInProtocolError, Said
from bot.incidents.models import BrokenKind, BrokenState, FollowUp, PromiseIncident
from bot.incidents.report import IncidentReport
from bot.intake.queries import day_bounds
from bot.services import Services
from connectors.base import FailureReason

router = APIRouter(tags=["incidents"])


class IncidentOut(Shown):
    id: UUID
    number: str
    """For talking about it: `INC-1042`."""
    kind: BrokenKind
    state: BrokenState
    client: str
    zone: str
    timezone: str
    """IANA; where the stop is."""
    stop_id: UUID | None
    promised: Window | None
    opened_at: datetime
    finished_at: datetime | None
    """When the stop was delivered or failed."""
    closed_at: datetime | None
    minutes_late: int
    root_cause: FailureReason | None
    exclusion: str
    """Code of why it does not count against the target; empty: it counts."""
    exposure_usd: int


class IncidentPage(Shown):
    incidents: list[IncidentOut]
    next_cursor: str | None


class IncidentChangeIn(Shown):
    """What is left out stays as it is. What a person says stays, whatever the platform says later."""

    root_cause: FailureReason | None = None
    exclusion: Annotated[Text, Field(max_length=41)] | None = None
    """Code of `sla.exclusions` in sop.yml; empty: it counts."""
    note: Annotated[Text, Field(max_length=2000)] | None = None
    state: Literal["closed"] | None = None


class FollowUpIn(Shown):
    what: Annotated[Text, Field(min_length=1, max_length=2000)]
    owner: Annotated[Text, Field(min_length=3, max_length=60)]
    """A Slack user id, or `person:KEY` of somebody of `people` in sop.yml."""
    due_on: Day


class FollowUpChangeIn(Shown):
    done: bool | None = None
    owner: Annotated[Text, Field(min_length=3, max_length=60)] | None = None
    due_on: Day | None = None


class FollowUpOut(Shown):
    model_config = ConfigDict(extra="forbid", from_attributes=True)

    id: UUID
    incident_id: UUID
    what: str
    owner: str
    due_on: date
    created_at: datetime
    done_at: datetime | None
    done_by: str | None


@router.get("/incidents", responses=problems())
async def list_incidents(
    caller: CallerIn,
    services: ServicesIn,
    first: Annotated[Day | None, Query(alias="from", description="Opened on this day or later.")] = None,
    last: Annotated[
        Day | None,
        Query(alias="to", description="Opened on this day or before; days of the operator's zone."),
    ] = None,
    kind: BrokenKind | None = None,
    state: BrokenState | None = None,
    client: Annotated[Text | None, Query(max_length=200, description="Operators only; else ignored.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> IncidentPage:
    """In the order in which they were opened. A client sees its own broken promises."""
    opened_at, row_id = col(PromiseIncident.opened_at), col(PromiseIncident.id)
    wanted = [*after(cursor, opened_at, row_id), *_seen_by(caller, client)]
    wanted += [] if kind is None else [col(PromiseIncident.kind) == kind]
    wanted += [] if state is None else [col(PromiseIncident.state) == state]
    timezone = services.sop.current.operator.timezone
    wanted += [] if first is None else [opened_at >= day_bounds(first, timezone)[0]]
    wanted += [] if last is None else [opened_at < day_bounds(last, timezone)[1]]
    async with services.database.transaction() as session:
        query = select(PromiseIncident).where(*wanted).order_by(opened_at, row_id).limit(limit + 1)
        rows = list(await session.scalars(query))
    end = rows[limit - 1] if len(rows) > limit else None
    return IncidentPage(
        incidents=[show_incident(row) for row in rows[:limit]],
        next_cursor=cursor_at(end.opened_at, end.id) if end else None,
    )


@router.get("/incidents/{incident_id}", responses=problems(404))
async def get_incident(incident_id: UUID, caller: CallerIn, services: ServicesIn) -> IncidentReport:
    """With its timeline. A client reads roles instead of names, and nothing that dispatch keeps to itself."""
    await _incident_of(caller, services, incident_id)
    return await services.incident_reports.read(str(incident_id), for_client=not caller.is_operator)


@router.patch(
    "/incidents/{incident_id}",
    responses=problems(400, 403, 404, 413, 415),
    dependencies=[Depends(reads("application/json"))],
)
async def change_incident(
    incident_id: UUID, body: IncidentChangeIn, operator: OperatorIn, services: ServicesIn
) -> IncidentOut:
    """Says why it happened, whether it counts, or closes it."""
    await _incident_of(operator, services, incident_id)
    said = Said(body.root_cause, body.exclusion, body.note, close=body.state is not None)
    try:
        return show_incident(await services.incident_handling.say(incident_id, said, operator.actor))
    except NotInProtocolError as exc:
        raise _unknown(exc) from exc


@router.post(
    "/incidents/{incident_id}/follow-ups",
    status_code=HTTPStatus.CREATED,
    responses=problems(400, 403, 404, 413, 415),
    dependencies=[Depends(reads("application/json"))],
)
async def plan_follow_up(
    incident_id: UUID, body: FollowUpIn, operator: OperatorIn, services: ServicesIn
) -> FollowUpOut:
    """Something to be done about it, by somebody, by a day. Its owner is reminded once on that day."""
    await _incident_of(operator, services, incident_id)
    try:
        planned = await services.incident_handling.plan(
            incident_id, body.what, body.owner, body.due_on, operator.actor
        )
    except NotInProtocolError as exc:
        raise _unknown(exc) from exc
    return FollowUpOut.model_validate(planned.model_dump(include=set(FollowUpOut.model_fields)))


@router.patch(
    "/follow-ups/{follow_up_id}",
    responses=problems(400, 403, 404, 413, 415),
    dependencies=[Depends(reads("application/json"))],
)
async def change_follow_up(
    follow_up_id: UUID, body: FollowUpChangeIn, operator: OperatorIn, services: ServicesIn
) -> FollowUpOut:
    """Done, somebody else's, or later. With the last one done the incident closes, if its cause is known."""
    async with services.database.transaction() as session:
        if await session.get(FollowUp, follow_up_id) is None:
            raise not_found("follow-up")
    change = FollowUpChange(body.done, body.owner, body.due_on)
    try:
        changed = await services.incident_handling.change_plan(follow_up_id, change, operator.actor)
    except NotInProtocolError as exc:
        raise _unknown(exc) from exc
    return FollowUpOut.model_validate(changed.model_dump(include=set(FollowUpOut.model_fields)))


def show_incident(incident: PromiseIncident) -> IncidentOut:
    same = incident.model_dump(include=set(IncidentOut.model_fields) - {"number", "promised", "exposure_usd"})
    start, end = incident.promised_start_at, incident.promised_end_at
    return IncidentOut(
        number=incident.name,
        promised=Window(start_at=start, end_at=end) if start and end else None,
        exposure_usd=incident.exposure_usd,
        **same,
    )


def _seen_by(caller: Caller, client: str | None) -> list[Any]:
    """What dispatch made for itself, by hand, is no client's."""
    if not caller.is_operator:
        return [col(PromiseIncident.client) == caller.client, col(PromiseIncident.by_hand).is_(False)]
    return [] if client is None else [col(PromiseIncident.client) == client]


async def _incident_of(caller: Caller, services: Services, incident_id: UUID) -> None:
    """Raises `ProblemError` 404, also for another client's."""
    query = select(PromiseIncident.id).where(  # type: ignore[call-overload]
        col(PromiseIncident.id) == incident_id, *_seen_by(caller, None)
    )
    async with services.database.transaction() as session:
        if await session.scalar(query) is None:
            raise not_found("incident")


def _unknown(error: NotInProtocolError) -> ProblemError:
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, f"unknown_{error.field}", str(error))
