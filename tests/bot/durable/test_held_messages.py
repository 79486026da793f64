"""Messages that may not leave yet, and emails that answer a thread."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import col

from bot.conversations.models import Conversation, InboundText
from bot.durable.jobs import put_out, send_due, send_stranded
from bot.durable.models import OutboundText, OutboxState, Purpose
from connectors.base import ChannelName, InboundMessage
from tests.harness.world import World


async def queued(world: World, text: str, not_before: datetime | None) -> None:
    (conversation,) = await world.rows(Conversation)
    async with world.doorline.services.database.transaction() as session:
        await put_out(session, conversation, text, Purpose.NOTICE, world.clock, not_before=not_before)


async def test_a_notice_leaves_when_its_time_has_come_and_once(bare_world: World) -> None:
    recipient = bare_world.recipient()
    await recipient.asks("hi")
    await queued(bare_world, "good morning", bare_world.clock.now() + timedelta(hours=11))
    services = bare_world.doorline.services
    await bare_world.advance(hours=10, minutes=59)
    assert await send_stranded(services.outbox, services.database) == 0
    assert await recipient.reads() == ["You said: hi"]
    bare_world.clock.move(timedelta(minutes=1))
    assert await send_due(services.outbox, services.database) == 1
    assert await send_due(services.outbox, services.database) == 0
    assert await recipient.reads_next(2) == ["You said: hi", "good morning"]


@pytest.mark.parametrize("early", [timedelta(0), timedelta(hours=1)])
async def test_a_time_that_is_past_holds_nothing(bare_world: World, early: timedelta) -> None:
    recipient = bare_world.recipient()
    await recipient.asks("hi")
    await queued(bare_world, "now", bare_world.clock.now() - early)
    assert (await recipient.reads_next(2))[-1] == "now"


async def test_who_leaves_meanwhile_gets_nothing(bare_world: World) -> None:
    recipient = bare_world.recipient()
    await recipient.asks("hi")
    await queued(bare_world, "good morning", bare_world.clock.now() + timedelta(hours=11))
    await recipient.texts("STOP")
    await bare_world.advance(hours=12)
    assert await recipient.reads() == ["You said: hi"]
    (row,) = await bare_world.rows(OutboundText, col(OutboundText.purpose) == Purpose.NOTICE)
    assert (row.state, row.error_code) == (OutboxState.FAILED, "opted_out")


async def test_an_email_answers_the_thread_that_it_belongs_to(bare_world: World) -> None:
    services = bare_world.doorline.services
    for number in (1, 2):
        await services.receive(
            InboundMessage(
                channel=ChannelName.EMAIL,
                vendor_id=f"<{number}@example.org>",
                sender="robin@example.org",
                recipient="deliveries@example.com",
                text=f"question {number}",
                subject="My parcel",
                thread_id=f"<{number}@example.org>",
                references=tuple(f"<{earlier}@example.org>" for earlier in range(1, number)),
            )
        )
        bare_world.clock.move(timedelta(minutes=1))
        await bare_world.settled()
    await queued(bare_world, "a notice", None)
    await bare_world.settled()
    rows = {row.text: row for row in await bare_world.rows(OutboundText)}
    texts = {row.text: row for row in await bare_world.rows(InboundText)}
    one, two, notice = rows["You said: question 1"], rows["You said: question 2"], rows["a notice"]
    assert (one.subject, one.in_reply_to_vendor_id, one.thread_references) == (
        "My parcel",
        "<1@example.org>",
        ["<1@example.org>"],
    )
    assert two.thread_references == ["<1@example.org>", "<2@example.org>"]
    assert (notice.in_reply_to_vendor_id, notice.thread_references) == (
        two.in_reply_to_vendor_id,
        two.thread_references,
    )
    assert texts["question 1"].thread_references is None
    assert one.error_code == "channel_off", "no email in this world: only the row is looked at"
