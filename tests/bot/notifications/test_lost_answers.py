"""An answer that the carrier loses: once more while it is true, then a person; nobody is answered twice."""

from datetime import timedelta

import pytest

from bot.durable.models import OutboundText, OutboxState, Purpose
from connectors.base import Receipt, ReceiptStatus
from connectors.twilio.emulator_rules import Outcome
from tests.harness.people import readable
from tests.harness.world import World

ROBIN = "+12125550100"
STRANGER = "+12125550177"
LOST = "the carrier could not deliver our answer"


def loses(world: World, code: int, phone: str = ROBIN) -> None:
    """What is sent to that phone from now on."""
    world.twilio.outcome_for(phone, Outcome(("sent", "undelivered"), code))


def delivers(world: World, phone: str = ROBIN) -> None:
    world.twilio.outcome_for(phone, Outcome())


async def asks(world: World, words: str = "where is it", phone: str = ROBIN) -> None:
    await world.recipient(phone).texts(words)
    await world.settled()
    await world.twilio.settled()
    await world.settled()


async def is_told_late(world: World, number: int, code: str) -> None:
    """The carrier's word on our message of that number, counted from 0."""
    rows = sorted(await world.rows(OutboundText), key=lambda row: row.created_at)
    assert rows[number].vendor_id
    receipt = Receipt(vendor_id=rows[number].vendor_id, status=ReceiptStatus.UNDELIVERED, error_code=code)
    await world.doorline.services.outbox.apply_receipt(receipt)
    await world.settled()


async def sent(world: World) -> list[tuple[Purpose, OutboxState]]:
    rows = await world.rows(OutboundText)
    return [(row.purpose, row.state) for row in sorted(rows, key=lambda row: row.created_at)]


async def calls(world: World) -> list[str]:
    return [shown for message in await world.channel() if LOST in (shown := readable(message))]


async def test_what_was_lost_once_goes_again_and_nobody_is_called(bare_world: World) -> None:
    await bare_world.has_stop()
    bare_world.twilio.outcome_for(ROBIN, Outcome(("sent",)))
    await asks(bare_world)
    delivers(bare_world)
    for _ in range(2):
        await is_told_late(bare_world, 0, "30008")
    await bare_world.twilio.settled()
    assert await sent(bare_world) == [
        (Purpose.ANSWER, OutboxState.UNDELIVERED),
        (Purpose.ANSWER_AGAIN, OutboxState.DELIVERED),
    ]
    first, again = await bare_world.rows(OutboundText)
    assert (first.text, first.in_reply_to) == (again.text, again.in_reply_to)
    assert await calls(bare_world) == []


async def test_what_is_lost_twice_is_a_dispatchers(bare_world: World) -> None:
    await bare_world.has_stop()
    loses(bare_world, 30003)
    await asks(bare_world)
    assert [purpose for purpose, _ in await sent(bare_world)] == [Purpose.ANSWER, Purpose.ANSWER_AGAIN]
    assert len(await calls(bare_world)) == 1
    message = await bare_world.channel_shows(LOST)
    (said,) = await bare_world.thread(message)
    assert said.count("You said: where is it") == 1, "the same words stand once in the conversation so far"


@pytest.mark.parametrize(("code", "called"), [(30007, 1), (30006, 1), (21610, 0)])
async def test_some_codes_say_that_no_text_arrives_at_all(bare_world: World, code: int, called: int) -> None:
    """Filtered words and a landline; who told the carrier STOP waits for nothing."""
    await bare_world.has_stop()
    loses(bare_world, code)
    await asks(bare_world)
    assert await sent(bare_world) == [(Purpose.ANSWER, OutboxState.UNDELIVERED)]
    assert len(await calls(bare_world)) == called


async def test_an_answer_is_not_sent_again_when_it_may_be_old_news(bare_world: World) -> None:
    await bare_world.has_stop()
    bare_world.twilio.outcome_for(ROBIN, Outcome(("sent",)))
    await asks(bare_world)
    bare_world.clock.move(timedelta(minutes=11))
    await is_told_late(bare_world, 0, "30003")
    assert [purpose for purpose, _ in await sent(bare_world)] == [Purpose.ANSWER]
    assert len(await calls(bare_world)) == 1


async def test_who_was_answered_since_is_not_sent_the_old_answer(bare_world: World) -> None:
    await bare_world.has_stop()
    bare_world.twilio.outcome_for(ROBIN, Outcome(("sent",)))
    await asks(bare_world, "where is it")
    delivers(bare_world)
    bare_world.clock.move(timedelta(seconds=5))
    await asks(bare_world, "hello?")
    await is_told_late(bare_world, 0, "30008")
    assert [purpose for purpose, _ in await sent(bare_world)] == [Purpose.ANSWER, Purpose.ANSWER]
    assert await calls(bare_world) == []


async def test_nobody_is_called_for_a_stranger(bare_world: World) -> None:
    await bare_world.has_stop()
    loses(bare_world, 30006, STRANGER)
    await asks(bare_world, "WIN A CRUISE", STRANGER)
    assert await sent(bare_world) == [(Purpose.ANSWER, OutboxState.UNDELIVERED)]
    assert await calls(bare_world) == []
