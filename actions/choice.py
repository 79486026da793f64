"""Which of the offered options a short answer means: by number, letter, order or a word of the option. Pure."""

import re
import unicodedata
from collections.abc import Sequence

_ALL = re.compile(r"\b(both|all|all of them|ambos|ambas|(?:los|las) dos|todos|todas)\b")
_FIRST = re.compile(r"\b(first(?! thing)|1st|primer[oa]|former|top one|the earlier|earliest|soonest)\b")
_LAST = re.compile(r"\b((?:the|my) (?:last|later)|last one|latter|latest|ultim[oa])\b")
_NTH = (
    re.compile(r"\b(second|2nd|segund[oa])\b"),
    re.compile(r"\b(third|3rd|tercer[oa]?)\b"),
    re.compile(r"\b(fourth|4th|cuart[oa])\b"),
)
_NUMBER_WORDS = {
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "uno": 1,
    "una": 1,
    "dos": 2,
    "tres": 3,
    "cuatro": 4,
}
_FILLERS = frozenset(
    """
    option opt number no the please pls plz i ill take want pick choose with go lets that one is fine works for me
    my it its ok okay yes and or y opcion numero la el por favor quiero con me quedo de
    lo porfa porfis porfavor xfa xfavor plis pues va si sip dale entonces mejor esa ese num gracias thanks thx thank you
    """.split()  # noqa: SIM905
)
_COMMON_WORDS = frozenset(
    """
    street st avenue ave road rd drive dr lane ln court ct calle avenida the and de la el los las my order parcel
    package delivery one paquete pedido entrega north south east west main new
    """.split()  # noqa: SIM905
)


def pick(text: str, options: Sequence[Sequence[str]]) -> tuple[int, ...]:
    """Indexes of the options that `text` names; empty when it names none, or cannot be told apart.

    Each option is a row of what it may be called: its client, its street, its hours.
    """
    folded = fold(text)
    return (
        pick_number(text, len(options))
        or _by_name(folded, options)
        or _by_all(folded, len(options))
        or _by_order(folded, len(options))
    )


def pick_named(text: str, options: Sequence[Sequence[str]]) -> tuple[int, ...]:
    """As `pick`, where no list was shown: numbers and order mean nothing."""
    folded = fold(text)
    return _by_name(folded, options) or _by_all(folded, len(options))


def fold(text: str) -> str:
    """Lower case, no accents, quotes dropped, one space between words."""
    bare = unicodedata.normalize("NFD", text.casefold())
    bare = "".join(mark for mark in bare if not unicodedata.combining(mark))
    return " ".join(bare.replace("'", "").replace("’", "").split())


def pick_number(text: str, count: int) -> tuple[int, ...]:
    """`2`, `#2`, `option b`, `the 1 pls`: nothing but numbers, letters and fillers. `2-4 pm` is a time."""
    text = fold(text)
    if re.search(r"\d\s*[-:]\s*\d|\d\s*[ap]\.?m", text):
        return ()
    words = re.findall(r"[a-z]+|\d+", text)
    named = [word for word in words if word not in _FILLERS or word == "one"]
    if named[-1:] == ["one"] and len(named) > 1:
        named.pop()
    numbers = [_number(word, alone=len(words) <= 2) for word in named]
    if not numbers or any(number is None or number > count for number in numbers):
        return ()
    return tuple(dict.fromkeys(number - 1 for number in numbers if number))


def _number(word: str, *, alone: bool) -> int | None:
    if word.isdigit():
        return int(word) or None
    if word in _NUMBER_WORDS:
        return _NUMBER_WORDS[word]
    return ord(word) - ord("a") + 1 if alone and len(word) == 1 and word in "abcd" else None


def _by_name(text: str, options: Sequence[Sequence[str]]) -> tuple[int, ...]:
    """Options of which a telling word, or a phrase with digits such as `5-7`, stands in the text."""
    words = set(re.findall(r"[a-z]{3,}", text))
    telling = [_telling_words(names) for names in options]
    found = []
    for index, own in enumerate(telling):
        others = set().union(*(telling[:index] + telling[index + 1 :]))
        hours = [fold(name) for name in options[index] if re.search(r"\d", name)]
        if words & (own - others) or any(
            re.search(rf"(?<!\d){re.escape(name)}(?!\d)", text) for name in hours
        ):
            found.append(index)
    return tuple(found)


def _telling_words(names: Sequence[str]) -> set[str]:
    words = {word for name in names for word in re.findall(r"[a-z]{3,}", fold(name))}
    return words - _COMMON_WORDS


def _by_all(text: str, count: int) -> tuple[int, ...]:
    return tuple(range(count)) if _ALL.search(text) else ()


def _by_order(text: str, count: int) -> tuple[int, ...]:
    if count == 0:
        return ()
    for index, ordinal in enumerate(_NTH, start=1):
        if ordinal.search(text) and index < count:
            return (index,)
    if _FIRST.search(text):
        return (0,)
    return (count - 1,) if _LAST.search(text) else ()
