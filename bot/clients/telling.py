"""Tells a client what it did not ask for, by the ways that it has chosen: signed events at once, mails together.

A mail per failed delivery would be noise on the day on which two hundred fail: what is to be read by mail waits some
minutes for its like (`bot/clients/mailing.py`).
"""

from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clients.facts import FROM_ELSEWHERE, key_after, key_of, recovery_facts
from bot.clients.models import ClientNews, Topic
from bot.clock import Clock
from bot.handover.events import ClientEvents, event_row
from bot.handover.kinds import EventKind
from bot.handover.models import ClientEvent
from bot.recovery.models import Recovery
from bot.sop import ProtocolInForce
from bot.sop_desk import Tell, Way
from bot.stops.models import StopRecord

TOPICS = {
    EventKind.RECOVERY_OPENED: Topic.REDELIVERY,
    EventKind.RECOVERY_REATTEMPT_BOOKED: Topic.REDELIVERY,
    EventKind.RECOVERY_PICK_UP: Topic.REDELIVERY,
    EventKind.RECOVERY_SENT_BACK: Topic.REDELIVERY,
    EventKind.RECOVERY_WITH_DISPATCHER: Topic.REDELIVERY,
    EventKind.RECOVERY_CLOSED: Topic.REDELIVERY,
    EventKind.SLA_BREACHED: Topic.BREACH,
}


class ClientTelling:
    def __init__(self, clock: Clock, sop: ProtocolInForce, events: ClientEvents) -> None:
        self._clock = clock
        self._sop = sop
        self._events = events

    async def tell(
        self, session: AsyncSession, client: str, kind: str, subject_id: UUID, facts: dict[str, Any]
    ) -> None:
        """One fact, in the caller's transaction. Told twice, it is told once; without a client, to nobody.

        `subject_id` is a recovery's, or its failed stop's: what the client may know of it is read from the tables.
        Of `facts` only what `FROM_ELSEWHERE` names is added. Raises `ValueError` for a kind that is no news.
        """
        known = EventKind(kind)
        if known not in TOPICS:
            raise ValueError(f"{kind} is not told by this way")
        if client:
            told = await _told(session, subject_id, facts)
            await self.put(session, client, known, subject_id, told)

    async def put(
        self, session: AsyncSession, client: str, kind: EventKind, subject_id: UUID, facts: dict[str, Any]
    ) -> None:
        """As `tell`, with facts that may leave as they are."""
        ways = ways_of(self._sop.current.client(client).tell, TOPICS[kind])
        key = key_of(kind, {"stop_id": str(subject_id)} | facts)
        if kind is EventKind.RECOVERY_REATTEMPT_BOOKED:
            key = key_after(await _bookings_told(session, subject_id, facts), key)
        now = self._clock.now()
        if Way.WEBHOOK in ways:
            await self._events.record_all(session, [event_row(client, kind, subject_id, facts, now, key)])
        if Way.EMAIL in ways:
            values = {
                "client": client,
                "topic": TOPICS[kind],
                "kind": kind.value,
                "stop_id": UUID(facts["stop_id"]) if facts.get("stop_id") else None,
                "source_key": key,
                "facts": facts,
                "happened_at": now,
            }
            await session.execute(
                insert(ClientNews).values(values).on_conflict_do_nothing(index_elements=["source_key"])
            )


def ways_of(tell: Tell, topic: Topic) -> tuple[Way, ...]:
    return tell.redelivery if topic is Topic.REDELIVERY else tell.breach


async def _bookings_told(session: AsyncSession, subject_id: UUID, facts: dict[str, Any]) -> list[str]:
    """Keys of the windows of one second try that its client has heard of, oldest first."""
    kind, stop_id = EventKind.RECOVERY_REATTEMPT_BOOKED, facts.get("stop_id")
    events = await session.scalars(
        select(col(ClientEvent.source_key))
        .where(col(ClientEvent.subject_id) == subject_id, col(ClientEvent.kind) == kind)
        .order_by(col(ClientEvent.seq))
    )
    if (told := [key for key in events if key is not None]) or stop_id is None:
        return told
    news = await session.scalars(
        select(col(ClientNews.source_key))
        .where(col(ClientNews.stop_id) == UUID(stop_id), col(ClientNews.kind) == kind)
        .order_by(col(ClientNews.seq))
    )
    return list(news)


async def _told(session: AsyncSession, subject_id: UUID, facts: dict[str, Any]) -> dict[str, Any]:
    recovery = await session.scalar(
        select(Recovery)
        .where(or_(col(Recovery.id) == subject_id, col(Recovery.stop_id) == subject_id))
        .order_by(col(Recovery.opened_at).desc())
        .limit(1)
    )
    stop = await session.get(StopRecord, recovery.stop_id) if recovery is not None else None
    if recovery is None or stop is None:
        return {name: value for name, value in facts.items() if name in FROM_ELSEWHERE}
    second = await session.get(StopRecord, recovery.reattempt_id) if recovery.reattempt_id else None
    return recovery_facts(recovery, stop, second, facts)
