"""Raises, feeds and ends escalations. Every change is one transaction: state, steps, audit line and Slack job."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.durable.queue import defer
from bot.escalations import jobs, rules
from bot.escalations.models import Escalation, EscalationNote, EscalationStep, EscalationStop
from bot.escalations.rules import LateStop, Verdict
from bot.escalations.view import stops_of
from bot.sop import Escalations as Policy
from bot.sop import ProtocolInForce, TierKind
from bot.stops.models import StopRecord
from connectors.base import DispatcherAction, DispatcherVerb, EscalationState, Happening, Severity, StopStatus


@dataclass(frozen=True)
class Cause:
    """Why a person is needed. The same `key` again feeds the open escalation instead of raising a second."""

    key: str
    severity: Severity
    why: str
    timezone: str
    zone: str = ""
    client: str = ""
    conversation_id: UUID | None = None
    exposure_usd: int = 0
    answer_by: datetime | None = None
    """By when somebody was promised an answer: if nobody has it by then, dispatchers are called once more."""


class EscalationService:
    def __init__(self, database: Database, clock: Clock, sop: ProtocolInForce) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop

    @property
    def _policy(self) -> Policy:
        return self._sop.current.escalations

    # --- raising and feeding ------------------------------------------------------------------

    async def report_late(
        self, session: AsyncSession, cause: Cause, stops: Sequence[LateStop]
    ) -> UUID | None:
        """Raises the escalation of this cause, or feeds the open one what has changed since.

        Stops that a person has resolved already are left alone: resolved is final. None when no other is left.
        """
        done = await self._resolved_by_person(session, cause.key)
        stops = [stop for stop in stops if UUID(stop.stop_id) not in done]
        if not stops:
            return None
        escalation = await self._open_by_cause(session, cause.key)
        digest = rules.digest_of(stops)
        if escalation is None:
            escalation = await self._raise(session, cause)
            await self._join(session, escalation, stops)
            escalation.shown = digest
            return escalation.id
        if escalation.shown == digest:
            return escalation.id
        joined = await self._join(session, escalation, stops)
        for stop in joined:
            self._note(session, escalation, Happening.STOP_JOINED, stop_id=UUID(stop.stop_id))
        for stop_id in rules.newly_breached(stops, escalation.shown):
            self._note(session, escalation, Happening.BREACHED, stop_id=UUID(stop_id))
            audit.record(
                session, self._clock.now(), "escalation", str(escalation.id), "breached", stop_id=stop_id
            )
        escalation.severity, escalation.why, escalation.shown = cause.severity, cause.why, digest
        escalation.exposure_usd, escalation.client = cause.exposure_usd, cause.client
        await self._changed(session, escalation)
        return escalation.id

    async def raise_once(
        self, session: AsyncSession, cause: Cause, stop_id: UUID | None = None, words: str = ""
    ) -> UUID:
        """Raises an escalation that is not about lateness; with an open one of this cause, only refreshes it.

        `words`, codes masked, are what somebody wrote to cause it: they stand first in the thread.
        """
        escalation = await self._open_by_cause(session, cause.key)
        if escalation is not None:
            await self._changed(session, escalation)
            return escalation.id
        escalation = await self._raise(session, cause)
        if stop_id is not None:
            session.add(
                EscalationStop(escalation_id=escalation.id, stop_id=stop_id, joined_at=self._clock.now())
            )
        if words:
            self._note(session, escalation, Happening.RECIPIENT_WROTE, words=words)
        return escalation.id

    async def recipient_wrote(self, session: AsyncSession, phone: str, words: str) -> None:
        """Shows what somebody wrote wherever a dispatcher is looking at a stop of theirs."""
        rows = await session.execute(
            select(Escalation, col(StopRecord.id))
            .join(EscalationStop, col(EscalationStop.escalation_id) == col(Escalation.id))
            .join(StopRecord, col(StopRecord.id) == col(EscalationStop.stop_id))
            .where(
                col(StopRecord.recipient_phone) == phone,
                col(EscalationStop.settled_at).is_(None),
                col(Escalation.state) != EscalationState.RESOLVED,
            )
            .order_by(col(Escalation.id), col(StopRecord.sequence))
            .with_for_update(of=Escalation)
        )
        told: set[UUID] = set()
        for escalation, stop_id in rows:
            # Two parcels of one person in one escalation: their words are told once.
            if escalation.id not in told:
                told.add(escalation.id)
                self._note(session, escalation, Happening.RECIPIENT_WROTE, stop_id=stop_id, words=words)
                await self._changed(session, escalation)

    async def _raise(self, session: AsyncSession, cause: Cause) -> Escalation:
        now = self._clock.now()
        escalation = Escalation(
            id=uuid4(),
            cause_key=cause.key,
            severity=cause.severity,
            zone=cause.zone,
            client=cause.client,
            timezone=cause.timezone,
            why=cause.why,
            channel=self._policy.channel_for(cause.zone),
            conversation_id=cause.conversation_id,
            exposure_usd=cause.exposure_usd,
            raised_at=now,
        )
        session.add(escalation)
        await session.flush()
        for step in rules.plan_steps(self._policy.tiers, now):
            # The first tier is the post itself: the job deferred below does it.
            session.add(
                EscalationStep(
                    escalation_id=escalation.id,
                    position=step.position,
                    kind=step.tier.kind,
                    due_at=step.due_at,
                    fired_at=now if step.tier.kind is TierKind.POST else None,
                )
            )
        if cause.answer_by is not None:
            session.add(
                EscalationStep(
                    escalation_id=escalation.id,
                    position=len(self._policy.tiers),
                    kind=TierKind.MENTION,
                    due_at=cause.answer_by,
                )
            )
        audit.record(session, now, "escalation", str(escalation.id), "raised", severity=cause.severity.value)
        await defer(
            session, jobs.sync_escalation, lock=f"slack:{escalation.id}", escalation_id=str(escalation.id)
        )
        return escalation

    async def _join(
        self, session: AsyncSession, escalation: Escalation, stops: Sequence[LateStop]
    ) -> list[LateStop]:
        members = await self._members(session, escalation.id)
        joined = []
        for stop in stops:
            member = members.get(UUID(stop.stop_id))
            if member is None:
                session.add(
                    EscalationStop(
                        escalation_id=escalation.id, stop_id=UUID(stop.stop_id), joined_at=self._clock.now()
                    )
                )
                joined.append(stop)
            elif member.settled_at is not None:
                member.settled_at = None
        await session.flush()
        return joined

    # --- ending -------------------------------------------------------------------------------

    async def settle(
        self, session: AsyncSession, escalation: Escalation, stop_id: UUID, outcome: str
    ) -> None:
        """One stop of it needs nobody any more; with the last one the escalation resolves itself."""
        member = await session.get(EscalationStop, (escalation.id, stop_id), with_for_update=True)
        if member is None or member.settled_at is not None or not escalation.is_open:
            return
        member.settled_at = self._clock.now()
        await session.flush()
        members = await self._members(session, escalation.id)
        if all(other.settled_at is not None for other in members.values()):
            await self._resolve(session, escalation, by=None, outcome=outcome)
        else:
            self._note(session, escalation, await self._ending(session, stop_id), stop_id=stop_id)
            await self._changed(session, escalation)

    async def resolve_by_cause(self, session: AsyncSession, cause_key: str, outcome: str) -> None:
        escalation = await self._open_by_cause(session, cause_key)
        if escalation is not None:
            await self._resolve(session, escalation, by=None, outcome=outcome)

    async def _resolve(
        self, session: AsyncSession, escalation: Escalation, by: str | None, outcome: str
    ) -> None:
        now = self._clock.now()
        escalation.state = EscalationState.RESOLVED
        escalation.resolved_at, escalation.resolved_by, escalation.outcome = now, by, outcome
        await self._cancel_steps(session, escalation)
        self._note(session, escalation, Happening.RESOLVED, dispatcher=by, words=outcome)
        audit.record(
            session,
            now,
            "escalation",
            str(escalation.id),
            "resolved",
            actor=by or audit.SYSTEM,
            outcome=outcome,
        )
        await self._changed(session, escalation)

    # --- what dispatchers do ------------------------------------------------------------------

    async def act(self, session: AsyncSession, action: DispatcherAction) -> tuple[Verdict, Escalation | None]:
        """Applies a reaction or a button, once; two at once are decided by the row's lock."""
        escalation = await self._addressed(session, action)
        if escalation is None:
            return Verdict.NOTHING_TO_DO, None
        verdict = rules.judge(action.verb, escalation, action.dispatcher, self._policy.dispatchers)
        if verdict is not Verdict.APPLIED:
            return verdict, escalation
        if action.verb is DispatcherVerb.ACKNOWLEDGE:
            await self._acknowledge(session, escalation, action)
        elif action.verb is DispatcherVerb.WITHDRAW:
            await self._rearm(session, escalation, Happening.WITHDRAWN, action.dispatcher)
        else:
            await self._resolve(session, escalation, by=action.dispatcher, outcome="")
        return verdict, escalation

    async def _acknowledge(
        self, session: AsyncSession, escalation: Escalation, action: DispatcherAction
    ) -> None:
        now = self._clock.now()
        ends = [stop.window_end_at for stop in await stops_of(session, escalation.id) if stop.window_end_at]
        after_the_window = timedelta(minutes=self._policy.acknowledgement_holds_minutes)
        escalation.state = EscalationState.ACKNOWLEDGED
        escalation.acknowledged_by, escalation.acknowledged_at = action.dispatcher, now
        escalation.acknowledged_until = rules.holds_until(now, ends, after_the_window)
        await self._cancel_steps(session, escalation)
        self._note(
            session,
            escalation,
            Happening.ACKNOWLEDGED,
            dispatcher=action.dispatcher,
            until=escalation.acknowledged_until,
        )
        audit.record(
            session,
            now,
            "escalation",
            str(escalation.id),
            "acknowledged",
            actor=action.dispatcher,
            gesture=action.gesture,
            until=escalation.acknowledged_until.isoformat(),
        )
        await self._changed(session, escalation)

    async def _rearm(self, session: AsyncSession, escalation: Escalation, why: Happening, who: str) -> None:
        now = self._clock.now()
        held_until = escalation.acknowledged_until
        escalation.state = EscalationState.RAISED
        escalation.acknowledged_by = escalation.acknowledged_at = escalation.acknowledged_until = None
        rounds = await session.scalars(
            select(col(EscalationStep.round)).where(col(EscalationStep.escalation_id) == escalation.id)
        )
        round_number = max(rounds, default=0) + 1
        for step in rules.plan_steps(self._policy.tiers, now, after_post=True):
            session.add(
                EscalationStep(
                    escalation_id=escalation.id,
                    round=round_number,
                    position=step.position,
                    kind=step.tier.kind,
                    due_at=step.due_at,
                )
            )
        self._note(session, escalation, why, dispatcher=who or None, until=held_until)
        audit.record(session, now, "escalation", str(escalation.id), why.value, actor=who or audit.SYSTEM)
        await self._changed(session, escalation)

    # --- the clock ----------------------------------------------------------------------------

    async def fire_due_steps(self, *, at_most: int = 200) -> int:
        """Fires the steps that are due, each once, over any number of replicas; gives how many.

        Also re-arms the escalations whose acknowledgement no longer holds.
        """
        now = self._clock.now()
        async with self._database.transaction() as session:
            # Both rows are locked at once or skipped: whoever holds the escalation is about to change its steps.
            due = await session.scalars(
                select(EscalationStep)
                .join(Escalation, col(Escalation.id) == col(EscalationStep.escalation_id))
                .where(
                    col(EscalationStep.due_at) <= now,
                    col(EscalationStep.fired_at).is_(None),
                    col(EscalationStep.cancelled_at).is_(None),
                )
                .order_by(col(EscalationStep.due_at))
                .limit(at_most)
                .with_for_update(skip_locked=True)
            )
            steps = list(due)
            for step in steps:
                await self._fire(session, step, now)
            lapsed = await session.scalars(
                select(Escalation)
                .where(
                    col(Escalation.state) == EscalationState.ACKNOWLEDGED,
                    col(Escalation.acknowledged_until) <= now,
                )
                .limit(at_most)
                .with_for_update(skip_locked=True)
            )
            for escalation in lapsed:
                await self._rearm(session, escalation, Happening.RAN_OUT, escalation.acknowledged_by or "")
        return len(steps)

    async def _fire(self, session: AsyncSession, step: EscalationStep, now: datetime) -> None:
        escalation = await session.get_one(Escalation, step.escalation_id)
        if escalation.state is not EscalationState.RAISED:
            step.cancelled_at = now
            return
        step.fired_at = now
        self._note(session, escalation, Happening.STEP_FIRED, mention=self._policy.mention)
        audit.record(session, now, "escalation", str(escalation.id), "mentioned", position=step.position)
        await self._changed(session, escalation)

    # --- shared -------------------------------------------------------------------------------

    async def has_stop(self, session: AsyncSession, stop_id: UUID) -> bool:
        """Whether dispatchers are looking at this stop already."""
        found = await session.scalar(
            select(col(EscalationStop.stop_id))
            .join(Escalation, col(Escalation.id) == col(EscalationStop.escalation_id))
            .where(
                col(EscalationStop.stop_id) == stop_id,
                col(EscalationStop.settled_at).is_(None),
                col(Escalation.state) != EscalationState.RESOLVED,
            )
            .limit(1)
        )
        return found is not None

    async def is_open(self, session: AsyncSession, cause_key: str) -> bool:
        return await self._open_by_cause(session, cause_key) is not None

    async def open_late(self, session: AsyncSession) -> list[tuple[Escalation, UUID]]:
        """Open escalations about lateness, each with one of its unsettled stops; locked."""
        rows = await session.execute(
            select(Escalation, col(EscalationStop.stop_id))
            .join(EscalationStop, col(EscalationStop.escalation_id) == col(Escalation.id))
            .where(
                col(Escalation.state) != EscalationState.RESOLVED,
                col(Escalation.severity).in_((Severity.AT_RISK, Severity.BREACHED)),
                col(EscalationStop.settled_at).is_(None),
            )
            .order_by(col(Escalation.id))
            .with_for_update(of=Escalation)
        )
        return [(escalation, stop_id) for escalation, stop_id in rows]

    async def _open_by_cause(self, session: AsyncSession, cause_key: str) -> Escalation | None:
        return await session.scalar(
            select(Escalation)
            .where(col(Escalation.cause_key) == cause_key, col(Escalation.state) != EscalationState.RESOLVED)
            .with_for_update()
        )

    async def _resolved_by_person(self, session: AsyncSession, cause_key: str) -> set[UUID]:
        rows = await session.scalars(
            select(col(EscalationStop.stop_id))
            .join(Escalation, col(Escalation.id) == col(EscalationStop.escalation_id))
            .where(col(Escalation.cause_key) == cause_key, col(Escalation.resolved_by).is_not(None))
        )
        return set(rows)

    async def _addressed(self, session: AsyncSession, action: DispatcherAction) -> Escalation | None:
        query = select(Escalation).with_for_update()
        if action.escalation_id is not None:
            return await session.scalar(query.where(col(Escalation.id) == UUID(action.escalation_id)))
        return await session.scalar(
            query.where(
                col(Escalation.slack_channel) == action.channel, col(Escalation.slack_ts) == action.message_ts
            )
        )

    async def _members(self, session: AsyncSession, escalation_id: UUID) -> dict[UUID, EscalationStop]:
        rows = await session.scalars(
            select(EscalationStop).where(col(EscalationStop.escalation_id) == escalation_id)
        )
        return {row.stop_id: row for row in rows}

    async def _cancel_steps(self, session: AsyncSession, escalation: Escalation) -> None:
        await session.execute(
            update(EscalationStep)
            .where(
                col(EscalationStep.escalation_id) == escalation.id,
                col(EscalationStep.fired_at).is_(None),
                col(EscalationStep.cancelled_at).is_(None),
            )
            .values(cancelled_at=self._clock.now())
        )

    async def _ending(self, session: AsyncSession, stop_id: UUID) -> Happening:
        status = (await session.get_one(StopRecord, stop_id)).status
        return {StopStatus.DELIVERED: Happening.DELIVERED, StopStatus.FAILED: Happening.FAILED}.get(
            status, Happening.STOP_LEFT
        )

    def _note(
        self,
        session: AsyncSession,
        escalation: Escalation,
        kind: Happening,
        *,
        dispatcher: str | None = None,
        stop_id: UUID | None = None,
        until: datetime | None = None,
        words: str = "",
        mention: str = "",
    ) -> None:
        session.add(
            EscalationNote(
                escalation_id=escalation.id,
                kind=kind,
                dispatcher=dispatcher,
                stop_id=stop_id,
                until=until,
                words=words,
                mention=mention,
                created_at=self._clock.now(),
            )
        )

    async def _changed(self, session: AsyncSession, escalation: Escalation) -> None:
        escalation.revision += 1
        await defer(
            session, jobs.sync_escalation, lock=f"slack:{escalation.id}", escalation_id=str(escalation.id)
        )
