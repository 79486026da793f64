"""Dispatchers ask a driver by text; the answer comes back into the thread, and nobody sees a number."""

import pytest
from sqlmodel import col

from bot.drivers.models import DriverQuestion, DriverShift
from bot.escalations.models import Escalation
from connectors.base import FailureReason
from connectors.desk import ShiftState
from connectors.escalation import DispatcherVerb, EscalationState, Happening
from connectors.twilio.emulator_rules import Outcome
from tests.bot.escalations.deeds_world import DANA, at_risk, does, notes, the_one, thread
from tests.harness.people import readable
from tests.harness.world import World

ASK = DispatcherVerb.CONTACT_DRIVER
DRIVER = "+12125550999"


@pytest.fixture
def world(bare_world: World) -> World:
    return bare_world


async def answers(world: World, text: str) -> None:
    await world.recipient(DRIVER).texts(text)
    await world.settled()


async def question(world: World) -> DriverQuestion:
    (row,) = await world.rows(DriverQuestion)
    return row


async def test_the_driver_is_asked_once_and_the_answer_stands_in_message_and_thread(world: World) -> None:
    await at_risk(world)
    held = await does(world, ASK)
    assert (held.state, held.acknowledged_by) == (EscalationState.ACKNOWLEDGED, DANA)
    asked = (
        "QuickShip dispatch: 14 Elm St 2B, window ends 4 pm. On time?"
        " 1 yes, 2 traffic, 3 access, 4 vehicle, and the minutes: 2 20"
    )
    assert await world.recipient(DRIVER).reads_next(1) == [asked]
    await does(world, ASK, "U0SAM")
    assert len(await world.recipient(DRIVER).reads()) == 1
    await world.channel_shows("(asked 12:")
    await answers(world, "2 20")
    message = await world.channel_shows("(traffic, 20 min, texted 12:")
    answered = await question(world)
    assert (answered.root_cause, answered.minutes) == (FailureReason.TRAFFIC, 20)
    assert (await the_one(world)).root_cause is FailureReason.TRAFFIC
    assert any('answered: traffic, 20 min ("2 20")' in line for line in await thread(world))
    assert (await world.recipient(DRIVER).reads())[-1] == "Thank you, dispatch has it. Drive safely."
    everything = readable(message) + "\n".join(await thread(world))
    assert "5550999" not in everything


async def test_own_words_reach_the_driver_and_free_words_come_back(world: World) -> None:
    await at_risk(world)
    await does(world, ASK, words="Can you swap 14 Elm and 18 Oak?")
    assert await world.recipient(DRIVER).reads_next(1) == [
        "QuickShip dispatch: Can you swap 14 Elm and 18 Oak?"
    ]
    await answers(world, "sure boss, will swap them")
    await answers(world, "gate code is 4471#")
    told = await notes(world, Happening.DRIVER_ANSWERED)
    assert told[0].words == "sure boss, will swap them"
    assert "4471" not in told[1].words
    assert len(await world.recipient(DRIVER).reads()) == 3


async def test_what_a_person_said_of_the_cause_stays(world: World) -> None:
    await at_risk(world)
    await does(world, ASK)
    await does(world, DispatcherVerb.NAME_CAUSE, root_cause="depot")
    await answers(world, "traffic 20")
    assert (await the_one(world)).root_cause is FailureReason.DEPOT
    assert (await question(world)).root_cause is FailureReason.TRAFFIC


async def test_a_later_word_of_the_driver_counts_more(world: World) -> None:
    await at_risk(world)
    await does(world, ASK)
    await answers(world, "traffic 20")
    await world.advance(minutes=10)
    await answers(world, "flat tire now, 1 hour")
    kept = await question(world)
    assert (kept.root_cause, kept.minutes) == (FailureReason.VEHICLE, 60)
    assert (await the_one(world)).root_cause is FailureReason.VEHICLE


async def test_a_driver_who_has_left_cannot_be_asked(world: World) -> None:
    await answers(world, "STOP")
    before = len(await world.recipient(DRIVER).reads())
    await at_risk(world)
    await does(world, ASK)
    assert len(await world.recipient(DRIVER).reads()) == before
    assert any("asked for no more texts. Call them" in line for line in await thread(world))


async def test_a_text_that_never_arrives_calls_whoever_asked(world: World) -> None:
    world.twilio.outcome_for(DRIVER, Outcome(("sent", "undelivered"), 30003))
    await at_risk(world)
    await does(world, ASK)
    await world.twilio.settled()
    (line,) = [line for line in await thread(world) if "did not reach the driver" in line]
    assert line.startswith(f"<@{DANA}>")
    assert "cannot deliver to that number. Call them" in line


@pytest.mark.parametrize(
    ("text", "is_of_question"), [("1", False), ("2", False), ("traffic 20", True), ("2 20", True)]
)
async def test_a_shift_that_was_asked_about_later_takes_its_yes_and_no(
    world: World, text: str, is_of_question: bool
) -> None:
    await at_risk(world)
    await does(world, ASK)
    await world.advance(minutes=1)
    async with world.doorline.services.database.transaction() as session:
        session.add(
            DriverShift(
                platform="onfleet",
                driver_ref="another-account",
                day=world.clock.now().date(),
                timezone="America/New_York",
                phone=DRIVER,
                state=ShiftState.ASKED,
                starts_at=world.local("18:00"),
                asked_at=world.clock.now(),
            )
        )
    await answers(world, text)
    assert ((await question(world)).answered_at is not None) is is_of_question


async def test_somebody_who_only_awaits_a_parcel_is_left_to_the_bot(world: World) -> None:
    await at_risk(world)
    await does(world, ASK)
    await answers(world, "2 20")
    await world.recipient().asks("where is my package")
    assert len(await notes(world, Happening.DRIVER_ANSWERED)) == 1
    assert len(await world.rows(Escalation, col(Escalation.state) != EscalationState.RESOLVED)) == 1


async def test_one_driver_explains_no_storm(world: World) -> None:
    await at_risk(world)
    await does(world, ASK)
    async with world.doorline.services.database.transaction() as session:
        storm = await session.get_one(Escalation, (await the_one(world)).id)
        storm.cause_key = "storm:zone:North:2026-06-09"
    await answers(world, "flat tire, 20 min")
    assert (await question(world)).root_cause is FailureReason.VEHICLE
    assert (await the_one(world)).root_cause is None


async def test_what_a_driver_adds_once_it_is_settled_reaches_a_dispatcher(world: World) -> None:
    await at_risk(world)
    await does(world, ASK)
    await answers(world, "traffic 20")
    await does(world, DispatcherVerb.RESOLVE, root_cause="traffic")
    await world.advance(minutes=1)
    await answers(world, "can someone bring me more labels")
    assert (await world.recipient(DRIVER).reads())[-1] == (
        "I've passed this on to dispatch. Someone will call or text you."
    )
    await world.advance(minutes=1)
    await answers(world, "small ones")
    message = readable(await world.channel_shows("A driver writes"))
    assert message.startswith(":red_circle: *Driver waiting*")
    assert "Driver of van-7 wrote at 12:07 pm:\n> small ones" in message
    assert "writes to the driver" in message
    assert "Robin" not in message
    lines = "\n".join(await thread(world))
    assert "12:06 pm driver: can someone bring me more labels" in lines
    assert 'Driver of van-7 wrote "small ones"' in lines
    assert "recipient" not in lines
