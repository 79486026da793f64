"""Route4Me's one callback for the whole account: unsigned, so what it says is a hint of what to look at again."""

import hashlib
import hmac
from datetime import datetime

import structlog
from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from connectors.base import Now, PlatformEvent, ReceivePlatformEvent
from connectors.errors import (
    PlatformMisconfiguredError,
    UnreadablePayloadError,
)
from connectors.platform_webhook import parse_body, take_event
from connectors.route4me.feed import kind_of, to_event
from connectors.route4me.payloads import Activity

SHORTEST_SECRET = 16
"""Characters. The path is all that keeps others from posting here."""

log = structlog.get_logger(__name__)


def router(
    receive: ReceivePlatformEvent, *, secret: str, platform_name: str, now: Now, path: str = "/webhook"
) -> APIRouter:
    """`POST {path}/{secret}` takes one activity of the account `platform_name`. Each account has its own path.

    A wrong secret is answered 404, which Route4Me does not repeat. Raises `PlatformMisconfiguredError` at once
    for a secret that is too short to be one.
    """
    if len(secret) < SHORTEST_SECRET:
        raise PlatformMisconfiguredError(
            platform_name, f"the webhook secret has fewer than {SHORTEST_SECRET} characters"
        )
    routes = APIRouter()

    @routes.post(f"{path}/{{given}}")
    async def take_activity(given: str, request: Request) -> Response:
        if not hmac.compare_digest(given.encode(), secret.encode()):
            return PlainTextResponse("not found", 404)
        return await take_event(request, lambda body: read_event(body, platform_name, now()), receive)

    return routes


def read_event(body: bytes, platform_name: str, read_at: datetime) -> PlatformEvent | None:
    """The event, or None for a kind that changes nothing here.

    Nothing is taken for true, not even a deletion: the event names a stop or a route, and the sync looks at it.
    Raises `UnreadablePayloadError` with the reason when the body is no activity.
    """
    activity = _parse(body)
    vendor_id = f"{platform_name}:{activity.activity_id or hashlib.sha256(body).hexdigest()}"
    event = to_event(activity, platform_name, vendor_id, read_at, known_ref=lambda _: None)
    if event is None:
        is_known = kind_of(activity) is not None
        log.info(
            "route4me_event_not_handled",
            platform=platform_name,
            activity_type=activity.activity_type[:40],
            names_nothing=is_known,
        )
    return event


def _parse(body: bytes) -> Activity:
    activity = parse_body(Activity, body)
    if not activity.activity_type:
        raise UnreadablePayloadError("activity_type: missing")
    return activity
