"""The pretended workspace: channels, people, messages with their threads and reactions. No HTTP in here."""

import base64
import binascii
import re
import secrets
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.base import Now
from connectors.emulation import Ledger

TEAM_ID = "T0DOORLINE"
TEAM_NAME = "Doorline demo"
APP_ID = "A0DOORLINE"
BOT_ID = "B0DOORLINE"
BOT_USER_ID = "U0DOORLINE"
BOT_NAME = "doorline"

TS = re.compile(r"\d{10}\.\d{6}")
REACTION = re.compile(r"[a-z0-9_+'\-]+(::skin-tone-[2-6])?")

Message = dict[str, Any]
"""A message in Slack's wire shape, its metadata always whole."""


class SlackError(Exception):
    """Answered as `{"ok": false, "error": code}` with whatever else the method's page names."""

    def __init__(self, code: str, **details: object) -> None:
        super().__init__(code)
        self.code = code
        self.details = details


@dataclass(frozen=True)
class Actor:
    user_id: str
    name: str
    is_bot: bool = False


BOT = Actor(BOT_USER_ID, BOT_NAME, is_bot=True)


@dataclass(frozen=True)
class Draft:
    """What a message says, before Slack gives it a ts."""

    text: str = ""
    blocks: list[dict[str, Any]] | None = None
    attachments: list[dict[str, Any]] | None = None
    metadata: dict[str, Any] | None = None
    thread_ts: str | None = None
    files: tuple[str, ...] = ()
    """Names of what is attached."""
    reply_broadcast: bool = False
    """Of a reply: shown in the channel too."""


Watcher = Callable[[str, Message, Message | None], None]
"""Told of each change: `posted`, `changed` or `deleted`, the message with its channel, what it was before."""


class Workspace:
    """Everything is kept in the ledger, so that a resumed emulator still has it."""

    def __init__(
        self,
        *,
        channels: Sequence[Mapping[str, Any]],
        people: Sequence[Mapping[str, str]],
        now: Now,
        ledger_path: Path | None,
        watcher: Watcher = lambda kind, message, before: None,
    ) -> None:
        self._now = now
        self._watcher = watcher
        self.channels = {c["id"]: {"is_private": False, "is_member": True, **c} for c in channels}
        self.people = {p["id"]: Actor(p["id"], p.get("name", p["id"])) for p in people}
        self.people[BOT_USER_ID] = BOT
        self._messages = Ledger(ledger_path, "slack_messages")
        self._joined = Ledger(ledger_path, "slack_joined")
        self._last = Ledger(ledger_path, "slack_last_ts")
        self.ephemerals = Ledger(ledger_path, "slack_ephemerals")
        self._timelines: defaultdict[str, list[str]] = defaultdict(list)
        for message in self._messages.values():
            insort(self._timelines[message["channel"]], message["ts"])

    # --- who and where --------------------------------------------------------------------------

    def person(self, user_id: str) -> Actor:
        try:
            return self.people[user_id]
        except KeyError:
            raise SlackError("user_not_found") from None

    def channel(self, ref: str) -> dict[str, Any]:
        """By id, or by name as `chat.postMessage` allows."""
        name = ref.removeprefix("#")
        for channel in self.channels.values():
            if ref == channel["id"] or name == channel["name"]:
                return {**channel, "is_member": self._joined.get(channel["id"], channel["is_member"])}
        raise SlackError("channel_not_found")

    def channel_of(self, actor: Actor, ref: str) -> str:
        """Id of a channel that `actor` takes part in. Dispatchers are everywhere."""
        channel = self.channel(ref)
        if actor.is_bot and not channel["is_member"]:
            # A private channel that one is not in cannot even be seen.
            raise SlackError("channel_not_found" if channel["is_private"] else "not_in_channel")
        return str(channel["id"])

    def direct(self, user_id: str) -> str:
        """Id of the messages between our bot and this person."""
        channel_id = f"D{user_id[1:]}"
        name = f"@{self.person(user_id).name}"
        about = {"id": channel_id, "name": name, "is_private": True, "is_member": True, "is_im": True}
        self.channels.setdefault(channel_id, about)
        return channel_id

    def join(self, channel_id: str) -> None:
        self._joined[channel_id] = True

    # --- messages -------------------------------------------------------------------------------

    def next_ts(self) -> str:
        """Unique and rising, also when the pretended clock stands still or was set back."""
        wanted = int(self._now().timestamp() * 1_000_000)
        last = max(wanted, self._last.get("microseconds", 0) + 1)
        self._last["microseconds"] = last
        return f"{last // 1_000_000:010d}.{last % 1_000_000:06d}"

    def message(self, channel_id: str, ts: str) -> Message:
        if not TS.fullmatch(ts):
            raise SlackError("bad_timestamp")
        try:
            return dict(self._messages[f"{channel_id} {ts}"])
        except KeyError:
            raise SlackError("message_not_found") from None

    def post(self, actor: Actor, channel_id: str, draft: Draft) -> Message:
        message: Message = {"type": "message", "user": actor.user_id, "text": draft.text, "team": TEAM_ID}
        if actor.is_bot:
            message |= {"bot_id": BOT_ID, "app_id": APP_ID}
        message |= _content(draft)
        if draft.metadata:
            message["metadata"] = draft.metadata
        parent = self._parent(channel_id, draft.thread_ts)
        message["ts"] = self.next_ts()
        if parent is not None:
            message |= {"thread_ts": parent["ts"], "parent_user_id": parent["user"]}
            self._count_reply(channel_id, parent, message)
            if draft.reply_broadcast:
                message |= {"subtype": "thread_broadcast", "root": outward(parent)}
        self._store(channel_id, message)
        insort(self._timelines[channel_id], message["ts"])
        self._watcher("posted", {**message, "channel": channel_id}, None)
        return message

    def edit(self, actor: Actor, channel_id: str, ts: str, draft: Draft) -> Message:
        """Text without blocks removes the blocks; metadata left out is kept, empty clears."""
        before = self.message(channel_id, ts)
        if before["user"] != actor.user_id:
            raise SlackError("cant_update_message")
        message = {k: v for k, v in before.items() if k not in {"blocks", "attachments"}}
        message |= {"text": draft.text, **_content(draft)}
        message["edited"] = {"user": actor.user_id, "ts": self.next_ts()}
        if draft.metadata is not None:
            message.pop("metadata", None)
            message |= {"metadata": draft.metadata} if draft.metadata else {}
        self._store(channel_id, message)
        self._watcher("changed", message, before)
        return message

    def delete(self, actor: Actor, channel_id: str, ts: str) -> None:
        message = self.message(channel_id, ts)
        if message["user"] != actor.user_id:
            raise SlackError("cant_delete_message")
        del self._messages[f"{channel_id} {ts}"]
        self._timelines[channel_id].remove(ts)
        self._watcher("deleted", message, message)

    def react(self, actor: Actor, channel_id: str, ts: str, name: str) -> Message:
        message = self._reactable(channel_id, ts, name)
        users = {r["name"]: list(r["users"]) for r in message.get("reactions", [])}
        if actor.user_id in users.get(name, []):
            raise SlackError("already_reacted")
        users.setdefault(name, []).append(actor.user_id)
        return self._with_reactions(channel_id, message, users)

    def take_back(self, actor: Actor, channel_id: str, ts: str, name: str) -> Message:
        message = self._reactable(channel_id, ts, name)
        users = {r["name"]: list(r["users"]) for r in message.get("reactions", [])}
        if actor.user_id not in users.get(name, []):
            raise SlackError("no_reaction")
        users[name].remove(actor.user_id)
        return self._with_reactions(channel_id, message, users)

    # --- reading --------------------------------------------------------------------------------

    def history(self, channel_id: str) -> list[Message]:
        """Top-level messages, newest first."""
        found = (self.message(channel_id, ts) for ts in reversed(self._timelines[channel_id]))
        return [m for m in found if m.get("thread_ts", m["ts"]) == m["ts"]]

    def thread(self, channel_id: str, ts: str) -> list[Message]:
        """The parent, then its replies, oldest first."""
        if not TS.fullmatch(ts) or f"{channel_id} {ts}" not in self._messages:
            raise SlackError("thread_not_found")
        timeline = self._timelines[channel_id]
        later = (self.message(channel_id, t) for t in timeline[bisect_left(timeline, ts) + 1 :])
        replies = [m for m in later if m.get("thread_ts") == ts]
        parent = self.message(channel_id, ts)
        if not replies:
            parent |= {"thread_ts": ts, "reply_count": 0, "subscribed": False}
        return [parent, *replies]

    def threads(self, channel_id: str) -> list[tuple[Message, list[Message]]]:
        """Every top-level message with its replies, all oldest first."""
        replies: dict[str, list[Message]] = {}
        for ts in self._timelines[channel_id]:
            message = self.message(channel_id, ts)
            if message.get("thread_ts", ts) != ts:
                replies.setdefault(message["thread_ts"], []).append(message)
        return [(m, replies.get(m["ts"], [])) for m in reversed(self.history(channel_id))]

    # --- inside ---------------------------------------------------------------------------------

    def _parent(self, channel_id: str, thread_ts: str | None) -> Message | None:
        if thread_ts is None:
            return None
        try:
            parent = self.message(channel_id, thread_ts)
        except SlackError:
            raise SlackError("thread_not_found") from None
        if parent.get("thread_ts", parent["ts"]) != parent["ts"]:
            # thread_ts must be the parent's, not a reply's. Source: chat.postMessage.
            raise SlackError("cannot_reply_to_message")
        return parent

    def _count_reply(self, channel_id: str, parent: Message, reply: Message) -> None:
        repliers = list(dict.fromkeys([*parent.get("reply_users", []), reply["user"]]))
        parent |= {
            "thread_ts": parent["ts"],
            "reply_count": parent.get("reply_count", 0) + 1,
            "reply_users": repliers,
            "reply_users_count": len(repliers),
            "latest_reply": reply["ts"],
            "subscribed": False,
        }
        self._store(channel_id, parent)

    def _reactable(self, channel_id: str, ts: str, name: str) -> Message:
        if not REACTION.fullmatch(name):
            raise SlackError("invalid_name")
        return self.message(channel_id, ts)

    def _with_reactions(self, channel_id: str, message: Message, users: dict[str, list[str]]) -> Message:
        message["reactions"] = [
            {"name": name, "users": who, "count": len(who)} for name, who in users.items() if who
        ]
        if not message["reactions"]:
            del message["reactions"]
        self._store(channel_id, message)
        return message

    def _store(self, channel_id: str, message: Message) -> None:
        self._messages[f"{channel_id} {message['ts']}"] = {**message, "channel": channel_id}


def _content(draft: Draft) -> Message:
    content: Message = {}
    if draft.blocks:
        content["blocks"] = [{"block_id": secrets.token_hex(3), **block} for block in draft.blocks]
    if draft.attachments:
        content["attachments"] = [{"id": n, **a} for n, a in enumerate(draft.attachments, 1)]
    if draft.files:
        files = [{"id": f"F{secrets.token_hex(5).upper()}", "name": name} for name in draft.files]
        content |= {"subtype": "file_share", "upload": False, "files": files}
    return content


def outward(message: Message, *, whole_metadata: bool = True) -> Message:
    """As the Web API shows it: the payload of the metadata only to those who ask for it."""
    shown = {k: v for k, v in message.items() if k != "channel"}
    if "metadata" in shown and not whole_metadata:
        shown["metadata"] = {"event_type": shown["metadata"]["event_type"]}
    return shown


def encode_cursor(position: int) -> str:
    return base64.b64encode(f"next:{position}".encode()).decode()


def decode_cursor(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:"))
    except (ValueError, binascii.Error):
        raise SlackError("invalid_cursor") from None
