"""En español: where it is, which one is meant, and the language that the answer follows. Onfleet's facts, Spanish words."""

import pytest
from sqlmodel import col

from bot.conversations.models import Conversation
from bot.escalations.models import Escalation
from tests.harness.spanish import asks
from tests.harness.world import World

pytestmark = pytest.mark.rasa

ROBIN = "+12125550100"


async def language_kept(world: World, phone: str = ROBIN) -> str:
    """The language in which this phone is written to without being asked."""
    (conversation,) = await world.rows(Conversation, col(Conversation.address) == phone)
    return conversation.language


async def test_a_misspelt_question_gets_the_platforms_eta(world: World) -> None:
    await world.has_stop(eta="15:20", window=("14:00", "16:00"))
    told = await asks(world.recipient(), "ola buenas dnd anda mi pakete xfa")
    assert "paquete de Acme" in told
    assert "3:20 pm" in told
    assert "2-4 pm" in told
    assert await language_kept(world) == "es"
    assert await world.rows(Escalation) == []


async def test_who_is_cross_about_a_late_van_is_told_the_new_time_and_sorry(world: World) -> None:
    await world.has_stop(eta="16:25", window=("14:00", "16:00"))
    told = await asks(world.recipient(), "q pasa con lo mio, ya me tengo q ir a trabajar, a q hora llega??")
    assert "4:25 pm" in told
    assert "2-4 pm" in told
    assert "lo siento" in told


async def test_before_the_van_has_left_only_the_window_is_told(world: World) -> None:
    await world.has_stop(eta=None, on_route=False)
    told = await asks(world.recipient(), "mi pedido de acme ya salio o todavia no")
    assert "aún no ha salido" in told
    assert "2-4 pm" in told


async def test_of_two_parcels_it_is_asked_which_and_one_answers(world: World) -> None:
    await world.has_stop(client="Acme", window=("13:00", "15:00"), eta="13:30")
    await world.has_stop(client="Nova", window=("17:00", "19:00"), eta=None, on_route=False)
    recipient = world.recipient()
    question = await asks(recipient, "ya mero llega lo q pedi?")
    assert "Acme" in question
    assert "Nova" in question
    assert "14" not in question, "no full address in a list"
    told = await asks(recipient, "el de nova")
    assert "Nova" in told
    assert "5-7 pm" in told
    assert "Acme" not in told


async def test_both_of_two_parcels_are_told(world: World) -> None:
    await world.has_stop(client="Acme", window=("13:00", "15:00"), eta=None, on_route=False)
    await world.has_stop(client="Nova", window=("17:00", "19:00"), eta=None, on_route=False)
    recipient = world.recipient()
    await asks(recipient, "como va mi entrega d hoy")
    told = await asks(recipient, "las dos pues")
    assert "1-3 pm" in told
    assert "5-7 pm" in told


async def test_a_stranger_is_told_nothing_until_the_tracking_number_comes(world: World) -> None:
    tracking = await world.has_stop(eta="15:20")
    stranger = world.recipient("+12125550177")
    question = await asks(stranger, "a q hora cae mi paquete")
    assert "número de seguimiento" in question
    assert "Acme" not in question
    assert "Elm" not in question
    told = await asks(stranger, f"a ver es este {tracking}")
    assert "3:20 pm" in told


async def test_old_news_is_told_with_its_age_and_a_dispatcher_is_asked(world: World) -> None:
    await world.has_stop(eta="15:20")
    world.onfleet.faults.down = True
    world.onfleet.webhooks.faults.down = True
    await world.advance(minutes=50)
    told = await asks(world.recipient(), "por donde viene el camion con mi paquete??")
    assert "Hace 50 min" in told
    assert "la central" in told
    assert "3:20" not in told, "no ETA out of old news"
    await world.channel_shows("Recipient waiting", "14 Elm St 2B")


async def test_what_was_delivered_is_told_with_its_time(world: World) -> None:
    tracking = await world.has_stop()
    await world.delivers(tracking)
    told = await asks(world.recipient(), "ya lo entregaron o sigue en camino")
    assert "se entregó a las 12 pm" in told
    assert world.task_of(tracking)["state"] == 3


async def test_a_delivery_just_after_one_is_told_as_the_clock_is_read(world: World) -> None:
    tracking = await world.has_stop()
    world.clock.at = world.local("13:05")
    await world.delivers(tracking)
    assert "a la 1:05 pm" in await asks(world.recipient(), "q onda con mi paquete, donde quedo")


async def test_the_answer_follows_the_language_and_a_bare_word_keeps_it(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    recipient = world.recipient()
    first = await recipient.asks("hey wheres my stuff at")
    assert "isn't out yet" in first
    offer = await asks(recipient, "uy no, hoy no puedo recibirlo, q otro dia tienen")
    assert "1)" in offer
    read_back = await asks(recipient, "2")
    assert "?" in read_back
    booked = await asks(recipient, "ok")
    assert "Reservado" in booked
    assert world.task_of(tracking)["completeAfter"] != int(world.local("14:00").timestamp() * 1000)
    assert await language_kept(world) == "es"


async def test_who_goes_on_in_english_is_answered_in_english(world: World) -> None:
    await world.has_stop(eta="15:20")
    recipient = world.recipient()
    await asks(recipient, "hola q tal, como va lo de mi entrega")
    answer = await recipient.asks("sorry can you tell me that in english, where is the driver")
    assert "isn't out yet" in answer
    assert "3:20 pm" in answer


async def test_half_english_is_answered_in_spanish(world: World) -> None:
    await world.has_stop(eta="15:20")
    told = await asks(world.recipient(), "oye el driver con mi package ya viene o q, estoy en el lobby")
    assert "3:20 pm" in told
