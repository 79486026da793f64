"""Typed tokens, and the patterns over their kinds that reduce several tokens to one."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum, auto
from functools import cache
from typing import TypeVar

from bot.windows.meaning import CalendarDay, Clock, Day, Part, Span

Value = int | str | Clock | Part | Span | CalendarDay | Day | None
T = TypeVar("T")


class Kind(StrEnum):
    # numbers
    NUM = auto()
    """1-2 digits: an hour, a day of the month or a count."""
    WORDNUM = auto()
    FOUR = auto()
    """3-4 digits without a colon: `1615`, or a year."""
    ORDINAL = auto()
    MINUTES = auto()
    """Worded minutes after an hour: `three thirty`, `4 y media`."""
    SUFFIX = auto()
    """am, pm."""
    OCLOCK = auto()
    HALF = auto()
    QUARTER = auto()
    PAST = auto()
    ISH = auto()
    HOUR = auto()
    """A finished `Clock`."""
    # words around times
    AT = auto()
    AFTER = auto()
    BEFORE = auto()
    BY = auto()
    UNTIL = auto()
    AROUND = auto()
    BETWEEN = auto()
    FROM = auto()
    TO = auto()
    DASH = auto()
    AND = auto()
    OR = auto()
    ONWARDS = auto()
    OR_EARLIER = auto()
    IN = auto()
    AGO = auto()
    PART = auto()
    HOURS = auto()
    MINS = auto()
    # words around days
    DAYS = auto()
    WEEKS = auto()
    FORTNIGHTS = auto()
    MONTHS = auto()
    WEEKDAY = auto()
    MONTH = auto()
    THIS = auto()
    NEXT = auto()
    COMING = auto()
    THIS_WEEK = auto()
    NEXT_WEEK = auto()
    WEEKEND = auto()
    EDGE = auto()
    """early, late, end of, middle of: a piece of a longer stretch."""
    EVERY = auto()
    ARTICLE = auto()
    THE_DAY = auto()
    """Spanish `el`, `dia`: a number behind it is a day of the month."""
    LATE = auto()
    OTHER = auto()
    """`the one after`: the same weekday a week on."""
    ONE = auto()
    """English `a`, `an`."""
    ON = auto()
    OF = auto()
    # what is finished
    DAY = auto()
    SPAN = auto()
    # what a clause says of its days and times
    NOT = auto()
    INSTEAD_OF = auto()
    UNAVAILABLE = auto()
    HOME_FROM = auto()
    LEAVES = auto()
    REPORTED = auto()
    """`you said`: what follows is what was promised, not what is wanted."""
    SINCE = auto()
    AFTER_THAT = auto()
    BEFORE_THAT = auto()
    """Both point back to the time said before."""
    CORRECTION = auto()
    INSTEAD = auto()
    CHANGE = auto()
    BREAK = auto()
    FILLER = auto()
    WORD = auto()


@dataclass(frozen=True)
class Token:
    kind: Kind
    value: Value = None


Built = Token | list[Token] | None
Builder = Callable[[list[Token]], Built]

# One private-use character for each kind, so that a run of tokens is a string and a pattern is a regex.
_LETTER = {kind: chr(0xE000 + number) for number, kind in enumerate(Kind)}
# `clock` is whatever can be read as a time of day where the words around it ask for one.
_ALIASES = {
    "clock": "hour|num|wordnum|four",
    "count": "num|wordnum|one",
    "nth": "ordinal|num",
    "the": "article|the_day",
}


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(_piece(piece) for piece in pattern.split()))


def _piece(piece: str) -> str:
    names, repeat = (piece[:-1], piece[-1]) if piece[-1] in "?*+" else (piece, "")
    expanded = "|".join(_ALIASES.get(name, name) for name in names.split("|"))
    return f"[{''.join(_LETTER[Kind(name)] for name in expanded.split('|'))}]{repeat}"


@dataclass(frozen=True)
class Rule:
    """Tokens whose kinds match `pattern` become what `build` makes of them; None leaves them as they are.

    A pattern is a row of kinds in lower case, each with `a|b` for a choice and `?`, `*`, `+` behind it.
    """

    pattern: str
    build: Builder


def reduce(tokens: list[Token], rules: Iterable[Rule]) -> list[Token]:
    """Applies the rules in order, each from left to right over everything."""
    for rule in rules:
        tokens = _apply(tokens, rule)
    return tokens


def _apply(tokens: list[Token], rule: Rule) -> list[Token]:
    kinds = "".join(_LETTER[token.kind] for token in tokens)
    done: list[Token] = []
    position = 0
    for match in _compiled(rule.pattern).finditer(kinds):
        built = rule.build(tokens[match.start() : match.end()])
        if built is None:
            continue
        done += tokens[position : match.start()]
        done += built if isinstance(built, list) else [built]
        position = match.end()
    return done + tokens[position:]


def values(tokens: Sequence[Token], wanted: type[T]) -> list[T]:
    return [token.value for token in tokens if isinstance(token.value, wanted)]


def numbers(tokens: Sequence[Token]) -> list[int]:
    """The integers said, in order; `a` counts as one."""
    return [1 if token.kind is Kind.ONE else token.value for token in tokens if _counts(token)]  # type: ignore[misc]


def _counts(token: Token) -> bool:
    return token.kind is Kind.ONE or (
        token.kind in (Kind.NUM, Kind.WORDNUM, Kind.ORDINAL, Kind.FOUR) and isinstance(token.value, int)
    )
