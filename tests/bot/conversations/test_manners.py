"""Who has never heard from us is told who writes and for whom; after that nobody is told again."""

import pytest

from bot.conversations.manners import fitting, is_introduced
from tests.harness.world import World

PHONE = "+12125550100"


async def test_the_first_answer_names_operator_and_client_and_the_next_does_not(bare_world: World) -> None:
    await bare_world.has_stop(phone=PHONE, client="Acme")
    recipient = bare_world.recipient(PHONE)
    assert await recipient.asks("hello") == "QuickShip for Acme: You said: hello"
    assert await recipient.asks("hello again") == "You said: hello again"


async def test_an_answer_that_names_the_client_needs_no_introduction(bare_world: World) -> None:
    await bare_world.has_stop(phone=PHONE, client="Acme")
    text = "where is my acme parcel"
    assert await bare_world.recipient(PHONE).asks(text) == f"You said: {text}"


async def test_a_stranger_and_a_phone_of_two_clients_are_told_no_client(bare_world: World) -> None:
    await bare_world.has_stop(phone=PHONE, client="Acme")
    await bare_world.has_stop(phone=PHONE, client="Nova")
    assert await bare_world.recipient(PHONE).asks("hello") == "You said: hello"
    assert await bare_world.recipient("+12125550199").asks("hello") == "You said: hello"


@pytest.mark.parametrize(
    ("text", "introduced"),
    [
        ("Your Acme parcel is on the van.", True),
        ("Su paquete de ACME.", True),
        ("QuickShip texts you about your deliveries.", True),
        ("Acmes parcel", False),
        ("Your parcel is on the van.", False),
    ],
)
def test_a_name_counts_as_a_whole_word(text: str, introduced: bool) -> None:
    assert is_introduced(text, "QuickShip", "Acme") is introduced


@pytest.mark.parametrize(
    ("length", "chosen"),
    [(20, "full"), (140, "full"), (141, "short"), (154, "short"), (155, "full"), (161, "full")],
)
def test_an_introduction_is_cut_where_only_that_keeps_one_segment(length: int, chosen: str) -> None:
    bare = "x" * length
    full, short = f"QuickShip for Acme: {bare}", f"Acme: {bare}"
    assert fitting(full, short, bare) == (full if chosen == "full" else short)
