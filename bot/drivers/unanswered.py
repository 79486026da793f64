"""Reports of failed deliveries whose driver was asked back, and did not answer: they are not lost."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.conversations.models import Conversation, InboundText
from bot.db import Database
from bot.drivers.failures import DriverFailures
from bot.drivers.models import DriverReport, ReportState
from bot.drivers.passing import PassOn
from bot.drivers.report_queries import ANSWERS_FOR
from bot.drivers.road import on_the_road
from connectors.base import FailureReason


class UnansweredReports:
    def __init__(self, database: Database, clock: Clock, failures: DriverFailures, dispatch: PassOn) -> None:
        self._database = database
        self._clock = clock
        self._failures = failures
        self._dispatch = dispatch

    async def look(self, *, at_most: int = 50) -> int:
        """Takes what has a stop, without a reason; the others go to a dispatcher. Gives how many."""
        async with self._database.transaction() as session:
            waiting = await session.scalars(
                select(DriverReport)
                .where(
                    col(DriverReport.state) == ReportState.ASKING,
                    col(DriverReport.said_at) <= self._clock.now() - ANSWERS_FOR,
                )
                .order_by(col(DriverReport.said_at))
                .limit(at_most)
                .with_for_update(skip_locked=True)
            )
            reports = list(waiting)
            for report in reports:
                await self._settle(session, report)
        return len(reports)

    async def _settle(self, session: AsyncSession, report: DriverReport) -> None:
        if report.stop_id is not None:
            report.reason = report.reason or FailureReason.OTHER
            await self._failures.take_report(session, report)
            return
        report.state = ReportState.PASSED_ON
        inbound = await session.get_one(InboundText, report.inbound_id)
        conversation = await session.get_one(Conversation, inbound.conversation_id)
        road = await on_the_road(session, report.phone, self._clock.now())
        if road is not None:
            await self._dispatch.pass_on(session, conversation, inbound, road)
