"""The channel, the real SDK under it, over loopback against the emulator."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from connectors.base import ChannelName, OutboundMessage, ReceiptStatus
from connectors.emulation import Fault, free_port
from connectors.errors import (
    ChannelError,
    ChannelMisconfiguredError,
    ChannelUnavailableError,
    OutcomeUnknownError,
    RecipientOptedOutError,
    UndeliverableError,
)
from connectors.twilio.client import TwilioChannel
from connectors.twilio.emulator_rules import twilio_fault

PHONE = "+15550100001"
OpenChannel = Callable[..., TwilioChannel]


def message(text: str = "About 3:20 pm.", to: str = PHONE, outbound_id: str = "o-1") -> OutboundMessage:
    return OutboundMessage(outbound_id=outbound_id, channel=ChannelName.SMS, recipient=to, text=text)


async def test_a_sent_message_is_held_by_the_carrier(channel: TwilioChannel, twilio: Any) -> None:
    receipt = await channel.send(message())
    held = twilio.emulator.messages(PHONE)
    assert [(m.sid, m.body, m.sender) for m in held] == [
        (receipt.vendor_id, "About 3:20 pm.", "+15005550006")
    ]
    assert receipt.status is ReceiptStatus.QUEUED
    assert receipt.outbound_id == "o-1"


async def test_receipts_come_back_with_our_id(channel: TwilioChannel, twilio: Any, edge: Any) -> None:
    receipt = await channel.send(message(outbound_id="o 7/ä"))
    await twilio.emulator.settled()
    assert [(r.vendor_id, r.outbound_id, r.status) for r in edge.receipts] == [
        (receipt.vendor_id, "o 7/ä", ReceiptStatus.SENT),
        (receipt.vendor_id, "o 7/ä", ReceiptStatus.DELIVERED),
    ]
    assert not twilio.emulator.alerts


async def test_a_messaging_service_chooses_the_sender(
    open_channel: OpenChannel, twilio: Any, edge: Any
) -> None:
    receipt = await open_channel(sender=twilio.emulator.service_sid).send(message())
    await twilio.emulator.settled()
    assert [r.status for r in edge.receipts] == [
        ReceiptStatus.QUEUED,
        ReceiptStatus.SENT,
        ReceiptStatus.DELIVERED,
    ]
    held = twilio.emulator.store.find(receipt.vendor_id)
    assert (held.sender, held.num_segments) == ("+15005550006", 1)


async def test_a_whatsapp_message_goes_from_and_to_whatsapp_addresses(
    channel: TwilioChannel, twilio: Any
) -> None:
    whatsapp = OutboundMessage(outbound_id="o-1", channel=ChannelName.WHATSAPP, recipient=PHONE, text="hola")
    await channel.send(whatsapp)
    (held,) = twilio.emulator.messages(PHONE)
    assert (held.sender, held.recipient) == ("whatsapp:+15005550006", f"whatsapp:{PHONE}")


@pytest.mark.parametrize(
    ("to", "expected", "code"),
    [
        ("+15005550001", UndeliverableError, "21211"),
        ("+15005550002", UndeliverableError, "21612"),
        ("+15005550003", ChannelMisconfiguredError, "21408"),
        ("+15005550004", RecipientOptedOutError, "21610"),
        ("+15005550009", UndeliverableError, "21614"),
        ("not a number", UndeliverableError, "21211"),
    ],
)
async def test_a_refused_recipient_raises_its_class(
    channel: TwilioChannel, to: str, expected: type[ChannelError], code: str
) -> None:
    with pytest.raises(expected) as caught:
        await channel.send(message(to=to))
    assert caught.value.code == code
    assert to not in str(caught.value)


@pytest.mark.parametrize(
    ("sender", "expected", "code"),
    [
        ("+15005550001", ChannelMisconfiguredError, "21212"),
        ("+15005550007", ChannelMisconfiguredError, "21606"),
        ("+15005550008", ChannelUnavailableError, "21611"),
        ("MG" + "f" * 32, ChannelMisconfiguredError, "21705"),
    ],
)
async def test_a_refused_sender_raises_its_class(
    open_channel: OpenChannel, sender: str, expected: type[ChannelError], code: str
) -> None:
    with pytest.raises(expected) as caught:
        await open_channel(sender=sender).send(message())
    assert caught.value.code == code


async def test_a_wrong_token_is_a_matter_for_the_operator(open_channel: OpenChannel) -> None:
    with pytest.raises(ChannelMisconfiguredError, match="20003"):
        await open_channel(auth_token="wrong").send(message())


async def test_a_text_that_is_too_long_is_not_sent(channel: TwilioChannel, twilio: Any) -> None:
    with pytest.raises(ChannelMisconfiguredError, match="21617"):
        await channel.send(message("x" * 1601))
    assert not twilio.emulator.messages(PHONE)


async def test_too_many_requests_says_when_to_try_again(channel: TwilioChannel, twilio: Any) -> None:
    twilio.emulator.faults.next(twilio_fault(20429, retry_after_seconds=4))
    with pytest.raises(ChannelUnavailableError) as caught:
        await channel.send(message())
    assert caught.value.retry_after == timedelta(seconds=4)
    assert caught.value.code == "20429"


async def test_an_error_in_the_newer_shape_is_understood(channel: TwilioChannel, twilio: Any) -> None:
    problem = {"type": "about:blank", "title": "Unsubscribed", "status": 400, "code": 21610}
    twilio.emulator.faults.next(Fault("status", status=400, body=problem))
    with pytest.raises(RecipientOptedOutError):
        await channel.send(message())


async def test_a_carrier_that_is_down_can_be_tried_later(channel: TwilioChannel, twilio: Any) -> None:
    twilio.emulator.faults.down = True
    with pytest.raises(ChannelUnavailableError):
        await channel.send(message())
    assert not twilio.emulator.messages(PHONE)


async def test_a_carrier_that_cannot_be_reached_can_be_tried_later(open_channel: OpenChannel) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(ChannelUnavailableError):
        await open_channel(api_base=nobody).send(message())


async def test_an_address_that_is_no_url_is_a_matter_for_the_operator(open_channel: OpenChannel) -> None:
    with pytest.raises(ChannelMisconfiguredError):
        await open_channel(api_base="ftp://127.0.0.1").send(message())


@pytest.mark.parametrize(
    "fault",
    [
        Fault("reset", after_work=True),
        Fault("status", status=500, after_work=True),
        Fault("status", status=504, after_work=True),
        Fault("malformed", after_work=True),
        Fault("status", status=201, body={"no": "sid"}, after_work=True),
    ],
)
async def test_a_lost_answer_is_an_unknown_outcome_and_the_message_is_found_again(
    channel: TwilioChannel, twilio: Any, clock: Any, fault: Fault
) -> None:
    twilio.emulator.faults.next(fault)
    with pytest.raises(OutcomeUnknownError):
        await channel.send(message())
    (held,) = twilio.emulator.messages(PHONE)
    found = await channel.find_sent(message(), clock.now(), frozenset())
    assert found is not None
    assert (found.vendor_id, found.outbound_id) == (held.sid, "o-1")


async def test_a_time_out_is_an_unknown_outcome_and_nothing_is_posted_twice(
    open_channel: OpenChannel, twilio: Any, clock: Any
) -> None:
    twilio.emulator.faults.next(Fault("slow", seconds=0.6, after_work=True))
    hasty = open_channel(read_seconds=0.2)
    with pytest.raises(OutcomeUnknownError):
        await hasty.send(message())
    (held,) = twilio.emulator.messages(PHONE)
    found = await hasty.find_sent(message(), clock.now(), frozenset())
    assert found is not None
    assert found.vendor_id == held.sid


async def test_a_message_that_never_arrived_is_not_found(
    channel: TwilioChannel, twilio: Any, clock: Any
) -> None:
    twilio.emulator.faults.next(Fault("reset"))
    with pytest.raises(OutcomeUnknownError):
        await channel.send(message())
    assert await channel.find_sent(message(), clock.now(), frozenset()) is None


async def test_the_same_text_sent_for_another_reason_is_not_taken_for_the_lost_one(
    channel: TwilioChannel, twilio: Any, clock: Any
) -> None:
    other = await channel.send(message(outbound_id="o-1"))
    assert await channel.find_sent(message(outbound_id="o-2"), clock.now(), {other.vendor_id}) is None


async def test_a_message_still_in_the_carriers_queue_is_found(
    open_channel: OpenChannel, twilio: Any, clock: Any
) -> None:
    channel = open_channel()
    # 0122 never leaves the queue, so it has no DateSent to filter by.
    sent = await channel.send(message(to="+15005550122"))
    held = twilio.emulator.store.find(sent.vendor_id)
    assert held.sent_at is None
    found = await channel.find_sent(message(to="+15005550122"), clock.now(), frozenset())
    assert found is not None
    assert found.vendor_id == sent.vendor_id


async def test_a_lost_message_is_found_behind_several_pages_of_others(
    channel: TwilioChannel, twilio: Any, clock: Any
) -> None:
    lost = await channel.send(message("the lost one"))
    for index in range(60):
        await channel.send(message(f"another {index}"))
    await twilio.emulator.settled()
    found = await channel.find_sent(message("the lost one"), clock.now(), frozenset())
    assert found is not None
    assert found.vendor_id == lost.vendor_id
    assert found.status is ReceiptStatus.DELIVERED


async def test_reconciling_with_a_carrier_that_is_down_finds_nothing_out(
    channel: TwilioChannel, twilio: Any, clock: Any
) -> None:
    for fault in (
        Fault("status", status=500),
        Fault("malformed"),
        Fault("status", status=200, body={"a": 1}),
    ):
        twilio.emulator.faults.next(fault)
        with pytest.raises(ChannelUnavailableError):
            await channel.find_sent(message(), clock.now(), frozenset())


async def test_texts_whose_webhook_was_lost_are_listed_oldest_first(
    channel: TwilioChannel, twilio: Any, edge: Any, clock: Any
) -> None:
    await twilio.emulator.text(PHONE, "yesterday")
    clock.move(days=1)
    since = clock.now()
    edge.is_storing = False
    first = await twilio.emulator.text(PHONE, "where is it")
    second = await twilio.emulator.text("+15550100002", "look at this", num_media=2)
    await channel.send(message())
    listed = await channel.list_inbound(since)
    assert [(m.vendor_id, m.sender, m.text) for m in listed] == [
        (first.sid, PHONE, "where is it"),
        (second.sid, "+15550100002", "look at this"),
    ]
    assert [m.content_type for m in listed[1].media] == ["image/png"] * 2
    assert all(m.url.startswith(twilio.url) and not m.url.endswith(".json") for m in listed[1].media)


async def test_lost_texts_are_listed_for_a_messaging_service_too(
    open_channel: OpenChannel, twilio: Any, clock: Any
) -> None:
    lost = await twilio.emulator.text(PHONE, "hello")
    listed = await open_channel(sender=twilio.emulator.service_sid).list_inbound(clock.now())
    assert [m.vendor_id for m in listed] == [lost.sid]


async def test_the_probe_tells_a_working_account_from_a_wrong_token(open_channel: OpenChannel) -> None:
    assert (await open_channel().probe()).healthy
    broken = await open_channel(auth_token="wrong").probe()
    assert not broken.healthy
    assert "20003" in broken.detail
