"""How Twilio posts a webhook: signed, within limits, tried again only as the URL's fragment asks.

Source: messaging-contracts A2 (connection overrides) and A3 (signatures).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urldefrag
from uuid import uuid4

import httpx
from twilio.request_validator import RequestValidator

FIRST_PAUSE_SECONDS = 0.2
"""Before the first retry; each further one waits twice as long. Twilio documents the total only."""
CONNECTIONS = 16


@dataclass(frozen=True)
class Overrides:
    retries: int = 1
    retried: frozenset[str] = frozenset({"ct"})
    connect_seconds: float = 5.0
    read_seconds: float = 15.0
    total_seconds: float = 15.0

    @classmethod
    def read(cls, fragment: str) -> "Overrides":
        """What `#rc=2&rp=ct,5xx` asks for; Twilio's defaults where it says nothing."""
        values = {name: given[-1] for name, given in parse_qs(fragment).items()}
        return cls(
            retries=min(int(values.get("rc", 1)), 5),
            retried=frozenset(values.get("rp", "ct").split(",")),
            connect_seconds=int(values.get("ct", 5000)) / 1000,
            read_seconds=int(values.get("rt", 15000)) / 1000,
            total_seconds=int(values.get("tt", 15000)) / 1000,
        )

    def retries_after(self, failure: str) -> bool:
        return failure in self.retried or "all" in self.retried


@dataclass(frozen=True)
class Delivery:
    """How the last attempt ended."""

    status: int | None
    """None when there was no HTTP answer."""
    content_type: str = ""
    body: str = ""

    @property
    def failure(self) -> str | None:
        """In the words of `rp`; None when the webhook was taken."""
        if self.status is None:
            return "ct"
        if self.status >= 500:
            return "5xx"
        return "4xx" if self.status >= 400 else None


class WebhookSender:
    """Posts signed forms. Close it when done."""

    def __init__(self, auth_token: str) -> None:
        self._validator = RequestValidator(auth_token)
        limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        self._http = httpx.AsyncClient(trust_env=False, limits=limits)
        # Waiting here is cheap; httpx walks through everything that waits, and every connection, each time.
        self._slots = asyncio.Semaphore(CONNECTIONS)

    async def post(self, url: str, fields: Mapping[str, str]) -> Delivery:
        """Tries as often as the URL's fragment allows; every attempt carries the same idempotency token."""
        address, fragment = urldefrag(url)
        overrides = Overrides.read(fragment)
        headers = {
            "X-Twilio-Signature": self._validator.compute_signature(address, dict(fields)),
            "I-Twilio-Idempotency-Token": str(uuid4()),
            "User-Agent": "TwilioProxy/1.1",
        }
        async with self._slots:
            try:
                async with asyncio.timeout(overrides.total_seconds):
                    return await self._attempts(address, fields, headers, overrides)
            except TimeoutError:
                return Delivery(status=None)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _attempts(
        self, address: str, fields: Mapping[str, str], headers: Mapping[str, str], overrides: Overrides
    ) -> Delivery:
        for attempt in range(overrides.retries + 1):
            delivery, failure = await self._attempt(address, fields, headers, overrides)
            if failure is None or not overrides.retries_after(failure) or attempt == overrides.retries:
                break
            await asyncio.sleep(FIRST_PAUSE_SECONDS * 2**attempt)
        return delivery

    async def _attempt(
        self, address: str, fields: Mapping[str, str], headers: Mapping[str, str], overrides: Overrides
    ) -> tuple[Delivery, str | None]:
        timeout = httpx.Timeout(overrides.read_seconds, connect=overrides.connect_seconds)
        try:
            response = await self._http.post(address, data=fields, headers=headers, timeout=timeout)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            return Delivery(status=None), "ct"
        except httpx.HTTPError:
            return Delivery(status=None), "rt"
        content_type = response.headers.get("content-type", "")
        delivery = Delivery(response.status_code, content_type, response.text)
        return delivery, delivery.failure
