"""What a text says about the new window."""

from collections.abc import Sequence
from datetime import date

import pytest

from actions.booking import Verdict, Wish, Wishing, from_slot, is_abandoned, read_verdict, read_wish, to_slot
from connectors.base import DeliveryWindow
from tests.actions.facts import NOW, TIMEZONE, Facts, window

OFFERS = (window(11, 8, 12), window(11, 17, 21), window(12, 8, 12))


def wish(
    text: str,
    offers: Sequence[DeliveryWindow] = (),
    pending: DeliveryWindow | None = None,
    language: str = "en",
) -> Wish:
    return read_wish(Facts(), text, Wishing(TIMEZONE, language, NOW, offers, pending))


def test_a_time_in_the_first_text_is_understood_at_once() -> None:
    assert wish("can u come tmrw after 5").window == window(11, 17, 21)


def test_a_lone_number_means_the_option_not_the_hour() -> None:
    assert wish("2", OFFERS).window == OFFERS[1]
    assert wish("5", OFFERS) == Wish(problem="vague")
    assert wish("1").is_empty


def test_hours_choose_among_the_offers_unless_another_day_is_named() -> None:
    assert wish("the 5-9 one", OFFERS).window == window(11, 17, 21)
    assert wish("5-9 pm on thursday", OFFERS).window == window(13, 17, 21)


def test_a_day_without_hours_offers_what_there_is_on_that_day() -> None:
    assert wish("tomorrow", OFFERS).choices == OFFERS[:2]
    assert wish("on wednesday", OFFERS).window == OFFERS[2]
    assert wish("friday", OFFERS).day == date(2024, 6, 14)


def test_hours_without_a_day_stay_on_the_day_that_waits_for_a_yes() -> None:
    assert wish("rather after 5", pending=window(13, 8, 12)).window == window(13, 17, 21)


def test_a_day_without_hours_keeps_the_hours_that_wait_for_a_yes() -> None:
    assert wish("make it friday", pending=window(13, 8, 12)).window == window(14, 8, 12)


def test_a_change_of_mind_names_the_new_window() -> None:
    assert wish("hmm actually thursday morning", pending=window(11, 17, 21)).window == window(13, 8, 12)


def test_a_time_that_cannot_be_booked_says_why() -> None:
    assert wish("yesterday at 3").problem == "past"
    assert wish("tomorrow at 11pm").problem == "outside_hours"


@pytest.mark.parametrize("text", ["yes please", "ok", "nova", "", "👍", "the driver is nice"])
def test_a_text_without_a_time_is_no_wish(text: str) -> None:
    assert wish(text, pending=window(11, 17, 21)).is_empty


@pytest.mark.parametrize("text", ["y", "Yes!", "ok", "sí", "dale", "book it."])
def test_a_plain_yes_needs_no_model(text: str) -> None:
    assert read_verdict(text, "nlu_fallback", 0.1) is Verdict.YES


def test_an_unsure_yes_books_nothing() -> None:
    assert read_verdict("mhm whatever you", "confirm", 0.49) is Verdict.UNCLEAR
    assert read_verdict("that would be lovely", "confirm", 0.9) is Verdict.YES


def test_thanks_is_not_a_yes() -> None:
    assert read_verdict("thank you", "thank", 0.99) is Verdict.UNCLEAR


@pytest.mark.parametrize("text", ["n", "No.", "no thanks"])
def test_a_plain_no_needs_no_model(text: str) -> None:
    assert read_verdict(text, "out_of_scope", 0.9) is Verdict.NO


@pytest.mark.parametrize(
    "text", ["never mind", "nvm", "Forget it!", "leave it as it is", "déjalo así", "keep it"]
)
def test_leaving_it_all_is_recognised(text: str) -> None:
    assert is_abandoned(text)


@pytest.mark.parametrize(
    "text", ["leave it at the door", "leave it with my neighbor", "keep it until friday"]
)
def test_leaving_the_parcel_somewhere_is_not_leaving_the_question(text: str) -> None:
    assert not is_abandoned(text)


def test_a_window_survives_the_slot() -> None:
    assert from_slot(to_slot(OFFERS[0])) == OFFERS[0]
