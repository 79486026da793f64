"""Ends follow-ups that came to an end elsewhere: tried again or delivered by hand, or decided by an approval.

One whose second try was cancelled on the platform goes on: the recipient still expects it.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.recovery import cancelled_tries, queries
from bot.recovery.answers import Preference
from bot.recovery.ending import ask_to_write
from bot.recovery.informing import Informing
from bot.recovery.models import Recovery, RecoveryState, Why
from bot.recovery.transitions import PLATFORM, Transitions
from bot.requests.models import DispatchRequest, RequestKind, RequestState
from bot.sop import ProtocolInForce
from bot.sop_recovery import Rung, RungKind
from bot.stops.models import StopRecord
from connectors.base import Capability, RoutingPlatform, StopStatus

AT_MOST = 200
STILL_OPEN = (RecoveryState.ASKING, RecoveryState.WITH_DISPATCHER, RecoveryState.PICK_UP)
LINKED_FOR = timedelta(days=3)
"""How long after the end of a follow-up a stop that tries again is taken for its outcome."""
WATCHED_FOR = timedelta(days=61)
"""How long after the end of a follow-up its second try is looked at: `redelivery.days_ahead` is 60 at most."""
PATIENCE = timedelta(hours=24)
"""After a wish was declined, where the ladder names no end."""


class RecoveryWatch:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        platforms: dict[str, RoutingPlatform],
        transitions: Transitions,
        informing: Informing,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._platforms = platforms
        self._transitions = transitions
        self._informing = informing

    async def look(self) -> int:
        """Gives how many follow-ups came to an end, or went on."""
        changed = 0
        for recovery_id in await self._overtaken():
            async with self._database.transaction() as session:
                recovery = await self._transitions.locked(session, recovery_id)
                if recovery is not None and recovery.state in STILL_OPEN:
                    changed += await self._catch_up(session, recovery)
        now = self._clock.now()
        async with self._database.transaction() as session:
            await queries.link_second_tries(session, now - LINKED_FOR)
            lost = await queries.booked_and_cancelled(session, now - WATCHED_FOR, AT_MOST)
        for recovery_id in lost:
            async with self._database.transaction() as session:
                recovery = await self._transitions.locked(session, recovery_id)
                if recovery is not None:
                    changed += await cancelled_tries.go_on(
                        session, recovery, self._transitions, self._informing
                    )
        return changed

    # --- inside ---------------------------------------------------------------------------------

    async def _overtaken(self) -> list[UUID]:
        """Open ones whose stop is not failed any more, is tried again, or whose request is decided."""
        decided = (
            select(col(DispatchRequest.id))
            .where(
                col(DispatchRequest.stop_id) == col(Recovery.stop_id),
                col(DispatchRequest.asked_at) >= col(Recovery.opened_at),
                col(DispatchRequest.state).in_(
                    (RequestState.APPROVED, RequestState.DECLINED, RequestState.EXPIRED)
                ),
                col(Recovery.detail) == Why.REQUEST,
            )
            .exists()
        )
        async with self._database.transaction() as session:
            found = await session.scalars(
                select(col(Recovery.id))
                .join(StopRecord, col(StopRecord.id) == col(Recovery.stop_id))
                .where(
                    col(Recovery.state).in_(STILL_OPEN),
                    (col(StopRecord.status) != StopStatus.FAILED) | queries.is_tried_again() | decided,
                )
                .limit(AT_MOST)
            )
            return list(found)

    async def _catch_up(self, session: AsyncSession, recovery: Recovery) -> int:
        stop = await session.get_one(StopRecord, recovery.stop_id)
        again = await queries.second_try_of(session, stop)
        request = await self._decided_request(session, recovery)
        by = request.decided_by if request is not None and request.decided_by else PLATFORM
        if stop.status is StopStatus.RETURNED:
            await self._transitions.sent_back(session, recovery, stop, PLATFORM, is_done=True)
        elif stop.status is not StopStatus.FAILED:
            await self._transitions.closed(session, recovery, stop, PLATFORM, stop.status.value)
        elif again is not None and request is not None and self._has_more(recovery):
            # Approving made it with the window alone: what else was agreed is added to it.
            recovery.reattempt_id = again.id
            await self._transitions.writing(session, recovery, by)
            await ask_to_write(session, recovery, stop)
        elif again is not None:
            await self._transitions.booked(session, recovery, stop, again, by)
            is_told = request is not None and request.state is RequestState.APPROVED
            is_waiting = recovery.asked_at is not None or recovery.answered_at is not None
            if is_waiting and not is_told and again.window is not None:
                # Nobody is left with a question or a wish; an approval has told them already.
                response = "utter_recovery_told_booked"
                await self._informing.inform(session, recovery, again, response, again.window)
        elif request is not None:
            await self._apply(session, recovery, stop, request)
        else:
            return 0
        return 1

    async def _decided_request(self, session: AsyncSession, recovery: Recovery) -> DispatchRequest | None:
        """The newest one that this follow-up waits for, once it is decided."""
        if recovery.detail != Why.REQUEST or recovery.answered_at is None:
            return None
        request = await session.scalar(
            select(DispatchRequest)
            .where(
                col(DispatchRequest.stop_id) == recovery.stop_id,
                col(DispatchRequest.asked_at) >= recovery.opened_at,
            )
            .order_by(col(DispatchRequest.asked_at).desc())
            .limit(1)
        )
        is_decided = request is not None and request.state not in (RequestState.OPEN, RequestState.APPROVING)
        return request if is_decided else None

    async def _apply(
        self, session: AsyncSession, recovery: Recovery, stop: StopRecord, request: DispatchRequest
    ) -> None:
        by = request.decided_by or audit.SYSTEM
        if request.state is RequestState.DECLINED:
            await self._transitions.asking(session, recovery, self._last_rung(), by, "declined")
        elif request.state is RequestState.EXPIRED:
            await self._transitions.closed(session, recovery, stop, by, "by_hand")
        elif request.kind is RequestKind.SEND_BACK:
            await self._transitions.sent_back(session, recovery, stop, by, is_done=True)
        elif request.kind is RequestKind.HOLD:
            await self._transitions.pick_up(session, recovery, stop, by)
        elif request.kind is RequestKind.CHANGE_ADDRESS and self._may_write(recovery, stop):
            await self._transitions.writing(session, recovery, by)
            await ask_to_write(session, recovery, stop)
        else:
            await self._transitions.booked(session, recovery, stop, None, by)

    def _has_more(self, recovery: Recovery) -> bool:
        agreed = Preference.model_validate(recovery.preference)
        return bool(agreed.place or agreed.note or agreed.has_code)

    def _may_write(self, recovery: Recovery, stop: StopRecord) -> bool:
        """Whether the approved address can be given to the platform as a second try."""
        platform = self._platforms.get(stop.platform)
        has_such = platform is not None and Capability.REATTEMPT in platform.capabilities
        return has_such and bool(Preference.model_validate(recovery.preference).address)

    def _last_rung(self) -> tuple[Rung, ...]:
        """The recipient was told no and may say something else; nobody having done so, the end comes as always."""
        ladder = self._sop.current.recovery.ladder
        ends = tuple(rung for rung in ladder if rung.kind is RungKind.DEFAULT)
        return ends or (Rung(kind=RungKind.DISPATCHER, after_minutes=int(PATIENCE.total_seconds() // 60)),)
