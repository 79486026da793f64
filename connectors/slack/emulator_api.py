"""The Web API methods that Slack's own SDKs call, over the pretended workspace."""

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.base import Now
from connectors.slack.emulator_args import Args, between, page_of, read_draft
from connectors.slack.emulator_files import Files
from connectors.slack.emulator_state import (
    BOT,
    BOT_ID,
    TEAM_ID,
    TEAM_NAME,
    Actor,
    Draft,
    Message,
    SlackError,
    Workspace,
    outward,
)
from connectors.slack.emulator_views import Views

UPDATED_TEXT_LIMIT = 4_000
"""Longer text is refused. Source: chat.update."""

POSTS_APART = timedelta(seconds=1)

METHOD_SCOPES: dict[str, frozenset[str]] = {
    "chat.postMessage": frozenset({"chat:write"}),
    "chat.update": frozenset({"chat:write"}),
    "chat.postEphemeral": frozenset({"chat:write"}),
    "chat.delete": frozenset({"chat:write"}),
    "conversations.join": frozenset({"channels:join"}),
    "reactions.add": frozenset({"reactions:write"}),
    "reactions.remove": frozenset({"reactions:write"}),
    "reactions.get": frozenset({"reactions:read"}),
    "users.info": frozenset({"users:read"}),
    "users.list": frozenset({"users:read"}),
    "usergroups.users.list": frozenset({"usergroups:read"}),
    "files.getUploadURLExternal": frozenset({"files:write"}),
    "files.completeUploadExternal": frozenset({"files:write"}),
}
"""Source: the methods' pages. The scopes of conversations.* depend on the channel, see `_needed`."""

ALL_SCOPES = frozenset().union(
    *METHOD_SCOPES.values(),
    {"channels:history", "groups:history", "channels:read", "groups:read", "commands"},
)

Reply = dict[str, Any]


class RateLimitedError(Exception):
    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class WebApi:
    """Authenticates, checks scopes and limits, and does what a method says."""

    def __init__(
        self,
        workspace: Workspace,
        *,
        bot_token: str,
        now: Now,
        scopes: frozenset[str],
        on_reaction: Callable[[str, Actor, Message, str], None],
        usergroups: Mapping[str, Sequence[str]],
        ledger_path: Path | None,
        trigger_seconds: float,
    ) -> None:
        self.workspace = workspace
        self.scopes = scopes
        self.calls: Counter[str] = Counter()
        self.unexpected: list[str] = []
        self.scopes_used: set[str] = set()
        self.rate_limited = False
        self.limited_until: dict[str, float] = {}
        """By channel id, real time: until then nothing can be written there."""
        self.base_url = "http://localhost/"
        """Under which we were called last; addresses that we hand out lie there."""
        self.open_socket: Callable[[str | None, str], str] | None = None
        self.views = Views(now, ledger_path, trigger_seconds)
        self.files = Files(workspace)
        self._bot_token = bot_token
        self._now = now
        self._on_reaction = on_reaction
        self._usergroups = usergroups
        self._last_post: dict[str, datetime] = {}
        self._methods: dict[str, Callable[[Actor, Args], Reply]] = {
            "api.test": lambda actor, args: {},
            "apps.connections.open": lambda actor, args: {},
            "auth.test": self._auth_test,
            "chat.postMessage": self._post_message,
            "chat.update": self._update,
            "chat.postEphemeral": self._post_ephemeral,
            "chat.delete": self._delete,
            "chat.getPermalink": self._permalink,
            "conversations.list": self._list_channels,
            "conversations.info": lambda actor, args: {"channel": self._shown_channel(args)},
            "conversations.join": self._join,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "reactions.add": self._add_reaction,
            "reactions.remove": self._remove_reaction,
            "reactions.get": self._get_reactions,
            "users.info": lambda actor, args: {"user": _user(self.workspace.person(args.text("user")))},
            "users.list": self._list_users,
            "usergroups.users.list": self._list_usergroup,
            "views.open": self.views.open,
            "views.push": self.views.push,
            "views.update": self.views.update,
            "views.publish": self._publish_view,
            "files.getUploadURLExternal": lambda actor, args: self.files.get_upload_url(self.base_url, args),
            "files.completeUploadExternal": self.files.complete,
        }

    def call(self, method: str, token: str | None, args: Args) -> Reply:
        """Raises `SlackError` or `RateLimitedError`; an unknown method is also kept in `unexpected`."""
        if method not in self._methods:
            self.unexpected.append(method)
            raise SlackError("unknown_method", req_method=method)
        self.calls[method] += 1
        if method == "api.test":
            return {}
        if method == "apps.connections.open" and self.open_socket is not None:
            return {"url": self.open_socket(token, self.base_url)}
        actor = self._actor(token)
        if actor.is_bot:
            self._check_scopes(method, args)
        return self._methods[method](actor, args)

    def _actor(self, token: str | None) -> Actor:
        """The bot by its token; a dispatcher by `xoxp-<user id>`."""
        if token is None:
            raise SlackError("not_authed")
        if token == self._bot_token:
            return BOT
        person = self.workspace.people.get(token.removeprefix("xoxp-"))
        if not token.startswith("xoxp-") or person is None or person.is_bot:
            raise SlackError("invalid_auth")
        return person

    def _check_scopes(self, method: str, args: Args) -> None:
        needed = self._needed(method, args)
        self.scopes_used |= needed
        missing = needed - self.scopes
        if missing:
            provided = ",".join(sorted(self.scopes))
            raise SlackError("missing_scope", needed=",".join(sorted(missing)), provided=provided)

    def _needed(self, method: str, args: Args) -> frozenset[str]:
        if method == "conversations.list":
            types = args.text("types", "public_channel").split(",")
            wanted = {"public_channel": "channels:read", "private_channel": "groups:read"}
            return frozenset(wanted[t] for t in types if t in wanted)
        kinds = {"conversations.history": "history", "conversations.replies": "history"}
        kinds["conversations.info"] = "read"
        if method in kinds:
            prefix = "groups" if self._channel(args)["is_private"] else "channels"
            return frozenset({f"{prefix}:{kinds[method]}"})
        return METHOD_SCOPES.get(method, frozenset())

    # --- chat -----------------------------------------------------------------------------------

    def _auth_test(self, actor: Actor, args: Args) -> Reply:
        reply = {
            "url": "https://doorline-demo.slack.com/",
            "team": TEAM_NAME,
            "team_id": TEAM_ID,
            "user": actor.name,
            "user_id": actor.user_id,
            "is_enterprise_install": False,
        }
        return {**reply, "bot_id": BOT_ID} if actor.is_bot else reply

    def _post_message(self, actor: Actor, args: Args) -> Reply:
        # A user's id stands for the messages between them and whoever writes. Source: chat.postMessage.
        if args.text("channel") in self.workspace.people:
            channel_id = self.workspace.direct(args.text("channel"))
        else:
            channel_id = self.workspace.channel_of(actor, args.text("channel"))
        draft = read_draft(args)
        self._keep_rate(channel_id)
        message = self.workspace.post(actor, channel_id, draft)
        return {"channel": channel_id, "ts": message["ts"], "message": outward(message)}

    def _keep_rate(self, channel_id: str) -> None:
        """About one message a second and channel, when switched on."""
        self._keep_limit(channel_id)
        now = self._now()
        last = self._last_post.get(channel_id)
        if self.rate_limited and last is not None and now - last < POSTS_APART:
            raise RateLimitedError(1)
        self._last_post[channel_id] = now

    def _keep_limit(self, channel_id: str) -> None:
        left = self.limited_until.get(channel_id, 0.0) - time.monotonic()
        if left > 0:
            raise RateLimitedError(max(1, math.ceil(left)))

    def _update(self, actor: Actor, args: Args) -> Reply:
        channel_id = self.workspace.channel_of(actor, args.text("channel"))
        self._keep_limit(channel_id)
        if len(args.text("text")) > UPDATED_TEXT_LIMIT:
            raise SlackError("msg_too_long")
        message = self.workspace.edit(actor, channel_id, args.text("ts"), read_draft(args))
        shown = outward(message)
        return {"channel": channel_id, "ts": message["ts"], "text": message["text"], "message": shown}

    def _post_ephemeral(self, actor: Actor, args: Args) -> Reply:
        channel_id = self.workspace.channel_of(actor, args.text("channel"))
        draft = read_draft(args)
        if args.text("user") not in self.workspace.people:
            raise SlackError("user_not_in_channel")
        return {"message_ts": self.remember_ephemeral(channel_id, args.text("user"), draft)}

    def remember_ephemeral(self, channel_id: str, user_id: str, draft: Draft) -> str:
        ts = self.workspace.next_ts()
        self.workspace.ephemerals[ts] = {
            "channel": channel_id,
            "user": user_id,
            "text": draft.text,
            "blocks": draft.blocks or [],
            "thread_ts": draft.thread_ts,
            "ts": ts,
        }
        return ts

    def _delete(self, actor: Actor, args: Args) -> Reply:
        channel_id = self.workspace.channel_of(actor, args.text("channel"))
        self.workspace.delete(actor, channel_id, args.text("ts"))
        return {"channel": channel_id, "ts": args.text("ts")}

    def _permalink(self, actor: Actor, args: Args) -> Reply:
        channel_id = self.workspace.channel_of(actor, args.text("channel"))
        ts = str(self.workspace.message(channel_id, args.text("message_ts"))["ts"])
        link = f"https://doorline-demo.slack.com/archives/{channel_id}/p{ts.replace('.', '')}"
        return {"channel": channel_id, "permalink": link}

    # --- conversations --------------------------------------------------------------------------

    def _list_channels(self, actor: Actor, args: Args) -> Reply:
        types = args.text("types", "public_channel").split(",")
        wanted = [
            self._conversation(channel_id)
            for channel_id, channel in self.workspace.channels.items()
            if not channel.get("is_im")
            and ("private_channel" if channel["is_private"] else "public_channel") in types
        ]
        page, paging = page_of(wanted, args, default=100)
        return {"channels": page, **paging}

    def _channel(self, args: Args) -> dict[str, Any]:
        return self.workspace.channel(args.text("channel"))

    def _shown_channel(self, args: Args) -> dict[str, Any]:
        return self._conversation(self._channel(args)["id"])

    def _conversation(self, channel_id: str) -> dict[str, Any]:
        channel = self.workspace.channel(channel_id)
        return {
            "id": channel_id,
            "name": channel["name"],
            "name_normalized": channel["name"],
            "is_channel": not channel["is_private"],
            "is_group": False,
            "is_im": False,
            "is_mpim": False,
            "is_private": channel["is_private"],
            "is_archived": False,
            "is_general": False,
            "is_shared": False,
            "is_org_shared": False,
            "is_ext_shared": False,
            "is_member": channel["is_member"],
            "created": 1_700_000_000,
            "creator": BOT.user_id,
            "unlinked": 0,
            "num_members": len(self.workspace.people),
            "topic": {"value": "", "creator": "", "last_set": 0},
            "purpose": {"value": "", "creator": "", "last_set": 0},
        }

    def _join(self, actor: Actor, args: Args) -> Reply:
        channel = self._channel(args)
        if channel["is_private"]:
            raise SlackError("method_not_supported_for_channel_type")
        if actor.is_bot:
            self.workspace.join(channel["id"])
        return {"channel": self._conversation(channel["id"])}

    def _history(self, actor: Actor, args: Args) -> Reply:
        channel_id = self.workspace.channel_of(actor, args.text("channel"))
        chosen = between(self.workspace.history(channel_id), args)
        page, paging = page_of(chosen, args, default=100)
        whole = args.flag("include_all_metadata")
        return {"messages": [outward(m, whole_metadata=whole) for m in page], "pin_count": 0, **paging}

    def _replies(self, actor: Actor, args: Args) -> Reply:
        channel_id = self.workspace.channel_of(actor, args.text("channel"))
        parent, *replies = self.workspace.thread(channel_id, args.text("ts"))
        page, paging = page_of([parent, *between(replies, args)], args, default=1000)
        whole = args.flag("include_all_metadata")
        return {"messages": [outward(m, whole_metadata=whole) for m in page], **paging}

    # --- reactions ------------------------------------------------------------------------------

    def _add_reaction(self, actor: Actor, args: Args) -> Reply:
        self.react(actor, args.text("channel"), args.text("timestamp"), args.text("name"))
        return {}

    def _remove_reaction(self, actor: Actor, args: Args) -> Reply:
        self.react(actor, args.text("channel"), args.text("timestamp"), args.text("name"), remove=True)
        return {}

    def react(self, actor: Actor, channel: str, ts: str, name: str, *, remove: bool = False) -> None:
        """Records the reaction and has the app told about it."""
        channel_id = self.workspace.channel_of(actor, channel)
        change = self.workspace.take_back if remove else self.workspace.react
        message = change(actor, channel_id, ts, name.strip(":"))
        kind = "reaction_removed" if remove else "reaction_added"
        self._on_reaction(kind, actor, {**message, "channel": channel_id}, name.strip(":"))

    def _get_reactions(self, actor: Actor, args: Args) -> Reply:
        channel_id = self.workspace.channel_of(actor, args.text("channel"))
        message = self.workspace.message(channel_id, args.text("timestamp"))
        return {"type": "message", "channel": channel_id, "message": outward(message, whole_metadata=False)}

    # --- people ---------------------------------------------------------------------------------

    def _list_users(self, actor: Actor, args: Args) -> Reply:
        page, paging = page_of([_user(p) for p in self.workspace.people.values()], args, default=1000)
        return {"members": page, "cache_ts": int(self._now().timestamp()), **paging}

    def _list_usergroup(self, actor: Actor, args: Args) -> Reply:
        if args.text("usergroup") not in self._usergroups:
            raise SlackError("no_such_subteam")
        return {"users": list(self._usergroups[args.text("usergroup")])}

    # --- views ----------------------------------------------------------------------------------

    def _publish_view(self, actor: Actor, args: Args) -> Reply:
        self.workspace.person(args.text("user_id"))
        return self.views.publish(actor, args)


def _user(person: Actor) -> dict[str, Any]:
    return {
        "id": person.user_id,
        "team_id": TEAM_ID,
        "name": person.name.lower().replace(" ", "."),
        "real_name": person.name,
        "deleted": False,
        "is_bot": person.is_bot,
        "is_app_user": False,
        "tz": "America/New_York",
        "profile": {"display_name": person.name, "real_name": person.name, "team": TEAM_ID},
    }
