"""What the stories about telling clients need: a database, the mail emulator, and rows as the rest of Doorline leaves them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlmodel import SQLModel

from actions import speech
from bot.clients.breaches import BreachNews
from bot.clients.day import ClientDays
from bot.clients.mailing import ClientMails, NewsRound
from bot.clients.models import ClientMail
from bot.clients.summaries import SummaryMaker
from bot.clients.telling import ClientTelling
from bot.clients.wording import NewsWords
from bot.clients.wording_day import DayWords
from bot.conversations.words import Words
from bot.db import Database
from bot.desk.boards import DeskBoards
from bot.handover.events import ClientEvents
from bot.handover.models import ClientEvent
from bot.incidents.watch import IncidentWatch
from bot.recovery.models import Recovery, RecoveryState
from bot.reports.digest import DigestMaker
from bot.reports.mailing import ReportMails
from bot.reports.making import ReportMaker
from bot.reports.models import RunKind
from bot.reports.schedule import ReportSchedule
from bot.reports.service import SlaReports
from bot.settings import PROJECT_ROOT
from bot.sop import ProtocolInForce
from bot.sop_recovery import Flow
from bot.stops.models import StopRecord
from connectors.base import FailureReason, StopStatus
from connectors.email.emulator import MailEmulator
from connectors.email.identity import Identity
from connectors.email.report_mail import ReportMailer
from tests.harness.clock import ManualClock
from tests.harness.protocol import QUIET
from tests.harness.stop_rows import finished_stop

Row = TypeVar("Row", bound=SQLModel)
NEW_YORK = ZoneInfo("America/New_York")


class Shipping:
    """Acme, Nova and whoever the protocol names; the clock stands at Tuesday noon in New York."""

    def __init__(
        self, database: Database, clock: ManualClock, sop: ProtocolInForce, mail: MailEmulator
    ) -> None:
        self.database, self.clock, self.sop, self.mail = database, clock, sop, mail
        words = Words(PROJECT_ROOT / "nlu" / "domain")
        self.events = ClientEvents(clock, sop)
        self.telling = ClientTelling(clock, sop, self.events)
        self.news_words = NewsWords(sop, words, speech)
        sender = ReportMailer(
            mail.smtp_url, Identity.read("QuickShip <desk@quickship.example>"), now=clock.now
        )
        self.mails = ClientMails(database, clock, sender)
        self.report_mails = ReportMails(database, clock, sender)
        self.round = NewsRound(database, clock, sop, self.news_words)
        self.breaches = BreachNews(database, clock, sop, self.telling)
        self.incidents = IncidentWatch(database, clock, sop)
        reports = SlaReports(database, clock, sop)
        self.days = ClientDays(database, clock, sop, reports)
        day_words = DayWords(sop, words, self.news_words)
        summaries = SummaryMaker(database, clock, sop, self.days, self.events, day_words)
        digests = DigestMaker(database, clock, sop, DeskBoards(clock))
        self.schedule = ReportSchedule(database, clock, sop)
        self.maker = ReportMaker(database, clock, sop, reports, digests, {RunKind.CLIENT_DAY: summaries})

    async def tells(self, kind: str, recovery: Recovery, **facts: Any) -> None:
        async with self.database.transaction() as session:
            await self.telling.tell(session, recovery.client, kind, recovery.id, facts)

    async def keeps(self, *rows: SQLModel) -> None:
        async with self.database.transaction() as session:
            session.add_all(rows)

    async def fails(self, number: int, client: str = "Acme", **changes: Any) -> Recovery:
        """A stop of today that failed, and its follow-up."""
        failed = a_stop(
            number,
            client=client,
            status=StopStatus.FAILED,
            failure_reason=FailureReason.RECIPIENT_UNAVAILABLE,
        )
        values: dict[str, Any] = {
            "stop_id": failed.id,
            "client": client,
            "timezone": "America/New_York",
            "reason": FailureReason.RECIPIENT_UNAVAILABLE,
            "flow": Flow.WINDOWS,
            "state": RecoveryState.ASKING,
            "failed_at": self.clock.now(),
            "opened_at": self.clock.now(),
            "preference": {},
        }
        recovery = Recovery(**(values | changes))
        await self.keeps(failed)
        await self.keeps(recovery)
        return recovery

    async def waits(self, **duration: float) -> None:
        """Time passes; what is due is mailed."""
        self.clock.move(timedelta(**duration))
        await self.round.run()
        for mail in await self.rows(ClientMail):
            await self.mails.send(mail.id)

    async def rows(self, table: type[Row], *conditions: Any) -> list[Row]:
        async with self.database.transaction() as session:
            return list(await session.scalars(select(table).where(*conditions)))

    async def jobs(self, task: str) -> int:
        """How many were ever asked for and wait still: nobody works here."""
        count = text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = :task")
        async with self.database.transaction() as session:
            return int(await session.scalar(count, {"task": task}) or 0)

    async def kinds(self, client: str = "Acme") -> list[str]:
        """Of the events recorded for this client, oldest first."""
        found = [each for each in await self.rows(ClientEvent) if each.client == client]
        return [each.kind for each in sorted(found, key=lambda each: each.seq or 0)]

    def letters(self, address: str = "ops@acme.example") -> list[Any]:
        return [each for each in self.mail.messages(address) if each.direction == "outbound"]


def a_stop(number: int, *, late: int = -30, **changes: Any) -> StopRecord:
    """As `finished_stop`, of June 9th, with what a client knows it by."""
    known_by = {"order_ref": f"PO-{number}", "recipient_phone": "+12125550100"}
    return finished_stop(number, date(2026, 6, 9), late=late, **known_by | changes)


def protocol_of(folder: Path, clients: str) -> ProtocolInForce:
    path = folder / "sop.yml"
    path.write_text(QUIET.read_text(encoding="utf-8") + clients, encoding="utf-8")
    return ProtocolInForce(path)


@asynccontextmanager
async def mailboxes(clock: ManualClock) -> AsyncIterator[MailEmulator]:
    emulator = MailEmulator("desk@quickship.example", now=clock.now)
    await emulator.start()
    try:
        yield emulator
    finally:
        await emulator.aclose()
