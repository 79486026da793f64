"""A whole file of wanted stops: valid rows go in, bad rows come back with line and reasons."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.api.v1.auth import CallerIn, ServicesIn, client_for
from bot.api.v1.bodies import Text, reads
from bot.api.v1.problems import PREFIX, ProblemError, not_found, problems
from bot.intake.csv_rows import COLUMNS, REQUIRED, UnreadableFileError
from bot.intake.upload_reports import UploadReport, UploadState, as_csv, report_of

router = APIRouter(tags=["stop requests"])

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": f"Columns: {', '.join(COLUMNS)}; needed are {', '.join(REQUIRED)}.",
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}

_REPORT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "The report."}
}
_STARTED: dict[int | str, dict[str, Any]] = {
    202: {
        "model": UploadReport,
        "description": "A large file, being taken in: `GET` of the `Location` tells when it is done.",
        "headers": {"Location": {"schema": {"type": "string"}}},
    }
}


@router.post(
    "/stops/csv",
    responses=_REPORT | _STARTED | problems(400, 403, 413, 415),
    response_model=UploadReport,
    dependencies=[Depends(reads("text/csv", "multipart/form-data"))],
    openapi_extra=_BODY,
)
async def take_file(
    request: Request,
    caller: CallerIn,
    services: ServicesIn,
    client: Annotated[Text | None, Query(min_length=1, max_length=200, description="Operators only.")] = None,
) -> Response:
    """Takes in a CSV file, UTF-8 or as Windows writes it, times local to the operator.

    A small file is answered with its report (200), a large one at once with 202 and where its report will be. The
    same file again is the same upload and makes nothing twice. A file that is no such table as a whole is 422, and
    nothing of it goes in. `Accept: text/csv` gives the report as CSV.
    """
    whose = client_for(caller, client)
    try:
        report = await services.uploads.take_in(whose, await _content(request), caller.actor)
    except UnreadableFileError as exc:
        too_many = exc.code == "too_many_rows"
        status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if too_many else HTTPStatus.UNPROCESSABLE_ENTITY
        raise ProblemError(status, exc.code, str(exc)) from exc
    if report.state is UploadState.DONE:
        return _shown(request, report)
    where = {"Location": f"{PREFIX}/stop-uploads/{report.upload_id}"}
    return JSONResponse(report.model_dump(mode="json"), HTTPStatus.ACCEPTED, headers=where)


@router.get("/stop-uploads/{upload_id}", responses=_REPORT | problems(404, 409), response_model=UploadReport)
async def get_upload(request: Request, upload_id: UUID, caller: CallerIn, services: ServicesIn) -> Response:
    """The report, `state` telling whether it is `done`. As CSV only then: before that it is 409."""
    upload = await services.uploads.find(upload_id)
    if upload is None or not caller.may_see(upload.client):
        raise not_found("upload")
    report = report_of(upload)
    if report.state is UploadState.TAKING_IN and _wants_csv(request):
        raise ProblemError(HTTPStatus.CONFLICT, "not_done", "It is still being taken in.")
    return _shown(request, report)


def _shown(request: Request, report: UploadReport) -> Response:
    if _wants_csv(request):
        return Response(as_csv(report), media_type="text/csv")
    return JSONResponse(report.model_dump(mode="json"))


def _wants_csv(request: Request) -> bool:
    return "text/csv" in request.headers.get("accept", "")


async def _content(request: Request) -> bytes:
    if request.headers["content-type"].lower().startswith("text/csv"):
        return await request.body()
    async with request.form(max_files=1, max_fields=5) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY, "file_missing", "The form has no file named `file`."
            )
        return await file.read()
