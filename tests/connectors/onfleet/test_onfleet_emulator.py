"""The pretended Onfleet as the vendor's own Python client sees it, and what it remembers after a kill."""

import asyncio
import importlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from onfleet import Onfleet
from onfleet.error import HttpError, ValidationError
from onfleet.error import PermissionError as OnfleetPermissionError
from ratelimit import RateLimitException

from connectors.base import DeliveryWindow
from connectors.emulation import serving
from connectors.http import open_client
from connectors.onfleet.payloads import Trigger, to_ms
from tests.connectors.onfleet.onfleet_town import API_KEY, Town, add_driver, add_stop, new_emulator
from tests.connectors.towns import Clock


@pytest.fixture
def point_pyonfleet(town: Town, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Onfleet]]:
    """pyonfleet has no base address to set: it is a constant that two of its modules import by name."""
    for module in ("onfleet.request", "onfleet.onfleet"):
        monkeypatch.setattr(importlib.import_module(module), "API_BASE_URL", f"{town.url}/api/v2")
    # Its session belongs to the class, and must not take the machine's proxy.
    monkeypatch.setattr(Onfleet._session, "trust_env", False)
    yield lambda key: Onfleet(api_key=key)
    Onfleet._session.close()


@pytest.fixture
def vendor(point_pyonfleet: Callable[[str], Onfleet]) -> Onfleet:
    return point_pyonfleet(API_KEY)


async def ask(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """pyonfleet blocks, and the emulator it talks to lives in this very loop. Sits out pyonfleet's own limit."""
    while True:
        try:
            return await asyncio.to_thread(call, *args, **kwargs)
        except RateLimitException as exc:
            await asyncio.sleep(exc.period_remaining)


async def test_pyonfleet_lists_the_tasks_of_the_day_page_by_page(town: Town, vendor: Onfleet) -> None:
    for number in range(4, 70):
        add_stop(town.emulator, town.clock, town.driver, number)
    since = to_ms(town.clock() - timedelta(days=1))
    first = await ask(vendor.tasks.get, queryParams={"from": since})
    second = await ask(vendor.tasks.get, queryParams={"from": since, "lastId": first["lastId"]})
    assert (len(first["tasks"]), len(second["tasks"])) == (64, 5)
    assert "lastId" not in second
    assert len({task["id"] for task in first["tasks"] + second["tasks"]}) == 69


async def test_pyonfleet_reads_one_task_every_way(town: Town, vendor: Onfleet) -> None:
    task = await ask(vendor.tasks.get, id=town.refs[0])
    assert task["recipients"][0]["phone"] == "+12035550101"
    assert await ask(vendor.tasks.get, shortId=task["shortId"]) == task
    wanted = [{"name": "client", "type": "string", "value": "Acme"}]
    found = await ask(vendor.tasks.matchMetadata, body=wanted)
    assert [item["id"] for item in found] == town.refs


async def test_pyonfleet_creates_changes_clones_and_deletes(town: Town, vendor: Onfleet) -> None:
    made = await ask(
        vendor.tasks.create,
        body={
            "destination": {"address": {"unparsed": "14 Elm St, Norwalk"}, "notes": "Gate code 4821"},
            "recipients": [{"name": "Ana Ruiz", "phone": "+1 203 555 0177"}],
            "completeBefore": to_ms(town.clock() + timedelta(hours=3)),
            "container": {"type": "WORKER", "worker": town.driver},
            "metadata": [{"name": "orderNo", "type": "string", "value": "A-1", "visibility": ["api"]}],
        },
    )
    assert len(made["id"]) == 24
    assert made["state"] == 1
    changed = await ask(vendor.tasks.update, id=made["id"], body={"notes": "back door", "pickupTask": False})
    assert changed["notes"] == "back door"
    copy = await ask(vendor.tasks.clone, id=made["id"])
    assert (copy["sourceTaskId"], copy["state"], copy["metadata"]) == (made["id"], 0, [])
    assert await ask(vendor.tasks.deleteOne, id=made["id"]) == 200
    with pytest.raises(HttpError):
        await ask(vendor.tasks.get, id=made["id"])


async def test_pyonfleet_reads_the_account(town: Town, vendor: Onfleet) -> None:
    assert "Hello organization" in (await ask(vendor.auth_test))["message"]
    assert (await ask(vendor.organization.get))["timezone"] == "America/New_York"
    assert [team["name"] for team in await ask(vendor.teams.get)] == ["North"]
    (worker,) = await ask(vendor.workers.get)
    assert (worker["id"], worker["tasks"]) == (town.driver, town.refs)
    assert len((await ask(vendor.workers.getTasks, id=town.driver))["tasks"]) == 3
    assert (await ask(vendor.containers.get, workers=town.driver))["tasks"] == town.refs
    assert await ask(vendor.routeplans.get) == []
    assert await ask(vendor.recipients.get, phone="+12035550101")
    assert len(await ask(vendor.admins.get)) == 1
    assert await ask(vendor.hubs.get) == await ask(vendor.webhooks.get) == []


async def test_pyonfleet_plans_a_route_and_hands_it_to_a_driver(town: Town, vendor: Onfleet) -> None:
    wanted = {"name": "Monday north", "startTime": to_ms(town.clock() + timedelta(hours=1))}
    plan = await ask(vendor.routeplans.create, body=wanted)
    assert (plan["state"], plan["worker"], plan["tasks"]) == ("PENDING", None, [])
    one, two, _ = town.refs
    changed = await ask(vendor.routeplans.addTasksToRoutePlan, id=plan["id"], body={"tasks": [two, one]})
    assert set(changed["tasks"]) == {one, two}
    handed = await ask(vendor.routeplans.update, id=plan["id"], body={"worker": town.driver})
    assert handed["worker"] == town.driver
    assert [item["id"] for item in await ask(vendor.routeplans.get)] == [plan["id"]]
    town.emulator.start_task(one)
    assert (await ask(vendor.routeplans.get, id=plan["id"]))["actualStartTime"] == to_ms(town.clock())
    with pytest.raises(ValidationError):
        await ask(vendor.routeplans.update, id=plan["id"], body={"worker": None})
    assert (await ask(vendor.tasks.get, id=two))["routePlan"] == plan["id"]
    assert await ask(vendor.routeplans.deleteOne, id=plan["id"]) == 200
    assert (await ask(vendor.tasks.get, id=two))["routePlan"] is None


async def test_pyonfleet_arranges_a_drivers_order(town: Town, vendor: Onfleet) -> None:
    one, two, three = town.refs
    await ask(vendor.workers.insertTask, id=town.driver, body={"tasks": [0, three]})
    assert (await ask(vendor.containers.get, workers=town.driver))["tasks"] == [three, one, two]
    await ask(vendor.workers.insertTask, id=town.driver, body={"tasks": [two, one]})
    assert (await ask(vendor.containers.get, workers=town.driver))["tasks"] == [two, one]
    assert town.task(2)["state"] == 0, "left out of the list, it goes back to the organisation"


async def test_pyonfleet_understands_every_refusal(
    town: Town, vendor: Onfleet, point_pyonfleet: Callable[[str], Onfleet]
) -> None:
    with pytest.raises(ValidationError):
        await ask(vendor.tasks.get)  # `from` is required
    with pytest.raises(ValidationError):
        await ask(
            vendor.tasks.create,
            body={"destination": {"address": {}}, "recipients": [{"name": "A", "phone": "1"}]},
        )
    with pytest.raises(ValidationError):
        await ask(vendor.tasks.update, id=town.refs[0], body={"completeAfter": 2, "completeBefore": 1})
    stranger = point_pyonfleet("wrong")
    with pytest.raises(OnfleetPermissionError):
        await ask(stranger.workers.get)


async def test_an_active_task_keeps_all_but_notes_and_a_completed_one_all_but_metadata(
    town: Town, vendor: Onfleet
) -> None:
    ref = town.refs[0]
    town.emulator.start_task(ref)
    with pytest.raises(ValidationError):
        await ask(vendor.tasks.update, id=ref, body={"completeAfter": None})
    await ask(vendor.tasks.update, id=ref, body={"notes": "mind the dog"})
    with pytest.raises(ValidationError):
        await ask(vendor.tasks.forceComplete, id=town.refs[1], body={"completionDetails": {"success": True}})
    force = {"completionDetails": {"success": False, "notes": "by dispatch"}}
    assert await ask(vendor.tasks.forceComplete, id=ref, body=force) == 200
    with pytest.raises(ValidationError):
        await ask(vendor.tasks.update, id=ref, body={"notes": "too late"})
    assert (await ask(vendor.tasks.update, id=ref, body={"metadata": []}))["metadata"] == []


async def test_more_than_20_requests_a_second_are_refused_in_the_vendors_words(clock: Clock) -> None:
    emulator = new_emulator(clock, rate_limit=20)
    emulator.api.rate_limit.clock = lambda: 0.0
    async with serving(emulator.app) as url, open_client(url, auth=(API_KEY, "")) as client:
        answers = await asyncio.gather(*(client.get("/api/v2/workers") for _ in range(30)))
    granted = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert (len(granted), len(refused)) == (20, 10)
    assert min(int(answer.headers["X-RateLimit-Remaining"]) for answer in granted) == 1
    assert refused[0].json()["message"]["error"] == 2300
    assert refused[0].headers["Retry-After"] == "1"


async def test_a_key_without_a_colon_is_a_key_too(town: Town) -> None:
    """node-onfleet encodes it that way."""
    async with open_client(town.url) as client:
        answer = await client.get("/api/v2/auth/test", headers={"Authorization": "Basic dGVzdC1rZXk="})
    assert answer.status_code == 200


async def test_an_unknown_path_is_refused_and_remembered(town: Town) -> None:
    async with open_client(town.url, auth=(API_KEY, "")) as client:
        assert (await client.get("/api/v2/teleporters")).status_code == 404
        state = (await client.get("/_emulator/state")).json()
    assert state["unexpected_requests"] == ["GET /api/v2/teleporters"]
    assert state["tasks"] == {"unassigned": 0, "assigned": 3, "active": 0, "completed": 0}


async def test_faults_are_switched_over_http(town: Town) -> None:
    async with open_client(town.url, auth=(API_KEY, "")) as client:

        async def workers() -> int:
            return (await client.get("/api/v2/workers")).status_code

        def webhooks_are_down() -> bool:
            return town.emulator.webhooks.faults.down

        await client.post("/_emulator/faults", json={"next": [{"kind": "status", "status": 502}]})
        assert [await workers(), await workers()] == [502, 200]
        await client.post("/_emulator/faults", json={"down": True, "webhooks": {"down": True}})
        assert (await workers(), webhooks_are_down()) == (503, True)
        await client.post("/_emulator/faults", json={"clear": True, "webhooks": {}})
        assert (await workers(), webhooks_are_down()) == (200, False)
        assert (await client.post("/_emulator/faults", json={"dwon": True})).status_code == 400


async def test_a_known_phone_keeps_its_recipient_and_takes_the_new_name(town: Town) -> None:
    before = len(town.emulator.store.recipients)
    add_stop(
        town.emulator, town.clock, town.driver, 9, recipient_phone="+12035550101", recipient_name="D. Okafor"
    )
    assert len(town.emulator.store.recipients) == before
    assert town.emulator.store.whole_task(town.task(0))["recipients"][0]["name"] == "D. Okafor"


PLAY_AND_DIE = """
import os, signal, sys, types
from pathlib import Path
tests = sys.modules["tests"] = types.ModuleType("tests")  # some package brings one of its own
tests.__path__ = [sys.argv[3]]
from tests.connectors.onfleet.onfleet_town import *
clock = Clock()
emulator = new_emulator(clock, ledger_path=Path(sys.argv[1]))
driver = add_driver(emulator)
task = add_stop(emulator, clock, driver, 1)
emulator.store.webhooks["h"] = {"id": "h", "url": sys.argv[2], "trigger": 0, "isEnabled": True}
emulator.start_task(task["id"])
os.kill(os.getpid(), signal.SIGKILL)
"""


class Sink:
    """Takes webhooks as they come and keeps their bodies."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        message = await receive()
        self.bodies.append(httpx.Response(200, content=message["body"]).json())
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
async def sink() -> AsyncIterator[tuple[Sink, str]]:
    app = Sink()
    async with serving(app) as url:
        yield app, url


async def test_objects_and_undelivered_events_survive_a_kill(
    tmp_path: Path, clock: Clock, sink: tuple[Sink, str]
) -> None:
    ledger, tests = tmp_path / "onfleet.db", Path(__file__).parents[2]
    path = str(tests.parent)
    command = [sys.executable, "-c", PLAY_AND_DIE, str(ledger), sink[1], str(tests)]
    died = await asyncio.to_thread(
        subprocess.run, command, env=os.environ | {"PYTHONPATH": path}, check=False
    )
    assert died.returncode == -signal.SIGKILL
    revived = new_emulator(clock, ledger_path=ledger)
    (worker,), (task,) = revived.store.all_of("workers"), revived.store.all_of("tasks")
    assert (task["state"], worker["activeTask"], worker["tasks"]) == (2, task["id"], [task["id"]])
    assert revived.webhooks.undelivered == 1
    async with serving(revived.app):
        await revived.webhooks.settle()
    (event,) = sink[0].bodies
    assert (event["triggerId"], event["taskId"]) == (Trigger.TASK_STARTED, task["id"])
    revived.start_task(task["id"])
    assert revived.webhooks.undelivered == 0, "what was done is not done again"


async def test_setting_up_again_changes_nothing(town: Town) -> None:
    before = town.emulator.store.all_of("tasks"), town.emulator.store.all_of("workers")
    town.clock.advance(hours=1)
    add_driver(town.emulator)
    window = DeliveryWindow(start_at=town.clock(), end_at=town.clock() + timedelta(hours=1))
    add_stop(town.emulator, town.clock, town.driver, 1, window=window)
    assert (town.emulator.store.all_of("tasks"), town.emulator.store.all_of("workers")) == before
