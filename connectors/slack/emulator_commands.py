"""What people type and pick beside messages: slash commands, global shortcuts. Slack's ssl_check too.

Source: docs.slack.dev, slash commands (payload, answer, ssl_check) and shortcuts.
"""

import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.slack import emulator_people as people
from connectors.slack.emulator_api import WebApi
from connectors.slack.emulator_events import Answer, EventSender
from connectors.slack.emulator_orders import Order, obey
from connectors.slack.emulator_state import APP_ID, TEAM_ID, Draft, Workspace


class CommandOrder(Order):
    """As it is typed into the composer: `command` with its slash, `text` the rest."""

    user: str
    channel: str
    text: str = ""
    command: str = "/doorline"
    trigger_id: str | None = None
    """Of an earlier command: the same one delivered once more."""


class ShortcutOrder(Order):
    user: str
    callback_id: str


class SslCheckOrder(Order):
    pass


class CommandControl:
    """Routes under `/_emulator/`."""

    def __init__(
        self,
        workspace: Workspace,
        api: WebApi,
        events: EventSender,
        open_response_url: Callable[[str, str, str], str],
    ) -> None:
        self._workspace = workspace
        self._api = api
        self._events = events
        self._open_response_url = open_response_url

    def routes(self) -> list[Route]:
        return [
            Route("/_emulator/command", self._command, methods=["POST"]),
            Route("/_emulator/shortcut", self._shortcut, methods=["POST"]),
            Route("/_emulator/ssl_check", self._ssl_check, methods=["POST"]),
        ]

    async def _command(self, request: Request) -> Response:
        return await obey(request, CommandOrder, self._do_command)

    async def _do_command(self, order: CommandOrder, request: Request) -> dict[str, Any]:
        """What the app answered, the words that the person reads, and the window that opened."""
        channel = self._workspace.channel(order.channel)
        trigger_id = order.trigger_id or self._api.views.issue_trigger(order.user)
        form = {
            "token": "deprecated",
            "team_id": TEAM_ID,
            "team_domain": "doorline-demo",
            "channel_id": channel["id"],
            "channel_name": channel["name"],
            "user_id": order.user,
            "user_name": self._workspace.person(order.user).name,
            "command": order.command,
            "text": order.text,
            "api_app_id": APP_ID,
            "is_enterprise_install": "false",
            "response_url": f"{request.base_url}{self._open_response_url(channel['id'], '', order.user)}",
            "trigger_id": trigger_id,
        }
        answer = await self._events.submit_form(form)
        text = _text(answer)
        if text:
            self._api.remember_ephemeral(channel["id"], order.user, Draft(text))
        view = self._api.views.opened_by(trigger_id)
        return {"status": answer.status, "text": text, "view": view, "trigger_id": trigger_id}

    async def _shortcut(self, request: Request) -> Response:
        return await obey(request, ShortcutOrder, self._do_shortcut)

    async def _do_shortcut(self, order: ShortcutOrder, request: Request) -> dict[str, Any]:
        trigger_id = self._api.views.issue_trigger(order.user)
        person = self._workspace.person(order.user)
        answer = await self._events.interact(
            people.shortcut(person, order.callback_id, trigger_id=trigger_id)
        )
        return {"status": answer.status, "view": self._api.views.opened_by(trigger_id)}

    async def _ssl_check(self, request: Request) -> Response:
        return await obey(request, SslCheckOrder, self._do_ssl_check)

    async def _do_ssl_check(self, order: SslCheckOrder, request: Request) -> dict[str, Any]:
        """Slack looks at the certificate: unsigned, and nothing but 200 will do."""
        return {"status": (await self._events.ssl_check()).status}


def _text(answer: Answer) -> str:
    """What the person who typed reads: JSON's `text`, or the body itself when it is none."""
    if not answer.is_taken:
        return f"failed with the error {'operation_timeout' if answer.status is None else 'dispatch_failed'}"
    body = answer.body.decode(errors="replace")
    try:
        value = json.loads(body)
    except ValueError:
        return body
    return str(value.get("text", "")) if isinstance(value, dict) else body
