"""`python -m bench.steps`: 10,000 steps of escalations, two replicas ticking, three of them killed in the middle.

Each replica is a process that does what the app's clock does to escalations, once a second, on one database. A
replica is ended with `kill -9` three times while steps come due, and started again. When a step fired is noted by the
database itself as its transaction commits, so a step that fired twice would stand there twice.

Less than 5 seconds behind its time for 99.9 % of the steps, none lost, none doubled; exit 1 otherwise.
"""

import argparse
import asyncio
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Connection, create_engine, insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from bench.results import keep, percentile, show
from bot.clock import SystemClock
from bot.db import Database, EmbeddedPostgres, create_database, driver_url, migrate
from bot.durable.queue import open_queue
from bot.durable.ticks import Tick, Ticker
from bot.escalations.models import Escalation, EscalationStep
from bot.escalations.service import EscalationService
from bot.oncall.people import OnCallPerson
from bot.processes import dies_with_parent
from bot.settings import PROJECT_ROOT
from bot.sop import ProtocolInForce
from bot.sop_escalations import TierKind
from connectors.escalation import EscalationState, Severity

VAR = PROJECT_ROOT / "var"
PER_ESCALATION = (TierKind.MENTION, TierKind.SMS, TierKind.CALL, TierKind.MENTION)
WITHIN_SECONDS = 5.0
STARTS_IN_SECONDS = 4.0
READY = "ready"
SETTLES_IN_SECONDS = 30.0
SEED = 7

WATCHED = """
CREATE TABLE bench_fired (step_id uuid NOT NULL, at timestamptz NOT NULL);
CREATE TABLE bench_paged (step_id uuid NOT NULL, person text NOT NULL);
CREATE FUNCTION bench_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO bench_fired VALUES (NEW.id, clock_timestamp());
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER bench_note AFTER UPDATE ON escalation_step DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (OLD.fired_at IS NULL AND NEW.fired_at IS NOT NULL) EXECUTE FUNCTION bench_note();
"""


class OneOnCall:
    """Fulfils `OnCall`: somebody with a number, at any time."""

    async def line(self, session: AsyncSession, zone: str, at: datetime) -> tuple[OnCallPerson, ...]:
        return (OnCallPerson(key="kim", name="Kim", phone="+15550100"),)

    def is_set_up(self, zone: str) -> bool:
        return True

    async def may_acknowledge(self, session: AsyncSession) -> frozenset[str]:
        return frozenset()


class PagesAsRows:
    """Fulfils `Pager`: one row per page, in the step's transaction, twice if it is asked twice."""

    async def page(
        self, session: AsyncSession, escalation: Escalation, step: EscalationStep, person: OnCallPerson
    ) -> bool:
        row = {"step": step.id, "person": person.key}
        await session.execute(text("INSERT INTO bench_paged VALUES (:step, :person)"), row)
        return True

    async def stop(self, session: AsyncSession, escalation_id: UUID) -> None:
        return None


async def tick_for_ever(url: str) -> None:
    """One replica."""
    database = Database(url)
    sop = ProtocolInForce(PROJECT_ROOT / "bot" / "sop.yml")
    service = EscalationService(database, SystemClock(), sop, on_call=OneOnCall(), pager=PagesAsRows())
    async with open_queue(url).open_async():
        await service.fire_due_steps()
        Ticker([Tick("steps", service.fire_due_steps, 1)]).start()
        print(READY, flush=True)
        await asyncio.Event().wait()


def start_replica(url: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "bench.steps", "--replica", url]
    return subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, preexec_fn=dies_with_parent)


def wait_for(replica: "subprocess.Popen[bytes]") -> None:
    """Until it has looked once: the measurement begins with both at work."""
    assert replica.stdout is not None
    while line := replica.stdout.readline():
        if line.strip() == READY.encode():
            return
    raise SystemExit("a replica ended before it began")


def fill(connection: Connection, steps: int, begins_at: datetime, seconds: float) -> None:
    """Raised escalations whose steps come due, at instants of their own, over `seconds` from `begins_at`."""
    luck = random.Random(SEED)
    escalations, pending = [], []
    for number in range(steps // len(PER_ESCALATION)):
        escalation_id = uuid4()
        escalations.append(
            Escalation(
                id=escalation_id,
                cause_key=f"bench:{number}",
                severity=Severity.AT_RISK,
                state=EscalationState.RAISED,
                zone="North",
                timezone="America/New_York",
                why="ETA 4:25 pm, window ends 4:00 pm",
                channel="#dispatch",
                raised_at=begins_at,
            ).model_dump()
        )
        for position, kind in enumerate(PER_ESCALATION, start=1):
            due_at = begins_at + timedelta(seconds=luck.uniform(0, seconds))
            pending.append(
                EscalationStep(
                    id=uuid4(), escalation_id=escalation_id, position=position, kind=kind, due_at=due_at
                ).model_dump()
            )
    connection.execute(insert(Escalation), escalations)
    connection.execute(insert(EscalationStep), pending)


async def play(
    url: str, replicas: list["subprocess.Popen[bytes]"], begins_at: datetime, seconds: float, kills: int
) -> None:
    """One replica after the other is killed at even distances, and begins anew at once."""
    try:
        for number in range(kills):
            at = begins_at + timedelta(seconds=seconds * (number + 1) / (kills + 1))
            await asyncio.sleep(max(0.0, (at - datetime.now(UTC)).total_seconds()))
            victim = number % len(replicas)
            replicas[victim].kill()
            replicas[victim].wait()
            replicas[victim] = start_replica(url)
        over_at = begins_at + timedelta(seconds=seconds)
        await asyncio.sleep(max(0.0, (over_at - datetime.now(UTC)).total_seconds()))
        await _until_none_is_pending(url)
    finally:
        for replica in replicas:
            replica.kill()
            replica.wait()


async def _until_none_is_pending(url: str) -> None:
    database = Database(url)
    give_up_at = datetime.now(UTC) + timedelta(seconds=SETTLES_IN_SECONDS)
    while datetime.now(UTC) < give_up_at:
        async with database.transaction() as session:
            left = await session.scalar(text("SELECT count(*) FROM escalation_step WHERE fired_at IS NULL"))
        if not left:
            break
        await asyncio.sleep(0.5)
    await database.close()


def judge(connection: Connection, steps: int) -> dict[str, float]:
    lateness = connection.execute(
        text(
            "SELECT extract(epoch FROM f.at - s.due_at) FROM bench_fired f JOIN escalation_step s ON s.id = f.step_id"
        )
    ).scalars()
    seconds = [float(value) for value in lateness]
    distinct = connection.execute(text("SELECT count(DISTINCT step_id) FROM bench_fired")).scalar_one()
    loud = connection.execute(
        text("SELECT count(*) FROM escalation_step WHERE kind IN ('sms', 'call')")
    ).scalar_one()
    pages = connection.execute(text("SELECT count(*), count(DISTINCT step_id) FROM bench_paged")).one()
    notes = connection.execute(text("SELECT count(*) FROM escalation_note")).scalar_one()
    return {
        "steps": steps,
        "lost": steps - distinct,
        "doubled": len(seconds) - distinct,
        "pages_lost": loud - pages[1],
        "pages_doubled": pages[0] - pages[1],
        "notes_missing": steps - loud - notes,
        "early": sum(value < 0 for value in seconds),
        "p50": round(percentile(seconds, 0.50), 2),
        "p99": round(percentile(seconds, 0.99), 2),
        "p99.9": round(percentile(seconds, 0.999), 2),
        "max": round(max(seconds), 2),
    }


def measure(steps: int, seconds: float, kills: int) -> dict[str, float]:
    server = EmbeddedPostgres(VAR / "bench" / "postgres")
    try:
        url = create_database(server.url, "doorline_bench_steps", replace=True)
        migrate(url)
        engine = create_engine(driver_url(url))
        with engine.begin() as connection:
            connection.execute(text(WATCHED))
        replicas = [start_replica(url), start_replica(url)]
        for replica in replicas:
            wait_for(replica)
        begins_at = datetime.now(UTC) + timedelta(seconds=STARTS_IN_SECONDS)
        with engine.begin() as connection:
            fill(connection, steps, begins_at, seconds)
        asyncio.run(play(url, replicas, begins_at, seconds, kills))
        with engine.begin() as connection:
            figures = judge(connection, steps)
        engine.dispose()
        return figures
    finally:
        server.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60.0, help="over which the steps come due")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--replica", metavar="URL", help="be a replica on this database")
    arguments = parser.parse_args()
    if arguments.replica:
        asyncio.run(tick_for_ever(arguments.replica))
        return 0
    steps = arguments.steps // len(PER_ESCALATION) * len(PER_ESCALATION)
    figures = measure(steps, arguments.seconds, arguments.kills)
    show(f"Seconds behind their time, {arguments.kills} kill -9", {"steps": figures})
    keep("steps", {"seconds": arguments.seconds, "kills": arguments.kills, "figures": figures})
    wrong = ("lost", "doubled", "pages_lost", "pages_doubled", "notes_missing", "early")
    return int(any(figures[name] for name in wrong) or figures["p99.9"] > WITHIN_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
