"""What a followed-up failure turns into. Each change commits with its audit lines, its tasks and the client's news."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.durable.queue import defer, lane_of
from bot.recovery import jobs
from bot.recovery.calls import RecoveryCalls
from bot.recovery.facts import RecoveryNews, client_facts
from bot.recovery.models import Recovery, RecoveryState, RecoveryStep, Why
from bot.recovery.ports import TellClient
from bot.sop_recovery import Rung, RungKind
from bot.stops.models import StopRecord
from connectors.base import DeliveryWindow

RECIPIENT = "recipient"
DEFAULT = "default"
PLATFORM = "platform"


class Transitions:
    """Every method runs in the caller's transaction, on a follow-up that `locked` has given."""

    def __init__(self, clock: Clock, calls: RecoveryCalls, clients: TellClient) -> None:
        self._clock = clock
        self.calls = calls
        self._clients = clients

    async def locked(self, session: AsyncSession, recovery_id: UUID) -> Recovery | None:
        recovery = await session.get(Recovery, recovery_id)
        if recovery is None:
            return None
        await self.calls.lock(session, recovery)
        await session.refresh(recovery, with_for_update=True)
        return recovery

    # --- steps ----------------------------------------------------------------------------------

    async def add_steps(
        self, session: AsyncSession, recovery: Recovery, rungs: tuple[Rung, ...], since: datetime
    ) -> None:
        """Plans these rungs from `since` on, after whatever stands there already."""
        last = await session.scalar(
            select(func.max(RecoveryStep.position)).where(col(RecoveryStep.recovery_id) == recovery.id)
        )
        first = 0 if last is None else last + 1
        for position, rung in enumerate(rungs, start=first):
            due_at = since + timedelta(minutes=rung.after_minutes)
            session.add(
                RecoveryStep(recovery_id=recovery.id, position=position, kind=rung.kind, due_at=due_at)
            )
            if rung.kind is RungKind.DEFAULT:
                recovery.deadline_at = due_at
        await session.flush()

    async def cancel_steps(
        self, session: AsyncSession, recovery: Recovery, *, but: RungKind | None = None
    ) -> None:
        """All pending ones at once; `but` goes on."""
        pending = (
            col(RecoveryStep.recovery_id) == recovery.id,
            col(RecoveryStep.fired_at).is_(None),
            col(RecoveryStep.cancelled_at).is_(None),
        )
        others = (col(RecoveryStep.kind) != but,) if but is not None else ()
        await session.execute(
            update(RecoveryStep).where(*pending, *others).values(cancelled_at=self._clock.now())
        )
        if but is not RungKind.DEFAULT:
            recovery.deadline_at = None

    # --- states ---------------------------------------------------------------------------------

    async def opened(self, session: AsyncSession, recovery: Recovery, stop: StopRecord) -> None:
        self._record(session, recovery, "opened", reason=recovery.reason.value, attempt=recovery.attempt)
        await self._tell(session, recovery, stop, RecoveryNews.OPENED)
        if recovery.state is RecoveryState.WITH_DISPATCHER:
            await self._call(session, recovery, stop, Why(recovery.detail))

    async def answered(
        self, session: AsyncSession, recovery: Recovery, choice: str, inbound_id: str | None
    ) -> None:
        """The recipient wants something: nobody is reminded or called any more."""
        await self.cancel_steps(session, recovery)
        await self.calls.close(session, recovery)
        recovery.answered_at = recovery.answered_at or self._clock.now()
        recovery.settled_by = RECIPIENT
        self._record(session, recovery, "answered", actor=RECIPIENT, choice=choice, inbound_id=inbound_id)

    async def writing(self, session: AsyncSession, recovery: Recovery, by: str) -> None:
        """A second try is decided: it goes to the platform now."""
        await self.cancel_steps(session, recovery)
        await self.calls.close(session, recovery)
        recovery.state, recovery.settled_by, recovery.detail = RecoveryState.WRITING, by, ""
        recovery.tried_at = None

    async def with_dispatcher(
        self,
        session: AsyncSession,
        recovery: Recovery,
        stop: StopRecord,
        why: Why,
        *,
        again_at: DeliveryWindow | None = None,
        detail: str = "",
    ) -> None:
        is_new = recovery.state is not RecoveryState.WITH_DISPATCHER
        recovery.state, recovery.detail = RecoveryState.WITH_DISPATCHER, why.value
        self._record(session, recovery, "with_dispatcher", why=why.value)
        await self._call(session, recovery, stop, why, again_at=again_at, detail=detail)
        if is_new:
            await self._tell(session, recovery, stop, RecoveryNews.WITH_DISPATCHER)

    async def nobody_to_ask(self, session: AsyncSession, recovery: Recovery, stop: StopRecord) -> None:
        """No way is left to the recipient: only the end of the ladder still comes by itself."""
        await self.cancel_steps(session, recovery, but=RungKind.DEFAULT)
        await self.with_dispatcher(session, recovery, stop, Why.NOBODY_TO_ASK)

    async def booked(
        self, session: AsyncSession, recovery: Recovery, stop: StopRecord, again: StopRecord | None, by: str
    ) -> None:
        """`again` is the stop that tries again; None where a dispatcher promised it and no platform shows it yet."""
        recovery.reattempt_id = again.id if again is not None else recovery.reattempt_id
        window = again.window.model_dump(mode="json") if again is not None and again.window else None
        await self._end(session, recovery, stop, RecoveryState.BOOKED, by, window=window)
        await self._tell(session, recovery, stop, RecoveryNews.REATTEMPT_BOOKED, again)

    async def try_cancelled(
        self, session: AsyncSession, recovery: Recovery, stop: StopRecord, window: DeliveryWindow | None
    ) -> None:
        """The second try in `window` is gone from the platform: it is not settled any more."""
        recovery.settled_at = None
        again_at = window if window is not None and window.end_at > self._clock.now() else None
        await self.with_dispatcher(session, recovery, stop, Why.TRY_CANCELLED, again_at=again_at)

    async def pick_up(
        self, session: AsyncSession, recovery: Recovery, stop: StopRecord, by: str, place: str = ""
    ) -> None:
        await self._end(session, recovery, stop, RecoveryState.PICK_UP, by)
        await self.calls.ask_what(session, recovery, stop, Why.PICK_UP, place=place)
        await self._tell(session, recovery, stop, RecoveryNews.PICK_UP)

    async def sent_back(
        self, session: AsyncSession, recovery: Recovery, stop: StopRecord, by: str, *, is_done: bool = False
    ) -> None:
        """`is_done`: whoever decided it sees to the parcel, or the platform shows it back already."""
        await self._end(session, recovery, stop, RecoveryState.SENT_BACK, by)
        if not is_done:
            await self.calls.ask_what(session, recovery, stop, Why.SEND_BACK)
        await self._tell(session, recovery, stop, RecoveryNews.SENT_BACK)

    async def closed(
        self, session: AsyncSession, recovery: Recovery, stop: StopRecord, by: str, why: str
    ) -> None:
        await self._end(session, recovery, stop, RecoveryState.CLOSED, by, why=why)
        await self._tell(session, recovery, stop, RecoveryNews.CLOSED)

    async def asking(
        self, session: AsyncSession, recovery: Recovery, rungs: tuple[Rung, ...], by: str, verb: str
    ) -> None:
        """The ladder begins, or begins again, now."""
        await self.cancel_steps(session, recovery)
        await self.calls.close(session, recovery)
        recovery.state, recovery.detail = RecoveryState.ASKING, ""
        await self.add_steps(session, recovery, rungs, self._clock.now())
        self._record(session, recovery, verb, actor=by, reason=recovery.reason.value)

    # --- inside ---------------------------------------------------------------------------------

    async def _end(
        self,
        session: AsyncSession,
        recovery: Recovery,
        stop: StopRecord,
        state: RecoveryState,
        by: str,
        **details: Any,
    ) -> None:
        await self.cancel_steps(session, recovery)
        await self.calls.close(session, recovery)
        recovery.state, recovery.settled_by, recovery.settled_at = state, by, self._clock.now()
        recovery.detail = ""
        actor = audit.SYSTEM if by == DEFAULT else by
        self._record(session, recovery, state.value, actor=actor, **details)
        lane = lane_of(stop.platform)
        await defer(session, jobs.note_failure, lane=lane, recovery_id=str(recovery.id))

    async def _call(
        self,
        session: AsyncSession,
        recovery: Recovery,
        stop: StopRecord,
        why: Why,
        *,
        again_at: DeliveryWindow | None = None,
        detail: str = "",
    ) -> None:
        if why is Why.UNKNOWN_REASON:
            await self.calls.ask_why(session, recovery, stop)
        elif why is not Why.REQUEST:  # that has a message of its own, with Approve and Decline
            await self.calls.ask_what(session, recovery, stop, why, again_at=again_at, detail=detail)

    def _record(
        self,
        session: AsyncSession,
        recovery: Recovery,
        verb: str,
        *,
        actor: str = audit.SYSTEM,
        **details: Any,
    ) -> None:
        """On the follow-up, and on the stop whose story it is."""
        now, stop_id = self._clock.now(), str(recovery.stop_id)
        audit.record(
            session, now, "recovery", str(recovery.id), verb, actor=actor, stop_id=stop_id, **details
        )
        about = {"recovery_id": str(recovery.id), **details}
        audit.record(session, now, "stop", stop_id, f"recovery_{verb}", actor=actor, **about)

    async def _tell(
        self,
        session: AsyncSession,
        recovery: Recovery,
        stop: StopRecord,
        news: RecoveryNews,
        again: StopRecord | None = None,
    ) -> None:
        if recovery.client:
            facts = client_facts(recovery, stop, again)
            await self._clients.tell(session, recovery.client, news.value, recovery.id, facts)
