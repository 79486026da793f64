"""En español: missing, damaged, wrong, and the proof of it. What the platform proves and what our tables keep."""

from typing import Any

import pytest

from bot.incidents.models import Incident, IncidentPhoto, PhotoState
from bot.stops.answers import IncidentKind
from tests.harness.spanish import asks, spanish
from tests.harness.waiting import eventually
from tests.harness.world import World

pytestmark = pytest.mark.rasa

AT_THE_DOOR = (40.7003, -74.0001)
TWO_KM_AWAY = (40.7188, -74.0)


async def delivered(world: World, **left: Any) -> str:
    tracking = await world.has_stop()
    await world.delivers(tracking, **left)
    return tracking


async def incident(world: World) -> Incident:
    (row,) = await world.rows(Incident)
    return row


async def page(world: World, answer: str) -> str:
    """What stands behind the link in an answer."""
    link = next(word for word in answer.split() if word.startswith("http"))
    shown = await world.http.get(link)
    assert shown.status_code == 200, shown.text
    return shown.text


async def test_a_missing_parcel_gets_its_proof_and_a_report(world: World) -> None:
    await delivered(world, photos=1, location=AT_THE_DOOR)
    told = await asks(world.recipient(), "segun ustedes ya lo entregaron pero aca no hay nada en la puerta")
    assert "a las 12 pm" in told
    assert "reporte" in told
    assert "12:25 pm" in told
    assert "Entregado" in await page(world, told.replace("\n", " "))
    assert (await incident(world)).kind is IncidentKind.MISSING
    await world.channel_shows("Says the parcel is missing", "14 Elm St 2B")


async def test_a_driver_who_was_elsewhere_is_admitted(world: World) -> None:
    await delivered(world, photos=1, location=TWO_KM_AWAY)
    told = await asks(world.recipient(), "dice entregado y yo no he recibido ni madres")
    assert "no estaba en su dirección" in told
    assert (await incident(world)).kind is IncidentKind.MISSING
    await world.channel_shows("Says the parcel is missing", "2.1 km")


async def test_without_any_proof_that_is_said(world: World) -> None:
    await delivered(world)
    told = await asks(world.recipient(), "creo q se robaron mi paquete, sale como entregado y no esta")
    assert "no veo foto ni firma" in told
    assert (await incident(world)).proof is None or not (await incident(world)).proof.get("photos")  # type: ignore[union-attr]


async def test_what_is_still_on_the_van_is_not_missing(world: World) -> None:
    await world.has_stop(eta="15:20")
    told = await asks(world.recipient(), "jamas me entregaron lo q pedi")
    assert "3:20 pm" in told
    assert await world.rows(Incident) == []


async def test_a_damaged_parcel_is_reported_and_its_photo_kept(world: World) -> None:
    await delivered(world, photos=1)
    recipient = world.recipient()
    question = await asks(recipient, "me llego la caja toda aplastada y mojada")
    assert "foto" in question
    assert (await incident(world)).kind is IncidentKind.DAMAGED
    before = len(await recipient.reads())
    await recipient.sends_photo()
    told = spanish((await recipient.reads_next(before + 1))[before])
    assert "foto" in told
    assert "reporte" in told

    async def kept() -> list[IncidentPhoto]:
        return await world.rows(IncidentPhoto)

    (photo,) = await eventually(kept, lambda rows: any(r.state is PhotoState.KEPT for r in rows), "a photo")
    assert photo.incident_id == (await incident(world)).id
    shown = await world.channel_shows("Reports a damaged or wrong parcel")
    await world.thread_shows(shown, "sent a photo")


async def test_who_has_no_photo_is_not_pressed(world: World) -> None:
    await delivered(world)
    recipient = world.recipient()
    await asks(recipient, "el televisor q trajeron vino con la pantalla estrellada")
    told = await asks(recipient, "no tengo como tomarle foto ahorita")
    assert "sin foto" in told
    assert await world.rows(IncidentPhoto) == []
    assert (await incident(world)).kind is IncidentKind.DAMAGED


async def test_more_about_the_damage_is_added_to_the_report(world: World) -> None:
    await delivered(world)
    recipient = world.recipient()
    await asks(recipient, "esto q me dejaron no es lo mio, es de otra persona")
    assert (await incident(world)).kind is IncidentKind.WRONG
    told = await asks(recipient, "trae el nombre de un tal luis ortega en la etiqueta")
    assert "reporte" in told
    assert "luis ortega" in (await incident(world)).words


async def test_who_signed_is_told_by_name(world: World) -> None:
    await delivered(world, signed_by="R. Diaz", location=AT_THE_DOOR)
    told = await asks(world.recipient(), "quien me recibio el paquete? quien firmo")
    assert "R. Diaz" in told
    assert "a las 12 pm" in told
    assert await world.rows(Incident) == []


async def test_the_photo_of_the_door_is_linked_and_its_page_is_spanish(world: World) -> None:
    await delivered(world, photos=1, location=AT_THE_DOOR)
    told = await asks(world.recipient(), "tienen foto de donde me lo dejaron? pasenmela")
    assert "Foto:" in told
    shown = await page(world, told)
    assert 'lang="es"' in shown
    assert "Entregado" in shown


async def test_asking_for_the_photo_first_and_then_saying_it_is_gone(world: World) -> None:
    await delivered(world, photos=1, location=AT_THE_DOOR)
    recipient = world.recipient()
    assert "Foto:" in await asks(recipient, "me enseñan la foto de la entrega pls")
    assert await world.rows(Incident) == []
    told = await asks(recipient, "esa no es mi puerta!! a mi no me llego nada")
    assert "reporte" in told
    assert (await incident(world)).kind in (IncidentKind.MISSING, IncidentKind.WRONG)
    await world.channel_shows("14 Elm St 2B")
