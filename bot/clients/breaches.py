"""Promised windows that were not kept become news for their clients: once each, read from the incidents."""

from datetime import timedelta

from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlmodel import col

from bot.clients.facts import breach_facts
from bot.clients.telling import ClientTelling
from bot.clock import Clock
from bot.db import Database
from bot.handover.kinds import EventKind
from bot.incidents.models import PromiseIncident
from bot.sop import Protocol, ProtocolInForce
from bot.stops.models import StopRecord

FRESH = timedelta(hours=12)
"""A promise broken longer ago is no news: it stands in the review."""
AT_MOST = 200

UNTOLD = text("""
    SELECT incident.id FROM promise_incident AS incident
    WHERE incident.kind = 'breach' AND NOT incident.by_hand AND incident.state <> 'withdrawn'
        AND incident.client <> '' AND incident.client <> ALL(:silent)
        AND incident.stop_id IS NOT NULL AND incident.opened_at >= :since
        AND NOT EXISTS (SELECT 1 FROM client_event
            WHERE source_key = concat('sla.breached:', incident.id))
        AND NOT EXISTS (SELECT 1 FROM client_news
            WHERE source_key = concat('sla.breached:', incident.id))
    ORDER BY incident.opened_at LIMIT :at_most
""").bindparams(bindparam("silent", type_=ARRAY(TEXT)))


class BreachNews:
    def __init__(
        self, database: Database, clock: Clock, sop: ProtocolInForce, telling: ClientTelling
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._telling = telling

    async def run(self) -> int:
        """Gives how many were told now."""
        wanted = {
            "since": self._clock.now() - FRESH,
            "silent": silent_clients(self._sop.current),
            "at_most": AT_MOST,
        }
        async with self._database.transaction() as session:
            ids = list(await session.scalars(UNTOLD, wanted))
            if not ids:
                return 0
            found = await session.execute(
                select(PromiseIncident, StopRecord)
                .join(StopRecord, col(StopRecord.id) == col(PromiseIncident.stop_id))
                .where(col(PromiseIncident.id).in_(ids))
                .order_by(col(PromiseIncident.opened_at), col(PromiseIncident.id))
            )
            for incident, stop in found:
                facts = breach_facts(incident, stop)
                await self._telling.put(session, incident.client, EventKind.SLA_BREACHED, incident.id, facts)
        return len(ids)


def silent_clients(protocol: Protocol) -> list[str]:
    """Who does not want to hear of breaches at all."""
    return sorted(name for name, client in protocol.clients.items() if not client.tell.breach)
