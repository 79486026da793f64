"""The watch's round: looks at the stops whose window is near, remembers risks, raises and settles escalations."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.escalations.models import Escalation
from bot.escalations.rules import LateStop, severity_of
from bot.escalations.service import Cause, EscalationService
from bot.sla.rules import Assessment, WatchedStop, assess, clock_time
from bot.sop import ProtocolInForce, Sla, local_day
from bot.stops.models import OPEN_STATUSES, PlatformFeed, SlaState, StopRecord
from connectors.base import DeliveryWindow, StopStatus

ONE_SWEEP_AT_A_TIME = 4_711_001
"""Key of the advisory lock: two replicas never sweep at once."""


@dataclass(frozen=True, slots=True)
class Finding:
    stop_id: UUID
    cause_key: str
    client: str
    zone: str
    timezone: str
    eta_at: datetime | None
    was: SlaState
    had_risk_since: datetime | None
    assessment: Assessment


class Sweep:
    def __init__(
        self, database: Database, clock: Clock, sop: ProtocolInForce, escalations: EscalationService
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._escalations = escalations

    async def run(self) -> int:
        """One round; gives how many stops were looked at. A round that finds another under way does nothing."""
        now = self._clock.now()
        sla = self._sop.current.sla
        async with self._database.transaction() as session:
            if not await _alone(session):
                return 0
            findings = await _look(session, sla, now)
            await _remember(session, findings, now)
            await self._report(session, sla, findings)
            await self._settle(session, findings)
        return len(findings)

    async def _report(self, session: AsyncSession, sla: Sla, findings: list[Finding]) -> None:
        late: dict[str, list[Finding]] = defaultdict(list)
        for finding in findings:
            if finding.assessment.state is not SlaState.ON_TRACK:
                late[finding.cause_key].append(finding)
        for key, group in late.items():
            worst = max(group, key=lambda finding: finding.assessment.minutes_late)
            cause = Cause(
                key=key,
                severity=severity_of({finding.assessment.state for finding in group}),
                why=worst.assessment.why,
                timezone=worst.timezone,
                zone=worst.zone,
                client=", ".join(sorted({finding.client for finding in group if finding.client})),
                exposure_usd=sum(sla.rules_for(finding.client).penalty_usd for finding in group),
            )
            await self._escalations.report_late(session, cause, [_late_stop(finding) for finding in group])

    async def _settle(self, session: AsyncSession, findings: list[Finding]) -> None:
        """Stops of open escalations that nobody has to watch there any more: closed, on track again, or moved to
        another van, whose own escalation has them now."""
        late = {
            finding.stop_id: finding.cause_key
            for finding in findings
            if finding.assessment.state is not SlaState.ON_TRACK
        }
        for escalation, stop_id in await self._escalations.open_late(session):
            if late.get(stop_id) == escalation.cause_key:
                continue
            stop = await session.get_one(StopRecord, stop_id)
            if stop_id in late:
                await self._escalations.settle(session, escalation, stop_id, "Moved to another van")
                continue
            _close_watch(stop)
            await self._escalations.settle(session, escalation, stop_id, _outcome(escalation, stop))


async def _alone(session: AsyncSession) -> bool:
    locked = await session.scalar(
        text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": ONE_SWEEP_AT_A_TIME}
    )
    return bool(locked)


async def _look(session: AsyncSession, sla: Sla, now: datetime) -> list[Finding]:
    horizon = now + timedelta(minutes=sla.lookahead_minutes)
    rows = await session.execute(
        select(
            col(StopRecord.id),
            col(StopRecord.platform),
            col(StopRecord.status),
            col(StopRecord.client),
            col(StopRecord.zone),
            col(StopRecord.timezone),
            col(StopRecord.window_start_at),
            col(StopRecord.window_end_at),
            col(StopRecord.eta_at),
            col(StopRecord.driver_ref),
            col(StopRecord.confirmed_at),
            col(StopRecord.sla_state),
            col(StopRecord.risk_since),
            col(PlatformFeed.read_at),
        )
        .outerjoin(PlatformFeed, col(PlatformFeed.platform) == col(StopRecord.platform))
        .where(
            col(StopRecord.status).in_(OPEN_STATUSES),
            col(StopRecord.window_end_at) <= horizon,
            col(StopRecord.window_start_at).is_not(None),
        )
    )
    return [_assess(row, sla, now) for row in rows]


def _assess(row: Any, sla: Sla, now: datetime) -> Finding:
    confirmed_at = max(row.confirmed_at, row.read_at) if row.read_at else row.confirmed_at
    watched = WatchedStop(
        status=row.status,
        window=DeliveryWindow.model_construct(start_at=row.window_start_at, end_at=row.window_end_at),
        timezone=row.timezone,
        eta_at=row.eta_at,
        news_age=now - confirmed_at,
        was=row.sla_state,
        risk_since=row.risk_since,
    )
    # One van that falls behind is one cause, however many stops wait for it.
    who = row.driver_ref or f"unassigned:{row.zone}"
    return Finding(
        stop_id=row.id,
        cause_key=f"late:{row.platform}:{who}:{local_day(row.window_end_at, row.timezone)}",
        client=row.client,
        zone=row.zone,
        timezone=row.timezone,
        eta_at=row.eta_at,
        was=row.sla_state,
        had_risk_since=row.risk_since,
        assessment=assess(watched, sla.rules_for(row.client), now),
    )


async def _remember(session: AsyncSession, findings: list[Finding], now: datetime) -> None:
    changed = [
        {"stop": finding.stop_id, "state": finding.assessment.state, "since": finding.assessment.risk_since}
        for finding in sorted(findings, key=lambda finding: finding.stop_id)
        if (finding.was, finding.had_risk_since) != (finding.assessment.state, finding.assessment.risk_since)
    ]
    if not changed:
        return
    connection = await session.connection()
    await connection.execute(
        update(StopRecord)
        .where(col(StopRecord.id) == bindparam("stop"))
        .values(sla_state=bindparam("state"), risk_since=bindparam("since")),
        changed,
    )
    for finding in findings:
        if finding.was is not finding.assessment.state:
            audit.record(
                session,
                now,
                "stop",
                str(finding.stop_id),
                finding.assessment.state.value,
                why=finding.assessment.why,
            )


def _close_watch(stop: StopRecord) -> None:
    """The last word on a stop that was watched: delivered late stays a breach, for the reviews."""
    was_late = (
        stop.status is StopStatus.DELIVERED
        and stop.completed_at is not None
        and stop.window_end_at is not None
        and stop.completed_at >= stop.window_end_at
    )
    stop.sla_state = SlaState.BREACHED if was_late else SlaState.ON_TRACK
    stop.risk_since = None


def _late_stop(finding: Finding) -> LateStop:
    return LateStop(
        stop_id=str(finding.stop_id),
        state=finding.assessment.state,
        minutes_late=finding.assessment.minutes_late,
        eta_at=finding.eta_at,
    )


def _outcome(escalation: Escalation, stop: StopRecord) -> str:
    """How it ended for the last stop of an escalation: the first line that a dispatcher reads."""
    if stop.is_open:
        return "Back on track" if stop.window_end_at else "No window any more"
    at = f" {clock_time(stop.completed_at, escalation.timezone)}" if stop.completed_at else ""
    if stop.status is StopStatus.DELIVERED and stop.completed_at and stop.window_end_at:
        late = int((stop.completed_at - stop.window_end_at).total_seconds() // 60)
        return f"Delivered{at}, {late} min late" if late >= 0 else f"Delivered{at}, in time"
    reason = f": {stop.failure_reason.value.replace('_', ' ')}" if stop.failure_reason else ""
    return f"{stop.status.value.capitalize()}{at}{reason}"
