"""Who may act as a dispatcher: take escalations, decide, command."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.oncall.people import PERSON
from bot.oncall.rota import person_of
from bot.oncall.sources import dispatcher_group, group_key, kept, members_of
from bot.sop import ProtocolInForce


class Dispatchers:
    def __init__(self, sop: ProtocolInForce) -> None:
        self._sop = sop

    async def may_act(self, session: AsyncSession) -> frozenset[str]:
        """The people of sop.yml always may: whom Doorline calls must be able to take it.

        Where a group is named that was never read, nobody else may: an unread list is not an empty one.
        """
        escalations, group = self._sop.current.escalations, dispatcher_group(self._sop)
        if group is None and not escalations.dispatchers:
            return frozenset()
        allowed = set(escalations.dispatchers)
        if group is not None:
            key = group_key(group)
            rows = await kept(session, [key])
            allowed |= {each.slack for each in members_of(rows[key])} if key in rows else set()
        allowed |= {person_of(key, each).dispatcher for key, each in self._sop.current.people.items()}
        return frozenset(allowed or {PERSON})
