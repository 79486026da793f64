"""What in a text is a tracking or order number, and what only looks like one."""

import pytest

from bot.stops.references import named_stops, offered_numbers
from tests.bot.stops.town import stop


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("QS123456", ["qs123456"]),
        ("it's qs-123456, thanks", ["qs-123456"]),
        ("AB12CD34 or ab12cd34", ["ab12cd34"]),
        ("my tracking number is QS123456", ["qs123456"]),
        ("where is QS123456", ["qs123456"]),
        ("order QS123456 where is it", ["qs123456"]),
        ("mi pedido es QS123456", ["qs123456"]),
        ("número QS123456 por favor señor", ["qs123456"]),
        ("is 12345678 my tracking number?", ["12345678"]),
        ("dónde está AB12CD34", ["ab12cd34"]),
        ("order number 30117", ["30117"]),
        ("pedido 6021", ["6021"]),
        ("AZ-55812", ["az-55812"]),
        ("here u go 7718 2240 19", ["7718224019"]),
        ("#88776655", ["88776655"]),
        ("deadbeef", ["deadbeef"]),
        ("where is deadbeef", ["deadbeef"]),
        ("order AB12CD34, my cell is 2125550100", ["ab12cd34"]),
    ],
)
def test_a_number_is_offered_on_purpose(text: str, numbers: list[str]) -> None:
    assert offered_numbers(text) == numbers


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12345",
        "package",
        "please",
        "where is my order",
        "tomorrow between 2 and 4",
        "can you come on 2026-06-10 after five",
        "order for 6-10-2026",
        "tracking says 10am-12pm",
        "my order at 14:30 please",
        "1430-1630",
        "call me at 2125550100 when you are near",
        "my phone number is 2125550100",
        "212-555-0100",
        "(212) 555-0100",
        "212 555 0100",
        "+12125550100",
        "gate code 123456",
        "apt 123456",
        "100234 Main St",
        "order cost me $123456",
        "123456 dollars",
        "10001-1234",
        "a" * 25 + "1",
    ],
)
def test_times_phones_prices_and_streets_are_none(text: str) -> None:
    assert offered_numbers(text) == []


def test_ones_own_phone_is_none() -> None:
    assert offered_numbers("2125550100", not_phone="+12125550100") == []
    assert offered_numbers("2125550100", not_phone="+12125550177") == ["2125550100"]


def test_a_text_full_of_numbers_offers_three() -> None:
    guesses = " ".join(f"order {number}" for number in range(100000, 100200))
    assert len(offered_numbers(guesses)) == 3


@pytest.mark.parametrize(
    ("text", "tracking"),
    [
        ("so what about ab12cd34 then, is it late again", "AB12CD34"),
        ("i have deadbeef and nobody came", "deadbeef"),
        ("beside az 55812 there was nothing", "AZ-55812"),
        ("that 7718 2240 19 thing is still not here", "7718224019"),
        ("pedido 6021", "6021"),
    ],
)
def test_a_known_number_is_named_anywhere_however_it_is_spelt(text: str, tracking: str) -> None:
    known = stop(tracking)
    assert named_stops(text, [known, stop("QS999999")]) == [known]


@pytest.mark.parametrize("text", ["ring 6021 at the gate", "16021", "ab12cd345", "xab12cd34"])
def test_a_part_of_another_number_or_a_short_one_by_the_way_names_nothing(text: str) -> None:
    assert named_stops(text, [stop("6021"), stop("ab12cd34")]) == []


@pytest.mark.parametrize(
    "text", ["order a-332 is late", "my order A332", "where is 100443?", "pedido 100443"]
)
def test_the_clients_own_number_names_a_stop_too(text: str) -> None:
    one = stop("AB12CD34", order="100443" if "100443" in text else "A-332")
    assert named_stops(text, [one, stop("QS999999", order="A-333")]) == [one]
