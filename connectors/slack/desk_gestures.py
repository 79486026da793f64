"""Bolt's listeners for tasks and commands: what came in is stored, and only then is Slack answered.

As with Reply, a window can only be opened within three seconds, so it is opened inside the webhook.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from slack_bolt import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from connectors.base import Now
from connectors.desk import CommandKind, DeskCommand, ReceiveCommand, ReceiveTaskAction
from connectors.errors import StorageUnavailableError
from connectors.slack.command_modals import NOT_STORED, command_modal, form_errors, modal_command
from connectors.slack.payloads import (
    ButtonPress,
    CommandPlace,
    MessageShortcut,
    Shortcut,
    SlashCommand,
    ViewSubmission,
    read,
)
from connectors.slack.slash import Commands, Opens, Says, read_slash
from connectors.slack.task_buttons import task_actions
from connectors.slack.towards import Towards

NEW_STOP_SHORTCUT = "new_stop"
INCIDENT_SHORTCUT = "make_incident"

ON_IT = "On it."
DID_NOT_OPEN = "The window did not open and nothing was changed. Type it again."
NOT_KEPT = "Nothing was changed: Doorline could not keep it. Type it again in a moment."

log = structlog.get_logger(__name__)

Ack = Callable[..., Any]


@dataclass(frozen=True)
class DeskEdge:
    """Where the desk's gestures go. `clients` names those whom a new stop may be for."""

    receive_action: ReceiveTaskAction
    receive_command: ReceiveCommand
    clients: Callable[[], Sequence[str]] = lambda: ()


class DeskGestures:
    def __init__(self, edge: DeskEdge, client: AsyncWebClient, now: Now) -> None:
        self._edge = edge
        self._towards = Towards(client)
        self._now = now

    async def on_task_button(self, ack: Ack, body: dict[str, Any]) -> None:
        for action in task_actions(read(ButtonPress, body), self._now()):
            await self._edge.receive_action(action)
        await ack()

    async def on_slash(self, ack: Ack, body: dict[str, Any]) -> None:
        typed = read(SlashCommand, body)
        match read_slash(typed.text):
            case Says(text):
                await ack(text=text)
            case Opens(kind, stop):
                is_open = await self._opens(typed.trigger_id, kind, typed.channel_id, stop)
                await (ack() if is_open else ack(text=DID_NOT_OPEN))
            case Commands(kind, fields):
                await ack(text=await self._store(_typed_command(typed, kind, fields, self._now)))

    async def on_shortcut(self, ack: Ack, body: dict[str, Any]) -> BoltResponse | None:
        """A shortcut comes from no channel, so its answer goes to the dispatcher's own messages."""
        shortcut = read(Shortcut, body)
        if not await self._opens(shortcut.trigger_id, CommandKind.NEW_STOP, shortcut.user.id):
            # Slack shows its own sign that it did not work.
            return BoltResponse(status=503, body="")
        await ack()
        return None

    async def on_message_shortcut(self, ack: Ack, body: dict[str, Any]) -> BoltResponse | None:
        """The window knows its message by the place that it carries: nothing is looked up before it opens."""
        shortcut = read(MessageShortcut, body)
        place = CommandPlace(
            channel=shortcut.channel.id,
            escalation_id=shortcut.escalation_id,
            message_channel=shortcut.channel.id,
            message_ts=shortcut.message.thread_ts or shortcut.message.ts,
        )
        modal = command_modal(CommandKind.MAKE_INCIDENT, place.channel, place=place)
        if not await self._towards.opens(shortcut.trigger_id, modal):
            return BoltResponse(status=503, body="")
        await ack()
        return None

    def on_modal_sent(self, kind: CommandKind) -> Callable[..., Awaitable[None]]:
        async def sent(ack: Ack, body: dict[str, Any]) -> None:
            """The window closes only once what was entered is stored; until then it keeps it."""
            command = modal_command(kind, read(ViewSubmission, body), self._now())
            errors = form_errors(command)
            if not errors and await self._store(command) != ON_IT:
                errors = {next(iter(command.fields)): NOT_STORED}
            await (ack(response_action="errors", errors=errors) if errors else ack())

        return sent

    async def _opens(self, trigger_id: str, kind: CommandKind, channel: str, stop: str = "") -> bool:
        modal = command_modal(kind, channel, clients=self._edge.clients(), stop=stop)
        return await self._towards.opens(trigger_id, modal)

    async def _store(self, command: DeskCommand) -> str:
        """What the dispatcher reads at once."""
        try:
            await self._edge.receive_command(command)
        except StorageUnavailableError:
            log.warning("slack.command_not_stored", kind=command.kind.value)
            return NOT_KEPT
        return ON_IT


def _typed_command(typed: SlashCommand, kind: CommandKind, fields: dict[str, str], now: Now) -> DeskCommand:
    return DeskCommand(
        vendor_id=f"command:{typed.trigger_id}",
        kind=kind,
        dispatcher=typed.user_id,
        channel=typed.channel_id,
        fields=fields,
        occurred_at=now(),
    )
