"""Failed deliveries in Spanish: the same flows, the same rungs, not a word of English."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.recovery.models import RecoveryState
from tests.harness.protocol import protocol_of
from tests.harness.recovering import Failed
from tests.harness.world import Setting, World

pytestmark = pytest.mark.rasa

SECTIONS = {
    "recovery": {
        "enabled": True,
        "pick_up_points": [{"name": "Dock Rd 8"}],
        "clients": {"Globex": {"ending": "return"}},
    },
    "notifications": {"enabled": False, "language": "es"},
}


@pytest.fixture
async def failed(setting: Setting, empty_database: None, tmp_path: Path) -> AsyncIterator[Failed]:
    async with World(setting, sop=protocol_of(tmp_path, {}, **SECTIONS)) as world:
        yield Failed(world, in_spanish=True)


async def test_codigo_y_dia_en_un_solo_mensaje(failed: Failed) -> None:
    question = await failed.fails("no access")
    assert "no pudimos entrar a las 12 pm" in question
    answer = await failed.says("el código es 4471#, hoy está bien")
    assert answer == "Gracias. Próximo intento: hoy, 5-9 pm, con su código."
    task = await failed.is_booked(failed.window("17:00", "21:00"))
    assert "4471#" in str(task)


async def test_mejor_el_jueves_se_lee_y_se_confirma(failed: Failed) -> None:
    await failed.fails("recipient unavailable")
    assert "Jue 11 jun, 5-9 pm" in await failed.says("mejor el jueves después de las 5")
    assert "Próximo intento: jue 11 jun, 5-9 pm" in await failed.says("sí")
    await failed.is_booked(failed.window("17:00", "21:00", 2))


async def test_con_la_vecina(failed: Failed) -> None:
    await failed.fails("recipient unavailable")
    answer = await failed.says("déjelo con la vecina del 3B, hoy")
    assert "con la vecina del 3B" in answer
    task = await failed.is_booked(failed.window("17:00", "21:00"))
    assert "con la vecina del 3B" in task["notes"]


async def test_lo_recojo_yo(failed: Failed) -> None:
    await failed.fails("recipient unavailable")
    assert "Dock Rd 8" in await failed.says("mejor lo recojo yo")
    await failed.has_gone(RecoveryState.PICK_UP)


async def test_otra_direccion_es_cosa_de_la_central(failed: Failed) -> None:
    await failed.fails("wrong address")
    assert "Aún no cambia nada" in await failed.says("es calle Elm 41, apto 3")
    await failed.is_asked_of_dispatch("change_address")


async def test_rechazado_se_devuelve_una_vez_confirmado(failed: Failed) -> None:
    question = await failed.fails("refused")
    assert "5) Devolverlo." in question
    assert "devuelvo" in await failed.says("devuélvanlo")
    assert "Pedí a la central devolver" in await failed.says("1")
    await failed.is_asked_of_dispatch("send_back")


@pytest.mark.parametrize(
    ("reason", "words"),
    [("vehicle issue", "la camioneta tuvo problemas"), ("weather", "el mal tiempo nos detuvo")],
)
async def test_lo_que_fue_culpa_nuestra(failed: Failed, reason: str, words: str) -> None:
    assert words in await failed.fails(reason)
    assert "Próximo intento: mañana" in await failed.says("2")
    await failed.is_booked(failed.window("08:00", "12:00", 1))


async def test_quien_es_y_vuelve_la_pregunta(failed: Failed) -> None:
    await failed.fails("recipient unavailable")
    assert "volve" in await failed.says("eres un robot?")
    await failed.says("1")
    await failed.is_booked(failed.window("17:00", "21:00"))


async def test_tras_el_recordatorio(failed: Failed) -> None:
    await failed.fails("no access")
    (reminder,) = await failed.waits(hours=2)
    assert "mande el código" in reminder
    assert "con su código" in await failed.says("clave 4471, hoy está bien")
    await failed.is_booked(failed.window("17:00", "21:00"))


async def test_por_whatsapp(failed: Failed) -> None:
    elsewhere = Failed(failed.world, "whatsapp:+12125550100", in_spanish=True)
    await failed.fails("recipient unavailable")
    await elsewhere.says("muchas gracias")
    for _ in range(2):
        await failed.waits(hours=2)
    assert "no encontramos a nadie" in (await elsewhere.unread())[-1]
    assert "Próximo intento: mañana" in await elsewhere.says("mañana en la mañana")
    await failed.is_booked(failed.window("08:00", "12:00", 1))


async def test_nadie_responde_y_decide_la_central(failed: Failed) -> None:
    await failed.fails("recipient unavailable")
    for _ in range(4):
        await failed.waits(hours=2)
    await failed.decides("task_again", "14 Elm St 2B", "Try again")
    await failed.is_booked(failed.window("10:00", "12:00", 1), by="U0DANA")


@pytest.mark.parametrize("client", ["Acme", "Globex"])
async def test_nadie_responde_y_llega_el_final_previsto(failed: Failed, client: str) -> None:
    await failed.fails("recipient unavailable", client=client)
    for hours in (2, 2, 4, 16):
        await failed.waits(hours=hours)
    if client == "Globex":
        await failed.has_gone(RecoveryState.SENT_BACK, by="default")
    else:
        await failed.is_booked(failed.window("10:00", "12:00", 1), by="default")
        assert "Vie 12 jun" in await failed.says("perdón, mejor el viernes por la mañana")
        await failed.says("sí")
        await failed.is_booked(failed.window("08:00", "12:00", 2))
