"""What the clock does to escalations: steps that are due, acknowledgements and snoozes that no longer hold.

Steps are claimed in chunks, one transaction each, by any number of replicas: what one holds the others skip, so a
step fires once, whoever dies. Hours are judged when a step fires: one that came due while nobody ran is held against
the hours of now.
"""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.durable.queue import defer_each
from bot.escalations import holding, jobs
from bot.escalations.calling import Calling
from bot.escalations.firing import Dealing, deal_with
from bot.escalations.models import Escalation, EscalationStep
from bot.escalations.policy import plan_repeat
from bot.escalations.ports import PausedSteps
from bot.escalations.rounds import add_steps
from bot.escalations.thread import note
from bot.sop import ProtocolInForce
from bot.sop_escalations import Escalations as Policy
from bot.windows.holidays import public_holidays
from connectors.escalation import EscalationState, Happening


@dataclass
class Chunk:
    """What one transaction did."""

    fired: int = 0
    looked_at: int = 0
    changed: dict[str, Escalation] = field(default_factory=dict)
    plainly_fired: list[EscalationStep] = field(default_factory=list)
    """Nothing of them changes but that they have fired."""
    zones_without_anybody: set[tuple[str, str]] = field(default_factory=set)
    """Zone and time zone of steps that found nobody on call."""


class StepClock:
    def __init__(self, sop: ProtocolInForce, calling: Calling, paused: PausedSteps) -> None:
        self._sop = sop
        self._calling = calling
        self._paused = paused

    async def fire_due(self, session: AsyncSession, now: datetime, at_most: int) -> Chunk:
        """Fires the steps that are due, each once, or defers them to a stored time."""
        chunk = Chunk()
        due = await _claim(session, now, at_most)
        # What each step adds is written for all of them at once, not before every question that another one asks.
        with session.no_autoflush:
            for step, escalation in due:
                await self._deal_with(session, step, escalation, chunk, now)
            await _write_fired(session, chunk, now)
        chunk.looked_at = len(due)
        await self._begin_again(session, chunk, now)
        await _show_all(session, chunk)
        return chunk

    async def _deal_with(
        self, session: AsyncSession, step: EscalationStep, escalation: Escalation, chunk: Chunk, now: datetime
    ) -> None:
        section, planned = self._sop.current.escalations, _what(step)
        dealing = deal_with(
            step,
            escalation,
            section.steps_of(escalation.policy),
            public_holidays(section.holidays_of),
            await self._paused.is_paused(session, escalation),
            now,
        )
        if dealing is Dealing.CANCELLED:
            return
        chunk.changed[str(escalation.id)] = escalation
        if dealing is Dealing.DEFERRED:
            _tell_deferred(session, step, escalation, now)
            return
        chunk.fired += 1
        if _what(step) == planned:
            chunk.plainly_fired.append(step)
        if not await self._calling.call(session, step, escalation, now):
            chunk.zones_without_anybody.add((escalation.zone, escalation.timezone))

    async def _begin_again(self, session: AsyncSession, chunk: Chunk, now: datetime) -> None:
        """Plans the repeat of those whose last step has just fired."""
        section = self._sop.current.escalations
        repeating = [
            escalation
            for escalation in chunk.changed.values()
            if section.steps_of(escalation.policy).repeat is not None
        ]
        for escalation, round_number, position in await _spent(session, repeating):
            await self._repeat(session, escalation, section, round_number, position, now)

    async def _repeat(
        self,
        session: AsyncSession,
        escalation: Escalation,
        section: Policy,
        round_number: int,
        position: int,
        now: datetime,
    ) -> None:
        steps = section.steps_of(escalation.policy)
        planned = plan_repeat(
            steps, escalation.repeats, now, escalation.timezone, public_holidays(section.holidays_of)
        )
        if not planned or steps.repeat is None:
            return
        escalation.repeats += 1
        told = f"{escalation.repeats} of {steps.repeat.times}"
        note(session, escalation, Happening.STARTED_AGAIN, now, until=planned[0].due_at, words=told)
        audit.record(session, now, "escalation", str(escalation.id), "started_again", repeat=told)
        add_steps(session, escalation, planned, round_number, position + 1, now)


async def _claim(
    session: AsyncSession, now: datetime, at_most: int
) -> list[tuple[EscalationStep, Escalation]]:
    # Both rows are locked at once or skipped: whoever holds the escalation is about to change its steps.
    rows = await session.execute(
        select(EscalationStep, Escalation)
        .join(Escalation, col(Escalation.id) == col(EscalationStep.escalation_id))
        .where(*_due(now))
        .order_by(col(EscalationStep.due_at), col(EscalationStep.position))
        .limit(at_most)
        .with_for_update(skip_locked=True)
    )
    return [(step, escalation) for step, escalation in rows]


def _what(step: EscalationStep) -> tuple[object, ...]:
    return (step.kind, step.place, step.person, step.out_of_hours)


async def _write_fired(session: AsyncSession, chunk: Chunk, now: datetime) -> None:
    """In one statement for all: row by row it is most of what a storm costs."""
    for step in chunk.plainly_fired:
        session.expunge(step)
    if chunk.plainly_fired:
        await session.execute(
            update(EscalationStep)
            .where(col(EscalationStep.id).in_([step.id for step in chunk.plainly_fired]))
            .values(fired_at=now)
            .execution_options(synchronize_session=False)
        )


def _tell_deferred(
    session: AsyncSession, step: EscalationStep, escalation: Escalation, now: datetime
) -> None:
    until = step.due_at
    note(session, escalation, Happening.STEP_DEFERRED, now, until=until)
    audit.record(session, now, "escalation", str(escalation.id), "step_deferred", until=until.isoformat())


async def _spent(session: AsyncSession, escalations: list[Escalation]) -> list[tuple[Escalation, int, int]]:
    """Those of them that no step is pending of any more, each with its newest round and the last position there."""
    if not escalations:
        return []
    pending = or_(col(EscalationStep.fired_at).is_not(None), col(EscalationStep.cancelled_at).is_not(None))
    rows = await session.execute(
        select(  # type: ignore[call-overload]
            EscalationStep.escalation_id,
            func.max(EscalationStep.round),
            func.max(EscalationStep.position),
        )
        .where(col(EscalationStep.escalation_id).in_([escalation.id for escalation in escalations]))
        .group_by(col(EscalationStep.escalation_id))
        .having(func.bool_and(pending))
    )
    found = {row[0]: (row[1], row[2]) for row in rows}
    return [(each, *found[each.id]) for each in escalations if each.id in found]


async def _show_all(session: AsyncSession, chunk: Chunk) -> None:
    """As `thread.show`, in one statement for all."""
    if not chunk.changed:
        return
    await session.execute(
        update(Escalation)
        .where(col(Escalation.id).in_([escalation.id for escalation in chunk.changed.values()]))
        .values(revision=col(Escalation.revision) + 1)
        .execution_options(synchronize_session=False)
    )
    wanted = [(f"slack:{key}", {"escalation_id": key}) for key in chunk.changed]
    await defer_each(session, jobs.sync_escalation, wanted)


async def is_any_due(session: AsyncSession, now: datetime) -> bool:
    """Whether a step is due, held by somebody or not."""
    return bool(await session.scalar(select(select(col(EscalationStep.id)).where(*_due(now)).exists())))


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        col(EscalationStep.due_at) <= now,
        col(EscalationStep.fired_at).is_(None),
        col(EscalationStep.cancelled_at).is_(None),
    )


async def open_lapsed(session: AsyncSession, policy: Policy, now: datetime, at_most: int) -> int:
    """Opens again what somebody took and did not end in time, and what was snoozed until now; gives how many."""
    lapsed = await session.scalars(
        select(Escalation).where(_has_lapsed(now)).limit(at_most).with_for_update(skip_locked=True)
    )
    found = list(lapsed)
    for escalation in found:
        await holding.run_out(session, escalation, policy, now)
    return len(found)


async def is_any_lapsed(session: AsyncSession, now: datetime) -> bool:
    """Whether an acknowledgement or a snooze is over, and the escalation not open again."""
    return bool(await session.scalar(select(select(col(Escalation.id)).where(_has_lapsed(now)).exists())))


def _has_lapsed(now: datetime) -> ColumnElement[bool]:
    taken = (col(Escalation.state) == EscalationState.ACKNOWLEDGED) & (
        col(Escalation.acknowledged_until) <= now
    )
    snoozed = (col(Escalation.state) == EscalationState.SNOOZED) & (col(Escalation.snoozed_until) <= now)
    return or_(taken, snoozed)
