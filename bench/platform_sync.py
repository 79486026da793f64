"""`python -m bench.platform_sync`: 2,000 changed stops on each platform, read into the database within its limits.

Each round tells every stop's new ETA at the platform and reads it whole; Onfleet takes none for those that the
pretended day has delivered by nine, so fewer change there. Less than 30 seconds for a round, and memory that
does not grow from round to round; exit 1 otherwise.
"""

import argparse
import asyncio
import gc
from datetime import UTC, datetime, timedelta
from time import perf_counter

import psutil

from bench.platform_day import ALL, TIMEZONE, Emulators, FastClock, app_on
from bench.results import keep, show
from bot.app import Doorline
from bot.db import EmbeddedPostgres, create_database, migrate
from bot.settings import PROJECT_ROOT
from connectors.world import PretendedDay
from connectors.world.stage import Stage

FOLDER = PROJECT_ROOT / "var" / "bench"
NINE_IN_NEW_YORK = datetime(2026, 6, 9, 13, 0, tzinfo=UTC)
ROUND_SECONDS = 30.0
GROWTH_MIB = 40.0
"""That the last round may lie above the second: the first one fills caches."""
SEED = 11


async def measure(database_url: str, stops: int, rounds: int) -> dict[str, list[dict[str, float]]]:
    clock = FastClock(NINE_IN_NEW_YORK, 1.0)
    emulators = Emulators.open(clock)
    figures: dict[str, list[dict[str, float]]] = {}
    async with app_on(emulators, clock, database_url, FOLDER, works=False) as doorline:
        for name, stage in zip(ALL, emulators.stages(), strict=True):
            day = PretendedDay(
                SEED, NINE_IN_NEW_YORK, stages=[stage], now=clock.now, stops=stops, timezone=TIMEZONE
            )
            day.build()
            day.tick()
            figures[name] = [await _round(doorline, name, stage, day, clock, turn) for turn in range(rounds)]
    return figures


async def _round(
    doorline: Doorline, name: str, stage: Stage, day: PretendedDay, clock: FastClock, turn: int
) -> dict[str, float]:
    """Tells a new arrival of every stop, then reads the platform whole."""
    clock.move(timedelta(seconds=30))
    for route in day.summary()["routes"]:
        for position, stop in enumerate(route["stops"]):
            arrival = clock.now() + timedelta(minutes=20 + turn + 4 * position)
            stage.report_eta(stop["id"], arrival.replace(microsecond=0), clock.now())
    began = perf_counter()
    changed = await doorline.services.sync.read_all(name)
    seconds = perf_counter() - began
    gc.collect()
    memory = psutil.Process().memory_info().rss / 2**20
    return {"changed": len(changed), "seconds": round(seconds, 1), "rss_mib": round(memory, 1)}


def _is_good(rounds: list[dict[str, float]]) -> bool:
    growth = rounds[-1]["rss_mib"] - rounds[min(1, len(rounds) - 1)]["rss_mib"]
    return all(each["seconds"] < ROUND_SECONDS for each in rounds) and growth < GROWTH_MIB


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stops", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    wanted = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    postgres = EmbeddedPostgres(FOLDER / "postgres")
    try:
        database_url = create_database(postgres.url, "bench_sync", replace=True)
        migrate(database_url)
        figures = asyncio.run(measure(database_url, wanted.stops, wanted.rounds))
    finally:
        postgres.stop()
    for name, rounds in figures.items():
        show(name, {f"round {turn + 1}": each for turn, each in enumerate(rounds)})
    keep("platform_sync", {"stops": wanted.stops, "platforms": figures})
    raise SystemExit(0 if all(_is_good(rounds) for rounds in figures.values()) else 1)


if __name__ == "__main__":
    main()
