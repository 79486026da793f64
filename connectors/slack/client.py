"""The dispatchers' desk over Slack's Web API: posts, edits, finds again. No words of its own."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from connectors.base import Now, Probe
from connectors.desk import DeskPost, TaskView
from connectors.digest import DigestChart, DigestView
from connectors.errors import (
    ChannelError,
    ChannelMisconfiguredError,
)
from connectors.escalation import EscalationView, PostedMessage
from connectors.home import HomeView
from connectors.pauses import PauseNotice, PauseReport
from connectors.slack import files as slack_files
from connectors.slack.blocks import escalation_blocks, escalation_text
from connectors.slack.digest_blocks import chart_files, chart_name, digest_blocks, digest_text
from connectors.slack.files import DeskFile
from connectors.slack.groups import SlackGroups
from connectors.slack.home_blocks import home_view
from connectors.slack.manifest_blocks import manifest_blocks, manifest_text
from connectors.slack.mapping import carries, to_ts
from connectors.slack.mrkdwn import mentioned_users, without_mentions
from connectors.slack.pause_blocks import notice_blocks, notice_text, report_blocks, report_text
from connectors.slack.payloads import (
    ESCALATION_EVENT,
    NOTE_EVENT,
    VIEW_EVENT,
    ChannelsPage,
    Identity,
    Message,
    Messages,
    Posted,
    Published,
    UserAnswer,
    WireModel,
)
from connectors.slack.task_blocks import task_blocks, task_text
from connectors.slack.wire import ADVICE, API_BASE, NAME, Arguments, SlackWire

PAGE = 200
CLOCK_SKEW = timedelta(minutes=2)

SCOPES = frozenset(
    {
        "chat:write",
        "reactions:read",
        "channels:history",
        "groups:history",
        "channels:read",
        "groups:read",
        "users:read",
        "usergroups:read",
        "files:write",
        "commands",
    }
)
"""What the bot token needs: docs/slack-manifest.yml asks for exactly these."""

NOT_THERE = frozenset({"channel_not_found", "not_in_channel", "user_not_in_channel", "is_archived"})
"""Answers to a quiet word in a channel where the app or the dispatcher is not."""


class SlackDesk:
    """Fulfils `connectors.escalation.DispatchDesk`, `connectors.desk.DeskPosts` and `DigestDesk` for one workspace."""

    def __init__(
        self, token: str, *, now: Now, api_base: str = API_BASE, timeout_seconds: float = 10.0
    ) -> None:
        self._wire = SlackWire(token, api_base, timeout_seconds)
        self.web = self._wire.web
        self.groups = SlackGroups(self._wire)
        self._now = now
        self._channel_ids: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._workspace_url = ""
        self._looking_up = asyncio.Lock()

    async def aclose(self) -> None:
        await self._wire.aclose()

    # --- the desk -------------------------------------------------------------------------------

    async def post(self, channel: str, view: EscalationView) -> PostedMessage:
        channel_id = await self._channel_id(channel)
        answer = await self._wire.write(
            "chat.postMessage",
            {
                "channel": channel_id,
                **await self._rendered(view),
                "metadata": _mark(ESCALATION_EVENT, escalation_id=view.escalation_id),
                "unfurl_links": False,
                "unfurl_media": False,
            },
            Posted,
        )
        return PostedMessage(channel=answer.channel, ts=answer.ts)

    async def update(self, message: PostedMessage, view: EscalationView) -> None:
        # The metadata is left out, and so kept by Slack. Source: chat.update.
        arguments = {"channel": message.channel, "ts": message.ts, **await self._rendered(view)}
        await self._wire.write("chat.update", arguments, Posted)

    async def post_in_thread(
        self, message: PostedMessage, text: str, note_id: str, mention: str = ""
    ) -> None:
        """Only `mention` notifies anyone; people named in `text` are named, not paged."""
        quiet_text = await self._without_mentions(text)
        await self._wire.write(
            "chat.postMessage",
            {
                "channel": message.channel,
                "thread_ts": message.ts,
                "text": f"{mention} {quiet_text}".strip(),
                "metadata": _mark(NOTE_EVENT, note_id=note_id),
                "unfurl_links": False,
                "unfurl_media": False,
            },
            Posted,
        )

    async def find_posted(self, channel: str, escalation_id: str, since: datetime) -> PostedMessage | None:
        """The earliest one, should an escalation have been posted twice after all."""
        return await self._find(channel, ESCALATION_EVENT, "escalation_id", escalation_id, since)

    async def find_in_thread(self, message: PostedMessage, note_id: str) -> bool:
        arguments = {"channel": message.channel, "ts": message.ts}
        async for reply in self._messages("conversations.replies", arguments):
            if carries(reply, NOTE_EVENT, "note_id", note_id):
                return True
        return False

    async def tell_quietly(self, channel: str, dispatcher: str, text: str) -> None:
        """Where the app is not in that channel, or there is none, in the dispatcher's own messages."""
        if not _is_person(channel):
            arguments = {"channel": await self._channel_id(channel), "user": dispatcher, "text": text}
            try:
                await self._wire.write("chat.postEphemeral", arguments, WireModel)
            except ChannelMisconfiguredError as error:
                if error.code not in NOT_THERE:
                    raise
            else:
                return
        await self._wire.write("chat.postMessage", {"channel": dispatcher, "text": text}, Posted)

    # --- posts that are kept current --------------------------------------------------------------

    async def post_view(self, channel: str, post_id: str, view: DeskPost) -> PostedMessage:
        """Nobody is notified: dispatchers are named in it, not paged. An edit never notifies."""
        answer = await self._wire.write(
            "chat.postMessage",
            {
                "channel": await self._channel_id(channel),
                **await self._unmentioned(_drawn(view, self._now())),
                "metadata": _mark(VIEW_EVENT, post_id=post_id),
                "unfurl_links": False,
                "unfurl_media": False,
            },
            Posted,
        )
        return PostedMessage(channel=answer.channel, ts=answer.ts)

    async def update_view(self, message: PostedMessage, view: DeskPost) -> None:
        arguments = {"channel": message.channel, "ts": message.ts, **_drawn(view, self._now())}
        await self._wire.write("chat.update", arguments, Posted)

    async def find_view(self, channel: str, post_id: str, since: datetime) -> PostedMessage | None:
        """The earliest one, should it have been posted twice after all."""
        return await self._find(channel, VIEW_EVENT, "post_id", post_id, since)

    # --- a dispatcher's own page ------------------------------------------------------------------

    async def publish_home(self, dispatcher: str, view: HomeView, seen: str | None) -> str:
        """Where somebody else published in between, the newest state wins all the same."""
        drawn = {"user_id": dispatcher, "view": home_view(view, self._now())}
        if seen is not None:
            try:
                return await self._publish({**drawn, "hash": seen})
            except ChannelMisconfiguredError as error:
                if error.code != "hash_conflict":
                    raise
        return await self._publish(drawn)

    async def _publish(self, arguments: Arguments) -> str:
        return (await self._wire.write("views.publish", arguments, Published)).view.hash

    async def workspace_url(self) -> str:
        if not self._workspace_url:
            try:
                self._workspace_url = (await self.identity()).url
            except ChannelError:
                return ""
        return self._workspace_url

    # --- files ------------------------------------------------------------------------------------

    async def share_files(
        self, channel: str, thread_ts: str | None, files: Sequence[DeskFile], words: str = ""
    ) -> list[str]:
        """See `connectors.slack.files.share`; `channel` is a name or an id."""
        return await slack_files.share(self._wire, await self._channel_id(channel), thread_ts, files, words)

    async def share_charts(
        self, message: PostedMessage, view: DigestView, charts: Mapping[DigestChart, bytes]
    ) -> None:
        await self.share_files(message.channel, message.ts, chart_files(view, charts))

    async def has_charts(self, message: PostedMessage, view: DigestView) -> bool:
        """By the names of the files: a message that brings files takes no metadata."""
        names = {chart_name(view, chart) for chart in DigestChart}
        arguments = {"channel": message.channel, "ts": message.ts}
        async for reply in self._messages("conversations.replies", arguments):
            if names <= {file.name for file in reply.files}:
                return True
        return False

    async def _find(
        self, channel: str, event_type: str, key: str, value: str, since: datetime
    ) -> PostedMessage | None:
        channel_id = await self._channel_id(channel)
        found = None
        arguments = {"channel": channel_id, "oldest": to_ts(since - CLOCK_SKEW)}
        async for message in self._messages("conversations.history", arguments):
            if carries(message, event_type, key, value):
                found = min(found or message.ts, message.ts)
        return PostedMessage(channel=channel_id, ts=found) if found else None

    async def identity(self) -> Identity:
        """Who the token says we are; the edge needs the bot's user id to ignore itself."""
        return await self._wire.read("auth.test", {}, Identity)

    async def probe(self) -> Probe:
        try:
            response = await self._wire.call("auth.test", {}, writes=False)
            identity = Identity.model_validate(response.data)
        except ChannelError as error:
            return _unwell(str(error))
        except ValidationError:
            return _unwell("unreadable answer to auth.test: check SLACK_API_BASE")
        granted = response.headers.get("x-oauth-scopes")
        missing = sorted(SCOPES - {scope.strip() for scope in granted.split(",")}) if granted else []
        if missing:
            return _unwell(f"scopes missing: {', '.join(missing)}; {ADVICE['missing_scope']}")
        return Probe(name="Slack", healthy=True, detail=f"connected as {identity.user} in {identity.team}")

    # --- names ----------------------------------------------------------------------------------

    async def _rendered(self, view: EscalationView) -> dict[str, Any]:
        now = self._now()
        view = view.model_copy(update={"next_step": await self._without_mentions(view.next_step)})
        return {"text": escalation_text(view, now), "blocks": escalation_blocks(view, now)}

    async def _without_mentions(self, text: str) -> str:
        return without_mentions(text, {user: await self._name(user) for user in mentioned_users(text)})

    async def _unmentioned(self, node: Any) -> Any:
        """The same structure, nobody in it notified."""
        if isinstance(node, str):
            return await self._without_mentions(node)
        if isinstance(node, dict):
            return {key: await self._unmentioned(value) for key, value in node.items()}
        return [await self._unmentioned(each) for each in node] if isinstance(node, list) else node

    async def _name(self, user: str) -> str:
        """Display name of a dispatcher, asked once; empty when Slack does not tell it."""
        if user not in self._names:
            try:
                answer = await self._wire.read("users.info", {"user": user}, UserAnswer)
            except ChannelError:
                return ""  # a name is never worth a lost line of history
            known = answer.user
            self._names[user] = known.profile.display_name or known.profile.real_name or known.name
        return self._names[user]

    async def _channel_id(self, channel: str) -> str:
        """`channel` itself when it is an id; names are looked up once for all."""
        if re.fullmatch(r"[CGD][A-Z0-9]{2,}", channel):
            return channel
        name = channel.removeprefix("#")
        async with self._looking_up:
            if name not in self._channel_ids:
                self._channel_ids = {c: i async for c, i in self._channels()}
        try:
            return self._channel_ids[name]
        except KeyError:
            detail = f"no channel #{name}: {ADVICE['channel_not_found']}"
            raise ChannelMisconfiguredError(NAME, detail, "channel_not_found") from None

    async def _channels(self) -> AsyncIterator[tuple[str, str]]:
        arguments = {"types": "public_channel,private_channel", "exclude_archived": True, "limit": PAGE}
        cursor = ""
        while True:
            page = await self._wire.read("conversations.list", {**arguments, **_at(cursor)}, ChannelsPage)
            for channel in page.channels:
                yield channel.name, channel.id
            cursor = page.response_metadata.next_cursor if page.response_metadata else ""
            if not cursor:
                return

    async def _messages(self, method: str, arguments: Arguments) -> AsyncIterator[Message]:
        cursor = ""
        while True:
            asked = {**arguments, "include_all_metadata": True, "limit": PAGE, **_at(cursor)}
            page = await self._wire.read(method, asked, Messages)
            for message in page.messages:
                yield message
            cursor = page.response_metadata.next_cursor if page.response_metadata else ""
            if not cursor:
                return


def _drawn(view: DeskPost, now: datetime) -> dict[str, Any]:
    if isinstance(view, TaskView):
        return {"text": task_text(view, now), "blocks": task_blocks(view, now)}
    if isinstance(view, PauseNotice):
        return {"text": notice_text(view, now), "blocks": notice_blocks(view, now)}
    if isinstance(view, PauseReport):
        return {"text": report_text(view), "blocks": report_blocks(view, now)}
    if isinstance(view, DigestView):
        return {"text": digest_text(view), "blocks": digest_blocks(view, now)}
    return {"text": manifest_text(view), "blocks": manifest_blocks(view, now)}


def _is_person(channel: str) -> bool:
    """A shortcut comes from no channel, only from somebody."""
    return re.fullmatch(r"[UW][A-Z0-9]{2,}", channel) is not None


def _unwell(detail: str) -> Probe:
    return Probe(name="Slack", healthy=False, detail=detail)


def _mark(event_type: str, **payload: str) -> dict[str, Any]:
    return {"event_type": event_type, "event_payload": payload}


def _at(cursor: str) -> dict[str, str]:
    return {"cursor": cursor} if cursor else {}
