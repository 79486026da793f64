"""The halves of a proof in a text, and which stops they fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversations.identity import Claims, is_proved, normal_postcode, read_claims
from tests.bot.stops.town import ROBIN, stop


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("QS123456 10001", Claims("qs123456", "10001")),
        ("10001 QS123456", Claims("qs123456", "10001")),
        ("tracking: ab12cd34\nzip: 10001", Claims("ab12cd34", "10001")),
        ("QS123456 10001-1234", Claims("qs123456", "10001")),
        ("zip 100011234", Claims("", "10001")),
        ("SW1A 1AA", Claims("", "SW1A1AA")),
        ("sw1a1aa", Claims("", "SW1A1AA")),
        ("postcode M1 1AA and tracking QS123456", Claims("qs123456", "M11AA")),
        ("k1a 0b1 ab12cd34", Claims("ab12cd34", "K1A0B1")),
        ("c.p. 28013 pedido AB12CD34", Claims("ab12cd34", "28013")),
        ("código postal 06700", Claims("", "06700")),
        ("pedido 6021 cp 28013", Claims("6021", "28013")),
        ("order number 30117", Claims("30117")),
        ("QS123456", Claims("qs123456")),
        ("deadbeef 10001", Claims("deadbeef", "10001")),
        ("7718 2240 19 / 0199", Claims("7718224019", "", "0199")),
        ("0199", Claims("", "", "0199")),
        ("last 4 of my phone 0199", Claims("", "", "0199")),
        ("the last 4 are 0199", Claims("", "", "0199")),
        ("0199 are the last four of my number", Claims("", "", "0199")),
        ("last 4: 01 99", Claims("", "", "0199")),
        ("QS123456 ending in 0199", Claims("qs123456", "", "0199")),
        ("los últimos 4 son 0199", Claims("", "", "0199")),
        ("termina en 0199", Claims("", "", "0199")),
        ("ab12cd34 phone 212-555-0199", Claims("ab12cd34", "", "0199")),
        ("ab12cd34 +1 212 555 0199", Claims("ab12cd34", "", "0199")),
        ("hi i want to know where my parcel is its QS123456 and zip 10001", Claims("qs123456", "10001")),
        ("where is my package", Claims()),
        ("can you come b4 2pm tomorrow", Claims()),
        ("is it coming at 14:30 or on 2026-06-10", Claims()),
        ("", Claims()),
    ],
)
def test_a_text_is_read_for_both_halves(text: str, claims: Claims) -> None:
    assert read_claims(text) == claims


@pytest.mark.parametrize(
    ("postcode", "claims", "fits"),
    [
        ("10001", Claims("qs123456", "10001"), True),
        ("10001-1234", Claims("qs123456", "10001"), True),
        ("10001", Claims("qs123456", "10002"), False),
        ("SW1A 1AA", Claims("qs123456", "SW1A1AA"), True),
        ("", Claims("qs123456", "10001"), False),
        ("10001", Claims("qs123456", "10002", "0199"), True),
        ("10001", Claims("qs123456", "", "0199"), True),
        ("10001", Claims("qs123456", "", "0198"), False),
        ("10001", Claims("qs123457", "10001", "0199"), False),
        ("10001", Claims("qs123456"), False),
        ("10001", Claims("", "10001", "0199"), False),
    ],
)
def test_both_halves_must_be_of_one_order(postcode: str, claims: Claims, fits: bool) -> None:
    assert is_proved(stop("QS123456", postcode=postcode, phone=ROBIN), claims) is fits


def test_the_clients_own_number_is_a_first_half_as_good_as_the_platforms() -> None:
    order = stop("QS123456", phone=ROBIN, order="A-332")
    assert is_proved(order, Claims("a-332", "10001"))
    assert is_proved(order, Claims("qs123456", "", "0199"))
    assert not is_proved(order, Claims("a-332", "10002", "0198"))
    assert not is_proved(stop("QS123456"), Claims("", "10001"))


def test_an_order_without_phone_and_postcode_can_be_proved_by_nobody() -> None:
    bare = stop("QS123456", postcode="", phone=None)
    assert not is_proved(bare, Claims("qs123456", "", "0199"))
    assert not is_proved(bare, Claims("qs123456", "10001", ""))


def test_what_is_said_now_takes_the_place_of_what_was_said_before() -> None:
    earlier = Claims("qs123456", "10001")
    assert Claims("", "", "0199").on_top_of(earlier) == Claims("qs123456", "", "0199")
    assert Claims("ab12cd34").on_top_of(earlier) == Claims("ab12cd34", "10001")


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    claims = read_claims(text)
    assert len(claims.phone_end) in (0, 4)
    assert normal_postcode(claims.postcode) == claims.postcode
