"""Climbs the ladder while nobody answers: asks, reminds, tries the second channel, calls a dispatcher, ends it.

A tick claims what is due and asks for jobs; a step is marked as fired in the transaction that queues its message.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.durable.queue import defer_each
from bot.errors import DialogueUnavailableError
from bot.recovery import jobs, queries, rules
from bot.recovery.ending import Endings
from bot.recovery.models import Recovery, RecoveryState, RecoveryStep, Why
from bot.recovery.ports import Asker, Asking, AskResult, Prepared
from bot.recovery.transitions import Transitions
from bot.sop import ProtocolInForce
from bot.sop_recovery import RungKind
from bot.stops.models import StopRecord
from connectors.base import StopStatus

AT_MOST = 200
CLAIM_HOLDS = timedelta(minutes=2)
"""Wall time after which a claimed step is asked for again: its job may be gone."""
CLIMBING = (RecoveryState.ASKING, RecoveryState.WITH_DISPATCHER)

Earlier = aliased(RecoveryStep)


class Ladder:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        asker: Asker,
        transitions: Transitions,
        endings: Endings,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._asker = asker
        self._transitions = transitions
        self._endings = endings

    async def ask_for_due(self) -> int:
        """Asks for the jobs of the steps that are due, the first of each follow-up; gives how many."""
        if not self._sop.current.recovery.enabled:
            return 0
        wall = self._clock.wall()
        async with self._database.transaction() as session:
            due = await self._claim(session, wall)
            for step in due:
                step.claimed_at = wall
            wanted = [(f"recovery:{step.recovery_id}", {"step_id": str(step.id)}) for step in due]
            if wanted:
                await defer_each(session, jobs.take_recovery_step, wanted)
        return len(due)

    async def take(self, step_id: UUID) -> None:
        """Fires one step, puts it off, or finds it not needed any more. Again: changes nothing.

        Raises `DialogueUnavailableError`: to be tried again soon.
        """
        asking = await self._begin(step_id)
        if asking is None:
            return
        prepared = await self._prepare(step_id, asking)
        async with self._database.transaction() as session:
            found = await self._locked(session, step_id)
            if found is not None:
                await self._send(session, *found, asking, prepared)

    # --- inside ---------------------------------------------------------------------------------

    async def _prepare(self, step_id: UUID, asking: Asking) -> Prepared:
        """A dialogue that stays away is put off like one that is busy: what comes next must not wait for it."""
        try:
            return await self._asker.prepare(asking)
        except DialogueUnavailableError:
            async with self._database.transaction() as session:
                step = await session.get_one(RecoveryStep, step_id)
            if self._clock.now() - step.due_at <= rules.PUNCTUAL:
                raise
            return Prepared(AskResult.BUSY)

    async def _claim(self, session: AsyncSession, wall: datetime) -> list[RecoveryStep]:
        pending = and_(col(RecoveryStep.fired_at).is_(None), col(RecoveryStep.cancelled_at).is_(None))
        before = select(col(Earlier.id)).where(
            col(Earlier.recovery_id) == col(RecoveryStep.recovery_id),
            col(Earlier.position) < col(RecoveryStep.position),
            col(Earlier.fired_at).is_(None),
            col(Earlier.cancelled_at).is_(None),
        )
        found = await session.scalars(
            select(RecoveryStep)
            .join(Recovery, col(Recovery.id) == col(RecoveryStep.recovery_id))
            .where(
                pending,
                col(RecoveryStep.due_at) <= self._clock.now(),
                or_(
                    col(RecoveryStep.claimed_at).is_(None),
                    col(RecoveryStep.claimed_at) <= wall - CLAIM_HOLDS,
                ),
                col(Recovery.state).in_(CLIMBING),
                ~before.exists(),
            )
            .order_by(col(RecoveryStep.due_at))
            .limit(AT_MOST)
            .with_for_update(of=RecoveryStep, skip_locked=True)
        )
        return list(found)

    async def _locked(
        self, session: AsyncSession, step_id: UUID
    ) -> tuple[RecoveryStep, Recovery, StopRecord] | None:
        """None for a step that is fired or cancelled, or whose follow-up has come to something else."""
        step = await session.get(RecoveryStep, step_id)
        recovery = await self._transitions.locked(session, step.recovery_id) if step is not None else None
        if step is None or recovery is None:
            return None
        await session.refresh(step, with_for_update=True)
        stop = await session.get_one(StopRecord, recovery.stop_id)
        is_pending = step.fired_at is None and step.cancelled_at is None
        is_failed = stop.status is StopStatus.FAILED
        is_wanted = is_pending and is_failed and recovery.state in CLIMBING
        return (step, recovery, stop) if is_wanted else None

    async def _begin(self, step_id: UUID) -> Asking | None:
        """What is to be asked; None where nothing is, any more or yet, or it was done here."""
        async with self._database.transaction() as session:
            found = await self._locked(session, step_id)
            if found is None:
                return None
            step, recovery, stop = found
            now = self._clock.now()
            quiet = self._sop.current.quiet_hours
            until = rules.waits_until(step.kind, recovery.failed_at, recovery.timezone, quiet, now)
            if until is not None:
                await self._put_off(session, step, recovery, until)
                return None
            if step.kind in rules.WRITES:
                step.tries += 1
                return _asking(step, recovery)
            await self._fire(session, step, "done")
            if step.kind is RungKind.DEFAULT:
                await self._endings.by_default(session, recovery, stop)
            else:
                was_reached = await queries.was_reached(session, recovery)
                why = Why.NO_ANSWER if was_reached else Why.NOBODY_TO_ASK
                await self._transitions.with_dispatcher(session, recovery, stop, why)
            return None

    async def _send(
        self,
        session: AsyncSession,
        step: RecoveryStep,
        recovery: Recovery,
        stop: StopRecord,
        asking: Asking,
        prepared: Prepared,
    ) -> None:
        now = self._clock.now()
        if prepared.result is AskResult.BUSY and asking.may_wait:
            step.put_offs += 1
            await self._put_off(session, step, recovery, now + rules.BUSY_FOR)
            return
        if prepared.result is AskResult.NO_OTHER_WAY:
            await self._fire(session, step, prepared.result.value)
            return
        is_sent = prepared.result is not AskResult.NOBODY_TO_ASK
        if not (is_sent and await self._asker.send(session, asking, prepared)):
            await self._fire(session, step, AskResult.NOBODY_TO_ASK.value)
            await self._transitions.nobody_to_ask(session, recovery, stop)
            return
        recovery.asked_at = recovery.asked_at or now
        if prepared.conversation_id:
            recovery.conversation_id = UUID(prepared.conversation_id)
        await self._fire(session, step, "sent")
        audit.record(
            session,
            now,
            "recovery",
            str(recovery.id),
            "asked",
            rung=step.kind.value,
            stop_id=str(recovery.stop_id),
            channel=prepared.channel.value if prepared.channel is not None else None,
        )

    async def _fire(self, session: AsyncSession, step: RecoveryStep, result: str) -> None:
        now = self._clock.now()
        late = rules.held_up(step, now)
        if late:
            await self._keep_distance(session, step, late)
        step.fired_at, step.result = now, result

    async def _put_off(
        self, session: AsyncSession, step: RecoveryStep, recovery: Recovery, until: datetime
    ) -> None:
        by = until - step.due_at
        step.due_at, step.claimed_at = until, None
        await self._keep_distance(session, step, by)

    async def _keep_distance(self, session: AsyncSession, step: RecoveryStep, by: timedelta) -> None:
        later = await queries.pending_after(session, step)
        rules.follow(later, by)
        recovery = await session.get_one(Recovery, step.recovery_id)
        ends = [each.due_at for each in later if each.kind is RungKind.DEFAULT]
        recovery.deadline_at = max(ends, default=recovery.deadline_at)


def _asking(step: RecoveryStep, recovery: Recovery) -> Asking:
    return Asking(
        recovery_id=str(recovery.id),
        stop_id=str(recovery.stop_id),
        rung=step.kind,
        key=str(step.id),
        was_tried=step.tries > 1,
        may_wait=step.put_offs < rules.MOST_PUT_OFFS,
    )
