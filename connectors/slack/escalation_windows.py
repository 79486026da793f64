"""Bolt's listeners for the windows of an escalation, and its one-tap causes.

A window can only be opened within three seconds of the press, so it is read and opened inside the webhook: one
quick read, one call. What a window sends is stored before the window closes; until then it keeps it.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from slack_bolt import BoltResponse
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from connectors.base import Now
from connectors.choices import EscalationChoices, WindowChoices
from connectors.errors import StorageUnavailableError, UnreadablePayloadError
from connectors.escalation import DispatcherAction, DispatcherVerb, ReceiveDispatcherAction
from connectors.slack.escalation_buttons import CAUSE, WINDOW
from connectors.slack.history import Hint, hint_text
from connectors.slack.mapping import button_action, place_of
from connectors.slack.payloads import ButtonPress, PressedButton, ViewSubmission, WindowPlace, read
from connectors.slack.towards import Towards
from connectors.slack.window_forms import PREFIX, window
from connectors.slack.window_inputs import NOT_STORED, place_in, read_window, window_action
from connectors.slack.window_kinds import VERBS, Window

READ_SECONDS = 1.0
"""For what a window offers; opening it may take 1.6 more of the three that a trigger lives."""

NOT_READ = "Doorline could not look it up. Press it again in a moment."

log = structlog.get_logger(__name__)
Ack = Callable[..., Any]


@dataclass(frozen=True)
class WindowEdge:
    """Where deeds go, and where the windows' choices come from."""

    receive: ReceiveDispatcherAction
    choices: EscalationChoices


def register(app: AsyncApp, edge: WindowEdge, client: AsyncWebClient, now: Now) -> None:
    """Listens for every button and window of an escalation that `gestures.py` does not know."""
    windows = EscalationWindows(edge, client, now)
    app.action(re.compile(f"^{WINDOW}"))(windows.on_window_button)
    app.action(re.compile(f"^{CAUSE}"))(windows.on_cause)
    for kind in Window:
        app.view(f"{PREFIX}{kind.value}")(windows.on_sent(kind))


class EscalationWindows:
    def __init__(self, edge: WindowEdge, client: AsyncWebClient, now: Now) -> None:
        self._edge = edge
        self._towards = Towards(client)
        self._now = now

    async def on_window_button(self, ack: Ack, body: dict[str, Any]) -> BoltResponse | None:
        """Opens the window; where that fails, says so to the dispatcher, or lets Slack show its own sign."""
        press = read(ButtonPress, body)
        channel, ts = place_of(press)
        button = _pressed(press, WINDOW)
        kind = _kind(button.action_id.removeprefix(WINDOW))
        where = WindowPlace(escalation_id=button.value or "", channel=channel, ts=ts)
        is_open = await self.open_window(kind, where, press.trigger_id or "")
        says = hint_text(Hint.DEED_WINDOW_FAILED)
        if not is_open and not await self._towards.says(channel, press.user.id, None, says):
            return BoltResponse(status=503, body="")
        await ack()
        return None

    async def open_window(self, kind: Window, where: WindowPlace, trigger_id: str) -> bool:
        """Whether the window is there now."""
        choices = await self._choices(where.escalation_id)
        if choices is None:
            return False
        return await self._towards.opens(trigger_id, self._drawn(kind, choices, where))

    async def on_cause(self, ack: Ack, body: dict[str, Any]) -> None:
        press = read(ButtonPress, body)
        button = _pressed(press, CAUSE)
        action = button_action(press, button, DispatcherVerb.NAME_CAUSE, self._now())
        cause = {"root_cause": button.action_id.removeprefix(CAUSE)}
        await self._edge.receive(action.model_copy(update={"fields": cause}))
        await ack()

    def on_sent(self, kind: Window) -> Callable[..., Any]:
        async def sent(ack: Ack, body: dict[str, Any]) -> None:
            submission = read(ViewSubmission, body)
            read_out = read_window(kind, submission, self._now())
            if read_out.errors:
                await ack(response_action="errors", errors=dict(read_out.errors))
            elif kind not in VERBS:
                await self._turn(ack, kind, submission, read_out.fields.get("deed", ""))
            else:
                action = window_action(kind, submission, read_out, self._now())
                await self._store(ack, submission, action)

        return sent

    async def _turn(self, ack: Ack, kind: Window, submission: ViewSubmission, deed: str) -> None:
        """The window turns into what was chosen, or shows the next page."""
        where = place_in(submission.view.private_metadata)
        following = _kind(deed) if deed else kind
        if following is Window.STOPS:
            where = where.model_copy(update={"page": where.page + 1})
        choices = await self._choices(where.escalation_id)
        if choices is None:
            await _complain(ack, submission, NOT_READ)
            return
        await ack(response_action="update", view=self._drawn(following, choices, where))

    async def _store(self, ack: Ack, submission: ViewSubmission, action: DispatcherAction) -> None:
        try:
            await self._edge.receive(action)
        except StorageUnavailableError:
            log.warning("slack.deed_not_stored", verb=action.verb.value)
            await _complain(ack, submission, NOT_STORED)
        else:
            await ack()

    def _drawn(self, kind: Window, choices: WindowChoices, where: WindowPlace) -> dict[str, Any]:
        where = where.model_copy(update={"timezone": choices.view.timezone})
        return window(kind, choices, where, self._now())

    async def _choices(self, escalation_id: str) -> WindowChoices | None:
        try:
            async with asyncio.timeout(READ_SECONDS):
                return await self._edge.choices.choices(escalation_id)
        except (TimeoutError, StorageUnavailableError) as error:
            log.warning("slack.choices_not_read", error=type(error).__name__)
            return None


async def _complain(ack: Ack, submission: ViewSubmission, text: str) -> None:
    """In the window, which stays. One without inputs has no place for it: there Slack shows its own sign."""
    block_id = next(iter(submission.view.state.values), None)
    if block_id is None:
        raise StorageUnavailableError(text)
    await ack(response_action="errors", errors={block_id: text})


def _pressed(press: ButtonPress, prefix: str) -> PressedButton:
    return next(button for button in press.actions if button.action_id.startswith(prefix))


def _kind(name: str) -> Window:
    try:
        return Window(name)
    except ValueError as exc:
        raise UnreadablePayloadError("no window of that name") from exc
