"""Writes one allowed change to the platform and settles it by what the platform then holds."""

from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.db import Database
from bot.desk.service import DeskTasks
from bot.intake.changes import TASK_KINDS, ChangeService, ask_to_apply
from bot.intake.forms import Finding
from bot.intake.models import ChangeKind, ChangeState, StopChange
from bot.intake.reasons import Because
from bot.intake.telling import change_key, task_of_change
from bot.stops.models import StopRecord
from bot.stops.sync import PlatformSync
from connectors.base import Capability, RoutingPlatform
from connectors.desk import TaskState
from connectors.errors import (
    PlatformError,
    PlatformRejectedError,
    PlatformUnavailableError,
    Refused,
    StopNotFoundError,
)

log = structlog.get_logger()

STRANDED_AFTER = timedelta(minutes=30)
NEEDS = {ChangeKind.WINDOW: Capability.CHANGE_WINDOW, ChangeKind.CANCEL: Capability.CANCEL}


class ChangeWriter:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        platforms: dict[str, RoutingPlatform],
        tasks: DeskTasks,
        sync: PlatformSync,
        changes: ChangeService,
    ) -> None:
        self._database = database
        self._clock = clock
        self._platforms = platforms
        self._tasks = tasks
        self._sync = sync
        self._changes = changes

    async def apply(self, change_id: UUID) -> None:
        """Between two commits; writing the same again changes nothing more.

        Raises `PlatformUnavailableError`: to be tried again.
        """
        async with self._database.transaction() as session:
            change = await session.get_one(StopChange, change_id)
            stop = await session.get_one(StopRecord, change.stop_id)
        if change.state is not ChangeState.APPLYING:
            return
        platform = self._platforms.get(stop.platform)
        if platform is None or NEEDS[change.kind] not in platform.capabilities:
            await self._refused(change_id, Because.NOT_POSSIBLE)
            return
        try:
            await self._write(platform, stop, change)
        except PlatformUnavailableError:
            raise
        except StopNotFoundError as exc:
            await self._sync.look_again(stop.platform, stop.platform_ref)
            await self._refused(change_id, Refused.FINISHED, exc.detail)
        except PlatformRejectedError as exc:
            await self._refused(change_id, exc.code or "refused", exc.detail)
        except PlatformError as exc:
            log.error("change_not_written", change_id=str(change_id), error=type(exc).__name__)
            await self._refused(change_id, Because.UNAVAILABLE, exc.detail)
        else:
            await self._applied(change_id)

    async def ask_for_stranded(self) -> int:
        """Asks again for changes on their way whose job gave up; gives how many."""
        before = self._clock.wall() - STRANDED_AFTER
        async with self._database.transaction() as session:
            found = await session.scalars(
                select(StopChange)
                .where(
                    col(StopChange.state) == ChangeState.APPLYING,
                    or_(col(StopChange.tried_at).is_(None), col(StopChange.tried_at) <= before),
                )
                .limit(100)
                .with_for_update(skip_locked=True)
            )
            stranded = list(found)
            for change in stranded:
                await ask_to_apply(session, change, self._clock)
        return len(stranded)

    async def _write(self, platform: RoutingPlatform, stop: StopRecord, change: StopChange) -> None:
        if change.wanted is not None:
            await self._sync.store_confirmed(await platform.change_window(stop.platform_ref, change.wanted))
            return
        await platform.cancel(stop.platform_ref)
        await self._sync.look_again(stop.platform, stop.platform_ref)

    async def _applied(self, change_id: UUID) -> None:
        async with self._database.transaction() as session:
            change = await session.get_one(StopChange, change_id, with_for_update=True)
            if change.state is not ChangeState.APPLYING:
                return
            await self._changes.end(session, change, ChangeState.APPLIED)
            await self._settle_task(session, change, TaskState.APPROVED)

    async def _refused(self, change_id: UUID, code: str, detail: str = "") -> None:
        """A dispatcher decides what happens now, unless the stop is over or many are changed at once."""
        async with self._database.transaction() as session:
            change = await session.get_one(StopChange, change_id, with_for_update=True)
            if change.state is not ChangeState.APPLYING:
                return
            await self._settle_task(session, change, TaskState.EXPIRED, "platform_refused")
            if change.bulk_id is not None or code == Refused.FINISHED:
                await self._changes.end(session, change, ChangeState.REFUSED, code)
                return
            change.state = ChangeState.NEEDS_DISPATCHER
            change.reasons = [Finding(code=code).model_dump()]
            await session.flush()
            stop = await session.get_one(StopRecord, change.stop_id)
            await self._tasks.open_once(
                session, task_of_change(change, stop, TASK_KINDS[change.kind], detail=detail)
            )

    async def _settle_task(
        self, session: AsyncSession, change: StopChange, state: TaskState, outcome: str = ""
    ) -> None:
        task = await self._tasks.find_open(session, change_key(change.id))
        if task is not None:
            await self._tasks.settle(session, task.id, state, outcome)
            await session.flush()
