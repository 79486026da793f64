"""The weekly digest: one post at its local time, its two charts in the thread, whatever breaks in between."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from bot import audit
from bot.db import Database
from bot.desk.boards import DeskBoards
from bot.escalations.models import Escalation
from bot.pauses.models import Pause, PauseHit
from bot.reports.digest import DigestMaker
from bot.reports.models import DigestCharts, ReportFile, ReportRun, RunState, ShareState
from bot.reports.records import Period
from bot.sop import ProtocolInForce
from connectors.base import FailureReason, StopStatus
from connectors.emulation import Fault
from connectors.escalation import EscalationState, Severity
from connectors.pauses import PauseWhat
from connectors.slack.digest_blocks import digest_blocks
from tests.harness.clock import ManualClock
from tests.harness.people import readable
from tests.harness.protocol import QUIET
from tests.harness.stop_rows import finished_stop
from tests.harness.world import Setting, World

NEW_YORK = ZoneInfo("America/New_York")
DIGEST = "\nreports:\n  digest: {weekday: wednesday, at: '08:00'}\n"
BEFORE_EIGHT = datetime(2026, 6, 10, 11, 59, tzinfo=UTC)
"""Wednesday, 7:59 in New York. The week goes from Wednesday, June 3, to Tuesday, June 9."""
SHARING = "completeUploadExternal"


def protocol(folder: Path, section: str = DIGEST) -> Path:
    path = folder / "sop.yml"
    path.write_text(QUIET.read_text(encoding="utf-8") + section, encoding="utf-8")
    return path


@pytest.fixture
async def world(bare_setting: Setting, empty_database: None, tmp_path: Path) -> AsyncIterator[World]:
    clock = ManualClock(BEFORE_EIGHT)
    async with World(bare_setting, sop=protocol(tmp_path), clock=clock) as world:
        await look(world)
        yield world


async def look(world: World, **later: float) -> None:
    """Time passes, the schedule looks, jobs run."""
    world.clock.move(timedelta(**later))
    await world.doorline.services.report_schedule.run()
    await world.settled()


async def keep(world: World, *rows: Any) -> None:
    async with world.doorline.services.database.transaction() as session:
        session.add_all(rows)


async def digests(world: World) -> list[dict[str, Any]]:
    return [each for each in await world.channel() if "Week of" in readable(each)]


async def the_digest(world: World) -> dict[str, Any]:
    (message,) = await digests(world)
    return message


def escalation(
    day: date, rule: str = "late", *, hour: int = 15, is_noise: bool = False, number: int = 1
) -> Escalation:
    """Over by now; `hour` is New York's."""
    raised_at = datetime.combine(day, time(hour), NEW_YORK).astimezone(UTC)
    return Escalation(
        cause_key=f"{rule}:onfleet:{number}:{day}",
        severity=Severity.PLATFORM_SILENT if rule == "silent" else Severity.AT_RISK,
        state=EscalationState.RESOLVED,
        timezone="America/New_York",
        why="behind",
        channel="#dispatch",
        raised_at=raised_at,
        resolved_at=raised_at + timedelta(hours=1),
        resolved_by="U0DANA",
        is_noise=is_noise,
        posted_revision=1,
    )


# --- one post with two charts -----------------------------------------------------------------------


async def test_last_week_is_posted_with_two_charts_at_eight_local_time_and_never_again(world: World) -> None:
    await keep(world, finished_stop(1, date(2026, 6, 3)), finished_stop(2, date(2026, 6, 9), late=45))
    await world.tick()
    assert await digests(world) == []
    await world.advance(minutes=1)
    message = await the_digest(world)
    assert "Week of June 3 to 9: 50% on time, below the target of 97%" in readable(message)
    ((reply),) = message["replies"]
    assert reply["files"] == [
        "on-time-2026-06-03-to-2026-06-09.png",
        "escalations-2026-06-03-to-2026-06-09.png",
    ]
    pictures = list(world.slack.api.files.contents.values())
    assert [each[:8] for each in pictures] == [b"\x89PNG\r\n\x1a\n"] * 2
    assert pictures == [each.content for each in await world.rows(ReportFile)]

    await world.restart_app()
    await look(world, hours=3)
    (run,) = [each for each in await world.rows(ReportRun) if each.state is not RunState.PLANNED]
    await world.doorline.services.report_maker.make(run.id)
    await world.doorline.services.digest_shares.share(run.id)
    await world.settled()
    assert len((await the_digest(world))["replies"]) == 1


@pytest.mark.parametrize("after_work", [True, False], ids=["they were shared", "they were not"])
async def test_charts_whose_sharing_got_no_answer_are_looked_for_first(
    world: World, after_work: bool
) -> None:
    await keep(world, finished_stop(1, date(2026, 6, 3)))
    world.slack.faults.next(Fault("reset", after_work=after_work, path_contains=SHARING))
    await look(world, minutes=1)
    (charts,) = await world.rows(DigestCharts)
    assert charts.state is ShareState.SENDING
    await world.restart_app()
    await world.retries()
    (charts,) = await world.rows(DigestCharts)
    assert charts.state is ShareState.SENT
    assert len((await the_digest(world))["replies"]) == 1


async def test_a_post_that_got_no_answer_is_found_again_and_its_charts_follow(world: World) -> None:
    await keep(world, finished_stop(1, date(2026, 6, 3)))
    world.slack.faults.next(Fault("reset", after_work=True, path_contains="chat.postMessage"))
    await look(world, minutes=1)
    assert (await the_digest(world))["replies"] == []
    await world.retries()
    await world.retries()
    assert len((await the_digest(world))["replies"]) == 1


async def test_charts_whose_job_was_lost_are_asked_for_again(world: World) -> None:
    await keep(world, finished_stop(1, date(2026, 6, 3)))
    world.slack.faults.next(Fault("status", status=503, path_contains="upload/v1"))
    await look(world, minutes=1)
    async with world.doorline.services.database.transaction() as session:
        charts = (await session.scalars(select(DigestCharts))).one()
        assert charts.state is ShareState.QUEUED
        charts.state = ShareState.SENDING
    await look(world, minutes=11)
    await world.retries()
    assert [each.state for each in await world.rows(DigestCharts)] == [ShareState.SENT]
    assert len((await the_digest(world))["replies"]) == 1


async def test_charts_of_a_post_that_somebody_deleted_are_given_up(world: World) -> None:
    await keep(world, finished_stop(1, date(2026, 6, 3)))
    world.slack.faults.next(Fault("status", status=503, path_contains="upload/v1"))
    await look(world, minutes=1)
    message, slack = await the_digest(world), world.doorline.vendors.slack
    assert slack is not None
    await slack.web.chat_delete(channel=message["channel"], ts=message["ts"])
    await world.retries()
    assert [each.state for each in await world.rows(DigestCharts)] == [ShareState.REFUSED]


# --- what it says -----------------------------------------------------------------------------------


@dataclass
class Written:
    """The digest's words from the tables, without an app around."""

    database: Database
    clock: ManualClock
    sop: ProtocolInForce

    async def keep(self, *rows: Any) -> None:
        async with self.database.transaction() as session:
            session.add_all(rows)

    async def says(self) -> str:
        maker = DigestMaker(self.database, self.clock, self.sop, DeskBoards(self.clock))
        view = await maker.view(Period(date(2026, 6, 3), date(2026, 6, 9)))
        return readable({"blocks": digest_blocks(view, self.clock.now())})


@pytest.fixture
def written(database: Database, tmp_path: Path) -> Written:
    return Written(database, ManualClock(BEFORE_EIGHT), ProtocolInForce(protocol(tmp_path)))


async def test_noise_is_counted_by_what_raised_it_against_the_week_before(written: Written) -> None:
    late = escalation(date(2026, 6, 4), number=1, is_noise=True)
    await written.keep(
        late,
        escalation(date(2026, 6, 4), number=2),
        escalation(date(2026, 6, 9), "silent", hour=23, is_noise=True),
        escalation(date(2026, 5, 28), number=3, is_noise=True),
        escalation(date(2026, 6, 2), number=4, hour=23),
        escalation(date(2026, 6, 10), number=5, hour=1, is_noise=True),
    )
    async with written.database.transaction() as session:
        taken_at = late.raised_at + timedelta(minutes=4)
        audit.record(session, taken_at, "escalation", str(late.id), "acknowledged", actor="U0DANA")
    said = await written.says()
    assert "2 of 3 marked as noise · week before 1 of 2" in said
    assert "Late by ETA or by the window: 1 of 2" in said
    assert "No platform updates: 1 of 1" in said
    assert "3 raised, 0.4 a day · week before 2" in said
    assert "Taken after 4 min (median) · 2 taken by nobody" in said
    assert "no delivery window ended" in said


async def test_clients_causes_and_penalties_are_told_the_worst_client_first(written: Written) -> None:
    day = date(2026, 6, 4)
    await written.keep(
        *(finished_stop(n, day, client="Nova") for n in range(1, 5)),
        finished_stop(
            5,
            day,
            client="Nova",
            status=StopStatus.FAILED,
            failure_reason=FailureReason.RECIPIENT_UNAVAILABLE,
        ),
        finished_stop(6, day),
        finished_stop(7, day, late=60, failure_reason=FailureReason.TRAFFIC),
        finished_stop(8, date(2026, 5, 29), late=60),
    )
    said = await written.says()
    penalty = written.sop.current.sla.defaults.penalty_usd
    assert "5 of 6 deliveries that count arrived in time" in said
    assert "1 late · 0 failed · 1 excluded" in said
    assert f"Penalties ${penalty:,} · week before ${penalty:,}" in said
    assert said.index("• Acme *50%* · target 97% missed · 1 late") < said.index("• Nova *100%* · target")
    assert "Recipient not there 1 · Traffic 1" in said


async def test_maintenance_windows_are_told_with_what_they_held_back(written: Written) -> None:
    at = datetime(2026, 6, 4, 17, tzinfo=UTC)
    common: dict[str, Any] = {
        "what": PauseWhat.ZONE,
        "name": "North",
        "timezone": "America/New_York",
        "by": "U0DANA",
        "channel": "#dispatch",
        "created_at": at,
        "starts_at": at,
    }
    ran = Pause(vendor_id="1", ended_at=at + timedelta(hours=2), **common)
    called_off = Pause(vendor_id="2", ended_at=at, **common)
    await written.keep(ran, called_off)
    hit: dict[str, Any] = {
        "severity": Severity.AT_RISK,
        "why": "behind",
        "first_seen_at": at,
        "last_seen_at": at,
    }
    await written.keep(
        PauseHit(pause_id=ran.id, cause_key="late:a", stop_id="s1", **hit),
        PauseHit(pause_id=ran.id, cause_key="storm:a", stop_id="s1", **hit),
        PauseHit(pause_id=ran.id, cause_key="silent:onfleet", **hit),
    )
    said = await written.says()
    assert "• zone North from Thu Jun 4, 1:00 pm, for 2 h, by <@U0DANA> · 2 held back" in said
    assert said.count("zone North") == 1


async def test_an_empty_week_says_so_and_has_no_charts(world: World) -> None:
    await look(world, minutes=1)
    message = await the_digest(world)
    assert "No delivery window ended, nothing was raised and nothing was paused." in readable(message)
    assert message["replies"] == []
    assert await world.rows(DigestCharts) == []


# --- when it is wanted ------------------------------------------------------------------------------


async def test_without_its_section_nothing_is_posted(
    bare_setting: Setting, empty_database: None, tmp_path: Path
) -> None:
    async with World(bare_setting, sop=protocol(tmp_path, ""), clock=ManualClock(BEFORE_EIGHT)) as world:
        await keep(world, finished_stop(1, date(2026, 6, 3)))
        await look(world)
        await look(world, days=8)
        assert await world.channel() == []
        assert await world.rows(ReportRun) == []


async def test_switched_off_between_its_time_and_its_making_it_is_not_posted(
    world: World, tmp_path: Path
) -> None:
    world.clock.move(timedelta(minutes=1))
    (run,) = await world.rows(ReportRun)
    async with world.doorline.services.database.transaction() as session:
        (await session.get_one(ReportRun, run.id)).state = RunState.MAKING
    protocol(tmp_path, "")
    assert world.doorline.services.sop.reload_if_changed()
    await world.doorline.services.report_maker.make(run.id)
    await world.settled()
    assert [each.state for each in await world.rows(ReportRun)] == [RunState.EMPTY]
    assert await world.channel() == []


async def test_of_weeks_that_were_missed_only_the_newest_is_told(world: World) -> None:
    await keep(world, finished_stop(1, date(2026, 6, 3)), finished_stop(2, date(2026, 6, 18)))
    for _ in range(3):
        await look(world, days=15 if _ == 0 else 0)
    message = await the_digest(world)
    assert "Week of June 17 to 23" in readable(message)
    due = sorted(each.due_at.astimezone(NEW_YORK).date() for each in await world.rows(ReportRun))
    assert due == [date(2026, 6, 24), date(2026, 7, 1)]


async def test_each_channel_gets_its_own(bare_setting: Setting, empty_database: None, tmp_path: Path) -> None:
    section = "\nreports:\n  digest: {weekday: wednesday, at: '08:00', channels: ['#dispatch', C0DISPATCH]}\n"
    async with World(bare_setting, sop=protocol(tmp_path, section), clock=ManualClock(BEFORE_EIGHT)) as world:
        await look(world)
        assert sorted(each.subject for each in await world.rows(ReportRun)) == ["#dispatch", "C0DISPATCH"]
