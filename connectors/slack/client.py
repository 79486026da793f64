"""The dispatchers' desk over Slack's Web API: posts, edits, finds again. No words of its own."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

import aiohttp
from pydantic import ValidationError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from connectors.base import EscalationView, Now, PostedMessage, Probe
from connectors.errors import (
    ChannelError,
    ChannelMisconfiguredError,
    ChannelUnavailableError,
    OutcomeUnknownError,
)
from connectors.slack.blocks import escalation_blocks, escalation_text
from connectors.slack.mapping import carries, to_ts
from connectors.slack.mrkdwn import mentioned_users, without_mentions
from connectors.slack.payloads import (
    ESCALATION_EVENT,
    NOTE_EVENT,
    ChannelsPage,
    Identity,
    Message,
    Messages,
    Posted,
    UserAnswer,
    WireModel,
)

NAME = "slack"
API_BASE = "https://slack.com/api/"
CONNECT_SECONDS = 3.0
PAGE = 200
CLOCK_SKEW = timedelta(minutes=2)
DEFAULT_RETRY_AFTER = timedelta(seconds=30)

SCOPES = frozenset(
    {
        "chat:write",
        "reactions:read",
        "channels:history",
        "groups:history",
        "channels:read",
        "groups:read",
        "users:read",
    }
)
"""What the bot token needs: docs/slack-manifest.yml asks for exactly these."""

# Source: Slack's Web API reference, errors that every method may answer.
NOT_DONE = frozenset(
    {"ratelimited", "rate_limited", "service_unavailable", "team_added_to_org", "request_timeout"}
)
PERHAPS_DONE = frozenset({"fatal_error", "internal_error"})
"""Slack: "some aspect of the operation" may have "succeeded before the error was raised"."""

ADVICE = {
    "invalid_auth": "set SLACK_BOT_TOKEN to the app's bot token (xoxb-…)",
    "not_authed": "set SLACK_BOT_TOKEN to the app's bot token (xoxb-…)",
    "token_revoked": "install the app again and set the new SLACK_BOT_TOKEN",
    "token_expired": "install the app again and set the new SLACK_BOT_TOKEN",
    "account_inactive": "the app was removed from the workspace; install it again",
    "missing_scope": "install the app again with docs/slack-manifest.yml",
    "not_in_channel": "invite the app to the channel",
    "channel_not_found": "check the channel's name in sop.yml; a private channel must have the app invited",
    "is_archived": "the channel is archived; name another one in sop.yml",
}
"""What an operator can do. Codes that are not listed are told to the operator as they are."""

Answer = TypeVar("Answer", bound=WireModel)
Arguments = Mapping[str, Any]


class SlackDesk:
    """Fulfils `connectors.base.DispatchDesk` for one workspace.

    A request goes out once: nothing is repeated here, neither after a rate limit nor after a lost answer.
    """

    def __init__(
        self, token: str, *, now: Now, api_base: str = API_BASE, timeout_seconds: float = 10.0
    ) -> None:
        # No retry handlers: the SDK's default ones would post again after a lost answer.
        self.web = AsyncWebClient(token=token, base_url=api_base, retry_handlers=[])
        # The SDK reads the machine's proxy settings; they must not send our traffic elsewhere.
        self.web.proxy = None
        self._now = now
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, connect=CONNECT_SECONDS)
        self._channel_ids: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._looking_up = asyncio.Lock()

    async def aclose(self) -> None:
        if self.web.session is not None:
            await self.web.session.close()

    # --- the desk -------------------------------------------------------------------------------

    async def post(self, channel: str, view: EscalationView) -> PostedMessage:
        channel_id = await self._channel_id(channel)
        answer = await self._write(
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
        await self._write("chat.update", arguments, Posted)

    async def post_in_thread(
        self, message: PostedMessage, text: str, note_id: str, mention: str = ""
    ) -> None:
        """Only `mention` notifies anyone; people named in `text` are named, not paged."""
        quiet_text = await self._without_mentions(text)
        await self._write(
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
        channel_id = await self._channel_id(channel)
        found = None
        arguments = {"channel": channel_id, "oldest": to_ts(since - CLOCK_SKEW)}
        async for message in self._messages("conversations.history", arguments):
            if carries(message, ESCALATION_EVENT, "escalation_id", escalation_id):
                found = min(found or message.ts, message.ts)
        return PostedMessage(channel=channel_id, ts=found) if found else None

    async def find_in_thread(self, message: PostedMessage, note_id: str) -> bool:
        arguments = {"channel": message.channel, "ts": message.ts}
        async for reply in self._messages("conversations.replies", arguments):
            if carries(reply, NOTE_EVENT, "note_id", note_id):
                return True
        return False

    async def tell_quietly(self, channel: str, dispatcher: str, text: str) -> None:
        arguments = {"channel": await self._channel_id(channel), "user": dispatcher, "text": text}
        await self._write("chat.postEphemeral", arguments, WireModel)

    async def identity(self) -> Identity:
        """Who the token says we are; the edge needs the bot's user id to ignore itself."""
        return await self._read("auth.test", {}, Identity)

    async def probe(self) -> Probe:
        try:
            response = await self._call("auth.test", {}, writes=False)
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

    async def _name(self, user: str) -> str:
        """Display name of a dispatcher, asked once; empty when Slack does not tell it."""
        if user not in self._names:
            try:
                answer = await self._read("users.info", {"user": user}, UserAnswer)
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
            page = await self._read("conversations.list", {**arguments, **_at(cursor)}, ChannelsPage)
            for channel in page.channels:
                yield channel.name, channel.id
            cursor = page.response_metadata.next_cursor if page.response_metadata else ""
            if not cursor:
                return

    async def _messages(self, method: str, arguments: Arguments) -> AsyncIterator[Message]:
        cursor = ""
        while True:
            asked = {**arguments, "include_all_metadata": True, "limit": PAGE, **_at(cursor)}
            page = await self._read(method, asked, Messages)
            for message in page.messages:
                yield message
            cursor = page.response_metadata.next_cursor if page.response_metadata else ""
            if not cursor:
                return

    # --- the wire -------------------------------------------------------------------------------

    async def _read(self, method: str, arguments: Arguments, shape: type[Answer]) -> Answer:
        response = await self._call(method, arguments, writes=False)
        try:
            return shape.model_validate(response.data)
        except ValidationError as exc:
            raise ChannelUnavailableError(NAME, f"unreadable answer to {method}") from exc

    async def _write(self, method: str, arguments: Arguments, shape: type[Answer]) -> Answer:
        response = await self._call(method, arguments, writes=True)
        try:
            return shape.model_validate(response.data)
        except ValidationError as exc:
            raise OutcomeUnknownError(NAME, f"unreadable answer to {method}") from exc

    async def _call(self, method: str, arguments: Arguments, *, writes: bool) -> Any:
        if self.web.session is None:
            # Made here because it belongs to the running event loop.
            self.web.session = aiohttp.ClientSession(timeout=self._timeout)
        try:
            if writes:
                return await self.web.api_call(method, json=dict(arguments))
            return await self.web.api_call(method, http_verb="GET", params=dict(arguments))
        except SlackApiError as exc:
            raise _refused(method, exc, writes) from exc
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as exc:
            raise ChannelUnavailableError(NAME, f"{method}: cannot connect") from exc
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise _lost(method, "no answer", writes) from exc


def _unwell(detail: str) -> Probe:
    return Probe(name="Slack", healthy=False, detail=detail)


def _mark(event_type: str, **payload: str) -> dict[str, Any]:
    return {"event_type": event_type, "event_payload": payload}


def _at(cursor: str) -> dict[str, str]:
    return {"cursor": cursor} if cursor else {}


def _lost(method: str, detail: str, writes: bool, code: str | None = None) -> ChannelError:
    """A read that brought nothing can simply be tried again; a write may have been done."""
    error = OutcomeUnknownError if writes else ChannelUnavailableError
    return error(NAME, f"{method}: {detail}", code)


def _refused(method: str, exc: SlackApiError, writes: bool) -> ChannelError:
    """Slack's answer as the class on which a caller acts. An unknown code is never taken for success."""
    response = exc.response
    # The SDK attaches its own response, or aiohttp's when the body was no JSON at all.
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    data = getattr(response, "data", None)
    code = data.get("error") if isinstance(data, dict) else None
    if status == 429 or code in NOT_DONE:
        return ChannelUnavailableError(NAME, f"{method}: rate limited or busy", code, _retry_after(response))
    if status >= 500 or code in PERHAPS_DONE or not isinstance(code, str):
        return _lost(method, f"HTTP {status}", writes, code)
    return ChannelMisconfiguredError(NAME, f"{method}: {ADVICE.get(code, 'refused')}", code)


def _retry_after(response: Any) -> timedelta:
    """Slack sends whole seconds; without the header, a pause that ends any of its rate limits."""
    try:
        return timedelta(seconds=float(response.headers["Retry-After"]))
    except (KeyError, ValueError):
        return DEFAULT_RETRY_AFTER
