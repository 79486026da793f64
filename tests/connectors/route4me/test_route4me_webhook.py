"""The callback edge, served, with the emulator's real deliveries, repeats and faults."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI

from connectors.emulation import serving
from connectors.errors import PlatformMisconfiguredError
from connectors.http import open_client
from connectors.platform_webhook import MAX_BODY
from connectors.route4me.emulator import Route4MeEmulator
from connectors.route4me.webhook import router
from tests.connectors.edges import Received
from tests.connectors.route4me.route4me_town import API_KEY, furnish, new_emulator
from tests.connectors.towns import NINE_IN_NEW_YORK, Clock

SECRET = "a-long-unguessable-path-segment"
PREFIX = "/connectors/route4me"


class Edge(Received):
    async def post(self, body: bytes, secret: str = SECRET) -> httpx.Response:
        async with open_client("") as client:
            return await client.post(f"{self.url}/webhook/{secret}", content=body)


@pytest.fixture
async def edge(clock: Clock) -> AsyncIterator[Edge]:
    edge = Edge()
    app = FastAPI()
    app.include_router(
        router(edge.receive, secret=SECRET, platform_name="route4me_west", now=clock), prefix=PREFIX
    )
    async with serving(app) as url:
        edge.url = f"{url}{PREFIX}"
        yield edge


@pytest.fixture
async def pushing(clock: Clock, edge: Edge) -> AsyncIterator[Route4MeEmulator]:
    """An account with the town's stops, whose callback is the edge."""
    emulator = new_emulator(clock)
    furnish(emulator, clock)
    emulator.callback_url = f"{edge.url}/webhook/{SECRET}"
    async with serving(emulator.app):
        yield emulator


def activity(**fields: Any) -> bytes:
    given = {
        "activity_id": "A" * 32,
        "activity_type": "mark-destination-visited",
        "activity_timestamp": 1_780_923_600,
        "route_id": "B" * 32,
        "route_destination_id": 217_393_034,
        "order_id": None,
    }
    return json.dumps(given | fields).encode()


async def test_a_delivery_is_told_step_by_step_and_names_the_stop_only(
    clock: Clock, pushing: Route4MeEmulator, edge: Edge
) -> None:
    ref = f"order:{next(iter(pushing.store.orders))}"
    pushing.start(ref, clock())
    await pushing.feed.settle()
    pushing.arrive(ref, clock.advance(minutes=5))
    await pushing.feed.settle()
    pushing.complete(ref, clock.advance(minutes=2), status="Failed", note_type="noanswer", words="nobody")
    await pushing.feed.settle()
    assert edge.kinds[:2] == ["route_started", "stop_arriving"]
    assert sorted(edge.kinds[2:]) == ["stop_failed", "stop_updated", "stop_updated"]
    assert {event.stop_ref for event in edge.received[1:]} == {ref}
    assert {event.platform for event in edge.received} == {"route4me_west"}
    assert all(event.stop is None and not event.stop_deleted for event in edge.received)
    assert edge.received[-1].occurred_at == clock()


async def test_doubled_and_reordered_lines_carry_the_same_ids(
    clock: Clock, pushing: Route4MeEmulator, edge: Edge
) -> None:
    pushing.feed.faults.down = True
    ref = f"order:{next(iter(pushing.store.orders))}"
    pushing.arrive(ref, clock())
    pushing.complete(ref, clock.advance(minutes=2))
    pushing.feed.faults.duplicate = pushing.feed.faults.reorder = True
    pushing.feed.faults.down = False
    pushing.feed.wake()
    await pushing.feed.settle()
    assert edge.kinds[-1] == "stop_arriving"
    assert len(edge.received) == 2 * len({event.vendor_id for event in edge.received}) == 6


async def test_a_line_that_could_not_be_stored_comes_again(
    clock: Clock, pushing: Route4MeEmulator, edge: Edge
) -> None:
    edge.storage_fails = 2
    pushing.arrive(f"order:{next(iter(pushing.store.orders))}", clock())
    await pushing.feed.settle()
    assert edge.kinds == ["stop_arriving"]


async def test_a_line_that_is_refused_as_unknown_is_not_repeated(
    clock: Clock, pushing: Route4MeEmulator, edge: Edge
) -> None:
    pushing.callback_url = f"{edge.url}/webhook/not-the-secret-at-all"
    pushing.arrive(f"order:{next(iter(pushing.store.orders))}", clock())
    await pushing.feed.settle()
    assert edge.received == []


@pytest.mark.parametrize("secret", ["wrong", SECRET[:-1], SECRET + "x", SECRET.upper(), "ü" * 20])
async def test_whoever_does_not_know_the_path_is_not_heard(edge: Edge, secret: str) -> None:
    assert (await edge.post(activity(), secret)).status_code == 404
    assert edge.received == []


async def test_a_secret_that_is_too_short_is_refused_at_once(clock: Clock) -> None:
    for secret in ("", "short"):
        with pytest.raises(PlatformMisconfiguredError):
            router(Edge().receive, secret=secret, platform_name="route4me", now=clock)


@pytest.mark.parametrize(
    ("fields", "kind", "stop_ref", "route_ref"),
    [
        ({"order_id": "111"}, "stop_arriving", "order:111", "B" * 32),
        ({"order_id": 111}, "stop_arriving", "order:111", "B" * 32),
        ({"route_destination_id": "5"}, "stop_arriving", "stop:5", "B" * 32),
        (
            {"activity_type": "route-destination-status", "detailed_event": "completed"},
            "stop_delivered",
            "stop:217393034",
            "B" * 32,
        ),
        (
            {"activity_type": "route-destination-status", "detailed_event": "skipped"},
            "stop_failed",
            "stop:217393034",
            "B" * 32,
        ),
        (
            {"activity_type": "move-destination", "to_route_id": "C" * 32, "order_id": 7},
            "stop_assigned",
            "order:7",
            "C" * 32,
        ),
        ({"activity_type": "delete-destination"}, "stop_deleted", "stop:217393034", "B" * 32),
        (
            {"activity_type": "route-owner-changed", "route_destination_id": ""},
            "route_updated",
            None,
            "B" * 32,
        ),
        (
            {
                "activity_type": "order-updated",
                "order": {"order_id": 9},
                "route_id": None,
                "route_destination_id": None,
            },
            "stop_updated",
            "order:9",
            None,
        ),
    ],
)
async def test_each_line_names_what_to_look_at_again(
    edge: Edge, fields: dict[str, Any], kind: str, stop_ref: str | None, route_ref: str | None
) -> None:
    assert (await edge.post(activity(**fields))).status_code == 200
    (event,) = edge.received
    assert (event.kind, event.stop_ref, event.route_ref) == (kind, stop_ref, route_ref)
    assert (event.vendor_id, event.stop_deleted) == ("route4me_west:" + "A" * 32, False)


async def test_a_stop_of_which_no_order_is_told_is_looked_for_on_its_route(edge: Edge) -> None:
    body = json.loads(activity(activity_type="update-destinations"))
    del body["order_id"]
    await edge.post(json.dumps(body).encode())
    assert (edge.received[0].stop_ref, edge.received[0].route_ref) == (None, "B" * 32)


async def test_a_line_without_a_number_is_told_by_its_digest_and_without_a_time_by_our_clock(
    edge: Edge,
) -> None:
    for _ in range(2):
        await edge.post(activity(activity_id=None, activity_timestamp=None))
    first, second = edge.received
    assert first.vendor_id == second.vendor_id
    assert len(first.vendor_id) > 40
    assert first.occurred_at == NINE_IN_NEW_YORK


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"not json", b'{"a": 1}', b'{"activity_type": ""}', b'{"activity_type": {"x": 1}}']
)
async def test_what_is_no_activity_is_refused(edge: Edge, body: bytes) -> None:
    assert (await edge.post(body)).status_code == 400
    assert edge.received == []


async def test_what_is_too_long_is_refused(edge: Edge) -> None:
    assert (await edge.post(activity(activity_message="x" * MAX_BODY))).status_code == 413


async def test_other_kinds_are_answered_and_logged_without_keys_or_people(edge: Edge) -> None:
    secret_things = {
        "root_owner_member_api_key": API_KEY,
        "root_owner_member_email": "owner@example.com",
        "activity_message": "Dana Okafor, 1 Elm St",
    }
    with structlog.testing.capture_logs() as logs:
        for kind in ("member-created", "area-added", "user_message", "something-new"):
            assert (await edge.post(activity(activity_type=kind, **secret_things))).status_code == 200
    assert edge.received == []
    assert len(logs) == 4
    for hidden in (*secret_things.values(), SECRET):
        assert hidden not in json.dumps(logs)


async def test_keys_and_people_do_not_get_past_the_edge(
    clock: Clock, pushing: Route4MeEmulator, edge: Edge
) -> None:
    pushing.complete(f"order:{next(iter(pushing.store.orders))}", clock(), words="left with Dana")
    await pushing.feed.settle()
    told = "".join(event.model_dump_json() for event in edge.received)
    assert told
    for hidden in (API_KEY, "example.com", "Elm St", "Dana"):
        assert hidden not in told


async def test_undelivered_lines_survive_a_kill(clock: Clock, edge: Edge, tmp_path: Any) -> None:
    ledger = tmp_path / "r4m.db"
    first = new_emulator(clock, ledger_path=ledger)
    furnish(first, clock)
    first.callback_url = f"{edge.url}/webhook/{SECRET}"
    ref = f"order:{next(iter(first.store.orders))}"
    first.arrive(ref, clock.advance(minutes=1))
    second = new_emulator(clock, ledger_path=ledger, callback_url=f"{edge.url}/webhook/{SECRET}")
    async with serving(second.app):
        await second.feed.settle()
    assert edge.kinds == ["stop_arriving"]
    second.arrive(ref, clock() + timedelta(minutes=3))
    assert second.feed.undelivered == 0
