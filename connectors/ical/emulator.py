"""A calendar server, pretended: feeds under `/feeds/{name}.ics`, with ETag and Last-Modified as servers send them."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from connectors.emulation import FaultMiddleware, Faults


@dataclass
class Feed:
    text: str
    with_etag: bool = True
    with_date: bool = True
    moved_to: str = ""
    modified_at: datetime = datetime(2026, 6, 1, tzinfo=UTC)
    sent: int = 0
    """Whole answers."""
    unchanged: int = 0
    """Answers without a body, because the asker had it."""

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.text.encode()).hexdigest()[:16]}"'

    @property
    def last_modified(self) -> str:
        return format_datetime(self.modified_at, usegmt=True)


class CalendarEmulator:
    def __init__(self) -> None:
        self.faults = Faults()
        self.feeds: dict[str, Feed] = {}
        self.app = Starlette(
            routes=[Route("/feeds/{name}.ics", self._serve)],
            middleware=[Middleware(FaultMiddleware, faults=self.faults)],
        )

    async def _serve(self, request: Request) -> Response:
        feed = self.feeds.get(request.path_params["name"])
        if feed is None:
            return Response(status_code=404)
        if feed.moved_to:
            return RedirectResponse(feed.moved_to, 302)
        if self._has(request, feed):
            feed.unchanged += 1
            return Response(status_code=304)
        feed.sent += 1
        headers = {"etag": feed.etag} if feed.with_etag else {}
        headers |= {"last-modified": feed.last_modified} if feed.with_date else {}
        return Response(feed.text, media_type="text/calendar", headers=headers)

    def _has(self, request: Request, feed: Feed) -> bool:
        """The tag decides where both are sent. Source: RFC 9110, 13.2.2."""
        if feed.with_etag and "if-none-match" in request.headers:
            return request.headers["if-none-match"] == feed.etag
        return feed.with_date and request.headers.get("if-modified-since") == feed.last_modified
