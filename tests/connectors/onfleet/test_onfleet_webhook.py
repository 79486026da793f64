"""The webhook edge, served, with the emulator's real handshake, signatures, repeats and faults."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from connectors.base import StopStatus
from connectors.emulation import serving
from connectors.errors import PlatformMisconfiguredError, PlatformRejectedError
from connectors.http import open_client
from connectors.onfleet.client import TRIGGERS, OnfleetPlatform
from connectors.onfleet.mapping import Account
from connectors.onfleet.payloads import to_ms
from connectors.onfleet.webhook import router, sign
from connectors.platform_webhook import MAX_BODY
from tests.connectors.edges import Received
from tests.connectors.onfleet.onfleet_town import SECRET, Town
from tests.connectors.towns import TIMEZONE, Clock

PREFIX = "/connectors/onfleet"


class Edge(Received):
    async def post(self, body: bytes, signature: bytes | None = None) -> httpx.Response:
        given = sign(bytes.fromhex(SECRET), body).encode() if signature is None else signature
        async with open_client("") as client:
            return await client.post(self.url, content=body, headers={b"X-Onfleet-Signature": given})


@pytest.fixture
async def edge(clock: Clock) -> AsyncIterator[Edge]:
    edge = Edge()
    app = FastAPI()
    routes = router(edge.receive, secret_hex=SECRET, account=Account(TIMEZONE), now=clock)
    app.include_router(routes, prefix=PREFIX)
    async with serving(app) as url:
        edge.url = f"{url}{PREFIX}/webhook"
        yield edge


def body_of(**fields: Any) -> bytes:
    return json.dumps({"triggerId": 0, "taskId": "t1", "time": 1_780_000_000_000, **fields}).encode()


async def test_registration_shakes_hands_and_is_done_once(
    town: Town, platform: OnfleetPlatform, edge: Edge
) -> None:
    assert await platform.ensure_webhooks(edge.url) == len(TRIGGERS) == 13
    assert await platform.ensure_webhooks(edge.url) == 0
    hooks = town.emulator.store.all_of("webhooks")
    assert {hook["trigger"] for hook in hooks} == {0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 12, 13, 29}


async def test_an_address_that_does_not_echo_the_check_is_not_registered(
    town: Town, platform: OnfleetPlatform
) -> None:
    with pytest.raises(PlatformRejectedError, match="1008"):
        await platform.ensure_webhooks(f"{town.url}/_emulator/state")
    assert not town.emulator.store.webhooks


async def test_a_delivery_is_told_step_by_step(town: Town, platform: OnfleetPlatform, edge: Edge) -> None:
    await platform.ensure_webhooks(edge.url)
    ref = town.refs[0]
    town.emulator.start_task(ref)
    await town.emulator.webhooks.settle()
    town.emulator.set_eta(ref, town.clock() + timedelta(minutes=4))
    await town.emulator.webhooks.settle()
    town.emulator.arrive(ref)
    await town.emulator.webhooks.settle()
    town.clock.advance(minutes=6)
    town.emulator.complete_task(ref, success=False, reason="Damaged", notes="wet")
    await town.emulator.webhooks.settle()
    assert edge.kinds == ["stop_started", "stop_near", "stop_arriving", "stop_failed"]
    assert {event.stop_ref for event in edge.received} == {ref}
    started, failed = edge.received[0], edge.received[-1]
    assert started.stop is not None
    assert (started.stop.status, started.stop.sequence) == (StopStatus.OUT_FOR_DELIVERY, 0)
    assert failed.stop is not None
    assert (failed.stop.status, failed.stop.failure_note) == (StopStatus.FAILED, "Damaged: wet")
    assert failed.occurred_at == town.clock()


async def test_a_stop_that_waits_its_turn_is_named_only(
    town: Town, platform: OnfleetPlatform, edge: Edge
) -> None:
    await platform.ensure_webhooks(edge.url)
    await platform.add_note(town.refs[2], "call first")
    await town.emulator.webhooks.settle()
    (event,) = edge.received
    assert (event.kind, event.stop_ref, event.stop) == ("stop_updated", town.refs[2], None)


async def test_a_deleted_stop_is_told_as_gone(town: Town, platform: OnfleetPlatform, edge: Edge) -> None:
    await platform.ensure_webhooks(edge.url)
    town.emulator.tasks.delete(town.refs[1])
    await town.emulator.webhooks.settle()
    (event,) = edge.received
    assert (event.stop_deleted, event.stop_ref) == (True, town.refs[1])


async def test_a_late_eta_is_told_once(town: Town, platform: OnfleetPlatform, edge: Edge) -> None:
    await platform.ensure_webhooks(edge.url)
    for minutes in (190, 200, 210):
        town.emulator.set_eta(town.refs[0], town.clock() + timedelta(minutes=minutes))
    await town.emulator.webhooks.settle()
    assert edge.kinds == ["stop_delay_predicted"]


async def test_a_repeated_event_carries_the_same_id(
    town: Town, platform: OnfleetPlatform, edge: Edge
) -> None:
    await platform.ensure_webhooks(edge.url)
    town.emulator.webhooks.faults.duplicate = True
    town.emulator.start_task(town.refs[0])
    town.emulator.start_task(town.refs[0])
    await town.emulator.webhooks.settle()
    assert len(edge.received) == 2
    assert len({event.vendor_id for event in edge.received}) == 1


async def test_two_edits_in_one_frozen_moment_are_two_events(
    town: Town, platform: OnfleetPlatform, edge: Edge
) -> None:
    await platform.ensure_webhooks(edge.url)
    await platform.add_note(town.refs[0], "one")
    await platform.add_note(town.refs[0], "two")
    await town.emulator.webhooks.settle()
    assert len({event.vendor_id for event in edge.received}) == 2


async def test_events_wait_while_the_sender_is_down_and_may_come_newest_first(
    town: Town, platform: OnfleetPlatform, edge: Edge
) -> None:
    await platform.ensure_webhooks(edge.url)
    town.emulator.webhooks.faults.down = True
    town.emulator.start_task(town.refs[0])
    town.emulator.arrive(town.refs[0], town.clock.advance(minutes=8))
    town.emulator.complete_task(town.refs[0], at=town.clock.advance(minutes=3))
    assert town.emulator.webhooks.undelivered == 3
    town.emulator.webhooks.faults.reorder = True
    town.emulator.webhooks.faults.down = False
    town.emulator.webhooks.wake()
    await town.emulator.webhooks.settle()
    assert edge.kinds == ["stop_delivered", "stop_arriving", "stop_started"]


async def test_an_event_that_could_not_be_stored_comes_again(
    town: Town, platform: OnfleetPlatform, edge: Edge
) -> None:
    await platform.ensure_webhooks(edge.url)
    edge.storage_fails = 2
    town.emulator.start_task(town.refs[0])
    await town.emulator.webhooks.settle()
    assert edge.kinds == ["stop_started"]


async def test_without_storage_the_answer_is_503(edge: Edge) -> None:
    edge.storage_fails = 1
    assert (await edge.post(body_of())).status_code == 503


@pytest.mark.parametrize("signature", ["", "00", "ß", sign(b"another secret", body_of())])
async def test_a_forged_or_missing_signature_is_refused(edge: Edge, signature: str) -> None:
    answer = await edge.post(body_of(), signature.encode())
    assert answer.status_code == 403
    assert not edge.received


async def test_a_signature_covers_every_byte(edge: Edge) -> None:
    good = sign(bytes.fromhex(SECRET), body_of()).encode()
    assert (await edge.post(body_of(), good)).status_code == 200
    assert (await edge.post(body_of() + b" ", good)).status_code == 403


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"[]", "object"),
        (b'{"taskId": "t1"}', "triggerId"),
        (body_of(triggerId="soon"), "triggerId"),
        (body_of(time="now"), "time"),
        (body_of(taskId=None), "neither"),
        (body_of(data={"task": {"id": "t1", "state": 9}}), "state 9"),
    ],
)
async def test_an_unreadable_body_is_refused_with_the_reason(edge: Edge, body: bytes, reason: str) -> None:
    answer = await edge.post(body)
    assert answer.status_code == 400
    assert reason in answer.text
    assert not edge.received


async def test_a_body_beyond_the_limit_is_not_read(edge: Edge) -> None:
    assert (await edge.post(b" " * (MAX_BODY + 1))).status_code == 413


@pytest.mark.parametrize("trigger", [17, 21, 99])
async def test_a_trigger_we_do_not_handle_is_answered_and_dropped(edge: Edge, trigger: int) -> None:
    assert (await edge.post(body_of(triggerId=trigger))).status_code == 200
    assert not edge.received


async def test_duty_names_the_driver(edge: Edge) -> None:
    await edge.post(body_of(triggerId=5, taskId=None, workerId="w1", status=1))
    (event,) = edge.received
    assert (event.kind, event.driver_ref, event.stop_ref) == ("driver_duty", "w1", None)


async def test_an_event_without_a_time_is_the_same_fact_only_in_the_same_words(
    clock: Clock, edge: Edge
) -> None:
    for notes in ("a", "a", "b"):
        await edge.post(body_of(time=None, data={"task": {"id": "t1", "state": 1, "notes": notes}}))
    assert [event.occurred_at for event in edge.received] == [clock()] * 3
    first, second, third = (event.vendor_id for event in edge.received)
    assert first == second != third


async def test_the_event_keeps_the_vendors_time(edge: Edge) -> None:
    await edge.post(body_of())
    assert to_ms(edge.received[0].occurred_at) == 1_780_000_000_000


async def test_the_handshake_echoes_exactly_what_was_asked(edge: Edge) -> None:
    async with open_client("") as client:
        answer = await client.get(edge.url, params={"check": "<b>*~ü&"})
        assert (answer.status_code, answer.text) == (200, "<b>*~ü&")
        assert answer.headers["content-type"].startswith("text/plain")
        assert (await client.get(edge.url)).status_code == 400


@pytest.mark.parametrize("secret", ["", "not hex"])
async def test_a_secret_that_cannot_be_one_is_said_at_once(clock: Clock, edge: Edge, secret: str) -> None:
    with pytest.raises(PlatformMisconfiguredError):
        router(edge.receive, secret_hex=secret, account=Account(TIMEZONE), now=clock)


async def test_an_event_bears_the_name_of_its_account(town: Town, clock: Clock) -> None:
    edge, app = Edge(), FastAPI()
    account = Account(TIMEZONE, name="onfleet_west")
    app.include_router(router(edge.receive, secret_hex=SECRET, account=account, now=clock), prefix=PREFIX)
    town.emulator.complete_task(town.refs[0])
    task = town.emulator.store.whole_task(town.task(0))
    async with serving(app) as url:
        edge.url = f"{url}{PREFIX}/webhook"
        answer = await edge.post(body_of(triggerId=3, taskId=town.refs[0], data={"task": task}))
    assert answer.status_code == 200
    (event,) = edge.received
    assert event.stop is not None
    assert (event.platform, event.stop.platform) == ("onfleet_west", "onfleet_west")


async def test_a_dispatchers_clone_is_a_new_stop(town: Town, platform: OnfleetPlatform, edge: Edge) -> None:
    await platform.ensure_webhooks(edge.url)
    copy = town.emulator.tasks.clone(town.refs[0], None)
    await town.emulator.webhooks.settle()
    assert [(event.kind, event.stop_ref) for event in edge.received] == [("stop_created", copy["id"])]
