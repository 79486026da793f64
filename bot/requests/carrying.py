"""Carries an approved request out at the routing platform, where the platform can."""

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.desk.service import DeskTasks, TaskWanted
from bot.recovery.queries import second_try_of
from bot.requests.models import DispatchRequest, RequestKind
from bot.requests.rules import Carried, Outcome, Wanted
from bot.stops.instructions import note_line
from bot.stops.models import StopRecord
from bot.stops.sync import PlatformSync
from connectors.base import Capability, Reattempt, RoutingPlatform, Stop, StopStatus
from connectors.desk import TaskFacts, TaskKind
from connectors.errors import PlatformError, PlatformRejectedError, StopNotFoundError

log = structlog.get_logger()

BY_HAND = Outcome(result=Carried.BY_HAND)
MOVES = frozenset({RequestKind.RESCHEDULE, RequestKind.REDELIVER})


class PlatformHand:
    """Fulfils `CarryOut`. Writing the same again changes nothing: the platform is read back each time."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        platforms: dict[str, RoutingPlatform],
        sync: PlatformSync,
        tasks: DeskTasks,
    ) -> None:
        self._database = database
        self._clock = clock
        self._platforms = platforms
        self._sync = sync
        self._tasks = tasks

    async def __call__(self, request: DispatchRequest) -> Outcome:
        async with self._database.transaction() as session:
            stop = await _to_be_moved(session, request)
        platform = self._platforms.get(stop.platform)
        if platform is None:
            return BY_HAND
        try:
            if request.kind is RequestKind.SEND_BACK:
                was_written = await self._take_back(platform, stop)
            else:
                was_written = await self._write(platform, stop, request)
        except (PlatformRejectedError, StopNotFoundError) as exc:
            return Outcome(result=Carried.REFUSED, detail=exc.detail)
        except PlatformError as exc:
            log.warning("request_not_carried_out", request_id=str(request.id), error=type(exc).__name__)
            return Outcome(result=Carried.UNAVAILABLE)
        if not was_written:
            return BY_HAND
        async with self._database.transaction() as session:
            self._record(session, stop, request)
        return Outcome(result=Carried.DONE)

    async def _write(self, platform: RoutingPlatform, stop: StopRecord, request: DispatchRequest) -> bool:
        stored = await _written(platform, stop, request)
        if stored is not None:
            await self._sync.store_confirmed(stored)
        return stored is not None

    async def _take_back(self, platform: RoutingPlatform, stop: StopRecord) -> bool:
        """Cancels the stop where that is possible still; False where a dispatcher has to get the parcel back.

        It was decided: what the platform refuses is to be done by hand, not to be decided again.
        """
        if not stop.is_open or Capability.CANCEL not in platform.capabilities:
            return False
        try:
            await platform.cancel(stop.platform_ref)
        except PlatformRejectedError as exc:
            async with self._database.transaction() as session:
                await self._tasks.open_once(session, _refused(stop, exc))
            return False
        await self._sync.look_again(stop.platform, stop.platform_ref)
        return True

    def _record(self, session: AsyncSession, stop: StopRecord, request: DispatchRequest) -> None:
        audit.record(
            session,
            self._clock.now(),
            "stop",
            str(stop.id),
            "request_carried_out",
            actor=request.decided_by or audit.SYSTEM,
            request_id=str(request.id),
            kind=request.kind.value,
        )


async def _to_be_moved(session: AsyncSession, request: DispatchRequest) -> StopRecord:
    """The stop; where it failed and somebody has made its second try meanwhile, that one: it needs no twin."""
    stop = await session.get_one(StopRecord, request.stop_id)
    if request.kind not in MOVES or stop.status is not StopStatus.FAILED:
        return stop
    again = await second_try_of(session, stop)
    return again if again is not None and again.is_open else stop


async def _written(platform: RoutingPlatform, stop: StopRecord, request: DispatchRequest) -> Stop | None:
    """The stop as the platform holds it afterwards; None where the platform cannot do such a thing."""
    wanted, can = Wanted.model_validate(request.wanted), platform.capabilities
    if request.kind in MOVES and wanted.window is not None:
        if stop.is_open and Capability.CHANGE_WINDOW in can:
            return await platform.change_window(stop.platform_ref, wanted.window)
        if stop.status is StopStatus.FAILED and Capability.REATTEMPT in can:
            again = Reattempt(own_ref=reattempt_ref(request), window=wanted.window)
            return await platform.reattempt(stop.platform_ref, again)
    if request.kind is RequestKind.NOTE and wanted.words and Capability.ADD_NOTE in can:
        line = note_line(wanted.words, request.asked_at, stop.timezone)
        return await platform.add_note(stop.platform_ref, line)
    return None


def reattempt_ref(request: DispatchRequest) -> str:
    """Our reference of the second try that this request leads to: the same however often it is carried out."""
    return f"RT-{request.id.hex[:12].upper()}"


def _refused(stop: StopRecord, error: PlatformRejectedError) -> TaskWanted:
    return TaskWanted(
        kind=TaskKind.WRITE_REFUSED,
        key=f"write:cancel:{stop.id}",
        timezone=stop.timezone,
        zone=stop.zone,
        client=stop.client,
        facts=TaskFacts(
            address_line=stop.address_line,
            tracking=stop.tracking,
            recipient_name=stop.recipient_name,
            window=stop.window,
            change="cancelled",
            reasons=(error.code,) if error.code else (),
            detail=error.detail,
        ),
    )
