"""Raises, feeds and ends escalations, and fires their steps. Every change is one transaction: state, steps, audit line
and Slack job."""

from collections.abc import Sequence
from uuid import UUID

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.conversations.models import Conversation
from bot.db import Database
from bot.escalations import holding, queries, steps
from bot.escalations.alone import NobodyOnCall, NoPager, NothingPaused
from bot.escalations.calling import NOBODY, Calling
from bot.escalations.cause import Cause
from bot.escalations.claiming import claim_all
from bot.escalations.models import Escalation, EscalationStop
from bot.escalations.ports import Pager, PausedCauses, PausedSteps
from bot.escalations.raising import Opening, Raising
from bot.escalations.rules import LateStop
from bot.escalations.steps import StepClock
from bot.escalations.thread import note, show
from bot.escalations.writer import writer_of
from bot.oncall.people import OnCall
from bot.sop import ProtocolInForce, local_day
from bot.sop_escalations import Escalations as Policy
from bot.stops.models import SlaState, StopRecord
from connectors.base import StopStatus
from connectors.escalation import EscalationState, Happening, Severity

__all__ = ["EscalationService", "Opening"]

log = structlog.get_logger()


class EscalationService:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        *,
        on_call: OnCall | None = None,
        pager: Pager | None = None,
        paused: PausedCauses | None = None,
        paused_steps: PausedSteps | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._on_call = on_call or NobodyOnCall(sop)
        self._pager = pager or NoPager()
        self._raising = Raising(clock, sop, paused or NothingPaused())
        calling = Calling(sop, self._on_call, self._pager)
        self._steps = StepClock(sop, calling, paused_steps or NothingPaused())

    @property
    def _policy(self) -> Policy:
        return self._sop.current.escalations

    # --- raising and feeding ------------------------------------------------------------------

    async def report_late(
        self, session: AsyncSession, cause: Cause, stops: Sequence[LateStop]
    ) -> UUID | None:
        """As `Raising.report_late`."""
        return await self._raising.report_late(session, cause, stops)

    async def raise_once(
        self,
        session: AsyncSession,
        cause: Cause,
        stop_id: UUID | None = None,
        opening: Opening | None = None,
    ) -> UUID:
        """As `Raising.raise_once`."""
        return await self._raising.raise_once(session, cause, stop_id, opening)

    async def raise_unless_paused(self, session: AsyncSession, cause: Cause) -> UUID | None:
        """As `Raising.raise_unless_paused`."""
        return await self._raising.raise_unless_paused(session, cause)

    async def recipient_wrote(self, session: AsyncSession, conversation: Conversation, words: str) -> None:
        """Shows what somebody wrote wherever a dispatcher is looking at them or at a stop of theirs."""
        writer = await writer_of(session, conversation, self._sop.current)
        for escalation, stop_id in await queries.about_person(session, conversation):
            note(
                session,
                escalation,
                Happening.RECIPIENT_WROTE,
                self._clock.now(),
                stop_id=stop_id,
                words=words,
                person=writer.name,
            )
            await show(session, escalation)

    # --- ending -------------------------------------------------------------------------------

    async def settle(
        self, session: AsyncSession, escalation: Escalation, stop_id: UUID, outcome: str
    ) -> None:
        """One stop of it needs nobody any more; with the last one the escalation resolves itself."""
        member = await session.get(EscalationStop, (escalation.id, stop_id), with_for_update=True)
        if member is None or member.settled_at is not None or not escalation.is_open:
            return
        now = self._clock.now()
        if await _stays_merged(session, escalation, stop_id):
            return
        member.settled_at = now
        await session.flush()
        members = await queries.members(session, escalation.id)
        if all(other.settled_at is not None for other in members.values()):
            await holding.resolve(session, escalation, None, outcome, now)
        else:
            note(session, escalation, await _ending(session, stop_id), now, stop_id=stop_id)
            await show(session, escalation)

    async def resolve_by_cause(
        self, session: AsyncSession, cause_key: str, outcome: str, by: str | None = None
    ) -> None:
        """`by` is a dispatcher's Slack id; None when it ended by itself."""
        escalation = await queries.open_by_cause(session, cause_key)
        if escalation is not None:
            await holding.resolve(session, escalation, by, outcome, self._clock.now())

    # --- the clock ----------------------------------------------------------------------------

    async def fire_due_steps(self, *, at_most: int = 200) -> int:
        """Fires the steps that are due, each once, over any number of replicas; gives how many.

        First re-arms the escalations whose acknowledgement or snooze no longer holds.
        """
        fired, without_anybody = 0, set[tuple[str, str]]()

        async def fire_some(at_most: int) -> int:
            nonlocal fired
            async with self._database.transaction() as session:
                chunk = await self._steps.fire_due(session, self._clock.now(), at_most)
            fired += chunk.fired
            without_anybody.update(chunk.zones_without_anybody)
            return chunk.looked_at

        await claim_all(self._open_some, self._is_any_lapsed, at_most)
        await claim_all(fire_some, self._is_any_due, at_most)
        for zone, timezone in sorted(without_anybody):
            await self._raise_nobody(zone, timezone)
        return fired

    async def _open_some(self, at_most: int) -> int:
        async with self._database.transaction() as session:
            return await steps.open_lapsed(session, self._policy, self._clock.now(), at_most)

    async def _is_any_lapsed(self) -> bool:
        async with self._database.transaction() as session:
            return await steps.is_any_lapsed(session, self._clock.now())

    async def _is_any_due(self) -> bool:
        async with self._database.transaction() as session:
            return await steps.is_any_due(session, self._clock.now())

    async def _raise_nobody(self, zone: str, timezone: str) -> None:
        """Nobody on call is an escalation of its own, once per zone and local day, told with a mention at once."""
        now = self._clock.now()
        key = f"{NOBODY}{zone}:{local_day(now, timezone)}"
        why = f"Nobody is on call for {zone}" if zone else "Nobody is on call"
        cause = Cause(key=key, severity=Severity.NOBODY_ON_CALL, why=why, timezone=timezone, zone=zone)
        try:
            async with self._database.transaction() as session:
                if await queries.was_raised(session, key):
                    return
                escalation = await self._raising.raise_new(session, cause)
                mention = self._policy.mention
                note(session, escalation, Happening.NOBODY_ON_CALL, now, words=zone, mention=mention)
        except IntegrityError:
            # Another replica was faster: the index keeps the second one out.
            log.info("raised_by_another", cause="nobody_on_call")

    async def stop_paging(self, session: AsyncSession, escalation_id: UUID) -> None:
        """Ends the texts and calls about it, unless it was raised again meanwhile and calls people anew."""
        escalation = await session.get_one(Escalation, escalation_id)
        if escalation.state is not EscalationState.RAISED:
            await self._pager.stop(session, escalation_id)

    # --- what others look up ------------------------------------------------------------------

    async def has_stop(self, session: AsyncSession, stop_id: UUID) -> bool:
        """Whether dispatchers are looking at this stop already."""
        return await queries.has_stop(session, stop_id)

    async def find_open(self, session: AsyncSession, cause_key: str) -> Escalation | None:
        """The open escalation of this cause, locked."""
        return await queries.open_by_cause(session, cause_key)

    async def is_open(self, session: AsyncSession, cause_key: str) -> bool:
        return await queries.open_by_cause(session, cause_key) is not None

    async def open_late(self, session: AsyncSession) -> list[tuple[Escalation, UUID]]:
        """Open escalations about lateness, each with one of its unsettled stops; locked."""
        return await queries.open_late(session)


async def _stays_merged(session: AsyncSession, escalation: Escalation, stop_id: UUID) -> bool:
    """A stop that came by merging is still late: it is watched under another cause, and told here."""
    stop = await session.get_one(StopRecord, stop_id)
    if not stop.is_open or stop.sla_state is SlaState.ON_TRACK:
        return False
    return await queries.came_by_merging(session, escalation.id, stop_id)


async def _ending(session: AsyncSession, stop_id: UUID) -> Happening:
    status = (await session.get_one(StopRecord, stop_id)).status
    return {StopStatus.DELIVERED: Happening.DELIVERED, StopStatus.FAILED: Happening.FAILED}.get(
        status, Happening.STOP_LEFT
    )
