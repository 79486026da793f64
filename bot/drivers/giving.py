"""Gives a route that its driver will not drive to somebody else, stop by stop, where a dispatcher decided so."""

from dataclasses import dataclass, field
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.desk.models import DeskTask
from bot.desk.service import TaskWanted
from bot.drivers import jobs, queries
from bot.drivers.calling import ShiftCalls
from bot.drivers.models import DriverShift
from bot.drivers.texts import DriverTexts, place_of
from bot.durable.queue import defer, lane_of
from bot.stops.models import StopRecord
from bot.stops.sync import PlatformSync
from connectors.base import RoutingPlatform
from connectors.desk import Choice, ShiftState, TaskAction, TaskFacts, TaskKind, TaskState
from connectors.errors import PlatformRejectedError, StopNotFoundError

log = structlog.get_logger()


@dataclass
class Given:
    moved: list[StopRecord] = field(default_factory=list)
    refused: list[StopRecord] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    detail: str = ""
    """The platform's words about the last refused one."""


class RouteGiving:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        platforms: dict[str, RoutingPlatform],
        sync: PlatformSync,
        texts: DriverTexts,
        calls: ShiftCalls,
    ) -> None:
        self._database = database
        self._clock = clock
        self._platforms = platforms
        self._sync = sync
        self._texts = texts
        self._calls = calls
        calls.tasks.on_decided(TaskKind.DRIVER_UNCONFIRMED, self.decided)

    async def decided(self, session: AsyncSession, task: DeskTask, action: TaskAction) -> TaskState:
        """A dispatcher's press. The route as it is now is what is given away."""
        if action.choice is not Choice.ASSIGN:
            return TaskState.DONE
        shift = await queries.locked(session, UUID(task.key.removeprefix("shift:")))
        run = await queries.run_of(session, shift)
        if run is None or not run.open_stops:
            return TaskState.DONE
        shift.given_to_ref = action.value
        audit.record(
            session,
            self._clock.now(),
            "shift",
            str(shift.id),
            "given_away",
            actor=action.dispatcher,
            driver_ref=action.value,
        )
        await defer(
            session,
            jobs.give_route,
            lock=f"shift:{shift.id}",
            lane=lane_of(shift.platform),
            shift_id=str(shift.id),
            task_id=str(task.id),
            stop_ids=[str(stop.id) for stop in run.open_stops],
        )
        return TaskState.CARRYING_OUT

    async def give(self, shift_id: UUID, task_id: UUID, stop_ids: list[UUID]) -> None:
        """Run twice, it finds its stops with the new driver and moves nothing.

        Raises `PlatformUnavailableError`: some may have been moved; to be run again.
        """
        async with self._database.transaction() as session:
            shift = await session.get_one(DriverShift, shift_id)
            stops = list(await session.scalars(select(StopRecord).where(col(StopRecord.id).in_(stop_ids))))
        if shift.given_to_ref is None:
            return
        in_order = sorted(stops, key=lambda stop: stop_ids.index(stop.id))
        given = await self._move(self._platforms[shift.platform], in_order, shift.given_to_ref)
        await self._conclude(shift_id, task_id, given)

    async def _move(self, platform: RoutingPlatform, stops: list[StopRecord], driver_ref: str) -> Given:
        given = Given()
        for stop in stops:
            if not stop.is_open:
                continue
            if stop.driver_ref == driver_ref:
                given.moved.append(stop)
                continue
            try:
                stored = await platform.assign_driver(stop.platform_ref, driver_ref)
            except (PlatformRejectedError, StopNotFoundError) as exc:
                given.refused.append(stop)
                given.codes.append(getattr(exc, "code", "not_found"))
                given.detail = exc.detail
                continue
            await self._sync.store_confirmed(stored)
            given.moved.append(stop)
        return given

    async def _conclude(self, shift_id: UUID, task_id: UUID, given: Given) -> None:
        async with self._database.transaction() as session:
            task = await session.get_one(DeskTask, task_id, with_for_update=True)
            shift = await queries.locked(session, shift_id)
            if task.state is not TaskState.CARRYING_OUT:
                return
            if given.moved and shift.given_to_ref is not None:
                await self._tell_both(session, shift, shift.given_to_ref, given)
            elif not given.moved:
                shift.given_to_ref = None
            if given.refused:
                await self._call_for_hands(session, task, shift, given)
            outcome = "platform_refused" if given.refused else ""
            state = TaskState.APPROVED if given.moved else TaskState.EXPIRED
            await self._calls.tasks.settle(session, task_id, state, outcome)
            audit.record(
                session,
                self._clock.now(),
                "shift",
                str(shift_id),
                "route_given",
                moved=len(given.moved),
                refused=len(given.refused),
            )

    async def _call_for_hands(
        self, session: AsyncSession, task: DeskTask, shift: DriverShift, given: Given
    ) -> None:
        facts = TaskFacts(
            day=shift.day,
            driver_name=task.told.driver_name,
            route_name=task.told.route_name,
            stops=len(given.refused),
            reasons=tuple(dict.fromkeys(given.codes)),
            detail=given.detail,
            change="reassigned",
            addresses=tuple(stop.address_line for stop in given.refused[:10]),
        )
        wanted = TaskWanted(
            kind=TaskKind.WRITE_REFUSED,
            key=f"{shift.key}:given",
            zone=task.zone,
            timezone=task.timezone,
            facts=facts,
        )
        await self._calls.tasks.open_once(session, wanted)

    async def _tell_both(
        self, session: AsyncSession, shift: DriverShift, driver_ref: str, given: Given
    ) -> None:
        first = given.moved[0]
        first_at = first.planned_at or first.window_start_at or shift.starts_at
        await self._texts.tell(
            session,
            shift.platform,
            driver_ref,
            "utter_driver_route_given",
            stops=str(len(given.moved)),
            eta=self._texts.say_clock(first_at, first.timezone),
            place=place_of(first.address_line),
        )
        # Who refused knows it; who said nothing may be on the way to the depot.
        if shift.state is ShiftState.SILENT:
            await self._texts.tell(
                session,
                shift.platform,
                shift.driver_ref,
                "utter_driver_route_taken",
            )
