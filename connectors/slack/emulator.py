"""Slack, pretended: one workspace over HTTP, for the demo and the tests.

`/api/…` is Slack's Web API, `/actions/…` its response URLs. What only the demo page and the tests use lives
under `/_emulator/`. A dispatcher's user token is `xoxp-<user id>`.
"""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from connectors.base import Now
from connectors.emulation import Fault, FaultMiddleware, Faults, Ledger, read_json
from connectors.slack.emulator_api import ALL_SCOPES, RateLimitedError, WebApi
from connectors.slack.emulator_args import read_args
from connectors.slack.emulator_events import EventSender, event_id
from connectors.slack.emulator_state import (
    APP_ID,
    BOT,
    BOT_USER_ID,
    TEAM_ID,
    Actor,
    Draft,
    Message,
    SlackError,
    Workspace,
    outward,
)

RESPONSE_URL_USES = 5
RESPONSE_URL_LIFE = timedelta(minutes=30)


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ReactOrder(Order):
    channel: str
    ts: str
    user: str
    name: str
    remove: bool = False


class PressOrder(Order):
    channel: str
    ts: str
    user: str
    action_id: str


class FaultSpec(Order):
    kind: Literal["status", "slow", "reset", "malformed"]
    status: int = 500
    seconds: float = 0.0
    after_work: bool = False
    path_contains: str = ""
    retry_after: int | None = None


class FaultOrder(Order):
    """What is left out stays as it is; `clear` comes first."""

    clear: bool = False
    down: bool | None = None
    error_share: float | None = None
    slow_share: float | None = None
    slow_seconds: float | None = None
    rate_limited: bool | None = None
    next: list[FaultSpec] = []


class ResponseOrder(BaseModel):
    """What an app may send to a response URL."""

    text: str = ""
    blocks: list[dict[str, Any]] | None = None
    response_type: Literal["ephemeral", "in_channel"] = "ephemeral"
    replace_original: bool = False
    delete_original: bool = False
    thread_ts: str | None = None


class _MethodConvertor(Convertor[str]):
    """Names such as `chat.postMessage`: a family and a verb."""

    regex = r"[a-z]+(?:\.[a-zA-Z]+)+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("slack_method", _MethodConvertor())


class SlackEmulator:
    """One workspace. Set `events_url` once the app's address is known; it is remembered with the rest."""

    def __init__(
        self,
        *,
        bot_token: str,
        signing_secret: str,
        now: Now,
        channels: Sequence[Mapping[str, Any]],
        dispatchers: Sequence[Mapping[str, str]],
        usergroups: Mapping[str, Sequence[str]] | None = None,
        ledger_path: Path | None = None,
        retry_scale: float = 1.0,
        scopes: frozenset[str] = ALL_SCOPES,
    ) -> None:
        """`retry_scale` shortens Slack's waits of one and five minutes; `scopes` are the bot token's."""
        self.workspace = Workspace(channels=channels, people=dispatchers, now=now, ledger_path=ledger_path)
        self.events = EventSender(signing_secret, ledger_path, retry_scale)
        self.api = WebApi(
            self.workspace,
            bot_token=bot_token,
            now=now,
            scopes=scopes,
            on_reaction=self._tell_reaction,
            usergroups=usergroups or {},
            ledger_path=ledger_path,
        )
        self.faults = Faults()
        self._response_urls = Ledger(ledger_path, "slack_response_urls")
        self._now = now
        self.app: ASGIApp = FaultMiddleware(self._routes(), self.faults)

    @property
    def events_url(self) -> str | None:
        return self.events.url

    @events_url.setter
    def events_url(self, url: str | None) -> None:
        self.events.url = url

    @property
    def unexpected(self) -> list[str]:
        """Methods and paths that nobody should have called; a test ends by asserting that there are none."""
        return self.api.unexpected

    # --- HTTP -----------------------------------------------------------------------------------

    def _routes(self) -> Starlette:
        return Starlette(
            lifespan=self._lifespan,
            routes=[
                # Clients disagree whether their base address ends in /api/: with and without it, both work.
                *[
                    Route(f"{prefix}/{{method}}", self._method, methods=["GET", "POST"])
                    for prefix in ("/api", "/api/api")
                ],
                Route("/{method:slack_method}", self._method, methods=["GET", "POST"]),
                Route("/actions/{team}/{secret}", self._respond, methods=["POST"]),
                Route("/_emulator/channels", self._show_channels),
                Route("/_emulator/channels/{channel}", self._show_channel),
                Route("/_emulator/ephemerals", self._show_ephemerals),
                Route("/_emulator/state", self._show_state),
                Route("/_emulator/react", self._react, methods=["POST"]),
                Route("/_emulator/press", self._press, methods=["POST"]),
                Route("/_emulator/faults", self._set_faults, methods=["POST"]),
                Route("/{path:path}", self._unknown_path, methods=["GET", "POST", "PUT", "DELETE"]),
            ],
        )

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        self.events.resume()
        yield
        await self.events.stop()

    async def _method(self, request: Request) -> Response:
        headers = {"x-oauth-scopes": ",".join(sorted(self.api.scopes))}
        try:
            args, token = await read_args(request)
            answer = self.api.call(request.path_params["method"], token, args)
        except SlackError as error:
            return JSONResponse({"ok": False, "error": error.code, **error.details}, headers=headers)
        except RateLimitedError as error:
            headers["Retry-After"] = str(error.seconds)
            return JSONResponse({"ok": False, "error": "ratelimited"}, 429, headers=headers)
        return JSONResponse({"ok": True, **answer}, headers=headers)

    async def _unknown_path(self, request: Request) -> Response:
        self.unexpected.append(request.url.path)
        return JSONResponse({"ok": False, "error": "not_found"}, 404)

    # --- what the app is told ---------------------------------------------------------------------

    def _tell_reaction(self, kind: str, actor: Actor, message: Message, name: str) -> None:
        event = {
            "type": kind,
            "user": actor.user_id,
            "reaction": name,
            "item": {"type": "message", "channel": message["channel"], "ts": message["ts"]},
            "item_user": message["user"],
            "event_ts": self.workspace.next_ts(),
        }
        envelope = {
            "token": "deprecated",
            "team_id": TEAM_ID,
            "api_app_id": APP_ID,
            "event": event,
            "type": "event_callback",
            "event_id": event_id(),
            "event_time": int(float(event["event_ts"])),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": TEAM_ID,
                    "user_id": BOT_USER_ID,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
            "event_context": f"4-{secrets.token_hex(12)}",
        }
        self.events.send(str(envelope["event_id"]), envelope)

    def _pressed(self, order: PressOrder, base_url: str) -> dict[str, object]:
        """The block_actions payload of one press."""
        person = self.workspace.person(order.user)
        channel = self.workspace.channel(order.channel)
        message = self.workspace.message(channel["id"], order.ts)
        button = _find_button(message, order.action_id)
        return {
            "type": "block_actions",
            "user": {"id": person.user_id, "username": person.name, "name": person.name, "team_id": TEAM_ID},
            "api_app_id": APP_ID,
            "token": "deprecated",
            "container": {
                "type": "message",
                "message_ts": message["ts"],
                "channel_id": channel["id"],
                "is_ephemeral": False,
            },
            "trigger_id": self.api.issue_trigger(),
            "team": {"id": TEAM_ID, "domain": "doorline-demo"},
            "enterprise": None,
            "is_enterprise_install": False,
            "channel": {"id": channel["id"], "name": channel["name"]},
            "message": outward(message),
            "state": {"values": {}},
            "response_url": f"{base_url}actions/{TEAM_ID}/{self._open_response_url(channel['id'], order)}",
            "actions": [{**button, "action_ts": self.workspace.next_ts()}],
        }

    # --- response URLs ----------------------------------------------------------------------------

    def _open_response_url(self, channel_id: str, order: PressOrder) -> str:
        secret = secrets.token_hex(16)
        until = (self._now() + RESPONSE_URL_LIFE).timestamp()
        opened = {"channel": channel_id, "ts": order.ts, "user": order.user, "uses": 0, "until": until}
        self._response_urls[secret] = opened
        return secret

    async def _respond(self, request: Request) -> Response:
        secret = request.path_params["secret"]
        opened = self._response_urls.get(secret)
        if opened is None or opened["until"] < self._now().timestamp():
            return JSONResponse({"ok": False, "error": "expired_url"}, 404)
        if opened["uses"] >= RESPONSE_URL_USES:
            return JSONResponse({"ok": False, "error": "used_url"}, 404)
        try:
            order = ResponseOrder.model_validate(await read_json(request))
            self._carry_out(order, opened)
        except ValidationError:
            return JSONResponse({"ok": False, "error": "invalid_payload"}, 400)
        except SlackError as error:
            return JSONResponse({"ok": False, "error": error.code}, 400)
        self._response_urls[secret] = {**opened, "uses": opened["uses"] + 1}
        return Response("ok", media_type="text/plain")

    def _carry_out(self, order: ResponseOrder, opened: Mapping[str, Any]) -> None:
        channel_id, ts = opened["channel"], opened["ts"]
        draft = Draft(order.text, order.blocks, thread_ts=order.thread_ts)
        if order.delete_original:
            self.workspace.delete(BOT, channel_id, ts)
        elif order.replace_original:
            self.workspace.edit(BOT, channel_id, ts, draft)
        elif not order.text and not order.blocks:
            raise SlackError("no_text")
        elif order.response_type == "in_channel":
            self.workspace.post(BOT, channel_id, draft)
        else:
            self.api.remember_ephemeral(channel_id, opened["user"], draft)

    # --- /_emulator/ ------------------------------------------------------------------------------

    async def _react(self, request: Request) -> Response:
        try:
            order = ReactOrder.model_validate(await read_json(request))
            actor = self.workspace.person(order.user)
            self.api.react(actor, order.channel, order.ts, order.name, remove=order.remove)
        except ValidationError as error:
            return _refused_order(error)
        except SlackError as error:
            return JSONResponse({"ok": False, "error": error.code}, 400)
        return JSONResponse({"ok": True})

    async def _press(self, request: Request) -> Response:
        """Answers with what the app answered Slack; null when nobody did in time."""
        try:
            order = PressOrder.model_validate(await read_json(request))
            payload = self._pressed(order, str(request.base_url))
        except ValidationError as error:
            return _refused_order(error)
        except SlackError as error:
            return JSONResponse({"ok": False, "error": error.code}, 400)
        return JSONResponse({"ok": True, "status": await self.events.interact(payload)})

    async def _set_faults(self, request: Request) -> Response:
        try:
            order = FaultOrder.model_validate(await read_json(request))
        except ValidationError as error:
            return _refused_order(error)
        if order.clear:
            self.faults.clear()
            self.api.rate_limited = False
        for name in ("down", "error_share", "slow_share", "slow_seconds"):
            if (value := getattr(order, name)) is not None:
                setattr(self.faults, name, value)
        if order.rate_limited is not None:
            self.api.rate_limited = order.rate_limited
        self.faults.next(*map(_fault, order.next))
        return JSONResponse({"ok": True})

    async def _show_channels(self, request: Request) -> Response:
        channels = self.workspace.channels.values()
        return JSONResponse({"channels": [{"id": c["id"], "name": c["name"]} for c in channels]})

    async def _show_channel(self, request: Request) -> Response:
        """Messages oldest first, each with its thread, ready to be drawn."""
        try:
            channel = self.workspace.channel(request.path_params["channel"])
        except SlackError as error:
            return JSONResponse({"ok": False, "error": error.code}, 404)
        messages = [
            {**self._drawn(message), "replies": [self._drawn(r) for r in replies]}
            for message, replies in self.workspace.threads(channel["id"])
        ]
        return JSONResponse({"id": channel["id"], "name": channel["name"], "messages": messages})

    def _drawn(self, message: Message) -> dict[str, Any]:
        author = self.workspace.people.get(message["user"])
        return {
            "ts": message["ts"],
            "at": datetime.fromtimestamp(float(message["ts"]), UTC).isoformat(),
            "user": message["user"],
            "user_name": author.name if author else message["user"],
            "is_bot": "bot_id" in message,
            "text": message["text"],
            "blocks": message.get("blocks", []),
            "reactions": message.get("reactions", []),
            "edited": "edited" in message,
            "metadata": message.get("metadata"),
        }

    async def _show_ephemerals(self, request: Request) -> Response:
        return JSONResponse({"ephemerals": list(self.workspace.ephemerals.values())})

    async def _show_state(self, request: Request) -> Response:
        state = {
            "events_url": self.events_url,
            "undelivered": self.events.undelivered,
            "given_up": self.events.given_up,
            "unexpected": self.unexpected,
            "calls": dict(self.api.calls),
        }
        return JSONResponse(state)


def _find_button(message: Message, action_id: str) -> dict[str, Any]:
    """The button as it stands in the message now, the way `actions[]` carries it."""
    for block in message.get("blocks", []):
        for element in [*block.get("elements", []), block.get("accessory")]:
            if isinstance(element, dict) and element.get("action_id") == action_id:
                return {**element, "block_id": block["block_id"]}
    raise SlackError("no_such_button")


def _fault(spec: FaultSpec) -> Fault:
    headers = (("Retry-After", str(spec.retry_after)),) if spec.retry_after is not None else ()
    return Fault(
        spec.kind,
        status=spec.status,
        seconds=spec.seconds,
        after_work=spec.after_work,
        path_contains=spec.path_contains,
        headers=headers,
    )


def _refused_order(error: ValidationError) -> Response:
    return JSONResponse({"ok": False, "error": "invalid_arguments", "details": str(error)}, 400)
