"""Moving a delivery, end to end: what is said, what the platform holds afterwards, and who is asked when it cannot be."""

from datetime import datetime

import pytest

from bot.escalations.models import Escalation
from connectors.emulation import Fault
from connectors.onfleet.payloads import from_ms
from tests.harness.world import World

pytestmark = pytest.mark.rasa


def held(world: World, tracking: str) -> tuple[datetime, datetime]:
    """The window that Onfleet itself holds."""
    task = world.task_of(tracking)
    return from_ms(task["completeAfter"]), from_ms(task["completeBefore"])


def window(world: World, start: str, end: str, day: int = 0) -> tuple[datetime, datetime]:
    return world.local(start, day), world.local(end, day)


async def test_a_window_is_read_back_booked_and_held_by_the_platform(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    recipient = world.recipient()
    question = await recipient.asks("not home today can u come tmrw after 5")
    assert "Wed Jun 10" in question
    assert "5-9 pm" in question
    assert held(world, tracking) == window(world, "14:00", "16:00"), "nothing moves before the yes"
    answer = await recipient.asks("yes")
    assert answer.startswith("Booked")
    assert "Wed Jun 10, 5-9 pm" in answer
    assert held(world, tracking) == window(world, "17:00", "21:00", day=1)
    record = await world.stop_record(tracking)
    assert (record.window_start_at, record.window_end_at) == window(world, "17:00", "21:00", day=1)
    assert await world.rows(Escalation) == []
    told = await recipient.asks("where is my delivery")
    assert "5-9 pm" in told


async def test_a_change_of_mind_books_only_the_last_wish(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    recipient = world.recipient()
    await recipient.asks("can you deliver tomorrow after 5 instead")
    second = await recipient.asks("hmm actually thursday morning")
    assert "Thu Jun 11" in second
    assert "8 am-12 pm" in second
    answer = await recipient.asks("y")
    assert "Booked" in answer
    assert "Thu Jun 11" in answer
    assert held(world, tracking) == window(world, "08:00", "12:00", day=2)


async def test_never_mind_moves_nothing(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    recipient = world.recipient()
    await recipient.asks("can you deliver tomorrow after 5 instead")
    answer = await recipient.asks("never mind")
    assert "Booked" not in answer
    assert held(world, tracking) == window(world, "14:00", "16:00")


async def test_one_of_the_offered_windows_is_chosen_by_its_number(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    recipient = world.recipient()
    offer = await recipient.asks("i need another delivery time")
    assert "1)" in offer
    question = await recipient.asks("2")
    assert "?" in question
    assert "Booked" in await recipient.asks("yes please")
    assert held(world, tracking) != window(world, "14:00", "16:00")


async def test_asking_where_it_is_in_between_does_not_lose_the_thread(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    recipient = world.recipient()
    await recipient.asks("can you deliver tomorrow after 5 instead")
    between = await recipient.asks("where is my package right now")
    assert "2-4 pm" in between
    assert "Booked" in await recipient.asks("yes")
    assert held(world, tracking) == window(world, "17:00", "21:00", day=1)


async def test_a_stop_that_the_driver_is_heading_for_is_refused_and_a_dispatcher_asked(world: World) -> None:
    tracking = await world.has_stop(eta="15:20")
    recipient = world.recipient()
    await recipient.asks("can you deliver tomorrow after 5 instead")
    # The driver sets off while the recipient still thinks; we have not heard of it yet.
    world.onfleet.webhooks.faults.down = True
    world.onfleet.start_task(world.task_of(tracking)["id"])
    answer = await recipient.asks("yes")
    assert "Booked" not in answer
    assert "12:25" in answer, "by when a dispatcher answers"
    assert held(world, tracking) == window(world, "14:00", "16:00")
    await world.channel_shows("Move it to", "14 Elm St 2B")


async def test_a_platform_that_is_down_promises_nothing_and_a_dispatcher_is_asked(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    recipient = world.recipient()
    await recipient.asks("can you deliver tomorrow after 5 instead")
    world.onfleet.faults.down = True
    answer = await recipient.asks("yes")
    assert "Booked" not in answer
    assert held(world, tracking) == window(world, "14:00", "16:00")
    await world.channel_shows("Move it to", "14 Elm St 2B")


async def test_a_platform_that_says_yes_and_keeps_the_old_window_is_not_believed(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    recipient = world.recipient()
    await recipient.asks("can you deliver tomorrow after 5 instead")
    world.onfleet.tasks.update = lambda task_id, wanted: world.onfleet.store.task(task_id)  # type: ignore[method-assign]
    answer = await recipient.asks("yes")
    assert "Booked" not in answer
    assert held(world, tracking) == window(world, "14:00", "16:00")
    await world.channel_shows("Move it to")


async def test_a_booking_whose_answer_was_lost_is_not_told_as_booked_and_somebody_looks(world: World) -> None:
    await world.has_stop(eta=None, on_route=False)
    recipient = world.recipient()
    await recipient.asks("can you deliver tomorrow after 5 instead")
    lost = Fault("reset", after_work=True, path_contains="/api/v2/tasks/")
    world.onfleet.faults.next(lost, lost, lost, lost)
    answer = await recipient.asks("yes")
    await world.settled()
    escalations = await world.rows(Escalation)
    assert ("Booked" in answer) == (escalations == []), "either it is known to be booked, or a person looks"


async def test_a_past_or_impossible_time_is_asked_again(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    recipient = world.recipient()
    await recipient.asks("can you bring it another time")
    assert "Booked" not in await recipient.asks("yesterday at 3 pm")
    assert "Booked" not in await recipient.asks("tomorrow at 3 in the morning")
    assert held(world, tracking) == window(world, "14:00", "16:00")
    await recipient.asks("ok tomorrow after 5")
    assert "Booked" in await recipient.asks("yes")


async def test_with_two_parcels_it_is_asked_which_one(world: World) -> None:
    acme = await world.has_stop(client="Acme", window=("13:00", "15:00"), eta=None, on_route=False)
    nova = await world.has_stop(client="Nova", window=("17:00", "19:00"), eta=None, on_route=False)
    recipient = world.recipient()
    question = await recipient.asks("can you deliver tomorrow after 5 instead")
    assert "Acme" in question
    assert "Nova" in question
    await recipient.asks("nova")
    assert "Booked" in await recipient.asks("yes")
    assert held(world, nova) == window(world, "17:00", "21:00", day=1)
    assert held(world, acme) == window(world, "13:00", "15:00")
