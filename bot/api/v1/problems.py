"""Every answer that is no success is a problem document (RFC 9457), and is listed in the OpenAPI document."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from uuid import UUID

import structlog
from fastapi import FastAPI
from fastapi.exception_handlers import http_exception_handler, request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.errors import DoorlineError

Elsewhere = Callable[[Request, Exception], Response | Awaitable[Response]]
PREFIX = "/api/v1"
MEDIA_TYPE = "application/problem+json"
log = structlog.get_logger()


class Reason(BaseModel):
    """One thing that speaks against what was asked."""

    model_config = ConfigDict(extra="forbid")

    code: str
    """For programs: does not change."""
    text: str
    """For people, in English."""
    field: str = ""
    """Where in the request, `window.start_at`; empty where it is about the whole."""


class Problem(BaseModel):
    """RFC 9457. `code` says for programs what `title` says for people."""

    model_config = ConfigDict(extra="forbid")

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str = ""
    reasons: list[Reason] = []
    subject_id: UUID | None = None
    """The stop or request that it is about, such as the earlier one of a duplicate."""


class ProblemError(DoorlineError):
    """Raised by the API's own code; answered as it is."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str = "",
        *,
        reasons: Sequence[Reason] = (),
        subject_id: UUID | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.problem = Problem(
            title=status.phrase,
            status=status,
            code=code,
            detail=detail,
            reasons=list(reasons),
            subject_id=subject_id,
        )
        self.headers = dict(headers or {})


def not_found(what: str) -> ProblemError:
    """Also for what is another client's: who may not see it learns nothing of it."""
    return ProblemError(HTTPStatus.NOT_FOUND, "not_found", f"There is no such {what}.")


_SCHEMA = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
_SCHEMA.pop("$defs", None)
_MEANINGS = {
    400: "The request cannot be read.",
    401: "No token, or one that is unknown or revoked.",
    403: "The token may not do this.",
    404: "There is no such thing, or it is another client's.",
    405: "The path knows no such method.",
    409: "It contradicts what is there.",
    410: "It is no longer kept.",
    413: "The body is too large.",
    415: "The body is of a kind that this path does not read.",
    422: "The request is readable and wrong; `reasons` say where.",
    429: "Too many calls; `Retry-After` says when to go on, in seconds.",
    500: "A mistake of ours; our log has it.",
    503: "Not now; `Retry-After` says when to try again, in seconds.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For `responses=` of a route: these, and those that every route may answer."""
    return {status: _documented(status) for status in sorted({401, 422, 429, 500, 503, *statuses})}


def _documented(status: int) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": _MEANINGS[status],
        "content": {MEDIA_TYPE: {"schema": _SCHEMA}},
    }
    if status in (429, 503):
        wait = {"schema": {"type": "string", "pattern": "^[0-9]+$"}, "description": "Seconds."}
        answer["headers"] = {"Retry-After": wait}
    if status == 401:
        answer["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return answer


def answer_problem(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    content = problem.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, problem.status, headers=headers, media_type=MEDIA_TYPE)


def install_problems(app: FastAPI) -> None:
    """Makes every failure under `/api/v1` a problem document; elsewhere all stays as it was."""
    elsewhere: Elsewhere | None = app.exception_handlers.get(DoorlineError)

    async def of_ours(request: Request, error: Exception) -> Response:
        if isinstance(error, ProblemError):
            return answer_problem(error.problem, error.headers)
        if not _is_ours(request) and elsewhere is not None:
            answer = elsewhere(request, error)
            return answer if isinstance(answer, Response) else await answer
        status = error.status if isinstance(error, DoorlineError) else HTTPStatus.INTERNAL_SERVER_ERROR
        headers = {"Retry-After": "5"} if status is HTTPStatus.SERVICE_UNAVAILABLE else {}
        return answer_problem(Problem(title=status.phrase, status=status, code=_code(status)), headers)

    async def of_http(request: Request, error: HTTPException) -> Response:
        if not _is_ours(request):
            return await http_exception_handler(request, error)
        status = HTTPStatus(error.status_code)
        detail = str(error.detail) if error.detail and error.detail != status.phrase else ""
        problem = Problem(title=status.phrase, status=status, code=_code(status), detail=detail)
        return answer_problem(problem, error.headers)

    async def of_validation(request: Request, error: RequestValidationError) -> Response:
        if not _is_ours(request):
            return await request_validation_exception_handler(request, error)
        reasons = [
            Reason(code="invalid", text=str(each["msg"])[:300], field=_place(each["loc"]))
            for each in error.errors()[:50]
        ]
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return answer_problem(Problem(title=status.phrase, status=status, code="invalid", reasons=reasons))

    app.add_exception_handler(DoorlineError, of_ours)
    app.add_exception_handler(HTTPException, of_http)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, of_validation)  # type: ignore[arg-type]


def _is_ours(request: Request) -> bool:
    return is_ours(request.url.path)


def is_ours(path: str) -> bool:
    return path == PREFIX or path.startswith(PREFIX + "/")


def _code(status: HTTPStatus) -> str:
    return "too_large" if status is HTTPStatus.REQUEST_ENTITY_TOO_LARGE else status.name.lower()


def _place(location: Sequence[Any]) -> str:
    """`body.window.start_at` without its first word, which says only where FastAPI looked."""
    words = [str(part) for part in location if part not in ("body", "query", "path")]
    return ".".join(words).encode(errors="replace").decode()
