"""Waiting for what happens in the background, without sleeping longer than it takes."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE_SECONDS = 20.0


async def eventually(
    look: Callable[[], Awaitable[T]],
    until: Callable[[T], bool],
    what: str,
    *,
    patience: float = PATIENCE_SECONDS,
) -> T:
    """The first sight that satisfies `until`; fails with the last one and `what` was waited for."""
    deadline = time.monotonic() + patience
    while True:
        sight = await look()
        if until(sight):
            return sight
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience:.0f} s for {what}; last seen: {sight!r}")
        await asyncio.sleep(0.02)
