"""Where is it, and which one: the true state of one stop, or of the one that is meant among several."""

from datetime import timedelta

import pytest

from bot.escalations.models import Escalation
from bot.requests.models import RequestState
from tests.harness.flows import Talk, asked_about, has_left, held, notes, requests, window
from tests.harness.world import World

pytestmark = pytest.mark.rasa


async def two_stops(world: World) -> tuple[str, str]:
    acme = await world.has_stop(client="Acme", window=("13:00", "15:00"), eta="13:40")
    nova = await world.has_stop(client="Nova", window=("17:00", "19:00"), eta=None)
    return acme, nova


async def test_an_impatient_text_gets_the_eta_and_the_window(world: World) -> None:
    await world.has_stop(eta="15:20")
    answer = await Talk(world).says("wheres my pakage i been waitin all day")
    assert "Acme" in answer
    assert "3:20 pm" in answer
    assert "2-4 pm" in answer
    assert await world.rows(Escalation) == []


async def test_a_stop_on_the_van_is_told_with_the_stops_before_it(world: World) -> None:
    await has_left(world)
    await world.has_stop(eta="12:50", window=("12:00", "14:00"))
    answer = await Talk(world).says("hey how far out is my delivery driver")
    assert "on the van" in answer
    assert "one stop before yours" in answer
    assert "12:50 pm" in answer
    assert "Zeta" not in answer


async def test_a_stop_of_tomorrow_is_told_with_its_day_and_without_an_eta(world: World) -> None:
    await world.has_stop(eta=None, day=1, on_route=False)
    answer = await Talk(world).says("when r u guys coming with my order")
    assert "isn't out yet" in answer
    assert "Wed Jun 10" in answer
    assert "2-4 pm" in answer
    assert "3:20" not in answer


async def test_a_late_stop_is_told_as_late_with_the_window_that_was_promised(world: World) -> None:
    await world.has_stop(eta="16:25")
    answer = await Talk(world).says("still no sign of my stuff, wheres the driver at")
    assert "4:25 pm" in answer
    assert "2-4 pm" in answer
    assert "sorry" in answer


async def test_old_news_is_told_with_its_age_and_a_dispatcher_is_asked(world: World) -> None:
    await world.has_stop(eta="15:20")
    world.clock.move(timedelta(minutes=40))
    answer = await Talk(world).says("any update on my parcel")
    assert "40 min ago" in answer
    assert "3:20" not in answer, "an old ETA is none"
    assert "by 1:05 pm" in answer
    await world.channel_shows("Recipient waiting", "14 Elm St 2B")


async def test_what_was_delivered_is_told_with_its_time(world: World) -> None:
    tracking = await world.has_stop()
    world.clock.at = world.local("14:40")
    await world.delivers(tracking)
    answer = await Talk(world).says("did it come yet")
    assert "delivered at 2:40 pm" in answer


async def test_after_a_failed_try_a_better_day_goes_to_dispatch_and_the_decision_comes_back(
    world: World,
) -> None:
    tracking = await world.has_stop()
    talk = Talk(world)
    world.clock.at = world.local("14:40")
    await world.delivers(tracking, success=False, reason="Nobody home")
    missed = await talk.says("so what happened with my delivery")
    assert "2:40 pm" in missed
    assert "nobody in" in missed
    answer = await talk.says("thurs morning pls")
    assert "Booked" not in answer
    assert "Thu Jun 11, 8 am-12 pm" in answer, "what was understood is read back"
    assert "by 3:05 pm" in answer
    assert await requests(world) == [("redeliver", RequestState.OPEN)]
    told = await talk.hears("approve", "Wants another try", "Thu, Jun 11")
    assert "Thu Jun 11, 8 am-12 pm" in told
    assert await requests(world) == [("redeliver", RequestState.APPROVED)]


async def test_two_stops_are_listed_by_client_and_street_and_one_is_chosen_by_name(world: World) -> None:
    await two_stops(world)
    talk = Talk(world)
    listed = await talk.says("is it comming today or what")
    assert "1) Acme, Elm St" in listed
    assert "2) Nova, Elm St" in listed
    assert "14 Elm" not in listed
    nova = await talk.says("the nova 1")
    assert "Nova" in nova
    assert "5-7 pm" in nova
    assert "Acme" not in nova
    acme = await talk.says("and whats up with the other one")
    assert "Acme" in acme
    assert "1:40 pm" in acme


async def test_both_of_two_stops_are_told_in_one_answer(world: World) -> None:
    await two_stops(world)
    talk = Talk(world)
    await talk.says("status of my delivery")
    both = await talk.says("both")
    assert "Acme" in both
    assert "1:40 pm" in both
    assert "5-7 pm" in both


async def test_a_stop_that_the_text_names_is_not_asked_about(world: World) -> None:
    acme, nova = await two_stops(world)
    answer = await Talk(world).says("pls leave the nova parcel on the back porch")
    assert "back porch" in answer
    assert "?" not in answer
    assert "back porch" in notes(world, nova)
    assert notes(world, acme) == ""


async def test_what_follows_is_about_the_stop_that_was_talked_about(world: World) -> None:
    acme, nova = await two_stops(world)
    talk = Talk(world)
    assert "Nova" in await talk.says("where is the nova delivery")
    assert "jim in 3c" in await talk.says("cool can u leave it w my neighbor jim in 3c")
    assert "jim in 3c" in notes(world, nova)
    assert notes(world, acme) == ""


async def test_a_tracking_number_decides_among_several(world: World) -> None:
    _, nova = await two_stops(world)
    answer = await Talk(world).says(f"wheres {nova}")
    assert "Nova" in answer
    assert "5-7 pm" in answer
    assert "Acme" not in answer


async def test_moving_one_of_two_asks_which_and_leaves_the_other_alone(world: World) -> None:
    acme, nova = await two_stops(world)
    talk = Talk(world)
    which = await talk.says("i need to push my delivery to thursday between 8 and noon")
    assert "Acme" in which
    assert "Nova" in which
    assert "both" not in which
    question = await talk.says("2")
    assert "Thu Jun 11, 8 am-12 pm" in question
    assert "Booked" in await talk.says("yep")
    assert held(world, nova) == window(world, "08:00", "12:00", 2)
    assert held(world, acme) == window(world, "13:00", "15:00")


async def test_sending_one_of_two_back_asks_which_first(world: World) -> None:
    acme, _ = await two_stops(world)
    talk = Talk(world)
    which = await talk.says("i dont want one of my orders anymore send it back")
    assert "1) Acme" in which
    assert "2) Nova" in which
    sure = await talk.says("acme")
    assert "Acme" in sure
    assert "1 to send it back" in sure
    answer = await talk.says("1")
    assert "dispatch" in answer
    assert await asked_about(world, "send_back") == acme
    await world.channel_shows("Refuses the parcel", "Acme")
