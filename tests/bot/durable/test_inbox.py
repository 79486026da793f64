"""What arrives is stored once and handled once, however often and however much at once it is delivered."""

import asyncio
from uuid import UUID

import pytest
from pydantic import BaseModel
from sqlmodel import col

from bot.conversations.models import Conversation, InboundText
from bot.db import Database
from bot.durable import inbox
from bot.durable.models import InboxEvent
from connectors.errors import StorageUnavailableError
from tests.harness.clock import NOON_IN_NEW_YORK as NOW
from tests.harness.world import World


class Fact(BaseModel):
    words: str = "it happened"


async def store(database: Database, vendor_id: str, source: str = "slack.action") -> UUID | None:
    async with inbox.storing(database) as session:
        return await inbox.store(session, source, vendor_id, Fact(), NOW)


async def claim(database: Database, event_id: UUID) -> bool:
    async with database.transaction() as session:
        return await inbox.claim(session, event_id, NOW) is not None


async def test_an_event_that_comes_eight_times_at_once_is_stored_once(database: Database) -> None:
    ids = await asyncio.gather(*(store(database, "Ev1") for _ in range(8)))
    assert len([event_id for event_id in ids if event_id is not None]) == 1


async def test_two_vendors_may_use_the_same_id(database: Database) -> None:
    assert await store(database, "1", "slack.action") is not None
    assert await store(database, "1", "onfleet.event") is not None


async def test_an_event_is_handled_by_one_of_many_runs(database: Database) -> None:
    event_id = await store(database, "Ev1")
    assert event_id is not None
    claims = await asyncio.gather(*(claim(database, event_id) for _ in range(8)))
    assert sorted(claims) == [False] * 7 + [True]


async def test_a_run_that_failed_leaves_the_event_for_the_next(database: Database) -> None:
    event_id = await store(database, "Ev1")
    assert event_id is not None
    with pytest.raises(RuntimeError, match="died"):
        async with database.transaction() as session:
            assert await inbox.claim(session, event_id, NOW) is not None
            raise RuntimeError("died")
    assert await claim(database, event_id) is True


async def test_what_cannot_be_stored_is_told_to_the_edge(database_url: str) -> None:
    gone = Database(database_url.replace("doorline_test", "no_such_database"))
    with pytest.raises(StorageUnavailableError):
        await store(gone, "Ev1")
    await gone.close()


async def test_one_text_delivered_five_times_at_once_is_one_text_with_one_answer(bare_world: World) -> None:
    recipient = bare_world.recipient()
    sid = "SM" + "1" * 32
    await asyncio.gather(*(recipient.texts("hello", sid=sid) for _ in range(5)))
    await bare_world.settled()
    assert await recipient.reads() == ["You said: hello"]
    assert len(await bare_world.rows(InboundText, col(InboundText.vendor_id) == sid)) == 1
    assert bare_world.rasa.turns == ["hello"]


async def test_two_first_texts_of_one_phone_make_one_conversation(bare_world: World) -> None:
    recipient = bare_world.recipient()
    await asyncio.gather(*(recipient.texts(f"text {number}") for number in range(6)))
    await bare_world.settled()
    assert len(await bare_world.rows(Conversation)) == 1
    assert len(await recipient.reads()) == 6


async def test_a_receipt_told_twice_is_stored_once(bare_world: World) -> None:
    # This number's carrier tells everything twice.
    await bare_world.recipient("+15005550121").texts("hello")
    await bare_world.settled()
    await bare_world.twilio.settled()
    await bare_world.settled()
    receipts = await bare_world.rows(InboxEvent, col(InboxEvent.source) == "twilio.receipt")
    assert sorted(event.payload["status"] for event in receipts) == ["delivered", "sent"]
    assert all(event.handled_at is not None for event in receipts)
