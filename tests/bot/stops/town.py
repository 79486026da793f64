"""Stops, people and their conversations, on the real tables: what the tests of this folder tell stories about."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import event, select
from sqlmodel import SQLModel

from bot.conversations.models import Conversation, InboundText
from bot.db import Database
from bot.settings import PROJECT_ROOT
from bot.sop import ProtocolInForce
from bot.stops.answers import Scope, StopQuestion, Turn
from bot.stops.finder import StopFinder
from bot.stops.models import StopRecord
from connectors.base import ChannelName, StopStatus
from tests.harness.clock import ManualClock

NOW = datetime(2026, 6, 9, 16, 0, tzinfo=UTC)
"""Tuesday noon in New York."""
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ROBIN, KIM = "+12125550199", "+12125550177"


def stop(
    tracking: str,
    *,
    starts: timedelta | None = 2 * HOUR,
    status: StopStatus = StopStatus.ASSIGNED,
    completed: timedelta | None = None,
    eta: timedelta | None = None,
    client: str = "Acme",
    address: str = "14 Elm St 2B",
    phone: str | None = ROBIN,
    postcode: str = "10001",
    zone: str = "North",
    order: str | None = None,
) -> StopRecord:
    """Times count from `NOW`; a window lasts two hours."""
    return StopRecord(
        platform="onfleet",
        platform_ref=uuid4().hex,
        tracking=tracking,
        order_ref=order,
        status=status,
        client=client,
        zone=zone,
        timezone="America/New_York",
        address_line=address,
        postcode=postcode,
        recipient_name="Robin Doe",
        recipient_phone=phone,
        window_start_at=None if starts is None else NOW + starts,
        window_end_at=None if starts is None else NOW + starts + 2 * HOUR,
        eta_at=None if eta is None else NOW + eta,
        completed_at=None if completed is None else NOW + completed,
        changed_at=NOW,
        confirmed_at=NOW,
    )


def delivered(tracking: str, ago: timedelta, **facts: Any) -> StopRecord:
    return stop(tracking, starts=-ago - HOUR, status=StopStatus.DELIVERED, completed=-ago, **facts)


class Town:
    """The finder over the real database, and people who write to it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = ManualClock(NOW)
        self.sop = ProtocolInForce(PROJECT_ROOT / "bot" / "sop.yml")
        self.finder = StopFinder(database, self.clock, self.sop, platforms={})
        self.queries: list[str] = []
        """Every statement since it was last emptied."""
        event.listen(database.engine.sync_engine, "before_cursor_execute", self._note)

    async def holds(self, *records: SQLModel) -> None:
        async with self.database.transaction() as session:
            session.add_all(records)

    async def rows(self, table: type[SQLModel]) -> list[Any]:
        async with self.database.transaction() as session:
            return list(await session.scalars(select(table)))

    async def texter(self, phone: str = ROBIN, channel: ChannelName = ChannelName.SMS) -> "Person":
        return await self._person(channel, phone)

    async def visitor(self, network: str = "192.0.2.7", session: str = "") -> "Person":
        """Somebody in the web chat."""
        return await self._person(ChannelName.WEBCHAT, session or uuid4().hex, network)

    async def mailer(self, address: str = "robin@example.org") -> "Person":
        return await self._person(ChannelName.EMAIL, address)

    async def _person(self, channel: ChannelName, address: str, network: str | None = None) -> "Person":
        conversation = Conversation(channel=channel, address=address, our_address="us", created_at=NOW)
        await self.holds(conversation)
        return Person(self, conversation.id, channel, network)

    def _note(self, _conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        self.queries.append(statement)


class Person:
    def __init__(self, town: Town, conversation_id: UUID, channel: ChannelName, network: str | None) -> None:
        self.town = town
        self.conversation_id = conversation_id
        self._channel = channel
        self._network = network

    async def writes(self, text: str) -> Turn:
        """A text that has come in, not yet answered."""
        inbound = InboundText(
            conversation_id=self.conversation_id,
            channel=self._channel,
            vendor_id=uuid4().hex,
            text=text,
            network_address=self._network,
            received_at=self.town.clock.now(),
            waiting_since=self.town.clock.wall(),
        )
        await self.town.holds(inbound)
        return Turn(conversation_id=str(self.conversation_id), inbound_id=str(inbound.id), text=text)

    async def asks(self, text: str, scope: Scope = Scope.STATUS) -> StopQuestion:
        return await self.town.finder.stops_in_question(await self.writes(text), scope)

    async def finds(self, text: str, scope: Scope = Scope.STATUS) -> str:
        """The kind of the question, and the numbers of its stops where it has any."""
        question = await self.asks(text, scope)
        return " ".join([question.kind, *(each.tracking for each in question.stops)])

    async def talks_about(self, record: StopRecord) -> None:
        await self.town.finder.remember(await self.writes("that one"), str(record.id))

    async def may_change(self, record: StopRecord) -> bool:
        return await self.town.finder.may_change(await self.writes("move it"), str(record.id))
