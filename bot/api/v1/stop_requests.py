"""Wanted stops: asked for one by one or as a file, and what became of them."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select
from sqlmodel import col
from starlette.responses import JSONResponse, Response

from bot.api.v1.auth import CallerIn, ServicesIn, client_for
from bot.api.v1.bodies import Day, Instant, Name, Text, reads
from bot.api.v1.pages import Cursor, Limit, after, cursor_at
from bot.api.v1.problems import ProblemError, answer_problem, not_found, problems
from bot.api.v1.shown import RequestOut, RequestPage, show_reasons, show_request
from bot.intake.errors import KeyReusedError
from bot.intake.forms import StopForm
from bot.intake.models import RequestState, Source, StopRequest
from bot.intake.queries import day_bounds
from bot.intake.reasons import Because, text_of
from bot.intake.service import Submission, Submitted

router = APIRouter(tags=["stop requests"])

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Unique per stop: the same key with the same body is the same stop, and is answered the same.",
    ),
]


class AddressIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    line: Name
    """Number and street with the apartment; city, state and postcode may stand behind it."""
    city: Name = ""
    postcode: Annotated[Name, Field(max_length=20)] = ""
    region: Name = ""
    country: Annotated[str, Field(pattern="^([A-Z]{2})?$")] = ""
    """ISO 3166; empty: the operator's."""


class WantedWindow(BaseModel):
    model_config = ConfigDict(extra="forbid")

    start_at: Instant
    end_at: Instant


class StopIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    client: Annotated[Name, Field(min_length=1)] | None = None
    """Operators only: whose stop it is."""
    recipient_name: Name
    phone: Annotated[Name, Field(max_length=40)] = ""
    email: Name = ""
    address: AddressIn
    window: WantedWindow
    order_ref: Name = ""
    notes: Annotated[Text, Field(max_length=2000)] = ""
    access_code: Annotated[Name, Field(max_length=60)] = ""
    """For the driver; forgotten here once it is entered."""
    service_minutes: Annotated[int, Field(ge=1, le=240)] | None = None
    load: Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)] = 1.0

    def to_form(self) -> StopForm:
        same = self.model_dump(exclude={"client", "address", "window"})
        place = self.address.model_dump(exclude={"line"})
        return StopForm(
            address=self.address.line,
            start_at=self.window.start_at,
            end_at=self.window.end_at,
            **place,
            **same,
        )


@router.post(
    "/stops",
    status_code=HTTPStatus.ACCEPTED,
    responses=problems(400, 403, 409, 413, 415),
    response_model=RequestOut,
    dependencies=[Depends(reads("application/json"))],
)
async def ask_for_stop(body: StopIn, key: Key, caller: CallerIn, services: ServicesIn) -> Response:
    """Takes a wanted stop. It is entered into the plan by and by: `GET /stop-requests/{id}` tells.

    `received` goes in by itself, `needs_dispatcher` waits for a person. One that can be neither is answered
    with 422, 409 for a duplicate (`subject_id` is the earlier one), 403 for a client that may not ask.
    """
    client = client_for(caller, body.client)
    wanted = Submission(client, body.to_form(), Source.API, f"api:{key}", caller.actor)
    try:
        submitted = await services.intake.submit(wanted)
    except KeyReusedError as exc:
        raise ProblemError(HTTPStatus.CONFLICT, Because.KEY_REUSED, text_of(Because.KEY_REUSED)) from exc
    return _answered(submitted)


@router.get("/stop-requests", responses=problems())
async def list_requests(
    caller: CallerIn,
    services: ServicesIn,
    state: RequestState | None = None,
    date: Annotated[
        Day | None, Query(description="Local day of the wanted window, in the operator's zone.")
    ] = None,
    order_ref: Annotated[Text | None, Query(max_length=200)] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> RequestPage:
    """The client's wanted stops, the oldest first."""
    asked, row_id = col(StopRequest.asked_at), col(StopRequest.id)
    query = select(StopRequest).where(*after(cursor, asked, row_id))
    if caller.client is not None:
        query = query.where(col(StopRequest.client) == caller.client)
    if state is not None:
        query = query.where(col(StopRequest.state) == state)
    if order_ref is not None:
        query = query.where(func.lower(col(StopRequest.order_ref)) == order_ref.lower())
    if date is not None:
        since, until = day_bounds(date, services.sop.current.operator.timezone)
        begins = col(StopRequest.window_start_at)
        query = query.where(begins >= since, begins < until)
    async with services.database.transaction() as session:
        rows = list(await session.scalars(query.order_by(asked, row_id).limit(limit + 1)))
    last = rows[limit - 1] if len(rows) > limit else None
    return RequestPage(
        stop_requests=[show_request(row) for row in rows[:limit]],
        next_cursor=cursor_at(last.asked_at, last.id) if last else None,
    )


@router.get("/stop-requests/{request_id}", responses=problems(404))
async def get_request(request_id: UUID, caller: CallerIn, services: ServicesIn) -> RequestOut:
    request = await services.intake.find(request_id)
    if request is None or not caller.may_see(request.client):
        raise not_found("stop request")
    return show_request(request)


@router.delete("/stop-requests/{request_id}", responses=problems(404, 409))
async def withdraw_request(request_id: UUID, caller: CallerIn, services: ServicesIn) -> RequestOut:
    """Takes back a stop that waits for a dispatcher. One that is entered is cancelled as a stop."""
    await get_request(request_id, caller, services)
    request = await services.intake.withdraw(request_id, caller.actor)
    if request.state is not RequestState.CANCELLED:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "not_waiting",
            "It does not wait for a dispatcher.",
            subject_id=request.stop_id,
        )
    return show_request(request)


def _answered(submitted: Submitted) -> Response:
    """A repeated request is answered as it was at first, whatever became of it since."""
    request = submitted.request
    headers = {"Idempotency-Replayed": "true"} if submitted.is_repeat else {}
    if request.first_state is RequestState.REFUSED:
        return answer_problem(refusal(request).problem, headers)
    first = show_request(request).model_copy(
        update={
            "state": request.first_state,
            "reasons": show_reasons(request.first_reasons),
            "stop_id": None,
            "changed_at": request.asked_at,
        }
    )
    headers["Location"] = f"/api/v1/stop-requests/{request.id}"
    return JSONResponse(first.model_dump(mode="json"), HTTPStatus.ACCEPTED, headers=headers)


def refusal(request: StopRequest) -> ProblemError:
    status, code = HTTPStatus.UNPROCESSABLE_ENTITY, next(iter(request.codes), "refused")
    if Because.NOT_ALLOWED in request.codes:
        status, code = HTTPStatus.FORBIDDEN, Because.NOT_ALLOWED
    elif Because.DUPLICATE in request.codes:
        status, code = HTTPStatus.CONFLICT, Because.DUPLICATE
    return ProblemError(
        status,
        code,
        text_of(code),
        reasons=show_reasons(request.reasons),
        subject_id=request.duplicate_of or request.id,
    )
