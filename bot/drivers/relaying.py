"""What a recipient leaves for a stop that is on the van goes to its driver by text, once; the code only there.

The platform's note has it too. Our own row of the text loses the code as soon as the carrier has it.
"""

import re
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.conversations.models import InboundText
from bot.conversations.privacy import DOTS
from bot.db import Database
from bot.drivers.models import DriverRelay
from bot.drivers.texts import DriverTexts, place_of
from bot.durable.models import OutboundText, OutboxState
from bot.sop import ProtocolInForce
from bot.stops.models import StopRecord
from bot.stops.note_text import Note, without_codes
from connectors.base import StopStatus

ON_THE_VAN = (StopStatus.OUT_FOR_DELIVERY, StopStatus.ARRIVING)
USEFUL_FOR = timedelta(hours=4)
OPEN = (OutboxState.QUEUED, OutboxState.SENDING)

_PHONE = re.compile(r"(?<![\w#*])\+?\(?\d(?:[ ().-]{0,2}\d){8,14}(?![\w#*])")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[a-z]{2,}", re.IGNORECASE)


class RelayToDriver:
    def __init__(self, clock: Clock, sop: ProtocolInForce, texts: DriverTexts) -> None:
        self._clock = clock
        self._sop = sop
        self._texts = texts

    async def relay(
        self, session: AsyncSession, stop: StopRecord, inbound: InboundText | None, said: Note
    ) -> None:
        """Once per text and stop, in the caller's transaction; nothing where the stop is not on the road."""
        rules = self._sop.current.drivers
        if not rules.enabled or not rules.relay_instructions or inbound is None:
            return
        if stop.status not in ON_THE_VAN or stop.driver_ref is None:
            return
        relay = await self._first(session, stop, inbound, said)
        if relay is None:
            return
        relay.outbound_id = await self._texts.tell(
            session,
            stop.platform,
            stop.driver_ref,
            "utter_driver_relay",
            useful_until=self._clock.now() + USEFUL_FOR,
            place=place_of(stop.address_line),
            message=for_driver(said.line),
        )
        told = relay.outbound_id is not None
        audit.record(
            session,
            self._clock.now(),
            "stop",
            str(stop.id),
            "relayed_to_driver",
            told=told,
            has_code=said.has_code,
        )

    async def _first(
        self, session: AsyncSession, stop: StopRecord, inbound: InboundText, said: Note
    ) -> DriverRelay | None:
        """None where these words were relayed before."""
        identity = {"inbound_id": inbound.id, "stop_id": stop.id}
        statement = (
            insert(DriverRelay)
            .values(
                **identity,
                platform=stop.platform,
                driver_ref=stop.driver_ref,
                has_code=said.has_code,
                told_at=self._clock.now(),
            )
            .on_conflict_do_nothing(index_elements=list(identity))
            .returning(col(DriverRelay.id))
        )
        relay_id = (await session.execute(statement)).scalar_one_or_none()
        return await session.get(DriverRelay, relay_id) if relay_id is not None else None


def for_driver(line: str) -> str:
    """The recipient's words as the driver may read them: codes, but no number or address of the person. Pure."""
    return _EMAIL.sub(DOTS, _PHONE.sub(DOTS, line))


class RelayedCodes:
    """Takes the codes out of our rows once the texts have left, or never will."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def forget(self, *, at_most: int = 200) -> int:
        """Gives how many were forgotten. Again: changes nothing."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            rows = await session.execute(
                select(DriverRelay, OutboundText)
                .join(OutboundText, col(OutboundText.id) == col(DriverRelay.outbound_id))
                .where(
                    col(DriverRelay.has_code).is_(True),
                    col(DriverRelay.code_forgotten_at).is_(None),
                    col(OutboundText.state).not_in(OPEN),
                )
                .limit(at_most)
                .with_for_update(of=[DriverRelay, OutboundText], skip_locked=True)
            )
            found = [(row[0], row[1]) for row in rows]
            for relay, text in found:
                text.text, relay.code_forgotten_at = without_codes(text.text), now
        return len(found)
