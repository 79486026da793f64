"""What comes after something was agreed: another wish, a code that is forgotten, a time that has gone by."""

from datetime import timedelta

from sqlmodel import col

from bot.conversations.models import InboundText
from bot.desk.models import DeskTask
from bot.recovery.answers import Choice, Preference
from bot.recovery.models import RecoveryState, Why
from bot.recovery.writing import WriteResult, Written
from bot.sop_recovery import RungKind
from connectors import desk
from connectors.base import FailureReason, Reattempt
from connectors.desk import TaskState
from connectors.emulation import Fault
from tests.bot.recovery.story import Story

CODE = "4471#"


async def open_tasks(story: Story) -> list[DeskTask]:
    return await story.world.rows(DeskTask, col(DeskTask.state) == TaskState.OPEN)


async def test_who_would_rather_have_it_again_than_fetch_it_leaves_nothing_to_hold(story: Story) -> None:
    tracking = await story.fails()
    assert (await story.answers(tracking, Preference(choice=Choice.PICK_UP))).result == "pick_up"
    assert [task.told.reasons for task in await open_tasks(story)] == [(Why.PICK_UP,)]
    again = await story.answers(tracking, Preference(window=story.window("12:00", "17:00")))
    assert again.result == "booked"
    assert await open_tasks(story) == []


async def test_another_time_for_a_second_try_that_has_its_code_calls_nobody(story: Story) -> None:
    tracking = await story.fails("gate locked")
    turn = await story.turn(f"gate {CODE}. tomorrow morning works")
    wanted = Preference(window=story.window("08:00", "12:00"), has_code=True, code_inbound_id=turn.inbound_id)
    recovery, service = await story.of(tracking), story.world.doorline.services.recovery
    assert (await service.answer(turn, str(recovery.id), wanted)).result == "booked"
    await story.world.advance(hours=2)
    (first,) = await story.world.rows(InboundText)
    assert first.codes_forgotten_at is not None
    later = wanted.model_copy(update={"window": story.window("12:00", "17:00", 2)})
    assert (await story.answers(tracking, later)).result == "booked"
    (clone,) = story.clones(tracking)
    assert f"Access code: {CODE}" in clone["notes"].splitlines()
    assert "Access code on file" in clone["notes"]
    assert await open_tasks(story) == []


async def test_the_next_driver_is_not_told_of_a_code_that_nobody_has(story: Story) -> None:
    tracking = await story.fails("gate locked")
    turn = await story.turn("gate code is ••••")
    wanted = Preference(window=story.window("08:00", "12:00"), has_code=True, code_inbound_id=turn.inbound_id)
    recovery = await story.of(tracking)
    outcome = await story.world.doorline.services.recovery.answer(turn, str(recovery.id), wanted)
    assert (outcome.result, outcome.lacks_code) == ("booked", True)
    (clone,) = story.clones(tracking)
    assert "2nd try" in clone["notes"]
    assert "on file" not in clone["notes"]


async def test_a_time_that_went_by_while_the_platform_was_down_is_not_booked(story: Story) -> None:
    tracking = await story.fails()
    story.world.onfleet.faults.down = True
    wanted = Preference(window=story.window("12:00", "17:00"))
    assert (await story.answers(tracking, wanted)).result == "platform_down"
    story.world.clock.move(timedelta(hours=30))
    story.world.onfleet.faults.clear()
    await story.world.retries()
    recovery = await story.of(tracking)
    assert (recovery.state, recovery.detail) == (RecoveryState.WITH_DISPATCHER, Why.NO_WINDOW)
    assert story.clones(tracking) == []
    assert "couldn't book that" in (await story.world.recipient().reads())[-1]


async def test_a_change_that_the_platform_refused_offers_nothing_that_would_not_happen(story: Story) -> None:
    tracking = await story.fails()
    await story.answers(tracking, Preference(window=story.window("12:00", "17:00")))
    services = story.world.doorline.services
    async with services.database.transaction() as session:
        recovery = await session.merge(await story.of(tracking))
        stop = await story.world.stop_record(tracking)
        await services.recovery_conclusions.not_written(
            session, recovery, stop, Written(WriteResult.REFUSED, detail="too late")
        )
    (task,) = await open_tasks(story)
    assert task.choices == [desk.Choice.AGAIN.value, desk.Choice.DONE.value]


async def test_a_reason_that_leaves_nobody_to_ask_leaves_the_end_of_the_ladder(story: Story) -> None:
    tracking = await story.world.has_stop(window=("10:00", "12:00"), eta=None)
    story.world.task_of(tracking)["recipients"] = []
    await story.world.delivers(tracking, success=False, notes="left")
    await story.world.tick()
    assert await story.pending(tracking) == [RungKind.DEFAULT]
    stop, services = await story.world.stop_record(tracking), story.world.doorline.services
    async with services.database.transaction() as session:
        await services.recovery.driver_says(
            session, stop.id, FailureReason.RECIPIENT_UNAVAILABLE, "nobody home"
        )
    recovery = await story.of(tracking)
    assert recovery.detail == Why.NOBODY_TO_ASK
    assert await story.pending(tracking) == [RungKind.DEFAULT]
    assert recovery.deadline_at is not None


async def test_who_heard_a_no_hears_of_the_second_try_that_was_made_all_the_same(story: Story) -> None:
    tracking = await story.fails()
    await story.answers(tracking, Preference(choice=Choice.SEND_BACK))
    message = await story.world.channel_shows("Refuses the parcel")
    failed = await story.world.stop_record(tracking)
    by_hand = Reattempt(own_ref="BY-HAND-1", window=story.window("12:00", "17:00"))
    platform = story.world.doorline.services.sync._platforms["onfleet"]
    made = await platform.reattempt(failed.platform_ref, by_hand)
    await story.world.dispatcher().presses(message, "decline")
    await story.world.settled()
    await story.world.doorline.services.sync.store_confirmed(made)
    await story.world.doorline.services.recovery_watch.look()
    await story.world.settled()
    assert (await story.of(tracking)).state is RecoveryState.BOOKED
    assert "second try" in (await story.world.recipient().reads())[-1]


async def test_a_code_is_written_though_its_digits_stand_in_the_notes_already(story: Story) -> None:
    tracking = await story.fails("gate locked")
    first = Preference(window=story.window("08:00", "12:00"), note="unit 44710")
    assert (await story.answers(tracking, first)).result == "booked"
    turn = await story.turn("gate code is 4471")
    with_code = first.model_copy(update={"has_code": True, "code_inbound_id": turn.inbound_id})
    recovery, service = await story.of(tracking), story.world.doorline.services.recovery
    assert (await service.answer(turn, str(recovery.id), with_code)).result == "booked"
    (clone,) = story.clones(tracking)
    assert "Access code: 4471" in clone["notes"].splitlines()


async def test_an_approval_after_a_second_try_by_hand_makes_no_twin(story: Story) -> None:
    tracking = await story.fails("box damaged")
    wanted = story.window("17:00", "21:00")
    assert (await story.answers(tracking, Preference(window=wanted))).result == "asked_dispatcher"
    message = await story.world.channel_shows("Wants another try")
    failed = await story.world.stop_record(tracking)
    by_hand = Reattempt(own_ref="BY-HAND-1", window=story.window("12:00", "17:00"))
    await story.world.doorline.services.sync._platforms["onfleet"].reattempt(failed.platform_ref, by_hand)
    await story.world.sync()
    await story.world.dispatcher().presses(message, "approve")
    await story.world.settled()
    assert len(story.clones(tracking)) == 1
    (again,) = await story.second_tries(tracking)
    assert again.window == wanted


async def test_a_second_try_by_hand_while_ours_could_not_be_written_is_taken_for_it(story: Story) -> None:
    tracking = await story.fails()
    for _ in ("with the answer", "right after it"):
        story.world.onfleet.faults.next(Fault("status", status=503, path_contains="/clone"))
    wanted = story.window("17:00", "21:00")
    assert (await story.answers(tracking, Preference(window=wanted))).result == "platform_down"
    failed = await story.world.stop_record(tracking)
    by_hand = Reattempt(own_ref="BY-HAND-1", window=story.window("12:00", "17:00"))
    await story.world.doorline.services.sync._platforms["onfleet"].reattempt(failed.platform_ref, by_hand)
    await story.world.sync()
    await story.world.retries()
    assert (await story.of(tracking)).state is RecoveryState.BOOKED
    assert len(story.clones(tracking)) == 1
    (again,) = await story.second_tries(tracking)
    assert again.window == wanted
    assert "5-9 pm" in (await story.world.recipient().reads())[-1]
