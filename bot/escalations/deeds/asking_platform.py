"""Deeds that only the routing platform can do: other drivers, other windows. Asked for here, done by a job."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.durable.queue import defer, lane_of
from bot.escalations.deeds import jobs
from bot.escalations.deeds.models import DeedWrite, WriteKind, WriteState
from bot.escalations.deeds.working import open_stops, work_on
from bot.escalations.models import Escalation
from bot.escalations.rules import Verdict
from bot.escalations.thread import note
from bot.intake.local_times import read_window
from bot.sop import ProtocolInForce
from bot.stops.models import DriverRecord, StopRecord
from connectors.base import Capability, DeliveryWindow, RoutingPlatform
from connectors.escalation import DispatcherAction, Happening

NEEDS = {WriteKind.REASSIGN: Capability.ASSIGN_DRIVER, WriteKind.MOVE_WINDOW: Capability.CHANGE_WINDOW}


class PlatformAsking:
    """Keeps what is wanted of a platform, with its job. Nothing is claimed before the platform has answered."""

    def __init__(self, clock: Clock, sop: ProtocolInForce, platforms: Mapping[str, RoutingPlatform]) -> None:
        self._clock = clock
        self._sop = sop
        self._platforms = platforms

    def can(self, stop: StopRecord, kind: WriteKind) -> bool:
        platform = self._platforms.get(stop.platform)
        return platform is not None and NEEDS[kind] in platform.capabilities

    async def ask(
        self,
        session: AsyncSession,
        escalation: Escalation,
        action: DispatcherAction,
        kind: WriteKind,
        wanted: Sequence[tuple[StopRecord, Mapping[str, Any]]],
    ) -> None:
        """One row and one job per stop; what the same stop waits for already is not asked for twice."""
        now = self._clock.now()
        await work_on(session, escalation, action, self._sop.current.escalations, now)
        if words := (action.fields.get("note") or action.fields.get("reason") or "").strip():
            note(session, escalation, Happening.NOTED, now, dispatcher=action.dispatcher, words=words)
        for stop, what in wanted:
            if not await self._is_under_way(session, stop, kind, what):
                await self._keep(session, escalation, action, kind, stop, what)

    async def _keep(
        self,
        session: AsyncSession,
        escalation: Escalation,
        action: DispatcherAction,
        kind: WriteKind,
        stop: StopRecord,
        what: Mapping[str, Any],
    ) -> None:
        write = DeedWrite(
            id=uuid4(),
            escalation_id=escalation.id,
            stop_id=stop.id,
            kind=kind,
            wanted=dict(what),
            asked_by=action.dispatcher,
            asked_in=action.channel,
            asked_at=self._clock.now(),
            tried_at=self._clock.wall(),
        )
        session.add(write)
        await ask_for_write(session, write, stop.platform)
        audit.record(
            session,
            self._clock.now(),
            "escalation",
            str(escalation.id),
            f"{kind.value}_asked",
            actor=action.dispatcher,
            stop_id=str(stop.id),
        )

    async def _is_under_way(
        self, session: AsyncSession, stop: StopRecord, kind: WriteKind, what: Mapping[str, Any]
    ) -> bool:
        found = await session.scalars(
            select(DeedWrite).where(
                col(DeedWrite.stop_id) == stop.id,
                col(DeedWrite.kind) == kind,
                col(DeedWrite.state) == WriteState.ASKED,
            )
        )
        return any(write.wanted == dict(what) for write in found)


async def ask_for_write(session: AsyncSession, write: DeedWrite, platform: str) -> None:
    """Changes of one stop are written one after the other; shared with the changes that clients want."""
    await defer(
        session,
        jobs.carry_out_deed,
        lock=f"change:{write.stop_id}",
        lane=lane_of(platform),
        write_id=str(write.id),
    )


class Reassign:
    def __init__(self, asking: PlatformAsking) -> None:
        self._asking = asking

    async def do(self, session: AsyncSession, escalation: Escalation, action: DispatcherAction) -> Verdict:
        """Gives stops to another driver of the same account."""
        stops = await open_stops(session, escalation.id, action.fields.get("stop_ids", ""))
        driver = await _driver(session, stops, action.fields.get("driver", ""))
        if driver is None:
            return Verdict.NOT_POSSIBLE
        fitting = [
            stop
            for stop in stops
            if stop.platform == driver.platform
            and stop.driver_ref != driver.platform_ref
            and self._asking.can(stop, WriteKind.REASSIGN)
        ]
        if not fitting:
            return Verdict.NOT_POSSIBLE
        what = {"driver": driver.platform_ref, "driver_name": driver.name}
        wanted = [(stop, what) for stop in fitting]
        await self._asking.ask(session, escalation, action, WriteKind.REASSIGN, wanted)
        return Verdict.APPLIED


class MoveWindow:
    def __init__(self, clock: Clock, asking: PlatformAsking) -> None:
        self._clock = clock
        self._asking = asking

    async def do(self, session: AsyncSession, escalation: Escalation, action: DispatcherAction) -> Verdict:
        """Moves the promise of one stop. Times are local to the stop; the recipient is told once it is so."""
        fields = action.fields
        wanted = fields.get("stop_id", "").strip()
        stops = await open_stops(session, escalation.id, wanted) if wanted else []
        window = self._window(fields, stops[0]) if stops else None
        if window is None or not self._asking.can(stops[0], WriteKind.MOVE_WINDOW):
            return Verdict.NOT_POSSIBLE
        if window == stops[0].window:
            return Verdict.NOTHING_TO_DO
        what = {
            "start_at": window.start_at.isoformat(),
            "end_at": window.end_at.isoformat(),
            "tell": fields.get("tell", "yes") == "yes",
        }
        await self._asking.ask(session, escalation, action, WriteKind.MOVE_WINDOW, [(stops[0], what)])
        return Verdict.APPLIED

    def _window(self, fields: Mapping[str, str], stop: StopRecord) -> DeliveryWindow | None:
        start_at, end_at, unread = read_window(
            fields.get("date", ""), fields.get("start", ""), fields.get("end", ""), stop.timezone
        )
        if unread or start_at is None or end_at is None:
            return None
        if start_at >= end_at or end_at <= self._clock.now():
            return None
        return DeliveryWindow(start_at=start_at, end_at=end_at)


async def _driver(session: AsyncSession, stops: list[StopRecord], driver_ref: str) -> DriverRecord | None:
    platforms = {stop.platform for stop in stops}
    return await session.scalar(
        select(DriverRecord).where(
            col(DriverRecord.platform).in_(platforms), col(DriverRecord.platform_ref) == driver_ref
        )
    )
