"""Who has no tracking number says so in many ways, and is not asked for it forever."""

import pytest

from actions.which_stop import lacks_number


@pytest.mark.parametrize(
    "text",
    [
        "i dont have any number",
        "don't have it",
        "I cannot find that anywhere",
        "never got one",
        "no lo tengo",
        "no sé cuál es",
        "no encuentro nada de eso",
        "there is no tracking number",
        "sin número",
        "i lost my number",
    ],
)
def test_it_is_heard_that_somebody_has_none(text: str) -> None:
    assert lacks_number(text)


@pytest.mark.parametrize(
    "text",
    ["its 9f00aa11", "the number is on the box", "where is it", "tengo el 9f00aa11", "one sec", "my number"],
)
def test_whoever_may_still_give_it_is_not_taken_for_that(text: str) -> None:
    assert not lacks_number(text)
