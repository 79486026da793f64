"""Two requests in one text, what is not understood, and questions in the middle of others."""

import re

import pytest

from bot.escalations.models import Escalation
from bot.requests.models import RequestState
from tests.harness.flows import Talk, held, not_understood, notes, requests, window
from tests.harness.world import World

pytestmark = pytest.mark.rasa

GIBBERISH = (
    *(
        "grubba lumpo zint",
        "hgfhgf jhgjhg",
        "snib grolt",
        "xxqz vv",
        "trellk dorb ann",
        "florp",
        "zib zab blorp",
    ),
    *("wex obbly trantle", "mip mop drizzet", "quonk", "vlarg teem unso", "brell hass ikto", "oompty glant"),
)
TORN = (
    *(
        "swap day or place",
        "need it later or elsewhere",
        "need it elsewhere or later",
        "later or someplace else",
        "somewhere else or some other time maybe",
    ),
    *("keep it or bring it later idk", "can it go back or come later", "where or when can i change that"),
    *(
        "need it later or elsewhere",
        "other place or other hour",
        "another one or later",
        "someplace or sometime else",
    ),
    *(
        "put it off or send it somewhere else",
        "is it moved or lost or what",
        "note or new time for the driver",
    ),
)
"""Texts that may mean two things."""


async def test_of_two_requests_the_first_is_done_and_the_second_offered(world: World) -> None:
    tracking = await world.has_stop(eta="15:20")
    talk = Talk(world)
    first = await talk.says("where is my package? also pls leave it at the back door")
    assert "3:20 pm" in first
    assert "note for the driver" in first
    assert notes(world, tracking) == ""
    assert "back door" in await talk.says("yes pls")
    assert "back door" in notes(world, tracking)


async def test_the_second_of_two_requests_can_be_declined(world: World) -> None:
    tracking = await world.has_stop(eta="15:20")
    talk = Talk(world)
    first = await talk.says("leave it with reception. and whats the eta on my order")
    assert "reception" in first
    assert "reception" in notes(world, tracking)
    second = await talk.says("nah im good")
    assert "3:20" not in second
    assert "?" not in second
    assert "other words" not in second, "it was understood well"
    assert await world.rows(Escalation) == []


async def test_the_second_request_waits_until_the_first_is_booked(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    talk = Talk(world)
    question = await talk.says("can you move it to friday morning and also leave it behind the shed")
    assert "Fri Jun 12, 8 am-12 pm" in question
    booked = await talk.says("yes")
    assert "Booked" in booked
    assert "note for the driver" in booked
    assert held(world, tracking) == window(world, "08:00", "12:00", 3)
    assert "behind the shed" in await talk.says("yes")
    assert "behind the shed" in notes(world, tracking)


async def test_two_texts_that_make_no_sense_bring_a_person(world: World) -> None:
    await world.has_stop()
    talk = Talk(world)
    texts = await not_understood(world, *GIBBERISH)
    assert "?" in await talk.says(texts[0])
    assert await world.rows(Escalation) == []
    second = await talk.says(texts[-1])
    assert "dispatcher" in second
    assert "12:25 pm" in second
    await world.channel_shows("Recipient waiting", texts[-1])


async def test_an_answer_that_is_not_understood_twice_brings_a_person_and_moves_nothing(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    talk = Talk(world)
    await talk.says("i need to reschedule this delivery")
    texts = await not_understood(world, *GIBBERISH)
    again = await talk.says(texts[0])
    assert "1)" in again
    answer = await talk.says(texts[-1])
    assert "dispatcher" in answer
    assert held(world, tracking) == window(world, "14:00", "16:00")
    await world.channel_shows("Recipient waiting", "14 Elm St 2B")


async def test_one_misunderstanding_is_forgotten_by_what_is_understood(world: World) -> None:
    await world.has_stop(eta="15:20")
    talk = Talk(world)
    texts = await not_understood(world, *GIBBERISH)
    await talk.says(texts[0])
    assert "3:20 pm" in await talk.says("where is my package")
    assert "?" in await talk.says(texts[-1])
    assert await world.rows(Escalation) == []


async def test_a_text_that_may_mean_two_things_is_asked_back_and_the_number_decides(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    talk = Talk(world)
    torn = await not_understood(world, *TORN, torn_about="reschedule_delivery")
    either = await talk.says(torn[0])
    options = re.fullmatch(r".*Do you want to \(1\) (.+) or \(2\) (.+)\?", either)
    assert options is not None, either
    assert options[1] != options[2]
    unsure = await talk.says("yes")
    assert "Booked" not in unsure
    assert "other words" in unsure, "a yes to either chooses neither"
    again = await talk.says(torn[0])
    assert "dispatcher" not in again, "a yes was understood: it is one misunderstanding, not two"
    wanted = "2" if "move" in options[2] else "1"
    assert "move" in options[int(wanted)], "the model's guesses hold moving it"
    assert "1)" in await talk.says(wanted)
    assert "Fri Jun 12, 5-9 pm" in await talk.says("friday evening")
    assert "Booked" in await talk.says("yes")
    assert held(world, tracking) == window(world, "17:00", "21:00", 3)


async def test_a_note_for_the_driver_in_the_middle_of_moving_it_is_written_and_the_question_comes_back(
    world: World,
) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    talk = Talk(world)
    await talk.says("can you come thursday morning instead")
    between = await talk.says("oh and tell the driver to leave it by the garage door")
    assert "garage door" in between
    assert "Thu Jun 11, 8 am-12 pm" in between
    assert "garage door" in notes(world, tracking)
    assert "Booked" in await talk.says("yes thats right")
    assert held(world, tracking) == window(world, "08:00", "12:00", 2)


async def test_sending_it_back_in_the_middle_of_moving_it_is_asked_first(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    talk = Talk(world)
    await talk.says("need it moved to another day")
    sure = await talk.says("you know what just cancel the whole order")
    assert "1 to send it back" in sure
    answer = await talk.says("1")
    assert "dispatch" in answer
    assert "1)" not in answer, "there is nothing left to move"
    assert held(world, tracking) == window(world, "14:00", "16:00")
    assert await requests(world) == [("send_back", RequestState.OPEN)]


async def test_asking_for_a_person_ends_the_form(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    talk = Talk(world)
    await talk.says("want to change my delivery date")
    answer = await talk.says("this is dumb get me a real person")
    assert "dispatcher" in answer
    assert "1)" not in answer
    assert held(world, tracking) == window(world, "14:00", "16:00")
    await world.channel_shows("Recipient waiting", "Asks for a person")


async def test_leaving_politely_in_the_middle_changes_nothing(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    talk = Talk(world)
    await talk.says("could u deliver it tomorrow evening instead")
    answer = await talk.says("ok gotta go bye")
    assert "Booked" not in answer
    assert "?" not in answer
    assert held(world, tracking) == window(world, "14:00", "16:00")
