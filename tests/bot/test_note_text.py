"""What a text leaves for the driver. Codes are kept in the line and never in what is repeated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.stops.note_text import LONGEST_LINE, LONGEST_PLACE, NOTHING, Note, what_to_note


@pytest.mark.parametrize(
    ("answer", "said_back"),
    [
        ("con doña carmen la del 3b", "con doña carmen la del 3b"),
        ("ana in 4c", "ana in 4c"),
        ("mrs diaz, code is 4471", "mrs diaz"),
    ],
)
def test_an_answer_is_noted_under_its_label_and_said_back_without_it(answer: str, said_back: str) -> None:
    note = what_to_note(answer, "Not home, leave with")
    assert note.line == f"Not home, leave with: {answer}"
    assert note.where == said_back


@pytest.mark.parametrize(
    ("text", "has_code", "place", "person"),
    [
        ("gate is 4471# then leave it behind the planter", True, "behind the planter", ""),
        ("Gate code is 4471, leave it behind the planter please", True, "behind the planter", ""),
        ("leave it on the back porch pls, dog is friendly", False, "on the back porch", ""),
        ("pls put my package under the mat and ring", False, "under the mat", ""),
        ("can u leave it with my neighbor Ana in 4C", False, "", "my neighbor Ana in 4C"),
        ("give it to the doorman", False, "", "the doorman"),
        ("leave it w my neighbor jim in 3c", False, "", "my neighbor jim in 3c"),
        ("drop it w/ the super", False, "", "the super"),
        ("no wait put it in the garage instead", False, "in the garage", ""),
        ("leave with concierge thx", False, "", "concierge"),
        ("behind the garage", False, "behind the garage", ""),
        ("side door, knock twice", False, "", ""),
        ("call when you are here", False, "", ""),
        ("the code for the door is A47B", True, "", ""),
        ("use 4471 to get in and leave it in the lobby", True, "in the lobby", ""),
        ("buzzer 12 34", True, "", ""),
        ("leave it by gate 4471", True, "by gate", ""),
        ("el codigo del porton es 5520, dejelo detras de la maceta", True, "detras de la maceta", ""),
        ("déjelo con mi vecina del 3B por favor", False, "", "mi vecina del 3B"),
        ("Póngalo debajo del tapete, gracias", False, "debajo del tapete", ""),
        ("dejar en recepción", False, "en recepción", ""),
        ("con el portero", False, "", "el portero"),
        ("toque fuerte porque no oigo", False, "", ""),
    ],
)
def test_what_is_left_for_the_driver(text: str, has_code: bool, place: str, person: str) -> None:
    assert what_to_note(text) == Note(text, has_code, place, person)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "can i leave instructions for the driver",
        "I'd like to add a delivery note please",
        "hi can you tell the driver something",
        "i wanna leave a note for ur driver",
        "i have a gate code for the driver",
        "there's a code for the gate",
        "quiero dejar instrucciones para el repartidor",
        "tengo un código de acceso para la puerta",
        "the gate code is ••••",
    ],
)
def test_a_text_that_only_announces_instructions_leaves_nothing(text: str) -> None:
    assert what_to_note(text) == NOTHING


def test_the_line_is_one_line_and_bounded() -> None:
    note = what_to_note("knock\n\ttwice   please " + "x" * 999)
    assert note.line.startswith("knock twice please xxx")
    assert len(note.line) == LONGEST_LINE


CODES = st.from_regex(r"[0-9]{4,6}#?", fullmatch=True)
SENTENCES = st.sampled_from(
    [
        "gate code {code} leave it behind the planter",
        "leave it behind the planter code {code}",
        "leave it by the gate {code}# thanks",
        "leave it inside the gate, code is {code}",
        "leave it with the doorman the code is {code}",
        "put it in the lobby, {code} to get in",
        "déjelo en la entrada, la clave es {code}",
        "dejelo con el portero codigo {code}",
    ]
)


@given(SENTENCES, CODES)
def test_no_code_stands_in_what_is_repeated(sentence: str, code: str) -> None:
    note = what_to_note(sentence.format(code=code))
    assert note.has_code
    assert code.rstrip("#") in note.line
    assert code.rstrip("#") not in note.place + note.person
    assert note.place + note.person


@given(st.text(max_size=1600))
def test_any_text_can_be_read(text: str) -> None:
    note = what_to_note(text)
    assert len(note.place) <= LONGEST_PLACE >= len(note.person)
    assert "\n" not in note.line


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("just leave it with the doorman", "with the doorman"),
        ("give it to my wife", "to my wife"),
        ("put it behind the shed", "behind the shed"),
        ("ring twice", ""),
    ],
)
def test_what_is_said_back_tells_whether_it_is_left_with_somebody(text: str, where: str) -> None:
    assert what_to_note(text).where == where
