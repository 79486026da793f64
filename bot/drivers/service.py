"""Asks drivers before their shifts, notices who says nothing, and shows vans that are too full.

A look reads the day once; each step is a transaction of its own that looks at its shift again, locked. A dispatcher's
press locks the task before the shift, and so does everything here.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.drivers import queries, rules
from bot.drivers.calling import ShiftCalls
from bot.drivers.models import DriverShift
from bot.drivers.rules import Run, Step
from bot.drivers.texts import DriverTexts, place_of
from bot.sop import ProtocolInForce, local_day
from bot.stops.models import DriverRecord
from connectors.desk import ShiftState

log = structlog.get_logger()


class ShiftService:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        texts: DriverTexts,
        calls: ShiftCalls,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._texts = texts
        self._calls = calls

    async def look(self) -> int:
        """Does what is due for every driver's run of today; gives how many steps were taken."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            runs = await queries.todays_runs(session, now)
            shifts = await queries.shifts_of(session, runs)
            drivers = await queries.drivers_of(session, {run.platform for run in runs})
            waiting = await queries.open_asks(session, _days(runs, now, self._sop.current.operator.timezone))
        taken = 0
        if self._sop.current.shifts.enabled:
            taken += await self._confirmations(runs, shifts)
            taken += await self._vanished(runs, waiting)
        return taken + await self._overloads(runs, shifts, drivers)

    # --- confirmation -----------------------------------------------------------------------------

    async def _confirmations(self, runs: list[Run], shifts: dict[tuple[str, str, date], DriverShift]) -> int:
        protocol, now = self._sop.current.shifts, self._clock.now()
        taken = 0
        for run in runs:
            shift = shifts.get((run.platform, run.driver_ref, run.day))
            if rules.next_step(run, shift, protocol, now) is not Step.NOTHING:
                taken += await self._take(run, runs)
        return taken

    async def _take(self, run: Run, runs: list[Run]) -> bool:
        async with self._database.transaction() as session:
            shift = await self._shift(session, run)
            # What was due a moment ago may have been answered, or done by another process.
            step = rules.next_step(run, shift, self._sop.current.shifts, self._clock.now())
            if step is Step.ASK:
                await self._ask(session, shift, run, runs)
            elif step is Step.TELL_CHANGE:
                await self._tell_change(session, shift, run)
            elif step is Step.NO_ANSWER:
                self._record(session, shift, ShiftState.SILENT, "silent")
                await self._calls.unconfirmed(session, shift, run, runs)
            elif step is Step.BEGUN:
                self._record(session, shift, ShiftState.CONFIRMED, "began")
                await self._calls.tasks.close(session, shift.key)
            elif step is Step.GONE:
                await self._forget(session, shift)
        return step is not Step.NOTHING

    async def _vanished(self, runs: list[Run], waiting: list[DriverShift]) -> int:
        """Shifts that wait for a word although every stop has gone to somebody else."""
        have_runs = {(run.platform, run.driver_ref, run.day) for run in runs}
        gone = [each for each in waiting if (each.platform, each.driver_ref, each.day) not in have_runs]
        for each in gone:
            async with self._database.transaction() as session:
                await self._calls.tasks.find_open(session, each.key)
                await self._forget(session, await queries.locked(session, each.id))
        return len(gone)

    async def _forget(self, session: AsyncSession, shift: DriverShift) -> None:
        """A route that comes later is asked about anew."""
        self._record(session, shift, ShiftState.NOT_ASKED, "route_gone")
        shift.asked_at = shift.asked_again_at = shift.deadline_at = None
        await self._calls.tasks.close(session, shift.key)

    async def _ask(self, session: AsyncSession, shift: DriverShift, run: Run, runs: list[Run]) -> None:
        now = self._clock.now()
        unreachable = await self._texts.why_unreachable(session, run.platform, run.driver_ref)
        shift.asked_at = now
        _note_told(shift, run)
        if unreachable:
            self._record(session, shift, ShiftState.NOT_ASKED, "not_reachable", reason=unreachable)
            await self._calls.unconfirmed(session, shift, run, runs, unreachable)
            return
        shift.phone = await self._texts.find_phone(session, run.platform, run.driver_ref)
        shift.deadline_at = rules.deadline(run, self._sop.current.shifts, now)
        self._record(session, shift, ShiftState.ASKED, "asked")
        place, eta = place_of(run.first.address_line), self._first_time(run)
        if len(run.stops) == 1:
            await self._texts.tell(
                session,
                run.platform,
                run.driver_ref,
                "utter_driver_ask_shift_one",
                eta=eta,
                place=place,
            )
        else:
            await self._texts.tell(
                session,
                run.platform,
                run.driver_ref,
                "utter_driver_ask_shift",
                stops=str(len(run.stops)),
                eta=eta,
                place=place,
            )

    async def _tell_change(self, session: AsyncSession, shift: DriverShift, run: Run) -> None:
        _note_told(shift, run)
        if await queries.hears_of_each_stop(session, run):
            return
        self._record(session, shift, shift.state, "told_change", stops=len(run.stops))
        await self._texts.tell(
            session,
            run.platform,
            run.driver_ref,
            "utter_driver_route_changed",
            stops=str(len(run.stops)),
            eta=self._first_time(run),
            place=place_of(run.first.address_line),
        )

    def _first_time(self, run: Run) -> str:
        return self._texts.say_clock(run.first.due_at or run.starts_at, run.timezone)

    # --- capacity ---------------------------------------------------------------------------------

    async def _overloads(
        self,
        runs: list[Run],
        shifts: dict[tuple[str, str, date], DriverShift],
        drivers: list[DriverRecord],
    ) -> int:
        by_ref = {(driver.platform, driver.platform_ref): driver for driver in drivers}
        now, changed = self._clock.now(), 0
        for run in runs:
            driver = by_ref.get((run.platform, run.driver_ref))
            shift = shifts.get((run.platform, run.driver_ref, run.day))
            overload = rules.overload_of(run, driver, now)
            if (overload or "") != (shift.overload if shift is not None else ""):
                await self._show_overload(run, driver, overload)
                changed += 1
        return changed

    async def _show_overload(
        self, run: Run, driver: DriverRecord | None, overload: rules.Overload | None
    ) -> None:
        async with self._database.transaction() as session:
            shift = await self._shift(session, run, lambda shift: shift.overload_key)
            if shift.overload == (overload or ""):
                return
            shift.overload = overload or ""
            self._record(session, shift, shift.state, "overload", overload=shift.overload)
            if overload is None or driver is None:
                await self._calls.tasks.close(session, shift.overload_key, "cured")
            else:
                await self._calls.overloaded(session, shift, run, driver, overload)

    # --- inside -----------------------------------------------------------------------------------

    async def _shift(
        self, session: AsyncSession, run: Run, key: Callable[[DriverShift], str] = lambda shift: shift.key
    ) -> DriverShift:
        """The run's shift, locked after its task; made where there is none."""
        identity = {"platform": run.platform, "driver_ref": run.driver_ref, "day": run.day}
        await session.execute(
            insert(DriverShift)
            .values(**identity, **_blank(run))
            .on_conflict_do_nothing(index_elements=list(identity))
        )
        same = [getattr(DriverShift, name) == value for name, value in identity.items()]
        shift = (await session.scalars(select(DriverShift).where(*same))).one()
        await self._calls.tasks.find_open(session, key(shift))
        return await queries.locked(session, shift.id)

    def _record(
        self, session: AsyncSession, shift: DriverShift, state: ShiftState, verb: str, **details: Any
    ) -> None:
        shift.state = state
        audit.record(session, self._clock.now(), "shift", str(shift.id), verb, **details)


def _blank(run: Run) -> dict[str, Any]:
    return {
        "timezone": run.timezone,
        "zone": run.zone,
        "route_ref": run.route_ref,
        "state": ShiftState.NOT_ASKED,
        "stops": len(run.stops),
        "starts_at": run.starts_at,
        "first_address": run.first.address_line,
        "words": "",
        "overload": "",
    }


def _note_told(shift: DriverShift, run: Run) -> None:
    """What the driver hears now is what later changes are measured by."""
    shift.route_ref, shift.zone, shift.timezone = run.route_ref, run.zone, run.timezone
    shift.stops, shift.starts_at = len(run.stops), run.starts_at
    shift.first_address = run.first.address_line


def _days(runs: list[Run], now: datetime, timezone: str) -> set[date]:
    return {run.day for run in runs} | {local_day(now, timezone)}
