"""Opens a follow-up for each failure of a stop: once, however many processes look and however often drivers write."""

from datetime import datetime
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.conversations.privacy import masked
from bot.db import Database
from bot.recovery import failing_again, queries, rules
from bot.recovery.models import ReasonSource, Recovery, RecoveryState, Why
from bot.recovery.ports import DriverSaid, DriversWords
from bot.recovery.rules import Classified, Failure, Plan
from bot.recovery.transitions import PLATFORM, Transitions
from bot.sop import ProtocolInForce
from bot.stops.models import StopRecord
from connectors.base import FailureReason, StopStatus

AT_MOST = 100
LONGEST_WORDS = 300


class Opening:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        drivers: DriversWords,
        transitions: Transitions,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._drivers = drivers
        self._transitions = transitions

    async def open_due(self) -> int:
        """Opens one for each fresh failure; gives how many. Nothing where the protocol has it switched off."""
        if not self._sop.current.recovery.enabled:
            return 0
        opened = 0
        async with self._database.transaction() as session:
            since = self._clock.now() - rules.FRESH_FOR
            stops = await queries.failed_and_not_followed(session, since, AT_MOST)
            said = await self._drivers.said_about(session, [stop.id for stop in stops]) if stops else {}
            for stop in stops:
                opened += await self._open(session, stop, said.get(stop.id)) is not None
        return opened

    async def explain_late(self) -> int:
        """Begins what waits for a reason once the platform tells one: a driver's note may come after the status.

        Gives how many.
        """
        explained = 0
        for recovery_id in await self._unexplained():
            async with self._database.transaction() as session:
                recovery = await self._transitions.locked(session, recovery_id)
                if recovery is not None and recovery.detail == Why.UNKNOWN_REASON:
                    explained += await self._explained(session, recovery)
        return explained

    async def open_for(self, session: AsyncSession, stop_id: UUID) -> Recovery | None:
        """The follow-up of this stop, opened now if it failed just now; None where there is nothing to follow up."""
        known = await queries.of_stop(session, stop_id)
        stop = await session.get(StopRecord, stop_id)
        is_due = (
            (known is None or await failing_again.is_of_another_failure(session, known))
            and self._sop.current.recovery.enabled
            and stop is not None
            and stop.status is StopStatus.FAILED
            and failed_at(stop) >= self._clock.now() - rules.FRESH_FOR
            and await queries.second_try_of(session, stop) is None
        )
        if not is_due or stop is None:
            return known
        said = await self._drivers.said_about(session, [stop.id])
        return await self._open(session, stop, said.get(stop.id)) or await queries.of_stop(session, stop_id)

    async def explain(
        self, session: AsyncSession, recovery: Recovery, reason: FailureReason, by: str, source: ReasonSource
    ) -> None:
        """Somebody says why it failed, before the recipient was asked: the follow-up begins with that."""
        stop = await session.get_one(StopRecord, recovery.stop_id)
        recovery.reason, recovery.reason_source = reason, source
        plan = self._plan(stop, reason, recovery.attempt)
        recovery.flow = plan.flow
        if plan.state is RecoveryState.ASKING:
            await self._transitions.asking(session, recovery, plan.rungs, by, "explained")
        elif plan.why is not None:
            await self._transitions.calls.close(session, recovery)
            await self._transitions.cancel_steps(session, recovery)
            await self._transitions.add_steps(session, recovery, plan.rungs, self._clock.now())
            await self._transitions.with_dispatcher(session, recovery, stop, plan.why)

    # --- inside ---------------------------------------------------------------------------------

    async def _unexplained(self) -> list[UUID]:
        """With a dispatcher for want of a reason, while their platforms say one by now."""
        async with self._database.transaction() as session:
            waiting = await queries.without_reason(session, AT_MOST)
            return [
                recovery.id
                for recovery, stop in waiting
                if self._told(stop).reason is not FailureReason.OTHER
            ]

    async def _explained(self, session: AsyncSession, recovery: Recovery) -> bool:
        found = self._told(await session.get_one(StopRecord, recovery.stop_id))
        if found.reason is FailureReason.OTHER:
            return False
        add_words(recovery, found.words)
        await self.explain(session, recovery, found.reason, PLATFORM, found.source)
        return True

    def _told(self, stop: StopRecord, said: DriverSaid | None = None) -> Classified:
        words = self._sop.current.recovery.words.get(stop.platform, {})
        return rules.classify(stop.failure_reason, stop.failure_note, words, said)

    async def _open(
        self, session: AsyncSession, stop: StopRecord, said: DriverSaid | None
    ) -> Recovery | None:
        """None where another process has just opened it."""
        ended_at = await failing_again.put_behind(session, stop.id)
        if said is not None and ended_at is not None and said.at <= ended_at:
            said = None  # of the failure before
        found = self._told(stop, said)
        attempt = await queries.attempt_of(session, stop)
        plan = self._plan(stop, found.reason, attempt)
        recovery = await self._insert(session, stop, found, plan, attempt)
        if recovery is not None:
            # From now on, not from the failure: who hears late has as much time to answer.
            await self._transitions.add_steps(session, recovery, plan.rungs, self._clock.now())
            await self._transitions.opened(session, recovery, stop)
        return recovery

    def _plan(self, stop: StopRecord, reason: FailureReason, attempt: int) -> Plan:
        has_address = bool(stop.recipient_phone or stop.recipient_email)
        return rules.plan_for(Failure(reason, stop.client, attempt, has_address), self._sop.current.recovery)

    def _timezone(self, stop: StopRecord) -> str:
        """The operator's for a stop whose own is unknown."""
        try:
            ZoneInfo(stop.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            return self._sop.current.operator.timezone
        return stop.timezone

    async def _insert(
        self, session: AsyncSession, stop: StopRecord, found: Classified, plan: Plan, attempt: int
    ) -> Recovery | None:
        values = {
            "id": uuid4(),
            "stop_id": stop.id,
            "client": stop.client,
            "zone": stop.zone,
            "timezone": self._timezone(stop),
            "reason": found.reason,
            "reason_source": found.source,
            "words": masked(found.words)[:LONGEST_WORDS],
            "flow": plan.flow,
            "attempt": attempt,
            "state": plan.state,
            "detail": (plan.why or ""),
            "failed_at": failed_at(stop),
            "opened_at": self._clock.now(),
            "settled_by": "",
            "is_past": False,
            "preference": {},
        }
        new = await session.scalar(
            insert(Recovery)
            .values(values)
            .on_conflict_do_nothing(index_elements=["stop_id"], index_where=text("NOT is_past"))
            .returning(col(Recovery.id))
        )
        return await session.get_one(Recovery, new) if new is not None else None


def add_words(recovery: Recovery, words: str) -> None:
    """What was said later stands behind what was said before, once."""
    said = masked(words)
    if said and said not in recovery.words:
        recovery.words = f"{recovery.words} {said}".strip()[:LONGEST_WORDS]


def failed_at(stop: StopRecord) -> datetime:
    return stop.completed_at or stop.changed_at
