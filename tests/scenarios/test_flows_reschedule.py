"""Another window: what can be booked is booked, what only a dispatcher can move is decided in Slack and told."""

import pytest

from bot.escalations.models import Escalation
from bot.requests.models import RequestState
from tests.harness.flows import Talk, held, requests, window
from tests.harness.world import World

pytestmark = pytest.mark.rasa


async def test_a_platform_that_was_down_is_written_once_a_dispatcher_approves(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    talk = Talk(world)
    await talk.says("gotta change my delivery to tomorrow evening")
    world.onfleet.faults.down = True
    answer = await talk.says("yeah")
    assert "isn't booked" in answer
    assert "12:25 pm" in answer
    assert held(world, tracking) == window(world, "14:00", "16:00")
    world.onfleet.faults.down = False
    told = await talk.hears("approve", "Wants another delivery window", "Move it to Wed, Jun 10")
    assert "Wed Jun 10, 5-9 pm" in told
    assert held(world, tracking) == window(world, "17:00", "21:00", 1)
    assert await requests(world) == [("reschedule", RequestState.APPROVED)]
    after = await talk.says("so when is it coming now")
    assert "Wed Jun 10, 5-9 pm" in after


async def test_a_declined_window_is_told_and_another_one_can_be_asked_for(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    talk = Talk(world)
    await talk.says("can u do friday 8 to 12 instead")
    world.onfleet.faults.down = True
    await talk.says("yes")
    world.onfleet.faults.down = False
    told = await talk.hears("decline", "Move it to Fri, Jun 12")
    assert "can't move" in told
    assert held(world, tracking) == window(world, "14:00", "16:00")
    question = await talk.says("ok then saturday morning")
    assert "Sat Jun 13, 8 am-12 pm" in question
    assert "Booked" in await talk.says("yes pls")
    assert held(world, tracking) == window(world, "08:00", "12:00", 4)
    assert await requests(world) == [("reschedule", RequestState.DECLINED)]


async def test_what_the_platform_refuses_a_dispatcher_too_is_not_told_as_moved(world: World) -> None:
    tracking = await world.has_stop(eta="15:20")
    talk = Talk(world)
    world.onfleet.start_task(world.task_of(tracking)["id"])
    await world.sync()
    await talk.says("im stuck at work bring it tomorrow after 5")
    answer = await talk.says("yes")
    assert "already out" in answer
    assert "Wed Jun 10, 5-9 pm" in answer
    before = await talk.everything_read()
    message = await world.channel_shows("Wants another delivery window")
    await world.dispatcher().presses(message, "approve")
    await world.thread_shows(message, "still to be decided")
    assert await talk.everything_read() == before, "nothing is told that the platform does not hold"
    assert held(world, tracking) == window(world, "14:00", "16:00")
    assert "can't move" in await talk.hears("decline", "Wants another delivery window")
    assert await requests(world) == [("reschedule", RequestState.DECLINED)]


async def test_minds_change_three_times_and_the_last_wish_is_booked(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    talk = Talk(world)
    assert "Wed Jun 10, 8 am-12 pm" in await talk.says("can u bring it tmrw morning instead")
    assert "Fri Jun 12, 8 am-12 pm" in await talk.says("no wait friday")
    assert "Fri Jun 12, 12-5 pm" in await talk.says("actually make it the afternoon")
    assert held(world, tracking) == window(world, "14:00", "16:00")
    assert "Fri Jun 12, 12-5 pm" in await talk.says("yep thats good")
    assert held(world, tracking) == window(world, "12:00", "17:00", 3)


async def test_a_closed_day_is_said_and_the_next_wish_counts(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    talk = Talk(world)
    closed = await talk.says("move it to sunday morning pls")
    assert "Booked" not in closed
    assert "1)" in closed
    assert "Mon Jun 15" in await talk.says("ugh ok monday at 10am then")
    assert "Booked" in await talk.says("ok")
    start, _ = held(world, tracking)
    assert start.date() == world.local("10:00", 6).date()


async def test_too_soon_is_said_and_something_later_is_offered(world: World) -> None:
    tracking = await world.has_stop(window=("17:00", "19:00"), eta=None, on_route=False)
    talk = Talk(world)
    answer = await talk.says("can the driver come in 30 minutes instead")
    assert "too late for that" in answer
    assert "1)" in answer
    assert held(world, tracking) == window(world, "17:00", "19:00")


async def test_a_no_to_the_first_offer_gets_others_and_one_is_chosen_in_words(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    talk = Talk(world)
    await talk.says("wanna reschedule for tomorrow 8am")
    other = await talk.says("nah not that")
    assert "1)" in other
    assert "Sat Jun 13" in await talk.says("how about saturday after lunch")
    assert "Booked" in await talk.says("sure")
    start, _ = held(world, tracking)
    assert start.date() == world.local("12:00", 4).date()


async def test_a_question_and_a_thank_you_in_between_leave_the_window_waiting_for_its_yes(
    world: World,
) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    talk = Talk(world)
    await talk.says("reschedule for thursday evening please")
    between = await talk.says("hold on where is it now tho")
    assert "2-4 pm" in between
    assert "Thu Jun 11, 5-9 pm" in between, "the question comes back by itself"
    bot = await talk.says("wait are u a robot")
    assert "not a person" in bot
    assert "Thu Jun 11, 5-9 pm" in bot
    assert "Booked" in await talk.says("lol ok yes book it")
    assert held(world, tracking) == window(world, "17:00", "21:00", 2)


async def test_giving_up_on_moving_it_keeps_the_old_window_and_says_so(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    talk = Talk(world)
    await talk.says("i wanna change the delivery time")
    answer = await talk.says("eh forget it")
    assert "nothing changed" in answer
    assert "2-4 pm" in answer
    assert held(world, tracking) == window(world, "14:00", "16:00")
    later = await talk.says("yes")
    assert "Booked" not in later
    assert held(world, tracking) == window(world, "14:00", "16:00")
    assert await world.rows(Escalation) == []


async def test_a_number_that_is_not_in_the_list_is_asked_again(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    talk = Talk(world)
    await talk.says("need a different delivery time")
    again = await talk.says("7")
    assert "?" in again
    assert held(world, tracking) == window(world, "14:00", "16:00")
    question = await talk.says("the 1st one")
    assert "Wed Jun 10" in question or "today" in question.lower()
    assert "Booked" in await talk.says("y")
    assert held(world, tracking) != window(world, "14:00", "16:00")
