"""Opt-outs: the model's guess stands only in words that can mean one."""

import pytest

from nlu.components.opt_out_words import may_be_an_opt_out
from tests.nlu.reading import training_texts


def test_nearly_every_opt_out_that_is_taught_is_let_through() -> None:
    taught = [text for intent, text in training_texts() if intent == "opt_out"]
    assert sum(map(may_be_an_opt_out, taught)) / len(taught) > 0.99


@pytest.mark.parametrize(
    "text",
    [
        "STOPPP texting me",
        "wrong number",
        "dejen de escribirme",
        "take me off your list",
        "no soy maria",
        "🛑",
    ],
)
def test_words_of_stopping_are_heard(text: str) -> None:
    assert may_be_an_opt_out(text)


@pytest.mark.parametrize("text", ["where is my package", "you people suck", "thanks", "si", "", "👍"])
def test_other_words_are_not(text: str) -> None:
    assert not may_be_an_opt_out(text)
