"""Whoever has found the parcel is not treated as missing it once more, and the other way round."""

import pytest

from actions.errands.incidents import says_found


@pytest.mark.parametrize(
    "text",
    [
        "nvm found it, neighbor had it",
        "Found it!",
        "ok we found the box",
        "got it now thx",
        "it turned up",
        "ya apareció",
        "ya lo encontré, gracias",
    ],
)
def test_found_is_heard(text: str) -> None:
    assert says_found(text)


@pytest.mark.parametrize(
    "text",
    [
        "i havent found it",
        "never found it",
        "nobody found the box",
        "it says delivered and i got nothing",
        "no aparece",
        "no lo encontré",
        "i got it wrong, its still missing",
        "still not found",
    ],
)
def test_missing_stays_missing(text: str) -> None:
    assert not says_found(text)
