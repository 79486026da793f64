"""General questions find the operator's own answer, or none; never a guess."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ProtocolError
from bot.faq import Faq, FaqAnswer, FaqEntry, FaqTexts, FaqWords, answer
from bot.settings import PROJECT_ROOT
from bot.sop import load_protocol, parse_protocol

DEFAULT = PROJECT_ROOT / "bot" / "sop.yml"
FAQ = load_protocol(DEFAULT).faq


def topic(text: str, language: str = "en") -> str | None:
    found = answer(FAQ, text, language)
    return found.topic if found is not None else None


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("do u deliver on SATURDAYS??", "en", "delivery days"),
        ("saturday", "en", "delivery days"),
        ("how late do u guys deliver", "en", "service hours"),
        ("is there a fee if i miss it", "en", "re-delivery fee"),
        ("whats the redelivery fee", "en", "re-delivery fee"),
        ("does it cost extra to reschedule", "en", "re-delivery fee"),
        ("what happens if nobody is home", "en", "missed delivery"),
        ("do i need to be home for it", "en", "being home and signing"),
        ("can my neighbour or someone else sign", "en", "being home and signing"),
        ("can the driver carry it up the stairs, upstairs i mean", "en", "what drivers do"),
        ("how long do you hold a parcel", "en", "how long it is held"),
        ("how wide is the window", "en", "length of the window"),
        ("should i tip", "en", "tips"),
        ("¿Entregan los sábados?", "es", "delivery days"),
        ("hasta q hora hasta que hora reparten", "es", "service hours"),
        ("cuanto cuesta la entrega", "es", "delivery fee"),
        ("tengo que estar en casa?", "es", "being home and signing"),
        ("puedo ir a recogerlo yo", "es", "picking it up"),
        ("saturday entregan?", "es", "delivery days"),
    ],
)
def test_a_question_finds_its_answer(text: str, language: str, expected: str) -> None:
    assert topic(text, language) == expected


@pytest.mark.parametrize(
    "text", ["", "🙂", "what is the capital of peru", "how do you handle fragile things", "hello", "why"]
)
def test_a_question_that_the_protocol_does_not_answer_has_none(text: str) -> None:
    assert topic(text) is None


def test_two_answers_that_fit_equally_well_are_no_answer() -> None:
    assert topic("saturday tip") is None
    assert topic("do i tip on saturday or sunday") == "delivery days"


def test_the_answer_is_told_in_the_language_of_the_person_or_in_english() -> None:
    texts = {language: answer(FAQ, "saturday", language) for language in ("en", "es")}
    assert texts["en"] == FaqAnswer(
        "delivery days", "We deliver Monday to Saturday, not on Sundays or public holidays."
    )
    assert texts["es"] == FaqAnswer("delivery days", "Entregamos de lunes a sábado; domingos y feriados no.")
    only_english = FaqEntry(topic="t", asks=FaqWords(en=("hats",)), answer=FaqTexts(en="No hats."))
    assert answer([only_english], "hats?", "es") == FaqAnswer("t", "No hats.")


@given(st.text(max_size=1600), st.sampled_from(["en", "es", "xx"]))
def test_any_text_is_answered_or_not_and_never_breaks(text: str, language: str) -> None:
    found = answer(FAQ, text, language)
    assert found is None or found.topic in {entry.topic for entry in FAQ}


def test_a_new_protocol_counts_at_the_next_question() -> None:
    entries = [FAQ[0]]
    faq = Faq(lambda: entries)
    assert faq.answer("is it open on saturday", "en") is None
    entries[:] = FAQ
    assert faq.answer("is it open on saturday", "en") is not None


TIPS = 'en: "Tips are never expected. What the driver likes best is a clear path to the door."'


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (TIPS, f'en: "{"x" * 161}"', "expected at most 160 characters"),
        (TIPS, 'en: "No tips 🙂"', "expected characters of one SMS only (GSM-7), found 🙂"),
        (TIPS, 'en: ""', "expected at least 1 character"),
        ("  - topic: tips\n", "  - topic: contact\n", "found twice: contact"),
        ("en: [tip, tipping, gratuity]", 'en: ["?"]', "expected words"),
        ("en: [tip, tipping, gratuity]", "en: []", "expected"),
        ("en: [tip, tipping, gratuity]", "fr: [pourboire]", "unknown key"),
    ],
)
def test_a_mistake_in_an_answer_names_its_line(old: str, new: str, expected: str) -> None:
    content = DEFAULT.read_text(encoding="utf-8")
    assert old in content
    line = content[: content.index(old)].count("\n") + 1
    with pytest.raises(ProtocolError) as refused:
        parse_protocol(content.replace(old, new), "sop.yml")
    assert expected in str(refused.value)
    if "found twice" not in expected:
        assert any(abs(int(m.split(":")[1]) - line) <= 1 for m in refused.value.mistakes), refused.value


def test_a_spanish_answer_with_rare_accents_fits_two_segments() -> None:
    FaqTexts(en="Yes.", es="á" * 134)
    with pytest.raises(ValueError, match="at most 134"):
        FaqTexts(en="Yes.", es="á" * 135)


def test_a_protocol_without_questions_still_loads() -> None:
    content = DEFAULT.read_text(encoding="utf-8")
    start, end = content.index("proof: "), content.index("root_causes:")
    cut = content[:start].rpartition("\n# General")[0] or content[:start]
    protocol = parse_protocol(cut + "\n" + content[end:], "sop.yml")
    assert (protocol.faq, protocol.proof.link_hours, protocol.incidents.photo_max_megabytes) == ((), 72, 8)
