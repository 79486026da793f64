"""One day on three platforms at once, in bad weather: at its end our stops are theirs, field by field."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from bench.platform_day import ALL, Emulators, FastClock, PlatformDay, app_on
from bot.stops.models import RouteRecord, StopRecord
from connectors.base import RouteStatus

NINE_IN_NEW_YORK = datetime(2026, 6, 9, 13, 0, tzinfo=UTC)
STOPS = 45
SPEED = 1200


async def test_after_a_day_of_faults_nothing_differs(
    database_url: str, empty_database: None, tmp_path: Path
) -> None:
    clock = FastClock(NINE_IN_NEW_YORK, SPEED)
    emulators = Emulators.open(clock)
    day = PlatformDay(emulators, clock, STOPS)
    day.make_weather(error_share=0.05, slow_share=0.05, slow_seconds=0.5)
    async with app_on(emulators, clock, database_url, tmp_path) as doorline:
        await day.live_until(NINE_IN_NEW_YORK + timedelta(hours=2))
        day.faults["onfleet"].down = True
        await day.live_until(NINE_IN_NEW_YORK + timedelta(hours=3))
        day.faults["onfleet"].down = False
        await day.live_until(day.evening())
        day.clear_up()
        await day.is_read_whole(doorline)
        assert await day.differences(doorline) == []
        async with doorline.services.database.transaction() as session:
            stops = list(await session.scalars(select(StopRecord)))
            routes = list(await session.scalars(select(RouteRecord)))
    assert {stop.platform for stop in stops} == {route.platform for route in routes} == set(ALL)
    assert len(stops) == STOPS
    assert not [stop.tracking for stop in stops if stop.is_open]
    assert {route.status for route in routes} == {RouteStatus.FINISHED}
