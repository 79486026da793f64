"""Onfleet's webhooks: the handshake, the signature, and the body reduced to a `PlatformEvent`."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

import structlog
from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from connectors.base import Now, PlatformEvent, ReceivePlatformEvent, Stop
from connectors.errors import (
    BadSignatureError,
    PlatformMisconfiguredError,
    UnreadablePayloadError,
)
from connectors.onfleet.mapping import PLATFORM, Account, state_of, to_stop
from connectors.onfleet.payloads import Task, TaskState, Trigger, WebhookBody, to_ms
from connectors.platform_webhook import parse_body, take_event

MAX_CHECK = 1_000

KINDS: Mapping[Trigger, str] = {
    Trigger.TASK_STARTED: "stop_started",
    Trigger.TASK_ETA: "stop_near",
    Trigger.TASK_ARRIVAL: "stop_arriving",
    Trigger.TASK_COMPLETED: "stop_delivered",
    Trigger.TASK_FAILED: "stop_failed",
    Trigger.WORKER_DUTY: "driver_duty",
    Trigger.TASK_CREATED: "stop_created",
    Trigger.TASK_UPDATED: "stop_updated",
    Trigger.TASK_DELETED: "stop_deleted",
    Trigger.TASK_ASSIGNED: "stop_assigned",
    Trigger.TASK_UNASSIGNED: "stop_unassigned",
    Trigger.TASK_DELAYED: "stop_delayed",
    Trigger.TASK_CLONED: "stop_created",
    Trigger.PREDICTED_TASK_DELAY: "stop_delay_predicted",
}
"""What the sync acts on. The rest is answered 200 and logged: refused, Onfleet would repeat it for a day."""

log = structlog.get_logger(__name__)


def router(
    receive: ReceivePlatformEvent, *, secret_hex: str, account: Account, now: Now, path: str = "/webhook"
) -> APIRouter:
    """`GET` of `path` answers the handshake, `POST` takes events. Each account has a path of its own.

    Raises `PlatformMisconfiguredError` at once when the secret is not hexadecimal.
    """
    secret = decode_secret(secret_hex)
    routes = APIRouter()

    @routes.get(path)
    async def answer_handshake(check: str = "") -> Response:
        if not 0 < len(check) <= MAX_CHECK:
            return PlainTextResponse("expected ?check=", 400)
        return PlainTextResponse(check, headers={"X-Content-Type-Options": "nosniff"})

    @routes.post(path)
    async def take_task_event(request: Request) -> Response:
        def read(body: bytes) -> PlatformEvent | None:
            verify_signature(secret, body, request.headers.get("X-Onfleet-Signature", ""))
            return to_event(body, account, now())

        return await take_event(request, read, receive)

    return routes


def decode_secret(secret_hex: str) -> bytes:
    try:
        secret = bytes.fromhex(secret_hex)
    except ValueError as exc:
        raise PlatformMisconfiguredError(PLATFORM, "the webhook secret is not hexadecimal") from exc
    if not secret:
        raise PlatformMisconfiguredError(PLATFORM, "the webhook secret is empty")
    return secret


def sign(secret: bytes, body: bytes) -> str:
    """HMAC-SHA512, not 256: docs.onfleet.com/reference/secrets. The key is the secret decoded from hex."""
    return hmac.new(secret, body, hashlib.sha512).hexdigest()


def verify_signature(secret: bytes, body: bytes, signature: str) -> None:
    if not hmac.compare_digest(sign(secret, body).encode(), signature.strip().lower().encode()):
        raise BadSignatureError("the signature does not belong to this body")


def to_event(body: bytes, account: Account, read_at: datetime) -> PlatformEvent | None:
    """The event, or None for a trigger that changes nothing here.

    Raises `UnreadablePayloadError` with the reason when the body is not an Onfleet webhook.
    """
    wire = parse_body(WebhookBody, body)
    kind = _kind_of(wire)
    if kind is None:
        log.info("onfleet_event_not_handled", trigger=wire.trigger_id, name=wire.trigger_name)
        return None
    task = wire.data.task
    stop_ref = wire.task_id or (task.id if task else None)
    driver_ref = wire.worker_id or (wire.data.worker.id if wire.data.worker else None)
    if stop_ref is None and driver_ref is None:
        raise UnreadablePayloadError("neither taskId nor workerId is given")
    return PlatformEvent(
        platform=account.name,
        vendor_id=vendor_id(wire, body),
        kind=kind,
        occurred_at=wire.time or read_at,
        stop=whole_stop(task, account, read_at) if task and kind != "stop_deleted" else None,
        stop_ref=stop_ref,
        driver_ref=driver_ref,
        stop_deleted=kind == "stop_deleted",
    )


def _kind_of(wire: WebhookBody) -> str | None:
    try:
        return KINDS.get(Trigger(wire.trigger_id))
    except ValueError:
        return None


def vendor_id(wire: WebhookBody, body: bytes) -> str:
    """Onfleet numbers no event: what happened, to what, when, and in which state names the fact.

    Without a time only the exact same body counts as the same fact.
    """
    if wire.time is None:
        return f"onfleet:{hashlib.sha256(body).hexdigest()}"
    state = wire.data.task.state if wire.data.task else None
    fact = f"{wire.trigger_id}|{wire.task_id}|{wire.worker_id}|{to_ms(wire.time)}|{state}"
    return f"onfleet:{hashlib.sha256(fact.encode()).hexdigest()}"


def whole_stop(task: Task, account: Account, read_at: datetime) -> Stop | None:
    """The stop where the event's task says all there is to say, else None: the sync then reads it again.

    A task that waits its turn depends on its driver (status, sequence), and one without our metadata on its
    team and merchant (zone, client): an event carries neither.
    """
    if state_of(task) not in (TaskState.ACTIVE, TaskState.COMPLETED):
        return None
    stop = to_stop(task, account, read_at)
    return stop if stop.client and stop.zone else None
