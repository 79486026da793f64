"""Notes for the driver, another address, sending it back, being on the way: what is said and what it leaves done."""

import pytest

from bot.escalations.models import Escalation
from bot.requests.models import RequestState
from tests.harness.flows import (
    Talk,
    asked_about,
    has_left,
    held,
    in_slack,
    notes,
    requests,
    tables_with,
    window,
)
from tests.harness.world import World

pytestmark = pytest.mark.rasa

CODE = "90417"


async def test_a_gate_code_stands_at_the_platform_and_is_never_repeated(world: World) -> None:
    tracking = await world.has_stop()
    talk = Talk(world)
    answer = await talk.says(f"the gate is {CODE}# then put it behind the planter thx")
    assert "code" in answer
    assert "behind the planter" in answer
    assert f"{CODE}#" in notes(world, tracking)
    assert CODE not in await talk.everything_read()
    assert CODE not in await in_slack(world)
    await world.advance(hours=1, minutes=5)
    assert await tables_with(world, CODE) <= {"stop"}, "only the platform's own notes, as it gave them"


async def test_instructions_that_are_only_announced_are_asked_for(world: World) -> None:
    tracking = await world.has_stop()
    talk = Talk(world)
    assert "?" in await talk.says("i wanna leave a note for the driver")
    assert notes(world, tracking) == ""
    answer = await talk.says("ring the bell for 302 twice and ask for tina")
    assert "Got it" in answer
    assert "ring the bell for 302 twice and ask for tina" in notes(world, tracking)


async def test_a_note_that_the_platform_cannot_take_is_approved_and_written_whole(world: World) -> None:
    tracking = await world.has_stop()
    talk = Talk(world)
    world.onfleet.faults.down = True
    answer = await talk.says(f"door code {CODE}, leave it in the lobby")
    assert "dispatch" in answer
    assert CODE not in answer
    world.onfleet.faults.down = False
    assert CODE not in await in_slack(world)
    told = await talk.hears("approve", "Has a note for the driver")
    assert "note" in told
    assert CODE in notes(world, tracking)
    assert CODE not in await in_slack(world)
    assert await requests(world) == [("note", RequestState.APPROVED)]


async def test_the_same_note_twice_stands_once(world: World) -> None:
    tracking = await world.has_stop()
    talk = Talk(world)
    await talk.says("leave it by the side door plz")
    await talk.says("leave it by the side door plz")
    assert notes(world, tracking).count("side door") == 1


async def test_a_corrected_place_stands_last_in_the_drivers_notes(world: World) -> None:
    tracking = await world.has_stop()
    talk = Talk(world)
    await talk.says("have them leave it on the front steps")
    answer = await talk.says("no wait put it in the garage instead")
    assert "in the garage" in answer
    assert "garage" in notes(world, tracking).splitlines()[-1]


async def test_a_full_address_goes_to_dispatch_and_nothing_changes_before_the_yes(world: World) -> None:
    tracking = await world.has_stop()
    talk = Talk(world)
    before = world.task_of(tracking)["destination"]
    answer = await talk.says("u got the wrong adress its 220 w 30th st apt 9, 10001")
    assert "Nothing is changed" in answer
    assert "12:25 pm" in answer
    assert world.task_of(tracking)["destination"] == before
    told = await talk.hears("approve", "Wants another address", "220 w 30th st apt 9")
    assert "new address" in told
    assert await requests(world) == [("change_address", RequestState.APPROVED)]


async def test_an_address_that_dispatch_cannot_change_is_told(world: World) -> None:
    await world.has_stop()
    talk = Talk(world)
    await talk.says("deliver it to my moms instead, 77 Cedar Lane 10003")
    assert "stays as it was" in await talk.hears("decline", "77 Cedar Lane 10003")
    assert await requests(world) == [("change_address", RequestState.DECLINED)]


async def test_asking_for_the_eta_before_giving_the_new_address_loses_nothing(world: World) -> None:
    tracking = await world.has_stop(eta="15:20")
    talk = Talk(world)
    assert "address" in await talk.says("i moved, need to change where its going")
    between = await talk.says("whats the eta btw")
    assert "3:20 pm" in between
    assert "address" in between
    await talk.says("418 Birch Ave unit 3, 10009")
    assert await asked_about(world, "change_address") == tracking
    await world.channel_shows("Wants another address", "418 Birch Ave unit 3")


async def test_dropping_the_change_of_address_asks_dispatch_for_nothing(world: World) -> None:
    await world.has_stop(eta="15:20")
    talk = Talk(world)
    await talk.says("can you send it to a different address")
    assert "nothing changed" in (await talk.says("never mind its fine")).lower()
    assert await requests(world) == []
    assert await world.channel() == []
    assert "3:20 pm" in await talk.says("ok so when will it be here")


async def test_sending_it_back_is_confirmed_first_and_decided_by_dispatch(world: World) -> None:
    await world.has_stop()
    talk = Talk(world)
    sure = await talk.says("i dont want this anymore pls cancel it")
    assert "1 to send it back" in sure
    assert "2 to keep it" in sure
    assert await requests(world) == []
    assert "12:25 pm" in await talk.says("1")
    assert "goes back to the sender" in await talk.hears("approve", "Refuses the parcel", "Acme")
    assert await requests(world) == [("send_back", RequestState.APPROVED)]


async def test_second_thoughts_keep_the_parcel(world: World) -> None:
    await world.has_stop()
    talk = Talk(world)
    await talk.says("cancel my order")
    answer = await talk.says("hmm nah ill keep it")
    assert "stays as it is" in answer
    assert await requests(world) == []
    assert await world.channel() == []


async def test_cancelling_turns_into_another_day(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    talk = Talk(world)
    await talk.says("just cancel the delivery im never home")
    question = await talk.says("actually can u just bring it friday after 5")
    assert "Fri Jun 12, 5-9 pm" in question
    assert "Booked" in await talk.says("yes")
    assert held(world, tracking) == window(world, "17:00", "21:00", 3)
    assert await requests(world) == []


async def test_on_the_way_while_the_driver_is_close_reaches_driver_and_dispatch(world: World) -> None:
    tracking = await world.has_stop(eta="12:10", window=("12:00", "14:00"))
    world.onfleet.start_task(world.task_of(tracking)["id"])
    await world.sync()
    answer = await Talk(world).says("omw home rn tell him to wait 5 min")
    assert "can't promise" in answer
    assert "on the way" in notes(world, tracking)
    await world.channel_shows("Recipient waiting", "14 Elm St 2B")


async def test_on_the_way_while_there_is_time_bothers_nobody(world: World) -> None:
    await has_left(world)
    await world.has_stop(eta="13:30", phone="+12125550189")
    tracking = await world.has_stop(eta="15:50")
    answer = await Talk(world).says("running late, ill be home in 20 min")
    assert "There's time" in answer
    assert "3:50 pm" in answer
    assert notes(world, tracking) == ""
    assert await world.rows(Escalation) == []
