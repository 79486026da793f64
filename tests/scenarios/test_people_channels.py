"""Web chat and email, over their real edges: who writes must prove whose delivery it is before anything is told."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.conversations.models import InboundText
from connectors.onfleet.payloads import from_ms
from tests.harness.handoffs import DANA, taken_by
from tests.harness.visitors import WebVisitor
from tests.harness.world import Setting, World

pytestmark = pytest.mark.rasa

SECRETS = ("Acme", "Elm", "Robin", "3:20", "2-4")


@pytest.fixture
async def mail_world(setting: Setting, empty_database: None) -> AsyncIterator[World]:
    async with World(setting, with_mail=True) as world:
        yield world


def tells_nothing(text: str) -> bool:
    return not any(secret in text for secret in SECRETS)


async def wrong_tries(world: World, visitor: WebVisitor, count: int) -> list[str]:
    """So many wrong proofs, none of them too fast for its address."""
    answers = []
    for number in range(count):
        answers.append(await visitor.asks(f"tracking 9f00aa1{number} zip 9021{number}"))
        world.clock.move(timedelta(minutes=11))
    return answers


# --- web chat -------------------------------------------------------------------------------------


async def test_a_visitor_proves_it_in_one_line_and_may_change_the_stop(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    visitor = await world.web_visitor()
    question = await visitor.asks("wheres my package")
    assert "postcode" in question
    assert tells_nothing(question)
    answer = await visitor.asks(f"{tracking} zip 10001")
    assert "2-4 pm" in answer
    assert "5-9 pm" in await visitor.asks("can it come tmrw after 5 instead")
    assert "Booked" in await visitor.asks("yes")
    assert from_ms(world.task_of(tracking)["completeAfter"]) == world.local("17:00", 1)


async def test_a_visitor_proves_it_in_two_lines_with_the_phone(world: World) -> None:
    tracking = await world.has_stop(eta="15:20")
    visitor = await world.web_visitor()
    await visitor.asks("when is my order getting here")
    half = await visitor.asks(f"its {tracking}")
    assert tells_nothing(half)
    assert "3:20 pm" in await visitor.asks("last 4 are 0100")


async def test_a_wrong_number_and_a_wrong_postcode_sound_the_same(world: World) -> None:
    tracking = await world.has_stop(eta="15:20")
    one, other = await world.web_visitor("203.0.113.7"), await world.web_visitor("203.0.113.8")
    await one.asks("where is my parcel")
    await other.asks("where is my parcel")
    wrong_number = await one.asks("9f00aa11 zip 10001")
    wrong_postcode = await other.asks(f"{tracking} zip 90210")
    assert wrong_number == wrong_postcode
    assert tells_nothing(wrong_number)
    world.clock.move(timedelta(minutes=1))
    assert "3:20 pm" in await other.asks(f"sorry {tracking} and 10001")


async def test_five_wrong_tries_lock_the_session_for_the_right_answer_too(world: World) -> None:
    tracking = await world.has_stop(eta="15:20")
    visitor = await world.web_visitor()
    await visitor.asks("where is my parcel")
    answers = await wrong_tries(world, visitor, 5)
    assert all(tells_nothing(answer) for answer in answers)
    await world.sync()
    locked = await visitor.asks(f"{tracking} zip 10001")
    assert "too many tries" in locked
    assert tells_nothing(locked)
    handed_over = await visitor.asks("then get me a person")
    assert " by " in handed_over
    await world.channel_shows("Asks for a person", "do not know which stop")
    neighbour = await world.web_visitor("198.51.100.4")
    await neighbour.asks("where is my parcel")
    assert "3:20 pm" in await neighbour.asks(f"{tracking} zip 10001"), "others are not locked out"


async def test_a_new_session_of_a_guessing_address_has_to_wait(world: World) -> None:
    tracking = await world.has_stop(eta="15:20")
    visitor = await world.web_visitor()
    await visitor.asks("where is my parcel")
    await wrong_tries(world, visitor, 4)
    world.clock.move(timedelta(minutes=-11))
    fresh = await world.web_visitor()
    await fresh.asks("where is my parcel")
    assert tells_nothing(await fresh.asks(f"{tracking} zip 10001"))
    world.clock.move(timedelta(minutes=11))
    await world.sync()
    assert "3:20 pm" in await fresh.asks(f"tracking {tracking} zip 10001")


async def test_a_dispatcher_reaches_the_browser_also_after_it_came_back(world: World) -> None:
    await world.has_stop(eta="15:20")
    visitor = await world.web_visitor()
    await visitor.asks("can i talk to a human plz")
    message = await world.channel_shows("Asks for a person")
    await taken_by(world, message)
    await visitor.closes()
    await world.dispatcher(DANA).replies(message, "Dana here. What's your order number?")
    await world.settled()
    await visitor.opens()
    assert (await visitor.reads_next(2))[1] == "Dana here. What's your order number?"


async def test_a_visitor_hears_nothing_of_a_phones_stops_by_knowing_the_phone(world: World) -> None:
    await world.has_stop(eta="15:20")
    visitor = await world.web_visitor()
    for text in ("my phone is +1 212 555 0100 where is it", "its robin doe at 14 elm st 2b 10001"):
        assert tells_nothing((await visitor.asks(text)).replace("Elm", "")), text


# --- email ----------------------------------------------------------------------------------------


async def test_a_mail_with_both_halves_is_answered_in_its_thread(mail_world: World) -> None:
    world = mail_world
    tracking = await world.has_stop(eta="15:20")
    robin = world.writer()
    first = await robin.writes(
        "Hello,\n\nwhere is my package please?\n\n-- \nRobin Doe\n14 Elm St", subject="my order"
    )
    (question,) = await robin.reads_next(1)
    assert "postcode" in question.text
    assert tells_nothing(question.text)
    assert question.in_reply_to == first.message_id
    assert question.subject == "Re: my order"
    answer = await robin.asks(f"Tracking is {tracking}, zip 10001")
    assert "3:20 pm" in answer.text
    assert first.message_id in answer.references
    (_, second) = sorted(await world.rows(InboundText), key=lambda row: row.received_at)
    assert "postcode" not in second.text, "what they quoted is not theirs"


async def test_a_mail_moves_a_delivery(mail_world: World) -> None:
    world = mail_world
    tracking = await world.has_stop(eta=None, on_route=False)
    robin = world.writer()
    await robin.asks("track my parcel", subject="delivery")
    await robin.asks(f"{tracking}, last 4 digits 0100")
    assert "5-9 pm" in (await robin.asks("can you please bring it tomorrow after 5")).text
    assert "Booked" in (await robin.asks("Yes.")).text
    assert from_ms(world.task_of(tracking)["completeAfter"]) == world.local("17:00", 1)


async def test_wrong_details_by_mail_sound_the_same_and_lock_in_the_end(mail_world: World) -> None:
    world = mail_world
    tracking = await world.has_stop(eta="15:20")
    guesser = world.writer("guesser@mail.example")
    await guesser.asks("where is my parcel", subject="parcel")
    answers = []
    for proof in (
        "9f00aa11, zip 10001",
        f"{tracking}, zip 90210",
        f"{tracking}, last 4: 9999",
        "9f00aa12 zip 10002",
    ):
        answers.append((await guesser.asks(proof)).text)
        world.clock.move(timedelta(minutes=11))
    assert len(set(answers)) == 1
    assert tells_nothing(answers[0])
    await guesser.asks("9f00aa13 zip 10003")
    world.clock.move(timedelta(minutes=11))
    locked = await guesser.asks(f"{tracking}, zip 10001")
    assert "too many tries" in locked.text
    assert tells_nothing(locked.text)


async def test_machines_are_not_answered(mail_world: World) -> None:
    world = mail_world
    robin = world.writer()
    await robin.writes(
        "I am out of the office until Monday.",
        subject="Automatic reply: delivery",
        headers=(("Auto-Submitted", "auto-replied"),),
    )
    await world.settled()
    assert robin.mailbox() == []
    assert await world.rows(InboundText) == []


async def test_a_mail_for_a_person_is_answered_by_one_in_the_thread(mail_world: World) -> None:
    world = mail_world
    robin = world.writer()
    asked = await robin.writes("I'd like to talk to an actual person about my order", subject="Help")
    (told,) = await robin.reads_next(1)
    assert "12:20 pm" in told.text
    message = await world.channel_shows("Asks for a person", "actual person")
    await world.dispatcher(DANA).writes_in_thread(message, ">> Hi Robin, what is the order number?")
    reply = (await robin.reads_next(2))[1]
    assert "Hi Robin, what is the order number?" in reply.text
    assert asked.message_id in reply.references
