"""A client's receiving system, pretended: it verifies with the library that clients use, and remembers.

`POST /hooks` is what it offers; `POST /hooks/{name}` the same for several systems on one server.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from connectors.emulation import FaultMiddleware, Faults

DEFAULT = "default"


@dataclass
class Received:
    """What one system has, each event once, in the order in which it came first."""

    secret: str = ""
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Bodies by `webhook-id`."""
    repeated: int = 0
    """Deliveries of something that it had already."""
    forged: int = 0
    """Deliveries whose signature or time was wrong."""
    headers: list[dict[str, str]] = field(default_factory=list)
    """Of every delivery that was well signed."""
    gone: bool = False
    refuses: frozenset[str] = frozenset()
    """Types that it answers with 400."""
    redirects_to: str = ""
    body: bytes = b""
    """What it answers with."""

    @property
    def types(self) -> list[str]:
        return [body["type"] for body in self.events.values()]


class ClientSystemEmulator:
    def __init__(self) -> None:
        self.faults = Faults()
        self.systems: dict[str, Received] = defaultdict(Received)
        self.app = Starlette(
            routes=[
                Route("/hooks", self._receive, methods=["POST"]),
                Route("/hooks/{name}", self._receive, methods=["POST"]),
            ],
            middleware=[Middleware(FaultMiddleware, faults=self.faults)],
        )

    @property
    def default(self) -> Received:
        return self.systems[DEFAULT]

    async def _receive(self, request: Request) -> Response:
        system = self.systems[request.path_params.get("name", DEFAULT)]
        if system.gone:
            return Response(status_code=410)
        if system.redirects_to:
            return RedirectResponse(system.redirects_to, 307)
        body, headers = await request.body(), dict(request.headers)
        try:
            event = Webhook(system.secret).verify(body, headers)
        except (WebhookVerificationError, ValueError):
            system.forged += 1
            return Response(status_code=401)
        if event["type"] in system.refuses:
            return Response(status_code=400)
        system.headers.append(headers)
        if headers["webhook-id"] in system.events:
            system.repeated += 1
        else:
            system.events[headers["webhook-id"]] = event
        return Response(system.body, status_code=200 if system.body else 204)
