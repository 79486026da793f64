"""A vendor's patience with an app that runs on the same machine."""

import asyncio
import time

import pytest

from connectors.emulation import running_for


async def test_who_answers_too_late_is_not_waited_for() -> None:
    with pytest.raises(TimeoutError):
        async with running_for(0.1):
            await asyncio.Event().wait()


async def test_who_answers_in_time_is_heard() -> None:
    async with running_for(10):
        await asyncio.sleep(0)


async def test_a_machine_that_stands_still_is_not_held_against_the_app() -> None:
    async with running_for(0.2):
        time.sleep(0.5)  # noqa: ASYNC251
        await asyncio.sleep(0.05)


async def test_no_patience_at_all_ends_at_once() -> None:
    with pytest.raises(TimeoutError):
        async with running_for(0):
            await asyncio.Event().wait()


async def test_what_goes_wrong_meanwhile_is_told_as_it_is() -> None:
    with pytest.raises(ValueError, match="theirs"):
        async with running_for(10):
            raise ValueError("theirs")
