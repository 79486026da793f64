"""Keeps one row for each report that the calendar wants next, and asks for those whose time has come."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.db import Database
from bot.durable.queue import defer
from bot.reports import jobs
from bot.reports.calendar import Due, next_due
from bot.reports.models import (
    DigestCharts,
    MailState,
    ReportMail,
    ReportRun,
    RunKind,
    RunState,
    ShareState,
)
from bot.sop import Protocol, ProtocolInForce
from bot.sop_reports import Calendar

log = structlog.get_logger()

ASKED_AGAIN_AFTER = timedelta(minutes=10)
"""Wall time; longer than any job waits between two tries: whoever is behind for so long has lost its job."""
CATCHES_UP = timedelta(days=31)
"""What fell due longer ago than this, while nobody ticked, is not made any more."""
AT_MOST = 50


@dataclass(frozen=True)
class Wanted:
    kind: RunKind
    subject: str
    calendar: Calendar

    @property
    def only_newest(self) -> bool:
        """Clients get every period that was agreed; nobody at the desk reads a digest of three weeks ago."""
        return self.kind is RunKind.DIGEST


def wanted_by(protocol: Protocol) -> list[Wanted]:
    clients = protocol.reports.clients.items()
    reports = [Wanted(RunKind.CLIENT_REPORT, client, calendar) for client, calendar in clients]
    reports += [
        Wanted(RunKind.CLIENT_DAY, name, client.tell.daily_summary.calendar)
        for name, client in protocol.clients.items()
        if client.tell.daily_summary is not None
    ]
    digest = protocol.reports.digest
    if digest is None:
        return reports
    channels = digest_channels(protocol)
    return reports + [Wanted(RunKind.DIGEST, channel, digest.calendar) for channel in channels]


def digest_channels(protocol: Protocol) -> list[str]:
    """Where the weekly digest is posted; empty where there is none."""
    if protocol.reports.digest is None:
        return []
    return list(dict.fromkeys(protocol.reports.digest.channels)) or [protocol.escalations.channel_for("")]


class ReportSchedule:
    """What the clock calls. Several replicas may: a row is unique by its period, and claimed by one of them."""

    def __init__(self, database: Database, clock: Clock, sop: ProtocolInForce) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop

    async def run(self) -> int:
        """Plans what comes next and asks for what is due, or lost its job; gives how many were asked for."""
        protocol = self._sop.current
        async with self._database.transaction() as session:
            for wanted in wanted_by(protocol):
                await self._plan(session, wanted)
            await self._forget_unwanted(session, wanted_by(protocol))
        async with self._database.transaction() as session:
            runs = await self._claim(session)
            for run_id in runs:
                await defer(session, jobs.make_report, lock=f"report:{run_id}", run_id=str(run_id))
            await self._ask_for_stranded(session)
        return len(runs)

    async def _plan(self, session: AsyncSession, wanted: Wanted) -> None:
        """A period that passed while nobody ticked follows the one before it, so that none is left out."""
        now, zone = self._clock.now(), self._sop.current.zone
        last = await session.scalar(
            select(ReportRun)
            .where(col(ReportRun.kind) == wanted.kind, col(ReportRun.subject) == wanted.subject)
            .order_by(col(ReportRun.due_at).desc())
            .limit(1)
        )
        if last is not None and last.due_at > now:
            await self._correct(session, last, wanted, now)
            return
        after = now if last is None else max(last.due_at, now - CATCHES_UP)
        due = next_due(wanted.calendar, after, zone)
        if wanted.only_newest and last is not None:
            due = _newest(wanted.calendar, due, now, zone)
            if due.at <= now and last.state is RunState.PLANNED:
                await session.delete(last)
        values = {
            "kind": wanted.kind,
            "subject": wanted.subject,
            "start_day": due.period.start,
            "end_day": due.period.end,
            "due_at": due.at,
            "state": RunState.PLANNED,
        }
        await session.execute(insert(ReportRun).values(values).on_conflict_do_nothing())

    async def _correct(
        self, session: AsyncSession, planned: ReportRun, wanted: Wanted, now: datetime
    ) -> None:
        """The protocol may have changed since it was planned."""
        due = next_due(wanted.calendar, now, self._sop.current.zone)
        if planned.state is RunState.PLANNED and (planned.due_at, planned.period) != (due.at, due.period):
            await session.delete(planned)

    async def _forget_unwanted(self, session: AsyncSession, wanted: Iterable[Wanted]) -> None:
        kept = {(each.kind, each.subject) for each in wanted}
        planned = await session.scalars(select(ReportRun).where(col(ReportRun.state) == RunState.PLANNED))
        gone = [run.id for run in planned if (run.kind, run.subject) not in kept]
        if gone:
            await session.execute(
                delete(ReportRun).where(col(ReportRun.id).in_(gone), col(ReportRun.state) == RunState.PLANNED)
            )

    async def _claim(self, session: AsyncSession) -> list[UUID]:
        lost_before = self._clock.wall() - ASKED_AGAIN_AFTER
        rows = await session.scalars(
            select(ReportRun)
            .where(
                col(ReportRun.due_at) <= self._clock.now(),
                or_(
                    col(ReportRun.state) == RunState.PLANNED,
                    (col(ReportRun.state) == RunState.MAKING) & (col(ReportRun.asked_at) <= lost_before),
                ),
            )
            .order_by(col(ReportRun.due_at), col(ReportRun.id))
            .limit(AT_MOST)
            .with_for_update(skip_locked=True)
        )
        runs = list(rows)
        for run in runs:
            run.state, run.asked_at = RunState.MAKING, self._clock.wall()
        return [run.id for run in runs]

    async def _ask_for_stranded(self, session: AsyncSession) -> None:
        """Mails and charts whose job gave up. Asking once too often changes nothing."""
        wall = self._clock.wall()
        mails = await session.scalars(
            select(ReportMail)
            .where(
                col(ReportMail.state).in_([MailState.QUEUED, MailState.SENDING]),
                col(ReportMail.asked_at) <= wall - ASKED_AGAIN_AFTER,
            )
            .limit(AT_MOST)
            .with_for_update(skip_locked=True)
        )
        for mail in mails:
            mail.asked_at = wall
            await jobs.send_mail(session, mail.id)
        charts = await session.scalars(
            select(DigestCharts)
            .where(
                col(DigestCharts.state).in_([ShareState.QUEUED, ShareState.SENDING]),
                col(DigestCharts.asked_at) <= wall - ASKED_AGAIN_AFTER,
            )
            .limit(AT_MOST)
            .with_for_update(skip_locked=True)
        )
        for each in charts:
            each.asked_at = wall
            await jobs.share_charts(session, each)


def _newest(calendar: Calendar, due: Due, now: datetime, zone: ZoneInfo) -> Due:
    """The last one that is due by now; `due` itself where it lies ahead."""
    while (later := next_due(calendar, due.at, zone)).at <= now:
        due = later
    return due
