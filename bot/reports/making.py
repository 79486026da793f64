"""Makes what the calendar asked for: its files and whatever carries them, all in one transaction, once."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

import structlog

from bot.clock import Clock
from bot.db import Database
from bot.reports import jobs
from bot.reports.digest import DigestMaker
from bot.reports.errors import PdfUnavailableError
from bot.reports.mailing import subject_of, text_of
from bot.reports.models import ReportFile, ReportMail, ReportRun, RunKind, RunState
from bot.reports.rendering import render
from bot.reports.report import SlaReport
from bot.reports.runs import finish, take
from bot.reports.service import SlaReports
from bot.reports.writing import Format, Written
from bot.sop import ProtocolInForce

log = structlog.get_logger()


class MakesRun(Protocol):
    async def make(self, run: ReportRun) -> None:
        """Makes what one run is about, or finds that there is nothing to tell, and finishes it."""
        ...


class ReportMaker:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        reports: SlaReports,
        digests: DigestMaker,
        others: Mapping[RunKind, MakesRun] = MappingProxyType({}),
    ) -> None:
        """`others` make what neither a client's report nor a digest is."""
        self._database = database
        self._clock = clock
        self._sop = sop
        self._reports = reports
        self._others: Mapping[RunKind, MakesRun] = {RunKind.DIGEST: digests, **others}

    async def make(self, run_id: UUID) -> None:
        """Raises `RenderingError`: the job runs again later. What was made once is never made anew."""
        async with self._database.transaction() as session:
            run = await session.get(ReportRun, run_id)
        if run is None or run.state is not RunState.MAKING:
            return
        if run.kind is RunKind.CLIENT_REPORT:
            await self._make_client_report(run)
        else:
            await self._others[run.kind].make(run)

    async def _make_client_report(self, run: ReportRun) -> None:
        wanted = self._sop.current.reports.clients.get(run.subject)
        if wanted is None:
            await self._close(run, RunState.EMPTY)
            return
        report = await self._reports.make(run.subject, run.period, is_known=True)
        if not report.figures.total.promised:
            await self._close(run, RunState.EMPTY)
            return
        files = await written(report, wanted.formats)
        async with self._database.transaction() as session:
            if not await take(session, run.id):
                return
            session.add_all(file_row(run.id, each) for each in files)
            for recipient in dict.fromkeys(address.lower() for address in wanted.email):
                mail = ReportMail(
                    run_id=run.id,
                    recipient=recipient,
                    subject=subject_of(report),
                    text=text_of(report),
                    asked_at=self._clock.wall(),
                )
                session.add(mail)
                await jobs.send_mail(session, mail.id)
            await finish(session, run.id, RunState.MADE, self._clock)

    async def _close(self, run: ReportRun, state: RunState) -> None:
        async with self._database.transaction() as session:
            if await take(session, run.id):
                await finish(session, run.id, state, self._clock)


async def written(report: SlaReport, formats: Sequence[Format]) -> list[Written]:
    """Where no PDF can be made the page goes out instead: a client's report does not wait for a library."""
    found: dict[str, Written] = {}
    for each in formats:
        try:
            made = await render(report, each)
        except PdfUnavailableError as exc:
            log.error("report_without_pdf", advice=str(exc))
            made = await render(report, Format.HTML)
        found[made.filename] = made
    return list(found.values())


def file_row(run_id: UUID, each: Written) -> ReportFile:
    return ReportFile(run_id=run_id, name=each.filename, media_type=each.media_type, content=each.content)
