"""Asking for silence in plain words: nobody who does is overheard, nobody who does not is silenced."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.conversations.leaving import Leaving, is_spanish, leaving
from bot.conversations.leaving_words import kinds_of
from bot.conversations.wrong_number import is_wrong_number


def listed(name: str) -> list[str]:
    lines = Path(__file__).with_name(name).read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


SAID, NOT_SAID = listed("leaving_said.txt"), listed("leaving_not_said.txt")


@pytest.mark.parametrize("text", SAID)
def test_who_asks_for_silence_is_heard(text: str) -> None:
    assert leaving(text) is not Leaving.NO or is_wrong_number(text)


@pytest.mark.parametrize("text", NOT_SAID)
def test_who_asks_for_something_else_is_not_silenced(text: str) -> None:
    assert leaving(text) is Leaving.NO
    assert not is_wrong_number(text)


@pytest.mark.parametrize(
    ("text", "plainly"),
    [
        ("please stop texting me", Leaving.WHOLLY),
        ("who is this? stop texting me", Leaving.WHOLLY),
        ("No me manden más mensajes, por favor", Leaving.WHOLLY),
        ("stop mandando mensajes pls", Leaving.WHOLLY),
        ("stop texting me, my dog died", Leaving.AMONG_OTHERS),
        ("i got my package, stop texting me", Leaving.AMONG_OTHERS),
        ("remove my number", Leaving.AMONG_OTHERS),
        ("please stop", Leaving.AMONG_OTHERS),
        ("stop sending these", Leaving.AMONG_OTHERS),
        ("wrong number", Leaving.NO),
    ],
)
def test_only_what_says_nothing_else_is_believed_without_a_model(text: str, plainly: Leaving) -> None:
    assert leaving(text) is plainly


def test_words_that_a_delivery_uses_too_never_do_without_a_model() -> None:
    wholly = [text for text in SAID if leaving(text) is Leaving.WHOLLY]
    assert len(wholly) > 200
    assert not [text for text in wholly if "number" in text.split() and "this" not in text.split()]


@pytest.mark.parametrize(
    "text", ["no me escriban", "dejen de molestar", "ya no quiero mensajes", "BAJA", "ayuda"]
)
def test_spanish_is_answered_in_spanish(text: str) -> None:
    assert is_spanish(text)


@pytest.mark.parametrize("text", ["stop texting me", "no more texts", "i want no messages", "help", "STOP"])
def test_english_is_not_taken_for_spanish(text: str) -> None:
    assert not is_spanish(text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=1600))
def test_no_text_at_all_is_an_error(text: str) -> None:
    assert leaving(text) in Leaving
    assert is_wrong_number(text) in (True, False)
    words, kinds = kinds_of(text)
    assert len(words) == len(kinds)
