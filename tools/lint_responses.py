"""The manners of what recipients read. `python -m tools.lint_responses` prints `file:line: message`; exit 1.

Length once filled, reserved words, tone, both languages, and whether the code fills every slot.
"""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bot.conversations.keywords import RESERVED_WORDS, folded
from connectors.twilio.segments import Encoding, segment
from tools.responses import ENGLISH, SPANISH, Mistake, Variant, read_folder
from tools.samples import samples_for
from tools.spoken import slots_given

ROOT = Path(__file__).parents[1]

_SAY_IT = (
    r"(?:reply|respond|text|send|write|answer|type|say|"
    r"responda|conteste|env[ií]e|mande|escriba|diga|ponga)"
)
_ASKED_FOR = re.compile(rf"\b{_SAY_IT}(?: with| con| back)? [\"'(]*(?P<words>\w+(?: \w+)?)", re.IGNORECASE)
_OR_ANOTHER = re.compile(r"\b(?:or|o|,) [\"']?(?P<words>[A-ZÁÉÍÓÚÑ]{2,})\b")
_SHORTENER = re.compile(
    r"\b(?:bit\.ly|tinyurl\.com|t\.co|goo\.gl|ow\.ly|is\.gd|buff\.ly|rebrand\.ly)\b", re.IGNORECASE
)
_LITERAL_LINK = re.compile(r"https?://|www\.")
_EMOJI = re.compile("[\u2190-\u2bff\U0001f000-\U0001faff]")
_CURLY = re.compile("[\u2018\u2019\u201c\u201d\u2013\u2014\u2026]")
_SORRY = re.compile(r"\b(?:sorry|apologi[sz]e|lo siento|perdone|disculpe)\b", re.IGNORECASE)
_OUT_OF_TONE = re.compile(
    r"\b(?:valued|customers?|users?|dear|as an ai|agents?|estimad[oa]s? (?:se[ñn]or|cliente)|clientes?|usuarios?)\b",
    re.IGNORECASE,
)

MUST_SAY = {
    "utter_first_contact": ("{operator}", "{client}", "{message}"),
    "utter_help_keyword": ("{operator}", "STOP", "person"),
    "utter_opted_out": ("{operator}", "START"),
}
"""What carriers and the law want in these, in every language."""


def fits(variant: Variant) -> Iterator[str]:
    """English: one GSM-7 segment. Spanish: the same, or two where its accents need them."""
    try:
        text = variant.text.format(**samples_for(variant))
    except KeyError:
        return  # has_samples says so
    took = segment(text)
    is_small = variant.language == SPANISH and took.encoding is Encoding.UCS2
    allowed = variant.segments or (2 if is_small else 1)
    if "{link}" in variant.text and variant.segments is None:
        allowed += 1
    if took.segments > allowed:
        yield f"takes {took.segments} segments ({took.units} units of {took.encoding}), {allowed} allowed: {text!r}"
    if variant.language == ENGLISH and took.encoding is not Encoding.GSM7:
        yield "has a character outside GSM-7, which makes its segments 70 characters short"


def has_samples(variant: Variant) -> Iterator[str]:
    for slot in sorted(variant.slots - samples_for(variant).keys()):
        yield f"{{{slot}}} is no slot that tools/samples.py knows"


def asks_for_no_reserved_word(variant: Variant) -> Iterator[str]:
    for words in _asked_for(variant.text):
        for said in {folded(words), folded(words).split()[0]}:
            if said in RESERVED_WORDS and said.upper() not in variant.reserved:
                yield f"asks for the reserved word {said.upper()}"


def _asked_for(text: str) -> list[str]:
    asked = [match.group("words") for match in _ASKED_FOR.finditer(text) if _is_a_word(match)]
    return [*asked, *(match.group("words") for match in _OR_ANOTHER.finditer(text) if asked)]


def _is_a_word(match: re.Match[str]) -> bool:
    """Not "text you by", "write in words": what is asked for is quoted, in capitals, or ends its sentence."""
    words, after = match.group("words"), match.string[match.end() :]
    first = words.split()[0]
    quoted = match.string[match.start("words") - 1] in "\"'("
    return quoted or first.isupper() or not after or after[0] in "\"').,;?" or first.lower() in _NEVER_NEXT


_NEVER_NEXT = frozenset(
    {"stop", "cancel", "yes", "quit", "start", "unsubscribe", "end", "help", "cancelar", "alto"}
)
"""After "reply", these are commands wherever the sentence goes on."""


def keeps_the_tone(variant: Variant) -> Iterator[str]:
    text = variant.text
    found = {
        "an exclamation mark": "!" in text or "¡" in text,
        "an emoji": bool(_EMOJI.search(text)),
        "curly quotes or dashes": bool(_CURLY.search(text)),
        "a link shortener": bool(_SHORTENER.search(text)),
        "a literal link": bool(_LITERAL_LINK.search(text)),
        "two apologies": len(_SORRY.findall(text)) > 1,
        "two questions": text.count("?") > 1,
        "a word that nobody here uses of a person": bool(_OUT_OF_TONE.search(text)),
    }
    yield from (f"has {fault}" for fault, is_there in found.items() if is_there)


def says_what_it_must(variant: Variant) -> Iterator[str]:
    for needed in MUST_SAY.get(variant.response, ()):
        if needed not in variant.text:
            yield f"must say {needed}"


CHECKS: tuple[Callable[[Variant], Iterator[str]], ...] = (
    has_samples,
    fits,
    asks_for_no_reserved_word,
    keeps_the_tone,
    says_what_it_must,
)


def lint(domain: Path, code: list[Path]) -> list[Mistake]:
    """Everything wrong with the responses of `domain`, whose slots the Python files under `code` fill."""
    variants, mistakes = read_folder(domain)
    for variant in variants:
        said = f"{variant.response} ({variant.language})"
        mistakes += [
            Mistake(variant.path, variant.line, f"{said} {fault}")
            for check in CHECKS
            for fault in check(variant)
        ]
    mistakes += _unfilled(variants, slots_given(code)) + _uneven(variants)
    return sorted(mistakes, key=lambda mistake: (str(mistake.path), mistake.line))


def _unfilled(variants: list[Variant], given: dict[str, frozenset[str]]) -> list[Mistake]:
    return [
        Mistake(variant.path, variant.line, f"{variant.response}: no code gives {{{slot}}}")
        for variant in variants
        if variant.response in given
        for slot in sorted(variant.slots - given[variant.response])
    ]


def _uneven(variants: list[Variant]) -> list[Mistake]:
    slots = {(variant.response, variant.language): variant.slots for variant in variants}
    return [
        Mistake(variant.path, variant.line, f"{variant.response}: Spanish and English name different slots")
        for variant in variants
        if variant.language == SPANISH and slots.get((variant.response, ENGLISH)) != variant.slots
    ]


def main() -> int:
    mistakes = lint(ROOT / "nlu" / "domain", [ROOT / "actions", ROOT / "bot"])
    for mistake in mistakes:
        sys.stdout.write(f"{mistake}\n".replace(f"{ROOT}/", ""))
    sys.stdout.write(
        f"{len(mistakes)} mistakes in the responses\n" if mistakes else "Responses: no mistakes\n"
    )
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
