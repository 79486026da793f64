"""Silence is given to whoever asks for it, in whatever words, and to nobody who asks for something else."""

import pytest

from bot.conversations.models import ConsentChange, ConsentWord
from bot.requests.models import DispatchRequest
from tests.harness.world import World

pytestmark = pytest.mark.rasa


async def ledger(world: World, phone: str = "+12125550100") -> list[ConsentWord]:
    rows = await world.rows(ConsentChange)
    return [row.word for row in sorted(rows, key=lambda row: row.id or 0) if row.address == phone]


@pytest.mark.parametrize(
    "body",
    [
        "quit blowin up my phone w these texts",
        "yo stop txting me fr",
        "take my # off ur list pls",
        "i never signed up 4 this, no more msgs",
        "UNSUBSCRIBE ME",
    ],
)
async def test_asking_for_silence_in_plain_words_is_enough(world: World, body: str) -> None:
    await world.has_stop(eta="15:20")
    recipient = world.recipient()
    answer = await recipient.asks(body)
    assert "no more messages" in answer
    assert "START" in answer
    assert await ledger(world) == [ConsentWord.OPTED_OUT]
    (change,) = await world.rows(ConsentChange)
    assert (change.source, change.words) == ("plain_language", body)
    await recipient.texts("and where is my package anyway")
    await world.settled()
    assert len(await recipient.reads()) == 1, "one confirmation, then silence"


@pytest.mark.parametrize(
    "body",
    [
        "can u stop by after 5 instead",
        "dont text me just call when ur outside",
        "tell him to stop ringing the bell the baby sleeps",
        "stop sending it to my old address, i moved to 22 oak ave 10002",
        "how many stops b4 me",
        "i stopped by the depot and it was closed",
    ],
)
async def test_near_misses_do_not_opt_out(world: World, body: str) -> None:
    await world.has_stop(eta="15:20")
    recipient = world.recipient()
    answer = await recipient.asks(body)
    assert "no more messages" not in answer
    assert await ledger(world) == []


async def test_a_doubtful_wish_for_silence_is_asked_back_once(world: World) -> None:
    await world.has_stop(eta="15:20")
    recipient = world.recipient()
    question = await recipient.asks("im so over these notifications")
    assert "2" in question
    assert await ledger(world) == []
    answer = await recipient.asks("1")
    assert "no more messages" in answer
    assert await ledger(world) == [ConsentWord.OPTED_OUT]


async def test_whoever_keeps_the_messages_still_gets_answers(world: World) -> None:
    await world.has_stop(eta="15:20")
    recipient = world.recipient()
    await recipient.asks("im so over these notifications")
    await recipient.asks("no keep em i guess")
    assert await ledger(world) == []
    assert "3:20 pm" in await recipient.asks("whats the eta")


async def test_a_wrong_number_is_left_alone_and_dispatchers_hear_which_stop(world: World) -> None:
    await world.has_stop(eta="15:20")
    recipient = world.recipient()
    answer = await recipient.asks("u got the wrong number lady, no robin here")
    assert "Sorry" in answer
    assert "no more messages" in answer
    assert await ledger(world) == [ConsentWord.OPTED_OUT]
    await world.channel_shows("wrong number", "14 Elm St 2B")


async def test_cancelling_the_delivery_is_not_leaving(world: World) -> None:
    await world.has_stop(eta=None, on_route=False)
    recipient = world.recipient()
    question = await recipient.asks("cancel my delivery i dont want it no more")
    assert "1" in question
    assert "CANCEL" not in question
    assert await ledger(world) == []
    answer = await recipient.asks("2")
    assert "stays" in answer
    assert await world.rows(DispatchRequest) == []


async def test_the_bare_keyword_is_the_carriers_and_start_comes_back(world: World) -> None:
    await world.has_stop(eta="15:20")
    recipient = world.recipient()
    await recipient.asks("where is it")
    await recipient.texts("STOP")
    await world.settled()
    assert await ledger(world) == [ConsentWord.OPTED_OUT]
    mine = [text for text in await recipient.reads() if "no more messages" in text]
    assert mine == [], "the carrier has answered already"
    await recipient.texts("START")
    await world.settled()
    assert (await ledger(world))[-1] is ConsentWord.OPTED_IN
    assert "3:20 pm" in await recipient.asks("ok so where is it now")
