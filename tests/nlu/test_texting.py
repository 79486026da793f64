"""One plain spelling of what people text; careless copies of careful texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.components.noise import mistyped
from nlu.components.texting import LONGEST, plain


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("PLZZZ bring my pkg tmrw", "please bring my package tomorrow"),
        ("wheres   my\n\npackage", "where is my package"),
        ("leave it w/ my neighbor", "leave it with my neighbor"),
        ("w/o ringing", "without ringing"),
        ("Noooo", "no"),
        ("???", "?"),
        ("dnd esta xfa", "donde esta por favor"),
        ("👍🏽", "👍"),
        ("don’t knock", "don't knock"),
        ("gate 4471#", "gate 4471#"),
        ("\x00\ud800\u200b", ""),
        ("", ""),
    ],
)
def test_texting_is_spelled_out(text: str, spelled: str) -> None:
    assert plain(text) == spelled


def test_of_a_long_text_both_ends_are_read() -> None:
    spelled = plain("where is it " + "bla " * 500 + "leave it at the gate")
    assert len(spelled) <= LONGEST + 1
    assert spelled.startswith("where is it")
    assert spelled.endswith("leave it at the gate")


@given(st.text(max_size=200))
def test_any_text_can_be_spelled_and_written_as_utf8(text: str) -> None:
    assert plain(text).encode() is not None
    assert plain(text) == " ".join(plain(text).split())


@given(st.text(alphabet=st.characters(categories=["Cs", "Cc", "L", "So"]), max_size=40))
def test_lone_surrogates_do_not_pass(text: str) -> None:
    plain(text).encode("utf-8")


def test_careless_typing_is_the_same_every_time() -> None:
    text = "please leave the package behind the planter"
    assert mistyped(text, seed="1") == mistyped(text, seed="1")
    assert len({mistyped(text, seed=str(seed)) for seed in range(20)}) > 10


@given(st.text(min_size=1, max_size=60), st.text(max_size=4))
def test_careless_typing_never_leaves_nothing(text: str, seed: str) -> None:
    assert mistyped(text, seed) != ""
