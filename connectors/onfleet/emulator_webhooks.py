"""The pretended Onfleet's webhooks: registration with the real handshake, signed delivery, and its repeats.

An event is written down before its object changes and struck out once it was answered 200: after a kill it
may arrive twice, as from the vendor, and is never lost.
"""

import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from connectors.emulated_webhooks import Deliveries
from connectors.emulation import Ledger
from connectors.http import open_client
from connectors.onfleet.emulator_store import Json, Store, VendorError, make_id
from connectors.onfleet.payloads import TRIGGER_NAMES, Trigger, to_ms
from connectors.onfleet.webhook import decode_secret, sign

WITH_THRESHOLD = frozenset({Trigger.TASK_ETA, Trigger.TASK_ARRIVAL, Trigger.TASK_DELAYED})
ONCE_PER_TASK = WITH_THRESHOLD | {Trigger.PREDICTED_TASK_DELAY}
MAX_WITH_THRESHOLD = 10


class Webhooks(Deliveries):
    """Registrations and the events that still have to be delivered."""

    attempts = 48
    """Every 30 minutes for a day."""
    answered = frozenset({200})

    def __init__(self, store: Store, secret_hex: str, path: Path | None, retry_seconds: float) -> None:
        super().__init__(Ledger(path, "onfleet_outgoing_events"), retry_seconds)
        self._store = store
        self._secret = decode_secret(secret_hex)
        self._fired = Ledger(path, "onfleet_fired_events")

    # --- registration ---

    async def register(self, wanted: Json) -> Json:
        url, trigger = wanted.get("url"), wanted.get("trigger")
        if not isinstance(url, str) or not url.startswith(
            ("https://", "http://127.0.0.1", "http://localhost")
        ):
            raise VendorError(1000, "The values provided for one or more parameters are invalid.", "url")
        if isinstance(trigger, bool) or trigger not in {int(item) for item in Trigger}:
            raise VendorError(1000, "The values provided for one or more parameters are invalid.", "trigger")
        self._check_threshold(Trigger(trigger), wanted)
        if not await self._shakes_hands(url):
            raise VendorError(1008, "The webhook URL failed validation.", url)
        hook = {
            "id": self._store.new_id("webhook"),
            "name": wanted.get("name", ""),
            "count": 0,
            "url": url,
            "trigger": trigger,
            "isEnabled": True,
        } | ({"threshold": wanted["threshold"]} if wanted.get("threshold") is not None else {})
        self._store.webhooks[hook["id"]] = hook
        return hook

    def _check_threshold(self, trigger: Trigger, wanted: Json) -> None:
        if trigger not in WITH_THRESHOLD:
            return
        if not isinstance(wanted.get("threshold"), int):
            raise VendorError(
                1000, "The values provided for one or more parameters are invalid.", "threshold"
            )
        same = [hook for hook in self._store.webhooks.values() if hook["trigger"] == trigger]
        if len(same) >= MAX_WITH_THRESHOLD:
            raise VendorError(1000, "Too many webhooks for this trigger.")

    async def _shakes_hands(self, url: str) -> bool:
        check = make_id("check", str(time.monotonic_ns()))
        async with open_client("") as client:
            try:
                answer = await client.get(httpx.URL(url).copy_merge_params({"check": check}))
            except httpx.HTTPError:
                return False
        return answer.status_code == 200 and answer.text == check

    # --- events ---

    def fire(
        self,
        trigger: Trigger,
        at: datetime,
        *,
        task: Json | None = None,
        worker: Json | None = None,
        **extra: Any,
    ) -> None:
        """Writes one event for every webhook that listens. The same fact is written once."""
        for hook in self._store.webhooks.values():
            if hook["trigger"] != trigger or not hook["isEnabled"] or not _reaches(hook, extra):
                continue
            subject = (task or worker or {}).get("id", "")
            moment = "once" if trigger in ONCE_PER_TASK else f"{to_ms(at)}:{(task or {}).get('state')}"
            key = f"{hook['id']}:{subject}:{moment}"
            if key not in self._fired:
                self.put(key, url=hook["url"], body=self._body(trigger, at, task, worker, extra))
                self._fired[key] = True

    def _body(
        self, trigger: Trigger, at: datetime, task: Json | None, worker: Json | None, extra: Json
    ) -> str:
        worker_id = worker["id"] if worker else (task or {}).get("worker")
        data: Json = {"task": self._store.whole_task(task)} if task else {}
        if worker:
            data["worker"] = self._store.whole_worker(worker)
        body = {
            "taskId": task["id"] if task else None,
            "workerId": worker_id,
            "adminId": None,
            "actionContext": {"type": "WORKER" if worker_id else "ORGANIZATION", "id": worker_id},
            "triggerId": int(trigger),
            "triggerName": TRIGGER_NAMES[trigger],
            "data": data,
            "time": to_ms(at),
        }
        return json.dumps(body | extra)

    # --- delivery ---

    async def send(self, client: httpx.AsyncClient, key: str, event: Json) -> httpx.Response:
        body = event["body"].encode()
        headers = {"X-Onfleet-Signature": sign(self._secret, body), "Content-Type": "application/json"}
        return await client.post(event["url"], content=body, headers=headers)


def _reaches(hook: Json, extra: Json) -> bool:
    """Whether the event passes the hook's threshold: an ETA or distance from above, a delay from below."""
    threshold = hook.get("threshold")
    if threshold is None:
        return True
    if "delay" in extra:
        return bool(extra["delay"] >= threshold)
    measure = extra.get("etaSeconds", extra.get("distance"))
    return measure is None or bool(measure <= threshold)
