"""What a dispatcher writes reaches the recipient as written, once, in order; and what cannot is told."""

import pytest
from sqlmodel import col

from bot.conversations.models import InboundState
from bot.durable.models import OutboundText, Purpose
from bot.escalations.inbound import ReceiveGesture
from bot.escalations.models import Escalation
from bot.escalations.replies import LONGEST_TEXT, parts_of
from connectors.base import ChannelName
from connectors.escalation import DispatcherAction, DispatcherVerb, Happening
from tests.harness.accounts import CHANNEL
from tests.harness.handoffs import (
    DANA,
    RESOLVED,
    SAM,
    asks_for_a_person,
    becomes,
    handoff,
    notes,
    taken_by,
    texts_of,
)
from tests.harness.people import readable
from tests.harness.world import World


async def written(world: World) -> list[str]:
    rows = await world.rows(OutboundText, col(OutboundText.purpose) == Purpose.PERSON)
    return [row.text for row in rows]


@pytest.mark.parametrize("way", ["modal", "thread"])
async def test_a_reply_reaches_the_recipient_as_written_and_takes_hold(bare_world: World, way: str) -> None:
    recipient, dana = bare_world.recipient(), bare_world.dispatcher(DANA)
    message = await asks_for_a_person(bare_world, recipient)
    before = len(await recipient.reads())
    if way == "modal":
        await dana.replies(message, "Hi, Dana here. Gate is open now.")
    else:
        await dana.writes_in_thread(message, ">> Hi, Dana here. Gate is open now.")
    assert (await recipient.reads_next(before + 1))[before:] == ["Hi, Dana here. Gate is open now."]
    await bare_world.thread_shows(message, "Dana here")
    held = await handoff(bare_world)
    assert (held.acknowledged_by, held.answer_by) == (DANA, None)
    await recipient.texts("thanks")
    await bare_world.settled()
    assert (await texts_of(bare_world))[-1].state is InboundState.HELD


async def test_somebody_in_the_web_chat_is_shown_without_an_address_and_reads_the_reply(
    bare_world: World,
) -> None:
    visitor = await bare_world.web_visitor()
    bare_world.rasa.silent = True
    await visitor.texts("i want a human")
    await visitor.reads_next(1)
    message = await bare_world.channel_shows("Recipient waiting", "i want a human")
    assert "web:" not in readable(message)
    await bare_world.dispatcher(DANA).replies(message, "Dana here.")
    assert (await visitor.reads_next(2))[1] == "Dana here."


async def test_a_reply_answers_the_texts_that_waited(bare_world: World) -> None:
    recipient = bare_world.recipient()
    message = await asks_for_a_person(bare_world, recipient)
    await taken_by(bare_world, message)
    await recipient.texts("hello?")
    await bare_world.settled()
    before = len(await recipient.reads())
    await bare_world.dispatcher(DANA).writes_in_thread(message, ">> Here.")
    await recipient.reads_next(before + 1)
    held = (await texts_of(bare_world))[-1]
    assert held.answered_at is not None
    assert held.person_due_at is None


async def test_another_dispatcher_may_reply_and_the_holder_stays(bare_world: World) -> None:
    recipient = bare_world.recipient()
    message = await asks_for_a_person(bare_world, recipient)
    await taken_by(bare_world, message)
    until = (await handoff(bare_world)).acknowledged_until
    before = len(await recipient.reads())
    await bare_world.advance(minutes=5)
    await bare_world.dispatcher(SAM).replies(message, "Sam here, Dana is on the phone.")
    await recipient.reads_next(before + 1)
    held = await handoff(bare_world)
    assert (held.acknowledged_by, held.acknowledged_until) == (DANA, until)
    await bare_world.dispatcher(DANA).replies(message, "Back now.")
    await recipient.reads_next(before + 2)
    prolonged = (await handoff(bare_world)).acknowledged_until
    assert until is not None
    assert prolonged is not None
    assert prolonged > until


async def test_several_replies_keep_their_order(bare_world: World) -> None:
    recipient, dana = bare_world.recipient(), bare_world.dispatcher(DANA)
    message = await asks_for_a_person(bare_world, recipient)
    before = len(await recipient.reads())
    wanted = [f"part {number}" for number in range(6)]
    for number, words in enumerate(wanted):
        await (dana.replies(message, words) if number % 2 else dana.writes_in_thread(message, f">> {words}"))
    assert (await recipient.reads_next(before + 6))[before:] == wanted
    assert [note.words for note in await notes(bare_world, Happening.REPLIED)] == wanted
    await bare_world.settled()
    told = [line for line in await bare_world.thread(message) if "wrote to the recipient" in line]
    assert [line[-6:] for line in told] == wanted


async def test_the_same_gesture_twice_is_one_reply(bare_world: World) -> None:
    recipient = bare_world.recipient()
    await asks_for_a_person(bare_world, recipient)
    services = bare_world.doorline.services
    receive = ReceiveGesture(services.database, bare_world.clock)
    escalation = await handoff(bare_world)
    action = DispatcherAction(
        vendor_id="V1-hash",
        verb=DispatcherVerb.REPLY,
        dispatcher=DANA,
        channel=CHANNEL,
        message_ts=escalation.slack_ts or "",
        escalation_id=str(escalation.id),
        words="once",
        gesture="modal:reply",
        occurred_at=bare_world.clock.now(),
    )
    for _ in range(3):
        await receive(action)
    await bare_world.settled()
    assert await written(bare_world) == ["once"]


async def test_nothing_is_sent_to_who_has_left_and_the_dispatcher_is_told(bare_world: World) -> None:
    recipient, dana = bare_world.recipient(), bare_world.dispatcher(DANA)
    message = await asks_for_a_person(bare_world, recipient)
    await recipient.texts("opt out")
    await bare_world.settled()
    await dana.replies(message, "Are you there?")
    await dana.is_told_of("no more messages", "Are you there?")
    await bare_world.thread_shows(message, "did not reach the recipient", "no more messages")
    assert await written(bare_world) == []


async def test_what_the_carrier_cannot_deliver_is_told_once_and_calls_the_writer(bare_world: World) -> None:
    recipient = bare_world.recipient("+15005550105")
    message = await asks_for_a_person(bare_world, recipient)
    await bare_world.twilio.settled()
    await bare_world.settled()
    await bare_world.dispatcher(DANA).replies(message, "Are you there?")
    await bare_world.settled()
    await bare_world.twilio.settled()
    await bare_world.settled()
    (failed,) = await notes(bare_world, Happening.REPLY_NOT_SENT)
    assert (failed.words, failed.mention) == ("undeliverable", "<@U0DANA>")
    await bare_world.thread_shows(message, "did not reach the recipient", "<@U0DANA>")


async def test_a_reply_after_the_end_is_refused(bare_world: World) -> None:
    recipient, dana = bare_world.recipient(), bare_world.dispatcher(DANA)
    message = await asks_for_a_person(bare_world, recipient)
    await dana.presses(message, "resolve")
    await becomes(bare_world, RESOLVED)
    await dana.writes_in_thread(message, ">> one more thing")
    await dana.is_told_of("resolved", "one more thing")
    assert await written(bare_world) == []


async def test_where_nobody_waits_there_is_nobody_to_reply_to(bare_world: World) -> None:
    await bare_world.has_stop(eta="16:25", window=("14:00", "16:00"))
    await bare_world.advance(minutes=1)
    await bare_world.advance(minutes=4)
    message = await bare_world.channel_shows("At risk")
    dana = bare_world.dispatcher(DANA)
    await dana.writes_in_thread(message, ">> hello")
    await dana.is_told_of("Nobody waits")
    (escalation,) = await bare_world.rows(Escalation)
    assert escalation.acknowledged_by is None


def test_long_words_leave_in_parts_between_words_and_nothing_is_lost() -> None:
    words = " ".join(f"word{number}" for number in range(600))
    parts = parts_of(words, ChannelName.SMS)
    assert len(parts) == 3
    assert all(0 < len(part) <= LONGEST_TEXT for part in parts)
    assert " ".join(parts) == words
    assert parts_of(words, ChannelName.EMAIL) == [words]
    assert parts_of("x" * 1601, ChannelName.SMS) == ["x" * 1600, "x"]
    assert parts_of("short", ChannelName.SMS) == ["short"]
