"""What people do beside messages: open the app's home and press there, use a shortcut on a message.

Source: docs.slack.dev, `app_home_opened`, `block_actions` of a view, message shortcuts.
"""

from collections.abc import Callable
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.slack import emulator_people as people
from connectors.slack.emulator_api import WebApi
from connectors.slack.emulator_events import EventSender
from connectors.slack.emulator_orders import Order, obey
from connectors.slack.emulator_state import SlackError, Workspace, outward


class OpenHomeOrder(Order):
    user: str
    tab: Literal["home", "messages"] = "home"


class PressHomeOrder(Order):
    """`chosen` are the values of the options that are chosen afterwards, where it is a menu."""

    user: str
    action_id: str
    chosen: tuple[str, ...] = ()


class MessageShortcutOrder(Order):
    user: str
    channel: str
    ts: str
    callback_id: str


class HomeControl:
    """Routes under `/_emulator/`."""

    def __init__(
        self,
        workspace: Workspace,
        api: WebApi,
        events: EventSender,
        tell: Callable[[str, dict[str, Any]], None],
        open_response_url: Callable[[str, str, str], str],
    ) -> None:
        self._workspace = workspace
        self._api = api
        self._events = events
        self._tell = tell
        self._open_response_url = open_response_url

    def routes(self) -> list[Route]:
        return [
            Route("/_emulator/home/open", self._open, methods=["POST"]),
            Route("/_emulator/home/press", self._press, methods=["POST"]),
            Route("/_emulator/home/{user}", self._show),
            Route("/_emulator/message_shortcut", self._message_shortcut, methods=["POST"]),
        ]

    async def _open(self, request: Request) -> Response:
        return await obey(request, OpenHomeOrder, self._do_open)

    async def _do_open(self, order: OpenHomeOrder, request: Request) -> dict[str, Any]:
        self._workspace.person(order.user)
        view = self._api.views.home_of(order.user)
        event = {
            "type": "app_home_opened",
            "user": order.user,
            "channel": self._workspace.direct(order.user),
            "tab": order.tab,
            "event_ts": self._workspace.next_ts(),
            **({"view": view} if view is not None and order.tab == "home" else {}),
        }
        self._tell("app_home_opened", event)
        return {}

    async def _press(self, request: Request) -> Response:
        return await obey(request, PressHomeOrder, self._do_press)

    async def _do_press(self, order: PressHomeOrder, request: Request) -> dict[str, Any]:
        view = self._api.views.home_of(order.user)
        if view is None:
            raise SlackError("view_not_found")
        person = self._workspace.person(order.user)
        action = _chosen(people.find_button(view, order.action_id), order.chosen)
        trigger_id = self._api.views.issue_trigger(order.user)
        payload = people.pressed_in_view(
            person, view, action, trigger_id=trigger_id, action_ts=self._workspace.next_ts()
        )
        answer = await self._events.interact(payload)
        return {"status": answer.status, "view": self._api.views.opened_by(trigger_id)}

    async def _show(self, request: Request) -> Response:
        """What this person's home shows, or null."""
        return JSONResponse({"view": self._api.views.home_of(request.path_params["user"])})

    async def _message_shortcut(self, request: Request) -> Response:
        return await obey(request, MessageShortcutOrder, self._do_message_shortcut)

    async def _do_message_shortcut(self, order: MessageShortcutOrder, request: Request) -> dict[str, Any]:
        channel = self._workspace.channel(order.channel)
        message = outward(self._workspace.message(channel["id"], order.ts), whole_metadata=False)
        trigger_id = self._api.views.issue_trigger(order.user)
        path = self._open_response_url(channel["id"], order.ts, order.user)
        payload = people.message_shortcut(
            self._workspace.person(order.user),
            channel,
            message,
            order.callback_id,
            trigger_id=trigger_id,
            response_url=f"{request.base_url}{path}",
        )
        answer = await self._events.interact(payload)
        return {"status": answer.status, "view": self._api.views.opened_by(trigger_id)}


def _chosen(element: dict[str, Any], values: tuple[str, ...]) -> dict[str, Any]:
    """The element as `actions[]` carries it once these options are chosen."""
    options = [option for option in element.get("options", []) if option["value"] in values]
    if len(options) != len(values):
        raise SlackError("no_such_option")
    if element["type"].startswith("multi_"):
        return {**element, "selected_options": options}
    return {**element, "selected_option": options[0]} if options else element
