"""Mistakes of ours under `/api/v1`: the caller gets a problem document, the log where it happened, nobody more."""

from http import HTTPStatus
from pathlib import Path
from traceback import extract_tb

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.api.v1.problems import Problem, answer_problem, is_ours
from bot.settings import PROJECT_ROOT

log = structlog.get_logger()


class AnswerCutOffError(Exception):
    """An answer broke off after it had begun; closes the connection."""


class Unforeseen:
    """Neither the text of the error nor its traceback leaves by log: they may quote names and addresses."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_ours(scope["path"]):
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def sent(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except Exception as exc:
            log.error("api_failed", error=type(exc).__name__, place=place_of(exc), method=scope["method"])
            if has_begun:
                raise AnswerCutOffError(type(exc).__name__) from None
            await answer_problem(_problem())(scope, receive, send)


def place_of(error: BaseException) -> str:
    """The last line of our own that the error passed, `bot/intake/service.py:120`."""
    ours = [
        f"{Path(frame.filename).relative_to(PROJECT_ROOT)}:{frame.lineno}"
        for frame in extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(PROJECT_ROOT) and "site-packages" not in frame.filename
    ]
    return ours[-1] if ours else "elsewhere"


def _problem() -> Problem:
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return Problem(title=status.phrase, status=status, code=status.name.lower())
