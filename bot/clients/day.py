"""One day of one client in figures: read from the tables, the same for the mail, the API and the event."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.db import Database
from bot.incidents.models import Incident, IncidentState
from bot.intake.queries import day_bounds
from bot.recovery.models import Recovery, RecoveryState
from bot.reports.records import Period
from bot.reports.report import SlaFigures, SlaReport
from bot.reports.service import SlaReports
from bot.sla.outcomes import Outcome
from bot.sop import ProtocolInForce
from bot.stops.models import StopRecord
from connectors.base import FailureReason

OPEN_STATES = frozenset({RecoveryState.ASKING, RecoveryState.WRITING, RecoveryState.WITH_DISPATCHER})


class Shown(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FailedFor(Shown):
    reason: FailureReason | None
    """None: nobody has said why."""
    stops: int


class FollowUps(Shown):
    """What became of the deliveries that failed on that day, as it stands now."""

    opened: int = 0
    open: int = 0
    """Being asked, being written, or with a dispatcher."""
    with_dispatcher: int = 0
    """Of those that are open."""
    booked: int = 0
    pick_up: int = 0
    sent_back: int = 0


class DaySummary(Shown):
    """Stops whose window ends on that day, local to each; cancelled ones count nowhere."""

    client: str
    day: date
    as_of: datetime
    stops: int
    delivered: int
    on_time: int
    late: int
    """Delivered late, or still not delivered though the window is over."""
    open: int
    failed: int
    failures: list[FailedFor]
    follow_ups: FollowUps
    open_exceptions: int
    """Parcels that recipients report missing, damaged or wrong and that nobody has dealt with yet, of any day."""


@dataclass(frozen=True)
class Day:
    summary: DaySummary
    report: SlaReport
    """The same day as a review, for files."""


class ClientDays:
    def __init__(self, database: Database, clock: Clock, sop: ProtocolInForce, reports: SlaReports) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._reports = reports

    async def read(self, client: str, day: date, *, is_known: bool = True) -> Day:
        """Raises `BadPeriodError` for a day that lies ahead, and `UnknownClientError` as `SlaReports.make`."""
        report = await self._reports.make(client, Period(day, day), is_known=is_known)
        async with self._database.snapshot() as session:
            states = await self._states(session, report.client, day)
            exceptions = await _open_exceptions(session, report.client)
        summary = summary_of(report.client, day, self._clock.now(), report.figures, states, exceptions)
        return Day(summary, report)

    async def _states(self, session: AsyncSession, client: str, day: date) -> list[RecoveryState]:
        since, until = day_bounds(day, self._sop.current.operator.timezone)
        found = await session.scalars(
            select(col(Recovery.state)).where(
                col(Recovery.client) == client,
                col(Recovery.failed_at) >= since,
                col(Recovery.failed_at) < until,
            )
        )
        return list(found)


def summary_of(
    client: str,
    day: date,
    now: datetime,
    figures: SlaFigures,
    recoveries: Iterable[RecoveryState],
    open_exceptions: int,
) -> DaySummary:
    total = figures.total
    late_delivered = sum(
        each.outcome is Outcome.LATE and each.completed_at is not None for each in figures.missed
    )
    failures = Counter(each.cause for each in figures.missed if each.outcome is Outcome.FAILED)
    return DaySummary(
        client=client,
        day=day,
        as_of=now,
        stops=total.on_time + total.late + total.failed + total.open,
        delivered=total.on_time + late_delivered,
        on_time=total.on_time,
        late=total.late,
        open=total.open,
        failed=total.failed,
        failures=[
            FailedFor(reason=FailureReason(cause) if cause else None, stops=count)
            for cause, count in sorted(failures.items(), key=lambda item: (-item[1], item[0]))
        ],
        follow_ups=follow_ups_of(recoveries),
        open_exceptions=open_exceptions,
    )


def follow_ups_of(states: Iterable[RecoveryState]) -> FollowUps:
    found = Counter(states)
    return FollowUps(
        opened=found.total(),
        open=sum(found[state] for state in OPEN_STATES),
        with_dispatcher=found[RecoveryState.WITH_DISPATCHER],
        booked=found[RecoveryState.BOOKED],
        pick_up=found[RecoveryState.PICK_UP],
        sent_back=found[RecoveryState.SENT_BACK],
    )


async def _open_exceptions(session: AsyncSession, client: str) -> int:
    count = (
        select(func.count())
        .select_from(Incident)
        .join(StopRecord, col(StopRecord.id) == col(Incident.stop_id))
        .where(col(Incident.state) == IncidentState.OPEN, col(StopRecord.client) == client)
    )
    return await session.scalar(count) or 0
