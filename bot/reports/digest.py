"""Makes the weekly digest: the figures of last week in one post, with two charts in its thread."""

import asyncio

from sqlalchemy import select
from sqlmodel import col

from bot.clock import Clock
from bot.db import Database
from bot.desk.boards import DeskBoards
from bot.desk.models import DeskBoard
from bot.incidents.review import incidents_between
from bot.manifest.days import day_bounds
from bot.reports import jobs
from bot.reports.digest_figures import digest_of
from bot.reports.digest_reading import pauses_between, raised_between
from bot.reports.models import DigestCharts, ReportFile, ReportRun, RunState
from bot.reports.reading import IncidentsBetween, read_failures, read_stops
from bot.reports.records import Period
from bot.reports.rendering import draw
from bot.reports.runs import finish, take
from bot.reports.schedule import digest_channels
from bot.reports.terms import TermsBook
from bot.sop import ProtocolInForce
from connectors.digest import DigestChart, DigestView


class DigestMaker:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        boards: DeskBoards,
        incidents: IncidentsBetween = incidents_between,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._boards = boards
        self._incidents = incidents

    async def make(self, run: ReportRun) -> None:
        """Asks for the post and its charts, all in one transaction. A week of nothing has no charts.

        Raises `RenderingError`: the job runs again later.
        """
        if run.subject not in digest_channels(self._sop.current):
            async with self._database.transaction() as session:
                if await take(session, run.id):
                    await finish(session, run.id, RunState.EMPTY, self._clock)
            return
        view = await self.view(run.period)
        charts = {} if view.is_empty else await draw(view)
        async with self._database.transaction() as session:
            if not await take(session, run.id):
                return
            key = f"digest:{run.id}"
            await self._boards.keep(session, key, run.subject, view)
            if charts:
                session.add_all(_file(run, chart, content) for chart, content in charts.items())
                board_id = (
                    await session.scalars(select(col(DeskBoard.id)).where(col(DeskBoard.key) == key))
                ).one()
                shared = DigestCharts(run_id=run.id, board_id=board_id, asked_at=self._clock.wall())
                session.add(shared)
                await jobs.share_charts(session, shared)
            await finish(session, run.id, RunState.MADE, self._clock)

    async def view(self, period: Period) -> DigestView:
        """From one snapshot, over all clients."""
        now, protocol = self._clock.now(), self._sop.current
        timezone = protocol.operator.timezone
        start, end = day_bounds(period.start, timezone)[0], day_bounds(period.end, timezone)[1]
        earliest = day_bounds(period.before.start, timezone)[0]
        async with self._database.snapshot() as session:
            terms = TermsBook(protocol.sla)
            stops, _ = await read_stops(session, None, period, terms, self._incidents)
            raised = await raised_between(session, earliest, end)
            pauses = await pauses_between(session, start, end)
            failures = await read_failures(session, None, period)
        return await asyncio.to_thread(digest_of, stops, raised, pauses, period, timezone, now, failures)


def _file(run: ReportRun, chart: DigestChart, content: bytes) -> ReportFile:
    return ReportFile(run_id=run.id, name=f"{chart.value}.png", media_type="image/png", content=content)
