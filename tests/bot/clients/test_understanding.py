"""What is read out of a client's mail. Edges first: what must not be taken for a number, or for a question."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clients.understanding import About, read_question

TODAY = date(2026, 6, 9)
YESTERDAY = date(2026, 6, 8)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("status of A-1001 and A-1002?", ("A-1001", "A-1002")),
        ("A-1001\n- A-1002\n100123", ("A-1001", "A-1002", "100123")),
        ("Where is PO-77? Ann, +1 212 555 0100", ("PO-77",)),
        ("order #4471", ("4471",)),
        ("estado de 100123 y 100124", ("100123", "100124")),
        ("a1b2c3d4", ("a1b2c3d4",)),
        ("a-1001 and A-1001", ("a-1001",)),
        ("meet at 10am on 6/9 in room B2, 24h, 2nd floor", ()),
        ("call me at 212-555-0100 or ann1@acme.example", ()),
        ("see https://acme.example/orders/PO-77", ()),
        ("on 2026-06-08", ()),
        ("", ()),
    ],
)
def test_numbers_of_orders_are_found_and_times_phones_and_dates_are_not(
    text: str, named: tuple[str, ...]
) -> None:
    assert read_question(text, TODAY).named == named


def test_a_word_that_may_be_a_tracking_number_is_looked_up_and_a_short_one_is_not() -> None:
    found = read_question("where is deadbeef or ab", TODAY)
    assert "deadbeef" in found.perhaps
    assert "ab" not in found.perhaps
    assert found.named == ()


@pytest.mark.parametrize(
    ("text", "about", "day", "language"),
    [
        ("which failed today?", (About.FAILED,), TODAY, "en"),
        ("summary", (About.SUMMARY,), None, "en"),
        ("how are we doing", (About.SUMMARY,), None, "en"),
        ("late ones on 2026-06-08?", (About.LATE,), YESTERDAY, "en"),
        ("what about re-deliveries?", (About.FOLLOWED,), None, "en"),
        ("summary, and what was late yesterday?", (About.SUMMARY, About.LATE), YESTERDAY, "en"),
        ("¿Cuáles fallaron ayer?", (About.FAILED,), YESTERDAY, "es"),
        ("Resumen de hoy, por favor", (About.SUMMARY,), TODAY, "es"),
        ("¿hay segundos intentos?", (About.FOLLOWED,), None, "es"),
        ("which failed on 2026-02-30?", (About.FAILED,), None, "en"),
    ],
)
def test_questions_about_a_day_are_read_in_both_languages(
    text: str, about: tuple[About, ...], day: date | None, language: str | None
) -> None:
    found = read_question(text, TODAY)
    assert (found.about, found.day, found.language, found.wants_more) == (about, day, language, False)


@pytest.mark.parametrize(
    "text",
    [
        "Please cancel A-1001",
        "status of A-1001? And please reschedule A-1002 to Friday",
        "A-1001 arrived damaged",
        "Can someone call us about the broken parcels",
        "We would like to talk about next month's volumes and a new contract with you.",
        "Por favor devuelvan el pedido A-1001",
        "¿Pueden cambiar la dirección de A-1001?",
    ],
)
def test_what_is_to_be_done_is_left_to_a_person(text: str) -> None:
    assert read_question(text, TODAY).wants_more


@pytest.mark.parametrize("text", ["Thanks!", "ok, thank you very much", "Muchas gracias", "Perfect."])
def test_thanks_want_no_answer(text: str) -> None:
    assert read_question(text, TODAY).is_thanks


@pytest.mark.parametrize("text", ["", "Thanks, and A-1001?", "ok which failed"])
def test_what_says_more_than_thanks_is_answered(text: str) -> None:
    assert not read_question(text, TODAY).is_thanks


@given(st.text(max_size=400))
def test_any_text_is_read_without_an_error_and_nothing_is_invented(text: str) -> None:
    found = read_question(text, TODAY)
    assert all(number in text for number in (*found.named, *found.perhaps))
