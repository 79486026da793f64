"""Posting one event to a client's system that verifies it with the library clients use."""

import asyncio
import base64
import json
import secrets
import socket
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from connectors.client_webhooks.client import MOST_READ, ClientWebhooks
from connectors.client_webhooks.mapping import read_answer
from connectors.emulation import Fault
from connectors.hand_over import EventPost, PostAnswer, Taking
from tests.connectors.client_webhooks.conftest import Line

AT = datetime(2026, 6, 9, 16, 0, tzinfo=UTC)


def secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def event(line: Line, *secret_list: str, **changes: Any) -> EventPost:
    values: dict[str, Any] = {
        "event_id": "evt_1",
        "url": line.url,
        "secrets": secret_list or (line.system.default.secret,),
        "kind": "stop.delivered",
        "occurred_at": AT,
        "data": {"stop_id": "S-17", "order_ref": "Ö-4711"},
    }
    return EventPost(**(values | changes))


@pytest.fixture(autouse=True)
def shared_secret(line: Line) -> str:
    line.system.default.secret = secret()
    return line.system.default.secret


async def test_a_signed_event_is_verified_and_taken(line: Line) -> None:
    answer = await line.client.post(event(line))
    assert answer == PostAnswer(taking=Taking.TAKEN, status=204)
    assert line.system.default.events == {
        "evt_1": {
            "type": "stop.delivered",
            "timestamp": "2026-06-09T16:00:00Z",
            "data": {"stop_id": "S-17", "order_ref": "Ö-4711"},
        }
    }


async def test_while_a_secret_changes_both_old_and_new_verify(line: Line, shared_secret: str) -> None:
    await line.client.post(event(line, secret(), shared_secret))
    assert (line.system.default.types, line.system.default.forged) == (["stop.delivered"], 0)
    signatures = line.system.default.headers[0]["webhook-signature"].split(" ")
    assert [signature.split(",")[0] for signature in signatures] == ["v1", "v1"]
    assert len(set(signatures)) == 2


async def test_a_foreign_secret_is_refused(line: Line) -> None:
    answer = await line.client.post(event(line, secret()))
    assert (answer.taking, answer.status, line.system.default.forged) == (Taking.REFUSED, 401, 1)


async def test_what_was_tampered_with_or_kept_too_long_does_not_verify(
    line: Line, shared_secret: str
) -> None:
    await line.client.post(event(line))
    headers, verify = line.system.default.headers[0], Webhook(shared_secret).verify
    body = json.dumps(line.system.default.events["evt_1"])
    with pytest.raises(WebhookVerificationError):
        verify(body.replace("S-17", "S-18"), headers)
    old = ClientWebhooks(lambda: True, now=lambda: datetime.now(UTC) - timedelta(minutes=6))
    assert (await old.post(event(line, event_id="evt_2"))).status == 401
    await old.aclose()


async def test_the_same_event_again_is_known_by_its_id(line: Line) -> None:
    for _ in range(3):
        await line.client.post(event(line))
    assert (len(line.system.default.events), line.system.default.repeated) == (1, 2)


@pytest.mark.parametrize(
    ("status", "taking"),
    [
        (200, Taking.TAKEN),
        (201, Taking.TAKEN),
        (299, Taking.TAKEN),
        (301, Taking.REFUSED),
        (307, Taking.REFUSED),
        (400, Taking.REFUSED),
        (401, Taking.REFUSED),
        (404, Taking.REFUSED),
        (408, Taking.UNAVAILABLE),
        (409, Taking.REFUSED),
        (410, Taking.GONE),
        (425, Taking.UNAVAILABLE),
        (429, Taking.UNAVAILABLE),
        (499, Taking.REFUSED),
        (500, Taking.UNAVAILABLE),
        (503, Taking.UNAVAILABLE),
        (599, Taking.UNAVAILABLE),
    ],
)
def test_an_answer_is_read(status: int, taking: Taking) -> None:
    assert read_answer(status).taking is taking


def test_a_longer_pause_is_granted_up_to_an_hour() -> None:
    assert read_answer(429, timedelta(minutes=10)).retry_after == timedelta(minutes=10)
    assert read_answer(503, timedelta(days=3)).retry_after == timedelta(hours=1)
    assert read_answer(503).retry_after is None


async def test_retry_after_is_read_from_the_answer(line: Line) -> None:
    line.system.faults.next(Fault("status", status=429, headers=(("retry-after", "90"),)))
    assert (await line.client.post(event(line))).retry_after == timedelta(seconds=90)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("status", status=500), "http_500"),
        (Fault("status", status=503), "http_503"),
        (Fault("slow", seconds=2), "timeout"),
        (Fault("slow", seconds=2, after_work=True), "timeout"),
    ],
)
async def test_a_system_that_is_broken_or_slow_is_told_as_unavailable(
    line: Line, fault: Fault, error: str
) -> None:
    line.system.faults.next(fault)
    began = time.monotonic()
    answer = await line.client.post(event(line))
    assert (answer.taking, answer.error) == (Taking.UNAVAILABLE, error)
    assert time.monotonic() - began < 1.5


async def test_nobody_there_is_no_error_of_ours(line: Line) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    answer = await line.client.post(event(line, url=f"http://127.0.0.1:{port}/hooks"))
    assert (answer.taking, answer.error) == (Taking.UNAVAILABLE, "connection")


async def test_a_redirect_is_not_followed(line: Line) -> None:
    line.system.default.redirects_to = line.url + "/other"
    assert (await line.client.post(event(line))).status == 307
    assert line.system.systems["other"].events == {}


async def test_gone_is_told(line: Line) -> None:
    line.system.default.gone = True
    assert (await line.client.post(event(line))).taking is Taking.GONE


async def test_a_system_that_talks_without_end_is_not_listened_to(line: Line) -> None:
    line.system.default.body = b"x" * (MOST_READ * 40)
    assert (await line.client.post(event(line))).taking is Taking.TAKEN


async def test_a_system_that_drips_is_given_up_after_the_whole_time(line: Line) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")
        try:
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.1)
        except ConnectionError:
            return

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    answer = await line.client.post(event(line, url=f"http://127.0.0.1:{port}/hooks"))
    assert answer.error == "timeout"
    server.close()


# --- addresses, at the moment of the call -----------------------------------------------------------


async def test_a_name_that_leads_to_this_machine_is_not_connected_to(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The URL looks public; only its address, known at the call, tells."""
    resolves(monkeypatch, "127.0.0.1")
    strict = ClientWebhooks(lambda: False, seconds=0.5)
    answer = await strict.post(event(line, url="https://hooks.acme.example/hooks"))
    assert (answer.taking, answer.error) == (Taking.UNAVAILABLE, "address_refused")
    await strict.aclose()


async def test_one_private_address_among_public_ones_is_enough_to_refuse(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolves(monkeypatch, "93.184.216.34", "169.254.169.254")
    strict = ClientWebhooks(lambda: False, seconds=0.5)
    answer = await strict.post(event(line, url="https://hooks.acme.example/hooks"))
    assert answer.error == "address_refused"
    await strict.aclose()


async def test_a_name_that_changes_its_mind_is_asked_once_per_connection(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address that was judged is the one that is connected to: nothing resolves a second time."""
    asked = resolves(monkeypatch, "127.0.0.1")
    url = line.url.replace("127.0.0.1", "localhost")
    assert (await line.client.post(event(line, url=url))).taking is Taking.TAKEN
    assert asked == ["localhost"]


async def test_private_networks_can_be_forbidden_while_it_runs(line: Line) -> None:
    allowed = True
    client = ClientWebhooks(lambda: allowed, seconds=0.5)
    assert (await client.post(event(line))).taking is Taking.TAKEN
    allowed = False
    assert (await client.post(event(line))).error == "not_https"
    await client.aclose()


def resolves(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """The machine's resolver, replaced: every name has these addresses. Gives the names asked for."""
    asked: list[str] = []
    loop = asyncio.get_running_loop()
    real = loop.getaddrinfo

    async def getaddrinfo(host: Any, port: Any, **options: Any) -> Any:
        if str(host) in addresses:
            return await real(host, port, **options)
        asked.append(str(host))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
    return asked
