"""Posts events to the clients' systems: signed, once per call, within ten seconds, to public addresses only."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import httpx

from connectors.base import Now
from connectors.client_webhooks import addresses
from connectors.client_webhooks.addresses import AddressRefusedError, GuardedTransport
from connectors.client_webhooks.mapping import no_answer, read_answer
from connectors.client_webhooks.payloads import body_of, headers_of
from connectors.hand_over import EventPost, PostAnswer
from connectors.http import retry_after

SECONDS = 10.0
CONNECT_SECONDS = 5.0
MOST_READ = 64 * 1024
"""Of an answer's body. Nothing of it is used; it is read so that the connection can be used again."""
CONNECTIONS = 100


def _watch() -> datetime:
    return datetime.now(UTC)


class ClientWebhooks:
    """`private` says, at each call, whether private networks are allowed.

    `now` is what the signature tells; the client's system compares it with its own watch, so it is the real time
    even while the day is pretended.
    """

    def __init__(self, private: Callable[[], bool], *, now: Now = _watch, seconds: float = SECONDS) -> None:
        self._private = private
        self._now = now
        self._seconds = seconds
        self._http = httpx.AsyncClient(
            transport=GuardedTransport(private, max_connections=CONNECTIONS),
            timeout=httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds)),
            follow_redirects=False,
        )

    async def post(self, event: EventPost) -> PostAnswer:
        if why := self.why_not(event.url):
            return no_answer(why)
        try:
            # httpx counts from one byte to the next; a system that drips is bounded by this.
            async with asyncio.timeout(self._seconds):
                return await self._post(event)
        except (TimeoutError, httpx.TimeoutException):
            return no_answer("timeout")
        except AddressRefusedError:
            return no_answer("address_refused")
        except (httpx.TransportError, httpx.InvalidURL):
            return no_answer("connection")

    def why_not(self, url: str) -> str:
        return addresses.why_not(url, private=self._private())

    async def _post(self, event: EventPost) -> PostAnswer:
        body = body_of(event)
        headers = headers_of(event, body, self._now())
        async with self._http.stream("POST", event.url, content=body.encode(), headers=headers) as response:
            await _read_some(response)
            return read_answer(response.status_code, retry_after(response))

    async def aclose(self) -> None:
        await self._http.aclose()


async def _read_some(response: httpx.Response) -> None:
    """A longer body is left unread, which closes the connection. What was answered counts without it."""
    read = 0
    try:
        async for chunk in response.aiter_raw():
            read += len(chunk)
            if read > MOST_READ:
                return
    except httpx.TransportError:
        return
