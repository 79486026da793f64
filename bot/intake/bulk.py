"""What cannot be taken back: many windows moved at once, routes sent to drivers. Two people must want it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID, uuid4

import structlog
from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.desk.models import DeskTask
from bot.desk.service import DeskTasks, TaskWanted
from bot.durable.queue import defer
from bot.intake import jobs
from bot.intake.applying import ChangeWriter
from bot.intake.change_rules import shifted
from bot.intake.changes import ChangeWanted, new_change
from bot.intake.forms import Finding
from bot.intake.models import BulkChange, BulkKind, BulkState, ChangeKind, ChangeState, Source, StopChange
from bot.intake.queries import day_bounds
from bot.intake.reasons import Because
from bot.intake.telling import id_of_key
from bot.sop import ProtocolInForce
from bot.stops.models import OPEN_STATUSES, RouteRecord, StopRecord
from connectors.base import RoutingPlatform
from connectors.desk import Choice, TaskAction, TaskFacts, TaskKind, TaskState
from connectors.errors import PlatformError, PlatformRejectedError, PlatformUnavailableError

log = structlog.get_logger()

PEOPLE = 2
MOST_STOPS = 2000
ADDRESSES_SHOWN = 8
_TASKS = {
    BulkKind.MOVE_WINDOWS: TaskKind.MOVE_WINDOWS,
    BulkKind.RELEASE_ROUTES: TaskKind.RELEASE_ROUTES,
}


@dataclass(frozen=True)
class BulkWanted:
    """One command that two people must want. `among` names a route or a zone of moved windows."""

    kind: BulkKind
    command_id: str
    dispatcher: str
    day: date
    channel: str | None = None
    among: str = ""
    client: str = ""
    minutes: int = 0
    platform: str = ""


class BulkChanges:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        platforms: dict[str, RoutingPlatform],
        tasks: DeskTasks,
        writer: ChangeWriter,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._platforms = platforms
        self._tasks = tasks
        self._writer = writer
        for kind in _TASKS.values():
            tasks.on_decided(kind, self._decided)

    async def ask(self, wanted: BulkWanted) -> int:
        """Posts it for a second person; gives how many stops it is about, 0 when nothing was posted."""
        async with self._database.transaction() as session:
            stops = await self._stops_meant(session, wanted)
            if not stops and wanted.kind is BulkKind.MOVE_WINDOWS:
                return 0
            known = await session.scalar(
                select(BulkChange).where(col(BulkChange.command_id) == wanted.command_id)
            )
            if known is None:
                await self._open(session, wanted, stops)
            return len(stops)

    async def _open(self, session: AsyncSession, wanted: BulkWanted, stops: Sequence[StopRecord]) -> None:
        bulk = BulkChange(
            id=uuid4(),
            kind=wanted.kind,
            command_id=wanted.command_id,
            platform=wanted.platform,
            day=wanted.day,
            minutes=wanted.minutes,
            stop_ids=[str(stop.id) for stop in stops] if wanted.kind is BulkKind.MOVE_WINDOWS else [],
            asked_by=wanted.dispatcher,
            asked_at=self._clock.now(),
        )
        session.add(bulk)
        await session.flush()
        bulk.task_id = await self._tasks.open_once(session, self._task(bulk, wanted, stops))
        self._record(session, bulk, "asked", wanted.dispatcher, stops=len(stops))

    def _task(self, bulk: BulkChange, wanted: BulkWanted, stops: Sequence[StopRecord]) -> TaskWanted:
        zones = {stop.zone for stop in stops}
        return TaskWanted(
            kind=_TASKS[bulk.kind],
            key=f"bulk:{bulk.id}",
            timezone=self._sop.current.operator.timezone,
            zone=zones.pop() if len(zones) == 1 else "",
            client=wanted.client,
            choices=(Choice.APPROVE, Choice.DECLINE),
            approvals_needed=PEOPLE,
            approved_by=(wanted.dispatcher,),
            channel=wanted.channel,
            facts=_facts(bulk, wanted.among or wanted.platform, stops),
        )

    async def _stops_meant(self, session: AsyncSession, wanted: BulkWanted) -> list[StopRecord]:
        """The open stops that begin on the day, in the order of their windows."""
        since, until = day_bounds(wanted.day, self._sop.current.operator.timezone)
        conditions = [
            col(StopRecord.status).in_(OPEN_STATUSES),
            col(StopRecord.window_start_at) >= since,
            col(StopRecord.window_start_at) < until,
        ]
        if wanted.platform:
            conditions.append(col(StopRecord.platform) == wanted.platform)
        if wanted.client:
            conditions.append(func.lower(col(StopRecord.client)) == wanted.client.lower())
        if wanted.among:
            conditions.append(
                or_(
                    func.lower(col(StopRecord.zone)) == wanted.among.lower(),
                    col(StopRecord.route_ref).in_(_routes_named(wanted.among, wanted.day)),
                )
            )
        found = await session.scalars(
            select(StopRecord).where(*conditions).order_by(col(StopRecord.window_start_at)).limit(MOST_STOPS)
        )
        return list(found)

    # --- deciding and carrying out ----------------------------------------------------------------

    async def _decided(self, session: AsyncSession, task: DeskTask, action: TaskAction) -> TaskState:
        bulk = await session.get_one(BulkChange, id_of_key(task.key), with_for_update=True)
        if bulk.state is not BulkState.ASKED:
            return TaskState.EXPIRED
        if action.choice is not Choice.APPROVE:
            bulk.state, bulk.settled_at = BulkState.DECLINED, self._clock.now()
            self._record(session, bulk, "declined", action.dispatcher)
            return TaskState.DECLINED
        bulk.state = BulkState.CARRYING_OUT
        self._record(session, bulk, "approved", action.dispatcher)
        await defer(session, jobs.carry_out_bulk, lock=f"bulk:{bulk.id}", bulk_id=str(bulk.id))
        return TaskState.CARRYING_OUT

    async def carry_out(self, bulk_id: UUID) -> None:
        """Stop by stop; run again it goes on where it was.

        Raises `PlatformUnavailableError`: to be tried again.
        """
        async with self._database.transaction() as session:
            bulk = await session.get_one(BulkChange, bulk_id)
        if bulk.state is not BulkState.CARRYING_OUT:
            return
        if bulk.kind is BulkKind.RELEASE_ROUTES:
            await self._release(bulk)
            return
        for stop_id in bulk.stop_ids:
            change_id = await self._change_of(bulk, UUID(stop_id))
            if change_id is not None:
                await self._writer.apply(change_id)
        await self._conclude_moves(bulk_id)

    async def _change_of(self, bulk: BulkChange, stop_id: UUID) -> UUID | None:
        """This stop's own change, made once: its new window counts from what was promised then."""
        origin = f"bulk:{bulk.id}"
        async with self._database.transaction() as session:
            stop = await session.get_one(StopRecord, stop_id, with_for_update=True)
            known = await session.scalar(
                select(StopChange).where(col(StopChange.stop_id) == stop_id, col(StopChange.origin) == origin)
            )
            if known is not None:
                return known.id
            window = shifted(stop.window, timedelta(minutes=bulk.minutes)) if stop.window else None
            wanted = ChangeWanted(stop_id, ChangeKind.WINDOW, Source.SLACK, bulk.asked_by, origin, window)
            change = new_change(stop, wanted, self._clock)
            change.bulk_id, change.tried_at = bulk.id, self._clock.wall()
            if (because := self._why_not(stop, change)) is not None:
                change.state, change.settled_at = ChangeState.REFUSED, self._clock.now()
                change.reasons = [Finding(code=because).model_dump()]
            session.add(change)
            return change.id

    def _why_not(self, stop: StopRecord, change: StopChange) -> Because | None:
        if not stop.is_open or change.wanted is None:
            return Because.FINISHED
        return Because.PAST if change.wanted.end_at <= self._clock.now() else None

    async def _release(self, bulk: BulkChange) -> None:
        platform = self._platforms.get(bulk.platform)
        if platform is None:
            await self._conclude(bulk.id, applied=0, refused=[Because.NO_PLATFORM])
            return
        try:
            await platform.release_routes(bulk.day)
        except PlatformUnavailableError:
            raise
        except PlatformRejectedError as exc:
            await self._conclude(bulk.id, applied=0, refused=[exc.code or "refused"], detail=exc.detail)
        except PlatformError as exc:
            await self._conclude(bulk.id, applied=0, refused=[Because.UNAVAILABLE], detail=exc.detail)
        else:
            await self._conclude(bulk.id, applied=1, refused=[])

    async def _conclude_moves(self, bulk_id: UUID) -> None:
        async with self._database.transaction() as session:
            changes = list(
                await session.scalars(select(StopChange).where(col(StopChange.bulk_id) == bulk_id))
            )
        refused = tuple(
            code for change in changes if change.state is not ChangeState.APPLIED for code in change.codes
        )
        applied = sum(change.state is ChangeState.APPLIED for change in changes)
        await self._conclude(bulk_id, applied=applied, refused=refused)

    async def _conclude(
        self, bulk_id: UUID, *, applied: int, refused: Sequence[str], detail: str = ""
    ) -> None:
        async with self._database.transaction() as session:
            bulk = await session.get_one(BulkChange, bulk_id, with_for_update=True)
            if bulk.state is not BulkState.CARRYING_OUT:
                return
            bulk.state, bulk.settled_at = BulkState.DONE, self._clock.now()
            bulk.applied, bulk.refused = applied, len(refused)
            self._record(session, bulk, "carried_out", audit.SYSTEM, applied=applied, refused=len(refused))
            task = await self._tasks.find_open(session, f"bulk:{bulk.id}")
            if task is None:
                return
            told = {"stops_done": applied, "reasons": sorted(set(refused)), "detail": detail}
            task.facts = task.facts | told
            is_refused = not applied and bool(refused)
            await self._tasks.settle(
                session,
                task.id,
                TaskState.EXPIRED if is_refused else TaskState.APPROVED,
                "platform_refused" if is_refused else "",
            )

    def _record(
        self, session: AsyncSession, bulk: BulkChange, verb: str, actor: str, **details: object
    ) -> None:
        audit.record(
            session,
            self._clock.now(),
            "bulk_change",
            str(bulk.id),
            verb,
            actor=actor,
            kind=bulk.kind.value,
            **details,
        )


def _facts(bulk: BulkChange, among: str, stops: Sequence[StopRecord]) -> TaskFacts:
    first = next((stop.window for stop in stops if stop.window), None)
    is_move = bulk.kind is BulkKind.MOVE_WINDOWS
    return TaskFacts(
        day=bulk.day,
        route_name=among,
        stops=len(stops),
        window=first if is_move else None,
        wanted_window=shifted(first, timedelta(minutes=bulk.minutes)) if first and is_move else None,
        addresses=tuple(stop.address_line for stop in stops[:ADDRESSES_SHOWN]),
        asked_by=bulk.asked_by,
    )


def _routes_named(name: str, day: date) -> Select[str]:
    return select(col(RouteRecord.platform_ref)).where(
        col(RouteRecord.day) == day,
        or_(func.lower(col(RouteRecord.name)) == name.lower(), col(RouteRecord.platform_ref) == name),
    )
