"""Service level reports, for the client itself and for the operator."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from bot.api.v1.auth import CallerIn, ServicesIn, client_for
from bot.api.v1.bodies import Day, Text
from bot.api.v1.problems import ProblemError, not_found, problems
from bot.reports.errors import BadPeriodError, PdfUnavailableError, UnknownClientError
from bot.reports.records import Period
from bot.reports.rendering import render
from bot.reports.report import SlaReport
from bot.reports.service import SlaReports
from bot.reports.writing import Format

router = APIRouter(tags=["reports"])

_FORMS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The report, in the form that was asked for.",
        "content": {
            "text/html": {"schema": {"type": "string"}},
            "text/csv": {"schema": {"type": "string"}},
            "application/pdf": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


@router.get("/reports/sla", responses=_FORMS | problems(403, 404, 422), response_model=SlaReport)
async def get_sla_report(
    caller: CallerIn,
    services: ServicesIn,
    first: Annotated[Day, Query(alias="from", description="First day, local to the stops.")],
    last: Annotated[Day, Query(alias="to", description="Last day, included; today at the latest.")],
    wanted: Annotated[Format, Query(alias="format")] = Format.JSON,
    client: Annotated[Text | None, Query(min_length=1, max_length=200, description="Operators only.")] = None,
) -> Response:
    """On-time rate by day and zone against what was promised, why promises were missed, penalties, and the trend.

    The same period gives the same bytes once it is over and nothing of it is corrected any more.
    """
    whose, period = client_for(caller, client), Period(first, last)
    reports = SlaReports(services.database, services.clock, services.sop)
    try:
        report = await reports.make(whose, period, is_known=not caller.is_operator)
        written = await render(report, wanted)
    except UnknownClientError as exc:
        raise not_found("client") from exc
    except BadPeriodError as exc:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_period", str(exc)) from exc
    except PdfUnavailableError as exc:
        detail = "PDF cannot be made on this server; the other formats can."
        headers = {"Retry-After": "3600"}
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "no_pdf", detail, headers=headers) from exc
    kind = "inline" if wanted is Format.JSON else "attachment"
    headers = {"Content-Disposition": f'{kind}; filename="{written.filename}"', "Cache-Control": "no-store"}
    return Response(written.content, media_type=written.media_type, headers=headers)
