"""The day's manifest as a page that prints well: for who has the link, which Slack hands out."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, FastAPI, Query
from starlette.responses import HTMLResponse

from bot.links import ExpiredLinkError, ForgedLinkError
from bot.manifest.days import read_day
from bot.manifest.links import PATH, ManifestLinks
from bot.manifest.reading import ManifestReader
from bot.web.manifest_shown import day_words, shown
from bot.web.pages import mount_static, page
from bot.web.proof import PRIVATE
from connectors.desk import ManifestView

Short = Annotated[str, Query(max_length=200)]


class LockedError(Exception):
    """The page may not be shown; `why` and the status say which of the reasons it is."""

    def __init__(self, why: str, status: HTTPStatus) -> None:
        super().__init__(why)
        self.why = why
        self.status = status


def mount(
    app: FastAPI, reader: ManifestReader, links: ManifestLinks, today: Callable[[], date], *, is_open: bool
) -> None:
    """`is_open`: everybody may look at everything, as in the demo. `today` is the operator's."""
    mount_static(app)
    app.include_router(router(reader, links, today, is_open=is_open))


def router(
    reader: ManifestReader, links: ManifestLinks, today: Callable[[], date], *, is_open: bool
) -> APIRouter:
    """`GET /board/manifest?date=&zone=&key=`: 403 without the key of this zone and day, 410 when it ran out."""
    routes = APIRouter(include_in_schema=False)

    @routes.get(f"/{PATH}")
    async def show_manifest(
        date: Short = "", zone: Annotated[str | None, Query(max_length=200)] = None, key: Short = ""
    ) -> HTMLResponse:
        try:
            day = _day(date, today)
            if not is_open:
                _check(links, zone or "", day, key)
        except LockedError as exc:
            return _private(page("manifest_closed.html", why=exc.why), exc.status)
        if is_open:
            views = await reader.views(day)
            return _page(day, [view for view in views if zone in (None, view.zone)], zone, views)
        view = await reader.find_view(zone or "", day)
        return _page(day, [view] if view is not None else [], zone)

    return routes


def _day(written: str, today: Callable[[], date]) -> date:
    if not written:
        return today()
    try:
        return read_day(written)
    except ValueError as exc:
        raise LockedError("unreadable", HTTPStatus.BAD_REQUEST) from exc


def _check(links: ManifestLinks, zone: str, day: date, key: str) -> None:
    try:
        links.check(zone, day, key)
    except ExpiredLinkError as exc:
        raise LockedError("expired", HTTPStatus.GONE) from exc
    except ForgedLinkError as exc:
        raise LockedError("locked", HTTPStatus.FORBIDDEN) from exc


def _page(
    day: date, wanted: Sequence[ManifestView], zone: str | None, views: Sequence[ManifestView] | None = None
) -> HTMLResponse:
    """`views`: all of that day, for whoever may go on to other zones and days."""
    found = HTTPStatus.OK if wanted else HTTPStatus.NOT_FOUND
    values = {
        "day": day_words(day),
        "manifests": [shown(view) for view in wanted],
        "zones": _zones(day, views or [], zone),
        "days": [_href(day + timedelta(days=step), zone) for step in (-1, 1)] if views is not None else [],
    }
    return _private(page("manifest.html", **values), found)


def _zones(day: date, views: Sequence[ManifestView], zone: str | None) -> list[dict[str, object]]:
    if len(views) < 2:
        return []
    everything = {"name": "All zones", "href": _href(day), "is_here": zone is None}
    return [everything] + [
        {"name": view.zone or "No zone", "href": _href(day, view.zone), "is_here": view.zone == zone}
        for view in views
    ]


def _href(day: date, zone: str | None = None) -> str:
    wanted = {"date": day.isoformat()} | ({"zone": zone} if zone is not None else {})
    return f"/{PATH}?{urlencode(wanted)}"


def _private(response: HTMLResponse, status: HTTPStatus) -> HTMLResponse:
    response.headers.update(PRIVATE)
    response.status_code = status
    return response
