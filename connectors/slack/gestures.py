"""Bolt's listeners: a gesture comes in, is stored, and only then is Slack answered.

Nothing here calls Slack before it is answered, with one exception: a modal can only be opened within three
seconds of the press that asked for it, so the Reply button opens its window at once. No durable state hangs on it.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
from slack_bolt import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from connectors.base import Now
from connectors.errors import StorageUnavailableError
from connectors.escalation import ReceiveDispatcherAction
from connectors.slack.history import Hint, hint_text
from connectors.slack.mapping import (
    button_actions,
    modal_action,
    place_of,
    reaction_action,
    thread_action,
    took_back_resolution,
)
from connectors.slack.modal import CALLBACK, NO_WORDS, NOT_STORED, WORDS, read_about, reply_modal
from connectors.slack.payloads import (
    ButtonPress,
    MessageEnvelope,
    ReactionEnvelope,
    ViewSubmission,
    read,
)
from connectors.slack.thread import ThreadReply, thread_reply
from connectors.slack.towards import Towards

log = structlog.get_logger(__name__)
Ack = Callable[..., Any]


class Gestures:
    def __init__(self, receive: ReceiveDispatcherAction, client: AsyncWebClient, now: Now) -> None:
        self._receive = receive
        self._towards = Towards(client)
        self._now = now
        self._whispers: set[asyncio.Task[bool]] = set()

    async def on_reaction(self, body: dict[str, Any]) -> None:
        envelope = read(ReactionEnvelope, body)
        action = reaction_action(envelope, self._now())
        if action is not None:
            await self._receive(action)
        elif took_back_resolution(envelope):
            item = envelope.event.item
            self._whisper(item.channel, envelope.event.user, item.ts, Hint.STAYS_RESOLVED)

    async def on_message(self, body: dict[str, Any]) -> None:
        envelope = read(MessageEnvelope, body)
        reply = thread_reply(envelope)
        if reply is None:
            return
        if reply.hindrance is None:
            await self._receive(thread_action(envelope, reply, self._now()))
        hint = _hint(reply)
        if hint is not None:
            self._whisper(reply.channel, reply.dispatcher, reply.thread_ts, hint)

    async def on_button(self, ack: Ack, body: dict[str, Any]) -> None:
        for action in button_actions(read(ButtonPress, body), self._now()):
            await self._receive(action)
        await ack()

    async def on_reply_button(self, ack: Ack, body: dict[str, Any]) -> BoltResponse | None:
        """Opens the window; where that fails, says so to the dispatcher, or lets Slack show its own sign."""
        press = read(ButtonPress, body)
        channel, ts = place_of(press)
        button = next(button for button in press.actions if button.action_id == CALLBACK)
        modal = reply_modal(read_about(button.value), channel, ts)
        is_answered = await self._towards.opens(press.trigger_id or "", modal) or await self._says(
            channel, press.user.id, None, Hint.WINDOW_FAILED
        )
        if not is_answered:
            return BoltResponse(status=503, body="")
        await ack()
        return None

    async def on_reply_sent(self, ack: Ack, body: dict[str, Any]) -> None:
        """The window closes only once its words are stored; until then it keeps them."""
        action = modal_action(read(ViewSubmission, body), self._now())
        if not action.words:
            await ack(response_action="errors", errors={WORDS: NO_WORDS})
            return
        try:
            await self._receive(action)
        except StorageUnavailableError:
            log.warning("slack.reply_not_stored", dispatcher=action.dispatcher)
            await ack(response_action="errors", errors={WORDS: NOT_STORED})
        else:
            await ack()

    # --- towards Slack ----------------------------------------------------------------------------

    async def _says(self, channel: str, dispatcher: str, thread_ts: str | None, hint: Hint) -> bool:
        return await self._towards.says(channel, dispatcher, thread_ts, hint_text(hint))

    def _whisper(self, channel: str | None, dispatcher: str, thread_ts: str | None, hint: Hint) -> None:
        """Said after Slack was answered; it explains something, and may be lost."""
        if channel is None:
            return
        task = asyncio.create_task(self._says(channel, dispatcher, thread_ts, hint))
        self._whispers.add(task)
        task.add_done_callback(self._whispers.discard)


def _hint(reply: ThreadReply) -> Hint | None:
    if reply.hindrance is not None:
        return Hint(reply.hindrance.value)
    return Hint.FILES_STAY if reply.has_files else None
