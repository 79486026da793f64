"""The linter of responses: nothing is wrong with ours, and each fault that it looks for is found where it stands."""

from pathlib import Path

import pytest

from tools.lint_responses import ROOT, lint
from tools.responses import read_folder
from tools.spoken import slots_given

SPANISH = """\
      condition:
        - type: slot
          name: language
          value: es
"""


def domain(
    folder: Path, english: str, spanish: str = "Listo.", name: str = "utter_x", metadata: str = ""
) -> Path:
    folder.mkdir(exist_ok=True)
    text = f"responses:\n  {name}:\n    - text: '{spanish}'\n{SPANISH}    - text: '{english}'\n{metadata}"
    (folder / "responses.yml").write_text(text, "utf-8")
    return folder


def faults(folder: Path, code: str = "") -> list[str]:
    source = folder / "code"
    source.mkdir(exist_ok=True)
    (source / "said.py").write_text(code, "utf-8")
    return [str(mistake).removeprefix(f"{folder}/responses.yml:") for mistake in lint(folder, [source])]


def test_our_own_responses_have_no_mistake() -> None:
    assert lint(ROOT / "nlu" / "domain", [ROOT / "actions", ROOT / "bot"]) == []


def test_the_domain_and_the_code_are_really_read() -> None:
    variants, _ = read_folder(ROOT / "nlu" / "domain")
    assert len(variants) > 200
    given = slots_given([ROOT / "actions", ROOT / "bot"])
    assert given["utter_help_keyword"] == {"operator"}
    assert len(given) > 40


def test_a_good_response_passes(tmp_path: Path) -> None:
    assert faults(domain(tmp_path, "Booked: {window}.", "Reservado: {window}.")) == []


@pytest.mark.parametrize(
    ("english", "fault"),
    [
        ("Reply STOP to end.", "the reserved word STOP"),
        ('Reply with "yes" to book.', "the reserved word YES"),
        ("Text HELP, please.", "the reserved word HELP"),
        ("Reply 1 to keep it or CANCEL to drop it.", ""),
        ("Reply KEEP or CANCEL.", "the reserved word CANCEL"),
        ("Answer yes to book it.", "the reserved word YES"),
        ("Reply cancel and it goes back.", "the reserved word CANCEL"),
        ("Please send end.", "the reserved word END"),
        ("I will text you the end time.", ""),
        ("Please write in words what it is about.", ""),
        ("I can stop the driver at the gate.", ""),
        ("Done!", "an exclamation mark"),
        ("Done ✅", "an emoji"),
        ("That’s done.", "curly quotes"),
        ("See bit.ly/xyz", "a link shortener"),
        ("See https://example.com", "a literal link"),
        ("Sorry, I apologize.", "two apologies"),
        ("Really? When?", "two questions"),
        ("Dear customer.", "a word that nobody"),
        ("Pay 5 ₽.", "outside GSM-7"),
        ("x" * 161, "takes 2 segments"),
        ("x" * 160, ""),
        ("€" * 81, "takes 2 segments"),
        ("{wibble} comes.", "{wibble} is no slot"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, english: str, fault: str) -> None:
    spanish = "{wibble}" if "wibble" in english else "Listo."
    found = faults(domain(tmp_path, english.replace("'", "''"), spanish))
    if not fault:
        assert found == []
        return
    assert any(fault in mistake for mistake in found), found
    assert all(mistake.startswith(("8: utter_x (en)", "3: utter_x (es)")) for mistake in found)


@pytest.mark.parametrize(
    ("spanish", "fault"),
    [
        ("Responda ALTO para terminar.", "the reserved word ALTO"),
        ('Escriba "cancelar".', "the reserved word CANCELAR"),
        ("Escríbame aquí cuando sea para una entrega.", ""),
        ("á" * 134, ""),
        ("á" * 135, "takes 3 segments"),
        ("n" * 161, "takes 2 segments"),
        ("¡Listo.", "an exclamation mark"),
    ],
)
def test_spanish_has_its_own_measure(tmp_path: Path, spanish: str, fault: str) -> None:
    found = faults(domain(tmp_path, "Done.", spanish))
    assert [mistake for mistake in found if fault in mistake] if fault else found == []


def test_metadata_may_allow_more_segments_and_a_word_that_carriers_want(tmp_path: Path) -> None:
    long = domain(tmp_path, "x" * 200, metadata="      metadata:\n        segments: 2\n")
    assert faults(long) == []
    leave = domain(tmp_path, "Reply STOP.", metadata="      metadata:\n        reserved: [STOP]\n")
    assert faults(leave) == []


def test_help_must_say_who_writes_and_how_to_leave(tmp_path: Path) -> None:
    found = faults(domain(tmp_path, "I can help.", name="utter_help_keyword"))
    assert [mistake.rpartition("must say ")[2] for mistake in found if mistake.startswith("8:")] == [
        "{operator}",
        "STOP",
        "person",
    ]


def test_the_first_message_must_name_operator_and_client(tmp_path: Path) -> None:
    found = faults(domain(tmp_path, "{operator}: {message}", "{operator}: {message}", "utter_first_contact"))
    assert [mistake for mistake in found if "must say {client}" in mistake]


def test_both_languages_must_be_there_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "responses.yml").write_text("responses:\n  utter_x:\n    - text: 'Done.'\n", "utf-8")
    assert faults(tmp_path) == [
        "2: utter_x: wants a Spanish variant on the slot `language`, then a plain English one"
    ]


def test_a_slot_that_no_call_gives_is_named(tmp_path: Path) -> None:
    folder = domain(tmp_path, "{parcel} by {by}", "{parcel} {by}")
    gives_one = "dispatcher.utter_message(response='utter_x', parcel=parcel)\n"
    gives_both = "Saying('utter_x', {'parcel': parcel, 'by': by})\n"
    hidden = "words.say('utter_x', language, **slots)\n"
    assert any("no code gives {by}" in mistake for mistake in faults(folder, gives_one))
    assert faults(folder, gives_both) == []
    assert faults(folder, hidden) == []
    assert any("no code gives {by}" in mistake for mistake in faults(folder, gives_both + gives_one))


def test_both_languages_must_name_the_same_slots(tmp_path: Path) -> None:
    found = faults(domain(tmp_path, "{parcel} by {by}", "{parcel}"))
    assert found == ["3: utter_x: Spanish and English name different slots"]
