"""Whose stop, and which one: households, strangers, and stops that were over days ago."""

import pytest

from bot.incidents.models import Incident
from connectors.onfleet.payloads import from_ms
from tests.harness.finished import AT_THE_DOOR, days_pass, has_delivered
from tests.harness.world import World

pytestmark = pytest.mark.rasa


async def test_a_delivered_stop_can_be_asked_about_for_a_fortnight(world: World) -> None:
    tracking = await has_delivered(world, photos=1, location=AT_THE_DOOR)
    recipient = world.recipient()
    await days_pass(world, 13)
    answer = await recipient.asks("got any pic of where u left my package")
    assert "Jun 9" in answer
    assert "http" in answer
    missing = await recipient.asks("thats not my door. i never got it")
    assert "Jun 9" in missing
    (incident,) = await world.rows(Incident)
    assert incident.stop_id == (await world.stop_record(tracking)).id


async def test_after_a_fortnight_it_is_not(world: World) -> None:
    await has_delivered(world, photos=1, location=AT_THE_DOOR)
    await days_pass(world, 14.1)
    answer = await world.recipient().asks("got any pic of where u left my package")
    assert "no open delivery" in answer
    assert "http" not in answer
    assert await world.rows(Incident) == []


async def test_a_household_shares_a_phone_and_is_asked_which_one(world: World) -> None:
    robin = await world.has_stop(name="Robin Doe", client="Acme", eta="15:20")
    await world.has_stop(name="Kim Doe", client="Nova", window=("17:00", "19:00"), eta=None, on_route=False)
    recipient = world.recipient()
    question = await recipient.asks("is it coming 2day")
    assert "Acme" in question
    assert "Nova" in question
    for secret in ("14 Elm", "2B", "Robin", "Kim"):
        assert secret not in question, "client and street only"
    assert "5-7 pm" in await recipient.asks("kims one is the nova")
    assert "3:20 pm" in await recipient.asks("and the other")
    assert from_ms(world.task_of(robin)["completeAfter"]) == world.local("14:00")


async def test_both_are_told_in_one_answer(world: World) -> None:
    await world.has_stop(client="Acme", eta="15:20")
    await world.has_stop(client="Nova", window=("17:00", "19:00"), eta=None, on_route=False)
    recipient = world.recipient()
    await recipient.asks("eta?")
    answer = await recipient.asks("both pls")
    assert "3:20 pm" in answer
    assert "5-7 pm" in answer


async def test_two_phones_never_hear_of_each_other(world: World) -> None:
    await world.has_stop(phone="+12125550100", client="Acme", address="14 Elm St 2B", eta="15:20")
    await world.has_stop(
        phone="+12125550111", client="Novatek", address="77 Quince St", eta="16:40", window=("16:00", "18:00")
    )
    one = await world.recipient("+12125550100").asks("whens my stuff coming")
    other = await world.recipient("+12125550111").asks("whens my stuff coming")
    assert "3:20 pm" in one
    assert "4:40 pm" in other
    assert "Novatek" not in one
    assert "Acme" not in other


async def test_a_stranger_with_the_number_may_look_and_not_touch(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    stranger = world.recipient("+12125550177")
    question = await stranger.asks("hey wheres my sisters package")
    assert "tracking number" in question
    answer = await stranger.asks(f"its {tracking}")
    assert "2-4 pm" in answer
    for secret in ("14 Elm", "Robin"):
        assert secret not in answer
    await stranger.asks("can u bring it thursday morning instead")
    assert "Booked" not in await stranger.asks("yes")
    assert from_ms(world.task_of(tracking)["completeAfter"]) == world.local("14:00")
    await stranger.asks("just leave it at the back door")
    assert "back door" not in str(world.task_of(tracking)["notes"])


async def test_a_stranger_without_a_number_is_told_how_to_go_on(world: World) -> None:
    await world.has_stop()
    stranger = world.recipient("+12125550177")
    await stranger.asks("where r my shoes")
    answer = await stranger.asks("i dont have any number")
    assert "Without a tracking number" in answer
    assert "12:25 pm" in await stranger.asks("person then")
    await world.channel_shows("Asks for a person", "do not know which stop")


async def test_a_wrong_number_says_nothing_and_the_right_one_helps(world: World) -> None:
    tracking = await world.has_stop(eta="15:20")
    stranger = world.recipient("+12125550177")
    await stranger.asks("track my order")
    assert "don't find" in await stranger.asks("deadbee1")
    assert "3:20 pm" in await stranger.asks(f"oops meant {tracking}")
