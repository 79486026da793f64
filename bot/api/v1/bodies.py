"""Limits of what is sent to `/api/v1`: its size, its kind, and characters that no database keeps."""

from collections.abc import Callable, Coroutine
from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.api.v1.problems import PREFIX, Problem, ProblemError, answer_problem

LARGEST_BODY = 256 * 1024
LARGEST_FILE = 8 * 1024 * 1024
FILE_PATHS = (f"{PREFIX}/stops/csv",)


def _kept(text: str) -> str:
    """Raises `ValueError` for what PostgreSQL cannot keep."""
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        raise ValueError("expected text without lone surrogates") from exc
    if any(ord(character) < 32 and character not in "\t\r\n" for character in text):
        raise ValueError("expected text without control characters")
    return text.strip()


def _of_our_time(moment: datetime) -> datetime:
    if not 2000 <= moment.year <= 2100:
        raise ValueError("expected a year from 2000 to 2100")
    return moment.astimezone(UTC)


def _day_of_our_time(day: date) -> date:
    if not 2000 <= day.year <= 2100:
        raise ValueError("expected a year from 2000 to 2100")
    return day


Text = Annotated[str, AfterValidator(_kept)]
Name = Annotated[str, Field(max_length=200), AfterValidator(_kept)]
Instant = Annotated[AwareDatetime, AfterValidator(_of_our_time)]
Day = Annotated[date, AfterValidator(_day_of_our_time)]


def reads(*kinds: str) -> Callable[[Request], Coroutine[Any, Any, None]]:
    """A dependency of a route with a body: 415 for any other kind."""

    async def check(request: Request) -> None:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in kinds:
            raise ProblemError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", f"Send {' or '.join(kinds)}."
            )

    return check


class BodyLimit:
    """Refuses what is too large before it is read: by its announced length, or while it comes in."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        limit = LARGEST_FILE if scope["path"] in FILE_PATHS else LARGEST_BODY
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > limit:
            await answer_problem(_too_large(limit))(scope, receive, send)
            return
        await self._app(scope, _counted(receive, limit), send)


def _counted(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            # The one kind of error that FastAPI lets pass while it reads a body.
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"At most {limit // 1024} KiB are read.")
        return message

    return counted


def _too_large(limit: int) -> Problem:
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return Problem(
        title=status.phrase, status=status, code="too_large", detail=f"At most {limit // 1024} KiB are read."
    )
