"""People who wait while the dialogue is down: one holding answer, then the real one, or a person."""

from sqlmodel import col

from bot.app import catch_up_texts
from bot.conversations.models import InboundState, InboundText
from bot.conversations.words import Words
from bot.durable.models import OutboundText, Purpose
from bot.escalations.models import Escalation
from bot.settings import PROJECT_ROOT
from tests.harness.world import World

HOLDING = Words(PROJECT_ROOT / "nlu" / "domain").say("utter_holding", "en")


async def test_one_holding_answer_after_twenty_seconds_and_the_real_one_later(bare_world: World) -> None:
    recipient = bare_world.recipient()
    bare_world.rasa.down = True
    await recipient.texts("where is it")
    await bare_world.advance(seconds=19)
    assert await recipient.reads() == []
    await bare_world.advance(seconds=1)
    assert await recipient.reads() == [HOLDING]
    await bare_world.advance(minutes=3)
    assert await recipient.reads() == [HOLDING]
    bare_world.rasa.down = False
    await bare_world.retries()
    assert await recipient.reads_next(2) == [HOLDING, "You said: where is it"]


async def test_several_texts_of_one_person_are_held_with_one_answer(bare_world: World) -> None:
    recipient = bare_world.recipient()
    bare_world.rasa.down = True
    for body in ("where is it", "hello?", "anybody"):
        await recipient.texts(body)
        await bare_world.advance(seconds=8)
    for _ in range(4):
        await bare_world.advance(seconds=8)
    assert await recipient.reads() == [HOLDING]
    bare_world.rasa.down = False
    await bare_world.retries()
    assert len(await recipient.reads_next(4)) == 4


async def test_a_later_outage_is_held_anew(bare_world: World) -> None:
    recipient = bare_world.recipient()
    for count in (1, 2):
        bare_world.rasa.down = True
        await recipient.texts("where is it")
        await bare_world.advance(seconds=21)
        assert (await recipient.reads()).count(HOLDING) == count
        bare_world.rasa.down = False
        await bare_world.retries()
        await recipient.reads_next(2 * count)


async def test_who_was_answered_in_time_is_not_held(bare_world: World) -> None:
    recipient = bare_world.recipient()
    await recipient.asks("hello")
    await bare_world.advance(minutes=1)
    assert await recipient.reads() == ["You said: hello"]
    assert await bare_world.rows(OutboundText, col(OutboundText.purpose) == Purpose.HOLDING) == []


async def test_after_ten_minutes_a_person_takes_it_and_the_bot_still_answers_when_it_can(
    bare_world: World,
) -> None:
    recipient = bare_world.recipient()
    bare_world.rasa.down = True
    await recipient.texts("where is it")
    await bare_world.advance(minutes=9, seconds=59)
    assert await bare_world.channel() == []
    await bare_world.advance(seconds=1)
    await bare_world.channel_shows("Recipient waiting", "where is it")
    await bare_world.advance(minutes=5)
    assert len(await bare_world.rows(Escalation)) == 1
    bare_world.rasa.down = False
    await bare_world.retries()
    assert (await recipient.reads_next(2))[-1] == "You said: where is it"
    (inbound,) = await bare_world.rows(InboundText)
    assert inbound.state is InboundState.ANSWERED


async def test_a_restart_loses_neither_the_text_nor_its_holding_answer(bare_world: World) -> None:
    recipient = bare_world.recipient()
    bare_world.rasa.down = True
    await recipient.texts("where is it")
    await bare_world.restart_app()
    await bare_world.advance(seconds=21)
    assert await recipient.reads() == [HOLDING]
    bare_world.rasa.down = False
    await bare_world.retries()
    assert (await recipient.reads_next(2))[-1] == "You said: where is it"


async def test_an_empty_text_is_answered_without_the_dialogue(bare_world: World) -> None:
    recipient = bare_world.recipient()
    bare_world.rasa.down = True
    await recipient.texts("   ")
    assert len(await recipient.reads_next(1)) == 1
    assert bare_world.rasa.turns == []


async def test_a_picture_without_words_reaches_the_dialogue_as_what_it_is(bare_world: World) -> None:
    await bare_world.recipient().texts("", media=1)
    await bare_world.settled()
    assert bare_world.rasa.turns == ["/send_photo"]


async def test_a_nul_in_a_text_is_left_out_and_the_rest_answered(bare_world: World) -> None:
    assert await bare_world.recipient().asks("hel\x00lo") == "You said: hello"


async def test_texts_that_never_reached_the_webhook_are_fetched_and_answered_once(bare_world: World) -> None:
    recipient = bare_world.recipient()
    await recipient.asks("before")
    await bare_world.stop_app()
    result = await bare_world.twilio.text(recipient.phone, "while you were away")
    assert result.webhook_status is None
    await bare_world.start_app()
    twilio = bare_world.doorline.vendors.twilio
    assert twilio is not None
    for _ in range(2):
        await catch_up_texts(bare_world.doorline, twilio)
        await bare_world.settled()
    assert await recipient.reads() == ["You said: before", "You said: while you were away"]
