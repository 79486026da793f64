"""What must leave leaves once: receipts in any order, lost answers reconciled, refusals taken seriously."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlmodel import col

from bot.conversations.consent import ConsentLedger
from bot.conversations.models import ConsentChange, ConsentWord, Conversation, InboundState, InboundText
from bot.durable import outgoing
from bot.durable.jobs import send_stranded
from bot.durable.models import OutboundText, OutboxState, Purpose
from bot.durable.outbox import Outbox
from connectors.base import ChannelName, Receipt, ReceiptStatus
from connectors.emulation import Fault
from connectors.errors import ChannelUnavailableError
from connectors.twilio.client import TwilioChannel
from connectors.twilio.emulator_rules import twilio_fault
from tests.harness.accounts import ACCOUNT_SID, AUTH_TOKEN, OUR_NUMBER
from tests.harness.waiting import eventually
from tests.harness.world import World

CREATE = "Messages.json"


async def outbound(world: World) -> list[OutboundText]:
    return sorted(await world.rows(OutboundText), key=lambda row: row.created_at)


async def only_row(world: World) -> OutboundText:
    (row,) = await outbound(world)
    return row


async def everything_told(world: World) -> None:
    """Every message has been carried to its end, and every receipt applied."""
    await world.settled()
    await world.twilio.settled()
    await world.settled()


def sent_bodies(world: World) -> list[str]:
    return [message.body for message in world.twilio.messages() if message.direction == "outbound-api"]


# --- receipts -------------------------------------------------------------------------------------


async def test_a_message_goes_from_queued_to_delivered(bare_world: World) -> None:
    await bare_world.recipient().texts("hi")
    await everything_told(bare_world)
    row = await only_row(bare_world)
    assert (row.state, row.attempts, row.error_code) == (OutboxState.DELIVERED, 1, None)
    assert row.vendor_id == bare_world.twilio.messages()[-1].sid
    assert row.sent_at is not None
    assert row.finished_at is not None


@pytest.mark.parametrize("phone", ["+15005550120", "+15005550121"], ids=["out of order", "twice"])
async def test_receipts_out_of_order_never_move_a_message_back(bare_world: World, phone: str) -> None:
    await bare_world.recipient(phone).texts("hi")
    await everything_told(bare_world)
    assert (await only_row(bare_world)).state is OutboxState.DELIVERED


async def test_an_undelivered_message_keeps_the_carriers_code(bare_world: World) -> None:
    await bare_world.recipient("+15005550105").texts("hi")
    await everything_told(bare_world)
    row = await only_row(bare_world)
    assert (row.state, row.error_code) == (OutboxState.UNDELIVERED, "30005")


async def test_receipts_that_overtake_the_create_call_count(bare_world: World) -> None:
    bare_world.twilio.faults.next(Fault("slow", seconds=0.6, after_work=True, path_contains=CREATE))
    await bare_world.recipient().texts("hi")
    early = await eventually(
        lambda: outbound(bare_world),
        lambda rows: bool(rows) and rows[0].state is OutboxState.DELIVERED,
        "the receipt before the answer",
    )
    assert early[0].vendor_id is not None
    await everything_told(bare_world)
    assert (await only_row(bare_world)).state is OutboxState.DELIVERED
    assert sent_bodies(bare_world) == ["You said: hi"]


async def test_two_receipts_at_one_instant_are_both_applied(bare_world: World) -> None:
    """The first one, not yet committed, teaches the vendor's id; the second waits for it and still finds its row."""
    bare_world.twilio.faults.down = True
    await bare_world.recipient().texts("hi")
    await bare_world.settled()
    row = await only_row(bare_world)
    services = bare_world.doorline.services
    receipt = Receipt(vendor_id="SM" + "7" * 32, status=ReceiptStatus.DELIVERED, outbound_id=str(row.id))
    async with services.database.transaction() as session:
        locked = await session.get_one(OutboundText, row.id, with_for_update=True)
        locked.vendor_id, locked.state = receipt.vendor_id, OutboxState.SENT
        await session.flush()
        second = asyncio.create_task(services.outbox.apply_receipt(receipt))
        await eventually(waiting_for_locks(bare_world), bool, "the second receipt to wait")
    await second
    assert (await only_row(bare_world)).state is OutboxState.DELIVERED


def waiting_for_locks(world: World) -> Callable[[], Awaitable[int]]:
    async def count() -> int:
        async with world.doorline.services.database.transaction() as session:
            waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            return int(await session.scalar(waiting) or 0)

    return count


async def test_a_receipt_about_a_message_of_nobody_changes_nothing(bare_world: World) -> None:
    services = bare_world.doorline.services
    for outbound_id in (None, "not an id", "00000000-0000-0000-0000-000000000000"):
        await services.outbox.apply_receipt(
            Receipt(vendor_id="SM" + "9" * 32, status=ReceiptStatus.DELIVERED, outbound_id=outbound_id)
        )
    assert await outbound(bare_world) == []


# --- answers that got lost ------------------------------------------------------------------------

LOST_AFTER_THE_WORK = [
    Fault("reset", after_work=True, path_contains=CREATE),
    Fault("status", status=500, after_work=True, path_contains=CREATE),
    Fault("malformed", after_work=True, path_contains=CREATE),
]
NEVER_ARRIVED = [
    Fault("reset", path_contains=CREATE),
    Fault("status", status=500, path_contains=CREATE),
    Fault("malformed", path_contains=CREATE),
]


@pytest.mark.parametrize("fault", LOST_AFTER_THE_WORK, ids=lambda fault: fault.kind)
async def test_a_message_whose_answer_was_lost_is_found_again_and_not_sent_twice(
    bare_world: World, fault: Fault
) -> None:
    bare_world.twilio.faults.next(fault)
    # This number's carrier tells nothing, so only the vendor's list can say that the message is there.
    await bare_world.recipient("+15005550122").texts("hi")
    await bare_world.settled()
    assert (await only_row(bare_world)).state is OutboxState.SENDING
    await bare_world.retries()
    row = await only_row(bare_world)
    assert row.state is OutboxState.SENT
    assert sent_bodies(bare_world) == ["You said: hi"]
    assert row.vendor_id == bare_world.twilio.messages()[-1].sid


@pytest.mark.parametrize("fault", NEVER_ARRIVED, ids=lambda fault: fault.kind)
async def test_a_message_that_never_arrived_is_sent_again(bare_world: World, fault: Fault) -> None:
    bare_world.twilio.faults.next(fault)
    await bare_world.recipient().texts("hi")
    await bare_world.settled()
    await bare_world.retries()
    await everything_told(bare_world)
    assert (await only_row(bare_world)).state is OutboxState.DELIVERED
    assert sent_bodies(bare_world) == ["You said: hi"]


async def test_an_earlier_message_with_the_same_words_is_not_taken_for_the_lost_one(
    bare_world: World,
) -> None:
    recipient = bare_world.recipient()
    await recipient.texts("hi")
    await everything_told(bare_world)
    bare_world.twilio.faults.next(Fault("reset", path_contains=CREATE))
    await recipient.texts("hi")
    await bare_world.settled()
    await bare_world.retries()
    await everything_told(bare_world)
    assert sent_bodies(bare_world) == ["You said: hi"] * 2
    assert len({row.vendor_id for row in await outbound(bare_world)}) == 2


async def test_a_time_out_is_reconciled_too(bare_world: World) -> None:
    """The carrier takes the message and answers too late: with a client that waits only a moment."""
    world = bare_world
    services = world.doorline.services
    channel = TwilioChannel(
        ACCOUNT_SID,
        AUTH_TOKEN,
        OUR_NUMBER,
        status_url=f"{world.url}/connectors/twilio/status",
        api_base=world.bases["twilio"],
        read_seconds=0.2,
    )
    impatient = Outbox(services.database, world.clock, {ChannelName.SMS: channel}, ConsentLedger(world.clock))
    outbound_id = await queue_message(world, "+15005550122")
    world.twilio.faults.next(Fault("slow", seconds=1.0, after_work=True, path_contains=CREATE))
    with pytest.raises(ChannelUnavailableError, match="outcome unknown"):
        await impatient.send(outbound_id)
    await impatient.send(outbound_id)
    assert sent_bodies(world).count("a notice") == 1
    (row,) = await world.rows(OutboundText, col(OutboundText.id) == outbound_id)
    assert (row.state, row.attempts) == (OutboxState.SENT, 2)
    await channel.aclose()


async def queue_message(world: World, phone: str) -> UUID:
    """A message of ours to somebody who has written before, with no job that would send it."""
    await world.recipient(phone).texts("hi")
    await everything_told(world)
    services = world.doorline.services
    async with services.database.transaction() as session:
        conversation = (await session.scalars(select(Conversation))).one()
        outbound_id = await outgoing.add(session, conversation, "a notice", Purpose.ANSWER, world.clock)
    assert outbound_id is not None
    return outbound_id


async def test_a_message_that_left_is_not_sent_by_a_second_job(bare_world: World) -> None:
    await bare_world.recipient().texts("hi")
    await everything_told(bare_world)
    await bare_world.doorline.services.outbox.send((await only_row(bare_world)).id)
    assert sent_bodies(bare_world) == ["You said: hi"]


# --- refusals -------------------------------------------------------------------------------------


async def test_a_rate_limit_only_delays(bare_world: World) -> None:
    bare_world.twilio.faults.next(twilio_fault(20429, retry_after_seconds=9, path_contains=CREATE))
    recipient = bare_world.recipient()
    await recipient.texts("one")
    await recipient.texts("two")
    await bare_world.settled()
    assert sent_bodies(bare_world) == [], "the second must not overtake the first"
    await bare_world.retries()
    await everything_told(bare_world)
    assert sent_bodies(bare_world) == ["You said: one", "You said: two"]
    assert [row.attempts for row in await outbound(bare_world)] == [2, 1]


async def test_a_carrier_that_is_down_only_delays(bare_world: World) -> None:
    bare_world.twilio.faults.down = True
    await bare_world.recipient().texts("hi")
    await bare_world.settled()
    assert (await only_row(bare_world)).state is OutboxState.QUEUED
    bare_world.twilio.faults.down = False
    await bare_world.retries()
    await everything_told(bare_world)
    assert sent_bodies(bare_world) == ["You said: hi"]


async def test_wrong_credentials_hold_a_message_until_they_are_right(bare_world: World) -> None:
    bare_world.twilio.faults.next(twilio_fault(20003, path_contains=CREATE))
    await bare_world.recipient().texts("hi")
    await bare_world.settled()
    assert (await only_row(bare_world)).state is OutboxState.QUEUED
    await bare_world.retries()
    await everything_told(bare_world)
    assert sent_bodies(bare_world) == ["You said: hi"]


async def test_a_number_that_cannot_be_reached_is_given_up_with_its_code(bare_world: World) -> None:
    await bare_world.recipient("+15005550009").texts("hi")
    await everything_told(bare_world)
    row = await only_row(bare_world)
    assert (row.state, row.error_code, row.attempts) == (OutboxState.FAILED, "21614", 1)


@pytest.mark.parametrize("phone", ["+15005550004", "+15005550102"], ids=["at once", "by receipt"])
async def test_21610_is_remembered_and_the_person_is_left_alone(bare_world: World, phone: str) -> None:
    recipient = bare_world.recipient(phone)
    await recipient.texts("hi")
    await everything_told(bare_world)
    assert (await only_row(bare_world)).error_code == "21610"
    (change,) = await bare_world.rows(ConsentChange)
    assert (change.address, change.word, change.source) == (phone, ConsentWord.OPTED_OUT, "carrier:21610")
    await recipient.texts("are you there")
    await everything_told(bare_world)
    assert len(await outbound(bare_world)) == 1
    texts = await bare_world.rows(InboundText, col(InboundText.text) == "are you there")
    assert [inbound.state for inbound in texts] == [InboundState.SILENT]


async def test_a_message_that_waits_while_its_recipient_opts_out_is_not_sent(bare_world: World) -> None:
    recipient = bare_world.recipient()
    bare_world.twilio.faults.down = True
    await recipient.texts("hi")
    await bare_world.settled()
    await recipient.texts("STOP")
    await bare_world.settled()
    bare_world.twilio.faults.down = False
    await bare_world.retries()
    row = await only_row(bare_world)
    assert (row.state, row.error_code) == (OutboxState.FAILED, "opted_out")
    assert sent_bodies(bare_world) == []


async def test_a_message_whose_job_is_gone_is_found_and_sent_once(bare_world: World) -> None:
    outbound_id = await queue_message(bare_world, "+12125550100")
    services = bare_world.doorline.services
    assert await send_stranded(services.outbox, services.database) == 1
    assert await send_stranded(services.outbox, services.database) == 0, "its job is there now"
    await everything_told(bare_world)
    (row,) = await bare_world.rows(OutboundText, col(OutboundText.id) == outbound_id)
    assert row.state is OutboxState.DELIVERED
    assert sent_bodies(bare_world).count("a notice") == 1


# --- what is no use any more ----------------------------------------------------------------------


async def useful_message(world: World, seconds: float) -> UUID:
    """A queued message that is of use for so long from now."""
    outbound_id = await queue_message(world, "+15005550122")
    async with world.doorline.services.database.transaction() as session:
        row = await session.get_one(OutboundText, outbound_id)
        row.useful_until = world.clock.now() + timedelta(seconds=seconds)
    return outbound_id


@pytest.mark.parametrize(("seconds", "leaves"), [(-1, False), (0, False), (1, True)])
async def test_a_message_that_is_no_use_any_more_is_not_sent(
    bare_world: World, seconds: float, leaves: bool
) -> None:
    outbound_id = await useful_message(bare_world, seconds)
    await bare_world.doorline.services.outbox.send(outbound_id)
    (row,) = await bare_world.rows(OutboundText, col(OutboundText.id) == outbound_id)
    assert sent_bodies(bare_world).count("a notice") == leaves
    assert (row.state, row.error_code) == (
        (OutboxState.SENT, None) if leaves else (OutboxState.FAILED, "outdated")
    )


@pytest.mark.parametrize("after_work", [True, False], ids=["it had left", "it never arrived"])
async def test_one_that_perhaps_left_is_looked_for_before_it_is_called_outdated(
    bare_world: World, after_work: bool
) -> None:
    outbound_id = await useful_message(bare_world, 60)
    outbox = bare_world.doorline.services.outbox
    bare_world.twilio.faults.next(Fault("reset", after_work=after_work, path_contains=CREATE))
    with pytest.raises(ChannelUnavailableError):
        await outbox.send(outbound_id)
    bare_world.clock.move(timedelta(minutes=2))
    await outbox.send(outbound_id)
    (row,) = await bare_world.rows(OutboundText, col(OutboundText.id) == outbound_id)
    assert row.state is (OutboxState.SENT if after_work else OutboxState.FAILED)
    assert row.error_code == (None if after_work else "outdated")
    assert sent_bodies(bare_world).count("a notice") == after_work
