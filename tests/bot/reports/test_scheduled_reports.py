"""Reports by the calendar: from the tables to one mail with one PDF, whatever breaks in between."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from bot.db import Database
from bot.desk.boards import DeskBoards
from bot.durable.queue import open_queue
from bot.reports.calendar import next_due
from bot.reports.cli import make_sla, period_asked
from bot.reports.digest import DigestMaker
from bot.reports.errors import BadPeriodError, NothingPromisedError, UnknownClientError
from bot.reports.mailing import ReportMails
from bot.reports.making import ReportMaker
from bot.reports.models import MailState, ReportFile, ReportMail, ReportRun, RunState
from bot.reports.records import Period
from bot.reports.schedule import ReportSchedule
from bot.reports.service import SlaReports
from bot.sop import ProtocolInForce
from bot.sop_parts import Weekday
from bot.sop_reports import Calendar, Every
from bot.stops.models import StopEvent, StopRecord
from connectors.base import FailureReason, StopStatus
from connectors.email.emulator import MailEmulator
from connectors.email.identity import Identity
from connectors.email.report_mail import ReportMailer
from connectors.emulation import Fault
from connectors.errors import ChannelUnavailableError
from tests.harness.clock import ManualClock
from tests.harness.protocol import QUIET
from tests.harness.rows import Row
from tests.harness.stop_rows import finished_stop

NEW_YORK = ZoneInfo("America/New_York")
A_WEEK = Period(date(2026, 6, 1), date(2026, 6, 7))
SCHEDULE = """
reports:
  clients:
    Acme: {email: [ops@acme.example], every: week, weekday: wednesday, at: "08:00", formats: [pdf, csv]}
"""


@pytest.fixture
def sop(tmp_path: Path) -> ProtocolInForce:
    path = tmp_path / "sop.yml"
    path.write_text(QUIET.read_text(encoding="utf-8") + SCHEDULE, encoding="utf-8")
    return ProtocolInForce(path)


@pytest.fixture
def clock() -> ManualClock:
    """Tuesday noon in New York."""
    return ManualClock()


@pytest.fixture
async def mail(clock: ManualClock) -> AsyncIterator[MailEmulator]:
    emulator = MailEmulator("desk@quickship.example", now=clock.now)
    await emulator.start()
    yield emulator
    await emulator.aclose()


@pytest.fixture
async def queue(database_url: str) -> AsyncIterator[None]:
    async with open_queue(database_url).open_async():
        yield


async def keep(database: Database, *rows: StopRecord) -> None:
    async with database.transaction() as session:
        session.add_all(rows)


# --- from the tables --------------------------------------------------------------------------------


async def test_a_report_is_read_from_what_the_platforms_told(
    database: Database, clock: ManualClock, sop: ProtocolInForce
) -> None:
    moved = finished_stop(4, date(2026, 6, 7))
    await keep(
        database,
        finished_stop(1, date(2026, 6, 1)),
        finished_stop(2, date(2026, 6, 2), late=45),
        finished_stop(
            3, date(2026, 6, 3), status=StopStatus.FAILED, failure_reason=FailureReason.RECIPIENT_UNAVAILABLE
        ),
        moved,
        finished_stop(5, date(2026, 6, 8)),
        finished_stop(6, date(2026, 6, 3), client="Nova", late=60),
        finished_stop(7, date(2026, 5, 31), late=60),
        finished_stop(8, date(2026, 6, 3), status=StopStatus.CANCELLED),
    )
    async with database.transaction() as session:
        changes = {"window_end_at": ["2026-06-06T20:00:00+00:00", "2026-06-07T20:00:00+00:00"]}
        session.add(StopEvent(stop_id=moved.id, at=clock.now(), source="onfleet:poll", changes=changes))
    report = await SlaReports(database, clock, sop).make("acme", A_WEEK)
    figures = report.figures
    assert report.client == "Acme"
    assert (figures.total.on_time, figures.total.late, figures.total.failed) == (2, 1, 1)
    assert (figures.before.late, figures.moved) == (1, 1)
    assert [(each.code, each.stops) for each in figures.exclusions] == [("recipient_absent", 1)]
    assert figures.total.penalty_usd == sop.current.sla.defaults.penalty_usd


async def test_what_cannot_be_reported_says_why(
    database: Database, clock: ManualClock, sop: ProtocolInForce
) -> None:
    await keep(database, finished_stop(1, date(2026, 6, 1)))
    reports = SlaReports(database, clock, sop)
    with pytest.raises(UnknownClientError, match="no client 'Nobody'; there are: Acme"):
        await reports.make("Nobody", A_WEEK)
    with pytest.raises(BadPeriodError, match="ends before it begins"):
        await reports.make("Acme", Period(date(2026, 6, 7), date(2026, 6, 1)))
    with pytest.raises(BadPeriodError, match="lies ahead"):
        await reports.make("Acme", Period(date(2026, 6, 7), date(2026, 6, 10)))
    with pytest.raises(BadPeriodError, match="at most 366 days"):
        await reports.make("Acme", Period(date(2024, 6, 7), date(2026, 6, 1)))


def test_the_command_line_says_what_is_no_day_and_what_is_empty(
    database_url: str, empty_database: None, clock: ManualClock, sop: ProtocolInForce
) -> None:
    with pytest.raises(BadPeriodError, match="expected --from such as 2026-11-01, found 'monday'"):
        period_asked("monday", "2026-06-07")
    named = period_asked("2026-06-01", "2026-06-07")
    with pytest.raises((NothingPromisedError, UnknownClientError)):
        make_sla(database_url, sop, "Acme", named, clock)


# --- when -------------------------------------------------------------------------------------------


def _at(year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    """Local to New York."""
    return datetime(year, month, day, hour, minute, tzinfo=NEW_YORK).astimezone(UTC)


@pytest.mark.parametrize(
    ("calendar", "after", "due", "period"),
    [
        (Calendar(), _at(2026, 6, 8, 7, 59), _at(2026, 6, 8, 8), A_WEEK),
        (
            Calendar(),
            _at(2026, 6, 8, 8),
            _at(2026, 6, 15, 8),
            Period(date(2026, 6, 8), date(2026, 6, 14)),
        ),
        (
            Calendar(every=Every.MONTH, day=3),
            _at(2026, 2, 20, 0),
            _at(2026, 3, 3, 8),
            Period(date(2026, 2, 1), date(2026, 2, 28)),
        ),
        (
            Calendar(weekday=Weekday.SUNDAY, at=time(2, 30)),
            _at(2026, 3, 7, 12),
            _at(2026, 3, 8, 3, 30),
            Period(date(2026, 3, 1), date(2026, 3, 7)),
        ),
    ],
    ids=["just before", "exactly then", "a month", "a time that clocks leap over"],
)
def test_the_next_one_is_due(calendar: Calendar, after: datetime, due: datetime, period: Period) -> None:
    found = next_due(calendar, after, NEW_YORK)
    assert found.at.astimezone(UTC) == due
    assert found.period == period


# --- one mail ---------------------------------------------------------------------------------------


async def test_one_mail_with_its_files_leaves_over_a_lost_answer_and_a_second_start(
    database: Database, clock: ManualClock, sop: ProtocolInForce, mail: MailEmulator, queue: None
) -> None:
    await keep(database, finished_stop(1, date(2026, 6, 4)), finished_stop(2, date(2026, 6, 5), late=45))
    raw: list[bytes] = []
    accept = mail.relay.accept

    async def watched(sender: str, recipients: list[str], content: bytes) -> None:
        raw.append(content)
        await accept(sender, recipients, content)

    mail.relay.accept = watched
    sender = ReportMailer(mail.smtp_url, Identity.read("QuickShip <desk@quickship.example>"), now=clock.now)
    schedule, mails = ReportSchedule(database, clock, sop), ReportMails(database, clock, sender)
    maker = maker_of(database, clock, sop)

    assert await schedule.run() == 0
    clock.move(timedelta(hours=20))
    assert await schedule.run() == 1
    assert await schedule.run() == 0
    run = (await rows(database, ReportRun))[0]
    assert (run.period, run.state) == (Period(date(2026, 6, 3), date(2026, 6, 9)), RunState.MAKING)
    await maker.make(run.id)
    await maker.make(run.id)
    (waiting,) = await rows(database, ReportMail)
    assert sorted(each.name.rpartition(".")[2] for each in await rows(database, ReportFile)) == ["csv", "pdf"]

    mail.faults.next(Fault("reset", after_work=True, path_contains="DATA"))
    with pytest.raises(ChannelUnavailableError):
        await mails.send(waiting.id)
    after_restart = ReportMails(database, clock, sender)
    await after_restart.send(waiting.id)
    await after_restart.send(waiting.id)

    (letter,) = mail.messages("ops@acme.example")
    assert letter.subject == "Service level report for Acme: June 3 to 9, 2026"
    assert letter.copies == len(raw) == 2
    assert "List-Unsubscribe" not in dict(letter.headers)
    parts = [part for part in message_from_bytes(raw[-1]).walk() if part.get_filename()]
    assert sorted(part.get_content_type() for part in parts) == ["application/pdf", "text/csv"]
    pdf = next(part for part in parts if part.get_content_type() == "application/pdf")
    assert bytes(pdf.get_payload(decode=True)).startswith(b"%PDF")
    assert (await rows(database, ReportMail))[0].state is MailState.SENT


async def test_an_empty_week_is_not_mailed(
    database: Database, clock: ManualClock, sop: ProtocolInForce, queue: None
) -> None:
    schedule = ReportSchedule(database, clock, sop)
    await schedule.run()
    clock.move(timedelta(hours=20))
    await schedule.run()
    run = (await rows(database, ReportRun))[0]
    await maker_of(database, clock, sop).make(run.id)
    assert await rows(database, ReportMail) == []
    async with database.transaction() as session:
        assert (await session.get_one(ReportRun, run.id)).state is RunState.EMPTY


async def test_weeks_that_passed_while_nobody_ticked_are_made_up_one_by_one(
    database: Database, clock: ManualClock, sop: ProtocolInForce, queue: None
) -> None:
    schedule = ReportSchedule(database, clock, sop)
    await schedule.run()
    clock.move(timedelta(days=15))
    asked = [await schedule.run() for _ in range(4)]
    assert asked == [1, 1, 1, 0] or sum(asked) == 3
    runs = await rows(database, ReportRun)
    assert [each.start_day for each in runs] == [date(2026, 6, 3) + timedelta(days=7 * n) for n in range(4)]


def maker_of(database: Database, clock: ManualClock, sop: ProtocolInForce) -> ReportMaker:
    digests = DigestMaker(database, clock, sop, DeskBoards(clock))
    return ReportMaker(database, clock, sop, SlaReports(database, clock, sop), digests)


async def rows(database: Database, table: type[Row]) -> list[Row]:
    order = "due_at" if table is ReportRun else "id"
    async with database.transaction() as session:
        return list(await session.scalars(select(table).order_by(order)))
