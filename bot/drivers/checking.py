"""Asks drivers about stops at risk that nobody has explained, without a dispatcher."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.db import Database
from bot.drivers import queries
from bot.drivers.asking import DriverAsking
from bot.drivers.check_in_rules import Asked, Said, Threatened, ThreatenedVan, stop_to_ask
from bot.drivers.models import DriverQuestion, DriverWord
from bot.drivers.words import eta_by_driver
from bot.escalations.models import Escalation, EscalationStop
from bot.sop import ProtocolInForce
from bot.sop_drivers import CheckIns
from bot.stops.models import DriverRecord, SlaState, StopRecord
from connectors.base import StopStatus
from connectors.escalation import EscalationState, Severity

Van = tuple[str, str]
"""Account and the driver's reference there."""
WITH_DRIVER = (StopStatus.ASSIGNED, StopStatus.OUT_FOR_DELIVERY, StopStatus.ARRIVING)
OF_LATENESS = (Severity.AT_RISK, Severity.BREACHED)
WATCHED = (EscalationState.RAISED, EscalationState.ACKNOWLEDGED)
"""Whoever snoozed it wants to hear nothing of it."""
A_DAY = timedelta(days=1)


class DriverCheckIns:
    def __init__(self, database: Database, clock: Clock, sop: ProtocolInForce, asking: DriverAsking) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._asking = asking

    async def look(self) -> int:
        """Asks whoever is to be asked now, each in a transaction of their own; gives how many."""
        protocol = self._sop.current.drivers
        if not protocol.enabled or protocol.check_ins is None:
            return 0
        now = self._clock.now()
        async with self._database.transaction() as session:
            vans = await threatened_vans(session, now)
        rules = protocol.check_ins
        due = [(van, stop) for van in vans if (stop := stop_to_ask(van, rules, now)) is not None]
        return sum([await self._ask(van, stop, rules) for van, stop in due])

    async def _ask(self, van: ThreatenedVan, stop: Threatened, rules: CheckIns) -> bool:
        now = self._clock.now()
        async with self._database.transaction() as session:
            escalation = await session.get_one(Escalation, stop.escalation_id, with_for_update=True)
            # What was due a moment ago may have been asked by another process, or explained.
            again = await threatened_vans(session, now, (van.platform, van.driver_ref))
            if stop not in [stop_to_ask(each, rules, now) for each in again]:
                return False
            record = await session.get_one(StopRecord, stop.stop_id)
            run = await queries.todays_run(session, van.platform, van.driver_ref, now)
            number = run.number_of(stop.stop_id) if run is not None else None
            return await self._asking.check_in(session, escalation, record, number)


async def threatened_vans(
    session: AsyncSession, now: datetime, only: Van | None = None
) -> list[ThreatenedVan]:
    """The vans with stops in open escalations about lateness, whose drivers have a phone."""
    stops = await _stops(session, now, only)
    vans = list(stops)
    asked, said, stood = (
        await _asked(session, vans, now),
        await _said(session, vans, now),
        await _stood(session, vans, now),
    )
    return [
        ThreatenedVan(*van, tuple(found), tuple(asked[van]), said.get(van), stood.get(van))
        for van, found in sorted(stops.items())
    ]


async def _stops(session: AsyncSession, now: datetime, only: Van | None) -> Mapping[Van, list[Threatened]]:
    query = (
        select(Escalation, EscalationStop, StopRecord)
        .join(EscalationStop, col(EscalationStop.escalation_id) == col(Escalation.id))
        .join(StopRecord, col(StopRecord.id) == col(EscalationStop.stop_id))
        .join(
            DriverRecord,
            (col(DriverRecord.platform) == col(StopRecord.platform))
            & (col(DriverRecord.platform_ref) == col(StopRecord.driver_ref)),
        )
        .where(
            col(Escalation.state).in_(WATCHED),
            col(Escalation.severity).in_(OF_LATENESS),
            col(EscalationStop.settled_at).is_(None),
            col(StopRecord.status).in_(WITH_DRIVER),
            col(StopRecord.sla_state) != SlaState.ON_TRACK,
            col(StopRecord.window_end_at).is_not(None),
            col(DriverRecord.phone).is_not(None),
        )
    )
    if only is not None:
        query = query.where(col(StopRecord.platform) == only[0], col(StopRecord.driver_ref) == only[1])
    rows = (await session.execute(query)).all()
    by_driver = await eta_by_driver(session, [stop for _, _, stop in rows], now)
    found: dict[Van, list[Threatened]] = defaultdict(list)
    for escalation, member, stop in rows:
        word = by_driver.get(stop.id)
        expected_at = word.at if word is not None else stop.eta_at
        found[stop.platform, stop.driver_ref or ""].append(_threatened(escalation, member, stop, expected_at))
    return found


def _threatened(
    escalation: Escalation, member: EscalationStop, stop: StopRecord, expected_at: datetime | None
) -> Threatened:
    return Threatened(
        stop_id=stop.id,
        escalation_id=escalation.id,
        since=member.joined_at,
        ends_at=stop.window_end_at or member.joined_at,
        expected_at=expected_at,
        is_explained=escalation.root_cause is not None,
    )


async def _asked(session: AsyncSession, vans: list[Van], now: datetime) -> Mapping[Van, list[Asked]]:
    found: dict[Van, list[Asked]] = defaultdict(list)
    for row in await session.scalars(
        select(DriverQuestion).where(_of(DriverQuestion, vans), col(DriverQuestion.asked_at) > now - A_DAY)
    ):
        asked = Asked(row.stop_id, row.asked_at, row.answered_at is not None)
        found[row.platform, row.driver_ref].append(asked)
    return found


async def _said(session: AsyncSession, vans: list[Van], now: datetime) -> Mapping[Van, Said]:
    rows = await session.scalars(
        select(DriverWord)
        .where(_of(DriverWord, vans), col(DriverWord.said_at) > now - A_DAY)
        .order_by(col(DriverWord.said_at))
    )
    return {
        (row.platform, row.driver_ref): Said(
            row.said_at, row.holds_until, bool(row.is_on_time or row.minutes)
        )
        for row in rows
    }


async def _stood(session: AsyncSession, vans: list[Van], now: datetime) -> Mapping[Van, datetime]:
    stood_at = func.greatest(func.max(col(StopRecord.arrived_at)), func.max(col(StopRecord.completed_at)))
    rows = await session.execute(
        select(col(StopRecord.platform), col(StopRecord.driver_ref), stood_at)
        .where(_of(StopRecord, vans), col(StopRecord.window_end_at).between(now - A_DAY, now + A_DAY))
        .group_by(col(StopRecord.platform), col(StopRecord.driver_ref))
    )
    return {(platform, driver_ref): at for platform, driver_ref, at in rows if at is not None and at <= now}


def _of(table: Any, vans: list[Van]) -> Any:
    return tuple_(col(table.platform), col(table.driver_ref)).in_(vans)
