"""Second tries that are cancelled after they were booked: nobody waits for one that does not come."""

from sqlmodel import col

from bot.desk.models import DeskTask
from bot.recovery.answers import Choice, Preference
from bot.recovery.models import RecoveryState, Why
from connectors.base import Reattempt, StopStatus
from connectors.desk import TaskState
from tests.bot.recovery.story import Story
from tests.harness.clients import Program


async def booked(story: Story) -> str:
    tracking = await story.fails()
    wanted = Preference(window=story.window("12:00", "17:00"))
    assert (await story.answers(tracking, wanted)).result == "booked"
    return tracking


async def cancel(story: Story, tracking: str) -> None:
    """Somebody deletes it in the platform's own dashboard."""
    (clone,) = story.clones(tracking)
    story.world.onfleet.tasks.delete(clone["id"])
    await story.world.sync()
    await story.world.tick()


async def open_tasks(story: Story) -> list[DeskTask]:
    return await story.world.rows(DeskTask, col(DeskTask.state) == TaskState.OPEN)


async def look(story: Story) -> int:
    changed = await story.world.doorline.services.recovery_watch.look()
    await story.world.settled()
    return changed


async def test_a_second_try_that_was_cancelled_is_decided_again_and_told(story: Story) -> None:
    tracking = await booked(story)
    said = len(await story.world.recipient().reads())
    await cancel(story, tracking)
    recovery = await story.of(tracking)
    assert (recovery.state, recovery.detail, recovery.settled_at) == (
        RecoveryState.WITH_DISPATCHER,
        Why.TRY_CANCELLED,
        None,
    )
    message = await story.world.channel_shows("The second try was cancelled on the platform.")
    assert await look(story) == 0
    assert len(await story.world.recipient().reads()) == said

    await story.world.dispatcher().presses(message, "task_again")
    await story.world.settled()
    recovery = await story.of(tracking)
    assert recovery.state is RecoveryState.BOOKED
    (clone,) = story.clones(tracking)
    second = [each for each in await story.second_tries(tracking) if each.is_open]
    assert [each.platform_ref for each in second] == [clone["id"]]
    assert recovery.reattempt_id == second[0].id
    assert second[0].window == story.window("12:00", "17:00")
    assert "second try" in (await story.world.recipient().reads())[-1]
    assert len(await story.world.recipient().reads()) == said + 1
    assert await open_tasks(story) == []


async def test_the_recipient_may_still_settle_what_was_cancelled(story: Story) -> None:
    tracking = await booked(story)
    await cancel(story, tracking)
    later = Preference(window=story.window("08:00", "12:00", 2))
    assert (await story.answers(tracking, later)).result == "booked"
    assert len(story.clones(tracking)) == 1
    assert await open_tasks(story) == []


async def test_one_that_somebody_made_instead_takes_its_place_and_is_told(story: Story) -> None:
    tracking = await booked(story)
    failed = await story.world.stop_record(tracking)
    (clone,) = story.clones(tracking)
    by_hand = Reattempt(own_ref="BY-HAND-1", window=story.window("17:00", "21:00"))
    platform = story.world.doorline.services.sync._platforms["onfleet"]
    made = await platform.reattempt(failed.platform_ref, by_hand)
    story.world.onfleet.tasks.delete(clone["id"])
    await story.world.sync()
    await story.world.tick()
    recovery = await story.of(tracking)
    other = [each for each in await story.second_tries(tracking) if each.platform_ref == made.platform_ref]
    assert (recovery.state, recovery.reattempt_id) == (RecoveryState.BOOKED, other[0].id)
    assert "5-9 pm" in (await story.world.recipient().reads())[-1]
    assert await open_tasks(story) == []


async def test_what_is_sent_back_as_the_recipient_asked_calls_nobody(story: Story) -> None:
    tracking = await booked(story)
    assert (await story.answers(tracking, Preference(choice=Choice.SEND_BACK))).result == "asked_dispatcher"
    message = await story.world.channel_shows("Refuses the parcel")
    await story.world.dispatcher().presses(message, "approve")
    await story.world.settled()
    await story.world.tick()
    (again,) = await story.second_tries(tracking)
    assert again.status is StopStatus.CANCELLED
    assert (await story.of(tracking)).state is RecoveryState.SENT_BACK
    assert await open_tasks(story) == []


async def test_what_the_client_cancelled_is_over(story: Story) -> None:
    tracking = await booked(story)
    (again,) = await story.second_tries(tracking)
    client = await Program.of(story.world, again.client)
    assert (await client.calls("DELETE", f"/stops/{again.id}")).json()["state"] == "applied"
    await story.world.tick()
    recovery = await story.of(tracking)
    assert recovery.state is RecoveryState.CLOSED
    assert (await story.verbs(tracking))[-1] == "closed"
    assert await open_tasks(story) == []
