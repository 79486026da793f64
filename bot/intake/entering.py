"""Enters one wanted stop into its platform, once, however often it is tried."""

import asyncio
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.desk.service import DeskTasks
from bot.intake.forms import CleanStop, Finding
from bot.intake.models import RequestState, StopRequest
from bot.intake.reasons import Because
from bot.intake.service import IntakeService, ask_to_enter
from bot.intake.telling import request_key, task_of_request
from bot.sop import ProtocolInForce
from bot.stops.sync import PlatformSync
from connectors.base import NewStop, RoutingPlatform
from connectors.desk import TaskState
from connectors.errors import PlatformError, PlatformRejectedError, PlatformUnavailableError

log = structlog.get_logger()

STRANDED_AFTER = timedelta(minutes=30)
"""Wall time after which a stop on its way is asked for again: its job may be gone."""
LOOK_AGAIN_SECONDS = 0.05
TO_ENTER = (RequestState.RECEIVED, RequestState.ENTERING)


class StopEntry:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        platforms: dict[str, RoutingPlatform],
        tasks: DeskTasks,
        sync: PlatformSync,
        intake: IntakeService,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._platforms = platforms
        self._tasks = tasks
        self._sync = sync
        self._intake = intake

    async def enter(self, request_id: UUID) -> None:
        """Between two commits the platform is asked; it finds by our reference what an earlier try created.

        Raises `PlatformUnavailableError`: to be tried again, the client sees `entering` meanwhile.
        """
        request = await self._claim(request_id)
        if request is None:
            return
        platform = self._platforms.get(request.platform or "")
        if platform is None:
            await self._hand_to_dispatcher(request_id, Because.NO_PLATFORM)
            return
        try:
            stop = await platform.create_stop(self._new_stop(request))
        except PlatformUnavailableError:
            raise
        except PlatformRejectedError as exc:
            await self._hand_to_dispatcher(request_id, exc.code or "refused", exc.detail)
            return
        except PlatformError as exc:
            log.error("stop_not_entered", request_id=str(request_id), error=type(exc).__name__)
            await self._hand_to_dispatcher(request_id, Because.UNAVAILABLE, exc.detail)
            return
        await self._entered(request_id, await self._sync.store_confirmed(stop))

    async def settled(self, request_id: UUID, within: timedelta) -> StopRequest:
        """The request once it is no longer on its way, or as it is after so much wall time."""
        loop = asyncio.get_running_loop()
        until = loop.time() + within.total_seconds()
        while True:
            async with self._database.transaction() as session:
                request = await session.get_one(StopRequest, request_id)
            if request.state not in TO_ENTER or loop.time() >= until:
                return request
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def ask_for_stranded(self) -> int:
        """Asks again for stops on their way whose job gave up; gives how many."""
        before = self._clock.wall() - STRANDED_AFTER
        async with self._database.transaction() as session:
            found = await session.scalars(
                select(StopRequest)
                .where(
                    col(StopRequest.state).in_(TO_ENTER),
                    or_(col(StopRequest.tried_at).is_(None), col(StopRequest.tried_at) <= before),
                )
                .limit(100)
                .with_for_update(skip_locked=True)
            )
            requests = list(found)
            await ask_to_enter(session, requests, self._clock)
        return len(requests)

    async def _claim(self, request_id: UUID) -> StopRequest | None:
        async with self._database.transaction() as session:
            request = await session.get_one(StopRequest, request_id, with_for_update=True)
            if request.state not in TO_ENTER:
                return None
            request.state = RequestState.ENTERING
            return request

    def _new_stop(self, request: StopRequest) -> NewStop:
        wanted = CleanStop.model_validate(request.form)
        minutes = wanted.service_minutes or self._sop.current.intake.service_minutes
        return NewStop(
            own_ref=request.own_ref,
            client=request.client,
            zone=request.zone,
            address=wanted.address,
            recipient_name=wanted.recipient_name,
            recipient_phone=wanted.recipient_phone,
            recipient_email=wanted.recipient_email,
            window=wanted.window,
            service=timedelta(minutes=minutes),
            load=wanted.load,
            order_ref=wanted.order_ref,
            notes=wanted.notes,
            access_code=wanted.access_code,
        )

    async def _entered(self, request_id: UUID, stop_id: UUID) -> None:
        async with self._database.transaction() as session:
            request = await session.get_one(StopRequest, request_id, with_for_update=True)
            if request.state is not RequestState.ENTERING:
                return
            request.stop_id = stop_id
            request.reasons = []
            await self._intake.end(session, request, RequestState.ENTERED)
            await self._settle_task(session, request)

    async def _settle_task(self, session: AsyncSession, request: StopRequest) -> None:
        task = await self._tasks.find_open(session, request_key(request.id))
        if task is not None:
            await self._tasks.settle(session, task.id, TaskState.APPROVED)

    async def _hand_to_dispatcher(self, request_id: UUID, code: str, detail: str = "") -> None:
        async with self._database.transaction() as session:
            request = await session.get_one(StopRequest, request_id, with_for_update=True)
            if request.state is not RequestState.ENTERING:
                return
            request.state, request.changed_at = RequestState.NEEDS_DISPATCHER, self._clock.now()
            request.reasons = [Finding(code=code).model_dump()]
            task = await self._tasks.find_open(session, request_key(request.id))
            if task is not None:
                # Approved, and the platform did not take it: that decision is spent, a new one is asked for.
                await self._tasks.settle(session, task.id, TaskState.EXPIRED, "platform_refused")
                await session.flush()
            timezone = self._sop.current.operator.timezone
            await self._tasks.open_once(session, task_of_request(request, timezone, detail=detail))
            await self._intake.note(session, request, actor=audit.SYSTEM)
