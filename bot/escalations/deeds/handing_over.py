"""Another zone's dispatchers have it from now on."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.escalations import moving
from bot.escalations.deeds.working import is_anothers
from bot.escalations.models import Escalation
from bot.escalations.rules import Verdict
from bot.escalations.thread import note
from bot.sop import Protocol, ProtocolInForce
from connectors.escalation import DispatcherAction, Happening

DEFAULT = "default"


class HandOver:
    def __init__(self, clock: Clock, sop: ProtocolInForce) -> None:
        self._clock = clock
        self._sop = sop

    async def do(self, session: AsyncSession, escalation: Escalation, action: DispatcherAction) -> Verdict:
        """Only by its holder while somebody has it; the note goes along into the thread."""
        now, protocol = self._clock.now(), self._sop.current
        zone = action.fields.get("zone", "").strip()
        if zone not in zones_for(protocol, escalation.zone):
            return Verdict.NOT_POSSIBLE
        if is_anothers(escalation, action.dispatcher):
            return Verdict.ALREADY_HELD
        if words := action.fields.get("note", "").strip():
            note(session, escalation, Happening.NOTED, now, dispatcher=action.dispatcher, words=words)
        was_done = await moving.hand_over(
            session, escalation, zone, action.dispatcher, protocol.escalations, now
        )
        return Verdict.APPLIED if was_done else Verdict.NOT_POSSIBLE


def zones_for(protocol: Protocol, own: str) -> tuple[str, ...]:
    """Zones with dispatchers of their own or that the operator names, but for `own`; sorted."""
    named = {zone.name for zone in protocol.zones} | set(protocol.escalations.channels)
    return tuple(sorted(named - {own, DEFAULT}))
