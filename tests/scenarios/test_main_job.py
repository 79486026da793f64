"""The main job, end to end: a text gets a true answer, a late stop reaches Slack, an emoji acknowledges it."""

import pytest

from tests.harness.people import readable
from tests.harness.waiting import eventually
from tests.harness.world import World

pytestmark = pytest.mark.rasa


async def test_where_is_my_delivery_is_answered_with_the_platforms_eta(world: World) -> None:
    await world.has_stop(eta="15:20", window=("14:00", "16:00"))
    answer = await world.recipient().asks("where is my delivery")
    assert "Acme" in answer
    assert "3:20 pm" in answer


async def test_a_stranger_is_asked_for_the_tracking_number_and_told_nothing(world: World) -> None:
    await world.has_stop(phone="+12125550100")
    answer = await world.recipient("+12125550177").asks("where is my delivery")
    assert "tracking number" in answer
    assert "Acme" not in answer
    assert "Elm" not in answer


async def test_a_stop_about_to_miss_its_window_reaches_slack_and_eyes_acknowledge_it(world: World) -> None:
    await world.has_stop(eta="16:25", window=("14:00", "16:00"))
    await world.advance(minutes=1)
    await world.advance(minutes=4)
    message = await world.channel_shows("At risk", "14 Elm St 2B", "ETA 4:25 pm")
    await world.dispatcher("U0DANA").reacts(message, "eyes")
    changed = await world.channel_shows("has it", "until 4:00 pm")
    assert changed["ts"] == message["ts"]
    assert "U0DANA" in readable(changed)
    assert len(await world.channel()) == 1


async def test_a_delivered_stop_resolves_its_escalation_by_itself(world: World) -> None:
    tracking = await world.has_stop(eta="16:25", window=("14:00", "16:00"))
    await world.advance(minutes=1)
    await world.advance(minutes=4)
    await world.channel_shows("At risk")
    task = next(task for task in world.onfleet.store.tasks.values() if task["shortId"] == tracking)
    world.onfleet.start_task(task["id"])
    world.clock.at = world.local("16:22")
    world.onfleet.complete_task(task["id"], success=True)
    await world.sync()
    await world.tick()
    message = await world.channel_shows("Delivered 4:22 pm", "22 min late")
    await eventually(world.channel, lambda messages: len(messages[0]["replies"]) > 0, "history in the thread")
    assert message["reactions"] == []


async def test_a_promised_answer_that_nobody_gives_calls_the_dispatchers_again(world: World) -> None:
    await world.has_stop(eta="15:20", window=("14:00", "16:00"))
    answer = await world.recipient().asks("i want to talk to a human")
    assert "by 12:25 pm" in answer or "by 12:20 pm" in answer
    message = await world.channel_shows("Recipient waiting", "Asks for a person")
    await world.advance(minutes=11)
    await world.advance(minutes=15)
    calls = await eventually(
        world.channel,
        lambda messages: sum("<!here>" in reply["text"] for reply in messages[0]["replies"]) == 2,
        "two mentions in the thread",
    )
    assert calls[0]["ts"] == message["ts"]


async def test_somebody_with_only_a_tracking_number_cannot_move_the_parcel(world: World) -> None:
    tracking = await world.has_stop(phone="+12125550100", on_route=False, window=("17:00", "19:00"), eta=None)
    stranger = world.recipient("+12125550166")
    await stranger.asks("reschedule my delivery")
    await stranger.asks(tracking)
    await stranger.asks("tomorrow morning")
    answer = await stranger.asks("yes")
    assert "Booked" not in answer
    task = next(task for task in world.onfleet.store.tasks.values() if task["shortId"] == tracking)
    assert task["completeAfter"] == int(world.local("17:00").timestamp() * 1000)
