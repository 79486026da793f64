"""Raises escalations, and feeds the open ones what has become of their causes since."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from bot import audit
from bot.clock import Clock
from bot.escalations import growing, holding, policy, queries, rounds, rules
from bot.escalations.cause import Cause
from bot.escalations.models import Escalation, EscalationStep, EscalationStop
from bot.escalations.moving import worse_of
from bot.escalations.ports import PausedCauses
from bot.escalations.rules import LateStop
from bot.escalations.thread import ask_for_sync, mention_of, note, show
from bot.sop import ProtocolInForce
from bot.sop_escalations import Escalations as Policy
from bot.sop_escalations import TierKind
from connectors.escalation import Happening


@dataclass(frozen=True)
class Opening:
    """What stands first in the thread of an escalation that is raised."""

    kind: Happening
    words: str


class Raising:
    def __init__(self, clock: Clock, sop: ProtocolInForce, paused: PausedCauses) -> None:
        self._clock = clock
        self._sop = sop
        self._paused = paused

    @property
    def _policy(self) -> Policy:
        return self._sop.current.escalations

    async def report_late(
        self, session: AsyncSession, cause: Cause, stops: Sequence[LateStop]
    ) -> UUID | None:
        """Raises the escalation of this cause, or feeds the open one what has changed since.

        Stops that a person has resolved already are left alone: resolved is final. So are those that a maintenance
        window covers. What was merged into another escalation goes on there. None when no other stop is left.
        """
        stops = await self._without_paused(session, cause, stops)
        escalation = await queries.open_by_cause(session, cause.key)
        if escalation is None and (merged := await queries.open_merged(session, cause.key)) is not None:
            return await self._feed_merged(session, merged, cause, stops)
        done = await queries.resolved_by_person(session, cause.key)
        stops = [stop for stop in stops if UUID(stop.stop_id) not in done]
        if not stops:
            return None
        digest = rules.digest_of(stops)
        if escalation is None:
            escalation = await self.raise_new(session, cause)
            await self._join(session, escalation, stops)
            escalation.shown = digest
            return escalation.id
        if escalation.shown != digest:
            has_grown = await self._tell_news(session, escalation, stops)
            escalation.severity, escalation.why, escalation.shown = cause.severity, cause.why, digest
            escalation.exposure_usd, escalation.client = cause.exposure_usd, cause.client
            escalation.minutes_late = cause.minutes_late
            await self._after_news(session, escalation, has_grown)
        return escalation.id

    async def _without_paused(
        self, session: AsyncSession, cause: Cause, stops: Sequence[LateStop]
    ) -> list[LateStop]:
        held = await self._paused.holds_back(session, cause, [UUID(stop.stop_id) for stop in stops])
        return [] if held is None else [stop for stop in stops if UUID(stop.stop_id) not in held]

    async def _feed_merged(
        self, session: AsyncSession, escalation: Escalation, cause: Cause, stops: Sequence[LateStop]
    ) -> UUID:
        """News of a cause that a dispatcher merged into this escalation, which may only grow by it."""
        shown = rules.with_digests(escalation.shown, rules.digest_of(stops))
        if shown != escalation.shown:
            has_grown = await self._tell_news(session, escalation, stops)
            escalation.shown = shown
            escalation.severity = worse_of(escalation.severity, cause.severity)
            escalation.minutes_late = max(escalation.minutes_late, cause.minutes_late)
            await self._after_news(session, escalation, has_grown)
        return escalation.id

    async def _after_news(self, session: AsyncSession, escalation: Escalation, has_grown: bool) -> None:
        change = growing.grew if has_grown else growing.reconsider
        await change(session, escalation, self._policy, self._clock.now())
        await show(session, escalation)

    async def raise_once(
        self,
        session: AsyncSession,
        cause: Cause,
        stop_id: UUID | None = None,
        opening: Opening | None = None,
    ) -> UUID:
        """Raises an escalation that is not about lateness; an open one of this cause hears the new reason.

        Somebody who waits for a person is raised in a maintenance window too; for what else there is, see
        `raise_unless_paused`.
        """
        escalation = await queries.open_by_cause(session, cause.key)
        if escalation is None:
            escalation = await self.raise_new(session, cause)
            if opening is not None and opening.words:
                note(session, escalation, opening.kind, self._clock.now(), words=opening.words)
        else:
            escalation.why = rules.with_reason(escalation.why, cause.why)
            escalation.zone, escalation.client = (
                escalation.zone or cause.zone,
                escalation.client or cause.client,
            )
            await show(session, escalation)
        if cause.answer_by is not None:
            await holding.promise(session, escalation, cause.answer_by)
        if stop_id is not None and stop_id not in await queries.members(session, escalation.id):
            session.add(
                EscalationStop(escalation_id=escalation.id, stop_id=stop_id, joined_at=self._clock.now())
            )
        return escalation.id

    async def raise_new(self, session: AsyncSession, cause: Cause) -> Escalation:
        """Whoever calls it knows that no open one has this cause; the index keeps a second one out."""
        now = self._clock.now()
        escalation = Escalation(
            id=uuid4(),
            cause_key=cause.key,
            severity=cause.severity,
            zone=cause.zone,
            client=cause.client,
            timezone=cause.timezone,
            why=cause.why,
            channel=cause.channel or self._policy.channel_for(cause.zone),
            conversation_id=cause.conversation_id,
            exposure_usd=cause.exposure_usd,
            service=cause.service,
            minutes_late=cause.minutes_late,
            raised_at=now,
            armed_at=now,
        )
        escalation.policy = policy.choose(self._policy, policy.facts_of(escalation), now)
        session.add(escalation)
        await session.flush()
        # The first tier is the post itself: the job asked for below does it.
        session.add(
            EscalationStep(
                escalation_id=escalation.id, position=0, kind=TierKind.POST, due_at=now, fired_at=now
            )
        )
        await rounds.begin_round(session, escalation, self._policy, now, round_number=0)
        audit.record(session, now, "escalation", str(escalation.id), "raised", severity=cause.severity.value)
        await ask_for_sync(session, escalation)
        return escalation

    async def _tell_news(
        self, session: AsyncSession, escalation: Escalation, stops: Sequence[LateStop]
    ) -> bool:
        """Whether it got worse: a stop breached that had not when dispatchers last saw it."""
        now = self._clock.now()
        for stop in await self._join(session, escalation, stops):
            note(session, escalation, Happening.STOP_JOINED, now, stop_id=UUID(stop.stop_id))
        breached = rules.newly_breached(stops, escalation.shown)
        for number, stop_id in enumerate(breached):
            # One call for all of them: who has it took it when it was smaller.
            mention = mention_of(escalation.acknowledged_by) if number == 0 else ""
            note(session, escalation, Happening.BREACHED, now, stop_id=UUID(stop_id), mention=mention)
            audit.record(session, now, "escalation", str(escalation.id), "breached", stop_id=stop_id)
        return bool(breached)

    async def _join(
        self, session: AsyncSession, escalation: Escalation, stops: Sequence[LateStop]
    ) -> list[LateStop]:
        members = await queries.members(session, escalation.id)
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

    async def raise_unless_paused(self, session: AsyncSession, cause: Cause) -> UUID | None:
        """As `raise_once`; None while a maintenance window covers the cause."""
        if await self._paused.holds_back(session, cause, ()) is None:
            return None
        return await self.raise_once(session, cause)
