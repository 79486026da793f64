"""A dispatcher holds a conversation: the bot is silent, the texts are relayed, and nobody is forgotten."""

from pathlib import Path

import pytest
from sqlmodel import col

from bot.audit import AuditLine
from bot.conversations.models import InboundState
from bot.conversations.words import Words
from bot.escalations.models import Escalation, EscalationStep
from bot.settings import PROJECT_ROOT
from connectors.escalation import Happening
from tests.harness.accounts import CHANNEL
from tests.harness.handoffs import (
    DANA,
    RAISED,
    RESOLVED,
    asks_for_a_person,
    becomes,
    handoff,
    notes,
    taken_by,
    texts_of,
    turn_of,
)
from tests.harness.people import readable
from tests.harness.protocol import protocol_with
from tests.harness.world import Setting, World

WORDS = Words(PROJECT_ROOT / "nlu" / "domain")


async def test_while_somebody_holds_it_the_bot_is_silent_and_the_text_is_relayed(bare_world: World) -> None:
    recipient = bare_world.recipient()
    message = await asks_for_a_person(bare_world, recipient)
    await taken_by(bare_world, message)
    read_before = await recipient.reads()
    await recipient.texts("the gate code is 4471 please hurry")
    line = await bare_world.thread_shows(message, "please hurry")
    assert "4471" not in line
    await bare_world.advance(minutes=1)
    assert await recipient.reads() == read_before, "neither an answer nor a holding answer"
    assert "please hurry" not in " ".join(bare_world.rasa.turns)
    text = (await texts_of(bare_world))[-1]
    assert (text.state, text.answered_at) == (InboundState.HELD, None)


async def test_while_nobody_has_it_the_bot_answers_what_it_can(bare_world: World) -> None:
    recipient = bare_world.recipient()
    message = await asks_for_a_person(bare_world, recipient)
    assert await recipient.asks("where is it") == "You said: where is it"
    await bare_world.thread_shows(message, "where is it")


@pytest.mark.parametrize("gesture", ["white_check_mark", "resolve", "takes back", "run out"])
async def test_the_conversation_is_given_back_to_the_bot(bare_world: World, gesture: str) -> None:
    recipient, dana = bare_world.recipient(), bare_world.dispatcher(DANA)
    message = await asks_for_a_person(bare_world, recipient)
    await taken_by(bare_world, message)
    if gesture == "run out":
        await bare_world.advance(minutes=61)
    elif gesture == "takes back":
        await dana.takes_back(message, "eyes")
    elif gesture == "resolve":
        await dana.presses(message, "resolve")
    else:
        await dana.reacts(message, gesture)
    await becomes(bare_world, RESOLVED if gesture in ("resolve", "white_check_mark") else RAISED)
    assert await recipient.asks("and now") == "You said: and now"


async def test_consent_wins_over_whoever_holds_it(bare_world: World) -> None:
    recipient = bare_world.recipient()
    await taken_by(bare_world, await asks_for_a_person(bare_world, recipient))
    before = len(await recipient.reads())
    await recipient.texts("opt out")
    assert len(await recipient.reads_next(before + 1)) == before + 1
    assert (await texts_of(bare_world))[-1].state is InboundState.ANSWERED


async def test_a_text_that_was_under_way_when_somebody_took_it_goes_to_them(bare_world: World) -> None:
    recipient = bare_world.recipient()
    bare_world.rasa.down = True
    await recipient.texts("where is it")
    await bare_world.advance(minutes=11)
    await taken_by(bare_world, await bare_world.channel_shows("Recipient waiting"))
    bare_world.rasa.down = False
    before = await recipient.reads()
    await bare_world.retries()
    assert await recipient.reads() == before
    assert [text.state for text in await texts_of(bare_world)] == [InboundState.HELD]


# --- the thread -----------------------------------------------------------------------------------


async def test_the_conversation_so_far_stands_first_in_the_thread(bare_world: World) -> None:
    recipient = bare_world.recipient()
    for number in range(6):
        await recipient.asks(f"question {number}, gate code 4471")
        await bare_world.advance(minutes=1)
    message = await asks_for_a_person(bare_world, recipient, "a human please")
    told = (await bare_world.thread(message))[0]
    assert "4471" not in told
    lines = [line for line in told.splitlines() if "recipient:" in line or "bot:" in line]
    assert len(lines) == 10
    assert "12:06 pm recipient: a human please" in lines[-1]
    assert "12:05 pm bot: You said: question 5" in lines[-2]
    assert "12:05 pm recipient: question 5" in lines[-3]
    assert "question 0" not in told


async def test_a_second_reason_is_told_in_the_same_message(bare_world: World) -> None:
    recipient = bare_world.recipient()
    message = await asks_for_a_person(bare_world, recipient)
    turn = await turn_of(bare_world, recipient, "this is a joke")
    services = bare_world.doorline.services
    for reason in ("asked", "complaint", "asked", "complaint"):
        await services.handoff.ask_dispatcher(turn, reason)
    await bare_world.settled()
    (shown,) = await bare_world.channel()
    assert shown["ts"] == message["ts"]
    assert "Complains; asks for a person; the bot had no answer" in readable(shown)
    assert len(await bare_world.rows(Escalation)) == 1


async def test_handoffs_stand_in_the_help_channel_where_there_is_one(
    bare_setting: Setting, empty_database: None, tmp_path: Path
) -> None:
    sop = protocol_with(tmp_path, {'  # help_channel: "#help" ': f"  help_channel: {CHANNEL} "})
    async with World(bare_setting, sop=sop) as world:
        await asks_for_a_person(world, world.recipient())
        assert (await handoff(world)).channel == CHANNEL


# --- promises -------------------------------------------------------------------------------------


async def test_asking_again_does_not_put_off_what_was_promised(bare_world: World) -> None:
    recipient = bare_world.recipient()
    await asks_for_a_person(bare_world, recipient)
    promised = (await handoff(bare_world)).answer_by
    assert promised == bare_world.local("12:20")
    await bare_world.advance(minutes=12)
    turn = await turn_of(bare_world, recipient, "hello?")
    again = await bare_world.doorline.services.handoff.ask_dispatcher(turn, "asked")
    assert again.respond_by == promised


async def test_nobody_comes_in_time_and_the_recipient_is_told_once_with_a_new_time(bare_world: World) -> None:
    recipient = bare_world.recipient()
    message = await asks_for_a_person(bare_world, recipient)
    before = len(await recipient.reads())
    await bare_world.advance(minutes=19)
    assert len(await recipient.reads()) == before
    await bare_world.advance(minutes=1)
    told = (await recipient.reads_next(before + 1))[before:]
    assert told == [WORDS.say("utter_still_waiting", "en", by="12:45 pm")]
    await bare_world.thread_shows(message, "Nobody took it in time", "12:45 pm")
    for _ in range(4):
        await bare_world.advance(minutes=20)
    assert len(await recipient.reads()) == before + 1
    fired = await bare_world.rows(EscalationStep, col(EscalationStep.fired_at).is_not(None))
    assert len(fired) == 4, "the post, ten minutes, and both promises"


async def test_the_holder_is_reminded_once_of_a_promise_and_the_recipient_hears_from_them_only(
    bare_world: World,
) -> None:
    recipient = bare_world.recipient()
    message = await asks_for_a_person(bare_world, recipient)
    await taken_by(bare_world, message)
    before = await recipient.reads()
    for _ in range(3):
        await bare_world.advance(minutes=10)
    assert await recipient.reads() == before
    reminders = [line for line in await bare_world.thread(message) if "<@U0DANA>" in line and "wrote" in line]
    assert len(reminders) == 1


async def test_the_holder_is_reminded_once_of_texts_that_they_leave_unanswered(bare_world: World) -> None:
    recipient, dana = bare_world.recipient(), bare_world.dispatcher(DANA)
    message = await asks_for_a_person(bare_world, recipient)
    await dana.replies(message, "Looking into it.")
    await bare_world.settled()
    for body in ("any news?", "are you there"):
        await recipient.texts(body)
        await bare_world.advance(minutes=1)
    await bare_world.advance(minutes=17)
    assert [note.mention for note in await notes(bare_world, Happening.RECIPIENT_WROTE)] == ["", ""]
    for _ in range(3):
        await bare_world.advance(minutes=3)
    mentioned = [note for note in await notes(bare_world, Happening.RECIPIENT_WROTE) if note.mention]
    assert [(note.mention, note.words) for note in mentioned] == [("<@U0DANA>", "are you there")]


async def test_texts_left_by_a_holder_who_let_go_are_anybodys(bare_world: World) -> None:
    recipient, dana = bare_world.recipient(), bare_world.dispatcher(DANA)
    message = await asks_for_a_person(bare_world, recipient)
    await dana.replies(message, "Looking into it.")
    await dana.reacts(message, "eyes")
    await bare_world.settled()
    await recipient.texts("any news?")
    await bare_world.settled()
    await dana.takes_back(message, "eyes")
    await becomes(bare_world, RAISED)
    before = len(await recipient.reads())
    await bare_world.advance(minutes=21)
    assert (await handoff(bare_world)).answer_by is not None
    await bare_world.advance(minutes=30)
    assert len(await recipient.reads_next(before + 1)) == before + 1


# --- the reply guarantee --------------------------------------------------------------------------

FATES = (
    "answered",
    "no words",
    "opted out",
    "nothing to say",
    "dialogue down",
    "held and answered",
    "held and forgotten",
    "held and given back",
    "held and run out",
)


@pytest.mark.parametrize("fate", FATES)
async def test_every_text_is_settled_or_waits_in_front_of_a_dispatcher(bare_world: World, fate: str) -> None:
    """There is no other way out: whatever happened, two hours later."""
    recipient, dana = bare_world.recipient(), bare_world.dispatcher(DANA)
    if fate.startswith("held"):
        message = await asks_for_a_person(bare_world, recipient)
        await taken_by(bare_world, message)
    bare_world.rasa.silent = fate == "nothing to say"
    bare_world.rasa.down = fate == "dialogue down"
    await recipient.texts({"no words": " ", "opted out": "STOP"}.get(fate, "where is it"))
    await bare_world.settled()
    if fate == "held and answered":
        await dana.writes_in_thread(message, ">> On its way.")
    if fate == "held and given back":
        await dana.takes_back(message, "eyes")
    for _ in range(12):
        await bare_world.advance(minutes=10)
    open_handoffs = await bare_world.rows(
        Escalation, col(Escalation.state) != RESOLVED, col(Escalation.cause_key).like("waiting:%")
    )
    for text in await texts_of(bare_world):
        if text.state in (InboundState.ANSWERED, InboundState.SILENT, InboundState.PARKED):
            continue
        assert text.state in (InboundState.RECEIVED, InboundState.HELD)
        in_front_of_dispatchers = {row.conversation_id for row in open_handoffs}
        assert text.answered_at is not None or text.conversation_id in in_front_of_dispatchers
        assert text.answered_at is not None or text.person_due_at is None, "dispatchers were called for it"


async def test_what_a_dispatcher_held_and_answered_stands_in_the_audit_log(bare_world: World) -> None:
    recipient = bare_world.recipient()
    message = await asks_for_a_person(bare_world, recipient)
    await taken_by(bare_world, message)
    await recipient.texts("secret words")
    await bare_world.settled()
    await bare_world.dispatcher(DANA).writes_in_thread(message, ">> secret answer")
    await recipient.reads_next(2)
    lines = await bare_world.rows(AuditLine)
    verbs = {line.verb for line in lines}
    assert {"handed_over", "acknowledged", "held", "replied"} <= verbs
    assert not any("secret" in str(line.details) for line in lines)
