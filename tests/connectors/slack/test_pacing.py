"""Channels are written to at their own pace: one that Slack holds up holds up no other."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import ChannelUnavailableError
from connectors.escalation import PostedMessage
from connectors.slack.pacing import BURST, POSTING, Pacing
from tests.connectors.slack.slack_world import SlackWorld, make_view

NORTH, SOUTH = "C0NORTH001", "C0SOUTH001"
UPDATE = "chat.update"


class Monotonic:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def wait_of(pacing: Pacing, method: str = POSTING, channel: str = NORTH) -> float:
    try:
        pacing.admit(method, channel)
    except ChannelUnavailableError as error:
        return (error.retry_after or timedelta()).total_seconds()
    return 0.0


def test_a_burst_goes_out_at_once_then_each_is_given_a_second_of_its_own() -> None:
    pacing = Pacing(Monotonic())
    assert [wait_of(pacing) for _ in range(BURST)] == [0.0] * BURST
    assert [wait_of(pacing) for _ in range(3)] == [1.0, 2.0, 3.0]


def test_other_channels_and_edits_do_not_wait_for_a_busy_channel() -> None:
    pacing = Pacing(Monotonic())
    for _ in range(BURST + 5):
        wait_of(pacing)
    assert wait_of(pacing, channel=SOUTH) == 0.0
    assert wait_of(pacing, UPDATE) == 0.0


def test_what_slack_asked_for_is_kept_by_method_and_channel() -> None:
    clock = Monotonic()
    pacing = Pacing(clock)
    pacing.was_limited(UPDATE, NORTH, timedelta(seconds=7))
    assert wait_of(pacing, UPDATE) == 7.0
    assert wait_of(pacing) == 0.0
    assert wait_of(pacing, UPDATE, SOUTH) == 0.0
    clock.at += 7
    assert wait_of(pacing, UPDATE) == 0.0


def test_after_a_429_posts_are_a_second_apart() -> None:
    clock = Monotonic()
    pacing = Pacing(clock)
    assert wait_of(pacing) == 0.0
    pacing.was_limited(POSTING, NORTH, timedelta(seconds=2))
    clock.at += 2
    assert wait_of(pacing) == 0.0
    assert wait_of(pacing) == 1.0
    clock.at += 1
    assert wait_of(pacing) == 0.0


@given(st.lists(st.floats(0, 5), min_size=1, max_size=120))
def test_never_more_than_the_burst_and_one_a_second(pauses: list[float]) -> None:
    clock = Monotonic()
    pacing = Pacing(clock)
    sent = []
    for pause in pauses:
        clock.at += pause
        if wait_of(pacing) == 0.0:
            sent.append(clock.at)
    for first, at in enumerate(sent):
        within = [each for each in sent[first:] if each <= at + 10]
        assert len(within) <= BURST + 11


async def test_a_channel_that_slack_holds_up_holds_up_no_other(world: SlackWorld) -> None:
    await world.control("faults", {"channels_limited": {NORTH: 30}})
    with pytest.raises(ChannelUnavailableError) as first:
        await world.desk.post(NORTH, make_view())
    assert first.value.retry_after == timedelta(seconds=30)
    posted = await world.desk.post(SOUTH, make_view())
    await world.desk.update(posted, make_view())
    asked = world.emulator.api.calls[POSTING]
    with pytest.raises(ChannelUnavailableError) as again:
        await world.desk.post(NORTH, make_view())
    assert again.value.retry_after is not None
    assert timedelta(seconds=25) < again.value.retry_after <= timedelta(seconds=30)
    assert world.emulator.api.calls[POSTING] == asked, "Slack was asked before the time that it named"


async def test_edits_of_a_held_up_channel_say_so_too(world: SlackWorld) -> None:
    posted = await world.desk.post(NORTH, make_view())
    await world.control("faults", {"channels_limited": {NORTH: 5}})
    with pytest.raises(ChannelUnavailableError) as raised:
        await world.desk.update(PostedMessage(channel=NORTH, ts=posted.ts), make_view())
    assert raised.value.retry_after == timedelta(seconds=5)
