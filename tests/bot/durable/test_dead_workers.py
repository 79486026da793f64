"""A worker that was killed or is frozen holds no conversation for long. In real time: about half a minute in all."""

import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.harness.clock import RunningClock
from tests.harness.processes import DoorlineProcess
from tests.harness.protocol import NO_HOLDING, protocol_with
from tests.harness.waiting import eventually
from tests.harness.world import Setting, World

LONGEST = 30.0
"""Seconds that a conversation may be held up."""


@pytest.fixture
async def edge(bare_setting: Setting, empty_database: None, tmp_path: Path) -> AsyncIterator[World]:
    """The app with edges and clock and no worker: the jobs are for the processes of the test."""
    sop = protocol_with(tmp_path, NO_HOLDING)
    async with World(bare_setting, sop=sop, clock=RunningClock(), with_clock=True, with_app=False) as world:
        await world.start_app(with_worker=False)
        yield world


class Workers:
    def __init__(self, world: World, log: Path) -> None:
        self._world = world
        self._log = log
        self._stack = ExitStack()

    def start(self) -> DoorlineProcess:
        return self._stack.enter_context(DoorlineProcess(self._world.settings, "worker", log=self._log))

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()


async def turns_begun(world: World, count: int) -> list[str]:
    async def look() -> list[str]:
        return list(world.rasa.turns)

    return await eventually(
        look, lambda turns: len(turns) >= count, f"{count} turns to begin", patience=LONGEST
    )


async def reads(world: World, phone: str, count: int) -> list[str]:
    recipient = world.recipient(phone)
    return await eventually(
        recipient.reads, lambda texts: len(texts) >= count, f"{count} texts", patience=LONGEST
    )


async def test_the_conversation_of_a_killed_worker_goes_on_in_order(edge: World, tmp_path: Path) -> None:
    recipient = edge.recipient()
    with Workers(edge, tmp_path / "workers.log") as workers:
        first = workers.start()
        edge.rasa.hold()
        await recipient.texts("one")
        await turns_begun(edge, 1)
        await recipient.texts("two")
        first.kill()
        killed_at = time.monotonic()
        edge.rasa.release()
        workers.start()
        assert await reads(edge, recipient.phone, 2) == ["You said: one", "You said: two"]
        assert time.monotonic() - killed_at < LONGEST


async def test_the_conversation_of_a_frozen_worker_goes_on_and_its_late_answer_is_dropped(
    edge: World, tmp_path: Path
) -> None:
    recipient = edge.recipient()
    with Workers(edge, tmp_path / "workers.log") as workers:
        frozen = workers.start()
        edge.rasa.hold()
        await recipient.texts("one")
        await turns_begun(edge, 1)
        await recipient.texts("two")
        frozen.freeze()
        second = workers.start()
        await turns_begun(edge, 2)
        edge.rasa.release()
        assert await reads(edge, recipient.phone, 2) == ["You said: one", "You said: two"]

        second.kill()
        frozen.thaw()
        await recipient.texts("three")
        assert await reads(edge, recipient.phone, 3) == ["You said: one", "You said: two", "You said: three"]
        frozen.must_live()
