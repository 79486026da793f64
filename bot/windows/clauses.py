"""What a text says of days and times, clause by clause: wanted, ruled out, or taken back."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.windows.days import BOUND_RULES, DATE_RULES, DAY_RULES
from bot.windows.lexer import lex
from bot.windows.meaning import Between, Bound, Day, Part, Shape, Span
from bot.windows.times import CLOCK_RULES, LENGTH_RULES, RANGE_RULES, SPAN_RULES, with_bare_hours
from bot.windows.tokens import Kind, Token, reduce

_RULES = (*DATE_RULES, *CLOCK_RULES, *LENGTH_RULES, *RANGE_RULES, *DAY_RULES, *SPAN_RULES, *BOUND_RULES)
_OPPOSITE = {
    Shape.AFTER: Shape.BEFORE,
    Shape.BEFORE: Shape.AFTER,
    Shape.BY: Shape.AFTER,
    Shape.UNTIL: Shape.AFTER,
}
_NOON, _DAY_STARTS, _DAY_ENDS = 12 * 60, 8 * 60, 21 * 60


@dataclass
class Said:
    """Days and times as wanted, in the order said."""

    days: list[Day] = field(default_factory=list)
    apposed: list[bool] = field(default_factory=list)
    """For each day, whether it stands right beside the one before it: `tuesday, june 16`."""
    spans: list[Span] = field(default_factory=list)
    excluded: list[Day] = field(default_factory=list)
    replaced: bool = False
    """One time was put in place of another: `7 instead of 5`."""
    time_ruled_out: bool = False
    """A time was denied and no other follows from that: `nobody there at 3`."""


def understand(text: str, locale: str) -> Said:
    reduced = with_bare_hours(reduce(lex(text, locale), _RULES))
    said = Said(replaced=any(token.kind is Kind.INSTEAD for token in reduced))
    moved = any(token.kind is Kind.CHANGE for token in reduced)
    for clause in _clauses(_trailing_not(reduced)):
        _Clause(clause, said, moved).read()
    return said


def _trailing_not(tokens: list[Token]) -> list[Token]:
    """`hoy no, manana si`: a denial with nothing behind it denies what stands before it."""
    ended = [*tokens[1:], Token(Kind.BREAK)]
    return [
        Token(Kind.UNAVAILABLE) if token.kind is Kind.NOT and follower.kind is Kind.BREAK and index else token
        for index, (token, follower) in enumerate(zip(tokens, ended, strict=True))
    ]


def _clauses(tokens: list[Token]) -> Iterator[list[Token]]:
    clause: list[Token] = []
    for token in tokens:
        if token.kind is Kind.BREAK:
            yield clause
            clause = []
        else:
            clause.append(token)
    yield clause


class _Clause:
    """Reads one clause into what was said so far."""

    def __init__(self, tokens: list[Token], said: Said, moved: bool) -> None:
        self._tokens = tokens
        self._said = said
        self._moved = moved
        self._denied = any(token.kind is Kind.UNAVAILABLE for token in tokens)
        self._scope: Kind | None = None
        self._fresh_days = self._fresh_spans = False
        self._kept_day = False
        self._joined = False

    def read(self) -> None:
        for index, token in enumerate(self._tokens):
            if token.kind in (Kind.NOT, Kind.INSTEAD_OF):
                self._scope = token.kind
            elif token.kind is Kind.CORRECTION:
                self._fresh_days = self._fresh_spans = True
                self._scope = None
            elif token.kind in (Kind.OR, Kind.AND):
                self._joined = True
            elif token.kind is Kind.DAY:
                self._read_day(index, token.value)  # type: ignore[arg-type]
            elif isinstance(token.value, Span):
                self._read_span(index, token.value)

    # --- days ---

    def _read_day(self, index: int, day: Day) -> None:
        if self._scope is Kind.INSTEAD_OF:
            return
        if self._is_denied() and not self._denial_is_of_the_time(index):
            self._said.excluded.append(day)
            return
        if isinstance(day, Bound) and day.side == "until":
            # Moved to that day, or away up to it.
            day = Bound(day.day, "from") if self._denied else day.day
        if isinstance(day, Between) and self._moved:
            day = day.last
        self._want_day(index, day)

    def _want_day(self, index: int, day: Day) -> None:
        if self._fresh_days:
            self._said.days.clear()
            self._said.apposed.clear()
            self._fresh_days = False
        beside = self._tokens[index - 1].kind is Kind.DAY if index else not self._joined
        self._said.days.append(day)
        self._said.apposed.append(beside and not self._joined)
        self._joined = False

    def _denial_is_of_the_time(self, index: int) -> bool:
        """`not home today until 5`, `not friday morning`: the day stands, the time is denied."""
        if self._denied and self._scope is None:
            return any(self._turns(token) for token in self._tokens)
        follower = self._tokens[index + 1] if index + 1 < len(self._tokens) else None
        before = self._tokens[index - 1]
        direct = follower is not None and before.kind is Kind.NOT
        after_denied_time = isinstance(before.value, Span)
        return after_denied_time or (
            direct and isinstance(getattr(follower, "value", None), Span) and _shape(follower) is Shape.PART
        )

    def _turns(self, token: Token) -> bool:
        return isinstance(token.value, Span) and token.value.shape not in (Shape.ANY, Shape.VAGUE)

    def _is_denied(self) -> bool:
        return self._denied or self._scope is Kind.NOT

    # --- times ---

    def _read_span(self, index: int, span: Span) -> None:
        if self._scope is Kind.INSTEAD_OF:
            self._said.replaced = True
        elif self._is_denied() and not span.firm and self._denies_time(index):
            self._deny(span)
        else:
            self._want_span(span)

    def _denies_time(self, index: int) -> bool:
        """An unavailable clause denies its times; `not` only what stands right behind it."""
        if self._denied:
            return True
        before = self._tokens[index - 1]
        if before.kind is Kind.NOT:
            return True
        span = self._tokens[index].value
        is_part = isinstance(span, Span) and span.shape is Shape.PART
        behind_denied_day = before.kind is Kind.DAY and self._tokens[index - 2].kind is Kind.NOT
        return is_part and index >= 2 and behind_denied_day

    def _deny(self, span: Span) -> None:
        if span.shape in (Shape.ANY, Shape.VAGUE):
            return
        turned = _complement(span)
        if turned is None:
            self._said.time_ruled_out = True
        else:
            self._want_span(turned)

    def _want_span(self, span: Span) -> None:
        if self._fresh_spans:
            self._said.spans.clear()
            self._fresh_spans = False
        self._said.spans.append(span)


def _shape(token: Token | None) -> Shape | None:
    return token.value.shape if token is not None and isinstance(token.value, Span) else None


def _complement(span: Span) -> Span | None:
    """The rest of the day where that is one piece; None where it is not."""
    if span.shape in _OPPOSITE:
        return Span(_OPPOSITE[span.shape], span.first)
    if span.shape is not Shape.PART or span.part is None:
        return None
    start, end = span.part.start, span.part.end
    if start <= _DAY_STARTS and end < _DAY_ENDS:
        return Span(Shape.PART, part=Part(end, _DAY_ENDS, "pm"))
    if end >= _DAY_ENDS and start > _DAY_STARTS:
        return Span(Shape.PART, part=Part(_DAY_STARTS, start, "am"))
    return None
