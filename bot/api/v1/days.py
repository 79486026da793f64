"""One day in figures, as the daily mail has it."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from bot.api.v1.auth import CallerIn, ServicesIn, client_for
from bot.api.v1.bodies import Day, Text
from bot.api.v1.problems import ProblemError, not_found, problems
from bot.clients.day import DaySummary
from bot.reports.errors import BadPeriodError, UnknownClientError

router = APIRouter(tags=["reports"])


@router.get("/summary", responses=problems(403, 404, 422))
async def get_summary(
    caller: CallerIn,
    services: ServicesIn,
    day: Annotated[Day | None, Query(description="Local day; today in the operator's zone.")] = None,
    client: Annotated[Text | None, Query(min_length=1, max_length=200, description="Operators only.")] = None,
) -> DaySummary:
    """Stops, delivered, on time, late, failed and why, follow-ups, open reports; `as_of` says when it was read."""
    whose = client_for(caller, client)
    wanted = day or services.clock.now().astimezone(services.sop.current.zone).date()
    try:
        return (await services.client_days.read(whose, wanted, is_known=not caller.is_operator)).summary
    except UnknownClientError as exc:
        raise not_found("client") from exc
    except BadPeriodError as exc:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_period", str(exc)) from exc
