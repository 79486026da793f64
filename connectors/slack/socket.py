"""Socket Mode: the same listeners over a WebSocket that we open, for where Slack cannot reach us.

Slack is acknowledged once a listener has stored what came; without that it delivers again. Any number of
replicas may be connected: Slack gives each delivery to one of them, and what comes twice is known by its id.
"""

import asyncio
import logging
from contextlib import suppress
from functools import partial

import aiohttp
import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackClientError
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from connectors.errors import UnreadablePayloadError
from connectors.slack.payloads import Delivery, read
from connectors.slack.towards import note_arrival

SlackApp = AsyncApp
"""What `webhook.build_app` makes, under a name for those who only hand it on."""

PING_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 30.0

log = structlog.get_logger(__name__)


class SlackSocket:
    """One connection for as long as it is started: made again when it is lost, or when Slack announces its end."""

    def __init__(self, app: AsyncApp, app_token: str, *, ping_seconds: float = PING_SECONDS) -> None:
        self._app = app
        self._app_token = app_token
        self._ping_seconds = ping_seconds
        self._handler: AsyncSocketModeHandler | None = None
        self._connecting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns at once; connects in the background, however long Slack is away."""
        handler = AsyncSocketModeHandler(
            self._app, self._app_token, logger=_quiet_logger(), ping_interval=self._ping_seconds
        )
        # The SDK reads the machine's proxy settings; they must not send our traffic elsewhere.
        handler.client.proxy = None
        handler.client.socket_mode_request_listeners = [partial(self._handle, handler)]
        self._handler = handler
        self._connecting = asyncio.create_task(self._connect(handler))

    async def stop(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
            with suppress(asyncio.CancelledError):
                await self._connecting
        if self._handler is not None:
            await self._handler.client.close()  # type: ignore[no-untyped-call]

    async def is_connected(self) -> bool:
        return self._handler is not None and await self._handler.client.is_connected()

    async def _connect(self, handler: AsyncSocketModeHandler) -> None:
        """Once connected, the client itself reconnects."""
        pause = 1.0
        while True:
            try:
                await handler.client.connect()  # type: ignore[no-untyped-call]
            except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError) as error:
                log.warning("slack.socket_not_open", error=type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            else:
                log.info("slack.socket_open")
                return

    async def _handle(
        self, handler: AsyncSocketModeHandler, _client: AsyncBaseSocketModeClient, request: SocketModeRequest
    ) -> None:
        """What is refused is not acknowledged, as over HTTP it would not be answered with 200."""
        note_arrival()
        try:
            if request.type != "slash_commands":
                read(Delivery, request.payload)
            await handler.handle(handler.client, request)
        except (UnreadablePayloadError, AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            log.warning("slack.unreadable", reason=type(error).__name__)
        except (aiohttp.ClientError, ConnectionError) as error:
            # The connection went while the answer was on its way: Slack delivers again.
            log.warning("slack.not_acknowledged", error=type(error).__name__)


def _quiet_logger() -> logging.Logger:
    """The SDK's lines quote addresses that hold a ticket, and whole payloads."""
    logger = logging.getLogger("connectors.slack.sockets")
    logger.setLevel(logging.CRITICAL + 1)
    return logger
