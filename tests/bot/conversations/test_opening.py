"""The conversation that we begin: in which language, and who has heard of us before."""

from datetime import UTC, datetime

import pytest

from bot.conversations.manners import was_written_to
from bot.conversations.models import InboundText
from bot.conversations.opening import conversation_on
from bot.db import Database
from bot.durable.models import OutboundText, OutboxState, Purpose
from connectors.base import ChannelName
from tests.harness.clock import ManualClock

NOON = datetime(2026, 6, 9, 16, 0, tzinfo=UTC)
PHONE = "+12125550100"


@pytest.mark.parametrize(("wrote", "expected"), [(True, "es"), (False, "en")])
async def test_who_wrote_on_whatsapp_is_texted_in_the_same_language(
    database: Database, wrote: bool, expected: str
) -> None:
    clock = ManualClock(NOON)
    async with database.transaction() as session:
        there = await conversation_on(session, clock, ChannelName.WHATSAPP, PHONE, "es")
        if wrote:
            session.add(
                InboundText(
                    conversation_id=there.id,
                    channel=ChannelName.WHATSAPP,
                    vendor_id="SM1",
                    text="hola",
                    received_at=NOON,
                    waiting_since=NOON,
                )
            )
            await session.flush()
        here = await conversation_on(session, clock, ChannelName.SMS, PHONE, "en")
        assert here.language == expected
        assert (await conversation_on(session, clock, ChannelName.SMS, PHONE, "fr")).id == here.id


@pytest.mark.parametrize("state", list(OutboxState))
async def test_who_was_never_reached_has_not_heard_of_us(database: Database, state: OutboxState) -> None:
    async with database.transaction() as session:
        conversation = await conversation_on(session, ManualClock(NOON), ChannelName.SMS, PHONE, "en")
        assert not await was_written_to(session, conversation)
        session.add(
            OutboundText(
                conversation_id=conversation.id,
                purpose=Purpose.PROACTIVE,
                channel=ChannelName.SMS,
                recipient=PHONE,
                text="x",
                state=state,
                created_at=NOON,
            )
        )
        await session.flush()
        is_lost = state in (OutboxState.FAILED, OutboxState.UNDELIVERED)
        assert await was_written_to(session, conversation) is not is_lost
