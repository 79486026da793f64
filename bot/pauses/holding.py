"""What maintenance windows hold back: causes that would be raised, and steps of what is raised already."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.escalations.cause import Cause
from bot.escalations.models import Escalation, EscalationStop
from bot.pauses import queries, rules
from bot.pauses.models import Pause, PauseHit
from bot.sop import ProtocolInForce

SEEN_AGAIN = timedelta(minutes=1)
"""How much later something must come up again to be written down again: a sweep looks every few seconds."""

ROWS_AT_ONCE = 1000
"""Far below PostgreSQL's limit of 65,535 values in one statement."""


class HoldBack:
    """Fulfils `PausedCauses` and `PausedSteps` of `bot.escalations.ports`."""

    def __init__(self, clock: Clock, sop: ProtocolInForce) -> None:
        self._clock = clock
        self._sop = sop

    async def holds_back(
        self, session: AsyncSession, cause: Cause, stop_ids: Collection[UUID]
    ) -> frozenset[UUID] | None:
        """Whoever waits for a person is never held back."""
        # Locked, so that nothing is held back behind the back of the list that is being made at the end.
        running = (
            await queries.running(session, self._clock.now(), lock=True)
            if rules.is_held(cause.severity)
            else []
        )
        if not running:
            return frozenset()
        raised = await queries.raised_already(session, cause.key)
        if not stop_ids:
            pause = rules.covering(running, rules.about_cause(cause)) if raised is None else None
            await self._remember(session, cause, {pause.id: [""]} if pause else {})
            return None if pause else frozenset()
        # What stands in the channel already stays true to the day; only its steps wait.
        by_pause = await queries.covered_by(session, running, set(stop_ids) - (raised or set()))
        hits = {pause_id: [str(each) for each in ids] for pause_id, ids in by_pause.items()}
        await self._remember(session, cause, hits)
        covered = frozenset(stop_id for ids in by_pause.values() for stop_id in ids)
        return None if covered >= set(stop_ids) else covered

    async def is_paused(self, session: AsyncSession, escalation: Escalation) -> datetime | None:
        """Until when its steps wait, because a window covers all of it; one without an end is asked again later.

        When it is lifted early, steps that wait for it are due at once.
        """
        running = (
            await queries.running(session, self._clock.now()) if rules.is_held(escalation.severity) else []
        )
        if not running:
            return None
        pauses = await self._of_open(session, running, escalation)
        again = timedelta(hours=self._sop.current.pauses.remind_hours)
        ends = [rules.holds_until(pause, self._clock.now(), again) for pause in pauses]
        return min(ends, default=None)

    # --- inside -------------------------------------------------------------------------------------

    async def _of_open(
        self, session: AsyncSession, pauses: list[Pause], escalation: Escalation
    ) -> list[Pause]:
        """The pauses that together cover all of an open escalation; none where something of it is not covered."""
        rows = await session.scalars(
            select(col(EscalationStop.stop_id)).where(
                col(EscalationStop.escalation_id) == escalation.id, col(EscalationStop.settled_at).is_(None)
            )
        )
        stop_ids = list(rows)
        if not stop_ids:
            about = rules.about_key(escalation.cause_key, escalation.zone, escalation.client)
            pause = rules.covering(pauses, about)
            return [pause] if pause else []
        covered = await queries.covered_by(session, pauses, stop_ids)
        if sum(len(ids) for ids in covered.values()) < len(stop_ids):
            return []
        return [pause for pause in pauses if pause.id in covered]

    async def _remember(self, session: AsyncSession, cause: Cause, hits: dict[UUID, list[str]]) -> None:
        now = self._clock.now()
        values: list[dict[str, object]] = [
            {
                "pause_id": pause_id,
                "cause_key": cause.key,
                "stop_id": stop_id,
                "severity": cause.severity,
                "why": cause.why,
                "client": cause.client,
                "minutes_late": cause.minutes_late,
                "first_seen_at": now,
                "last_seen_at": now,
            }
            for pause_id, stop_ids in sorted(hits.items())
            for stop_id in sorted(stop_ids)
        ]
        for first in range(0, len(values), ROWS_AT_ONCE):
            await session.execute(_upsert(values[first : first + ROWS_AT_ONCE], now))


def _upsert(values: list[dict[str, object]], now: datetime) -> Insert:
    statement = insert(PauseHit).values(values)
    newest = {name: statement.excluded[name] for name in ("severity", "why", "minutes_late", "last_seen_at")}
    return statement.on_conflict_do_update(
        index_elements=["pause_id", "cause_key", "stop_id"],
        set_=newest,
        where=(col(PauseHit.last_seen_at) <= now - SEEN_AGAIN)
        | (col(PauseHit.severity) != statement.excluded.severity),
    )
