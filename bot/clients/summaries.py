"""Makes the daily summary that the calendar asked for: its mails, files and event, all in one transaction, once."""

from datetime import date
from uuid import uuid5

from sqlalchemy.ext.asyncio import AsyncSession

from bot.clients.day import ClientDays, Day, DaySummary
from bot.clients.models import SUMMARIES
from bot.clients.wording import SaidByMail
from bot.clients.wording_day import DayWords
from bot.clock import Clock
from bot.db import Database
from bot.handover.events import ClientEvents, event_row
from bot.handover.kinds import EventKind
from bot.reports import jobs
from bot.reports.making import file_row, written
from bot.reports.models import ReportMail, ReportRun, RunState
from bot.reports.runs import finish, take
from bot.reports.writing import Format, Written
from bot.sop import ProtocolInForce
from bot.sop_desk import Client, DailySummary, SummaryFormat, Way

FILES = {SummaryFormat.PDF: Format.PDF, SummaryFormat.CSV: Format.CSV}
"""The day's review in these forms; the text is the mail itself."""


class SummaryMaker:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        days: ClientDays,
        events: ClientEvents,
        words: DayWords,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._days = days
        self._events = events
        self._words = words

    async def make(self, run: ReportRun) -> None:
        """Fulfils `MakesRun` of the reports. A day with nothing to tell is told to nobody."""
        client = self._sop.current.client(run.subject)
        wanted = client.tell.daily_summary
        day = await self._days.read(run.subject, run.start_day) if wanted is not None else None
        if wanted is None or day is None or is_empty(day.summary):
            async with self._database.transaction() as session:
                if await take(session, run.id):
                    await finish(session, run.id, RunState.EMPTY, self._clock)
            return
        files = await written(day.report, [FILES[each] for each in wanted.formats if each in FILES])
        async with self._database.transaction() as session:
            if await take(session, run.id):
                await self._tell(session, run, client, wanted, day, files)
                await finish(session, run.id, RunState.MADE, self._clock)

    async def _tell(
        self,
        session: AsyncSession,
        run: ReportRun,
        client: Client,
        wanted: DailySummary,
        day: Day,
        files: list[Written],
    ) -> None:
        if Way.WEBHOOK in wanted.by:
            await self._events.record_all(session, [self._event(day.summary)])
        if Way.EMAIL in wanted.by:
            session.add_all(file_row(run.id, each) for each in files)
            await self._mail(session, run, client, self._words.mail(day.summary, client.language))

    async def _mail(self, session: AsyncSession, run: ReportRun, client: Client, said: SaidByMail) -> None:
        for recipient in dict.fromkeys(address.lower() for address in client.email):
            mail = ReportMail(
                run_id=run.id,
                recipient=recipient,
                subject=said.subject,
                text=said.text,
                asked_at=self._clock.wall(),
            )
            session.add(mail)
            await jobs.send_mail(session, mail.id)

    def _event(self, summary: DaySummary) -> dict[str, object]:
        facts = summary.model_dump(mode="json", exclude={"client"})
        subject_id = uuid5(SUMMARIES, subject_of(summary.client, summary.day))
        key = f"{EventKind.SUMMARY_DAILY.value}:{summary.client}:{summary.day}"
        return event_row(summary.client, EventKind.SUMMARY_DAILY, subject_id, facts, self._clock.now(), key)


def is_empty(summary: DaySummary) -> bool:
    return not (summary.stops or summary.follow_ups.opened)


def subject_of(client: str, day: date) -> str:
    """What the event of one client's day is about; the same for the same day."""
    return f"{client}/{day.isoformat()}"
