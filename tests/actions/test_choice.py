"""Which option a short answer means."""

import pytest

from actions.choice import pick, pick_named, pick_number

STOPS = [["Acme", "Elm St", "1-3 pm", "1-3"], ["Nova", "Oak Ave", "5-7 pm", "5-7"]]


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("2", (1,)),
        ("#2", (1,)),
        ("(2)", (1,)),
        ("2 pls", (1,)),
        ("option b", (1,)),
        ("number one", (0,)),
        ("the first one", (0,)),
        ("el segundo", (1,)),
        ("last one", (1,)),
        ("nova", (1,)),
        ("the NOVA one please", (1,)),
        ("the one on elm street", (0,)),
        ("the 5-7 one", (1,)),
        ("both", (0, 1)),
        ("1 and 2", (0, 1)),
        ("las dos", (0, 1)),
        ("3", ()),
        ("0", ()),
        ("2 pm", ()),
        ("2-4 pm", ()),
        ("is it coming today?", ()),
        ("first thing in the morning", ()),
        ("later today", ()),
        ("", ()),
        ("👍", ()),
    ],
)
def test_a_short_answer_is_matched_to_what_was_offered(text: str, chosen: tuple[int, ...]) -> None:
    assert pick(text, STOPS) == chosen


def test_a_word_that_two_options_share_chooses_neither() -> None:
    assert pick("the acme one", [["Acme", "Elm St"], ["Acme", "Oak Ave"]]) == ()


def test_numbers_mean_nothing_where_no_list_was_shown() -> None:
    assert pick_named("2", STOPS) == ()
    assert pick_named("where is the nova parcel", STOPS) == (1,)


@pytest.mark.parametrize("text", ["٣", "²", "1" * 400, "a" * 1600, "\u202e2"])
def test_strange_digits_never_raise(text: str) -> None:
    assert isinstance(pick_number(text, 2), tuple)
