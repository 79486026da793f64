"""What becomes of a parcel by the protocol when nobody answers, or by a dispatcher's press."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.durable.queue import defer, lane_of
from bot.recovery import jobs, rules
from bot.recovery.answers import Preference
from bot.recovery.informing import Informing
from bot.recovery.models import Recovery, Why
from bot.recovery.transitions import DEFAULT, Transitions
from bot.sop import ProtocolInForce
from bot.sop_recovery import Ending
from bot.stops.models import StopRecord


class Endings:
    """Each in the caller's transaction, on a follow-up that is locked."""

    def __init__(self, sop: ProtocolInForce, transitions: Transitions, informing: Informing) -> None:
        self._sop = sop
        self._transitions = transitions
        self._informing = informing

    async def by_default(self, session: AsyncSession, recovery: Recovery, stop: StopRecord) -> None:
        match rules.ending_of(self._sop.current.recovery, recovery.client):
            case Ending.NEXT_DAY:
                await self.try_again(session, recovery, stop, DEFAULT)
            case Ending.SEND_BACK:
                await self.send_back(session, recovery, stop, DEFAULT)
            case Ending.DISPATCHER:
                await self._transitions.with_dispatcher(session, recovery, stop, Why.ENDING)

    async def try_again(self, session: AsyncSession, recovery: Recovery, stop: StopRecord, by: str) -> None:
        """On the next service day, in the same hours; written by a job."""
        recovery.preference = {}
        await self._transitions.writing(session, recovery, by)
        await ask_to_write(session, recovery, stop)

    async def send_back(self, session: AsyncSession, recovery: Recovery, stop: StopRecord, by: str) -> None:
        await self._transitions.sent_back(session, recovery, stop, by)
        response = (
            "utter_recovery_told_sent_back" if by == DEFAULT else "utter_recovery_told_sent_back_decided"
        )
        await self._informing.inform(session, recovery, stop, response)

    async def hold(self, session: AsyncSession, recovery: Recovery, stop: StopRecord, by: str) -> None:
        place = Preference.model_validate(recovery.preference).pick_up_point if recovery.preference else ""
        await self._transitions.pick_up(session, recovery, stop, by, place)
        await self._informing.inform(session, recovery, stop, "utter_recovery_told_held")


async def ask_to_write(session: AsyncSession, recovery: Recovery, stop: StopRecord) -> None:
    """Asks for the second try to be written once the transaction commits."""
    await defer(
        session,
        jobs.write_recovery,
        lock=f"recovery:{recovery.id}",
        lane=lane_of(stop.platform),
        recovery_id=str(recovery.id),
    )
