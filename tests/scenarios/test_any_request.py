"""Whatever anybody posts to any of our paths, signed or not: refused or taken, never a mistake of ours."""

import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import AsyncIterator
from random import Random
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from pydantic import SecretStr
from structlog.testing import capture_logs

from tests.harness.accounts import SIGNING_SECRET
from tests.harness.forgery import FORM, post_onfleet, post_slack, post_twilio, reaction, text_form
from tests.harness.noise import any_text, any_value
from tests.harness.world import Setting, World

SEED = 20_261_122
EACH_PATH = 25
MAIL_KEY = "key-of-the-mail-route"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD")
TYPES = (FORM, "application/json", "multipart/form-data", "multipart/form-data; boundary=x", "text/plain", "")


@pytest.fixture
async def open_world(bare_setting: Setting, empty_database: None) -> AsyncIterator[World]:
    """Everything switched on, the signed mail route too."""
    async with World(bare_setting, with_mail=True) as world:
        await world.restart_app(email_signing_key=SecretStr(MAIL_KEY))
        yield world


def paths_of(world: World) -> list[str]:
    """Every path that is mounted; `{parameters}` as they are."""
    return sorted({route.path for route in iter_route_contexts(world.app.routes) if route.path})


def filled(path: str, rng: Random) -> str:
    return re.sub(r"\{[^}]*\}", lambda _: quote(any_text(rng)[:80].replace("\x00", "") or "x", safe=""), path)


def any_body(rng: Random) -> bytes:
    fields = {any_text(rng)[:20]: any_text(rng)[:200] for _ in range(rng.randrange(5))}
    return rng.choice(
        [
            b"",
            rng.randbytes(rng.randrange(300)),
            json.dumps(any_value(rng)).encode(),
            str(httpx.QueryParams(fields)).encode(),
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n',
        ]
    )


async def ask_anything(world: World, path: str, rng: Random) -> httpx.Response:
    return await world.http.request(
        rng.choice(METHODS),
        world.url + filled(path, rng),
        content=any_body(rng),
        params={"token": any_text(rng)[:40]} if rng.random() < 0.2 else None,
        headers={"Content-Type": rng.choice(TYPES)},
    )


async def faults_of(world: World, answers: list[httpx.Response], logs: list[Any]) -> list[str]:
    """What broke: answers of ours that say so, and lines in the log that tell of it."""
    await world.settled()
    broken = [f"{a.request.method} {a.request.url}: {a.status_code}" for a in answers if a.status_code >= 500]
    return broken + [str(line) for line in logs if line["log_level"] in ("error", "critical")]


async def test_no_path_breaks_whatever_is_sent_to_it(open_world: World) -> None:
    rng = Random(SEED)
    paths = paths_of(open_world)
    assert {"/connectors/twilio/sms", "/connectors/email/inbound", "/actions/webhook"} <= set(paths)
    with capture_logs() as logs:
        tries = [path for path in [*paths, "/nowhere"] for _ in range(EACH_PATH)]
        answers = [await ask_anything(open_world, path, rng) for path in tries]
    assert await faults_of(open_world, answers, logs) == []


async def test_nothing_that_a_vendor_signs_breaks_us(open_world: World) -> None:
    rng = Random(SEED)
    answers = []
    with capture_logs() as logs:
        for number in range(150):
            send = rng.choice([twilio, twilio_status, slack, slack_form, onfleet, mail])
            answers.append(await send(open_world, rng, number))
    assert await faults_of(open_world, answers, logs) == []
    assert {answer.status_code for answer in answers} >= {200, 400}


async def twilio(world: World, rng: Random, number: int) -> httpx.Response:
    return await post_twilio(world, spoilt(text_form(any_text(rng), sid=f"SM{number:032x}"), rng))


async def twilio_status(world: World, rng: Random, number: int) -> httpx.Response:
    form = {"MessageSid": f"SM{number:032x}", "MessageStatus": "delivered", "ErrorCode": "30003"}
    return await post_twilio(world, spoilt(form, rng), "status")


async def slack(world: World, rng: Random, number: int) -> httpx.Response:
    envelope = json.loads(reaction(event_id=f"Ev{number}"))
    return await post_slack(world, json.dumps(spoilt_deep(envelope, rng)).encode())


async def slack_form(world: World, rng: Random, number: int) -> httpx.Response:
    """Buttons and windows come as one field of a form."""
    press = {
        "type": rng.choice(["block_actions", "view_submission", "shortcut"]),
        "user": {"id": "U0DANA"},
        "trigger_id": str(number),
        "actions": [{"action_id": "approve", "value": "x", "action_ts": "1.1", "type": "button"}],
        "container": {"channel_id": "C0DISPATCH", "message_ts": "1.1"},
        "view": {"callback_id": "reply", "private_metadata": "x", "state": {"values": {}}},
    }
    body = str(httpx.QueryParams({"payload": json.dumps(spoilt_deep(press, rng))})).encode()
    stamp = str(int(time.time()))
    proof = hmac.new(SIGNING_SECRET.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256)
    headers = {
        "Content-Type": FORM,
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={proof.hexdigest()}",
    }
    return await world.http.post(f"{world.url}/connectors/slack/events", content=body, headers=headers)


async def onfleet(world: World, rng: Random, number: int) -> httpx.Response:
    event = {
        "triggerId": rng.randrange(30),
        "taskId": "x" * 24,
        "time": 1_780_000_000_000 + number,
        "data": {},
    }
    return await post_onfleet(world, json.dumps(spoilt_deep(event, rng)).encode())


async def mail(world: World, rng: Random, number: int) -> httpx.Response:
    stamp, token = str(int(time.time())), secrets.token_hex(25)
    signature = hmac.new(MAIL_KEY.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    form = {
        "sender": "robin@mail.example",
        "recipient": "delivery@quickship.example",
        "subject": any_text(rng)[:90],
        "body-plain": any_text(rng),
        "message-headers": json.dumps([["Message-Id", f"<{number}@mail.example>"], ["From", any_text(rng)]]),
    }
    seal = {"timestamp": stamp, "token": token, "signature": signature}
    return await world.http.post(f"{world.url}/connectors/email/inbound", data=spoilt(form, rng) | seal)


def spoilt(form: dict[str, str], rng: Random) -> dict[str, str]:
    """A field more, less or other than it should be, or none."""
    form = dict(form)
    for _ in range(rng.randrange(3)):
        name = rng.choice(sorted(form)) if form else "x"
        form.pop(name, None) if rng.random() < 0.3 else form.update({name: any_text(rng)[:500]})
    return form


def spoilt_deep(value: Any, rng: Random) -> Any:
    """The same, but for one leaf here and there."""
    if rng.random() < 0.1:
        return any_value(rng)
    if isinstance(value, dict):
        return {key: spoilt_deep(each, rng) for key, each in value.items() if rng.random() > 0.03}
    return [spoilt_deep(each, rng) for each in value] if isinstance(value, list) else value
