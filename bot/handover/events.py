"""Records what clients may hear of, and puts it on the way to everybody who subscribed to it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.handover.kinds import EventKind
from bot.handover.models import ClientEvent
from bot.handover.rules import pauses
from bot.sop import ProtocolInForce

SPREAD = text("""
    INSERT INTO client_delivery
        (subscription_id, event_id, seq, state, attempts, due_since, next_at, last_error)
    SELECT subscription.id, event.id, event.seq, 'pending', 0, :wall, :next_at, ''
    FROM client_event AS event JOIN client_subscription AS subscription
        ON subscription.client = event.client AND subscription.state = 'active'
        AND (subscription.kinds = '[]'::jsonb OR subscription.kinds ? event.kind)
    WHERE event.id = ANY(:event_ids)
    ON CONFLICT DO NOTHING
""")


class ClientEvents:
    def __init__(self, clock: Clock, sop: ProtocolInForce) -> None:
        self._clock = clock
        self._sop = sop

    async def record(
        self,
        session: AsyncSession,
        client: str,
        kind: str,
        subject_id: UUID,
        facts: dict[str, Any],
    ) -> None:
        """Adds one event to the transaction under way, with its deliveries.

        `kind` is one of `EventKind`. `facts` become the payload's `data`, beside `id`, `client` and `sequence`:
        plain JSON, instants as UTC ISO strings; no phone number, e-mail, note or access code. Nothing happens
        for a stop without a client.
        """
        await self.record_all(session, [event_row(client, kind, subject_id, facts, self._clock.now())])

    async def record_all(self, session: AsyncSession, rows: Sequence[dict[str, Any]]) -> int:
        """As `record`, for rows of `event_row`; one with a `source_key` that is known is left out.

        Gives how many were new.
        """
        wall = self._clock.wall()
        wanted = [row | {"recorded_at": wall} for row in rows if row["client"]]
        if not wanted:
            return 0
        new = await session.scalars(
            insert(ClientEvent)
            .values(wanted)
            .on_conflict_do_nothing(index_elements=["source_key"])
            .returning(col(ClientEvent.id))
        )
        event_ids = list(new)
        if event_ids:
            next_at = wall + pauses(self._sop.current.hand_over)[0]
            await session.execute(SPREAD, {"event_ids": event_ids, "wall": wall, "next_at": next_at})
        return len(event_ids)


def event_row(
    client: str,
    kind: str,
    subject_id: UUID,
    facts: dict[str, Any],
    occurred_at: datetime,
    source_key: str | None = None,
) -> dict[str, Any]:
    """Raises `ValueError` for a kind that nobody can subscribe to."""
    return {
        "client": client,
        "kind": EventKind(kind).value,
        "subject_id": subject_id,
        "facts": facts,
        "occurred_at": occurred_at,
        "source_key": source_key,
    }
