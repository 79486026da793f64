"""The board: today's follow-ups and late stops on one page, for who has the link, which Slack hands out."""

from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, FastAPI, Query
from starlette.responses import HTMLResponse

from bot.board.links import PATH, BoardLinks
from bot.board.reading import BoardReader
from bot.links import ExpiredLinkError, ForgedLinkError
from bot.web.board_shown import shown
from bot.web.pages import mount_static, page
from bot.web.proof import PRIVATE
from connectors.follow_up import Board

Short = Annotated[str, Query(max_length=200)]


def mount(app: FastAPI, reader: BoardReader, links: BoardLinks, *, is_open: bool) -> None:
    """`is_open`: everybody may look, as in the demo."""
    mount_static(app)
    app.include_router(router(reader, links, is_open=is_open))


def router(reader: BoardReader, links: BoardLinks, *, is_open: bool) -> APIRouter:
    """`GET /board?zone=&key=`: 403 without the key, 410 when it ran out."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(f"/{PATH}")
    async def show_board(
        zone: Annotated[str | None, Query(max_length=200)] = None, key: Short = ""
    ) -> HTMLResponse:
        why = "" if is_open else _closed(links, key)
        if why:
            status = HTTPStatus.GONE if why == "expired" else HTTPStatus.FORBIDDEN
            return _private(page("board_closed.html", why=why), status)
        board = await reader.read(zone)
        return _private(page("board.html", board=shown(board), zones=_zones(board, key)), HTTPStatus.OK)

    return routes


def _closed(links: BoardLinks, key: str) -> str:
    """Why the page may not be shown; empty: it may."""
    try:
        links.check(key)
    except ExpiredLinkError:
        return "expired"
    except ForgedLinkError:
        return "locked"
    return ""


def _zones(board: Board, key: str) -> list[dict[str, object]]:
    if len(board.zones) < 2:
        return []
    everything = {"name": "All zones", "href": _href(None, key), "is_here": board.zone is None}
    return [everything] + [
        {"name": zone or "No zone", "href": _href(zone, key), "is_here": zone == board.zone}
        for zone in board.zones
    ]


def _href(zone: str | None, key: str) -> str:
    wanted = ({"zone": zone} if zone is not None else {}) | ({"key": key} if key else {})
    return f"/{PATH}?{urlencode(wanted)}" if wanted else f"/{PATH}"


def _private(response: HTMLResponse, status: HTTPStatus) -> HTMLResponse:
    response.headers.update(PRIVATE)
    response.status_code = status
    return response
