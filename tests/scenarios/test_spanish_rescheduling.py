"""En español: another window, with read-back, changes of mind and interruptions. What Onfleet holds decides."""

from datetime import datetime

import pytest
from sqlmodel import col

from bot.durable.models import OutboundText, Purpose
from bot.escalations.models import Escalation
from bot.requests.models import DispatchRequest, RequestKind, RequestState
from connectors.onfleet.payloads import from_ms
from tests.harness.spanish import asks, spanish
from tests.harness.waiting import eventually
from tests.harness.world import World

pytestmark = pytest.mark.rasa

OLD = ("14:00", "16:00")


def held(world: World, tracking: str) -> tuple[datetime, datetime]:
    """The window that Onfleet itself holds."""
    task = world.task_of(tracking)
    return from_ms(task["completeAfter"]), from_ms(task["completeBefore"])


def window(world: World, start: str, end: str, day: int = 0) -> tuple[datetime, datetime]:
    return world.local(start, day), world.local(end, day)


async def planned(world: World) -> str:
    """A stop that the driver has not set out for."""
    return await world.has_stop(eta=None, on_route=False, window=OLD)


async def decided(world: World) -> DispatchRequest:
    async def requests() -> list[DispatchRequest]:
        return await world.rows(DispatchRequest, col(DispatchRequest.decided_by).is_not(None))

    (request,) = await eventually(requests, lambda rows: len(rows) == 1, "a decision")
    return request


async def notices(world: World) -> list[str]:
    await world.settled()
    rows = await world.rows(OutboundText, col(OutboundText.purpose) == Purpose.NOTICE)
    return [spanish(row.text) for row in rows]


async def test_a_window_is_read_back_booked_and_held_by_the_platform(world: World) -> None:
    tracking = await planned(world)
    recipient = world.recipient()
    question = await asks(recipient, "hoy ando fuera, me lo traen mañana despues de las 5 porfa")
    assert "Mañana, mié 10 jun, 5-9 pm" in question
    assert held(world, tracking) == window(world, *OLD), "nothing moves before the yes"
    booked = await asks(recipient, "simon, esta perfecto")
    assert "Reservado" in booked
    assert "mié 10 jun, 5-9 pm" in booked
    assert held(world, tracking) == window(world, "17:00", "21:00", day=1)
    record = await world.stop_record(tracking)
    assert (record.window_start_at, record.window_end_at) == window(world, "17:00", "21:00", day=1)
    assert await world.rows(Escalation) == []


async def test_a_change_of_mind_books_only_the_last_wish(world: World) -> None:
    tracking = await planned(world)
    recipient = world.recipient()
    await asks(recipient, "podrian traerlo mañana en la tarde en vez de hoy")
    second = await asks(recipient, "no espera, mejor el jueves x la mañana")
    assert "Jue 11 jun, 8 am-12 pm" in second
    assert "Reservado" in await asks(recipient, "sip")
    assert held(world, tracking) == window(world, "08:00", "12:00", day=2)


async def test_another_hour_at_the_read_back_keeps_the_day(world: World) -> None:
    tracking = await planned(world)
    recipient = world.recipient()
    await asks(recipient, "me lo pueden mandar mejor el viernes despues de las 5?")
    second = await asks(recipient, "mmm a esa hora no estoy, q sea de 9 a 12")
    assert "Vie 12 jun, 9 am-12 pm" in second
    assert "Reservado" in await asks(recipient, "ahora si, dale")
    assert held(world, tracking) == window(world, "09:00", "12:00", day=3)


async def test_letting_it_be_moves_nothing(world: World) -> None:
    tracking = await planned(world)
    recipient = world.recipient()
    await asks(recipient, "quiero q me lo traigan mañana despues de las 5")
    told = await asks(recipient, "nah olvidalo, dejalo asi")
    assert "no cambié nada" in told
    assert "2-4 pm" in told
    assert held(world, tracking) == window(world, *OLD)


async def test_a_no_is_asked_for_another_time_and_takes_it(world: World) -> None:
    tracking = await planned(world)
    recipient = world.recipient()
    await asks(recipient, "traiganmelo mejor mañana despues de las 5")
    assert "otro momento" in await asks(recipient, "no")
    assert "Sáb 13 jun, 8 am-12 pm" in await asks(recipient, "el sabado en la mañanita")
    assert "Reservado" in await asks(recipient, "si porfis")
    assert held(world, tracking) == window(world, "08:00", "12:00", day=4)


async def test_one_of_the_offered_windows_is_chosen_by_its_number(world: World) -> None:
    tracking = await planned(world)
    recipient = world.recipient()
    offer = await asks(recipient, "oigan se puede cambiar pa otro dia la entrega")
    assert "1)" in offer
    read_back = await asks(recipient, "la 2 porfa")
    assert "¿Lo reservo?" in read_back
    assert "Reservado" in await asks(recipient, "va")
    assert held(world, tracking) != window(world, *OLD)


async def test_asking_where_it_is_in_between_does_not_lose_the_thread(world: World) -> None:
    tracking = await planned(world)
    recipient = world.recipient()
    await asks(recipient, "cambienmelo para mañana despues de las 5")
    between = await asks(recipient, "oye y ahorita mi paquete donde esta")
    assert "2-4 pm" in between
    assert "¿Lo reservo?" in between
    assert "Reservado" in await asks(recipient, "si")
    assert held(world, tracking) == window(world, "17:00", "21:00", day=1)


async def test_a_question_in_between_is_answered_and_the_form_goes_on(world: World) -> None:
    tracking = await planned(world)
    recipient = world.recipient()
    await asks(recipient, "pasenlo para mañana despues de las 5")
    between = await asks(recipient, "cobran algo por la segunda entrega si no estoy")
    assert "gratis" in between
    assert "¿Lo reservo?" in between
    assert "Reservado" in await asks(recipient, "ah bueno entonces si")
    assert held(world, tracking) == window(world, "17:00", "21:00", day=1)


async def test_half_english_is_understood(world: World) -> None:
    tracking = await planned(world)
    recipient = world.recipient()
    question = await asks(
        recipient, "sorry estoy en el job todo el dia, me lo puedes deliverear el viernes despues de las 3"
    )
    assert "Vie 12 jun, 3-9 pm" in question
    assert "Reservado" in await asks(recipient, "yes porfa")
    assert held(world, tracking) == window(world, "15:00", "21:00", day=3)


async def test_a_sunday_is_refused_with_what_there_is_instead(world: World) -> None:
    tracking = await planned(world)
    recipient = world.recipient()
    told = await asks(recipient, "me lo llevan el domingo por favor? ese dia si descanso")
    assert "no entregamos" in told
    assert "Lun 15 jun, 12-7 pm" in await asks(recipient, "bueno el lunes en la tarde entonces")
    assert "Reservado" in await asks(recipient, "esta bien")
    assert held(world, tracking) == window(world, "12:00", "19:00", day=6)


async def test_a_time_that_has_passed_or_is_at_night_is_asked_again(world: World) -> None:
    tracking = await planned(world)
    recipient = world.recipient()
    await asks(recipient, "necesito cambiar el dia d la entrega")
    assert "ya pasó" in await asks(recipient, "ayer a las 3")
    assert "8 am a 9 pm" in await asks(recipient, "mañana a las 11 de la noche")
    assert held(world, tracking) == window(world, *OLD)
    await asks(recipient, "ta bien, mañana despues de las 5")
    assert "Reservado" in await asks(recipient, "si")
    assert held(world, tracking) == window(world, "17:00", "21:00", day=1)


async def test_with_two_parcels_it_is_asked_which_one(world: World) -> None:
    acme = await world.has_stop(client="Acme", window=("13:00", "15:00"), eta=None, on_route=False)
    nova = await world.has_stop(client="Nova", window=("17:00", "19:00"), eta=None, on_route=False)
    recipient = world.recipient()
    question = await asks(recipient, "cambiame la entrega pal jueves en la mañana")
    assert "Acme" in question
    assert "Nova" in question
    assert "Jue 11 jun, 8 am-12 pm" in await asks(recipient, "la segunda")
    assert "Reservado" in await asks(recipient, "si esa")
    assert held(world, nova) == window(world, "08:00", "12:00", day=2)
    assert held(world, acme) == window(world, "13:00", "15:00")


async def test_what_the_platform_refuses_a_dispatcher_declines_and_it_is_told(world: World) -> None:
    tracking = await world.has_stop(eta="15:20", window=OLD)
    recipient = world.recipient()
    await asks(recipient, "no alcanzo a llegar, traiganmelo mañana despues de las 5")
    # The driver sets off while the recipient still thinks; we have not heard of it yet.
    world.onfleet.webhooks.faults.down = True
    world.onfleet.start_task(world.task_of(tracking)["id"])
    told = await asks(recipient, "si por favor")
    assert "Reservado" not in told
    assert "12:25 pm" in told, "by when a dispatcher answers"
    message = await world.channel_shows("Wed, Jun 10, 5 pm-9 pm", "14 Elm St 2B")
    await world.dispatcher("U0DANA").presses(message, "decline")
    request = await decided(world)
    assert (request.kind, request.state) == (RequestKind.RESCHEDULE, RequestState.DECLINED)
    assert "no puede mover su paquete de Acme" in (await notices(world))[-1]
    assert held(world, tracking) == window(world, *OLD)


async def test_after_a_failed_try_the_second_one_is_a_dispatchers_and_it_is_told(world: World) -> None:
    tracking = await world.has_stop()
    await world.delivers(tracking, success=False, reason="RECIPIENT_UNAVAILABLE")
    recipient = world.recipient()
    told = await asks(recipient, "dejaron un papelito q no habia nadie, donde quedo mi paquete")
    assert "no había nadie" in told
    assert "¿" in told
    asked = await asks(recipient, "mañana despues de las 5 si hay alguien")
    assert "la central" in asked
    assert "12:25 pm" in asked or "12:30 pm" in asked
    (request,) = await world.rows(DispatchRequest)
    assert request.kind is RequestKind.REDELIVER
    await world.dispatcher("U0DANA").presses(await world.channel_shows("Wed, Jun 10, 5 pm-9 pm"), "approve")
    assert (await decided(world)).decided_by == "U0DANA"
    assert any("Aprobado por la central" in notice for notice in await notices(world))
