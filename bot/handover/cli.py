"""`doorline handover …`: what could not be handed over to clients' systems, and once more."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from bot.clock import SystemClock
from bot.db import Database
from bot.desk.service import DeskTasks
from bot.handover.dead_letters import DeadLetters
from bot.handover.models import Subscription
from bot.handover.replaying import Replays
from bot.sop import ProtocolInForce

T = TypeVar("T")


async def run(database_url: str, sop: ProtocolInForce, work: Callable[[Replays], Awaitable[T]]) -> T:
    database, clock = Database(database_url, pool_size=1), SystemClock()
    dead_letters = DeadLetters(clock, sop, DeskTasks(database, clock, sop))
    try:
        return await work(Replays(database, clock, sop, dead_letters))
    finally:
        await database.close()


def show_dead(database_url: str, sop: ProtocolInForce) -> None:
    Console().print(table_of(asyncio.run(run(database_url, sop, lambda replays: replays.dead()))))


def replay(database_url: str, sop: ProtocolInForce, subscription_id: UUID | None) -> None:
    """Puts what was set aside on its way again: of one subscription, or of all that are in use.

    Raises `NotFoundError`, `SubscriptionDisabledError`.
    """
    count = asyncio.run(run(database_url, sop, lambda replays: replay_dead(replays, subscription_id)))
    typer.echo(f"{count} events are on their way again")


async def replay_dead(replays: Replays, subscription_id: UUID | None) -> int:
    """Gives how many events. Raises as `replay`."""
    if subscription_id is not None:
        return await replays.replay(subscription_id, None, dead=True)
    ids = [subscription.id for subscription, _ in await replays.dead() if subscription.is_active]
    return sum([await replays.replay(each, None, dead=True) for each in ids])


def table_of(dead: list[tuple[Subscription, int]]) -> Table:
    table = Table("subscription", "client", "system", "state", "set aside")
    for subscription, count in dead:
        host = urlsplit(subscription.url).hostname or ""
        table.add_row(str(subscription.id), subscription.client, host, subscription.state.value, str(count))
    return table
