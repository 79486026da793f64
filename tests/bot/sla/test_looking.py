"""The watch looks at what can have changed only, and finds what a look at everything would find."""

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlmodel import col

from bot.clock import SystemClock
from bot.db import Database
from bot.drivers.keeping import keep_word
from bot.drivers.reading import DriverAnswer
from bot.drivers.words import words_in_force
from bot.escalations.models import Escalation, EscalationStop
from bot.escalations.service import EscalationService
from bot.settings import PROJECT_ROOT
from bot.sla import looking
from bot.sla.findings import Sight
from bot.sla.looking import COLUMNS, feeds_at
from bot.sla.routes import paces_of
from bot.sla.sweep import Sweep
from bot.sop import ProtocolInForce
from bot.stops import storing
from bot.stops.models import DriverRecord, SlaState, StopRecord
from connectors.base import Address, DeliveryWindow, Driver, FailureReason, Stop, StopStatus
from tests.harness.waiting import eventually

NOON = datetime(2026, 6, 9, 16, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Stage:
    """Tables and a watch over them, with a clock that the test moves."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = MovedClock()
        self.sop = ProtocolInForce(PROJECT_ROOT / "bot" / "sop.yml")
        self.sweep = Sweep(database, self.clock, self.sop, EscalationService(database, self.clock, self.sop))

    async def reads(self, *stops: Stop, whole: bool = True) -> None:
        now = self.clock.at
        async with self.database.transaction() as session:
            await storing.store_stops(session, stops, "onfleet:poll", now)
            if whole:
                await session.execute(FEED, {"at": now})

    async def sees(self, van: str, at: datetime) -> None:
        driver = Driver(platform="onfleet", platform_ref=van, name=van, seen_at=at)
        async with self.database.transaction() as session:
            await storing.store_drivers(session, [driver])

    async def open_escalations(self) -> dict[str, int]:
        """Cause keys of the open ones, with how many of their stops still count."""
        async with self.database.transaction() as session:
            rows = await session.execute(
                select(col(Escalation.cause_key), col(EscalationStop.stop_id))
                .join(EscalationStop, col(EscalationStop.escalation_id) == col(Escalation.id))
                .where(col(Escalation.state) != "resolved", col(EscalationStop.settled_at).is_(None))
            )
            keys = [row[0] for row in rows]
        return {key: keys.count(key) for key in keys}

    async def unseen(self) -> int:
        """Stops that were not looked at since they changed."""
        async with self.database.transaction() as session:
            return await session.scalar(text("SELECT count(*) FROM stop WHERE watch_at IS NULL")) or 0

    async def version(self, ref: str) -> str:
        async with self.database.transaction() as session:
            row = await session.execute(
                text("SELECT xmin::text FROM stop WHERE platform_ref = :ref"), {"ref": ref}
            )
            return str(row.scalar_one())

    async def hears(self, ref: str, answer: DriverAnswer) -> None:
        """The driver of this stop says something about it."""
        async with self.database.transaction() as session:
            found = await session.scalars(select(StopRecord).where(col(StopRecord.platform_ref) == ref))
            stop = found.one()
            if stop.is_open:
                await keep_word(session, stop, answer, "Ana", None, self.clock.at)

    async def what_a_full_look_changes(self) -> list[str]:
        """Stops on which a look at everything would find something else than what is remembered."""
        now, sla = self.clock.at, self.sop.current.sla
        async with self.database.transaction() as session:
            feeds = await feeds_at(session, timedelta(minutes=sla.eta_stale_minutes), now)
            sight = Sight(sla, feeds, now, await words_in_force(session, now))
            rows = (
                await session.execute(
                    select(*COLUMNS, col(StopRecord.platform_ref))
                    .select_from(StopRecord)
                    .outerjoin(DriverRecord, col(DriverRecord.platform_ref) == col(StopRecord.driver_ref))
                )
            ).all()
            vans = {
                (row.platform, row.driver_ref): sight.heard_until(row)
                for row in rows
                if sight.needs_pace(row)
            }
            paces = await paces_of(session, vans, sla.estimate, now)
        return [
            row.platform_ref
            for row in rows
            if not row.status.is_closed
            and (found := sight.find(row, paces if sight.needs_pace(row) else {}).assessment)
            and (found.state, found.risk_since) != (row.sla_state, row.risk_since)
        ]


class MovedClock(SystemClock):
    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at

    def wall(self) -> datetime:
        return self.at


FEED = text("""
    INSERT INTO platform_feed (platform, read_at, next_read_at, last_error) VALUES ('onfleet', :at, :at, '')
    ON CONFLICT (platform) DO UPDATE SET read_at = :at
""")


@pytest.fixture
async def stage(database_url: str, empty_database: None) -> AsyncIterator[Stage]:
    database = Database(database_url)
    yield Stage(database)
    await database.close()


def a_stop(ref: str, van: str = "van-1", **facts: object) -> Stop:
    end = NOON + 120 * MINUTE
    values: dict[str, object] = {
        "platform": "onfleet",
        "platform_ref": ref,
        "tracking": ref,
        "status": StopStatus.OUT_FOR_DELIVERY,
        "address": Address(line="14 Elm St", latitude=41.0, longitude=-73.4),
        "client": "Acme",
        "zone": "North",
        "timezone": "America/New_York",
        "window": DeliveryWindow(start_at=end - timedelta(hours=2), end_at=end),
        "eta_at": end - timedelta(hours=1),
        "driver_ref": van,
        "route_ref": f"route of {van}",
        "changed_at": NOON,
    }
    return Stop.model_validate(values | facts)


async def test_a_round_without_news_looks_at_nothing(stage: Stage) -> None:
    await stage.reads(*(a_stop(f"S{number}") for number in range(5)))
    assert await stage.sweep.run() == 5
    stage.clock.at += MINUTE
    assert await stage.sweep.run() == 0
    await stage.reads(a_stop("S3", eta_at=NOON + 70 * MINUTE, changed_at=stage.clock.at))
    assert await stage.sweep.run() == 1
    assert await stage.sweep.run(everything=True) == 5


async def test_time_alone_brings_a_stop_back_before_the_watch(stage: Stage) -> None:
    await stage.reads(a_stop("S1"))
    await stage.sweep.run()
    stage.clock.at = NOON + 65 * MINUTE
    await stage.reads()
    assert await stage.sweep.run() == 0, "its ETA has just passed, which is no news yet"
    stage.clock.at += timedelta(seconds=1)
    assert await stage.sweep.run() == 1


async def test_a_feed_that_falls_silent_brings_its_stops_before_the_watch_once(stage: Stage) -> None:
    await stage.reads(a_stop("S1"), a_stop("S2"))
    await stage.sweep.run()
    stage.clock.at += 21 * MINUTE
    assert await stage.sweep.run() == 2
    assert await stage.sweep.run() == 0
    await stage.reads()
    assert await stage.sweep.run() == 2


async def test_a_driver_who_falls_silent_brings_their_stops_before_the_watch(stage: Stage) -> None:
    """Also one whose first position came after the stops were looked at, and however far their next look is."""
    await stage.reads(a_stop("S1"), a_stop("S2"), a_stop("S3", van="van-2"))
    await stage.sweep.run()
    await stage.sees("van-1", NOON + MINUTE)
    for minutes, looked in ((10, 0), (21, 0), (22, 2), (23, 2)):
        stage.clock.at = NOON + minutes * MINUTE
        await stage.reads()
        assert await stage.sweep.run() == looked, f"{minutes} minutes later"
    await stage.sees("van-1", stage.clock.at)
    assert await stage.sweep.run() == 2
    assert await stage.sweep.run() == 0, "heard of again, they stand by their ETA"


async def test_a_driver_who_fell_silent_long_ago_is_news_once_their_stop_is_near(stage: Stage) -> None:
    await stage.sees("van-1", NOON - 60 * MINUTE)
    far = NOON + 300 * MINUTE
    window = DeliveryWindow(start_at=far - 60 * MINUTE, end_at=far)
    await stage.reads(a_stop("S1", window=window, eta_at=far - 30 * MINUTE))
    assert await stage.sweep.run() == 1
    assert await stage.sweep.run() == 0
    stage.clock.at = NOON + 60 * MINUTE
    await stage.reads()
    assert await stage.sweep.run() == 1
    assert await stage.sweep.run() == 1, "of a silent driver any word may come"


async def test_a_whole_look_that_was_broken_off_is_begun_again(stage: Stage, monkeypatch: Any) -> None:
    monkeypatch.setattr(looking, "BATCH", 2)
    await stage.reads(
        a_stop("S0"), *(a_stop(f"S{number}", eta_at=NOON + 130 * MINUTE) for number in range(1, 6))
    )
    async with stage.database.transaction() as other:
        # Whoever has looked at everything waits for this one to say so.
        await other.execute(text("LOCK TABLE watch_mark IN SHARE MODE"))
        broken_off = asyncio.create_task(stage.sweep.run())
        await eventually(stage.unseen, lambda count: count == 0, "every stop to be looked at")
        broken_off.cancel()
        await asyncio.wait([broken_off])
    assert await stage.sweep.run() == 6
    stage.clock.at += 4 * MINUTE
    assert await stage.sweep.run() == 5
    assert await stage.open_escalations() == {"late:onfleet:van-1:2026-06-09": 5}


async def test_a_stop_without_eta_is_late_by_its_routes_pace_and_says_so(stage: Stage) -> None:
    done = a_stop(
        "S1",
        status=StopStatus.DELIVERED,
        planned_at=NOON - 90 * MINUTE,
        arrived_at=NOON - 10 * MINUTE,
        completed_at=NOON - 5 * MINUTE,
        service=5 * MINUTE,
    )
    next_one = a_stop("S2", eta_at=None, planned_at=NOON + 60 * MINUTE, service=5 * MINUTE, sequence=0)
    await stage.reads(done, next_one)
    await stage.sweep.run()
    stage.clock.at += 4 * MINUTE
    await stage.reads()
    await stage.sweep.run()
    async with stage.database.transaction() as session:
        (why,) = await session.scalars(select(col(Escalation.why)))
    assert why.startswith("No ETA; at this pace about 2:20 pm, give or take ")
    assert why.endswith("window ends 2:00 pm")


async def test_an_estimate_that_moves_on_with_the_time_is_not_written_again(stage: Stage) -> None:
    done = a_stop(
        "S1",
        status=StopStatus.DELIVERED,
        planned_at=NOON - 20 * MINUTE,
        completed_at=NOON - 5 * MINUTE,
        service=5 * MINUTE,
    )
    estimated = a_stop("S2", eta_at=None, planned_at=NOON + 30 * MINUTE, service=5 * MINUTE, sequence=0)
    await stage.reads(done, estimated, a_stop("S3", sequence=1))
    await stage.sweep.run()
    before = await stage.version("S2")
    stage.clock.at += MINUTE
    news = a_stop("S3", sequence=1, eta_at=NOON + 70 * MINUTE, changed_at=stage.clock.at)
    await stage.reads(news)
    assert await stage.sweep.run() == 2
    assert await stage.version("S2") == before


async def test_many_late_vans_of_a_zone_are_one_message_that_takes_up_the_single_ones(stage: Stage) -> None:
    late = NOON + 130 * MINUTE
    vans = [[a_stop(f"S{van}-{n}", f"van-{van}", eta_at=late) for n in range(3)] for van in range(6)]
    await stage.reads(*vans[0], *vans[1])
    await stage.sweep.run()
    stage.clock.at += 4 * MINUTE
    await stage.sweep.run()
    assert await stage.open_escalations() == {
        "late:onfleet:van-0:2026-06-09": 3,
        "late:onfleet:van-1:2026-06-09": 3,
    }
    await stage.reads(*(stop for van in vans[2:5] for stop in van))
    await stage.sweep.run()
    stage.clock.at += 4 * MINUTE
    await stage.sweep.run()
    assert await stage.open_escalations() == {"storm:zone:North:2026-06-09": 15}
    async with stage.database.transaction() as session:
        storm = await session.scalar(select(Escalation).where(col(Escalation.cause_key).startswith("storm:")))
    assert storm is not None
    assert storm.exposure_usd == 15 * 75
    assert storm.why.startswith("15 stops in North late on 5 routes, worst: ETA 2:10 pm")
    await stage.reads(*vans[5])
    await stage.sweep.run()
    stage.clock.at += 4 * MINUTE
    await stage.sweep.run()
    assert await stage.open_escalations() == {"storm:zone:North:2026-06-09": 18}


async def test_a_delivery_after_the_window_stays_a_breach_also_when_nobody_saw_it_coming(
    stage: Stage,
) -> None:
    late = a_stop("S1", status=StopStatus.DELIVERED, completed_at=NOON + 121 * MINUTE, arrived_at=NOON)
    await stage.reads(late, a_stop("S2", status=StopStatus.DELIVERED, completed_at=NOON + 119 * MINUTE))
    await stage.sweep.run()
    async with stage.database.transaction() as session:
        rows = await session.execute(select(col(StopRecord.platform_ref), col(StopRecord.sla_state)))
        assert {row[0]: row[1] for row in rows} == {"S1": SlaState.BREACHED, "S2": SlaState.ON_TRACK}


@pytest.mark.parametrize("seed", range(4))
async def test_a_day_of_chances_is_seen_as_by_a_look_at_everything(stage: Stage, seed: int) -> None:
    luck = random.Random(seed)
    stops = {f"S{number}": _drawn(luck, number) for number in range(40)}
    for van in range(4):
        await stage.sees(f"van-{van}", NOON)
    await stage.reads(*stops.values())
    for _ in range(30):
        stage.clock.at += luck.choice((5, 31, 60, 240, 600, 1300)) * timedelta(seconds=1)
        changed = luck.sample(sorted(stops), luck.choice((0, 0, 1, 3)))
        stops |= {ref: _moved_on(luck, stops[ref], stage.clock.at) for ref in changed}
        await stage.reads(*(stops[ref] for ref in changed), whole=luck.random() < 0.5)
        if luck.random() < 0.3:
            await stage.sees(f"van-{luck.randrange(4)}", stage.clock.at)
        if luck.random() < 0.3:
            await stage.hears(luck.choice(sorted(stops)), _said(luck))
        await stage.sweep.run()
        assert await stage.what_a_full_look_changes() == []


def _said(luck: random.Random) -> DriverAnswer:
    if luck.random() < 0.3:
        return DriverAnswer(is_on_time=True)
    minutes = luck.choice((None, 5, 20, 45, 90))
    return DriverAnswer(root_cause=FailureReason.TRAFFIC, minutes=minutes)


def _drawn(luck: random.Random, number: int) -> Stop:
    end = NOON + luck.randrange(30, 400) * MINUTE
    return a_stop(
        f"S{number}",
        f"van-{number % 4}",
        window=DeliveryWindow(start_at=end - timedelta(hours=2), end_at=end),
        eta_at=end + luck.randrange(-90, 20) * MINUTE if luck.random() < 0.7 else None,
        planned_at=NOON + (10 + number // 4 * 25) * MINUTE if number % 4 else None,
        service=5 * MINUTE,
        sequence=number // 4,
    )


def _moved_on(luck: random.Random, stop: Stop, now: datetime) -> Stop:
    news: dict[str, object] = {"changed_at": now}
    what = luck.random()
    if stop.status.is_closed:
        return stop
    if stop.window is not None and what < 0.5:
        news["eta_at"] = stop.window.end_at + luck.randrange(-60, 30) * MINUTE
    elif what < 0.7:
        news |= {
            "status": StopStatus.DELIVERED,
            "arrived_at": now - 3 * MINUTE,
            "completed_at": now,
            "sequence": None,
        }
    elif what < 0.8:
        news["eta_at"] = None
    elif what < 0.9:
        news["window"] = DeliveryWindow(start_at=now, end_at=now + luck.randrange(20, 600) * MINUTE)
    else:
        news |= {"driver_ref": f"van-{luck.randrange(4)}"}
    return stop.model_copy(update=news)
