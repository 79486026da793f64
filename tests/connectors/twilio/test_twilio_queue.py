"""The queue of the pretended sender, and what becomes of a message that waits in it longer than it is useful."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from connectors.base import ChannelName, OutboundMessage, ReceiptStatus
from connectors.emulation import serving
from connectors.errors import ChannelUnavailableError
from connectors.twilio.client import TwilioChannel
from connectors.twilio.emulator import TwilioEmulator
from connectors.twilio.emulator_queue import SenderQueue, Turn

ACCOUNT = "AC" + "0a" * 16
TOKEN = "the-auth-token"
NUMBER = "+15005550006"
PHONE = "+15550100001"


def test_segments_leave_one_after_the_other() -> None:
    queue = SenderQueue(2.0)
    turns = [queue.turn(segments, None, 100.0) for segments in (1, 3, 1)]
    assert turns == [Turn(0.0), Turn(0.5), Turn(2.0)]
    assert queue.turn(1, None, 200.0) == Turn(0.0), "by then it is empty"


def test_what_is_given_up_takes_nobodys_place() -> None:
    queue = SenderQueue(1.0)
    queue.turn(10, None, 0.0)
    assert queue.turn(5, 9, 0.0) == Turn(9.0, is_given_up=True)
    assert queue.turn(1, 10, 0.0) == Turn(10.0)


@pytest.mark.parametrize(("segments", "is_full"), [(35_999, False), (36_000, True)])
def test_a_queue_holds_ten_hours(segments: int, is_full: bool) -> None:
    queue = SenderQueue(1.0)
    queue.turn(segments, None, 0.0)
    assert queue.is_full(0.0) is is_full


def test_without_a_rate_nothing_waits() -> None:
    queue = SenderQueue(None)
    assert {queue.turn(100, 1, 0.0) for _ in range(5)} == {Turn(0.0)}
    assert not queue.is_full(0.0)


# --- on the wire ----------------------------------------------------------------------------------


@pytest.fixture
async def slow(clock: Any, edge: Any) -> AsyncIterator[tuple[TwilioEmulator, TwilioChannel, str]]:
    """A number that takes four segments a second, and our channel on it."""
    emulator = TwilioEmulator(
        ACCOUNT, TOKEN, NUMBER, now=clock.now, pace_seconds=0.01, segments_per_second=4.0
    )
    async with serving(emulator.app) as url:
        channel = TwilioChannel(ACCOUNT, TOKEN, NUMBER, status_url=edge.status_url, api_base=url)
        yield emulator, channel, url
        await channel.aclose()


def message(name: str, useful_for: timedelta | None = None, text: str = "About 3:20 pm.") -> OutboundMessage:
    return OutboundMessage(
        outbound_id=name, channel=ChannelName.SMS, recipient=PHONE, text=text, useful_for=useful_for
    )


async def test_a_message_that_waits_too_long_fails_and_the_next_one_does_not(slow: Any, edge: Any) -> None:
    emulator, channel, _ = slow
    await channel.send(message("long", text="x" * 1500))
    await channel.send(message("short-lived", timedelta(seconds=1.2)))
    await channel.send(message("patient", timedelta(minutes=10)))
    await emulator.settled()
    ends = {r.outbound_id: (r.status, r.error_code) for r in edge.receipts}
    assert ends == {
        "long": (ReceiptStatus.DELIVERED, None),
        "short-lived": (ReceiptStatus.FAILED, "30036"),
        "patient": (ReceiptStatus.DELIVERED, None),
    }
    assert not emulator.alerts


async def test_a_full_queue_takes_nothing_for_now(slow: Any) -> None:
    emulator, channel, _ = slow
    emulator.queue = SenderQueue(0.00001)
    await channel.send(message("first"))
    with pytest.raises(ChannelUnavailableError) as refused:
        await channel.send(message("second"))
    assert refused.value.code == "21611"
    await emulator.aclose()


@pytest.mark.parametrize(
    ("hours", "end"),
    [
        (23.9, (ReceiptStatus.DELIVERED, None)),
        (24.0, (ReceiptStatus.FAILED, "63016")),
        (None, (ReceiptStatus.FAILED, "63016")),  # never wrote
    ],
)
async def test_whatsapp_takes_free_words_for_a_day_after_the_persons_own(
    twilio: Any, channel: TwilioChannel, edge: Any, clock: Any, hours: float | None, end: object
) -> None:
    if hours is not None:
        await twilio.emulator.text(f"whatsapp:{PHONE}", "hola")
        clock.move(hours=hours)
    await channel.send(message("o-1").model_copy(update={"channel": ChannelName.WHATSAPP}))
    await twilio.emulator.settled()
    assert (edge.receipts[-1].status, edge.receipts[-1].error_code) == end


@pytest.mark.parametrize("seconds", [0, 36_001])
async def test_a_validity_out_of_range_is_refused(slow: Any, seconds: int) -> None:
    _, _, url = slow
    sdk = Client(ACCOUNT, TOKEN, http_client=TwilioHttpClient(timeout=5))
    sdk.api.base_url = url
    with pytest.raises(TwilioRestException) as refused:
        await asyncio.to_thread(
            sdk.messages.create, to=PHONE, from_=NUMBER, body="hi", validity_period=seconds
        )
    assert refused.value.code == 90007
