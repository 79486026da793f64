"""The few calls that an edge makes to Slack itself: they are short, and no durable state hangs on them."""

import asyncio
from contextvars import ContextVar
from time import perf_counter
from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

OPEN_SECONDS = 1.6
SAY_SECONDS = 1.0
"""Together under the three seconds that Slack waits for an answer, and that a trigger lives."""

TRIGGER_SECONDS = 2.7
"""From when the gesture reached us: what waits longer, for our own event loop even, finds its trigger dead."""

_arrived: ContextVar[float | None] = ContextVar("arrived", default=None)
"""`perf_counter` at which the gesture that is being handled reached us."""

log = structlog.get_logger(__name__)


def note_arrival() -> None:
    """Called by each transport as soon as it has a delivery in its hands."""
    _arrived.set(perf_counter())


def trigger_left() -> float:
    """Seconds in which a window can still be opened; all of them where no arrival was noted."""
    arrived_at = _arrived.get()
    return TRIGGER_SECONDS - (perf_counter() - arrived_at if arrived_at is not None else 0.0)


class Towards:
    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def opens(self, trigger_id: str, modal: dict[str, Any]) -> bool:
        """Whether the window is there now."""
        seconds = min(OPEN_SECONDS, trigger_left())
        return seconds > 0 and await self._did(
            "views.open", {"trigger_id": trigger_id, "view": modal}, seconds
        )

    async def says(self, channel: str, dispatcher: str, thread_ts: str | None, text: str) -> bool:
        """Whether this dispatcher was told, and nobody else."""
        arguments = {"channel": channel, "user": dispatcher, "text": text}
        in_thread = {"thread_ts": thread_ts} if thread_ts else {}
        return await self._did("chat.postEphemeral", arguments | in_thread, SAY_SECONDS)

    async def _did(self, method: str, arguments: dict[str, Any], seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._client.api_call(method, json=arguments)
        except (SlackClientError, aiohttp.ClientError, TimeoutError) as error:
            log.warning("slack.not_done", method=method, code=_code(error))
            return False
        return True


def _code(error: Exception) -> str:
    # The SDK attaches its own response, or aiohttp's when the body was no JSON at all.
    data = getattr(error.response, "data", None) if isinstance(error, SlackApiError) else None
    return str(data.get("error")) if isinstance(data, dict) else type(error).__name__
