"""Other windows and cancellations, wanted by clients: judged, written to the platform by a job, answered."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.conversations.privacy import masked
from bot.db import Database
from bot.desk.models import DeskTask
from bot.desk.service import DeskTasks
from bot.durable.queue import defer
from bot.intake import jobs
from bot.intake.change_rules import against_cancelling, against_move
from bot.intake.forms import Finding
from bot.intake.models import ChangeKind, ChangeState, Source, StopChange
from bot.intake.queries import booked_in, take_turn, windows_of_zone
from bot.intake.reasons import Because, Verdict, verdict_of
from bot.intake.rules import WindowRules, local_day_of, window_rules
from bot.intake.telling import (
    TOLD_OF_WINDOWS,
    TellClient,
    change_facts,
    change_key,
    id_of_key,
    task_of_change,
)
from bot.sop import ProtocolInForce
from bot.stops.models import StopRecord
from connectors.base import DeliveryWindow
from connectors.desk import Choice, TaskAction, TaskKind, TaskState

TASK_KINDS = {ChangeKind.WINDOW: TaskKind.CHANGE_WINDOW, ChangeKind.CANCEL: TaskKind.CANCEL_STOP}
LOOK_AGAIN_SECONDS = 0.05
UNSETTLED = (ChangeState.NEEDS_DISPATCHER, ChangeState.APPLYING)


@dataclass(frozen=True)
class ChangeWanted:
    """What is to be done with one stop, and who wants it."""

    stop_id: UUID
    kind: ChangeKind
    source: Source
    asked_by: str
    origin: str
    """The same again for the same stop is the same change."""
    window: DeliveryWindow | None = None
    note: str = ""
    approvals: int = 1
    """People who must want it where the rules leave it to dispatchers; with two, who asks is the first."""


@dataclass(frozen=True)
class Answered:
    """`change` is None where it was refused at once; then `codes` say why."""

    stop: StopRecord
    change: StopChange | None
    codes: tuple[str, ...] = ()


class ChangeService:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        tasks: DeskTasks,
        tell_client: TellClient,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._tasks = tasks
        self._tell_client = tell_client
        for kind in TASK_KINDS.values():
            tasks.on_decided(kind, self._decided)
            tasks.on_expired(kind, self._expired)

    async def ask(self, wanted: ChangeWanted) -> Answered:
        """Judges one change and sends it on its way, to the platform or to a dispatcher.

        A wish that is pending already is not asked twice; a newer one takes the place of one that waits for a
        dispatcher.
        """
        async with self._database.transaction() as session:
            await take_turn(session)
            stop = await session.get_one(StopRecord, wanted.stop_id, with_for_update=True)
            same = await self._same(session, wanted)
            if same is not None:
                return Answered(stop, same, same.codes)
            reasons = await self._against(session, stop, wanted)
            verdict = verdict_of(reasons)
            if verdict is Verdict.REFUSE:
                return Answered(stop, None, tuple(reasons))
            change = await self._keep(session, stop, wanted, reasons)
            return Answered(stop, change, change.codes)

    async def settled(self, change_id: UUID, within: timedelta) -> StopChange:
        """The change once it has left `applying`, or as it is after so much wall time."""
        loop = asyncio.get_running_loop()
        until = loop.time() + within.total_seconds()
        while True:
            async with self._database.transaction() as session:
                change = await session.get_one(StopChange, change_id)
            if change.state is not ChangeState.APPLYING or loop.time() >= until:
                return change
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def find(self, change_id: UUID) -> StopChange | None:
        async with self._database.transaction() as session:
            return await session.get(StopChange, change_id)

    async def close_moot(self) -> int:
        """Ends what waits for a dispatcher while its stop is over; gives how many."""
        async with self._database.transaction() as session:
            found = await session.scalars(
                select(StopChange)
                .join(StopRecord, col(StopRecord.id) == col(StopChange.stop_id))
                .where(
                    col(StopChange.state) == ChangeState.NEEDS_DISPATCHER,
                    col(StopRecord.completed_at).is_not(None),
                )
                .limit(100)
                .with_for_update(of=StopChange, skip_locked=True)
            )
            moot = list(found)
            for change in moot:
                await self.end(session, change, ChangeState.REFUSED, Because.FINISHED)
                await self._tasks.close(session, change_key(change.id))
        return len(moot)

    # --- judging --------------------------------------------------------------------------------

    async def _same(self, session: AsyncSession, wanted: ChangeWanted) -> StopChange | None:
        changes = await session.scalars(
            select(StopChange)
            .where(col(StopChange.stop_id) == wanted.stop_id, col(StopChange.kind) == wanted.kind)
            .order_by(col(StopChange.asked_at).desc())
            .limit(50)
        )
        for change in changes:
            is_pending = change.state in UNSETTLED and change.wanted == wanted.window
            if change.origin == wanted.origin or is_pending:
                return change
            if change.kind is ChangeKind.CANCEL and change.state is ChangeState.APPLIED:
                return change
        return None

    async def _against(self, session: AsyncSession, stop: StopRecord, wanted: ChangeWanted) -> list[Because]:
        if wanted.window is None:
            return against_cancelling(stop.status)
        if stop.window == wanted.window and stop.is_open:
            return []
        client = self._sop.current.client(stop.client)
        rules = await self._rules(session, stop, wanted.window)
        moves = await _moves_so_far(session, stop.id)
        return against_move(stop.status, stop.window, wanted.window, client, moves, rules)

    async def _rules(self, session: AsyncSession, stop: StopRecord, window: DeliveryWindow) -> WindowRules:
        protocol = self._sop.current
        zone = next((zone for zone in protocol.zones if zone.name == stop.zone), None)
        cutoff = timedelta(minutes=protocol.client(stop.client).window_cutoff_minutes)
        day = local_day_of(window, stop.timezone)
        held = await windows_of_zone(session, stop.zone, day, stop.timezone, without=stop.id)
        hours = [(each.start, each.end) for each in protocol.redelivery.windows]
        booked = booked_in(held, stop.timezone, hours)
        return window_rules(protocol, self._clock.now(), stop.timezone, zone, booked, cutoff)

    async def _keep(
        self, session: AsyncSession, stop: StopRecord, wanted: ChangeWanted, reasons: list[Because]
    ) -> StopChange:
        await self._supersede(session, wanted)
        change = new_change(stop, wanted, self._clock)
        change.reasons = [Finding(code=code).model_dump() for code in reasons]
        change.state = ChangeState.NEEDS_DISPATCHER if reasons else ChangeState.APPLYING
        session.add(change)
        await session.flush()
        self._record(session, change, actor=wanted.asked_by)
        if reasons:
            kind = TASK_KINDS[change.kind]
            await self._tasks.open_once(
                session, task_of_change(change, stop, kind, approvals=wanted.approvals)
            )
        elif stop.window == wanted.window and wanted.window is not None:
            await self.end(session, change, ChangeState.APPLIED)
        else:
            await ask_to_apply(session, change, self._clock)
        return change

    async def _supersede(self, session: AsyncSession, wanted: ChangeWanted) -> None:
        waiting = await session.scalars(
            select(StopChange)
            .where(
                col(StopChange.stop_id) == wanted.stop_id,
                col(StopChange.kind) == wanted.kind,
                col(StopChange.state) == ChangeState.NEEDS_DISPATCHER,
            )
            .with_for_update()
        )
        for change in list(waiting):
            await self.end(session, change, ChangeState.DECLINED, Because.SUPERSEDED)
            await self._tasks.close(session, change_key(change.id))

    # --- deciding and ending --------------------------------------------------------------------

    async def _decided(self, session: AsyncSession, task: DeskTask, action: TaskAction) -> TaskState:
        """In the gesture's transaction; what is approved is written to the platform by a job."""
        change = await session.get_one(StopChange, id_of_key(task.key), with_for_update=True)
        if change.state is not ChangeState.NEEDS_DISPATCHER:
            return TaskState.EXPIRED
        change.decided_by = action.dispatcher
        if action.choice is Choice.APPROVE:
            change.state = ChangeState.APPLYING
            await ask_to_apply(session, change, self._clock)
            return TaskState.CARRYING_OUT
        is_done = action.choice is Choice.DONE
        state = ChangeState.APPLIED if is_done else ChangeState.DECLINED
        await self.end(session, change, state, None if is_done else Because.DECLINED)
        return TaskState.DONE if is_done else TaskState.DECLINED

    async def _expired(self, session: AsyncSession, task: DeskTask) -> None:
        change = await session.get_one(StopChange, id_of_key(task.key), with_for_update=True)
        if change.state is ChangeState.NEEDS_DISPATCHER:
            await self.end(session, change, ChangeState.DECLINED, Because.PAST)

    async def end(
        self, session: AsyncSession, change: StopChange, state: ChangeState, because: str | None = None
    ) -> None:
        """Its last state, for the audit log and for the client's system."""
        change.state, change.settled_at = state, self._clock.now()
        if because is not None:
            change.reasons = [Finding(code=because).model_dump()]
        elif state is ChangeState.APPLIED:
            change.reasons = []
        self._record(session, change, actor=change.decided_by or audit.SYSTEM)
        if change.kind is ChangeKind.WINDOW:
            kind = TOLD_OF_WINDOWS[state]
            await self._tell_client(session, change.client, kind, change.id, change_facts(change))

    def _record(self, session: AsyncSession, change: StopChange, *, actor: str) -> None:
        audit.record(
            session,
            self._clock.now(),
            "stop",
            str(change.stop_id),
            f"{change.kind.value}_change_{change.state.value}",
            actor=actor or audit.SYSTEM,
            change_id=str(change.id),
            source=change.source.value,
            reasons=list(change.codes),
        )


def new_change(stop: StopRecord, wanted: ChangeWanted, clock: Clock) -> StopChange:
    return StopChange(
        id=uuid4(),
        kind=wanted.kind,
        stop_id=stop.id,
        client=stop.client,
        source=wanted.source,
        origin=wanted.origin,
        wanted_start_at=wanted.window.start_at if wanted.window else None,
        wanted_end_at=wanted.window.end_at if wanted.window else None,
        earlier_start_at=stop.window_start_at,
        earlier_end_at=stop.window_end_at,
        note=masked(wanted.note),
        state=ChangeState.APPLYING,
        asked_by=wanted.asked_by,
        asked_at=clock.now(),
    )


async def ask_to_apply(session: AsyncSession, change: StopChange, clock: Clock) -> None:
    """Changes of one stop are written one after the other, in the order in which they were allowed."""
    change.tried_at = clock.wall()
    await defer(session, jobs.apply_stop_change, lock=f"change:{change.stop_id}", change_id=str(change.id))


async def _moves_so_far(session: AsyncSession, stop_id: UUID) -> int:
    """Moves that the client made by itself: a dispatcher's do not use up its number."""
    return (
        await session.scalar(
            select(func.count()).where(
                col(StopChange.stop_id) == stop_id,
                col(StopChange.kind) == ChangeKind.WINDOW,
                col(StopChange.source) == Source.API,
                col(StopChange.state).in_((ChangeState.APPLIED, ChangeState.APPLYING)),
                col(StopChange.wanted_start_at).is_distinct_from(col(StopChange.earlier_start_at))
                | col(StopChange.wanted_end_at).is_distinct_from(col(StopChange.earlier_end_at)),
            )
        )
        or 0
    )
