"""Slack, pretended: one workspace over HTTP, for the demo and the tests.

`/api/…` is Slack's Web API, `/actions/…` its response URLs. What only the demo page and the tests use lives
under `/_emulator/`. A dispatcher's user token is `xoxp-<user id>`.
"""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from connectors.base import Now
from connectors.emulation import FaultMiddleware, Faults, Ledger, read_json
from connectors.slack import emulator_people as people
from connectors.slack.emulator_api import ALL_SCOPES, RateLimitedError, WebApi
from connectors.slack.emulator_args import read_args
from connectors.slack.emulator_commands import CommandControl
from connectors.slack.emulator_control import Control
from connectors.slack.emulator_events import PATIENCE_SECONDS, EventSender
from connectors.slack.emulator_home import HomeControl
from connectors.slack.emulator_sockets import Sockets
from connectors.slack.emulator_state import (
    BOT,
    TEAM_ID,
    Actor,
    Draft,
    Message,
    SlackError,
    Workspace,
)

RESPONSE_URL_USES = 5
RESPONSE_URL_LIFE = timedelta(minutes=30)
ALL_EVENTS = frozenset(
    {"reaction_added", "reaction_removed", "message.channels", "message.groups", "app_home_opened"}
)


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
        subscriptions: frozenset[str] = ALL_EVENTS,
        app_token: str | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """`retry_scale` shortens Slack's waits of one and five minutes; `scopes` are the bot token's.

        `subscriptions` are the manifest's `bot_events`. With `app_token` the app has Socket Mode on.
        `patience_seconds` is how long an answer may take, and how long a trigger opens a window.
        """
        self.workspace = Workspace(
            channels=channels,
            people=dispatchers,
            now=now,
            ledger_path=ledger_path,
            watcher=self._tell_message,
        )
        self.sockets = Sockets(app_token)
        self.events = EventSender(signing_secret, ledger_path, retry_scale, self.sockets, patience_seconds)
        self.api = WebApi(
            self.workspace,
            bot_token=bot_token,
            now=now,
            scopes=scopes,
            on_reaction=self._tell_reaction,
            usergroups=usergroups or {},
            ledger_path=ledger_path,
            trigger_seconds=patience_seconds,
        )
        self.api.open_socket = self.sockets.open
        self.subscriptions = subscriptions
        self.faults = Faults()
        self._response_urls = Ledger(ledger_path, "slack_response_urls")
        self._now = now
        self._control = Control(self.workspace, self.api, self.events, self.faults, self._open_response_url)
        self._commands = CommandControl(self.workspace, self.api, self.events, self._open_response_url)
        self._home = HomeControl(self.workspace, self.api, self.events, self._tell, self._open_response_url)
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
                *self._control.routes(),
                *self._commands.routes(),
                *self._home.routes(),
                *self.sockets.routes(),
                *self.api.files.routes(),
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
            self.api.base_url = str(request.base_url)
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
        self._tell(kind, people.reaction_event(kind, actor, message, name, self.workspace.next_ts()))

    def _tell_message(self, kind: str, message: Message, before: Message | None) -> None:
        """Slack tells of every message where the app is, the app's own included, if a scope lets it read there."""
        channel = self.workspace.channel(message["channel"])
        family = "groups" if channel["is_private"] else "channels"
        if channel.get("is_im") or not channel["is_member"] or f"{family}:history" not in self.api.scopes:
            return
        ts = self.workspace.next_ts()
        event = people.message_event(kind, message, before, ts, is_private=channel["is_private"])
        self._tell(f"message.{family}", event)

    def _tell(self, subscription: str, event: dict[str, Any]) -> None:
        if subscription in self.subscriptions:
            envelope = people.envelope(event)
            self.events.send(str(envelope["event_id"]), envelope)

    # --- response URLs ----------------------------------------------------------------------------

    def _open_response_url(self, channel_id: str, ts: str, user_id: str) -> str:
        """The path of a new one."""
        secret = secrets.token_hex(16)
        until = (self._now() + RESPONSE_URL_LIFE).timestamp()
        opened = {"channel": channel_id, "ts": ts, "user": user_id, "uses": 0, "until": until}
        self._response_urls[secret] = opened
        return f"actions/{TEAM_ID}/{secret}"

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
