"""What nobody waits for leaves as fast as carriers take it; answers pass it; nothing is lost, nothing leaves twice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import col

from bot.conversations.opening import conversation_on
from bot.durable.jobs import put_out, send_due, send_paced, send_stranded
from bot.durable.models import OutboundText, OutboxState, Purpose, SenderPace
from bot.durable.pacing import BURST_SECONDS, Pacer, is_paced, refilled, within_budget
from connectors.base import ChannelName
from connectors.twilio.emulator_rules import Outcome
from tests.harness.protocol import protocol_of
from tests.harness.rows import row_with
from tests.harness.world import Setting, World

AT = datetime(2026, 6, 9, 12, 0, tzinfo=UTC)
RATE = 20.0
BURST = int(RATE * BURST_SECONDS)

# --- pure -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("segments", "seconds", "rate", "expected"),
    [
        (0.0, 0.0, 3.75, 0.0),
        (0.0, 2.0, 3.75, 7.5),
        (-5.0, 1.0, 3.0, -2.0),
        (0.0, 3600.0, 3.75, 15.0),  # no more than a burst, however long nobody wrote
        (4.0, -60.0, 1.0, 4.0),  # a clock that was set back
        (float("inf"), 0.0, 0.1, 1.0),  # the slowest sender sends one at a time
    ],
)
def test_the_bucket_fills_with_time(segments: float, seconds: float, rate: float, expected: float) -> None:
    assert refilled(segments, timedelta(seconds=seconds), rate) == pytest.approx(expected)


def waiting(*useful_minutes: float | None) -> list[OutboundText]:
    return [
        row_with(
            OutboundText, text="x" * 10, useful_until=None if each is None else AT + timedelta(minutes=each)
        )
        for each in useful_minutes
    ]


@pytest.mark.parametrize(
    ("useful", "budget", "given", "left"),
    [
        ((None, None, None), 2.0, 2, 0.0),
        ((None,), 0.0, 0, 0.0),
        ((5,), 0.5, 1, -0.5),  # overdraws, and the next one waits for that
        ((0, -3, 5), 0.0, 2, 0.0),  # what is over at this very instant costs nothing
    ],
)
def test_the_budget_is_spent_on_what_is_of_use(
    useful: tuple[float | None, ...], budget: float, given: int, left: float
) -> None:
    rows, rest = within_budget(waiting(*useful), budget, AT, lambda _: 1)
    assert (len(rows), rest) == (given, left)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.floats(0, 10), st.integers(0, 40)), max_size=12),
    st.sampled_from([1.0, 3.75, 120.0]),
    st.integers(1, 11),
)
def test_no_run_of_rounds_sends_more_than_the_rate_allows(
    rounds: list[tuple[float, int]], rate: float, segments_each: int
) -> None:
    budget, elapsed, sent = rate * BURST_SECONDS, 0.0, 0
    for seconds, count in rounds:
        budget = refilled(budget, timedelta(seconds=seconds), rate)
        rows, budget = within_budget(waiting(*[None] * count), budget, AT, lambda _: segments_each)
        elapsed, sent = elapsed + seconds, sent + len(rows) * segments_each
        assert sent <= rate * (elapsed + BURST_SECONDS) + segments_each + 1e-6


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize("channel", list(ChannelName))
def test_only_texts_that_nobody_asked_for_wait(purpose: Purpose, channel: ChannelName) -> None:
    assert is_paced(purpose, channel) is (purpose is Purpose.PROACTIVE and channel is ChannelName.SMS)


# --- in the world ---------------------------------------------------------------------------------


@pytest.fixture
async def paced_world(bare_setting: Setting, empty_database: None, tmp_path: Path) -> AsyncIterator[World]:
    sop = protocol_of(tmp_path, {}, messaging={"segments_per_second": RATE})
    async with World(bare_setting, sop=sop) as world:
        yield world


async def tell(
    world: World, count: int, *, first: int = 0, useful_minutes: float | None = 60, text: str = "on the van"
) -> None:
    """So many people are told something at one moment."""
    until = None if useful_minutes is None else world.clock.now() + timedelta(minutes=useful_minutes)
    async with world.doorline.services.database.transaction() as session:
        for number in range(first, first + count):
            phone = f"+1212666{number:04d}"
            # Their receipts would be most of the work, and are not what this is about.
            world.twilio.outcome_for(phone, Outcome(()))
            conversation = await conversation_on(session, world.clock, ChannelName.SMS, phone, "en")
            await put_out(session, conversation, text, Purpose.PROACTIVE, world.clock, useful_until=until)


async def second(world: World) -> int:
    """One second passes, and one round."""
    world.clock.move(timedelta(seconds=1))
    services = world.doorline.services
    given = await send_paced(services.pacer, services.database)
    await world.settled()
    return given


def told(world: World) -> Counter[str]:
    return Counter(m.recipient for m in world.twilio.messages() if m.body == "on the van")


async def test_a_burst_of_three_hundred_leaves_at_the_rate_and_an_answer_passes_it(
    paced_world: World,
) -> None:
    await tell(paced_world, 300)
    assert not told(paced_world), "nothing leaves before its turn"
    for passed in range(1, 4):
        await second(paced_world)
        assert len(told(paced_world)) <= BURST + RATE * passed
    before = len(told(paced_world))
    assert before < 200
    assert await paced_world.recipient().asks("where is it") == "You said: where is it"
    assert len(told(paced_world)) == before, "it did not wait for anybody"
    for _ in range(15):
        await second(paced_world)
    assert len(told(paced_world)) == 300
    assert set(told(paced_world).values()) == {1}


async def test_answers_are_counted_against_the_budget(paced_world: World) -> None:
    services = paced_world.doorline.services
    await tell(paced_world, 1)
    await second(paced_world)
    for _ in range(BURST):
        await services.pacer.book("You said: hi")
    await tell(paced_world, 50, first=1)
    assert await second(paced_world) <= RATE + 1


async def test_two_replicas_share_one_budget(paced_world: World) -> None:
    services = paced_world.doorline.services
    other = Pacer(services.database, paced_world.clock, services.pacer.sender, lambda: RATE, lambda _: 1)
    await tell(paced_world, 120)
    paced_world.clock.move(timedelta(seconds=1))
    given = await asyncio.gather(
        *(send_paced(pacer, services.database) for pacer in (services.pacer, other) for _ in range(3))
    )
    assert sum(given) <= BURST + 1
    await paced_world.settled()
    assert len(told(paced_world)) == sum(given)
    (pace,) = await paced_world.rows(SenderPace)
    assert pace.segments <= 0


async def test_a_restart_in_the_middle_loses_none_and_sends_none_twice(paced_world: World) -> None:
    await tell(paced_world, 100)
    paced_world.clock.move(timedelta(seconds=1))
    services = paced_world.doorline.services
    assert await send_paced(services.pacer, services.database) > 0
    await paced_world.restart_app()
    services = paced_world.doorline.services
    assert await send_stranded(services.outbox, services.database) == 0, "what waits is not stranded"
    assert await send_due(services.outbox, services.database) == 0, "nor does the other tick give it out"
    for _ in range(3):
        await second(paced_world)
    assert len(told(paced_world)) == 100
    assert set(told(paced_world).values()) == {1}


async def test_who_has_the_least_time_left_goes_first_and_what_is_over_is_not_sent(
    paced_world: World,
) -> None:
    await tell(paced_world, 1)
    await second(paced_world)
    await paced_world.doorline.services.pacer.book("x")
    await tell(paced_world, BURST + 20, first=1, useful_minutes=None, text="any time")
    await tell(paced_world, 3, first=1000, useful_minutes=30, text="soon")
    await tell(paced_world, 3, first=2000, useful_minutes=0.01, text="arriving in 10 minutes")
    await second(paced_world)
    bodies = Counter(message.body for message in paced_world.twilio.messages())
    assert bodies["soon"] == 3
    assert 0 < bodies["any time"] < BURST + 20
    assert bodies["arriving in 10 minutes"] == 0
    over = await paced_world.rows(OutboundText, col(OutboundText.text) == "arriving in 10 minutes")
    assert {(row.state, row.error_code, row.attempts) for row in over} == {
        (OutboxState.FAILED, "outdated", 0)
    }
