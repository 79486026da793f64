"""Texts the driver of its stops; the answer comes back into the thread (`bot/drivers/asking.py`)."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.drivers.asking import DriverAsking
from bot.escalations.deeds.working import open_stops, work_on
from bot.escalations.models import Escalation
from bot.escalations.rules import Verdict
from bot.escalations.thread import show
from bot.sop import ProtocolInForce
from bot.stops.models import StopRecord
from connectors.escalation import DispatcherAction


class ContactDriver:
    def __init__(self, clock: Clock, sop: ProtocolInForce, asking: DriverAsking) -> None:
        self._clock = clock
        self._sop = sop
        self._asking = asking

    async def do(self, session: AsyncSession, escalation: Escalation, action: DispatcherAction) -> Verdict:
        """One text to each of its drivers, about the stop of theirs whose window ends first."""
        firsts: dict[tuple[str, str], StopRecord] = {}
        for stop in await open_stops(session, escalation.id):
            if stop.driver_ref is not None:
                firsts.setdefault((stop.platform, stop.driver_ref), stop)
        if not firsts:
            return Verdict.NOT_POSSIBLE
        await work_on(session, escalation, action, self._sop.current.escalations, self._clock.now())
        for stop in firsts.values():
            await self._asking.ask(session, escalation, stop, action)
        await show(session, escalation)
        return Verdict.APPLIED
