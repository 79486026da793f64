"""Slack's edge: events, interactivity and commands on one URL, checked here and routed by bolt.

The signature is verified before anything is read, and freshness is measured on the machine's own clock: it
is about the network, whatever day is being pretended. Bolt would answer a forged request with 401 and fall
over a timestamp that is no number, so it never sees either.
"""

import json
import logging
import re
import traceback
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qs

import structlog
from fastapi import APIRouter, Request, Response
from slack_bolt import BoltResponse
from slack_bolt.adapter.fastapi.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltUnhandledRequestError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from connectors.base import Now
from connectors.errors import BadSignatureError, StorageUnavailableError, UnreadablePayloadError
from connectors.escalation import ReceiveDispatcherAction
from connectors.home import ReceiveHomeAction
from connectors.slack.command_modals import FIELDS as COMMAND_WINDOWS
from connectors.slack.command_modals import PREFIX as COMMAND_WINDOW
from connectors.slack.desk_gestures import INCIDENT_SHORTCUT, NEW_STOP_SHORTCUT, DeskEdge, DeskGestures
from connectors.slack.gestures import Gestures
from connectors.slack.home_gestures import HOME_EVENT, HomeGestures
from connectors.slack.mapping import BUTTONS
from connectors.slack.modal import CALLBACK
from connectors.slack.payloads import Delivery, read
from connectors.slack.slash import COMMAND
from connectors.slack.task_buttons import PREFIX as TASK_BUTTON
from connectors.slack.towards import note_arrival

BODY_LIMIT = 1024 * 1024
"""A pressed button brings the message along, form-encoded: 50 blocks of 3,000 characters, three times."""

SSL_CHECK_FIELDS = frozenset({b"ssl_check", b"token"})

EVENTS = ("reaction_added", "reaction_removed", "message.channels", "message.groups", HOME_EVENT)
"""What docs/slack-manifest.yml subscribes to. Messages of public and private channels arrive as `message`."""

SHORTCUTS = {NEW_STOP_SHORTCUT: "global", INCIDENT_SHORTCUT: "message"}
"""Callback ids of the manifest's shortcuts, and where each is used."""

Listeners = Callable[[AsyncApp], None]
"""Registers what one topic listens to: `partial(escalation_windows.register, ...)`."""

log = structlog.get_logger(__name__)


# --- bolt ------------------------------------------------------------------------------------------


def build_app(
    receive: ReceiveDispatcherAction,
    *,
    signing_secret: str,
    client: AsyncWebClient,
    now: Now,
    bot_user_id: str | None = None,
    desk: DeskEdge | None = None,
    home: ReceiveHomeAction | None = None,
    listeners: Sequence[Listeners] = (),
) -> AsyncApp:
    """The bolt app of one workspace. `receive` stores and returns; bolt answers Slack only after that.

    Without `desk`, commands and the buttons of tasks are answered and ignored, without `home` the App Home's.
    `bot_user_id` may be left out: Slack names our bot in every event, and nothing here asks Slack for it.
    """
    app = AsyncApp(
        name="doorline",
        logger=_quiet_logger(),
        signing_secret=signing_secret,
        client=client,
        authorize=_static_authorize(client, bot_user_id),
        # An event whose listener fails must be answered with an error, or Slack takes it for delivered.
        process_before_response=True,
        raise_error_for_unhandled_request=True,
        # Answered by the route: bolt would want it signed first.
        ssl_check_enabled=False,
    )
    gestures = Gestures(receive, client, now)
    app.event("reaction_added")(gestures.on_reaction)
    app.event("reaction_removed")(gestures.on_reaction)
    app.event("message")(gestures.on_message)
    for action_id in BUTTONS:
        app.action(action_id)(gestures.on_button)
    app.action(CALLBACK)(gestures.on_reply_button)
    app.view(CALLBACK)(gestures.on_reply_sent)
    if desk is not None:
        _listen_for_desk(app, DeskGestures(desk, client, now))
    if home is not None:
        HomeGestures(home, now).listen(app)
    for listen in listeners:
        listen(app)
    app.error(_answer_error)
    return app


def _listen_for_desk(app: AsyncApp, gestures: DeskGestures) -> None:
    app.action(re.compile(f"^{TASK_BUTTON}"))(gestures.on_task_button)
    app.command(COMMAND)(gestures.on_slash)
    app.global_shortcut(NEW_STOP_SHORTCUT)(gestures.on_shortcut)
    app.message_shortcut(INCIDENT_SHORTCUT)(gestures.on_message_shortcut)
    for kind in COMMAND_WINDOWS:
        app.view(f"{COMMAND_WINDOW}{kind.value}")(gestures.on_modal_sent(kind))


def _quiet_logger() -> logging.Logger:
    """Bolt's warnings quote whole payloads; ours carry ids only."""
    logger = logging.getLogger("connectors.slack.bolt")
    logger.setLevel(logging.CRITICAL)
    return logger


def _static_authorize(client: AsyncWebClient, bot_user_id: str | None) -> Callable[..., Any]:
    """One workspace, one token. Bolt would else ask `auth.test` first, and lose the event when that fails."""

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=enterprise_id, team_id=team_id, bot_user_id=bot_user_id, bot_token=client.token
        )

    return authorize


async def _answer_error(error: Exception, body: dict[str, Any]) -> BoltResponse:
    """What Slack is told when a listener failed, or when there was none."""
    event_id = body.get("event_id")
    if isinstance(error, BoltUnhandledRequestError):
        # Anything but 200 would be delivered three times more.
        log.info("slack.ignored", type=_kind(body), event_id=event_id)
        return BoltResponse(status=200, body="")
    if isinstance(error, UnreadablePayloadError):
        return BoltResponse(status=400, body=str(error))
    if isinstance(error, StorageUnavailableError):
        return BoltResponse(status=503, body="nothing was stored", headers={"Retry-After": "5"})
    # Not the text of the error: a database quotes the values it refused.
    where = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{where.filename}:{where.lineno}"
    log.error("slack.listener_failed", error=type(error).__name__, place=place, event_id=event_id)
    return BoltResponse(status=500, body="")


def _kind(body: dict[str, Any]) -> str:
    """`member_joined_channel`, `view_submission` and the like."""
    event = body.get("event")
    kind = event.get("type") if isinstance(event, dict) else body.get("type", body.get("command"))
    return str(kind)


# --- the route ----------------------------------------------------------------------------------------


def router(app: AsyncApp, *, signing_secret: str) -> APIRouter:
    """POST `/events`, to be mounted under `/connectors/slack`."""
    verifier = SignatureVerifier(signing_secret)
    handler = AsyncSlackRequestHandler(app)
    routes = APIRouter(tags=["slack"])

    @routes.post("/events", include_in_schema=False)
    async def receive_delivery(request: Request) -> Response:
        note_arrival()
        body = await _body_within_limit(request)
        if body is None:
            return Response("the body is too long", 413)
        if _is_ssl_check(body):
            return Response()
        try:
            _check_signature(verifier, request, body)
            _check_shape(request, body)
        except BadSignatureError as error:
            log.warning("slack.forged", reason=str(error))
            return Response(str(error), 403)
        except UnreadablePayloadError as error:
            log.warning("slack.unreadable", reason=str(error))
            return Response(str(error), 400)
        try:
            return await handler.handle(request)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            # Bolt answers for its listeners itself; what it raises here it stumbled over while reading the body.
            log.warning("slack.unreadable", reason=type(error).__name__)
            return Response("the body is not what Slack documents", 400)

    return routes


async def _body_within_limit(request: Request) -> bytes | None:
    """The raw body, also left where `request.body()` finds it; None when it is longer than `BODY_LIMIT`."""
    chunks, length = [], 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > BODY_LIMIT:
            return None
        chunks.append(chunk)
    request._body = b"".join(chunks)
    return request._body


def _is_ssl_check(body: bytes) -> bool:
    """Slack looks at our certificate now and then, unsigned. Nothing is done. Source: slash commands, ssl_check."""
    fields = body.split(b"&")
    return b"ssl_check=1" in fields and {field.partition(b"=")[0] for field in fields} <= SSL_CHECK_FIELDS


def _check_signature(verifier: SignatureVerifier, request: Request, body: bytes) -> None:
    timestamp = request.headers.get("x-slack-request-timestamp", "")
    signature = request.headers.get("x-slack-signature", "")
    if not timestamp or not signature:
        raise BadSignatureError("the request is not signed")
    # The verifier raises on both of these instead of answering no.
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12 and signature.isascii()):
        raise BadSignatureError("the signature is unreadable")
    try:
        genuine = verifier.is_valid(body, timestamp, signature)
    except UnicodeDecodeError as exc:
        raise UnreadablePayloadError("the body is not UTF-8") from exc
    if not genuine:
        raise BadSignatureError("the signature is wrong or too old")


def _check_shape(request: Request, body: bytes) -> None:
    """Refuses what bolt would trip over. A slash command is a plain form and has nothing to trip over."""
    text = body.decode()
    if text.startswith("{") or "json" in request.headers.get("content-type", ""):
        read(Delivery, _json(text))
        return
    form = parse_qs(text, keep_blank_values=True)
    if "payload" in form:
        read(Delivery, _json(form["payload"][-1]))
    elif "command" not in form:
        raise UnreadablePayloadError("neither an event, nor a payload, nor a command")


def _json(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise UnreadablePayloadError("the body is not JSON") from exc
    # Bolt knows JSON by its first character.
    if not isinstance(value, dict) or not text.startswith("{"):
        raise UnreadablePayloadError("the body is not a JSON object")
    return value
