"""`GET /incidents/report/{token}`: an incident's report as a page, for the dispatcher whom Slack gave the link."""

from http import HTTPStatus

from fastapi import APIRouter
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from bot.errors import NotFoundError
from bot.incidents.page import as_html
from bot.incidents.report import IncidentReports
from bot.links import ExpiredLinkError, ForgedLinkError, SignedLinks
from bot.web.proof import PRIVATE

# Style and typeface are inside the page; nothing is loaded, and nothing in it runs.
ONLY_ITSELF = PRIVATE | {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; font-src data:; sandbox"
}


def router(reports: IncidentReports, links: SignedLinks) -> APIRouter:
    """404 for a link that is none of ours, 410 for one that has run out."""
    routes = APIRouter(prefix="/incidents", include_in_schema=False)

    @routes.get("/report/{token}")
    async def show_report(token: str) -> Response:
        try:
            report = await reports.read(str(links.open(token).thing_id))
        except ExpiredLinkError:
            return _plain("This link has run out. Ask for the report again in Slack.", HTTPStatus.GONE)
        except (ForgedLinkError, NotFoundError):
            return _plain("There is no such report.", HTTPStatus.NOT_FOUND)
        return HTMLResponse(as_html(report), headers=ONLY_ITSELF)

    return routes


def _plain(words: str, status: HTTPStatus) -> Response:
    return PlainTextResponse(words, status, headers=PRIVATE)
