"""Nobody will be home: the four ways out, by number and in words."""

import pytest

from bot.escalations.models import Escalation
from bot.requests.models import RequestState
from tests.harness.flows import Talk, has_left, held, notes, requests, window
from tests.harness.world import World

pytestmark = pytest.mark.rasa


async def test_another_time_by_number_leads_to_a_booked_window(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    talk = Talk(world)
    ways = await talk.says("nobody gonna be home for this")
    assert all(way in ways for way in ("1)", "2)", "3)", "4)", "neighbor", "safe place", "pick-up"))
    when = await talk.says("1")
    assert "1)" in when
    question = await talk.says("fri morning")
    assert "Fri Jun 12, 8 am-12 pm" in question
    assert "Booked" in await talk.says("do it")
    assert held(world, tracking) == window(world, "08:00", "12:00", 3)


async def test_the_day_on_which_nobody_is_home_is_not_offered(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False, day=1)
    talk = Talk(world)
    await talk.says("we wont be around tomorrow")
    when = await talk.says("another day")
    assert "Wed Jun 10" not in when
    assert "Thu Jun 11" in when
    assert held(world, tracking) == window(world, "14:00", "16:00", 1)


async def test_a_time_instead_of_a_number_is_read_back(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    talk = Talk(world)
    await talk.says("im not gonna be home today")
    assert "Thu Jun 11, 5-9 pm" in await talk.says("can u do thursday after 5")
    assert "Booked" in await talk.says("yeah perfect")
    assert held(world, tracking) == window(world, "17:00", "21:00", 2)


async def test_a_neighbor_is_asked_for_and_stands_in_the_drivers_notes(world: World) -> None:
    await has_left(world)
    tracking = await world.has_stop()
    talk = Talk(world)
    assert "on the van" in await talk.says("noone home this afternoon sry")
    assert "Which neighbor" in await talk.says("2")
    answer = await talk.says("Mrs Kowalski, apt 16B across the hall")
    assert "Kowalski" in answer
    assert "with:" not in answer
    assert "leave with" in notes(world, tracking)
    assert "Mrs Kowalski, apt 16B" in notes(world, tracking)
    assert held(world, tracking) == window(world, "14:00", "16:00")


async def test_a_safe_place_in_words_is_asked_where_and_noted(world: World) -> None:
    tracking = await world.has_stop()
    talk = Talk(world)
    await talk.says("i have to leave for work nobody here to get it")
    assert "Where exactly" in await talk.says("somewhere safe i guess, a safe place")
    answer = await talk.says("under the bbq cover out back")
    assert "under the bbq cover out back" in answer
    assert "under the bbq cover out back" in notes(world, tracking)


async def test_held_for_pick_up_is_a_dispatchers_to_approve(world: World) -> None:
    tracking = await world.has_stop()
    talk = Talk(world)
    await talk.says("im away today cant receive it")
    answer = await talk.says("4")
    assert "hold" in answer
    assert "12:25 pm" in answer
    told = await talk.hears("approve", "Wants it held", "14 Elm St 2B")
    assert "held" in told
    assert await requests(world) == [("hold", RequestState.APPROVED)]
    assert held(world, tracking) == window(world, "14:00", "16:00")


async def test_a_neighbor_named_at_once_needs_no_question(world: World) -> None:
    tracking = await world.has_stop()
    answer = await Talk(world).says("not home, just leave it with the doorman")
    assert "with the doorman" in answer
    assert "?" not in answer
    assert "leave it with the doorman" in notes(world, tracking)
    assert await world.rows(Escalation) == []


async def test_the_choice_is_changed_from_a_neighbor_to_pick_up(world: World) -> None:
    tracking = await world.has_stop()
    talk = Talk(world)
    await talk.says("wont be home when u come")
    await talk.says("2")
    answer = await talk.says("hmm no actually ill pick it up myself")
    assert "hold" in answer
    assert await requests(world) == [("hold", RequestState.OPEN)]
    assert notes(world, tracking) == ""


async def test_none_of_the_four_ways_leaves_it_all_as_it_is(world: World) -> None:
    tracking = await world.has_stop()
    talk = Talk(world)
    await talk.says("no one will be at the house")
    answer = await talk.says("nvm my sister is home after all")
    assert "nothing changed" in answer.lower()
    assert notes(world, tracking) == ""
    assert held(world, tracking) == window(world, "14:00", "16:00")
    assert await requests(world) == []


async def test_where_is_it_between_the_four_ways_is_answered_and_the_choice_comes_back(world: World) -> None:
    tracking = await world.has_stop(eta="15:20")
    talk = Talk(world)
    await talk.says("i wont be home for the delivery")
    between = await talk.says("wait how far away is the driver")
    assert "3:20 pm" in between
    assert "3) a safe place" in between
    assert "Where exactly" in await talk.says("3")
    await talk.says("inside the screen door")
    assert "inside the screen door" in notes(world, tracking)
