"""A text opts out only when it says so itself: the model's guess alone costs somebody every later message."""

import pytest

from actions.consent import says_so


@pytest.mark.parametrize(
    "text",
    [
        "please stop texting me",
        "STOP SENDING ME THESE",
        "no more texts",
        "dont text me again",
        "wrong number",
        "take me off this list",
        "leave me alone",
        "pls stop",
        "dejen de mandarme mensajes",
        "no me escriban más",
        "ya no quiero mensajes",
        "número equivocado",
    ],
)
def test_plain_words_are_believed(text: str) -> None:
    assert says_so(text)


@pytest.mark.parametrize(
    "text",
    [
        "no tracking number",
        "dont have a number",
        "hola no tengo numero",
        "no more delays please",
        "not my number",
        "stop by at 5",
        "'; DROP TABLE stop; --",
        "where is my delivery",
    ],
)
def test_other_words_are_not_taken_for_an_opt_out(text: str) -> None:
    assert not says_so(text)
