"""Telling a person, once, and the next one only if nobody has it: with the real Slack SDKs over the emulator."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import col

from bot.escalations.models import Escalation, EscalationNote, EscalationStep
from connectors.emulation import Fault
from connectors.escalation import EscalationState, Happening
from connectors.slack.emulator_state import BOT, Draft
from tests.harness.accounts import CHANNEL
from tests.harness.people import readable
from tests.harness.protocol import protocol_with
from tests.harness.waiting import eventually
from tests.harness.world import Setting, World

RAISED, HELD, RESOLVED = EscalationState.RAISED, EscalationState.ACKNOWLEDGED, EscalationState.RESOLVED
DANA, SAM = "U0DANA", "U0SAM"


async def at_risk(world: World) -> dict[str, Any]:
    """A late stop, told in the channel at about 12:05; its message."""
    await world.has_stop(eta="16:25", window=("14:00", "16:00"))
    await world.advance(minutes=1)
    await world.advance(minutes=4)
    return await world.channel_shows("At risk")


async def escalation(world: World) -> Escalation:
    (row,) = await world.rows(Escalation)
    return row


async def becomes(world: World, state: EscalationState) -> Escalation:
    return await eventually(lambda: escalation(world), lambda row: row.state is state, state.value)


async def thread(world: World) -> list[str]:
    await world.settled()
    (message,) = await world.channel()
    return [reply["text"] for reply in message["replies"]]


async def mentions(world: World) -> int:
    return sum("<!here>" in line for line in await thread(world))


async def whispers(world: World) -> list[dict[str, Any]]:
    answer = await world.http.get(f"{world.bases['slack']}/_emulator/ephemerals")
    found: list[dict[str, Any]] = answer.raise_for_status().json()["ephemerals"]
    return found


# --- gestures -------------------------------------------------------------------------------------


@pytest.mark.parametrize("gesture", ["eyes", "button"])
async def test_a_gesture_acknowledges_and_the_message_changes_in_place(
    bare_world: World, gesture: str
) -> None:
    message = await at_risk(bare_world)
    dana = bare_world.dispatcher(DANA)
    await (dana.reacts(message, "eyes") if gesture == "eyes" else dana.presses(message, "acknowledge"))
    held = await becomes(bare_world, HELD)
    assert held.acknowledged_by == DANA
    assert held.acknowledged_until == bare_world.local("16:00")
    changed = await bare_world.channel_shows("has it", "until 4:00 pm")
    assert changed["ts"] == message["ts"]
    assert "Next:" not in readable(changed)
    assert any("has it" in line for line in await thread(bare_world))


async def test_two_acknowledge_at_once_one_wins_and_the_other_is_told_quietly(bare_world: World) -> None:
    message = await at_risk(bare_world)
    await asyncio.gather(*(bare_world.dispatcher(who).reacts(message, "eyes") for who in (DANA, SAM)))
    held = await becomes(bare_world, HELD)
    loser = SAM if held.acknowledged_by == DANA else DANA
    whispered = await eventually(lambda: whispers(bare_world), bool, "a quiet word")
    assert [(word["user"], word["channel"]) for word in whispered] == [(loser, CHANNEL)]
    assert len([line for line in await thread(bare_world) if "has it" in line]) == 1
    assert len(await bare_world.rows(EscalationNote, col(EscalationNote.kind) == Happening.ACKNOWLEDGED)) == 1


async def test_eyes_and_button_of_one_dispatcher_are_one_acknowledgement(bare_world: World) -> None:
    message = await at_risk(bare_world)
    dana = bare_world.dispatcher(DANA)
    await asyncio.gather(dana.reacts(message, "eyes"), dana.presses(message, "acknowledge"))
    await becomes(bare_world, HELD)
    await bare_world.settled()
    assert await whispers(bare_world) == []
    assert len(await bare_world.rows(EscalationNote)) == 1


async def test_taking_the_eyes_away_arms_it_again(bare_world: World) -> None:
    message = await at_risk(bare_world)
    dana = bare_world.dispatcher(DANA)
    await dana.reacts(message, "eyes")
    await becomes(bare_world, HELD)
    await bare_world.advance(minutes=20)
    await dana.takes_back(message, "eyes")
    again = await becomes(bare_world, RAISED)
    assert again.acknowledged_by is None
    await bare_world.advance(minutes=9)
    assert await mentions(bare_world) == 0
    await bare_world.advance(minutes=2)
    assert await mentions(bare_world) == 1


async def test_nobody_can_take_away_anothers_acknowledgement(bare_world: World) -> None:
    message = await at_risk(bare_world)
    await bare_world.dispatcher(DANA).reacts(message, "eyes")
    await becomes(bare_world, HELD)
    sam = bare_world.dispatcher(SAM)
    await sam.reacts(message, "eyes")
    await sam.takes_back(message, "eyes")
    await eventually(lambda: whispers(bare_world), lambda words: len(words) == 2, "two quiet words to Sam")
    assert (await escalation(bare_world)).acknowledged_by == DANA


async def test_a_check_mark_resolves_and_it_stays_resolved(bare_world: World) -> None:
    message = await at_risk(bare_world)
    await bare_world.dispatcher(SAM).reacts(message, "white_check_mark")
    assert (await becomes(bare_world, RESOLVED)).resolved_by == SAM
    await bare_world.dispatcher(DANA).reacts(message, "eyes")
    await eventually(lambda: whispers(bare_world), bool, "a quiet word that it is over")
    await bare_world.advance(minutes=30)
    assert (await escalation(bare_world)).state is RESOLVED
    assert await mentions(bare_world) == 0


async def test_other_emoji_and_other_messages_change_nothing(bare_world: World) -> None:
    message = await at_risk(bare_world)
    dana = bare_world.dispatcher(DANA)
    await dana.reacts(message, "tada")
    other = bare_world.slack.workspace.post(
        bare_world.slack.workspace.person(SAM), CHANNEL, Draft("lunch?", None)
    )
    await dana.reacts(other, "eyes")
    await bare_world.settled()
    assert (await escalation(bare_world)).state is RAISED
    assert await whispers(bare_world) == []


async def test_only_dispatchers_of_the_protocol_may_act(
    bare_setting: Setting, empty_database: None, tmp_path: Path
) -> None:
    for_dana_only = protocol_with(tmp_path, {"dispatchers: []": f"dispatchers: [{DANA}]"})
    async with World(bare_setting, sop=for_dana_only) as world:
        message = await at_risk(world)
        await world.dispatcher(SAM).reacts(message, "eyes")
        whispered = await eventually(lambda: whispers(world), bool, "a quiet word")
        assert whispered[0]["user"] == SAM
        assert (await escalation(world)).state is RAISED
        await world.dispatcher(DANA).reacts(message, "eyes")
        await becomes(world, HELD)


# --- the clock ------------------------------------------------------------------------------------


async def test_ten_minutes_without_anybody_call_the_next_once(bare_world: World) -> None:
    await at_risk(bare_world)
    await bare_world.advance(minutes=9)
    assert await mentions(bare_world) == 0
    await bare_world.channel_shows("Next: mentions")
    await bare_world.advance(minutes=2)
    assert await mentions(bare_world) == 1
    for _ in range(3):
        await bare_world.advance(minutes=10)
    assert await mentions(bare_world) == 1


async def test_nobody_is_called_after_an_acknowledgement(bare_world: World) -> None:
    message = await at_risk(bare_world)
    await bare_world.dispatcher(DANA).reacts(message, "eyes")
    await becomes(bare_world, HELD)
    await bare_world.advance(minutes=60)
    assert await mentions(bare_world) == 0
    (step,) = await bare_world.rows(EscalationStep, col(EscalationStep.position) == 1)
    assert step.fired_at is None
    assert step.cancelled_at is not None


async def test_an_acknowledgement_runs_out_with_the_window_and_arms_it_again(bare_world: World) -> None:
    message = await at_risk(bare_world)
    await bare_world.dispatcher(DANA).reacts(message, "eyes")
    await becomes(bare_world, HELD)
    bare_world.clock.at = bare_world.local("15:59")
    await bare_world.advance(seconds=0)
    assert (await escalation(bare_world)).state is HELD
    bare_world.clock.at = bare_world.local("16:00")
    await bare_world.tick()
    await bare_world.tick()
    again = await escalation(bare_world)
    assert (again.state, again.acknowledged_by) == (RAISED, None)
    assert any("ran out" in line for line in await thread(bare_world))
    await bare_world.advance(minutes=11)
    assert await mentions(bare_world) == 1


async def test_an_acknowledgement_after_the_window_holds_for_an_hour(bare_world: World) -> None:
    message = await at_risk(bare_world)
    bare_world.clock.at = bare_world.local("16:02")
    await bare_world.tick()
    await bare_world.dispatcher(DANA).reacts(message, "eyes")
    held = await becomes(bare_world, HELD)
    assert held.acknowledged_until == bare_world.local("17:02")


async def test_many_ticks_at_once_fire_a_step_once(bare_world: World) -> None:
    await at_risk(bare_world)
    bare_world.clock.at = bare_world.local("12:20")
    fire = bare_world.doorline.services.escalations.fire_due_steps
    fired = await asyncio.gather(*(fire() for _ in range(8)))
    assert sum(fired) == 1
    assert await mentions(bare_world) == 1


async def test_a_step_that_comes_due_during_a_restart_fires_once_afterwards(bare_world: World) -> None:
    await at_risk(bare_world)
    await bare_world.stop_app()
    bare_world.clock.at = bare_world.local("12:40")
    await bare_world.start_app()
    await bare_world.tick()
    await bare_world.tick()
    assert await mentions(bare_world) == 1


async def test_a_step_and_a_gesture_at_one_instant_never_lock_each_other_out(bare_world: World) -> None:
    """The gesture holds the escalation and wants its steps; the tick must not hold a step and wait for it."""
    await at_risk(bare_world)
    bare_world.clock.at = bare_world.local("12:20")
    services = bare_world.doorline.services
    async with services.database.transaction() as session:
        (row,) = await bare_world.rows(Escalation)
        await session.get_one(Escalation, row.id, with_for_update=True)
        tick = asyncio.create_task(services.escalations.fire_due_steps())
        done, _ = await asyncio.wait({tick}, timeout=5)
        assert done, "the tick waits for the escalation while it holds the step"
        assert tick.result() == 0
        await session.execute(text("UPDATE escalation_step SET cancelled_at = now() WHERE fired_at IS NULL"))
    await bare_world.tick()
    assert await mentions(bare_world) == 0


# --- the message ----------------------------------------------------------------------------------

POST, UPDATE = "chat.postMessage", "chat.update"


async def raise_with(world: World, *faults: Fault) -> None:
    await world.has_stop(eta="16:25")
    await world.advance(minutes=1)
    world.slack.faults.next(*faults)
    await world.advance(minutes=4)


@pytest.mark.parametrize("kind", ["reset", "status", "malformed"])
async def test_a_message_whose_answer_was_lost_is_posted_once(bare_world: World, kind: Any) -> None:
    await raise_with(bare_world, Fault(kind, after_work=True, path_contains=POST))
    assert len(await bare_world.channel()) == 1
    assert (await escalation(bare_world)).slack_ts is None
    await bare_world.retries()
    (message,) = await bare_world.channel()
    assert (await escalation(bare_world)).slack_ts == message["ts"]
    await bare_world.dispatcher(DANA).reacts(message, "eyes")
    await becomes(bare_world, HELD)


@pytest.mark.parametrize("kind", ["reset", "status"])
async def test_a_message_that_did_not_get_through_is_posted_later(bare_world: World, kind: Any) -> None:
    await raise_with(bare_world, Fault(kind, path_contains=POST))
    assert await bare_world.channel() == []
    await bare_world.retries()
    assert len(await bare_world.channel()) == 1


async def test_slack_being_down_only_delays(bare_world: World) -> None:
    bare_world.slack.faults.down = True
    await raise_with(bare_world)
    await bare_world.advance(minutes=11)
    bare_world.slack.faults.down = False
    await bare_world.retries()
    await bare_world.channel_shows("At risk")
    assert await mentions(bare_world) == 1


async def test_a_line_of_the_thread_whose_answer_was_lost_is_posted_once(bare_world: World) -> None:
    await at_risk(bare_world)
    bare_world.clock.at = bare_world.local("12:20")
    bare_world.slack.faults.next(Fault("reset", after_work=True, path_contains=POST))
    await bare_world.tick()
    await bare_world.retries()
    assert await mentions(bare_world) == 1
    assert all(note.posted_at for note in await bare_world.rows(EscalationNote))


async def test_a_message_that_somebody_deleted_is_posted_anew(bare_world: World) -> None:
    message = await at_risk(bare_world)
    bare_world.slack.workspace.delete(BOT, CHANNEL, message["ts"])
    assert await bare_world.channel() == []
    await bare_world.advance(minutes=11)
    await bare_world.retries()
    (anew,) = await bare_world.channel()
    assert anew["ts"] != message["ts"]
    assert "At risk" in readable(anew)
    await bare_world.dispatcher(DANA).reacts(anew, "eyes")
    await becomes(bare_world, HELD)


async def test_an_edit_that_failed_shows_the_newest_state_in_the_end(bare_world: World) -> None:
    message = await at_risk(bare_world)
    bare_world.slack.faults.next(Fault("status", status=503, path_contains=UPDATE))
    await bare_world.dispatcher(DANA).reacts(message, "eyes")
    await becomes(bare_world, HELD)
    await bare_world.dispatcher(SAM).reacts(message, "white_check_mark")
    await becomes(bare_world, RESOLVED)
    await bare_world.retries()
    (shown,) = await bare_world.channel()
    assert "has it" not in readable(shown).split("\n")[0]
    final = await escalation(bare_world)
    assert final.posted_revision == final.revision


async def test_the_recipients_words_stand_in_the_message_without_their_codes(bare_world: World) -> None:
    await at_risk(bare_world)
    await bare_world.recipient("+12125550100").texts("gate is 4471# leave it at the door after 5 pm")
    await bare_world.settled()
    shown = readable(await bare_world.channel_shows("leave it at the door after 5 pm"))
    assert "4471" not in shown
    assert not any("4471" in line for line in await thread(bare_world))


# --- somebody waits -------------------------------------------------------------------------------


async def test_somebody_who_waits_is_one_escalation_however_often_they_write(bare_world: World) -> None:
    bare_world.rasa.silent = True
    recipient = bare_world.recipient("+12125550155")
    for body in ("hello", "anybody there", "please"):
        await recipient.texts(body)
        await bare_world.advance(seconds=1)
    assert len(await bare_world.rows(Escalation)) == 1
    (message,) = await bare_world.channel()
    assert "please" in readable(message), "the last words"
    assert "+12125550155" in readable(message)
