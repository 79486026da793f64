"""En español: nobody in, notes for the driver, another address, refusing it. Notes stand on Onfleet, wishes in Slack."""

import pytest
from sqlmodel import col

from bot.conversations.models import ConsentChange, InboundText
from bot.durable.models import OutboundText, Purpose
from bot.requests.models import DispatchRequest, RequestKind, RequestState
from connectors.onfleet.payloads import from_ms
from tests.harness.people import readable
from tests.harness.spanish import asks, spanish
from tests.harness.waiting import eventually
from tests.harness.world import World

pytestmark = pytest.mark.rasa

DANA = "U0DANA"


def notes(world: World, tracking: str) -> str:
    """What the driver reads on Onfleet."""
    return str(world.task_of(tracking)["notes"])


async def wanted(world: World) -> DispatchRequest:
    (request,) = await world.rows(DispatchRequest)
    return request


async def becomes(world: World, state: RequestState) -> DispatchRequest:
    return await eventually(lambda: wanted(world), lambda row: row.state is state, state.value)


async def last_notice(world: World) -> str:
    """What the recipient heard without having asked just now."""

    async def notices() -> list[OutboundText]:
        return await world.rows(OutboundText, col(OutboundText.purpose) == Purpose.NOTICE)

    return spanish((await eventually(notices, lambda rows: bool(rows), "a notice"))[-1].text)


# --- nobody in ------------------------------------------------------------------------------------


async def test_nobody_in_and_a_neighbour_takes_it(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    recipient = world.recipient()
    choices = await asks(recipient, "ahorita no va a haber nadie en la casa, andamos todos fuera")
    assert "2) con un vecino" in choices
    question = await asks(recipient, "2")
    assert "vecino" in question
    told = await asks(recipient, "con doña carmen la del 3b")
    assert "carmen" in told.lower()
    assert "doña carmen la del 3b" in notes(world, tracking)


async def test_nobody_in_and_then_rather_another_day(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    recipient = world.recipient()
    await asks(recipient, "fijese q hoy no estamos, salimos a un mandado y no hay quien reciba")
    await asks(recipient, "3")
    read_back = await asks(recipient, "no mejor traiganlo mañana despues de las 5")
    assert "Mañana, mié 10 jun, 5-9 pm" in read_back
    assert "Reservado" in await asks(recipient, "si, gracias")
    assert from_ms(world.task_of(tracking)["completeAfter"]) == world.local("17:00", 1)
    assert notes(world, tracking) == ""


async def test_nobody_in_and_it_is_held_for_pick_up_once_a_dispatcher_says_so(world: World) -> None:
    await world.has_stop(eta=None, on_route=False)
    recipient = world.recipient()
    await asks(recipient, "no voy a estar cuando lleguen, trabajo todo el dia")
    told = await asks(recipient, "yo paso a recogerlo al almacen")
    assert "12:25 pm" in told
    assert (await wanted(world)).kind is RequestKind.HOLD
    await world.dispatcher(DANA).presses(await world.channel_shows("Hold it"), "approve")
    await becomes(world, RequestState.APPROVED)
    assert "queda en espera" in await last_notice(world)


# --- notes for the driver -------------------------------------------------------------------------


async def test_a_code_and_a_place_reach_the_driver_and_the_code_stands_nowhere_else(world: World) -> None:
    tracking = await world.has_stop()
    recipient = world.recipient()
    told = await asks(recipient, "el codigo del porton es 4471# y lo dejan detras de la maceta grande porfa")
    assert "código" in told
    assert "maceta" in told
    assert "4471" not in told
    assert "4471#" in notes(world, tracking)
    await world.settled()
    assert not any("4471" in readable(message) for message in await world.channel())
    assert all("4471" not in row.text for row in await world.rows(OutboundText))


async def test_a_note_is_added_to_the_one_before_and_neither_is_lost(world: World) -> None:
    tracking = await world.has_stop()
    recipient = world.recipient()
    await asks(recipient, "q toque el timbre dos veces xq no se oye")
    told = await asks(recipient, "y cuidado con el perro, muerde")
    assert "repartidor" in told
    first, second = notes(world, tracking).splitlines()
    assert "toque el timbre dos veces" in first
    assert "cuidado con el perro" in second


async def test_of_two_wishes_the_first_is_done_and_the_second_offered(world: World) -> None:
    tracking = await world.has_stop(eta="15:20")
    recipient = world.recipient()
    told = await asks(recipient, "donde viene mi paquete? y diganle al chofer q me lo deje con el portero")
    assert "3:20 pm" in told
    assert "nota para el repartidor" in told
    assert notes(world, tracking) == ""
    await asks(recipient, "si porfa")
    assert "con el portero" in notes(world, tracking)


async def test_a_corrected_place_is_the_one_that_the_driver_reads_last(world: World) -> None:
    tracking = await world.has_stop()
    recipient = world.recipient()
    await asks(recipient, "dejenlo en el porche de atras")
    told = await asks(recipient, "no perdon, mejor dejelo adentro del garaje")
    assert "garaje" in told
    lines = notes(world, tracking).splitlines()
    assert "porche" in lines[0]
    assert "garaje" in lines[-1]


# --- another address ------------------------------------------------------------------------------


async def test_another_address_waits_for_a_dispatcher_and_the_platform_keeps_the_old_one(
    world: World,
) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    before = world.task_of(tracking)["destination"]
    recipient = world.recipient()
    told = await asks(recipient, "me acabo d mudar, ahora es 220 oak ave apt 5, 10002")
    assert "Aún no cambia nada" in told
    assert "12:25 pm" in told
    request = await wanted(world)
    assert (request.kind, request.state) == (RequestKind.CHANGE_ADDRESS, RequestState.OPEN)
    message = await world.channel_shows("Change the address?", "220 oak ave apt 5")
    assert world.task_of(tracking)["destination"] == before
    await world.dispatcher(DANA).presses(message, "approve")
    await becomes(world, RequestState.APPROVED)
    assert "nueva dirección" in await last_notice(world)


async def test_an_address_that_was_not_named_is_asked_for_and_may_be_declined(world: World) -> None:
    await world.has_stop(eta=None, on_route=False)
    recipient = world.recipient()
    question = await asks(recipient, "creo q puse mal mi direccion en la orden")
    assert "¿Cuál es la dirección completa" in question
    await asks(recipient, "es calle 45 numero 12, 10003")
    message = await world.channel_shows("Change the address?", "calle 45 numero 12")
    await world.dispatcher(DANA).presses(message, "decline")
    await becomes(world, RequestState.DECLINED)
    assert "no puede cambiar la dirección" in await last_notice(world)


async def test_asking_where_it_is_while_the_address_is_asked_for(world: World) -> None:
    await world.has_stop(eta="15:20", window=("14:00", "16:00"))
    recipient = world.recipient()
    await asks(recipient, "la direccion q tienen esta mala, la quiero corregir")
    between = await asks(recipient, "espera y por donde viene el paquete?")
    assert "3:20 pm" in between
    assert "¿Cuál es la dirección completa" in between
    await asks(recipient, "avenida ponce de leon 310, 00907")
    assert "ponce de leon 310" in (await wanted(world)).words


# --- refusing it ----------------------------------------------------------------------------------


async def test_cancel_my_order_is_asked_back_and_no_opt_out(world: World) -> None:
    await world.has_stop(eta=None, on_route=False)
    recipient = world.recipient()
    question = await asks(recipient, "cancela mi pedido")
    assert "Responda 1" in question
    assert await world.rows(ConsentChange) == []
    assert await world.rows(DispatchRequest) == []
    told = await asks(recipient, "1")
    assert "12:25 pm" in told
    assert (await wanted(world)).kind is RequestKind.SEND_BACK
    await world.dispatcher(DANA).presses(await world.channel_shows("Send it back to Acme?"), "approve")
    await becomes(world, RequestState.APPROVED)
    assert "vuelve al remitente" in await last_notice(world)


async def test_who_thinks_better_of_it_keeps_the_parcel(world: World) -> None:
    await world.has_stop(eta=None, on_route=False)
    recipient = world.recipient()
    await asks(recipient, "ya no lo quiero, regresenlo a la tienda")
    told = await asks(recipient, "no no esperen, mejor si me lo quedo")
    assert "queda como estaba" in told
    assert await world.rows(DispatchRequest) == []


async def test_rather_another_day_than_sent_back(world: World) -> None:
    tracking = await world.has_stop(eta=None, on_route=False)
    recipient = world.recipient()
    await asks(recipient, "no puedo pagar ahorita, cancelen esa entrega")
    read_back = await asks(recipient, "bueno no, mejor traiganmelo el jueves x la mañana")
    assert "Jue 11 jun, 8 am-12 pm" in read_back
    assert "Reservado" in await asks(recipient, "si")
    assert from_ms(world.task_of(tracking)["completeAfter"]) == world.local("08:00", 2)
    assert await world.rows(DispatchRequest) == []


async def test_every_text_in_here_was_answered(world: World) -> None:
    """A row of wishes in one conversation leaves none of them open."""
    tracking = await world.has_stop(eta="15:20")
    recipient = world.recipient()
    await asks(recipient, "buenas, como va mi entrega")
    await asks(recipient, "cancelen todo, ya no lo ocupo")
    await asks(recipient, "2")
    await asks(recipient, "q me lo dejen con el guardia d la caseta")
    assert "guardia" in notes(world, tracking)
    assert all(row.answered_at is not None for row in await world.rows(InboundText))
    assert await world.rows(DispatchRequest) == []
