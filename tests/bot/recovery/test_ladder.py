"""The ladder as it is climbed: once, however many look, never at night, and not over somebody's conversation."""

import asyncio
from datetime import timedelta
from pathlib import Path

from bot.desk.models import DeskTask
from bot.recovery.answers import Preference
from bot.recovery.models import Recovery, RecoveryState, RecoveryStep, Why
from bot.recovery.ports import AskResult
from bot.sop_recovery import RungKind
from tests.bot.recovery.story import Story
from tests.harness.protocol import protocol_of
from tests.harness.world import Setting, World


async def test_several_processes_open_and_ask_once(story: Story) -> None:
    tracking = await story.fails(look=False)
    services = story.world.doorline.services
    opened = await asyncio.gather(*(services.recovery_opening.open_due() for _ in range(4)))
    assert sum(opened) == 1
    claimed = await asyncio.gather(*(services.recovery_ladder.ask_for_due() for _ in range(4)))
    assert sum(claimed) == 1
    await story.world.settled()
    step = (await story.steps(tracking))[RungKind.ASK]
    # The job of a worker that was frozen, and replaced, comes back.
    await services.recovery_ladder.take(step.id)
    await story.world.tick()
    assert len(await story.world.recipient().reads()) == 1
    assert step.result == "sent"


async def test_an_answer_cancels_what_is_left_even_while_a_question_is_on_its_way(story: Story) -> None:
    tracking = await story.fails()
    await story.world.advance(minutes=119)
    steps = await story.steps(tracking)
    await story.answers(tracking, Preference(window=story.window("12:00", "17:00")))
    # Claimed before the answer came, taken after it.
    await story.world.doorline.services.recovery_ladder.take(steps[RungKind.REMIND].id)
    await story.world.advance(hours=30)
    await story.world.tick()
    after = await story.steps(tracking)
    assert after[RungKind.ASK].fired_at is not None
    assert all(step.fired_at is None for kind, step in after.items() if kind is not RungKind.ASK)
    assert len(story.asker.asked) == 1


async def test_a_conversation_under_way_is_left_alone_for_a_while(story: Story) -> None:
    story.asker.results = [AskResult.BUSY, AskResult.BUSY, AskResult.BUSY]
    tracking = await story.fails()
    # Put off once by now.
    planned = (await story.steps(tracking))[RungKind.REMIND].due_at
    for _ in range(3):
        assert await story.world.recipient().reads() == []
        await story.world.advance(minutes=10, seconds=5)
        await story.world.tick()
    assert [asking.may_wait for asking in story.asker.asked] == [True, True, True, False]
    assert len(await story.world.recipient().reads()) == 1
    assert (await story.steps(tracking))[RungKind.REMIND].due_at >= planned + timedelta(minutes=20)


async def test_who_has_left_is_a_dispatchers_and_nobody_is_written_to(story: Story) -> None:
    await story.world.recipient().texts("STOP")
    await story.world.settled()
    before = await story.world.recipient().reads()
    story.asker.results = [AskResult.NOBODY_TO_ASK]
    tracking = await story.fails()
    recovery = await story.of(tracking)
    assert (recovery.state, recovery.detail) == (RecoveryState.WITH_DISPATCHER, Why.NOBODY_TO_ASK)
    assert await story.pending(tracking) == [RungKind.DEFAULT]
    assert len(await story.world.rows(DeskTask)) == 1
    await story.world.advance(hours=25)
    await story.world.tick()
    assert (await story.of(tracking)).state is RecoveryState.BOOKED
    assert await story.world.recipient().reads() == before


async def test_at_night_nobody_is_written_to_and_the_morning_keeps_the_distance(story: Story) -> None:
    await story.world.advance(hours=8)  # 8 pm
    tracking = await story.fails(window=("17:00", "21:00"))
    for _ in range(12):
        await story.world.advance(hours=1)
        await story.world.tick()
    # 8 am: the reminder was due at 10 pm, the second channel at midnight.
    steps = await story.steps(tracking)
    reminded, second = steps[RungKind.REMIND], steps[RungKind.SECOND_CHANNEL]
    assert reminded.fired_at is not None
    assert reminded.fired_at >= story.world.local("08:00")
    assert second.fired_at is None
    assert second.due_at - reminded.due_at == timedelta(hours=2)
    assert (await story.of(tracking)).deadline_at == steps[RungKind.DEFAULT].due_at


async def test_the_question_comes_after_a_restart_and_the_reminder_keeps_its_distance(story: Story) -> None:
    tracking = await story.fails(look=False)
    services = story.world.doorline.services
    await services.recovery_opening.open_due()
    await story.world.stop_app()
    story.world.clock.move(timedelta(hours=5))
    await story.world.start_app()
    story.world.doorline.services.recovery_ladder._asker = story.asker
    await story.world.tick()
    await story.world.tick()
    assert [asking.rung for asking in story.asker.asked] == [RungKind.ASK]
    steps = await story.steps(tracking)
    fired_at = steps[RungKind.ASK].fired_at
    assert fired_at is not None
    late = steps[RungKind.REMIND].due_at - fired_at
    assert timedelta(minutes=119) <= late <= timedelta(minutes=121)


async def test_the_protocol_sends_it_back_when_nobody_answers(story: Story) -> None:
    tracking = await story.fails(client="Globex")
    await story.nobody_answers()
    await story.world.tick()
    recovery = await story.of(tracking)
    assert (recovery.state, recovery.settled_by) == (RecoveryState.SENT_BACK, "default")
    assert "goes back" in (await story.world.recipient().reads())[-1]
    assert story.clones(tracking) == []


async def test_history_is_not_followed_up_nor_is_anything_where_it_is_off(
    bare_setting: Setting, empty_database: None, tmp_path: Path
) -> None:
    off = protocol_of(tmp_path, {}, recovery={"enabled": False})
    async with World(bare_setting, sop=off) as world:
        story = Story(world)
        await story.fails()
        turn, stop = await story.turn(), await world.stop_record(await _tracking(world))
        assert await world.doorline.services.recovery.open_for(turn, str(stop.id)) is None
        # Switched on half a day later, it finds history.
        on = protocol_of(tmp_path, {}, recovery={"enabled": True})
        assert on == off
        await world.advance(hours=13)
        world.doorline.services.sop.reload_if_changed()
        await world.tick()
        assert await world.rows(Recovery) == []
        assert await world.rows(RecoveryStep) == []


async def _tracking(world: World) -> str:
    return str(next(iter(world.onfleet.store.tasks.values()))["shortId"])
