"""Who may be written to: the keywords, what the carrier answers itself, and that nobody who left is texted."""

from collections.abc import Sequence

import pytest
from sqlmodel import col

from bot.conversations.consent import ConsentTurn, read_consent
from bot.conversations.keywords import Keyword, carrier_answers, keyword
from bot.conversations.models import ConsentChange, ConsentWord, InboundState, InboundText
from bot.conversations.words import Words
from bot.durable.models import OutboundText
from bot.settings import PROJECT_ROOT
from bot.stops.answers import Turn
from connectors.base import ChannelName, InboundMessage
from tests.harness.accounts import OUR_NUMBER
from tests.harness.waiting import eventually
from tests.harness.world import World

STOP, START, HELP = Keyword.STOP, Keyword.START, Keyword.HELP


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("STOP", STOP),
        ("stop", STOP),
        ("Stop.", STOP),
        ("  sToP!! ", STOP),
        ('"stop"', STOP),
        ("stop\n", STOP),
        ("STOPALL", STOP),
        ("stop all", STOP),
        ("Stop-All", STOP),
        ("unsubscribe", STOP),
        ("cancel", STOP),
        ("CANCEL", STOP),
        ("end", STOP),
        ("Quit", STOP),
        ("revoke", STOP),
        ("OPTOUT", STOP),
        ("opt out", STOP),
        ("opt-out", STOP),
        ("remove", STOP),
        ("ALTO", STOP),
        ("parar", STOP),
        ("Detener", STOP),
        ("cancelar", STOP),
        ("baja", STOP),
        ("¡Baja!", STOP),
        ("No más", STOP),
        ("no mas.", STOP),
        ("START", START),
        ("start.", START),
        ("unstop", START),
        ("alta", START),
        ("INICIAR", START),
        ("cancel my delivery", None),
        ("please cancel", None),
        ("cancel it", None),
        ("cancelar mi pedido", None),
        ("stop texting me", None),
        ("Stop please", None),
        ("stop by the office", None),
        ("end of the street", None),
        ("don't stop", None),
        ("can you start later", None),
        ("the bus stop", None),
        ("remove the old address", None),
        ("yes", None),
        ("STOP STOP STOP", STOP),
        ("🛑 STOP 🛑", STOP),
        ("ＳＴＯＰ", STOP),
        ("s\u200bto\u200dp", STOP),
        ("«Stop»", STOP),
        ("“STOP”", STOP),
        ("opt‑out", STOP),
        ("PARA", STOP),
        ("Fin.", STOP),
        ("Salir", STOP),
        ("para mañana", None),
        ("para, por favor", None),
        ("fin de semana", None),
        ("planta baja", None),
        ("para para mi hermana", None),
        ("help", HELP),
        ("HELP!", HELP),
        ("Info", HELP),
        ("ayuda", HELP),
        ("¿Ayuda?", HELP),
        ("help me move it", None),
        ("info about my parcel", None),
        ("comenzar", START),
        ("Alta", START),
        ("alta en la entrega", None),
        ("", None),
        ("!!!", None),
        ("🛑", None),
    ],
)
def test_a_keyword_is_the_whole_text_or_none(text: str, meant: Keyword | None) -> None:
    assert keyword(text) is meant


@pytest.mark.parametrize(
    ("text", "blocked", "answered"),
    [
        ("STOP", False, True),
        (" stop ", False, True),
        ("cancel", False, True),
        ("START", True, True),
        ("YES", True, True),
        ("START", False, False),
        ("yes", False, False),
        ("stop!", False, False),
        ("alto", False, False),
        ("opt out", False, False),
        ("cancel my delivery", False, False),
    ],
)
def test_the_carrier_answers_its_own_words_only(text: str, blocked: bool, answered: bool) -> None:
    assert carrier_answers(text, is_blocked=blocked) is answered


# --- with the carrier -----------------------------------------------------------------------------

PHONE = "+12125550100"
WORDS = Words(PROJECT_ROOT / "nlu" / "domain")
GOODBYE = {
    language: WORDS.say("utter_opted_out", language, operator="QuickShip") for language in ("en", "es")
}


async def states(world: World) -> dict[str, InboundState]:
    return {inbound.text: inbound.state for inbound in await world.rows(InboundText)}


async def ledger(world: World) -> list[ConsentWord]:
    changes = await world.rows(ConsentChange, col(ConsentChange.address) == PHONE)
    return [change.word for change in sorted(changes, key=lambda change: change.id or 0)]


async def lines_of(world: World) -> Sequence[ConsentChange]:
    services = world.doorline.services
    async with services.database.transaction() as session:
        return await services.consent.ledger_of(session, PHONE)


async def carrier_said(world: World) -> int:
    """How many texts the carrier has sent in its own name."""
    return sum(message.direction == "outbound-reply" for message in world.twilio.messages(PHONE))


async def test_stop_is_left_to_the_carrier_and_remembered(bare_world: World) -> None:
    recipient = bare_world.recipient(PHONE)
    await recipient.texts("STOP")
    await bare_world.settled()
    assert await recipient.reads() == []
    assert await carrier_said(bare_world) == 1
    assert await ledger(bare_world) == [ConsentWord.OPTED_OUT]
    assert bare_world.rasa.turns == []


async def test_a_word_that_the_carrier_does_not_know_is_confirmed_by_us_once(bare_world: World) -> None:
    recipient = bare_world.recipient(PHONE)
    await recipient.texts("opt out")
    assert await recipient.reads_next(1) == [GOODBYE["en"]]
    await recipient.texts("opt out!")
    await bare_world.settled()
    assert len(await recipient.reads()) == 1
    assert await ledger(bare_world) == [ConsentWord.OPTED_OUT]


async def test_spanish_words_are_answered_in_spanish(bare_world: World) -> None:
    recipient = bare_world.recipient(PHONE)
    assert await recipient.asks("No más") == GOODBYE["es"]
    assert await recipient.asks("alta") == WORDS.say("utter_opted_in", "es", operator="QuickShip")


@pytest.mark.parametrize("out", ["STOP", "opt out"])
async def test_somebody_who_left_is_not_answered_whatever_they_write(bare_world: World, out: str) -> None:
    recipient = bare_world.recipient(PHONE)
    await recipient.texts(out)
    await bare_world.settled()
    before = await recipient.reads()
    for body in ("where is my delivery", "help", "hello?", "HELP"):
        await recipient.texts(body)
    await bare_world.advance(minutes=15)
    assert await recipient.reads() == before
    assert bare_world.rasa.turns == []
    assert set((await states(bare_world)).values()) <= {InboundState.SILENT, InboundState.ANSWERED}


async def test_cancel_my_delivery_reaches_the_dialogue(bare_world: World) -> None:
    assert await bare_world.recipient(PHONE).asks("cancel my delivery") == "You said: cancel my delivery"
    assert await ledger(bare_world) == []


@pytest.mark.parametrize("back", ["START", "unstop", "YES"])
async def test_who_stopped_at_the_carrier_comes_back_there_too_and_is_told_once(
    bare_world: World, back: str
) -> None:
    recipient = bare_world.recipient(PHONE)
    await recipient.texts("STOP")
    await bare_world.settled()
    await recipient.texts(back)
    await bare_world.settled()
    assert await ledger(bare_world) == [ConsentWord.OPTED_OUT, ConsentWord.OPTED_IN]
    assert await carrier_said(bare_world) == 2
    assert await recipient.reads() == [], "the carrier has confirmed it already"
    assert await recipient.asks("hello") == "You said: hello"


@pytest.mark.parametrize("back", ["START", "yes", "alta"])
async def test_who_left_by_a_word_of_ours_is_welcomed_back_by_us(bare_world: World, back: str) -> None:
    recipient = bare_world.recipient(PHONE)
    await recipient.asks("opt out")
    await recipient.texts(back)
    texts = await recipient.reads_next(2)
    assert "QuickShip" in texts[1]
    assert await ledger(bare_world) == [ConsentWord.OPTED_OUT, ConsentWord.OPTED_IN]
    assert await recipient.asks("hello") == "You said: hello"


async def test_yes_and_start_of_somebody_who_never_left_are_ordinary_texts(bare_world: World) -> None:
    recipient = bare_world.recipient(PHONE)
    assert await recipient.asks("yes") == "You said: yes"
    assert await recipient.asks("start") == "You said: start"
    assert await ledger(bare_world) == []


async def test_help_is_answered_by_us_because_the_carriers_own_reply_names_nobody(bare_world: World) -> None:
    recipient = bare_world.recipient(PHONE)
    answer = await recipient.asks("HELP")
    assert answer == WORDS.say("utter_help_keyword", "en", operator="QuickShip")
    assert all(said in answer for said in ("QuickShip", "deliveries", "person", "rates", "STOP"))
    assert await recipient.asks("ayuda") == WORDS.say("utter_help_keyword", "es", operator="QuickShip")
    assert bare_world.rasa.turns == []


@pytest.mark.parametrize(
    ("text", "language"),
    [("Please stop texting me!!", "en"), ("No me escriban más, por favor", "es"), ("unsubscribe me", "en")],
)
async def test_words_that_say_nothing_but_silence_are_taken_at_their_word_without_any_model(
    bare_world: World, text: str, language: str
) -> None:
    recipient = bare_world.recipient(PHONE)
    assert await recipient.asks(text) == GOODBYE[language]
    await recipient.texts("where is it")
    await bare_world.settled()
    assert len(await recipient.reads()) == 1
    assert bare_world.rasa.turns == []


async def test_the_ledger_keeps_time_words_and_source_of_every_change(bare_world: World) -> None:
    recipient = bare_world.recipient(PHONE)
    await recipient.asks("opt out")
    await recipient.texts("START")
    await recipient.reads_next(2)
    changes = await lines_of(bare_world)
    assert [(change.word, change.source, change.words) for change in changes] == [
        (ConsentWord.OPTED_OUT, "keyword", "opt out"),
        (ConsentWord.OPTED_IN, "keyword", "START"),
    ]
    assert all(change.at == bare_world.clock.now() and change.inbound_id for change in changes)


async def test_the_ledger_keeps_no_access_code_and_no_long_text(bare_world: World) -> None:
    await bare_world.recipient(PHONE).asks("hello")
    (inbound,) = await bare_world.rows(InboundText)
    said = "take me off your list, gate code 4471# " + 40 * "and so on "
    turn = Turn(conversation_id=str(inbound.conversation_id), inbound_id=str(inbound.id), text=said)
    await bare_world.doorline.services.conversations.opt_out(turn)
    (change,) = await lines_of(bare_world)
    assert (change.source, change.words) == ("plain_language", said.replace("4471#", "••••")[:160])


def test_who_writes_in_a_channel_without_a_carrier_is_told_by_us_that_stop_was_heard() -> None:
    for channel in (ChannelName.WEBCHAT, ChannelName.EMAIL):
        turn = read_consent("STOP", channel, newest=None)
        assert turn == ConsentTurn(ConsentWord.OPTED_OUT, "keyword", is_silent=False)
    assert read_consent("STOP", ChannelName.SMS, newest=None) == ConsentTurn(
        ConsentWord.OPTED_OUT, "carrier:keyword", is_silent=True
    )


@pytest.mark.parametrize(("kind", "stands"), [("STOP", [ConsentWord.OPTED_OUT]), ("HELP", []), ("START", [])])
async def test_what_the_carrier_says_it_has_answered_is_not_answered_again(
    bare_world: World, kind: str, stands: list[ConsentWord]
) -> None:
    """Advanced Opt-Out tells us so, whatever the words were."""
    message = InboundMessage(
        channel=ChannelName.SMS,
        vendor_id="SM" + "5" * 32,
        sender=PHONE,
        recipient=OUR_NUMBER,
        text="basta ya",
        opt_out_type=kind,
    )
    await bare_world.doorline.services.receive(message)
    await bare_world.settled()
    assert await bare_world.recipient(PHONE).reads() == []
    assert await ledger(bare_world) == stands


async def test_an_answer_that_was_under_way_when_its_recipient_left_is_not_sent(bare_world: World) -> None:
    """On WhatsApp, while the same number stops all texts by SMS."""
    bare_world.rasa.hold()
    on_whatsapp, on_sms = bare_world.recipient(f"whatsapp:{PHONE}"), bare_world.recipient(PHONE)
    await on_whatsapp.texts("where is it")

    async def turns() -> int:
        return len(bare_world.rasa.turns)

    await eventually(turns, lambda count: count == 1, "the turn to begin")
    await on_sms.texts("STOP")
    await eventually(lambda: ledger(bare_world), bool, "the STOP to be taken")
    bare_world.rasa.release()
    await bare_world.settled()
    assert await on_whatsapp.reads() == []
    (row,) = await bare_world.rows(OutboundText)
    assert row.error_code == "opted_out"
