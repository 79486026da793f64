"""Access codes never stand in the open; times, house numbers and order numbers stay readable."""

import pytest

from bot.conversations.privacy import masked

DOTS = "••••"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("gate is 4471# then leave it", f"gate is {DOTS} then leave it"),
        ("gate 4471", f"gate {DOTS}"),
        ("gate code 4471", f"gate code {DOTS}"),
        ("the gate code is: 4471", f"the gate code is: {DOTS}"),
        ("code #4471*", f"code {DOTS}"),
        ("code is 44 71", f"code is {DOTS}"),
        ("code 4471 and then 14 Elm St", f"code {DOTS} and then 14 Elm St"),
        ("CODE: 0007", f"CODE: {DOTS}"),
        ("buzzer 12", f"buzzer {DOTS}"),
        ("buzz 204 at the door", f"buzz {DOTS} at the door"),
        ("pin 9912 for the lobby", f"pin {DOTS} for the lobby"),
        ("pin:9912", f"pin:{DOTS}"),
        ("lockbox 3321", f"lockbox {DOTS}"),
        ("lock box is 3321", f"lock box is {DOTS}"),
        ("el código es 8890", f"el código es {DOTS}"),
        ("codigo 8890#", f"codigo {DOTS}"),
        ("clave 1234", f"clave {DOTS}"),
        ("puerta: 1234", f"puerta: {DOTS}"),
        ("4471#. today works", f"{DOTS}. today works"),
        ("press #1234 please", f"press {DOTS} please"),
        ("*88001# opens it", f"{DOTS} opens it"),
        ("the code for the side entrance is 77812", f"the code for the side entrance is {DOTS}"),
        ("door code 1234 between 2 and 4 pm", f"door code {DOTS} between 2 and 4 pm"),
        ("codes are 1234 and 5678", f"codes are {DOTS} and {DOTS}"),
        ("4471 is the gate code", f"{DOTS} is the gate code"),
    ],
)
def test_access_codes_are_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "14 Elm St 2B",
        "leave it at the door after 5 pm",
        "front door between 2 and 4",
        "knock on the door at 14:30",
        "the door at 1204 Elm St",
        "gate is open until 6pm",
        "gate opens 8-12",
        "apt #204",
        "apartment #1204 please",
        "14 Elm St unit #12",
        "my order #123456 is late",
        "tracking number QS123456",
        "it was due at 1530",
        "between 3:20 and 4:25 pm",
        "a las 5 en la puerta",
        "2 packages on 06/10/2026",
        "call +12125550100",
        "zip code 10001",
        "tracking code QS123456",
        "the code works until 6 pm",
        "ring the buzzer at 14:30",
        "",
    ],
)
def test_times_house_numbers_and_orders_stay(text: str) -> None:
    assert masked(text) == text


def test_masking_twice_masks_no_more() -> None:
    once = masked("gate 4471# then code 88 12, apt #3")
    assert masked(once) == once
