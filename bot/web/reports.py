"""`GET /reports/sla/{token}`: a client's review as a page, for the dispatcher whom Slack gave the link.

`?format=pdf` and `csv` give the same as a file.
"""

from http import HTTPStatus

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from bot.links import ExpiredLinkError, ForgedLinkError
from bot.reports.asked import ReportLinks
from bot.reports.errors import BadPeriodError, PdfUnavailableError, UnknownClientError
from bot.reports.rendering import render
from bot.reports.service import SlaReports
from bot.sop_reports import Format
from bot.web.proof import PRIVATE

# Style, typeface and charts are inside the page; nothing is loaded, and nothing in it runs.
ONLY_ITSELF = PRIVATE | {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:; sandbox"
}


def router(reports: SlaReports, links: ReportLinks) -> APIRouter:
    """404 for a link that is none of ours, 410 for one that has run out."""
    routes = APIRouter(prefix="/reports", include_in_schema=False)

    @routes.get("/sla/{token}")
    async def show_report(token: str, format: Format = Format.HTML) -> Response:
        try:
            client, period = links.open(token)
            written = await render(await reports.make(client, period, is_known=True), format)
        except ExpiredLinkError:
            return _plain("This link has run out. Ask for the report again in Slack.", HTTPStatus.GONE)
        except (ForgedLinkError, UnknownClientError, BadPeriodError):
            return _plain("There is no such report.", HTTPStatus.NOT_FOUND)
        except PdfUnavailableError:
            return _plain("PDF cannot be made on this server.", HTTPStatus.SERVICE_UNAVAILABLE)
        headers = dict(ONLY_ITSELF)
        if format is not Format.HTML:
            headers["Content-Disposition"] = f'attachment; filename="{written.filename}"'
        return Response(written.content, media_type=written.media_type, headers=headers)

    return routes


def _plain(words: str, status: HTTPStatus) -> Response:
    return PlainTextResponse(words, status, headers=PRIVATE)
