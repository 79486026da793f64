"""Drivers are asked for a yes before they start; a no, and silence, are a dispatcher's, with somebody to give it to."""

import pytest
from sqlmodel import col

from bot.audit import AuditLine
from bot.durable.models import OutboundText
from bot.stops.models import StopRecord
from connectors.desk import Choice, ShiftState, TaskAction, TaskKind, TaskState
from connectors.emulation import Fault
from tests.bot.drivers.vans import Vans
from tests.harness.accounts import CHANNEL
from tests.harness.waiting import eventually

ASKED = "QuickShip: your route today: 3 stops, first 3 pm at 10 Elm St. Reply 1 to confirm, 2 if you can't."


async def press(vans: Vans, choice: Choice, value: str = "", dispatcher: str = "U0DANA") -> object:
    """A dispatcher's press, as the Slack edge hands it on."""
    task, services = await vans.task(), vans.world.doorline.services
    action = TaskAction(
        vendor_id=f"press:{task.id}:{choice}",
        task_id=str(task.id),
        choice=choice,
        value=value,
        dispatcher=dispatcher,
        channel=CHANNEL,
        message_ts="1.0",
        occurred_at=vans.world.clock.now(),
    )
    async with services.database.transaction() as session:
        refusal, _ = await services.desk_tasks.act(session, action)
    await vans.world.settled()
    return refusal


# --- asking ---------------------------------------------------------------------------------------


async def test_a_driver_is_asked_once_before_the_start(vans: Vans) -> None:
    worker = vans.driver("van-1")
    vans.give(worker, 3)
    await vans.world.sync()
    await vans.world.advance(minutes=88)
    assert await vans.reads("van-1") == []
    await vans.world.advance(minutes=2)
    assert await vans.reads("van-1") == [ASKED]
    for _ in range(3):
        await vans.world.advance(minutes=1)
    assert await vans.reads("van-1") == [ASKED]
    assert (await vans.shift(worker)).state is ShiftState.ASKED


async def test_a_route_of_one_stop_is_asked_about_in_the_singular(vans: Vans) -> None:
    await vans.asked(stops=1)
    assert (await vans.reads("van-1"))[0].startswith(
        "QuickShip: your route today: one stop, 3 pm at 10 Elm St."
    )


async def test_a_yes_confirms_and_nobody_is_called(vans: Vans) -> None:
    worker = await vans.asked()
    assert await vans.phone("van-1").asks("1") == "Confirmed, thank you. If something comes up, reply 2."
    await vans.world.advance(minutes=60)
    shift = await vans.shift(worker)
    assert (shift.state, shift.words) == (ShiftState.CONFIRMED, "1")
    assert await vans.tasks(TaskKind.DRIVER_UNCONFIRMED) == []
    assert vans.world.rasa.turns == []
    verbs = [line.verb for line in await vans.world.rows(AuditLine, col(AuditLine.subject_kind) == "shift")]
    assert verbs == ["asked", "confirmed"]


async def test_a_refusal_calls_a_dispatcher_at_once(vans: Vans) -> None:
    worker = await vans.asked()
    answer = await vans.phone("van-1").asks("can't, im sick")
    assert answer == "Understood. Dispatch knows and is looking for someone else for your route."
    task = await vans.task()
    assert (task.state, task.zone, task.told.driver_name, task.told.stops) == (
        TaskState.OPEN,
        "North",
        "Driver of van-1",
        3,
    )
    assert (task.told.words, task.told.reasons) == ("can't, im sick", ("driver_refused",))
    assert (await vans.shift(worker)).state is ShiftState.REFUSED


async def test_silence_until_the_deadline_is_a_dispatchers(vans: Vans) -> None:
    worker = await vans.asked()
    await vans.world.advance(minutes=44)
    assert await vans.tasks(TaskKind.DRIVER_UNCONFIRMED) == []
    await vans.world.advance(minutes=1)
    assert (await vans.task()).told.reasons == ("driver_silent",)
    assert (await vans.shift(worker)).state is ShiftState.SILENT
    await vans.world.advance(minutes=1)
    assert len(await vans.tasks(TaskKind.DRIVER_UNCONFIRMED)) == 1


async def test_a_late_yes_settles_the_task(vans: Vans) -> None:
    worker = await vans.asked()
    await vans.world.advance(minutes=46)
    await vans.phone("van-1").asks("yes sorry")
    task = await vans.task()
    assert (task.state, task.outcome) == (TaskState.EXPIRED, "confirmed")
    assert (await vans.shift(worker)).state is ShiftState.CONFIRMED


async def test_a_change_of_mind_counts_both_ways(vans: Vans) -> None:
    worker = await vans.asked()
    await vans.phone("van-1").asks("1")
    await vans.phone("van-1").asks("2")
    assert (await vans.task()).state is TaskState.OPEN
    await vans.phone("van-1").asks("ok, i can do it")
    assert (await vans.task()).state is TaskState.EXPIRED
    assert (await vans.shift(worker)).state is ShiftState.CONFIRMED


async def test_what_is_neither_yes_nor_no_is_asked_once_more_and_then_a_dispatchers(vans: Vans) -> None:
    await vans.asked()
    again = await vans.phone("van-1").asks("what van do I take")
    assert again == "I didn't get that. Reply 1 if you'll drive your route today, 2 if you can't."
    assert await vans.phone("van-1").asks("the gate code is 4711, which van") == (
        "I've passed this on to dispatch. Someone will call or text you."
    )
    assert (await vans.task()).told.words == "the gate code is ••••, which van"
    assert vans.world.rasa.turns == []


async def test_a_driver_who_awaits_a_parcel_talks_with_the_bot_about_it(vans: Vans) -> None:
    await vans.world.has_stop(phone="+12125550701", driver="van-9", window=("19:00", "21:00"), eta=None)
    worker = await vans.asked()
    assert await vans.phone("van-1").asks("where is my parcel") == "You said: where is my parcel"
    await vans.phone("van-1").asks("si")
    assert (await vans.shift(worker)).state is ShiftState.CONFIRMED
    # Answered: from now on digits are the bot's again.
    assert await vans.phone("van-1").asks("2") == "You said: 2"


async def test_a_phone_that_was_not_asked_talks_with_the_bot(vans: Vans) -> None:
    await vans.asked()
    assert await vans.world.recipient("+12125550100").asks("1") == "You said: 1"


async def test_who_has_left_with_stop_is_not_asked_and_a_dispatcher_hears_it(vans: Vans) -> None:
    await vans.phone("van-1").texts("STOP")
    worker = vans.driver("van-1")
    vans.give(worker, 2)
    await vans.world.sync()
    await vans.world.advance(minutes=91)
    assert (await vans.task()).told.reasons == ("opted_out",)
    assert await vans.world.rows(OutboundText) == []
    await vans.world.advance(minutes=10)
    assert len(await vans.tasks(TaskKind.DRIVER_UNCONFIRMED)) == 1


async def test_a_driver_who_drives_has_said_yes(vans: Vans) -> None:
    worker = await vans.asked()
    await vans.world.advance(minutes=46)
    first = next(task for task in vans.world.onfleet.store.tasks.values())
    vans.world.onfleet.set_duty(worker, True, vans.world.clock.now())
    vans.world.onfleet.start_task(first["id"])
    await vans.world.sync()
    await vans.world.tick()
    assert (await vans.shift(worker)).state is ShiftState.CONFIRMED
    assert (await vans.task()).state is TaskState.EXPIRED


async def test_a_small_change_is_silent_a_big_one_is_told_and_not_asked_again(vans: Vans) -> None:
    worker = await vans.asked()
    await vans.phone("van-1").asks("1")
    vans.give(worker, 2, first=3)
    await vans.world.sync()
    await vans.world.tick()
    assert len(await vans.reads("van-1")) == 2
    vans.give(worker, 1, first=5)
    await vans.world.sync()
    await vans.world.tick()
    assert (await vans.reads("van-1"))[2:] == [
        "QuickShip: your route today has changed. Stops: 6. First: 3 pm at 10 Elm St."
    ]
    assert (await vans.shift(worker)).state is ShiftState.CONFIRMED


async def test_a_route_that_went_to_somebody_else_is_not_waited_for(vans: Vans) -> None:
    worker = await vans.asked()
    await vans.world.advance(minutes=46)
    for task in list(vans.world.onfleet.store.tasks.values()):
        vans.world.onfleet.put_on_route(task["id"], vans.driver("van-2"))
    await vans.world.sync()
    await vans.world.tick()
    assert (await vans.shift(worker)).state is ShiftState.NOT_ASKED
    assert [task.state for task in await vans.tasks(TaskKind.DRIVER_UNCONFIRMED)] == [TaskState.EXPIRED]


async def test_a_restart_in_between_asks_nobody_twice(vans: Vans) -> None:
    await vans.asked()
    await vans.world.restart_app()
    await vans.world.advance(minutes=2)
    assert len(await vans.reads("van-1")) == 1


# --- somebody else ----------------------------------------------------------------------------------


async def refused_with_others(vans: Vans) -> tuple[str, str]:
    """Van 1 says no; van 2 is on duty and idle. Gives Onfleet's ids."""
    other = vans.driver("van-2", on_duty=True)
    worker = await vans.asked()
    await vans.phone("van-1").asks("2")
    return worker, other


async def test_the_task_suggests_drivers_who_could_take_it(vans: Vans) -> None:
    _, other = await refused_with_others(vans)
    task = await vans.task()
    assert [each.driver_ref for each in task.told.suggestions] == [other]
    assert task.choices == ["assign", "done"]


async def test_assigning_moves_every_stop_and_tells_the_new_driver(vans: Vans) -> None:
    worker, other = await refused_with_others(vans)
    assert await press(vans, Choice.ASSIGN, other) is None
    await eventually(vans.task, lambda task: task.state is TaskState.APPROVED, "the route to be given")
    stops = await vans.world.rows(StopRecord)
    assert {stop.driver_ref for stop in stops} == {other}
    assert all(task["worker"] == other for task in vans.world.onfleet.store.tasks.values())
    assert (await vans.reads("van-2"))[0] == (
        "QuickShip: you have more stops today: 3. First of them: 3 pm at 10 Elm St. They are in your app."
    )
    # Who refused knows it.
    assert len(await vans.reads("van-1")) == 2
    assert await vans.phone("van-1").asks("ok i can do it") == (
        "Thank you for telling us. Someone else has your route by now. If you can drive today, call dispatch."
    )
    assert (await vans.shift(worker)).given_to_ref == other


async def test_who_said_nothing_is_told_that_the_route_is_gone(vans: Vans) -> None:
    other = vans.driver("van-2", on_duty=True)
    await vans.asked()
    await vans.world.advance(minutes=46)
    await press(vans, Choice.ASSIGN, other)
    await eventually(vans.task, lambda task: task.state is TaskState.APPROVED, "the route to be given")
    assert (await vans.reads("van-1"))[1:] == [
        "QuickShip: someone else has your route today. If you can drive, call dispatch."
    ]


async def test_a_lost_answer_of_the_platform_gives_the_route_once(vans: Vans) -> None:
    _, other = await refused_with_others(vans)
    vans.world.onfleet.faults.next(Fault("reset", after_work=True, path_contains="/tasks/"))
    await press(vans, Choice.ASSIGN, other)
    await vans.world.retries()
    await eventually(vans.task, lambda task: task.state is TaskState.APPROVED, "the route to be given")
    assert {stop.driver_ref for stop in await vans.world.rows(StopRecord)} == {other}
    assert len(await vans.reads("van-2")) == 1


async def test_what_the_platform_refuses_is_left_to_hands(vans: Vans) -> None:
    worker, other = await refused_with_others(vans)
    started = next(iter(vans.world.onfleet.store.tasks.values()))
    vans.world.onfleet.set_duty(worker, True, vans.world.clock.now())
    vans.world.onfleet.start_task(started["id"])
    await press(vans, Choice.ASSIGN, other)
    task = await eventually(vans.task, lambda task: task.state.is_settled, "the route to be given")
    assert (task.state, task.outcome) == (TaskState.APPROVED, "platform_refused")
    by_hand = await vans.task(TaskKind.WRITE_REFUSED)
    assert (by_hand.state, by_hand.told.stops, by_hand.told.reasons) == (TaskState.OPEN, 1, ("under_way",))


async def test_dealt_with_by_hand_is_dealt_with(vans: Vans) -> None:
    await refused_with_others(vans)
    await press(vans, Choice.DONE)
    assert (await vans.task()).state is TaskState.DONE
    await vans.world.advance(minutes=20)
    assert len(await vans.tasks(TaskKind.DRIVER_UNCONFIRMED)) == 1


# --- too full -----------------------------------------------------------------------------------------


async def test_a_van_that_is_too_full_is_shown_once_until_it_is_cured(vans: Vans) -> None:
    worker = vans.driver("van-1", capacity=3)
    vans.give(worker, 3)
    await vans.world.sync()
    await vans.world.tick()
    assert await vans.tasks(TaskKind.OVER_CAPACITY) == []
    vans.give(worker, 1, first=3)
    await vans.world.sync()
    await vans.world.tick()
    task = await vans.task(TaskKind.OVER_CAPACITY)
    assert (task.state, task.told.load, task.told.capacity) == (TaskState.OPEN, 4, 3)
    await vans.world.tick()
    assert len(await vans.tasks(TaskKind.OVER_CAPACITY)) == 1
    (extra,) = await vans.world.rows(StopRecord, col(StopRecord.address_line).startswith("13 "))
    vans.world.onfleet.take_off_route(extra.platform_ref)
    await vans.world.sync()
    await vans.world.tick()
    cured = await vans.task(TaskKind.OVER_CAPACITY)
    assert (cured.state, cured.outcome) == (TaskState.EXPIRED, "cured")


async def test_a_driver_who_is_off_duty_with_stops_is_shown_after_a_little_grace(vans: Vans) -> None:
    worker = await vans.asked()
    await vans.phone("van-1").asks("1")
    await vans.world.advance(minutes=100)
    assert await vans.tasks(TaskKind.OVER_CAPACITY) == []
    await vans.world.advance(minutes=5)
    assert (await vans.task(TaskKind.OVER_CAPACITY)).told.reasons == ("overload_off_duty",)
    vans.world.onfleet.set_duty(worker, True, vans.world.clock.now())
    await vans.world.sync()
    await vans.world.tick()
    assert (await vans.task(TaskKind.OVER_CAPACITY)).state is TaskState.EXPIRED


@pytest.mark.parametrize("text", ["STOP", "stop"])
async def test_stop_from_a_driver_who_is_asked_is_a_stop(vans: Vans, text: str) -> None:
    await vans.asked()
    await vans.phone("van-1").texts(text)
    await vans.world.advance(minutes=46)
    assert (await vans.task()).told.reasons == ("driver_silent",)
    assert vans.world.rasa.turns == []
