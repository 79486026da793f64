"""Text -> typed tokens: spelling smoothed, numbers cut loose, the longest phrase of the vocabulary first."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache

from bot.windows.meaning import CalendarDay, Clock, Meridiem
from bot.windows.spanish import FUZZY_SPANISH, SPANISH
from bot.windows.tokens import Kind, Token
from bot.windows.typos import nearest
from bot.windows.words import ENGLISH, FUZZY_ENGLISH, MONTHS, NUMBERS, WEEKDAYS, Lexicon

LONGEST_TEXT = 2000
"""Characters read; a delivery time is never said after these."""
_LONGEST_PHRASE = 6
_BORROWED = (
    Kind.DAY,
    Kind.WEEKDAY,
    Kind.PART,
    Kind.NEXT_WEEK,
    Kind.AFTER,
    Kind.BEFORE,
    Kind.BETWEEN,
    Kind.UNTIL,
    Kind.AROUND,
    Kind.HOUR,
)

_ABBREVIATED = "|".join(name for names in (*WEEKDAYS, *MONTHS) for name in names.split("|")[1:])
_SMOOTHED: tuple[tuple[str, str], ...] = (
    (r"['`´’‘ʼ]", ""),
    (r"[‐-―−]", "-"),
    (r"\b([ap])\s?\.\s?m\b\.?", r"\1m"),
    (rf"\b({_ABBREVIATED})\.", r"\1 "),
    (r"\bb/w\b", "between"),
    (r"\bw/o\b", "without"),
    (r"\bw/?end\b", "weekend"),
    (r"(\d)\s?-\s?ish\b", r"\1ish"),
    (rf"\b({'|'.join(NUMBERS.split())}|noon|midday|lunch|afternoon|evening)-?ish\b", r"\1 ish"),
    (r"([ap]m)ish\b", r"\1 ish"),
    (r"\b(1[0-2]|[1-9])/(?=(?:1[0-2]|[1-9])[ap]m\b)", r"\1-"),
    (r"(\d)\s?n\s?(?=\d)", r"\1 and "),
    (r"(\d)\s?(?:~|\.\.+)\s?(?=\d)", r"\1-"),
    (r"\b(\d)[.,]5(?=\s*(?:h|hrs?|hours?|horas?)\b)", r"\1 and a half"),
    (rf"\b({_ABBREVIATED}|tomorrow|tmrw|tmr|today|2moro)(?=\d)", r"\1 "),
    (r"\b(after|aftr|aft|before|by|at|around|from|til|till|until|between|btw|btwn|las)(?=\d)", r"\1 "),
)
_NUMBERED_THING = (
    r"(?:code|gate|apt|apartment|unit|suite|ste|buzzer|room|rm|flat|house|door|floor|box|order|tracking|number|no\."
    r"|dpto|depto|piso|codigo|puerta|calle|pin|option|opcion|choice|numero|number)\s*(?:is|es|:|#)?\s*#?\s*[a-z]?\d[\w-]*"
)
_ORDERED_THING = (
    r"(?:\d{1,3}(?:st|nd|rd|th)|first|second|third|fourth|fifth|last)\s+(?:floor|door|house|flat|apt|one|option"
    r"|time|attempt|entrance|gate|street|st|ave|avenue|building|parcel|package|delivery|box|choice|item)\b"
)
_STREET = (
    r"\d{1,5}\s+(?!(?:am|pm|on|at|to|and|or|in|no|by|the|any|my|until|till|til)\b)[a-z]+\s+"
    r"(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|court|ct|close|crescent)\b"
)
_PIECE = re.compile(
    "|".join(
        (
            r"(?P<link>https?://\S+)",
            r"(?P<iso>\b\d{4}-\d{1,2}-\d{1,2}\b)",
            r"(?P<noise>\b"
            + _NUMBERED_THING
            + rf"|\b{_ORDERED_THING}|\b{_STREET}"
            + r"|#\s*\d+|\d+\s*#|\+?\d{7,}|\d{3}[ .-]\d{3}[ .-]\d{4}|\d{3}-\d{4}"
            r"|[$£€]\s*\d[\d.,]*|\d+%)",
            r"(?P<full>\b\d{1,2}(?P<sep>[/.-])\d{1,2}(?P=sep)(?:20)?\d{2}\b)",
            r"(?P<slash>\b\d{1,2}/\d{1,2}\b(?![/\d]))",
            r"(?P<clock>\b(\d{1,2})(?:[:.]|\s?h\s?)(\d{2})(?!\d)(?:\s*(?:am|pm|hrs?|hs?)\b|[ap]\b)?)",
            r"(?P<bare>\b(\d{1,4})\s*(am\b|pm\b)|\b(\d{1,4})(a|p|st|nd|rd|th|ish|ero|ro|do|er|to|mo|o|h|hs|hr|hrs)\b)",
            r"(?P<word>[a-z\d]*[a-z][a-z\d]*)",
            r"(?P<number>\d+)",
            r"(?P<dash>-+)",
            r"(?P<sign>[@~&/+])",
            r"(?P<stop>[.,;:!?()\n\"]+)",
        )
    ),
    re.ASCII,
)


def lex(text: str, locale: str) -> list[Token]:
    """The typed tokens of `text` without its filler."""
    pieces = list(_PIECE.finditer(_smoothed(text)))
    spanish = _is_spanish(pieces, locale)
    day_first = spanish or locale.lower().replace("_", "-") != "en-us"
    tokens = list(
        _typed(pieces, _vocabulary(spanish), FUZZY_SPANISH if spanish else FUZZY_ENGLISH, day_first)
    )
    return [token for token in tokens if token.kind is not Kind.FILLER]


def _smoothed(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text[:LONGEST_TEXT].casefold())
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    plain = plain[:LONGEST_TEXT]
    for pattern, replacement in _SMOOTHED:
        plain = re.sub(pattern, replacement, plain)
    return plain


def _is_spanish(pieces: list[re.Match[str]], locale: str) -> bool:
    words = [piece["word"] for piece in pieces if piece["word"]]
    english, spanish = _markers()
    lead = sum(word in spanish for word in words) - sum(word in english for word in words)
    return lead > 0 if lead else locale.lower().startswith("es")


@cache
def _markers() -> tuple[frozenset[str], frozenset[str]]:
    """Words that only one of the two languages has in its vocabulary."""
    english = frozenset(word for phrase in ENGLISH for word in phrase.split())
    spanish = frozenset(word for phrase in SPANISH for word in phrase.split())
    return english - spanish, spanish - english


@cache
def _vocabulary(spanish: bool) -> Lexicon:
    """The language's own words over the day and time words of the other: people mix the two."""
    own, other = (SPANISH, ENGLISH) if spanish else (ENGLISH, SPANISH)
    borrowed = {
        phrase: tokens for phrase, tokens in other.items() if tokens[0].kind in _BORROWED and len(phrase) > 3
    }
    return borrowed | own


def _typed(
    pieces: list[re.Match[str]], vocabulary: Lexicon, fuzzy: frozenset[str], day_first: bool
) -> Iterator[Token]:
    position = 0
    while position < len(pieces):
        piece = pieces[position]
        phrase, length = _longest_phrase(pieces, position, vocabulary)
        if phrase:
            yield from phrase
        elif piece["word"]:
            yield from _lone_word(piece["word"], vocabulary, fuzzy)
        else:
            yield from _numeric(piece, day_first)
        position += length


def _longest_phrase(
    pieces: list[re.Match[str]], position: int, vocabulary: Lexicon
) -> tuple[tuple[Token, ...], int]:
    """The tokens of the longest phrase that starts here, and how many pieces it covers; none covers one."""
    words: list[str] = []
    for piece in pieces[position : position + _LONGEST_PHRASE]:
        if not (piece["word"] or piece["sign"]):
            break
        words.append(piece.group())
    for length in range(len(words), 0, -1):
        found = vocabulary.get(" ".join(words[:length]))
        if found:
            return found, length
    return (), 1


def _lone_word(word: str, vocabulary: Lexicon, fuzzy: frozenset[str]) -> tuple[Token, ...]:
    meant = nearest(word, fuzzy)
    return vocabulary[meant] if meant else (Token(Kind.WORD),)


def _numeric(piece: re.Match[str], day_first: bool) -> list[Token]:
    name = piece.lastgroup or ""
    for group, read in _READERS.items():
        if piece[group]:
            return read(piece, day_first)
    return [Token({"dash": Kind.DASH, "stop": Kind.BREAK}.get(name, Kind.WORD))]


def _iso(piece: re.Match[str], day_first: bool) -> list[Token]:
    year, month, day = (int(part) for part in piece["iso"].split("-"))
    return [Token(Kind.DAY, CalendarDay(day, month, year))]


def _slashed(piece: re.Match[str], day_first: bool) -> list[Token]:
    parts = [int(part) for part in re.split("[/.-]", piece["full"] or piece["slash"])]
    day, month = (parts[0], parts[1]) if day_first else (parts[1], parts[0])
    year = parts[2] % 100 + 2000 if len(parts) == 3 else None
    return [Token(Kind.DAY, CalendarDay(day, month, year))]


def _clock(piece: re.Match[str], day_first: bool) -> list[Token]:
    match = re.match(r"(\d{1,2})\D+(\d{2})\s*([ap]?)", piece["clock"])
    if match is None:
        return [Token(Kind.WORD)]
    return _hour(match[1], int(match[2]), _meridiem(match[3]))


def _bare(piece: re.Match[str], day_first: bool) -> list[Token]:
    match = re.match(r"(\d+)\s*([a-z]+)", piece["bare"])
    if match is None:
        return [Token(Kind.WORD)]
    digits, suffix = match[1], match[2]
    if suffix in ("a", "p", "am", "pm"):
        if piece["bare"][len(digits)].isspace() and len(digits) < 3:
            # Kept apart: `june 5 pm` is a day and an afternoon, `at 5 pm` an hour.
            return [*_number(digits), Token(Kind.SUFFIX, suffix)]
        hour, minute = (digits, 0) if len(digits) < 3 else (digits[:-2], int(digits[-2:]))
        return _hour(hour, minute, _meridiem(suffix[0]))
    if suffix == "ish":
        return [*_number(digits), Token(Kind.ISH)]
    if suffix.startswith("h"):
        return [*_number(digits), Token(Kind.HOURS)]
    return [Token(Kind.ORDINAL, int(digits))] if len(digits) < 3 else [Token(Kind.WORD)]


def _plain(piece: re.Match[str], day_first: bool) -> list[Token]:
    return _number(piece["number"])


def _number(digits: str) -> list[Token]:
    if len(digits) > 4:
        return [Token(Kind.WORD)]
    return [Token(Kind.NUM if len(digits) < 3 else Kind.FOUR, int(digits))]


def _meridiem(letter: str) -> Meridiem | None:
    return {"a": "am", "p": "pm"}.get(letter)  # type: ignore[return-value]


def _hour(hour: str, minute: int, meridiem: Meridiem | None) -> list[Token]:
    if int(hour) > 24 or minute > 59:
        return [Token(Kind.WORD)]
    fixed = int(hour) > 12 or (len(hour) == 2 and hour[0] == "0" and meridiem is None)
    return [Token(Kind.HOUR, Clock(int(hour) % 24, minute, None if int(hour) > 12 else meridiem, fixed))]


_READERS: dict[str, Callable[[re.Match[str], bool], list[Token]]] = {
    "iso": _iso,
    "full": _slashed,
    "slash": _slashed,
    "clock": _clock,
    "bare": _bare,
    "number": _plain,
}
