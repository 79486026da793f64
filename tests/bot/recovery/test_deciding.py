"""What needs a person: why it failed, what becomes of it; and what people do without us."""

from typing import Any

from sqlmodel import col

from bot.desk.models import DeskTask
from bot.recovery.answers import Choice, Preference
from bot.recovery.models import ReasonSource, RecoveryState, Why
from bot.requests.models import DispatchRequest, RequestKind
from bot.sop_recovery import Flow, RungKind
from connectors.base import FailureReason, Reattempt, StopStatus
from connectors.desk import TaskKind, TaskState
from tests.bot.recovery.story import QUESTION, Story


async def the_task(story: Story) -> tuple[DeskTask, dict[str, Any]]:
    """The task that is open, with its message."""
    (task,) = await story.world.rows(DeskTask, col(DeskTask.state) == TaskState.OPEN)
    messages = await story.world.channel()
    return task, next(message for message in messages if message["ts"] == task.slack_ts)


async def press(story: Story, choice: str) -> None:
    _, message = await the_task(story)
    await story.world.dispatcher().presses(message, f"task_{choice}")
    await story.world.settled()
    await story.world.tick()


async def test_a_dispatcher_says_why_it_failed_and_the_recipient_is_asked(story: Story) -> None:
    tracking = await story.fails("left")
    recovery = await story.of(tracking)
    assert (recovery.state, recovery.detail) == (RecoveryState.WITH_DISPATCHER, Why.UNKNOWN_REASON)
    # Whatever becomes of it, the parcel does not lie there for ever.
    assert await story.pending(tracking) == [RungKind.DEFAULT]
    task, _ = await the_task(story)
    assert task.kind is TaskKind.FAILURE_REASON
    assert await story.world.recipient().reads() == []
    await press(story, "reason_1")
    await story.world.tick()
    recovery = await story.of(tracking)
    assert (recovery.reason, recovery.reason_source) == (FailureReason.ACCESS_ISSUE, ReasonSource.DISPATCHER)
    assert (recovery.state, recovery.flow) == (RecoveryState.ASKING, Flow.ACCESS_CODE)
    (asked,) = await story.world.recipient().reads()
    assert QUESTION in asked


async def test_the_drivers_text_explains_it_before_and_after_the_platform_tells(story: Story) -> None:
    services = story.world.doorline.services

    async def driver_says(tracking: str, reason: FailureReason, words: str) -> None:
        stop = await story.world.stop_record(tracking)
        async with services.database.transaction() as session:
            await services.recovery.driver_says(session, stop.id, reason, words)
        await story.world.settled()

    tracking = await story.world.has_stop(window=("10:00", "12:00"), eta=None)
    await driver_says(tracking, FailureReason.ACCESS_ISSUE, "gate locked")
    assert (await story.world.stop_record(tracking)).is_open
    await story.world.delivers(tracking, success=False, notes="left")
    await story.world.tick()
    assert (await story.of(tracking)).detail == Why.UNKNOWN_REASON
    await driver_says(tracking, FailureReason.ACCESS_ISSUE, "gate code is 4471#, was locked")
    recovery = await story.of(tracking)
    assert (recovery.flow, recovery.reason_source) == (Flow.ACCESS_CODE, ReasonSource.DRIVER)
    assert "4471" not in recovery.words
    # The dispatcher who was asked why need not answer any more.
    assert [task.state for task in await story.world.rows(DeskTask)] == [TaskState.EXPIRED]
    await story.world.tick()
    await driver_says(tracking, FailureReason.DAMAGED, "box wet too")
    recovery = await story.of(tracking)
    # The recipient has been asked by now: the words are kept, the question stands.
    assert (recovery.reason, recovery.state) == (FailureReason.ACCESS_ISSUE, RecoveryState.ASKING)
    assert "box wet too" in recovery.words


async def test_damaged_goods_are_tried_again_only_by_a_dispatchers_decision(story: Story) -> None:
    tracking = await story.fails("box damaged")
    assert (await story.of(tracking)).detail == Why.BY_RULE
    assert await story.steps(tracking) == {}
    outcome = await story.answers(tracking, Preference())
    assert outcome.result == "asked_dispatcher"
    assert story.clones(tracking) == []


async def test_attempts_are_used_up_and_a_dispatcher_tries_once_more(story: Story) -> None:
    tracking = await story.fails(client="Nova")
    assert (await story.of(tracking)).detail == Why.ATTEMPTS
    await press(story, "again")
    recovery = await story.of(tracking)
    assert (recovery.state, recovery.settled_by) == (RecoveryState.BOOKED, "U0DANA")
    (again,) = await story.second_tries(tracking)
    assert again.window == story.window("10:00", "12:00")
    assert "second try" in (await story.world.recipient().reads())[-1]


async def test_a_dispatcher_sends_it_back_or_holds_it_and_the_recipient_hears(story: Story) -> None:
    first = await story.fails("box damaged")
    await press(story, "return")
    assert (await story.of(first)).state is RecoveryState.SENT_BACK
    # Somebody has to carry it: that stays to be done, and is no decision any more.
    task, _ = await the_task(story)
    assert task.told.reasons == (Why.SEND_BACK,)
    await press(story, "done")
    assert (await story.of(first)).state is RecoveryState.SENT_BACK
    second = await story.fails("box damaged", address="18 Oak Ave")
    await press(story, "hold")
    assert (await story.of(second)).state is RecoveryState.PICK_UP
    texts = await story.world.recipient().reads()
    assert ["goes back" in text or "holds" in text for text in texts] == [True, True]


async def test_nobody_can_be_asked_and_the_parcel_comes_again_all_the_same(story: Story) -> None:
    tracking = await story.has_no_address()
    recovery = await story.of(tracking)
    assert (recovery.state, recovery.detail) == (RecoveryState.WITH_DISPATCHER, Why.NOBODY_TO_ASK)
    assert await story.pending(tracking) == [RungKind.DEFAULT]
    await story.world.advance(hours=25)
    await story.world.tick()
    assert (await story.of(tracking)).state is RecoveryState.BOOKED
    assert story.asker.asked == []


async def test_another_address_is_approved_and_becomes_the_second_try(story: Story) -> None:
    tracking = await story.fails("wrong address")
    wanted = Preference(address="9 Oak Ave", window=story.window("12:00", "17:00"))
    assert (await story.answers(tracking, wanted)).result == "asked_dispatcher"
    (request,) = await story.world.rows(DispatchRequest)
    assert request.kind is RequestKind.CHANGE_ADDRESS
    message = await story.world.channel_shows("Wants another address", "9 Oak Ave")
    await story.world.dispatcher().presses(message, "approve")
    await story.world.settled()
    await story.world.tick()
    (clone,) = story.clones(tracking)
    assert clone["destination"] != story.world.task_of(tracking)["destination"]
    assert (await story.of(tracking)).settled_by == "U0DANA"


async def test_a_wish_that_is_declined_leaves_the_end_of_the_ladder(story: Story) -> None:
    tracking = await story.fails()
    assert (await story.answers(tracking, Preference(choice=Choice.SEND_BACK))).result == "asked_dispatcher"
    assert await story.pending(tracking) == []
    await story.world.dispatcher().presses(await story.world.channel_shows("Refuses the parcel"), "decline")
    await story.world.settled()
    await story.world.tick()
    assert (await story.of(tracking)).state is RecoveryState.ASKING
    assert await story.pending(tracking) == [RungKind.DEFAULT]
    outcome = await story.answers(tracking, Preference(window=story.window("12:00", "17:00")))
    assert outcome.result == "booked"


async def test_a_parcel_that_is_fetched_is_held_at_the_depot(story: Story) -> None:
    tracking = await story.fails()
    outcome = await story.answers(tracking, Preference(choice=Choice.PICK_UP))
    assert outcome.result == "pick_up"
    assert (await story.of(tracking)).state is RecoveryState.PICK_UP
    task, _ = await the_task(story)
    assert (task.told.reasons, task.told.place) == ((Why.PICK_UP,), "our depot, 8 Dock Rd")
    again = await story.answers(tracking, Preference(choice=Choice.PICK_UP))
    assert again.result == "pick_up"
    assert len(await story.world.rows(DeskTask)) == 1


async def test_what_is_done_at_the_platform_by_hand_ends_the_follow_up(story: Story) -> None:
    tried, done, back = [await story.fails(address=each) for each in ("14 Elm St", "18 Oak Ave", "3 Fir Ln")]
    services = story.world.doorline.services
    platform = services.sync._platforms["onfleet"]
    for tracking, status in ((done, StopStatus.DELIVERED), (back, StopStatus.RETURNED)):
        told = await platform.get_stop((await story.world.stop_record(tracking)).platform_ref)
        changed = told.model_copy(update={"status": status, "changed_at": story.now()})
        await services.sync.store_confirmed(changed)
    failed = await story.world.stop_record(tried)
    by_hand = Reattempt(own_ref="BY-HAND-1", window=story.window("12:00", "17:00"))
    await platform.reattempt(failed.platform_ref, by_hand)
    await story.world.sync()
    await story.world.tick()
    ended = [await story.of(each) for each in (tried, done, back)]
    states = [RecoveryState.BOOKED, RecoveryState.CLOSED, RecoveryState.SENT_BACK]
    assert [each.state for each in ended] == states
    assert {each.settled_by for each in ended} == {"platform"}
    assert [await story.pending(each) for each in (tried, done, back)] == [[], [], []]
    # Who was asked is not left with the question.
    assert "second try" in (await story.world.recipient().reads())[-1]
