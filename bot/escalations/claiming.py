"""How a tick claims what is due: in chunks, each one transaction, past whatever is locked at the time."""

import asyncio
from collections.abc import Awaitable, Callable

LOOKS = 4
HELD_SECONDS = 0.05


async def claim_all(
    claim_some: Callable[[int], Awaitable[int]], is_any_due: Callable[[], Awaitable[bool]], at_most: int
) -> int:
    """Claims `at_most` at a time until nothing is due but what somebody holds; gives how many in all.

    Whoever shows a message or acknowledges holds a row for some milliseconds. Such a row is looked at again at once;
    what is held for longer is left to the next tick, so that one row in the way never delays all others.
    """
    claimed = looks = 0
    while looks < LOOKS:
        found = await claim_some(at_most)
        claimed += found
        if found == at_most:
            continue
        if not await is_any_due():
            break
        looks += 1
        await asyncio.sleep(HELD_SECONDS)
    return claimed
