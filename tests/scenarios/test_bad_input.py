"""Each sentence of "Bad input": what is forged, broken, repeated, strange or unlucky, and what we do then."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from twilio.request_validator import RequestValidator

from bot.conversations.models import InboundText
from bot.db import create_database, driver_url, migrate
from bot.keys import actions_token
from bot.processes import free_port
from tests.harness import forgery
from tests.harness.accounts import AUTH_TOKEN
from tests.harness.forgery import post_onfleet, post_slack, post_twilio, post_twilio_raw, text_form
from tests.harness.protocol import protocol_with
from tests.harness.world import Setting, World

KEPT = """
    SELECT (SELECT count(*) FROM inbound_message) + (SELECT count(*) FROM conversation)
         + (SELECT count(*) FROM inbox_event) + (SELECT count(*) FROM outbound_message)
         + (SELECT count(*) FROM procrastinate_jobs)
"""


async def kept(world: World) -> int:
    """Rows that any of our edges could have left behind."""
    await world.settled()
    async with world.doorline.services.database.transaction() as session:
        return int(await session.scalar(text(KEPT)) or 0)


# --- forged ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["sms", "status"])
@pytest.mark.parametrize("signature", ["", "nonsense", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="])
async def test_a_text_or_receipt_with_a_wrong_or_missing_signature_is_refused(
    bare_world: World, path: str, signature: str
) -> None:
    fields = text_form() | {"MessageStatus": "delivered"}
    answer = await post_twilio(bare_world, fields, path, signature=signature)
    assert answer.status_code == 403
    assert answer.json()["detail"]
    assert await kept(bare_world) == 0


async def test_a_text_signed_with_anothers_token_or_changed_on_the_way_is_refused(bare_world: World) -> None:
    assert (await post_twilio(bare_world, text_form(), token="another token")).status_code == 403
    url = f"{bare_world.url}/connectors/twilio/sms"
    genuine = RequestValidator(AUTH_TOKEN).compute_signature(url, text_form("where is it"))
    changed = await post_twilio(bare_world, text_form("stop"), signature=genuine)
    assert changed.status_code == 403
    assert await kept(bare_world) == 0


async def test_a_signed_text_with_empty_fields_is_taken(bare_world: World) -> None:
    assert (await post_twilio(bare_world, text_form())).status_code == 200
    assert await kept(bare_world) > 0


@pytest.mark.parametrize("forged", [{"secret": "another"}, {"signed": False}, {"age": 3600}])
async def test_a_gesture_with_a_wrong_missing_or_stale_signature_is_refused(
    bare_world: World, forged: dict[str, Any]
) -> None:
    answer = await post_slack(bare_world, forgery.reaction(), **forged)
    assert answer.status_code == 403
    assert await kept(bare_world) == 0


@pytest.mark.parametrize("forged", [{"secret": "0e" * 32}, {"signature": ""}, {"signature": "zz"}])
async def test_a_platform_event_with_a_wrong_or_missing_signature_is_refused(
    bare_world: World, forged: dict[str, str]
) -> None:
    answer = await post_onfleet(bare_world, b'{"triggerId": 0, "taskId": "x", "time": 1}', **forged)
    assert answer.status_code == 403
    assert await kept(bare_world) == 0


@pytest.mark.parametrize("token", ["", "?token=guess"])
async def test_an_action_is_run_for_nobody_without_the_token(bare_world: World, token: str) -> None:
    call = {"next_action": "action_track", "sender_id": "x", "tracker": {"sender_id": "x"}}
    answer = await bare_world.http.post(f"{bare_world.url}/actions/webhook{token}", json=call)
    assert answer.status_code == 403


# --- malformed ------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["MessageSid", "From", "To"])
async def test_a_signed_text_that_lacks_a_field_is_refused_with_a_reason(
    bare_world: World, missing: str
) -> None:
    fields = {name: value for name, value in text_form().items() if name != missing}
    answer = await post_twilio(bare_world, fields)
    assert answer.status_code == 400
    assert missing in answer.json()["detail"]
    assert await kept(bare_world) == 0


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b'{"MessageSid": 1}', "application/json", 400),
        (b"MessageSid=%FF%FE", forgery.FORM, 400),
        (b"a=1&" * 600, forgery.FORM, 400),
        (b"Body=" + b"x" * 70_000, forgery.FORM, 413),
    ],
    ids=["json", "not utf-8", "too many fields", "too long"],
)
async def test_a_body_that_is_no_form_is_refused_with_a_reason(
    bare_world: World, body: bytes, content_type: str, status: int
) -> None:
    answer = await post_twilio_raw(bare_world, body, content_type)
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert await kept(bare_world) == 0


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b"{}", b'{"type": "event_callback", "event": 5}'])
async def test_a_signed_gesture_that_is_no_event_is_refused_or_ignored_and_leaves_nothing(
    bare_world: World, body: bytes
) -> None:
    answer = await post_slack(bare_world, body)
    assert 400 <= answer.status_code < 500
    assert answer.text
    assert await kept(bare_world) == 0


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"triggerId": "x"}', b"\xff", b""])
async def test_a_signed_platform_event_that_is_unreadable_is_refused_with_a_reason(
    bare_world: World, body: bytes
) -> None:
    answer = await post_onfleet(bare_world, body)
    assert answer.status_code == 400
    assert answer.text
    assert await kept(bare_world) == 0


async def test_an_action_call_that_is_not_json_is_refused(bare_world: World) -> None:
    token = _actions_token(bare_world)
    answer = await bare_world.http.post(f"{bare_world.url}/actions/webhook?token={token}", content=b"{")
    assert answer.status_code == 400
    assert answer.json()["error"] == "expected a JSON object"


@pytest.mark.parametrize("call", ["[]", "5", "null", "\\xff", "{}", '{"next_action": "action_nobody_wrote"}'])
async def test_an_action_call_that_makes_no_sense_is_refused_and_harms_nothing(
    bare_world: World, call: str
) -> None:
    token = _actions_token(bare_world)
    answer = await bare_world.http.post(f"{bare_world.url}/actions/webhook?token={token}", content=call)
    assert answer.status_code in (200, 400, 404)


def _actions_token(world: World) -> str:
    return actions_token(world.setting.secret_key)


# --- repeated -------------------------------------------------------------------------------------


@pytest.mark.rasa
async def test_the_same_text_five_times_is_answered_once(world: World) -> None:
    await world.has_stop(eta="15:20")
    recipient = world.recipient()
    for _ in range(5):
        await recipient.texts("where is my delivery", sid="SM" + "c" * 32)
    await world.settled()
    assert len(await recipient.reads()) == 1


async def test_the_same_gesture_and_the_same_event_twice_have_one_effect(bare_world: World) -> None:
    tracking = await bare_world.has_stop()
    before = await kept(bare_world)
    for _ in range(2):
        assert (await post_slack(bare_world, forgery.reaction())).status_code == 200
        event = forgery.onfleet_event(bare_world, tracking)
        assert (await post_onfleet(bare_world, event)).status_code == 200
    assert await kept(bare_world) == before + 2


@pytest.mark.rasa
async def test_twenty_texts_within_a_second_get_twenty_answers_in_order(world: World) -> None:
    await world.has_stop(eta="15:20")
    recipient = world.recipient()
    kinds = ["where is my delivery", "what is the capital of peru", "thank you"]
    known = [await recipient.asks(kind) for kind in kinds]
    assert len(set(known)) == 3
    asked = [number % 3 for number in range(20)]
    for number in asked:
        await recipient.texts(kinds[number])
    answers = (await recipient.reads_next(23))[3:]
    await world.settled()
    assert len(await recipient.reads()) == 23
    assert answers == [known[number] for number in asked]


# --- strange --------------------------------------------------------------------------------------


@pytest.mark.rasa
@pytest.mark.parametrize(
    "body",
    [
        "where is my delivery " + "please " * 225,
        "x" * 1600,
        "¿dónde está mi paquete? " + "ñ" * 500,
    ],
    ids=["words", "one word", "spanish"],
)
async def test_a_text_of_full_length_is_answered(world: World, body: str) -> None:
    await world.has_stop(eta="15:20")
    answer = await world.recipient().asks(body[:1600])
    assert 0 < len(answer) <= 1600


@pytest.mark.rasa
@pytest.mark.parametrize("body", ["📦📦📦", "👍", "???", "😡😡"])
async def test_emoji_and_signs_alone_are_answered_with_words(world: World, body: str) -> None:
    await world.has_stop(eta="15:20")
    answer = await world.recipient().asks(body)
    assert any(character.isalpha() for character in answer)


async def test_a_picture_without_words_is_answered_as_such(bare_world: World) -> None:
    recipient = bare_world.recipient()
    await recipient.texts("", media=1)
    (answer,) = await recipient.reads_next(1)
    assert "picture" in answer or "photo" in answer


@pytest.mark.rasa
@pytest.mark.parametrize(
    "body", ["where is my delivery", "is my acme package coming to 14 elm st", "reschedule to tomorrow"]
)
async def test_an_unknown_phone_is_asked_for_the_number_and_told_nothing(world: World, body: str) -> None:
    await world.has_stop(phone="+12125550100", client="Novatek", name="Robin Doe", address="77 Quince St 9C")
    answer = await world.recipient("+12125550177").asks(body)
    assert "tracking number" in answer
    for secret in ("Novatek", "Quince", "Robin", "3:20", "2-4", "van-7"):
        assert secret not in answer


@pytest.mark.rasa
async def test_numbers_can_be_guessed_a_few_times_only(world: World) -> None:
    tracking = await world.has_stop(phone="+12125550100", eta="15:20")
    stranger = world.recipient("+12125550177")
    for number in range(5):
        answer = await stranger.asks(f"tracking number QS99900{number}")
        assert "3:20" not in answer
    assert "3:20" not in await stranger.asks(f"tracking number {tracking}")
    await world.advance(hours=25)
    known = await world.has_stop(phone="+12125550100", eta="15:20", client="Acme")
    assert "Acme" in await stranger.asks(f"tracking number {known}")


# --- unlucky --------------------------------------------------------------------------------------


@pytest.mark.rasa
async def test_rasa_down_one_holding_answer_then_the_real_one(world: World) -> None:
    await world.has_stop(eta="15:20")
    await world.restart_app(rasa_url=f"http://127.0.0.1:{free_port()}")
    recipient = world.recipient()
    await recipient.texts("where is my delivery")
    await world.settled()
    assert await recipient.reads() == []
    await world.advance(seconds=21)
    (holding,) = await recipient.reads_next(1)
    assert "One moment" in holding
    await world.restart_app()
    await world.retries()
    answers = await recipient.reads_next(2)
    assert answers[0] == holding
    assert "3:20 pm" in answers[1]
    await world.advance(minutes=1)
    assert len(await recipient.reads()) == 2


@pytest.mark.rasa
async def test_onfleet_down_the_answer_says_how_old_the_news_is(world: World) -> None:
    await world.has_stop(eta="15:20")
    world.onfleet.faults.down = True
    await world.advance(minutes=50)
    answer = await world.recipient().asks("where is my delivery")
    assert "50 min ago" in answer or "51 min ago" in answer
    await world.channel_shows("Recipient waiting")
    world.onfleet.faults.down = False
    await world.sync()
    assert "ago" not in await world.recipient().asks("where is my delivery")


@pytest.fixture
async def doomed_world(
    postgres_url: str, bare_setting: Setting, empty_database: None
) -> AsyncIterator[tuple[World, str]]:
    """A world on a database of its own, which the test may take away."""
    name = f"doorline_doomed_{os.getpid()}"
    url = create_database(postgres_url, name, replace=True)
    migrate(url)
    async with World(bare_setting, with_app=False) as world:
        await world.start_app(database_url=url)
        yield world, name
        _server(postgres_url, f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')
    _server(postgres_url, f'DROP DATABASE "{name}" WITH (FORCE)')


def _server(postgres_url: str, *statements: str) -> None:
    engine = create_engine(driver_url(postgres_url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


async def test_database_gone_vendors_are_asked_to_deliver_again(
    doomed_world: tuple[World, str], postgres_url: str
) -> None:
    world, name = doomed_world
    await world.recipient().asks("before")
    _server(
        postgres_url,
        f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false',
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
    )
    task = json.dumps({"triggerId": 0, "taskId": "x", "time": 1_780_000_000_000, "data": None}).encode()
    for _ in range(2):
        assert (await post_twilio(world, text_form("while it was gone"))).status_code == 503
        receipt = text_form() | {"MessageStatus": "delivered"}
        assert (await post_twilio(world, receipt, "status")).status_code == 503
        assert (await post_slack(world, forgery.reaction())).status_code == 503
        assert (await post_onfleet(world, task)).status_code == 503
    ready = await world.http.get(f"{world.url}/readyz")
    assert (ready.status_code, ready.json()["parts"]["database"]) == (503, False)
    assert (await world.http.get(f"{world.url}/healthz")).status_code == 200

    _server(postgres_url, f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')
    assert (await post_twilio(world, text_form("and back"))).status_code == 200
    assert (await world.recipient().reads_next(2))[1] == "You said: and back"
    assert [inbound.text for inbound in await world.rows(InboundText)] == ["before", "and back"]


async def test_a_bad_protocol_is_refused_while_the_old_one_decides(
    bare_setting: Setting, empty_database: None, tmp_path: Path
) -> None:
    sop = protocol_with(tmp_path, {})
    async with World(bare_setting, sop=sop, with_clock=True) as world:
        in_force = world.doorline.services.sop
        sop.write_text(sop.read_text().replace("days_ahead: 7", "days_ahead: none of your business"))
        os.utime(sop, (1, 1))
        for _ in range(100):
            if in_force.mistakes:
                break
            await asyncio.sleep(0.1)
        (mistake,) = in_force.mistakes
        assert "redelivery.days_ahead: expected a valid integer" in mistake
        assert in_force.current.redelivery.days_ahead == 7
