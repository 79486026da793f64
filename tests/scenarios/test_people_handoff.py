"""A person takes over: what dispatchers see, what reaches the recipient and what does not, and the way back."""

from datetime import timedelta

import pytest
from sqlmodel import col

from bot.conversations.models import ConsentWord, InboundState
from bot.durable.models import OutboundText, Purpose
from bot.incidents.models import Incident, IncidentPhoto
from bot.stops.answers import IncidentKind
from connectors import pictures
from tests.harness.codes import DOOR_CODE
from tests.harness.finished import has_delivered
from tests.harness.handoffs import DANA, HELD, RAISED, RESOLVED, SAM, becomes, handoff, taken_by, texts_of
from tests.harness.people import Recipient
from tests.harness.world import World

pytestmark = pytest.mark.rasa


async def is_silent(world: World, recipient: Recipient, text: str) -> None:
    """Texts, and nothing comes back."""
    world.clock.move(timedelta(seconds=2))
    before = await recipient.reads()
    await recipient.texts(text)
    await world.settled()
    assert await recipient.reads() == before
    assert (await texts_of(world))[-1].state is InboundState.HELD


async def test_a_conversation_is_held_answered_by_a_person_and_given_back(world: World) -> None:
    await world.has_stop(eta="15:20")
    recipient, dana = world.recipient(), world.dispatcher(DANA)
    await recipient.asks("where my box at")
    world.clock.move(timedelta(seconds=5))
    answer = await recipient.asks("nah let me speak to somebody")
    assert "12:25 pm" in answer
    message = await world.channel_shows("Recipient waiting", "Asks for a person", "14 Elm St 2B")
    story = await world.thread_shows(message, "The conversation so far")
    assert "recipient: where my box at" in story
    assert "3:20 pm" in story, "what the bot had told"
    assert "let me speak to somebody" in story

    await taken_by(world, message)
    await is_silent(world, recipient, "hello?? where is it")
    await world.thread_shows(message, "hello?? where is it")

    await dana.writes_in_thread(message, "he sounds upset, van 7 is stuck on the bridge btw")
    await dana.writes_in_thread(message, "> quoting him")
    await world.settled()
    assert len(await recipient.reads()) == 2, "notes stay among dispatchers"

    await dana.writes_in_thread(message, ">> Hi, Dana here. The van is on the bridge, 20 min.")
    await dana.replies(message, "I'll text you when it moves.")
    texts = (await recipient.reads_next(4))[2:]
    assert texts == ["Hi, Dana here. The van is on the bridge, 20 min.", "I'll text you when it moves."]
    await is_silent(world, recipient, "ok thx dana")

    await dana.presses(message, "resolve")
    await becomes(world, RESOLVED)
    world.clock.move(timedelta(seconds=2))
    assert "3:20 pm" in await recipient.asks("so when does it get here")
    by_people = await world.rows(OutboundText, col(OutboundText.purpose) == Purpose.PERSON)
    assert len(by_people) == 2


async def test_before_anybody_takes_it_the_bot_still_answers(world: World) -> None:
    await world.has_stop(eta="15:20")
    recipient = world.recipient()
    await recipient.asks("can a person pls help me")
    assert (await handoff(world)).state is RAISED
    world.clock.move(timedelta(seconds=2))
    assert "3:20 pm" in await recipient.asks("whats the eta on it")
    again = await recipient.asks("i still wanna talk to a human tho")
    assert "12:25 pm" in again, "the promise stays as it was"


async def test_nobody_takes_it_and_the_recipient_is_told_honestly(world: World) -> None:
    await world.has_stop(eta="15:20")
    recipient = world.recipient()
    assert "12:25 pm" in await recipient.asks("get me a live agent")
    await world.advance(minutes=11)
    message = await world.channel_shows("Asks for a person")
    await world.thread_shows(message, "<!here>")
    assert len(await recipient.reads()) == 1
    await world.advance(minutes=15)
    told = (await recipient.reads_next(2))[1]
    assert "sorry" in told
    assert "nobody" in told
    assert "12:50 pm" in told
    await world.thread_shows(message, "recipient was told that it takes longer")
    await world.advance(minutes=1)
    assert len(await recipient.reads()) == 2


async def test_a_holder_who_forgets_is_reminded_and_the_recipient_hears_no_machine(world: World) -> None:
    await world.has_stop(eta="15:20")
    recipient = world.recipient()
    await recipient.asks("i need a person on this")
    message = await world.channel_shows("Asks for a person")
    await taken_by(world, message)
    await is_silent(world, recipient, "anyone there")
    await world.advance(minutes=21)
    await world.thread_shows(message, f"<@{DANA}>", "anyone there")
    assert len(await recipient.reads()) == 1


async def test_letting_go_gives_it_back_to_the_bot(world: World) -> None:
    await world.has_stop(eta="15:20")
    recipient, dana = world.recipient(), world.dispatcher(DANA)
    await recipient.asks("real person please")
    message = await world.channel_shows("Asks for a person")
    await taken_by(world, message)
    await is_silent(world, recipient, "??")
    await dana.takes_back(message, "eyes")
    await becomes(world, RAISED)
    world.clock.move(timedelta(seconds=2))
    assert "3:20 pm" in await recipient.asks("wheres it at now")


async def test_a_dispatcher_of_the_same_team_may_answer_for_the_holder(world: World) -> None:
    await world.has_stop(eta="15:20")
    recipient = world.recipient()
    await recipient.asks("i want to chat w someone who works there")
    message = await world.channel_shows("Asks for a person")
    await taken_by(world, message)
    await world.dispatcher(SAM).writes_in_thread(message, ">> Sam here, what can I do?")
    assert (await recipient.reads_next(2))[1] == "Sam here, what can I do?"
    assert (await handoff(world)).acknowledged_by == DANA


async def test_stop_is_heard_while_a_person_holds_the_conversation(world: World) -> None:
    await world.has_stop(eta="15:20")
    recipient, dana = world.recipient(), world.dispatcher(DANA)
    await recipient.asks("put me thru to a human")
    message = await world.channel_shows("Asks for a person")
    await taken_by(world, message)
    await recipient.texts("Stop.")
    await world.settled()
    before = await recipient.reads()
    services = world.doorline.services
    async with services.database.transaction() as session:
        newest = await services.consent.newest(session, recipient.phone)
    assert newest is not None
    assert newest.word is ConsentWord.OPTED_OUT
    await dana.writes_in_thread(message, ">> Sorry to see you go.")
    await dana.is_told_of("no more messages")
    await world.settled()
    assert await recipient.reads() == before


async def test_a_gate_code_is_never_shown_in_slack(world: World) -> None:
    await world.has_stop(eta=None, on_route=False)
    recipient = world.recipient()
    await recipient.asks(f"gate code is {DOOR_CODE} then leave it by the garage")
    world.clock.move(timedelta(seconds=5))
    await recipient.asks("also i need to talk to a human about this")
    message = await world.channel_shows("Asks for a person")
    story = await world.thread_shows(message, "The conversation so far")
    assert DOOR_CODE not in story
    assert "by the garage" in story
    assert DOOR_CODE not in str(await world.channel())


async def test_a_picture_sent_to_a_person_is_shown_to_them(world: World) -> None:
    await has_delivered(world)
    recipient = world.recipient()
    await recipient.asks("table leg came snapped off")
    message = await world.channel_shows("Reports a damaged or wrong parcel")
    await taken_by(world, message)
    before = len(await recipient.reads())
    await recipient.sends_photo("here u go", pictures.snapshot("a table leg"))
    await world.thread_shows(message, "here u go")
    await world.thread_shows(message, "sent a photo")
    assert len(await recipient.reads()) == before
    assert (await handoff(world)).state is HELD
    (photo,) = await world.rows(IncidentPhoto)
    (incident,) = await world.rows(Incident)
    assert (photo.incident_id, incident.kind) == (incident.id, IncidentKind.DAMAGED)


async def test_a_picture_that_a_dispatcher_asked_for_reaches_them_without_any_incident(world: World) -> None:
    await world.has_stop(eta="15:20")
    recipient, dana = world.recipient(), world.dispatcher(DANA)
    await recipient.asks("gimme someone real to talk to")
    message = await world.channel_shows("Asks for a person")
    await dana.replies(message, "Dana here. Can you send me a photo of the gate?")
    await recipient.reads_next(2)
    await recipient.sends_photo("", pictures.snapshot("a gate"))
    await world.thread_shows(message, "sent a photo")
    assert len(await recipient.reads()) == 2
    assert await world.rows(Incident) == []
