"""How Slack delivers: signed, within three seconds, and again when the app did not take it.

Timestamps in signatures are real time, as the receiver's check is; the pretended clock stays inside events.
"""

import asyncio
import json
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
from slack_sdk.signature import SignatureVerifier

from connectors.emulation import Ledger, running_for
from connectors.http import open_client
from connectors.slack.emulator_sockets import Kind, Sockets

PATIENCE_SECONDS = 3.0
"""How long Slack waits for an answer, and how long a trigger lives. Source: docs.slack.dev, interactivity."""

RETRY_DELAYS = (0.0, 0.0, 60.0, 300.0)
"""Seconds before the first attempt and the three retries. Source: Events API, retries."""

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Answer:
    """What came back for one attempt."""

    status: int | None
    """None when nobody answered in time."""
    reason: str = ""
    """What Slack would name as the reason of a retry."""
    may_retry: bool = True
    body: bytes = b""

    @property
    def is_taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class EventSender:
    """Delivers without keeping the Web API waiting; what was not taken survives a kill and goes on after."""

    def __init__(
        self,
        signing_secret: str,
        ledger_path: Path | None,
        retry_scale: float,
        sockets: Sockets,
        patience_seconds: float,
    ) -> None:
        self._sockets = sockets
        self._verifier = SignatureVerifier(signing_secret)
        self._pending = Ledger(ledger_path, "slack_events")
        self._addresses = Ledger(ledger_path, "slack_addresses")
        self._retry_scale = retry_scale
        self._patience_seconds = patience_seconds
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: httpx.AsyncClient | None = None
        self.given_up: list[str] = []
        """Ids of events that no attempt could deliver."""

    @property
    def url(self) -> str | None:
        """Where the app listens; None as long as it has not subscribed, and then nothing is sent."""
        return self._addresses.get("events_url")

    @url.setter
    def url(self, url: str | None) -> None:
        self._addresses["events_url"] = url

    @property
    def undelivered(self) -> dict[str, int]:
        """How often each waiting event has been tried, by event id."""
        return {event_id: event["attempt"] for event_id, event in self._pending.items()}

    def resume(self) -> None:
        for event_id in self._pending:
            self._spawn(event_id)

    async def stop(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def send(self, event_id: str, envelope: dict[str, object]) -> None:
        if self.url is None and not self._sockets.is_on:
            return
        self._pending[event_id] = {"body": json.dumps(envelope), "attempt": 0, "reason": ""}
        self._spawn(event_id)

    async def interact(self, payload: dict[str, object]) -> Answer:
        """Delivers an interactivity payload once, as Slack does."""
        if self._sockets.is_on:
            return await self._through_socket("interactive", payload)
        return await self._attempt(urlencode({"payload": json.dumps(payload)}), FORM, {})

    async def submit_form(self, form: dict[str, str]) -> Answer:
        """Delivers a slash command, once: Slack does not repeat it."""
        if self._sockets.is_on:
            return await self._through_socket("slash_commands", form)
        return await self._attempt(urlencode(form), FORM, {})

    async def ssl_check(self) -> Answer:
        """Unsigned, as Slack sends it."""
        return await self._post("ssl_check=1&token=deprecated", {"content-type": FORM})

    def _spawn(self, event_id: str) -> None:
        task = asyncio.create_task(self._deliver(event_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, event_id: str) -> None:
        while event_id in self._pending:
            event = self._pending[event_id]
            attempt = event["attempt"]
            await asyncio.sleep(RETRY_DELAYS[attempt] * self._retry_scale)
            answer = await self._deliver_once(event)
            if answer.is_taken:
                del self._pending[event_id]
            elif answer.may_retry and attempt + 1 < len(RETRY_DELAYS):
                self._pending[event_id] = {**event, "attempt": attempt + 1, "reason": answer.reason}
            else:
                del self._pending[event_id]
                self.given_up.append(event_id)

    async def _deliver_once(self, event: dict[str, Any]) -> Answer:
        attempt, reason = event["attempt"], event["reason"]
        if self._sockets.is_on:
            return await self._through_socket("events_api", json.loads(event["body"]), attempt, reason)
        headers = {}
        if attempt:
            headers = {"x-slack-retry-num": str(attempt), "x-slack-retry-reason": reason}
        return await self._attempt(event["body"], JSON, headers)

    async def _through_socket(
        self, kind: Kind, payload: object, attempt: int = 0, reason: str = ""
    ) -> Answer:
        body = await self._sockets.deliver(kind, payload, attempt, reason, self._patience_seconds)
        return Answer(None, "timeout") if body is None else Answer(200, body=body)

    async def _attempt(self, body: str, content_type: str, headers: dict[str, str]) -> Answer:
        return await self._post(body, {**self._signature(body), "content-type": content_type, **headers})

    async def _post(self, body: str, headers: dict[str, str]) -> Answer:
        if self._client is None:
            self._client = open_client("")
        try:
            async with running_for(self._patience_seconds):
                response = await self._client.post(self.url or "", content=body, headers=headers)
        except (TimeoutError, httpx.TimeoutException):
            return Answer(None, "http_timeout")
        except (httpx.HTTPError, httpx.InvalidURL):
            return Answer(None, "connection_failed")
        may_retry = response.headers.get("x-slack-no-retry") != "1"
        return Answer(response.status_code, "http_error", may_retry, response.content)

    def _signature(self, body: str) -> dict[str, str]:
        timestamp = str(int(time.time()))
        signature = self._verifier.generate_signature(timestamp=timestamp, body=body)
        return {"x-slack-request-timestamp": timestamp, "x-slack-signature": signature or ""}


def event_id() -> str:
    return "Ev" + secrets.token_hex(5).upper()
