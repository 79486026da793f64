"""Questions, courtesies and anger: the operator's own answers, an honest bot, and a person where one is needed."""

import pytest

from bot.escalations.models import Escalation
from connectors.onfleet.payloads import from_ms
from tests.harness.world import World

pytestmark = pytest.mark.rasa


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("do i gotta be home to sign for this", "no signature"),
        ("yall deliver on saturdays?", "Monday to Saturday"),
        ("is there a fee if u have to come a 2nd time, redelivery fee or whatever", "free"),
        ("how long do u keep it before it gets sent back", "7 days"),
    ],
)
async def test_a_general_question_gets_the_operators_own_answer(
    world: World, question: str, told: str
) -> None:
    await world.has_stop(eta="15:20")
    answer = await world.recipient().asks(question)
    assert told in answer
    assert len(answer) <= 160
    assert await world.rows(Escalation) == []


async def test_a_question_that_the_protocol_does_not_answer_goes_to_a_dispatcher(world: World) -> None:
    await world.has_stop(eta="15:20")
    answer = await world.recipient().asks("do you guys recycle the cardboard boxes afterwards")
    assert "12:25 pm" in answer
    await world.channel_shows("Has a question about the service", "recycle the cardboard")


async def test_a_complaint_is_answered_with_one_apology_and_a_person(world: World) -> None:
    await world.has_stop(eta="15:20")
    answer = await world.recipient().asks(
        "your driver cussed at my wife, whos his manager, this is awful service"
    )
    assert answer.count("sorry") == 1
    assert "12:25 pm" in answer
    assert "!" not in answer
    await world.channel_shows("Complains", "cussed at my wife")


async def test_somebody_angry_who_wants_a_human_gets_one_with_an_apology(world: World) -> None:
    await world.has_stop(eta="15:20")
    answer = await world.recipient().asks("3RD TIME U SAID TODAY AND NOTHING!! GET ME A REAL PERSON")
    assert "sorry" in answer
    assert "12:25 pm" in answer
    await world.channel_shows("Recipient waiting", "3RD TIME")


async def test_am_i_talking_to_a_robot_is_answered_honestly(world: World) -> None:
    await world.has_stop(eta="15:20")
    recipient = world.recipient()
    answer = await recipient.asks("is this a bot or an actual human typing")
    assert "automated" in answer
    assert "not a person" in answer
    assert await world.rows(Escalation) == []
    handed_over = await recipient.asks("ok then gimme the human")
    assert "12:25 pm" in handed_over
    assert len(await world.rows(Escalation)) == 1


async def test_what_can_you_do_is_told_in_one_text(world: World) -> None:
    await world.has_stop(eta="15:20")
    answer = await world.recipient().asks("so what stuff can i do on here")
    assert "where your parcel is" in answer
    assert "person" in answer
    assert len(answer) <= 160


async def test_courtesies_in_the_middle_lose_nothing(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    recipient = world.recipient()
    await recipient.asks("hey good mornin")
    question = await recipient.asks("could u bring it tmrw after 5 instead")
    assert "5-9 pm" in question
    between = await recipient.asks("thank u so much")
    assert "5-9 pm" in between, "the question comes back"
    answer = await recipient.asks("yea book it")
    assert answer.startswith("Booked")
    assert from_ms(world.task_of(tracking)["completeAfter"]) == world.local("17:00", 1)
    assert "?" not in await recipient.asks("ok bye now")


async def test_a_goodbye_in_the_middle_books_nothing(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    recipient = world.recipient()
    await recipient.asks("could u bring it tmrw after 5 instead")
    answer = await recipient.asks("gtg ttyl bye")
    assert "Booked" not in answer
    assert "?" not in answer
    assert from_ms(world.task_of(tracking)["completeAfter"]) == world.local("14:00")


async def test_something_else_entirely_is_declined_and_the_question_comes_back(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    recipient = world.recipient()
    await recipient.asks("could u bring it tmrw after 5 instead")
    between = await recipient.asks("lol who won the yankees game")
    assert "only know about your deliveries" in between
    assert "5-9 pm" in between
    assert (await recipient.asks("yes")).startswith("Booked")
    assert from_ms(world.task_of(tracking)["completeAfter"]) == world.local("17:00", 1)


async def test_far_and_near_out_of_scope_gets_no_invented_answer(world: World) -> None:
    await world.has_stop(eta="15:20")
    recipient = world.recipient()
    for text in ("can u lend me 20 bucks", "write me a poem about my cat", "u hiring drivers rn?"):
        answer = await recipient.asks(text)
        assert "deliveries" in answer, (text, answer)
    assert await world.rows(Escalation) == []


async def test_words_that_say_too_little_twice_get_a_person(world: World) -> None:
    await world.has_stop(eta="15:20")
    recipient = world.recipient()
    first = await recipient.asks("something is off")
    assert first.count("?") == 1
    second = await recipient.asks("the driver")
    assert "12:25 pm" in second
    await world.channel_shows("The bot did not understand, twice")
