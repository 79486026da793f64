"""The watch's round: looks at what can have changed, remembers risks, raises and settles escalations."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.db import Database
from bot.drivers.words import words_in_force
from bot.escalations import queries
from bot.escalations.models import Escalation
from bot.escalations.rules import digest_of
from bot.escalations.service import EscalationService
from bot.sla import standing as standings
from bot.sla.causes import STORM, LateCause, Standing, by_cause, by_home, homes_of, told_cause, worst_of
from bot.sla.findings import Finding, Sight
from bot.sla.looking import all_open, due_stops, feeds_at, look
from bot.sla.models import WatchMark
from bot.sla.routes import paces_of
from bot.sla.rules import clock_time
from bot.sop import ProtocolInForce
from bot.sop_sla import Sla
from bot.stops.models import SlaState, StopRecord
from connectors.base import StopStatus

ONE_SWEEP_AT_A_TIME = 4_711_001
"""Key of the advisory lock: two replicas never sweep at once."""
MARK = "sla"


class Sweep:
    def __init__(
        self, database: Database, clock: Clock, sop: ProtocolInForce, escalations: EscalationService
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._escalations = escalations

    async def run(self, *, everything: bool = False) -> int:
        """One round; gives how many stops were looked at. A round that finds another under way does nothing.

        `everything` looks at all open stops, whatever is due: it finds the same, and takes longer.
        """
        now = self._clock.now()
        sla = self._sop.current.sla
        # Its own transaction holds the lock, and no row before everything is looked at.
        async with self._database.transaction() as session:
            if not await _alone(session):
                return 0
            looked, late = await self._look(session, sla, now, everything)
            homes = await self._report(session, sla, late, now)
            await self._settle(session, homes)
        return looked

    async def _look(
        self, session: AsyncSession, sla: Sla, now: datetime, everything: bool
    ) -> tuple[int, list[Finding]]:
        """How many stops were looked at, and the late ones: those are looked at in every round."""
        feeds = await feeds_at(session, timedelta(minutes=sla.eta_stale_minutes), now)
        sight = Sight(sla, feeds, now, await words_in_force(session, now))
        mark = await session.get(WatchMark, MARK)
        rules = hashlib.sha256(sla.model_dump_json().encode()).hexdigest()
        if everything or mark is None or mark.rules != rules:
            ids = await all_open(session)
        else:
            ids = await due_stops(session, sight, feeds.quiet ^ set(mark.quiet))
        late: list[Finding] = []
        async for found in look(self._database, sight, ids):
            late += found
            # The server ends a transaction that stands idle, and the lock with it.
            await session.execute(text("SELECT 1"))
        await self._mark(session, mark, rules, sight)
        return len(ids), late

    async def _mark(self, session: AsyncSession, mark: WatchMark | None, rules: str, sight: Sight) -> None:
        """Only now: a whole look that was broken off is begun again."""
        if mark is None:
            mark = WatchMark(name=MARK, ran_at=sight.now, wall_at=self._clock.wall())
            session.add(mark)
        mark.ran_at, mark.wall_at, mark.rules = sight.now, self._clock.wall(), rules
        mark.quiet = sorted(sight.feeds.quiet)

    # --- telling ------------------------------------------------------------------------------

    async def _report(
        self, session: AsyncSession, sla: Sla, late: Sequence[Finding], now: datetime
    ) -> dict[UUID, str]:
        """Raises and feeds; gives for each late stop the key of the cause under which it is told."""
        everything = by_cause(late)
        standing = await standings.standing(session, [cause.key for cause in everything])
        done = await standings.done_by_person(session, everything, standing.merged)
        causes = [cause for cause in (_without(cause, done) for cause in everything) if cause.stops]
        homes = homes_of(causes, standing, sla.storm)
        for key, members in by_home(causes, homes).items():
            if _is_news(key, members, standing):
                await self._tell(session, sla, key, members, now)
        return {stop.stop_id: homes.get(cause.key, cause.key) for cause in everything for stop in cause.stops}

    async def _tell(
        self, session: AsyncSession, sla: Sla, key: str, members: Sequence[LateCause], now: datetime
    ) -> None:
        worst = worst_of(members)
        vans = {(worst.platform, worst.driver_ref): now} if worst.driver_ref else {}
        paces = await paces_of(session, vans, sla.estimate, now)
        cause = told_cause(key, members, max((pace.behind for pace in paces.values()), default=0))
        stops = [stop.as_late_stop() for member in members for stop in member.stops]
        escalation_id = await self._escalations.report_late(session, cause, stops)
        if key.startswith(STORM) and escalation_id is not None:
            single = [member.key for member in members]
            await standings.take_up(session, escalation_id, cause, single, self._sop.current.escalations, now)

    # --- settling -----------------------------------------------------------------------------

    async def _settle(self, session: AsyncSession, homes: Mapping[UUID, str]) -> None:
        """Stops of open escalations that nobody has to watch there any more: closed, on track again, or moved to
        another van, whose own escalation has them now."""
        left = [each for each in await standings.unsettled_stops(session) if homes.get(each[2]) != each[1]]
        locked = await queries.locked(session, *{escalation_id for escalation_id, _, _ in left})
        for escalation_id, _, stop_id in left:
            escalation = locked[escalation_id]
            if stop_id in homes:
                await self._escalations.settle(session, escalation, stop_id, "Moved to another van")
                continue
            stop = await session.get_one(StopRecord, stop_id)
            _close_watch(stop)
            await self._escalations.settle(session, escalation, stop_id, _outcome(escalation, stop))


def _is_news(key: str, members: Sequence[LateCause], standing: Standing) -> bool:
    """Whether dispatchers would see something new, or have something in two messages."""
    if any(member.key != key and member.key in standing.single for member in members):
        return True
    digest = digest_of([stop.as_late_stop() for member in members for stop in member.stops])
    return standing.shown.get(key) != digest


async def _alone(session: AsyncSession) -> bool:
    locked = await session.scalar(
        text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": ONE_SWEEP_AT_A_TIME}
    )
    return bool(locked)


def _without(cause: LateCause, done: Mapping[str, frozenset[UUID]]) -> LateCause:
    stop_ids = done.get(cause.key, frozenset())
    return LateCause(cause.key, [stop for stop in cause.stops if stop.stop_id not in stop_ids])


def _close_watch(stop: StopRecord) -> None:
    """The last word on a stop that was watched: delivered late stays a breach, for the reviews."""
    if stop.is_open:
        stop.sla_state = SlaState.ON_TRACK
        stop.risk_since = None


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
