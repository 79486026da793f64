"""What only the demo page and the tests use of the pretended Slack: people's hands, its weather, a look inside."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.emulation import Fault, Faults, read_json
from connectors.slack import emulator_people as people
from connectors.slack.emulator_api import WebApi
from connectors.slack.emulator_events import EventSender
from connectors.slack.emulator_orders import Order, obey, refused
from connectors.slack.emulator_state import Draft, Message, SlackError, Workspace


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


class SayOrder(Order):
    """`text` as a person types it; with `blocks`, as Slack's composer would have sent both."""

    channel: str
    user: str
    text: str
    thread_ts: str | None = None
    blocks: list[dict[str, Any]] | None = None
    files: tuple[str, ...] = ()
    also_in_channel: bool = False


class EditOrder(Order):
    channel: str
    ts: str
    user: str
    text: str


class SubmitOrder(Order):
    """`values` are what was typed, by block id and action id."""

    user: str
    view_id: str
    values: dict[str, dict[str, str]] = Field(default_factory=dict)


class CloseOrder(Order):
    user: str


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
    channels_limited: dict[str, float] | None = None
    """Seconds, by channel id: for so long nothing can be written there."""
    next: list[FaultSpec] = Field(default_factory=list)


class Control:
    """The routes under `/_emulator/`."""

    def __init__(
        self,
        workspace: Workspace,
        api: WebApi,
        events: EventSender,
        faults: Faults,
        open_response_url: Callable[[str, str, str], str],
    ) -> None:
        self._workspace = workspace
        self._api = api
        self._events = events
        self._faults = faults
        self._open_response_url = open_response_url

    def routes(self) -> list[Route]:
        return [
            Route("/_emulator/channels", self._show_channels),
            Route("/_emulator/channels/{channel}", self._show_channel),
            Route("/_emulator/ephemerals", self._show_ephemerals),
            Route("/_emulator/state", self._show_state),
            Route("/_emulator/react", self._react, methods=["POST"]),
            Route("/_emulator/press", self._press, methods=["POST"]),
            Route("/_emulator/say", self._say, methods=["POST"]),
            Route("/_emulator/edit", self._edit, methods=["POST"]),
            Route("/_emulator/submit", self._submit, methods=["POST"]),
            Route("/_emulator/close", self._close, methods=["POST"]),
            Route("/_emulator/views/{user}", self._show_view),
            Route("/_emulator/faults", self._set_faults, methods=["POST"]),
        ]

    # --- people -----------------------------------------------------------------------------------

    def _pressed(self, order: PressOrder, base_url: str) -> dict[str, Any]:
        channel = self._workspace.channel(order.channel)
        path = self._open_response_url(channel["id"], order.ts, order.user)
        return people.pressed(
            self._workspace.person(order.user),
            channel,
            self._workspace.message(channel["id"], order.ts),
            order.action_id,
            trigger_id=self._api.views.issue_trigger(order.user),
            response_url=f"{base_url}{path}",
            action_ts=self._workspace.next_ts(),
        )

    async def _react(self, request: Request) -> Response:
        return await obey(request, ReactOrder, self._do_react)

    async def _do_react(self, order: ReactOrder, request: Request) -> dict[str, Any]:
        actor = self._workspace.person(order.user)
        self._api.react(actor, order.channel, order.ts, order.name, remove=order.remove)
        return {}

    async def _press(self, request: Request) -> Response:
        return await obey(request, PressOrder, self._do_press)

    async def _do_press(self, order: PressOrder, request: Request) -> dict[str, Any]:
        """What the app answered Slack, null when nobody did in time, and the window that it opened."""
        payload = self._pressed(order, str(request.base_url))
        answer = await self._events.interact(payload)
        return {"status": answer.status, "view": self._api.views.opened_by(payload["trigger_id"])}

    async def _say(self, request: Request) -> Response:
        return await obey(request, SayOrder, self._do_say)

    async def _do_say(self, order: SayOrder, request: Request) -> dict[str, Any]:
        actor = self._workspace.person(order.user)
        text, blocks = people.as_composed(order.text)
        if order.blocks is not None:
            text, blocks = order.text, order.blocks
        draft = Draft(
            text,
            blocks,
            thread_ts=order.thread_ts,
            files=order.files,
            reply_broadcast=order.also_in_channel,
        )
        return {"ts": self._workspace.post(actor, self._workspace.channel(order.channel)["id"], draft)["ts"]}

    async def _edit(self, request: Request) -> Response:
        return await obey(request, EditOrder, self._do_edit)

    async def _do_edit(self, order: EditOrder, request: Request) -> dict[str, Any]:
        channel_id = self._workspace.channel(order.channel)["id"]
        text, blocks = people.as_composed(order.text)
        self._workspace.edit(self._workspace.person(order.user), channel_id, order.ts, Draft(text, blocks))
        return {}

    async def _submit(self, request: Request) -> Response:
        return await obey(request, SubmitOrder, self._do_submit)

    async def _do_submit(self, order: SubmitOrder, request: Request) -> dict[str, Any]:
        """`errors` stand in the form, `open` says whether it is still there; both as the person sees them."""
        views = self._api.views
        view, errors = views.filled_in(order.user, order.view_id, order.values)
        status = None
        if not errors:
            payload = people.submitted(
                self._workspace.person(order.user), view, trigger_id=views.issue_trigger(order.user)
            )
            answer = await self._events.interact(payload)
            status = answer.status
            if answer.is_taken:
                errors = views.answered(order.user, view, _json_object(answer.body))
        seen = views.seen_by(order.user)
        return {"status": status, "errors": errors, "open": seen is not None and seen["id"] == order.view_id}

    async def _close(self, request: Request) -> Response:
        return await obey(request, CloseOrder, self._do_close)

    async def _do_close(self, order: CloseOrder, request: Request) -> dict[str, Any]:
        self._api.views.close(order.user)
        return {}

    async def _show_view(self, request: Request) -> Response:
        """The window in front of this person, or null."""
        return JSONResponse({"view": self._api.views.seen_by(request.path_params["user"])})

    async def _set_faults(self, request: Request) -> Response:
        try:
            order = FaultOrder.model_validate(await read_json(request))
        except ValidationError as error:
            return refused(error)
        if order.clear:
            self._faults.clear()
            self._api.rate_limited = False
            self._api.limited_until.clear()
        for name in ("down", "error_share", "slow_share", "slow_seconds"):
            if (value := getattr(order, name)) is not None:
                setattr(self._faults, name, value)
        if order.rate_limited is not None:
            self._api.rate_limited = order.rate_limited
        for channel, seconds in (order.channels_limited or {}).items():
            self._api.limited_until[channel] = time.monotonic() + seconds
        self._faults.next(*map(_fault, order.next))
        return JSONResponse({"ok": True})

    async def _show_channels(self, request: Request) -> Response:
        channels = [each for each in self._workspace.channels.values() if not each.get("is_im")]
        return JSONResponse({"channels": [{"id": c["id"], "name": c["name"]} for c in channels]})

    async def _show_channel(self, request: Request) -> Response:
        """Messages oldest first, each with its thread, ready to be drawn."""
        try:
            channel = self._workspace.channel(request.path_params["channel"])
        except SlackError as error:
            return JSONResponse({"ok": False, "error": error.code}, 404)
        messages = [
            {**self._drawn(message), "replies": [self._drawn(r) for r in replies]}
            for message, replies in self._workspace.threads(channel["id"])
        ]
        return JSONResponse({"id": channel["id"], "name": channel["name"], "messages": messages})

    def _drawn(self, message: Message) -> dict[str, Any]:
        author = self._workspace.people.get(message["user"])
        return {
            "ts": message["ts"],
            "channel": message["channel"],
            "at": datetime.fromtimestamp(float(message["ts"]), UTC).isoformat(),
            "user": message["user"],
            "user_name": author.name if author else message["user"],
            "is_bot": "bot_id" in message,
            "text": message["text"],
            "blocks": message.get("blocks", []),
            "reactions": message.get("reactions", []),
            "edited": "edited" in message,
            "files": [file["name"] for file in message.get("files", [])],
            "metadata": message.get("metadata"),
        }

    async def _show_ephemerals(self, request: Request) -> Response:
        return JSONResponse({"ephemerals": list(self._workspace.ephemerals.values())})

    async def _show_state(self, request: Request) -> Response:
        state = {
            "events_url": self._events.url,
            "undelivered": self._events.undelivered,
            "given_up": self._events.given_up,
            "unexpected": self._api.unexpected,
            "calls": dict(self._api.calls),
        }
        return JSONResponse(state)


def _json_object(body: bytes) -> dict[str, Any]:
    """What the app answered to a submission; nothing at all closes the window."""
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise SlackError("invalid_response")
    return value


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
