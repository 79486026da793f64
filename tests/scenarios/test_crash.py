"""`kill -9` of the whole app while 50 texts are in flight: started again, it answers each once. In real time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from connectors.emulation import Fault
from tests.harness.clock import RunningClock
from tests.harness.people import Recipient
from tests.harness.processes import DoorlineProcess
from tests.harness.protocol import NO_HOLDING, protocol_with
from tests.harness.waiting import eventually
from tests.harness.world import Setting, World

pytestmark = pytest.mark.rasa

TEXTS = 50
PHONES = [f"+1212555{number:04d}" for number in range(300, 325)]
PATIENCE = 90.0
"""Restart, the heartbeat of the dead worker, and the round that fetches what no webhook brought."""


@pytest.fixture
async def town(setting: Setting, empty_database: None, tmp_path: Path) -> AsyncIterator[World]:
    """The vendors only; the app is a process of its own, and Rasa calls its actions there."""
    sop = protocol_with(tmp_path, NO_HOLDING)
    async with World(setting, sop=sop, clock=RunningClock(), with_app=False) as town:
        yield town


def answers(town: World) -> Counter[str]:
    """How many texts of ours each phone has got."""
    return Counter(
        message.recipient for message in town.twilio.messages() if message.direction == "outbound-api"
    )


async def until_answered(town: World, count: int) -> int:
    async def look() -> int:
        return answers(town).total()

    return await eventually(look, lambda found: found >= count, f"{count} answers", patience=PATIENCE)


async def until_ready(town: World, app: DoorlineProcess) -> None:
    async def look() -> int:
        app.must_live()
        try:
            return (await town.http.get(f"{town.url}/readyz")).status_code
        except httpx.HTTPError:
            return 0

    await eventually(look, lambda status: status == 200, "the app to be ready", patience=PATIENCE)


async def test_fifty_texts_in_flight_over_kill_9_are_answered_once_each(town: World, tmp_path: Path) -> None:
    for phone in PHONES:
        await town.has_stop(phone=phone, window=("00:00", "23:59"), eta=None, on_route=False)
    people = [Recipient(town, phone) for phone in PHONES]
    log = tmp_path / "app.log"
    serve = ("serve", "--port", str(town.setting.app_port))
    with DoorlineProcess(town.settings, *serve, log=log) as app:
        await until_ready(town, app)
        bodies = ["where is my delivery", "thanks"]
        texting = [
            asyncio.create_task(town.twilio.text(person.phone, body)) for body in bodies for person in people
        ]
        await until_answered(town, 5)
        app.kill()
        before = answers(town)
        results = await asyncio.gather(*texting)
    lost = sum(result.webhook_status != 200 for result in results)
    assert before.total() < TEXTS, "the app was too fast to be killed in the middle"

    with DoorlineProcess(town.settings, *serve, log=log) as app:
        await until_answered(town, TEXTS)
        await asyncio.sleep(10)
        app.must_live()
    after = answers(town)
    assert after == Counter(dict.fromkeys(PHONES, 2)), (
        f"{lost} webhooks were lost, {before.total()} answered before"
    )
    await town.twilio.settled()


async def test_a_kill_between_the_carriers_answer_and_our_commit_sends_nothing_twice(
    town: World, tmp_path: Path
) -> None:
    """The create call is answered so late that the app is dead by then."""
    town.twilio.faults.next(*[Fault("slow", seconds=30, after_work=True, path_contains="Messages.json")] * 3)
    # These numbers' carrier tells nothing, so only the vendor's list knows of the messages.
    person = Recipient(town, "+15005550122")
    serve = ("serve", "--port", str(town.setting.app_port))
    with DoorlineProcess(town.settings, *serve, log=tmp_path / "app.log") as app:
        await until_ready(town, app)
        await person.texts("thanks")
        await until_answered(town, 1)
        app.kill()
    town.twilio.faults.clear()
    with DoorlineProcess(town.settings, *serve, log=tmp_path / "app.log") as app:
        await until_ready(town, app)
        await person.texts("thank you")
        await until_answered(town, 2)
        await asyncio.sleep(10)
        app.must_live()
    assert answers(town).total() == 2
