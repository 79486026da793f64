"""General questions and the operator's own answers to them, from `faq` in sop.yml. No model, no guess.

What is asked about is found by words in any order. Where two answers fit equally well nobody is told
anything: a dispatcher gets the question.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

LONGEST = 160
"""Characters of one SMS in GSM-7."""
LONGEST_IN_UCS2 = 134
"""Two segments of UCS-2: what an answer with á or ó may take."""

GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)

FALLBACK_LANGUAGE = "en"

_SMALL = (
    "a an and the i im if is it its to do does of for my me you your u we us be am are "
    "el la los las lo un una y de del en al que si me mi se su es yo usted"
)
SMALL_WORDS = frozenset(_SMALL.split())
"""They stand in every question and tell nothing of what it is about."""


def _one_text(answer: str) -> str:
    longest = LONGEST if GSM7.issuperset(answer) else LONGEST_IN_UCS2
    if len(answer) > longest:
        raise ValueError(f"expected at most {longest} characters to fit an SMS, found {len(answer)}")
    return answer


def _plain_text(answer: str) -> str:
    odd = sorted(set(answer) - GSM7)
    if odd:
        raise ValueError(f"expected characters of one SMS only (GSM-7), found {' '.join(odd)}")
    return _one_text(answer)


def _has_words(phrase: str) -> str:
    if not folded(phrase):
        raise ValueError("expected words")
    return phrase


Phrase = Annotated[str, Field(max_length=80), AfterValidator(_has_words)]
Phrases = Annotated[tuple[Phrase, ...], Field(min_length=1)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FaqWords(_Section):
    """Words and phrases by language. A phrase is found when all its words are in the text, in any order."""

    en: Phrases
    es: tuple[Phrase, ...] = ()


class FaqTexts(_Section):
    en: Annotated[str, Field(min_length=1), AfterValidator(_plain_text)]
    es: Annotated[str, AfterValidator(_one_text)] = ""
    """Empty: the English one is told."""


class FaqEntry(_Section):
    topic: str = Field(min_length=1, max_length=40)
    asks: FaqWords
    answer: FaqTexts


@dataclass(frozen=True)
class FaqAnswer:
    topic: str
    text: str


def answer(faq: Sequence[FaqEntry], text: str, language: str) -> FaqAnswer | None:
    """The one entry whose phrases cover most words of the text; None for none, and for a tie.

    Phrases of both languages count, those of `language` first: people mix.
    """
    words = folded(text)
    ranked = sorted(((_score(entry, words, language), entry) for entry in faq), key=lambda pair: pair[0])
    if not ranked or ranked[-1][0] == NOTHING or [score for score, _ in ranked].count(ranked[-1][0]) > 1:
        return None
    best = ranked[-1][1]
    told = best.answer.es if language == "es" and best.answer.es else best.answer.en
    return FaqAnswer(best.topic, told)


Score = tuple[int, int]
"""How many words of the text are covered by phrases of the person's language, and of the other."""
NOTHING: Score = (0, 0)


def _score(entry: FaqEntry, words: frozenset[str], language: str) -> Score:
    by_language: Mapping[str, Sequence[str]] = {"en": entry.asks.en, "es": entry.asks.es}
    own = by_language.get(language, by_language[FALLBACK_LANGUAGE])
    both = [*entry.asks.en, *entry.asks.es]
    return _covered(own, words), _covered(both, words)


def _covered(phrases: Sequence[str], words: frozenset[str]) -> int:
    """How many words of the text stand in phrases that are wholly there."""
    found = [wanted for wanted in map(folded, phrases) if wanted <= words]
    return len(frozenset().union(*found)) if found else 0


def folded(text: str) -> frozenset[str]:
    """The words that tell something, without case, accents, punctuation and plural endings."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("'", "").replace("’", ""))
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    words = frozenset(re.findall(r"[a-z0-9$]+", plain)) - SMALL_WORDS
    return frozenset(_singular(word) for word in words)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


class Faq:
    """What the actions ask; reads the protocol in force at each question."""

    def __init__(self, entries: Callable[[], Sequence[FaqEntry]]) -> None:
        self._entries = entries

    def answer(self, text: str, language: str) -> str | None:
        found = answer(self._entries(), text, language)
        return found.text if found is not None else None
