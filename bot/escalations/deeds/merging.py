"""Two escalations that are one cause: one goes on in the other."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.escalations import moving, queries
from bot.escalations.models import Escalation
from bot.escalations.rules import Verdict
from bot.sop import ProtocolInForce
from connectors.escalation import DispatcherAction


class Merge:
    def __init__(self, clock: Clock, sop: ProtocolInForce) -> None:
        self._clock = clock
        self._sop = sop

    async def do(self, session: AsyncSession, escalation: Escalation, action: DispatcherAction) -> Verdict:
        """`gestures` has locked both, the one with the lower id first."""
        into_id = id_in(action.fields.get("into", ""))
        if into_id is None:
            return Verdict.NOT_POSSIBLE
        into = (await queries.locked(session, into_id)).get(into_id)
        if into is None:
            return Verdict.NOT_POSSIBLE
        policy, now = self._sop.current.escalations, self._clock.now()
        was_done = await moving.merge(session, escalation, into, action.dispatcher, policy, now)
        return Verdict.APPLIED if was_done else Verdict.NOT_POSSIBLE


def id_in(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
