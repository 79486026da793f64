"""Calls a dispatcher about a driver's day: a route that nobody confirmed, a van that is too full."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.desk.service import DeskTasks, TaskWanted
from bot.drivers import queries
from bot.drivers.models import DriverShift
from bot.drivers.rules import Overload, Run, suggestions_for
from bot.stops.models import DriverRecord
from connectors.base import Capability, RoutingPlatform
from connectors.desk import Choice, ShiftState, TaskFacts, TaskKind

WHY = {ShiftState.REFUSED: "driver_refused", ShiftState.SILENT: "driver_silent"}


class ShiftCalls:
    def __init__(self, tasks: DeskTasks, platforms: dict[str, RoutingPlatform]) -> None:
        self.tasks = tasks
        self._platforms = platforms

    async def unconfirmed(
        self, session: AsyncSession, shift: DriverShift, run: Run, runs: list[Run], reason: str = ""
    ) -> None:
        """One task per shift while it is open; what the driver wrote and who could take it are kept current.

        `reason` says why no text reaches the driver: `no_phone`, `opted_out`.
        """
        drivers = await queries.drivers_of(session, {run.platform})
        own = _of(drivers, run.driver_ref)
        said_no = await queries.who_did_not_confirm(session, run.platform, run.day)
        suggestions = suggestions_for(run, drivers, runs, taken=said_no)
        platform = self._platforms.get(run.platform)
        can_assign = platform is not None and Capability.ASSIGN_DRIVER in platform.capabilities
        facts = _facts(run, own).model_copy(
            update={
                "answer_by": shift.deadline_at,
                "words": shift.words,
                "reasons": (reason or WHY.get(shift.state, ""),),
                "suggestions": suggestions if can_assign else (),
            }
        )
        wanted = TaskWanted(
            kind=TaskKind.DRIVER_UNCONFIRMED,
            key=shift.key,
            zone=run.zone,
            timezone=run.timezone,
            facts=facts,
            choices=(Choice.ASSIGN, Choice.DONE) if can_assign and suggestions else (Choice.DONE,),
        )
        await self.tasks.open_once(session, wanted)

    async def overloaded(
        self, session: AsyncSession, shift: DriverShift, run: Run, driver: DriverRecord, overload: Overload
    ) -> None:
        facts = _facts(run, driver).model_copy(
            update={"reasons": (f"overload_{overload.value}",), "stops": len(run.open_stops)}
        )
        wanted = TaskWanted(
            kind=TaskKind.OVER_CAPACITY,
            key=shift.overload_key,
            zone=run.zone,
            timezone=run.timezone,
            facts=facts,
            choices=(Choice.DONE,),
        )
        await self.tasks.open_once(session, wanted)


def _of(drivers: list[DriverRecord], driver_ref: str) -> DriverRecord | None:
    return next((driver for driver in drivers if driver.platform_ref == driver_ref), None)


def _facts(run: Run, driver: DriverRecord | None) -> TaskFacts:
    return TaskFacts(
        day=run.day,
        driver_name=driver.name if driver is not None else "",
        driver_phone=driver.phone if driver is not None else None,
        route_name=run.route_name,
        starts_at=run.starts_at,
        address_line=run.first.address_line,
        stops=len(run.stops),
        load=run.load or None,
        capacity=driver.capacity if driver is not None else None,
    )
