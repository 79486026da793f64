"""`python -m bench.three_platforms`: the demo's day on Onfleet, Route4Me and OptimoRoute at once, in bad weather.

5 % of all calls fail, 5 % are slow, webhooks come twice, and one platform is down for ten minutes of the day.
Afterwards our stops must be the platforms', field by field, and what the drivers truly did; exit 1 otherwise.
"""

import argparse
import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from time import monotonic

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from bench.platform_day import ALL, Emulators, FastClock, PlatformDay, app_on
from bench.results import keep, show
from bot.db import EmbeddedPostgres, create_database, migrate
from bot.settings import PROJECT_ROOT
from bot.stops.differences import Difference
from bot.stops.models import StopEvent, StopRecord

FOLDER = PROJECT_ROOT / "var" / "bench"
NINE_IN_NEW_YORK = datetime(2026, 6, 9, 13, 0, tzinfo=UTC)
DOWN_AT, DOWN_FOR = timedelta(hours=3), timedelta(minutes=10)
ERRORS = SLOW = 0.05
SLOW_SECONDS = 2.0


async def measure(database_url: str, stops: int, speed: float, down: str) -> list[Difference]:
    clock = FastClock(NINE_IN_NEW_YORK, speed)
    emulators = Emulators.open(clock)
    began = monotonic()
    day = PlatformDay(emulators, clock, stops)
    day.make_weather(ERRORS, SLOW, SLOW_SECONDS)
    async with app_on(emulators, clock, database_url, FOLDER) as doorline:
        await day.live_until(day.began_at + DOWN_AT)
        day.faults[down].down = True
        await day.live_until(day.began_at + DOWN_AT + DOWN_FOR)
        day.faults[down].down = False
        await day.live_until(day.evening())
        day.clear_up()
        await day.is_read_whole(doorline)
        found = await day.differences(doorline)
        async with doorline.services.database.transaction() as session:
            records = list(await session.scalars(select(StopRecord)))
            events = int(await session.scalar(select(func.count()).select_from(StopEvent)) or 0)
    _tell(found, Counter(record.platform for record in records), events)
    keep(
        "three_platforms",
        {
            "stops": len(records),
            "speed": speed,
            "seconds": round(monotonic() - began, 1),
            "weather": {"errors": ERRORS, "slow": SLOW, "slow_seconds": SLOW_SECONDS, "down": down},
            "statuses": dict(Counter(f"{record.platform} {record.status.value}" for record in records)),
            "changes_stored": events,
            "differences": [difference.model_dump(mode="json") for difference in found],
        },
    )
    return found


def _tell(found: list[Difference], stops: Counter[str], events: int) -> None:
    differing = Counter(each.platform for each in found)
    rows = {name: {"stops": stops[name], "differences": differing[name]} for name in ALL}
    show(f"A day on three platforms ({events} changes stored)", rows)
    table = Table("account", "stop", "field", "ours", "theirs", title="Differences")
    for each in found:
        table.add_row(each.platform, each.platform_ref, each.field, str(each.ours), str(each.theirs))
    Console().print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stops", type=int, default=600)
    parser.add_argument("--speed", type=float, default=90)
    parser.add_argument("--down", choices=ALL, default="onfleet")
    wanted = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    postgres = EmbeddedPostgres(FOLDER / "postgres")
    try:
        database_url = create_database(postgres.url, "bench_platforms", replace=True)
        migrate(database_url)
        found = asyncio.run(measure(database_url, wanted.stops, wanted.speed, wanted.down))
    finally:
        postgres.stop()
    raise SystemExit(1 if found else 0)


if __name__ == "__main__":
    main()
