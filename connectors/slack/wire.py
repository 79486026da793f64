"""Calls to Slack's Web API, once each, and what can go wrong with them as errors on which a caller acts."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypeVar

import aiohttp
from pydantic import ValidationError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from connectors.errors import (
    ChannelError,
    ChannelMisconfiguredError,
    ChannelUnavailableError,
    OutcomeUnknownError,
)
from connectors.slack.pacing import Pacing
from connectors.slack.payloads import WireModel

NAME = "slack"
API_BASE = "https://slack.com/api/"
CONNECT_SECONDS = 3.0
DEFAULT_RETRY_AFTER = timedelta(seconds=30)

# Source: Slack's Web API reference, errors that every method may answer.
NOT_DONE = frozenset(
    {"ratelimited", "rate_limited", "service_unavailable", "team_added_to_org", "request_timeout"}
)
RATE_LIMITED = frozenset({"ratelimited", "rate_limited"})
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


class SlackWire:
    """A request goes out once: nothing is repeated here, neither after a rate limit nor after a lost answer."""

    def __init__(self, token: str, api_base: str, timeout_seconds: float) -> None:
        # No retry handlers: the SDK's default ones would post again after a lost answer.
        self.web = AsyncWebClient(token=token, base_url=api_base, retry_handlers=[])
        # The SDK reads the machine's proxy settings; they must not send our traffic elsewhere.
        self.web.proxy = None
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, connect=CONNECT_SECONDS)
        self._pacing = Pacing()

    async def aclose(self) -> None:
        if self.web.session is not None:
            await self.web.session.close()

    async def read(self, method: str, arguments: Arguments, shape: type[Answer]) -> Answer:
        response = await self.call(method, arguments, writes=False)
        try:
            return shape.model_validate(response.data)
        except ValidationError as exc:
            raise ChannelUnavailableError(NAME, f"unreadable answer to {method}") from exc

    async def write(self, method: str, arguments: Arguments, shape: type[Answer]) -> Answer:
        response = await self.call(method, arguments, writes=True)
        try:
            return shape.model_validate(response.data)
        except ValidationError as exc:
            raise OutcomeUnknownError(NAME, f"unreadable answer to {method}") from exc

    async def call(self, method: str, arguments: Arguments, *, writes: bool) -> Any:
        """Raises `ChannelUnavailableError` at once while Slack wants this method to rest in this channel."""
        channel = str(arguments.get("channel") or arguments.get("channel_id") or "")
        self._pacing.admit(method, channel)
        try:
            return await self._call(method, arguments, writes=writes)
        except ChannelUnavailableError as error:
            if error.code in RATE_LIMITED and error.retry_after is not None:
                self._pacing.was_limited(method, channel, error.retry_after)
            raise

    async def upload(self, url: str, content: bytes) -> None:
        """Brings a file to the address that Slack named for it; it takes no token. Nobody sees it yet."""
        try:
            async with self.session().post(url, data=content) as answer:
                if answer.status != 200:
                    raise ChannelUnavailableError(NAME, f"upload: HTTP {answer.status}")
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise ChannelUnavailableError(NAME, "upload: no answer") from exc

    def session(self) -> aiohttp.ClientSession:
        if self.web.session is None:
            # Made here because it belongs to the running event loop.
            self.web.session = aiohttp.ClientSession(timeout=self._timeout)
        return self.web.session

    async def _call(self, method: str, arguments: Arguments, *, writes: bool) -> Any:
        self.session()
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
        code = code or "ratelimited"
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
