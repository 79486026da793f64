"""`python -m bench.sweep`: one round of the watch over 200,000 open stops of which one in a hundred has changed.

The stops are on vans of a hundred, and every driver is heard of; one van in fifty has no ETAs, one in twenty is late
at a fifth of its stops. Measured are rounds after the first, which has to look at everything: each after 1 % of the
stops got a new ETA, on every van one. Less than two seconds for a round, and less than 300 MiB that this process grows
by, the first round included; exit 1 otherwise.
"""

import argparse
import asyncio
import gc
import threading
from datetime import UTC, datetime, timedelta
from time import perf_counter, process_time, sleep

import psutil
from sqlalchemy import text

from bench.results import keep, show
from bot.clock import SystemClock
from bot.db import Database, EmbeddedPostgres, create_database, migrate
from bot.escalations.service import EscalationService
from bot.settings import PROJECT_ROOT
from bot.sla.sweep import Sweep
from bot.sop import ProtocolInForce

FOLDER = PROJECT_ROOT / "var" / "bench"
NOON = datetime(2026, 6, 9, 16, 0, tzinfo=UTC)
STOPS_PER_VAN = 100
ROUND_SECONDS = 2.0
GROWTH_MIB = 300.0

_FILL = text("""
    INSERT INTO stop (platform, platform_ref, tracking, status, client, zone, timezone, address_line, postcode,
        latitude, longitude, recipient_name, window_start_at, window_end_at, planned_at, eta_at, sequence, route_ref,
        driver_ref, service_seconds, notes, failure_note, changed_at, confirmed_at, sla_state)
    SELECT 'onfleet', 'ref-' || n, 'T' || n, 'out_for_delivery', (ARRAY['Acme', 'Nova', 'Brightway'])[1 + n % 3],
        'Zone ' || (n / :per_van) % 40, 'America/New_York', n || ' Elm St', '06850', 41.1 + n % 97 * 0.0004,
        -73.4 + n % 89 * 0.0004, 'Robin Doe', window_end - interval '2 hours', window_end,
        window_end - interval '1 hour',
        CASE WHEN (n / :per_van) % 50 = 7 THEN NULL
            WHEN (n / :per_van) % 20 = 3 AND n % :per_van < 20 THEN window_end + interval '12 minutes'
            ELSE window_end - interval '40 minutes' END,
        n % :per_van, 'R' || n / :per_van, 'van-' || n / :per_van, 300, '', '', :now, :now, 'on_track'
    FROM (SELECT n, :now + interval '45 minutes' + n % :per_van * interval '5 minutes' AS window_end
          FROM generate_series(0, :stops - 1) AS n) AS planned
""")
_DRIVERS = text("""
    INSERT INTO driver (id, platform, platform_ref, name, seen_at)
    SELECT gen_random_uuid(), 'onfleet', 'van-' || n, 'Driver ' || n, :now
    FROM generate_series(0, :stops / :per_van) AS n
""")
_DRIVE = text("UPDATE driver SET seen_at = :now")
_CHANGE = text("""
    UPDATE stop SET eta_at = eta_at + interval '3 minutes', confirmed_at = :now, changed_at = :now, watch_at = NULL
    WHERE platform_ref IN (SELECT 'ref-' || (n * 100 + :turn) FROM generate_series(0, :stops / 100 - 1) AS n)
""")


class StandingClock(SystemClock):
    """Moves only when told to."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at


class Peak:
    """The most memory that this process had while it was watched."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        gc.collect()
        self.before = self.most = self._process.memory_info().rss
        self._thread.start()

    def _watch(self) -> None:
        while not self._is_over.is_set():
            self.most = max(self.most, self._process.memory_info().rss)
            sleep(0.01)

    def growth_mib(self) -> float:
        self._is_over.set()
        self._thread.join()
        return (max(self.most, self._process.memory_info().rss) - self.before) / 2**20


async def measure(database_url: str, stops: int, rounds: int) -> dict[str, dict[str, float]]:
    clock = StandingClock()
    database = Database(database_url)
    sop = ProtocolInForce(PROJECT_ROOT / "bot" / "sop.yml")
    sweep = Sweep(database, clock, sop, EscalationService(database, clock, sop))
    async with database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO platform_feed (platform, read_at, next_read_at, last_error)"
                " VALUES ('onfleet', :at, :at, '')"
            ),
            {"at": NOON + timedelta(minutes=15)},
        )
        await session.execute(_FILL, {"stops": stops, "now": NOON, "per_van": STOPS_PER_VAN})
        await session.execute(_DRIVERS, {"stops": stops, "now": NOON, "per_van": STOPS_PER_VAN})
    await _vacuum(database)
    figures: dict[str, dict[str, float]] = {}
    peak = Peak()
    figures["first, all of them"] = await _timed(sweep)
    await _vacuum(database)
    for turn in range(rounds):
        clock.at += timedelta(seconds=30)
        async with database.transaction() as session:
            await session.execute(_CHANGE, {"stops": stops, "now": clock.at, "turn": turn})
            await session.execute(_DRIVE, {"now": clock.at})
        figures[f"round {turn + 1}"] = await _timed(sweep)
    growth = peak.growth_mib()
    for figure in figures.values():
        figure["growth_mib"] = round(growth, 1)
    await database.close()
    return figures


async def _vacuum(database: Database) -> None:
    """As the server does by itself some time after much was written."""
    async with database.engine.connect() as connection:
        at_once = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await at_once.execute(text("VACUUM ANALYZE stop, driver"))


async def _timed(sweep: Sweep) -> dict[str, float]:
    """`cpu_seconds` are this process's own: what is left of `seconds` is the database's, and waiting for a turn."""
    began, had = perf_counter(), process_time()
    looked = await sweep.run()
    return {
        "looked_at": looked,
        "seconds": round(perf_counter() - began, 2),
        "cpu_seconds": round(process_time() - had, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stops", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=6)
    wanted = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    postgres = EmbeddedPostgres(FOLDER / "postgres")
    try:
        database_url = create_database(postgres.url, "bench_sweep", replace=True)
        migrate(database_url)
        figures = asyncio.run(measure(database_url, wanted.stops, wanted.rounds))
    finally:
        postgres.stop()
    show(f"the watch over {wanted.stops:,} stops", figures)
    keep("sweep", {"stops": wanted.stops, "rounds": figures})
    measured = [figure for name, figure in figures.items() if name != "first, all of them"]
    slow = any(figure["seconds"] >= ROUND_SECONDS for figure in measured)
    raise SystemExit(1 if slow or measured[0]["growth_mib"] >= GROWTH_MIB else 0)


if __name__ == "__main__":
    main()
