"""The round over many stops: who is told, who is not, and that two replicas tell nobody twice."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from actions import speech
from bot.conversations.consent import ConsentLedger
from bot.conversations.models import ConsentWord
from bot.conversations.opening import conversation_on
from bot.conversations.words import Words
from bot.db import Database
from bot.durable.models import OutboundText, OutboxState, Purpose
from bot.escalations.models import Escalation
from bot.escalations.rules import WAITING
from bot.links import SignedLinks
from bot.notifications.models import Notification
from bot.notifications.queries import read_figures
from bot.notifications.rules import NEVER
from bot.notifications.service import NotificationService
from bot.notifications.telling import Teller
from bot.settings import PROJECT_ROOT
from bot.sop import ProtocolInForce
from bot.stops.models import PlatformFeed, StopEvent, StopRecord
from connectors.base import ChannelName, StopStatus
from connectors.escalation import EscalationState, Severity
from tests.bot.notifications.scenes import NEW_YORK, NOON, at
from tests.harness.clock import ManualClock
from tests.harness.protocol import QUIET, SHIPPED

WORDS = Words(PROJECT_ROOT / "nlu" / "domain")


def service(database: Database, clock: ManualClock, sop: Any = SHIPPED) -> NotificationService:
    protocol = ProtocolInForce(sop)
    teller = Teller(clock, protocol, ConsentLedger(clock), WORDS, {ChannelName.SMS})
    links = SignedLinks("k" * 32, "proof", "https://x.example/proof", clock.wall, lambda: timedelta(hours=72))
    return NotificationService(database, clock, protocol, teller, WORDS, speech, links)


async def has_stops(database: Database, count: int, **changes: Any) -> list[str]:
    """Stops that have just gone out, one phone each; gives the phones."""
    phones = [f"+1212555{number:04}" for number in range(count)]
    async with database.transaction() as session:
        if await session.get(PlatformFeed, "onfleet") is None:
            session.add(PlatformFeed(platform="onfleet", read_at=NOON, next_read_at=NOON, begun_at=NOON))
        stops = [a_record(phone, **changes) for phone in phones]
        session.add_all(stops)
        await session.flush()
        turn = {"status": ["assigned", "out_for_delivery"]}
        session.add_all(
            StopEvent(stop_id=stop.id, at=NOON, source="onfleet:poll", changes=turn) for stop in stops
        )
    return phones


def a_record(phone: str, **changes: Any) -> StopRecord:
    usual: dict[str, Any] = {
        "platform": "onfleet",
        "platform_ref": f"task-{phone}",
        "tracking": phone[-6:],
        "status": StopStatus.OUT_FOR_DELIVERY,
        "client": "Acme",
        "zone": "North",
        "timezone": NEW_YORK,
        "address_line": "14 Elm St",
        "postcode": "10001",
        "recipient_name": "Robin Doe",
        "recipient_phone": phone,
        "window_start_at": at("14:00"),
        "window_end_at": at("16:00"),
        "changed_at": NOON,
        "confirmed_at": NOON,
    }
    return StopRecord(**usual | changes)


async def told(database: Database) -> list[str]:
    async with database.transaction() as session:
        return sorted(await session.scalars(select(col(OutboundText.recipient))))


async def test_two_replicas_tell_everybody_once(database: Database) -> None:
    phones = await has_stops(database, 60)
    clock = ManualClock(NOON)
    one, other = service(database, clock), service(database, clock)
    await asyncio.gather(one.look(), other.look())
    await asyncio.gather(one.look(), other.look())
    assert await told(database) == phones


async def test_who_has_left_is_not_told(database: Database) -> None:
    gone, stays = await has_stops(database, 2)
    clock = ManualClock(NOON)
    async with database.transaction() as session:
        await ConsentLedger(clock).change(session, gone, ConsentWord.OPTED_OUT, "keyword")
    await service(database, clock).look()
    assert await told(database) == [stays]


async def test_while_a_dispatcher_holds_the_conversation_the_bot_is_silent(database: Database) -> None:
    held, free = await has_stops(database, 2)
    clock = ManualClock(NOON)
    async with database.transaction() as session:
        handoff_id = await a_held_conversation(session, clock, held)
    looking = service(database, clock)
    await looking.look()
    assert await told(database) == [free]
    async with database.transaction() as session:
        (await session.get_one(Escalation, handoff_id)).state = EscalationState.RESOLVED
    clock.move(timedelta(minutes=1))
    await looking.look()
    assert await told(database) == [held, free]


async def a_held_conversation(session: AsyncSession, clock: ManualClock, phone: str) -> UUID:
    conversation = await conversation_on(session, clock, ChannelName.SMS, phone, "en")
    handoff = Escalation(
        cause_key=f"{WAITING}{conversation.id}",
        severity=Severity.RECIPIENT_WAITING,
        state=EscalationState.ACKNOWLEDGED,
        timezone=NEW_YORK,
        why="wants a person",
        channel="#dispatch",
        conversation_id=conversation.id,
        raised_at=NOON,
    )
    session.add(handoff)
    await session.flush()
    return handoff.id


async def test_several_stops_of_one_person_are_told_of_apart(database: Database) -> None:
    phone = "+12125550100"
    await has_stops(database, 2, recipient_phone=phone)
    clock = ManualClock(NOON)
    looking = service(database, clock)
    await looking.look()
    assert await told(database) == [phone]
    clock.move(timedelta(minutes=10))
    await looking.look()
    assert await told(database) == [phone, phone]


async def test_what_was_held_through_the_night_counts_from_when_it_leaves(database: Database) -> None:
    (phone,) = await has_stops(database, 1)
    clock = ManualClock(NOON)
    async with database.transaction() as session:
        conversation = await conversation_on(session, clock, ChannelName.SMS, phone, "en")
        held = OutboundText(
            conversation_id=conversation.id,
            purpose=Purpose.NOTICE,
            channel=ChannelName.SMS,
            recipient=phone,
            text="x",
            state=OutboxState.DELIVERED,
            created_at=NOON - timedelta(hours=12),
            sent_at=NOON - timedelta(minutes=1),
        )
        session.add(held)
    looking = service(database, clock)
    await looking.look()
    assert await told(database) == [phone]
    clock.move(timedelta(minutes=9))
    await looking.look()
    assert await told(database) == [phone, phone]


@pytest.mark.parametrize(
    "changes",
    [
        {"status": StopStatus.DELIVERED, "completed_at": NOON - timedelta(days=3)},
        {"status": StopStatus.DELIVERED, "completed_at": NOON - timedelta(hours=1)},
        {"recipient_phone": None},
    ],
    ids=["long over", "over for an hour", "nobody to write to"],
)
async def test_what_is_old_is_put_away_without_a_word(database: Database, changes: dict[str, Any]) -> None:
    await has_stops(database, 3, **changes)
    await service(database, ManualClock(NOON)).look()
    assert await told(database) == []
    async with database.transaction() as session:
        assert set(await session.scalars(select(col(StopRecord.notice_at)))) == {NEVER}


async def test_where_notifications_are_off_nobody_is_told(database: Database) -> None:
    await has_stops(database, 1)
    assert await service(database, ManualClock(NOON), QUIET).look() == 0
    assert await told(database) == []


async def test_a_stop_with_a_zone_that_nobody_knows_goes_by_the_operators(database: Database) -> None:
    phones = await has_stops(database, 1, timezone="Mars/Olympus")
    await service(database, ManualClock(NOON)).look()
    assert await told(database) == phones


async def test_the_figures_of_a_day(database: Database) -> None:
    await has_stops(database, 4)
    clock = ManualClock(NOON)
    await service(database, clock).look()
    async with database.transaction() as session:
        figures = await read_figures(session, at("00:00"), at("23:00"), NOON)
        kept = await session.scalar(select(func.count()).select_from(Notification))
    assert (figures.stops, figures.told, figures.texts, kept) == (4, 4, 4, 4)
    assert (figures.texts_per_stop, figures.late, figures.share_told_in_time) == (1.0, 0, None)
