"""`python -m bench.day`: one pretended delivery day, without and with Doorline, and what it is worth to whom.

Both arms have the same plan, the same breakdowns, the same spare vans and dispatchers, and the same people with the
same luck (`connectors/world/people.py`, whose assumptions are printed and kept beside the figures). Without Doorline
dispatchers answer, look at the map and call back by hand, and all of it is simulated. With Doorline the real
application runs with the real language model and database between the emulators; only people, vans and vendors are
pretended, and every figure is read from the emulators' records. Second tries are drawn by the people's model.

`--faults` makes vendors and Doorline ill (`bench/day_faults.py`). Whatever the day, the checks of `bench/day_checks.py`
must find nothing: exit 1 otherwise.
"""

import argparse
import asyncio
import logging
import secrets
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from zoneinfo import ZoneInfo

import httpx
import psycopg
import structlog
import uvloop
from psycopg import sql
from rich.console import Console
from rich.table import Column, Table

from bench.day_checks import Finding
from bench.day_faults import Faults
from bench.day_outcome import Outcome, figures
from bench.day_pictures import compare, through_the_day
from bench.day_stage import TIMEZONE, DayStage, Ground, utc
from bench.day_with import STEP, DayWithDoorline, undisturbed
from bench.day_without import DayByHand
from bench.results import RESULTS, keep
from bot import rasa_server
from bot.db import EmbeddedPostgres, create_database, libpq_url, migrate, tracker_url
from bot.durable.pacing import BURST_SECONDS
from bot.keys import actions_token
from bot.notifications.rates import RATES
from bot.processes import end, free_port
from bot.settings import PROJECT_ROOT
from bot.sop_notifications import NumberType
from connectors.world.people import assumptions

FOLDER = PROJECT_ROOT / "var" / "bench_day"
DAY_START = utc(2026, 6, 9, 13)
"""Tuesday, nine in New York."""
BEFORE = timedelta(minutes=90)
SHIPPED = PROJECT_ROOT / "bot" / "sop.yml"
POLL = ("poll_seconds: 30 ", "poll_seconds: 300 ")
"""Webhooks tell the changes; a whole read of the plan is needed for the ETAs of stops that nobody drives to yet."""
SEGMENTS_A_STEP = RATES[NumberType.TOLL_FREE] * STEP.total_seconds()
PACE = (
    "# messaging: {number_type: toll_free} ",
    f"messaging: {{segments_per_second: {SEGMENTS_A_STEP / BURST_SECONDS:g}}} ",
)
"""What a toll-free number takes in two minutes may leave at once: the clock asks once in a step, not each second."""
RASA_PATIENCE_SECONDS = 180
ZONE = ZoneInfo(TIMEZONE)


@dataclass(frozen=True)
class Run:
    """One arm of one seed."""

    outcome: Outcome
    findings: Sequence[Finding] = ()
    told_hours: Sequence[float] = ()
    """Local hours at which something was told unasked."""
    seconds: float = 0.0


def without(seed: int, stops: int) -> Run:
    began = monotonic()
    outcome = DayByHand(seed, DAY_START, stops).live()
    return Run(outcome, seconds=monotonic() - began)


async def with_doorline(ground: Ground, seed: int, stops: int, step: timedelta, *, ill: bool) -> Run:
    began = monotonic()
    async with DayStage(ground, DAY_START - BEFORE) as stage:
        day = DayWithDoorline(stage, seed, DAY_START, stops, Faults() if ill else undisturbed)
        await stage.start_app()
        await day.live(step=step)
        outcome, found = day.outcome()
        told = [hour_of(text.at) for text in day.texting.texts() if text.kind]
    return Run(outcome, found, told, monotonic() - began)


def hour_of(at: datetime) -> float:
    local = at.astimezone(ZONE)
    return local.hour + local.minute / 60


# --- the ground -----------------------------------------------------------------------------------


@contextmanager
def ground_of(postgres: EmbeddedPostgres, model: Path, name: str) -> Iterator[Ground]:
    """A database and a Rasa server for one arm."""
    database_url = create_database(postgres.url, name, replace=True)
    _hurry(database_url, name)
    migrate(database_url)
    secret, app_port, rasa_port = secrets.token_hex(16), free_port(), free_port()
    rasa = rasa_server.start(
        model,
        rasa_port,
        tracker_url=tracker_url(database_url),
        actions_url=f"http://127.0.0.1:{app_port}/actions/webhook",
        actions_token=actions_token(secret),
        log=FOLDER / "rasa.log",
    )
    url = f"http://127.0.0.1:{rasa_port}"
    try:
        _wait_for(url)
        yield Ground(database_url, url, app_port, secret, FOLDER, _protocol())
    finally:
        end(rasa)


def _hurry(database_url: str, name: str) -> None:
    """Commits do not wait for the disk: only Doorline is cut off here, its database never."""
    with psycopg.connect(libpq_url(database_url), autocommit=True) as connection:
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(sql.Identifier(name))
        )


def _wait_for(url: str) -> None:
    deadline = monotonic() + RASA_PATIENCE_SECONDS
    while monotonic() < deadline:
        try:
            if httpx.get(f"{url}/status", timeout=2, trust_env=False).json().get("model_file"):
                return
        except (httpx.HTTPError, ValueError):
            pass
        sleep(0.3)
    raise RuntimeError(f"Rasa did not start; see {FOLDER / 'rasa.log'}")


def _protocol() -> Path:
    content = SHIPPED.read_text(encoding="utf-8")
    for shipped, ours in (POLL, PACE):
        assert content.count(shipped) == 1, f"bot/sop.yml does not say {shipped!r} once"
        content = content.replace(shipped, ours)
    file = FOLDER / "sop.yml"
    file.write_text(content, encoding="utf-8")
    return file


# --- telling --------------------------------------------------------------------------------------


def show(runs: Mapping[str, Sequence[Run]]) -> None:
    names = Column(no_wrap=True)
    table = Table(names, *(f"{arm}, day {place + 1}" for arm in runs for place in range(len(runs[arm]))))
    columns = [figures(run.outcome) for arm in runs for run in runs[arm]]
    for name in columns[0]:
        table.add_row(name, *(f"{column[name]:g}" for column in columns))
    Console().print(table)
    assumed = Table("assumed of people (simulation)", "value", "means")
    for name, each in assumptions().items():
        assumed.add_row(name, f"{each['value']:g}", str(each["means"]))
    Console().print(assumed)


def show_findings(runs: Sequence[Run]) -> int:
    found = [finding for run in runs for finding in run.findings]
    print(
        f"checks over the emulators' records: {dict(Counter(each.check for each in found)) or 'nothing found'}"
    )
    for finding in found[:20]:
        print(f"  {finding.check}: {finding.text.at.isoformat()} {finding.text.kind}: {finding.why}")
    return len(found)


def write(runs: Mapping[str, Sequence[Run]], seeds: Sequence[int], *, ill: bool, step: timedelta) -> None:
    name = "day_with_faults" if ill else "day"
    by_arm = {arm: [figures(run.outcome) for run in runs[arm]] for arm in runs}
    compare(by_arm, RESULTS / f"{name}_compared.png")
    hours = {
        f"asked_{arm}": [hour_of(a.asked_at) for run in runs[arm] for a in run.outcome.answered]
        for arm in runs
    }
    through_the_day(
        hours | {"told": [at for run in runs["with"] for at in run.told_hours]},
        len(runs["with"]),
        RESULTS / f"{name}_hours.png",
    )
    keep(
        name,
        {
            "simulated": "people, vans and vendors; the arm without Doorline wholly",
            "seeds": list(seeds),
            "faults": ill,
            "step_minutes": step.total_seconds() / 60,
            "figures": by_arm,
            "findings": dict(Counter(each.check for run in runs["with"] for each in run.findings)),
            "seconds": {arm: [round(run.seconds) for run in runs[arm]] for arm in runs},
            "assumptions": assumptions(),
        },
    )


@asynccontextmanager
async def quietly() -> AsyncIterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield


async def measure(
    postgres: EmbeddedPostgres, model: Path, wanted: argparse.Namespace
) -> dict[str, list[Run]]:
    runs: dict[str, list[Run]] = {"without": [], "with": []}
    step = timedelta(minutes=wanted.step_minutes)
    async with quietly():
        for seed in wanted.seeds:
            runs["without"].append(without(seed, wanted.stops))
            with ground_of(postgres, model, f"bench_day_{seed}") as ground:
                runs["with"].append(await with_doorline(ground, seed, wanted.stops, step, ill=wanted.faults))
            print(
                f"seed {seed}: {runs['with'][-1].seconds:.0f} s",
                figures(runs["with"][-1].outcome),
                flush=True,
            )
            write(runs, wanted.seeds[: len(runs["with"])], ill=wanted.faults, step=step)
    return runs


def _seeds(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stops", type=int, default=2000)
    parser.add_argument("--seeds", type=_seeds, default=[11, 23, 47], help="separated by commas")
    parser.add_argument("--step-minutes", type=float, default=2.0, help="how far the day leaps at once")
    parser.add_argument("--faults", action="store_true")
    wanted = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    model, _ = rasa_server.train(PROJECT_ROOT / "var")
    postgres = EmbeddedPostgres(FOLDER / "postgres")
    try:
        # The loop on which uvicorn serves the app elsewhere.
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runs = runner.run(measure(postgres, model, wanted))
    finally:
        postgres.stop()
    show(runs)
    sys.exit(1 if show_findings(runs["with"]) else 0)


if __name__ == "__main__":
    main()
