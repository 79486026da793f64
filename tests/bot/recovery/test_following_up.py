"""A failed delivery from its first question to the second try, as rows, platform, phone and Slack show it."""

from bot.recovery.answers import Choice, Preference
from bot.recovery.models import Recovery, RecoveryState, Why
from bot.recovery.writing import own_ref
from bot.sop_recovery import Flow, RungKind
from connectors.base import FailureReason
from tests.bot.recovery.story import QUESTION, Story


async def test_a_failure_is_asked_about_once_and_an_answer_books_the_second_try(story: Story) -> None:
    tracking = await story.fails("gate locked, buzzer broken")
    recovery = await story.of(tracking)
    assert (recovery.reason, recovery.flow) == (FailureReason.ACCESS_ISSUE, Flow.ACCESS_CODE)
    await story.world.tick()
    (asked,) = await story.world.recipient().reads()
    assert QUESTION in asked

    wanted = Preference(
        choice=Choice.SAFE_PLACE, window=story.window("08:00", "12:00"), place="behind the planter"
    )
    outcome = await story.answers(tracking, wanted)
    assert (outcome.result, outcome.window) == ("booked", wanted.window)
    recovery = await story.of(tracking)
    assert (recovery.state, recovery.settled_by) == (RecoveryState.BOOKED, "recipient")
    assert await story.pending(tracking) == []
    (again,) = await story.second_tries(tracking)
    assert (again.id, again.window, again.own_ref) == (
        recovery.reattempt_id,
        wanted.window,
        own_ref(recovery.id),
    )
    (clone,) = story.clones(tracking)
    assert "2nd try (no access before). Safe place: behind the planter." in clone["notes"]
    assert await story.verbs(tracking) == ["opened", "asked", "answered", "booked"]

    # The same answer again, as after a job that ran twice.
    assert (await story.answers(tracking, wanted)).result == "booked"
    assert len(story.clones(tracking)) == 1


async def test_the_ladder_reminds_calls_and_ends_with_a_second_try_by_itself(story: Story) -> None:
    tracking = await story.fails()
    assert list(await story.steps(tracking)) == list(RungKind)
    for _ in range(3):
        await story.world.advance(minutes=121)
        await story.world.tick()
    assert [each.rung for each in story.asker.asked] == [
        RungKind.ASK,
        RungKind.REMIND,
        RungKind.SECOND_CHANNEL,
    ]
    await story.world.advance(minutes=121)
    recovery = await story.of(tracking)
    assert (recovery.state, recovery.detail) == (RecoveryState.WITH_DISPATCHER, Why.NO_ANSWER)
    await story.world.channel_shows("14 Elm St 2B", "Try again")
    await story.world.advance(hours=17)
    await story.world.tick()
    recovery = await story.of(tracking)
    assert (recovery.state, recovery.settled_by) == (RecoveryState.BOOKED, "default")
    (again,) = await story.second_tries(tracking)
    assert again.window == story.window("10:00", "12:00")
    assert "again" in (await story.world.recipient().reads())[-1]
    assert len(await story.world.rows(Recovery)) == 1
