"""Requests to our edges, signed as the vendors sign, or not."""

import hashlib
import hmac
import json
import time

import httpx
from slack_sdk.signature import SignatureVerifier
from twilio.request_validator import RequestValidator

from tests.harness.accounts import AUTH_TOKEN, ONFLEET_SECRET, OUR_NUMBER, SIGNING_SECRET
from tests.harness.world import World

FORM = "application/x-www-form-urlencoded"


def text_form(body: str = "hello", phone: str = "+12125550100", sid: str = "SM" + "e" * 32) -> dict[str, str]:
    return {
        "MessageSid": sid,
        "AccountSid": "AC" + "0a" * 16,
        "From": phone,
        "To": OUR_NUMBER,
        "Body": body,
        "NumMedia": "0",
        "FromCity": "",
    }


async def post_twilio(
    world: World,
    fields: dict[str, str],
    path: str = "sms",
    *,
    token: str = AUTH_TOKEN,
    signature: str | None = None,
) -> httpx.Response:
    """`signature` replaces the right one; empty leaves the header out."""
    url = f"{world.url}/connectors/twilio/{path}"
    signed = RequestValidator(token).compute_signature(url, fields) if signature is None else signature
    return await world.http.post(url, data=fields, headers={"X-Twilio-Signature": signed} if signed else {})


async def post_twilio_raw(
    world: World, body: bytes, content_type: str = FORM, path: str = "sms"
) -> httpx.Response:
    """Whatever body, with the signature that Twilio would have computed over the URL alone."""
    url = f"{world.url}/connectors/twilio/{path}"
    signature = RequestValidator(AUTH_TOKEN).compute_signature(url, {})
    headers = {"X-Twilio-Signature": signature, "Content-Type": content_type}
    return await world.http.post(url, content=body, headers=headers)


def reaction(ts: str = "1700000000.000100", event_id: str = "Ev0FORGED") -> bytes:
    event = {
        "type": "reaction_added",
        "user": "U0DANA",
        "reaction": "eyes",
        "item": {"type": "message", "channel": "C0DISPATCH", "ts": ts},
        "event_ts": ts,
    }
    envelope = {"type": "event_callback", "event_id": event_id, "team_id": "T1", "event": event}
    return json.dumps(envelope).encode()


async def post_slack(
    world: World, body: bytes, *, secret: str = SIGNING_SECRET, age: int = 0, signed: bool = True
) -> httpx.Response:
    timestamp = str(int(time.time()) - age)
    signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body)
    headers = {"Content-Type": "application/json"}
    if signed:
        headers |= {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature or ""}
    return await world.http.post(f"{world.url}/connectors/slack/events", content=body, headers=headers)


async def post_onfleet(
    world: World, body: bytes, *, secret: str = ONFLEET_SECRET, signature: str | None = None
) -> httpx.Response:
    proof = hmac.new(bytes.fromhex(secret), body, hashlib.sha512).hexdigest()
    headers = {"X-Onfleet-Signature": proof if signature is None else signature}
    return await world.http.post(f"{world.url}/connectors/onfleet/webhook", content=body, headers=headers)


def onfleet_event(world: World, tracking: str) -> bytes:
    """`taskStarted` of a stop, with the task as Onfleet would tell it."""
    task = world.task_of(tracking)
    data = {"task": world.onfleet.store.whole_task(task)}
    return json.dumps(
        {"triggerId": 0, "taskId": task["id"], "time": 1_780_000_000_000, "data": data}
    ).encode()
