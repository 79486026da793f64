"""When a question of ours would trample a conversation, what a bare number means, and that nobody is asked twice."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from bot.conversations.dialogue import RasaDialogue
from bot.conversations.privacy import scrambled
from bot.conversations.tracker import Standing
from bot.notifications.ways import Way
from bot.processes import free_port
from bot.recovery.dialogue import Reached, is_under_way
from bot.recovery.expected_codes import as_code
from connectors.base import ChannelName
from connectors.emulation import Server
from tests.harness.clock import NOON_IN_NEW_YORK as NOON
from tests.harness.dialogue import PretendedRasa

LONG_AGO = NOON - timedelta(hours=3)


def reached(**facts: Any) -> Reached:
    usual: dict[str, Any] = {
        "is_held": False,
        "has_unanswered": False,
        "wrote_at": None,
        "asked_other_at": None,
    }
    way = Way(ChannelName.SMS, "+12125550100")
    return Reached(conversation_id=uuid4(), language="en", way=way, **(usual | facts))


def follow_up(recovery_id: str) -> Standing:
    return Standing("errand_form", {"errand": "follow_up", "errand_data": {"recovery": recovery_id}})


@pytest.mark.parametrize(
    ("standing", "facts", "is_busy"),
    [
        (Standing(), {}, False),
        (Standing(), {"has_unanswered": True}, True),
        (Standing(), {"wrote_at": NOON - timedelta(minutes=4, seconds=59)}, True),
        (Standing(), {"wrote_at": NOON - timedelta(minutes=5)}, False),
        (Standing("reschedule_form"), {"wrote_at": NOON - timedelta(minutes=29)}, True),
        (Standing("reschedule_form"), {"wrote_at": NOON - timedelta(minutes=30)}, False),
        (Standing("reschedule_form"), {"wrote_at": LONG_AGO}, False),
        (follow_up("R1"), {"wrote_at": NOON - timedelta(minutes=20)}, False),
        (follow_up("R2"), {"asked_other_at": NOON - timedelta(minutes=20)}, True),
        (follow_up("R2"), {"asked_other_at": LONG_AGO}, False),
    ],
)
def test_only_what_somebody_may_still_come_back_to_is_under_way(
    standing: Standing, facts: dict[str, Any], is_busy: bool
) -> None:
    assert is_under_way(reached(**facts), standing, "R1", NOON) is is_busy


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("4471", "code 4471"),
        ("4471. today works", "code 4471. today works"),
        ("its 4471, tomorrow after 5", "its code 4471, tomorrow after 5"),
        ("es 0912 mañana", "es code 0912 mañana"),
        ("4471#. today works", "4471#. today works"),
        ("gate code is 4471", "gate code is 4471"),
        ("apt 302, tomorrow", "apt 302, tomorrow"),
        ("after 1700", "after 1700"),
        ("2", "2"),
        ("12:30 tomorrow", "12:30 tomorrow"),
        ("415 Elm St is right", "415 Elm St is right"),
        ("come at 530 pm", "come at 530 pm"),
    ],
)
def test_a_bare_number_is_a_code_where_one_was_asked_for(text: str, meant: str) -> None:
    assert as_code(text) == meant
    assert as_code(meant) == meant


def test_a_bare_code_never_reaches_rasa() -> None:
    assert "4471" not in scrambled(as_code("4471. today works"))


async def test_the_same_key_asks_once_and_another_key_asks_again() -> None:
    rasa = PretendedRasa()
    server = Server(rasa.app, free_port())
    await server.start()
    dialogue = RasaDialogue(f"http://127.0.0.1:{server.port}")
    try:
        first = await dialogue.begin("C1", "EXTERNAL_failed_delivery", {}, key="K1", was_tried=True)
        again = await dialogue.begin("C1", "EXTERNAL_failed_delivery", {}, key="K1", was_tried=True)
        assert first == again == ["We begin: EXTERNAL_failed_delivery"]
        assert rasa.begun == ["K1"]
        await dialogue.begin("C1", "EXTERNAL_failed_delivery", {}, key="K2", was_tried=True)
        assert rasa.begun == ["K1", "K2"]
    finally:
        await dialogue.aclose()
        await server.stop()
