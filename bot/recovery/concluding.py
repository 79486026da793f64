"""Writes what was decided without a text being answered, and hands to dispatchers what a platform does not take."""

from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot.db import Database
from bot.recovery import queries
from bot.recovery.informing import Informing
from bot.recovery.models import Recovery, RecoveryState, Why
from bot.recovery.notes import exception_note
from bot.recovery.transitions import RECIPIENT, Transitions
from bot.recovery.writing import SecondTries, WriteResult, Written
from bot.stops.models import StopRecord
from bot.stops.sync import PlatformSync
from connectors.base import Capability, RoutingPlatform
from connectors.errors import PlatformError, PlatformUnavailableError

log = structlog.get_logger()

WHY = {
    WriteResult.REFUSED: Why.REFUSED,
    WriteResult.NOT_POSSIBLE: Why.NOT_POSSIBLE,
    WriteResult.NO_WINDOW: Why.NO_WINDOW,
}


class Conclusions:
    def __init__(
        self,
        database: Database,
        platforms: dict[str, RoutingPlatform],
        sync: PlatformSync,
        tries: SecondTries,
        transitions: Transitions,
        informing: Informing,
    ) -> None:
        self._database = database
        self._platforms = platforms
        self._sync = sync
        self._tries = tries
        self._transitions = transitions
        self._informing = informing

    async def write_decided(self, recovery_id: UUID) -> None:
        """Again: changes nothing more. Raises `PlatformUnavailableError`: to be tried again."""
        written = await self._tries.write(recovery_id, tell=True)
        if written.result not in WHY:
            return
        async with self._database.transaction() as session:
            recovery = await self._transitions.locked(session, recovery_id)
            if recovery is None or recovery.state is not RecoveryState.WRITING:
                return
            stop = await session.get_one(StopRecord, recovery.stop_id)
            wanted = recovery.settled_by == RECIPIENT
            await self.not_written(session, recovery, stop, written)
            if wanted:
                await self._informing.inform(session, recovery, stop, "utter_recovery_told_not_booked")

    async def note_failure(self, recovery_id: UUID) -> None:
        """The exception and its end, on the stop that failed.

        Most platforms close the notes of a stop with it: that is no error.
        """
        async with self._database.transaction() as session:
            recovery = await session.get_one(Recovery, recovery_id)
            stop = await session.get_one(StopRecord, recovery.stop_id)
            again = await queries.again_of(session, recovery)
        platform = self._platforms.get(stop.platform)
        if platform is None or Capability.ADD_NOTE not in platform.capabilities:
            return
        window = again.window if again is not None else None
        line = exception_note(recovery, window)
        try:
            await self._sync.store_confirmed(await platform.add_note(stop.platform_ref, line))
        except PlatformUnavailableError:
            raise
        except PlatformError as exc:
            log.info("exception_not_noted", stop_id=str(stop.id), error=type(exc).__name__)

    async def not_written(
        self, session: AsyncSession, recovery: Recovery, stop: StopRecord, written: Written
    ) -> None:
        """A dispatcher decides, with the words of the platform; what is booked already stays so."""
        why, at, detail = WHY[written.result], written.window, written.detail
        again = await session.get(StopRecord, recovery.reattempt_id) if recovery.reattempt_id else None
        if again is None or not again.is_open:
            await self._transitions.with_dispatcher(session, recovery, stop, why, again_at=at, detail=detail)
            return
        recovery.state = RecoveryState.BOOKED
        await self._transitions.calls.ask_what(session, recovery, again, why, again_at=at, detail=detail)
