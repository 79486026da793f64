"""Opens an incident for every broken promise, keeps it equal to its stop and its escalation, closes it.

Everything is found in the tables, so nothing is missed over a restart; a promise has one row by a unique index, so
any number of replicas may look at once.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.escalations.models import Escalation
from bot.incidents import judging, queries
from bot.incidents.judging import StopFacts, Terms
from bot.incidents.models import OF_PROMISES, BrokenState, FollowUp, PromiseIncident
from bot.sop import ProtocolInForce
from bot.sop_sla import Sla
from bot.stops.models import OPEN_STATUSES, StopRecord
from connectors.base import StopStatus
from connectors.escalation import EscalationState

REACHES_BACK = timedelta(days=14)
"""Promises older than this are not looked through any more: longer than Doorline may have been down."""
BATCH = 200
NO_STOP = UUID(int=0)


class IncidentWatch:
    def __init__(self, database: Database, clock: Clock, sop: ProtocolInForce) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop

    async def run(self) -> int:
        """One round; gives how many incidents were opened. Changes nothing when nothing happened."""
        now = self._clock.now()
        opened = sum([await self._open_all(query, now) for query in _perhaps_broken(now)])
        await self._follow_all(now)
        return opened

    # --- opening ------------------------------------------------------------------------------

    async def _open_all(self, candidates: Select[Any], now: datetime) -> int:
        opened, last = 0, NO_STOP
        while True:
            async with self._database.transaction() as session:
                page = candidates.where(col(StopRecord.id) > last).order_by(col(StopRecord.id)).limit(BATCH)
                stops = list(await session.scalars(page))
                by_hand = await _stops_made_by_hand(session, stops)
                for stop in stops:
                    opened += await self._open(session, stop, now, may_adopt=stop.id in by_hand)
            if len(stops) < BATCH:
                return opened
            last = stops[-1].id

    async def _open(self, session: AsyncSession, stop: StopRecord, now: datetime, *, may_adopt: bool) -> bool:
        found = judging.broken(facts_of(stop), terms_of(self._sop.current.sla, stop), now)
        if found is None:
            return False
        if may_adopt and await self._adopt(session, stop, now):
            return True
        incident_id = await session.scalar(
            insert(PromiseIncident)
            .values(
                kind=found.kind,
                by_hand=False,
                state=BrokenState.OPEN,
                stop_id=stop.id,
                client=stop.client,
                zone=stop.zone,
                timezone=stop.timezone,
                promised_start_at=stop.window_start_at,
                promised_end_at=stop.window_end_at,
                opened_at=now,
                opened_by=audit.SYSTEM,
                minutes_late=found.minutes_late,
                penalty_usd=found.penalty_usd,
                exclusion="",
                note="",
                # Looked at right away: its cause may be known already.
                look_at=now,
            )
            .on_conflict_do_nothing()
            .returning(col(PromiseIncident.id))
        )
        if incident_id is None:
            return False
        record(session, incident_id, now, "opened", kind=found.kind.value, stop_id=str(stop.id))
        return True

    async def _adopt(self, session: AsyncSession, stop: StopRecord, now: datetime) -> bool:
        """A dispatcher may have been first to say that this promise is broken: then that is its incident."""
        made = await session.scalar(
            select(PromiseIncident)
            .where(
                col(PromiseIncident.stop_id) == stop.id,
                col(PromiseIncident.by_hand),
                col(PromiseIncident.kind).in_(OF_PROMISES),
                col(PromiseIncident.promised_end_at).is_not_distinct_from(stop.window_end_at),
            )
            .order_by(col(PromiseIncident.number))
            .limit(1)
            .with_for_update()
        )
        if made is None or not made.by_hand:
            return False
        made.by_hand, made.look_at = False, now
        record(session, made.id, now, "confirmed", stop_id=str(stop.id))
        return True

    # --- following ----------------------------------------------------------------------------

    async def _follow_all(self, now: datetime) -> None:
        while True:
            async with self._database.transaction() as session:
                due = list(
                    await session.scalars(
                        select(PromiseIncident)
                        .where(col(PromiseIncident.look_at) <= now)
                        .order_by(col(PromiseIncident.look_at), col(PromiseIncident.id))
                        .limit(BATCH)
                        .with_for_update(skip_locked=True)
                    )
                )
                for incident in due:
                    await self._follow(session, incident, now)
            if len(due) < BATCH:
                return

    async def _follow(self, session: AsyncSession, incident: PromiseIncident, now: datetime) -> None:
        stop = await session.get(StopRecord, incident.stop_id) if incident.stop_id else None
        sla, before, incident.look_at = self._sop.current.sla, incident.state, None
        if (
            stop is not None
            and not incident.by_hand
            and judging.compare(incident, facts_of(stop), terms_of(sla, stop), now)
        ):
            verb = _VERBS.get((before, incident.state), "changed")
            record(session, incident.id, now, verb, kind=incident.kind.value)
        escalation = await queries.escalation_of(session, incident)
        take_over(incident, stop, escalation)
        if incident.exclusion_by is None and not incident.by_hand:
            incident.exclusion = sla.excluded_by_itself(incident.root_cause)
        if is_at_work(escalation):
            # Somebody is still at it: what they find out is to be taken over.
            incident.look_at = now + judging.LOOKS_WHILE_OPEN
        await close_if_done(session, incident, stop, escalation, now)


async def _stops_made_by_hand(session: AsyncSession, stops: list[StopRecord]) -> set[UUID | None]:
    """Of these stops those of which a dispatcher has made an incident."""
    rows = await session.scalars(
        select(col(PromiseIncident.stop_id)).where(
            col(PromiseIncident.stop_id).in_([stop.id for stop in stops]), col(PromiseIncident.by_hand)
        )
    )
    return set(rows)


_VERBS = {
    (BrokenState.OPEN, BrokenState.WITHDRAWN): "withdrawn",
    (BrokenState.CLOSED, BrokenState.WITHDRAWN): "withdrawn",
    (BrokenState.WITHDRAWN, BrokenState.OPEN): "opened_again",
}


def take_over(incident: PromiseIncident, stop: StopRecord | None, escalation: Escalation | None) -> None:
    """What is said elsewhere of why it happened, as long as nobody said so of the incident itself."""
    if escalation is not None:
        incident.escalation_id = escalation.id
        incident.note = incident.note or escalation.resolution_note
        if escalation.exclusion and incident.exclusion_by is None:
            incident.exclusion = escalation.exclusion
            incident.exclusion_by = escalation.resolved_by or audit.SYSTEM
    if incident.root_cause_by is None:
        by_people = escalation.root_cause if escalation is not None else None
        by_platform = stop.failure_reason if stop is not None else None
        incident.root_cause = judging.cause_of(by_people, by_platform) or incident.root_cause


async def close_if_done(
    session: AsyncSession,
    incident: PromiseIncident,
    stop: StopRecord | None,
    escalation: Escalation | None,
    now: datetime,
) -> None:
    if incident.state is not BrokenState.OPEN or incident.root_cause is None:
        return
    everything, undone = await _count_follow_ups(session, incident.id)
    is_over = stop is None or not stop.is_open or stop.window_end_at != incident.promised_end_at
    if judging.is_done_with(
        incident,
        is_over=is_over,
        is_resolved=not is_at_work(escalation),
        open_follow_ups=undone,
        follow_ups=everything,
    ):
        incident.state, incident.closed_at, incident.closed_by = BrokenState.CLOSED, now, None
        record(session, incident.id, now, "closed", cause=incident.root_cause.value)


async def _count_follow_ups(session: AsyncSession, incident_id: UUID) -> tuple[int, int]:
    """All of them, and those that are not done."""
    undone = func.count().filter(col(FollowUp.done_at).is_(None))
    found = await session.execute(
        select(func.count(), undone).where(col(FollowUp.incident_id) == incident_id)
    )
    everything, open_ones = found.one()
    return everything, open_ones


def facts_of(stop: StopRecord) -> StopFacts:
    return StopFacts(stop.status, stop.window, stop.completed_at)


def terms_of(sla: Sla, stop: StopRecord) -> Terms:
    rules = sla.rules_for(stop.client, stop.zone, stop.service_kind)
    return Terms(timedelta(minutes=rules.grace_minutes), rules.penalty_usd)


def is_at_work(escalation: Escalation | None) -> bool:
    return escalation is not None and escalation.state is not EscalationState.RESOLVED


def record(
    session: AsyncSession, incident_id: UUID, at: datetime, verb: str, actor: str = audit.SYSTEM, **facts: Any
) -> None:
    audit.record(session, at, "promise_incident", str(incident_id), verb, actor=actor, **facts)


def _perhaps_broken(now: datetime) -> Iterator[Select[Any]]:
    """Stops that may have broken a promise of which there is no incident yet, each query by an index of its own.

    Which of them really have, the judgement says: the grace is the client's.
    """
    end, since = col(StopRecord.window_end_at), now - REACHES_BACK
    failed = col(StopRecord.status).in_((StopStatus.FAILED, StopStatus.RETURNED))
    late = and_(col(StopRecord.status) == StopStatus.DELIVERED, col(StopRecord.completed_at) >= end)
    is_open = col(StopRecord.status).in_(OPEN_STATUSES)
    known = select(PromiseIncident.id).where(  # type: ignore[call-overload]
        col(PromiseIncident.stop_id) == col(StopRecord.id),
        col(PromiseIncident.by_hand).is_(False),
    )
    of_this_promise = or_(
        col(PromiseIncident.promised_end_at) == end,
        # A failed stop whose window is moved has not failed once more.
        and_(failed, col(PromiseIncident.finished_at) == col(StopRecord.completed_at)),
    )
    yield select(StopRecord).where(or_(failed, late), end >= since, ~known.where(of_this_promise).exists())
    yield select(StopRecord).where(is_open, end <= now, end >= since, ~known.where(of_this_promise).exists())
    yield select(StopRecord).where(
        failed,
        col(StopRecord.window_start_at).is_(None),
        col(StopRecord.changed_at) >= since,
        ~known.exists(),
    )
