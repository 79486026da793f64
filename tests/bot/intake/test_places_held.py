"""How many places of a day are taken, while stops are just being entered."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.util import await_only

from bot.db import Database
from bot.intake.models import RequestState, StopRequest
from bot.intake.queries import stops_of_client, windows_of_zone
from bot.stops.models import StopRecord
from connectors.base import StopStatus
from tests.harness.clients import Program, a_stop
from tests.harness.world import World

ZONE = "America/New_York"


async def of_zone(session: AsyncSession, request: StopRequest, day: date) -> int:
    return sum(count for _, count in await windows_of_zone(session, request.zone, day, ZONE))


async def of_client(session: AsyncSession, request: StopRequest, day: date) -> int:
    return await stops_of_client(session, request.client, day, ZONE)


@pytest.mark.parametrize("count", [of_zone, of_client])
async def test_a_stop_that_is_entered_while_places_are_counted_takes_one(
    bare_world: World, count: Callable[[AsyncSession, StopRequest, date], Awaitable[int]]
) -> None:
    bare_world.onfleet.faults.down = True
    await (await Program.of(bare_world)).asks_for(a_stop(bare_world))
    database = bare_world.doorline.services.database
    [request] = await bare_world.rows(StopRequest)
    assert request.state in (RequestState.RECEIVED, RequestState.ENTERING)
    day = bare_world.clock.now().date()
    with after_the_first_statement(database, lambda: entered(database, request)) as times:
        async with database.transaction() as session:
            assert await count(session, request, day) == 1
    assert times == [1]
    async with database.transaction() as session:
        assert await count(session, request, day) == 1


@contextmanager
def after_the_first_statement(
    database: Database, happens: Callable[[], Awaitable[None]]
) -> Iterator[list[int]]:
    times: list[int] = []

    def executed(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if not times and statement.startswith("SELECT"):
            times.append(1)
            await_only(happens())

    engine = database.engine.sync_engine
    event.listen(engine, "after_cursor_execute", executed)
    try:
        yield times
    finally:
        event.remove(engine, "after_cursor_execute", executed)


async def entered(database: Database, request: StopRequest) -> None:
    """What `StopEntry` commits between the platform's answer and its note on the request."""
    assert request.window_start_at is not None
    async with database.transaction() as session:
        session.add(
            StopRecord(
                platform="onfleet",
                platform_ref=uuid4().hex,
                tracking=uuid4().hex[:8],
                own_ref=request.own_ref,
                status=StopStatus.PLANNED,
                client=request.client,
                zone=request.zone,
                timezone=ZONE,
                address_line="14 Elm St",
                postcode="10001",
                recipient_name="Robin Doe",
                window_start_at=request.window_start_at,
                window_end_at=request.window_end_at,
                changed_at=request.changed_at,
                confirmed_at=request.changed_at,
            )
        )
