"""How an emulator calls back: what waits is written down, sent, and sent again until it is answered.

What waits is struck out once it was answered as the vendor wants: after a kill it may arrive twice, as from the
vendor, and is never lost.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict

from connectors.emulated_faults import FaultsBody
from connectors.emulation import Ledger
from connectors.http import open_client

AT_ONCE = 8


class WebhookFaults(BaseModel):
    model_config = ConfigDict(extra="forbid")

    duplicate: bool = False
    """Everything is sent twice."""
    reorder: bool = False
    """What waits is sent one by one, newest first."""
    down: bool = False
    """Nothing is sent; it waits."""


class WebhookFaultsBody(FaultsBody):
    """`POST /_emulator/faults` of a vendor that calls back."""

    webhooks: WebhookFaults | None = None


class Deliveries(ABC):
    """What still has to be delivered, and its sending. A vendor says how one is sent and what counts as answered."""

    attempts: int
    """Of one event, the first included; then it is given up."""
    answered: frozenset[int]
    """Statuses after which the vendor does not send again."""

    def __init__(self, waiting: Ledger, repeat_seconds: float) -> None:
        self.faults = WebhookFaults()
        self.delivered = 0
        self._waiting = waiting
        self._repeat_seconds = repeat_seconds
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()

    @abstractmethod
    async def send(self, client: httpx.AsyncClient, key: str, event: dict[str, Any]) -> httpx.Response:
        """`event` is what was put under `key`."""

    @property
    def may_send(self) -> bool:
        return not self.faults.down

    @property
    def undelivered(self) -> int:
        return len(self._waiting)

    def put(self, key: str, **event: Any) -> None:
        """Due at once; `event` is plain JSON."""
        self._waiting[key] = event | {"attempts": 0, "due_at": 0.0}
        self._wake.set()

    def misbehave(self, wanted: WebhookFaultsBody) -> None:
        if wanted.webhooks is not None:
            self.faults = wanted.webhooks
            self.wake()

    def wake(self) -> None:
        """Looks at what waits again; what waits for its repeat is due at once."""
        for key, event in self._waiting.items():
            self._waiting[key] = event | {"due_at": 0.0}
        self._wake.set()

    async def settle(self, seconds: float = 5.0) -> None:
        """Returns once everything was delivered or given up. Raises `TimeoutError` otherwise."""
        async with asyncio.timeout(seconds):
            while self._waiting:
                self._idle.clear()
                await self._idle.wait()

    @asynccontextmanager
    async def while_up(self, app: object) -> AsyncIterator[None]:
        """The lifespan of the emulator's `app`: delivers for as long as it is served."""
        sender = asyncio.create_task(self._run())
        try:
            yield
        finally:
            sender.cancel()
            with suppress(asyncio.CancelledError):
                await sender

    async def _run(self) -> None:
        async with open_client("", read_seconds=10.0) as client:
            while True:
                self._wake.clear()
                due = self._due() if self.may_send else []
                if not due:
                    await self._rest()
                    continue
                await asyncio.gather(*(self._deliver(client, key) for key in due))
                if not self._waiting:
                    self._idle.set()

    def _due(self) -> list[str]:
        now = time.time()
        due = [key for key, event in self._waiting.items() if event["due_at"] <= now]
        return due[:-2:-1] if self.faults.reorder else due[:AT_ONCE]

    async def _rest(self) -> None:
        waits = [event["due_at"] - time.time() for event in self._waiting.values()]
        pause = max(min([wait for wait in waits if wait > 0], default=60.0), 0.05)
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._wake.wait()

    async def _deliver(self, client: httpx.AsyncClient, key: str) -> None:
        event = self._waiting[key]
        is_done = True
        for _ in range(2 if self.faults.duplicate else 1):
            is_done = await self._is_answered(client, key, event) and is_done
        if is_done or event["attempts"] + 1 >= self.attempts:
            self.delivered += is_done
            del self._waiting[key]
            return
        again_at = time.time() + self._repeat_seconds
        self._waiting[key] = event | {"attempts": event["attempts"] + 1, "due_at": again_at}

    async def _is_answered(self, client: httpx.AsyncClient, key: str, event: dict[str, Any]) -> bool:
        try:
            return (await self.send(client, key, event)).status_code in self.answered
        except httpx.HTTPError:
            return False
