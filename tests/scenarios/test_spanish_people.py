"""En español: a person takes over, silence is asked for, small talk. Slack and the consent ledger hold the outcome."""

import pytest
from sqlmodel import col

from bot.conversations.models import ConsentChange, ConsentWord, InboundState, InboundText
from bot.durable.models import OutboundText
from bot.escalations.models import Escalation
from bot.incidents.models import Incident
from connectors.escalation import EscalationState
from tests.harness.handoffs import becomes, handoff, texts_of
from tests.harness.spanish import asks, spanish
from tests.harness.world import World

pytestmark = pytest.mark.rasa

DANA = "U0DANA"


async def changes(world: World) -> list[ConsentWord]:
    rows = await world.rows(ConsentChange)
    return [row.word for row in sorted(rows, key=lambda row: row.id or 0)]


# --- a person -------------------------------------------------------------------------------------


async def test_a_dispatcher_answers_in_slack_and_the_bot_is_silent_until_it_is_over(world: World) -> None:
    await world.has_stop(eta="15:20")
    recipient, dana = world.recipient(), world.dispatcher(DANA)
    told = await asks(recipient, "no quiero hablar con una maquina, pasame con alguien de verdad")
    assert "12:25 pm" in told
    message = await world.channel_shows("Recipient waiting", "Asks for a person", "14 Elm St 2B")
    await dana.replies(message, "Hola, le habla Dana. ¿En qué le ayudo?")
    assert (await recipient.reads_next(2))[1] == "Hola, le habla Dana. ¿En qué le ayudo?"
    world.clock.move(world.local("12:02") - world.local("12:01"))
    await recipient.texts("q el chofer siempre llega tarde, a q hora viene hoy")
    await world.settled()
    await world.thread_shows(message, "el chofer siempre llega tarde")
    assert len(await recipient.reads()) == 2, "the bot is silent"
    assert (await texts_of(world))[-1].state is InboundState.HELD
    await dana.writes_in_thread(message, "esta nota es solo para nosotros")
    await dana.writes_in_thread(message, ">> Viene a las 3:20, ya hablé con él.")
    assert (await recipient.reads_next(3))[2] == "Viene a las 3:20, ya hablé con él."
    await dana.presses(message, "resolve")
    await becomes(world, EscalationState.RESOLVED)
    again = await asks(recipient, "bueno gracias, y ya por donde anda mi paquete")
    assert "3:20 pm" in again
    assert not any("solo para nosotros" in text for text in await recipient.reads())


async def test_an_angry_complaint_gets_one_apology_and_a_person(world: World) -> None:
    await world.has_stop(eta="15:20")
    told = await asks(
        world.recipient(), "YA ES LA TERCERA VEZ Q ME DEJAN ESPERANDO TODO EL DIA, Q PORQUERIA DE SERVICIO"
    )
    assert told.startswith(("Lo siento", "QuickShip", "Acme"))
    assert told.count("siento") == 1
    assert "12:25 pm" in told
    message = await world.channel_shows("Recipient waiting", "Complains")
    await world.thread_shows(message, "PORQUERIA DE SERVICIO")


async def test_nobody_comes_in_time_and_that_is_told_honestly(world: World) -> None:
    await world.has_stop(eta="15:20")
    recipient = world.recipient()
    await asks(recipient, "comuniqueme con un encargado por favor")
    await world.advance(minutes=26)
    told = spanish((await recipient.reads_next(2))[1])
    assert "nadie de la central ha respondido" in told
    assert "12:50 pm" in told
    assert (await handoff(world)).answer_by == world.local("12:50")


async def test_a_promise_for_just_after_one_is_told_as_the_clock_is_read(world: World) -> None:
    await world.has_stop(eta="15:20")
    world.clock.at = world.local("12:42")
    told = await asks(world.recipient(), "quiero hablar con una persona de carne y hueso")
    assert "antes de la 1:05 pm" in told
    assert (await handoff(world)).answer_by == world.local("13:05")


async def test_twice_not_understood_and_a_person_has_it(world: World) -> None:
    await world.has_stop(client="Acme", window=("13:00", "15:00"), eta=None, on_route=False)
    await world.has_stop(client="Nova", window=("17:00", "19:00"), eta=None, on_route=False)
    recipient = world.recipient()
    await asks(recipient, "donde esta mi paquete?")
    again = await asks(recipient, "xq eso asi o no o q")
    assert "¿Cuál de ellas" in again
    assert await world.rows(Escalation) == []
    told = await asks(recipient, "trululu plim")
    assert "persona de la central" in told
    message = await world.channel_shows("Recipient waiting", "did not understand")
    await world.thread_shows(message, "xq eso asi o no o q")


async def test_a_question_that_nobody_wrote_an_answer_for_goes_to_a_person(world: World) -> None:
    await world.has_stop(eta="15:20")
    told = await asks(world.recipient(), "sus repartidores traen cambio de un billete de cien?")
    assert "persona" in told
    await world.channel_shows("Has a question about the service")


# --- questions and small talk ---------------------------------------------------------------------


async def test_a_general_question_gets_the_operators_own_answer(world: World) -> None:
    await world.has_stop(eta="15:20")
    told = await asks(world.recipient(), "trabajan el sabado tambien o descansan el finde?")
    assert "lunes a sábado" in told
    assert await world.rows(Escalation) == []


async def test_a_first_hello_says_who_writes_and_for_whom(world: World) -> None:
    await world.has_stop(eta="15:20")
    told = await asks(world.recipient(), "quiubo buenas tardess")
    assert told.startswith("QuickShip, de parte de Acme: Hola.")


async def test_the_bot_says_that_it_is_one(world: World) -> None:
    await world.has_stop(eta="15:20")
    told = await asks(world.recipient(), "oye esto es un robot o me contesta gente")
    assert "asistente automático" in told
    assert "no una persona" in told
    assert await world.rows(Escalation) == []


async def test_the_help_word_alone_and_a_plea_for_help_are_told_what_can_be_done(world: World) -> None:
    await world.has_stop(eta="15:20")
    recipient = world.recipient()
    keyword = await asks(recipient, "AYUDA")
    assert "QuickShip" in keyword
    assert "STOP" in keyword
    told = await asks(recipient, "no le entiendo a esto, q cosas puedo pedir aqui")
    assert "dónde está su paquete" in told
    assert await world.rows(ConsentChange) == []


async def test_thanks_and_goodbye_are_answered_and_start_nothing(world: World) -> None:
    tracking = await world.has_stop(eta="15:20")
    before = dict(world.task_of(tracking))
    recipient = world.recipient()
    await asks(recipient, "ya viene mi pedido verdad?")
    assert await asks(recipient, "mil gracias bendiciones") == "De nada."
    assert "Hasta luego" in await asks(recipient, "bueno ahi nos vemos, bye")
    assert world.task_of(tracking) == before
    assert await world.rows(Escalation) == []


async def test_what_is_not_ours_is_declined(world: World) -> None:
    await world.has_stop(eta="15:20")
    told = await asks(world.recipient(), "a como amanecio el dolar hoy")
    assert "Solo sé de sus entregas" in told
    assert await world.rows(Escalation) == []


async def test_who_is_coming_down_is_told_to_the_driver_when_minutes_matter(world: World) -> None:
    tracking = await world.has_stop(eta="12:08", window=("12:00", "14:00"))
    world.onfleet.start_task(world.task_of(tracking)["id"])
    await world.sync()
    told = await asks(world.recipient(), "ya voy llegando, digale q me espere 5 minutitos")
    assert "No puedo prometer" in told
    assert "espere 5 minutitos" in world.task_of(tracking)["notes"]
    await world.channel_shows("Is on the way to the driver")


# --- silence --------------------------------------------------------------------------------------


async def test_the_spanish_stop_word_alone_opts_out_once_and_alta_comes_back(world: World) -> None:
    await world.has_stop(eta="15:20")
    recipient = world.recipient()
    told = await asks(recipient, "CANCELAR")
    assert "no le escribirá más" in told
    assert await changes(world) == [ConsentWord.OPTED_OUT]
    world.clock.move(world.local("12:02") - world.local("12:01"))
    await recipient.texts("donde esta mi paquete")
    await world.settled()
    assert len(await recipient.reads()) == 1, "who has left is not written to"
    back = await asks(recipient, "ALTA")
    assert "volverá a recibir" in back
    assert await changes(world) == [ConsentWord.OPTED_OUT, ConsentWord.OPTED_IN]


async def test_plain_words_opt_out_and_nothing_is_sent_any_more(world: World) -> None:
    await world.has_stop(eta="15:20")
    recipient = world.recipient()
    told = await asks(recipient, "ya dejen de estarme mandando mensajitos por favor")
    assert "no le escribirá más" in told
    (change,) = await world.rows(ConsentChange)
    assert (change.word, change.source) == (ConsentWord.OPTED_OUT, "plain_language")
    assert "mensajitos" in (change.words or "")
    await world.advance(minutes=30)
    assert len(await world.rows(OutboundText)) == 1


async def test_a_wrong_number_is_believed_and_a_dispatcher_hears_which_stop(world: World) -> None:
    await world.has_stop(eta="15:20")
    told = await asks(world.recipient(), "esta equivocado de numero, aqui no vive ningun robin")
    assert "Disculpe" in told
    assert await changes(world) == [ConsentWord.OPTED_OUT]
    await world.channel_shows("wrong number", "14 Elm St 2B")


async def test_what_only_sounds_like_leaving_keeps_the_messages(world: World) -> None:
    await world.has_stop(eta=None, on_route=False)
    recipient = world.recipient()
    await asks(recipient, "no me manden al mismo chofer de la otra vez, es un grosero")
    assert await changes(world) == []
    await asks(recipient, "y ya no toquen tan fuerte q asustan al perro")
    assert await changes(world) == []
    assert await world.rows(Incident) == []
    answered = await world.rows(InboundText, col(InboundText.state) != InboundState.ANSWERED)
    assert answered == []
