"""What a text says of days and times, clause by clause: wanted, ruled out, or taken back."""

from dataclasses import dataclass, field

from bot.windows.days import BOUND_RULES, DATE_RULES, DAY_RULES, OTHER_RULES
from bot.windows.lexer import lex
from bot.windows.meaning import Between, Bound, Clock, Day, Part, Shape, Span
from bot.windows.splitting import OPPOSITE, clauses, shape
from bot.windows.times import CLOCK_RULES, LENGTH_RULES, RANGE_RULES, SPAN_RULES, with_bare_hours
from bot.windows.tokens import Kind, Token, reduce

_RULES = (
    *DATE_RULES,
    *CLOCK_RULES,
    *LENGTH_RULES,
    *RANGE_RULES,
    *DAY_RULES,
    *SPAN_RULES,
    *OTHER_RULES,
    *BOUND_RULES,
)
_DAY_STARTS, _DAY_ENDS = 8 * 60, 21 * 60


@dataclass
class Said:
    """Days and times as wanted, in the order said."""

    days: list[Day] = field(default_factory=list)
    apposed: list[bool] = field(default_factory=list)
    """For each day, whether it stands right beside the one before it: `tuesday, june 16`."""
    spans: list[Span] = field(default_factory=list)
    implied_days: list[Day] = field(default_factory=list)
    implied_spans: list[Span] = field(default_factory=list)
    """What follows for a day from being away for a part of it: `at work today until 6`."""
    reported_days: list[Day] = field(default_factory=list)
    reported_spans: list[Span] = field(default_factory=list)
    """What was promised: `you said friday at 3`."""
    excluded: list[Day] = field(default_factory=list)
    replaced: bool = False
    """One time was put in place of another: `7 instead of 5`."""
    time_ruled_out: bool = False
    """A time was denied and no other follows from that: `nobody there at 3`."""
    either_time: bool = False
    """Times offered side by side: `before 10 or after 4`."""
    latest: Span | None = None
    """The time said last, wanted or not: what `after that` looks back to."""


def understand(text: str, locale: str) -> Said:
    reduced = with_bare_hours(reduce(lex(text, locale), _RULES))
    said = Said(replaced=any(token.kind is Kind.INSTEAD for token in reduced))
    moved = any(token.kind is Kind.CHANGE for token in reduced)
    for clause in clauses(reduced):
        _Clause(clause, said, moved).read()
    _take_reported(said)
    _take_implied(said)
    return said


def _take_reported(said: Said) -> None:
    """What was promised stands in only for what was not asked for anew."""
    if said.days or said.implied_days:
        return
    if not said.spans:
        said.spans += said.reported_spans
    said.days += said.reported_days
    said.apposed += [False] * len(said.reported_days)


def _take_implied(said: Said) -> None:
    """Being away for a part of one day says nothing of the other day that was asked for."""
    if said.days and said.implied_days:
        said.excluded += said.implied_days
        return
    said.days += said.implied_days
    said.apposed += [False] * len(said.implied_days)
    said.spans += said.implied_spans


class _Clause:
    """Reads one clause into what was said so far."""

    def __init__(self, tokens: list[Token], said: Said, moved: bool) -> None:
        self._tokens = tokens
        self._said = said
        self._moved = moved
        self._denied = any(token.kind is Kind.UNAVAILABLE for token in tokens)
        self._reported = False
        self._scope: Kind | None = None
        self._fresh_days = self._fresh_spans = False
        self._kept_day = False
        self._joined = self._joined_by_or = False
        self._dropped = -2
        """Where the last taken-back item stands: a time right behind it goes with it."""

    def read(self) -> None:
        for index, token in enumerate(self._tokens):
            if token.kind in (Kind.NOT, Kind.INSTEAD_OF):
                self._scope = token.kind
            elif token.kind is Kind.CORRECTION:
                self._fresh_days = self._fresh_spans = True
                self._scope = None
                self._reported = False
            elif token.kind is Kind.REPORTED:
                self._reported = not self._denied
            elif token.kind in (Kind.AFTER_THAT, Kind.BEFORE_THAT):
                self._look_back(token.kind)
            elif token.kind in (Kind.OR, Kind.AND):
                self._joined = True
            elif token.kind is Kind.DAY:
                self._read_day(index, token.value)  # type: ignore[arg-type]
            elif isinstance(token.value, Span):
                self._joined_by_or = index > 0 and self._tokens[index - 1].kind is Kind.OR
                self._read_span(index, token.value)

    # --- days ---

    def _read_day(self, index: int, day: Day) -> None:
        if self._reported:
            self._said.reported_days.append(day)
            return
        if self._scope is Kind.INSTEAD_OF:
            self._dropped = index
            if not self._joined_next(index):
                self._scope = None
            return
        if isinstance(day, Bound) and day.side == "until":
            # Moved to that day, or away up to it.
            day = Bound(day.day, "from") if self._denied else day.day
        elif self._is_denied() and not self._denial_is_of_the_time(index):
            self._said.excluded.append(day)
            return
        if isinstance(day, Between) and self._moved:
            day = day.last
        self._want_day(index, day)

    def _joined_next(self, index: int) -> bool:
        return any(token.kind in (Kind.OR, Kind.AND) for token in self._tokens[index + 1 : index + 2])

    def _want_day(self, index: int, day: Day) -> None:
        if self._denied:
            self._said.implied_days.append(day)
            return
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
        return after_denied_time or (direct and shape(follower) is Shape.PART and not _says_this(follower))

    def _turns(self, token: Token) -> bool:
        return isinstance(token.value, Span) and token.value.shape not in (Shape.ANY, Shape.VAGUE)

    def _is_denied(self) -> bool:
        return self._denied or self._scope is Kind.NOT

    # --- times ---

    def _read_span(self, index: int, span: Span) -> None:
        self._said.latest = span
        if self._reported:
            self._said.reported_spans.append(span)
            return
        moved_away = self._moved and index > 0 and self._tokens[index - 1].kind is Kind.FROM
        if self._scope is Kind.INSTEAD_OF or moved_away or self._dropped == index - 1:
            self._said.replaced = True
            self._scope = None
        elif self._is_denied() and not span.firm and self._denies_time(index):
            self._deny(span)
        else:
            self._want_span(span)

    def _look_back(self, word: Kind) -> None:
        """`school ends at 3, after that`, `i leave at 4 so before that`."""
        latest = self._said.latest
        clock = _edge(latest, last=word is Kind.AFTER_THAT) if latest else None
        if latest is None or clock is None or self._denied:
            return
        self._said.spans = [span for span in self._said.spans if span.first != latest.first]
        self._want_span(Span(Shape.AFTER if word is Kind.AFTER_THAT else Shape.BEFORE, clock))

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
        if span.shape in (Shape.ANY, Shape.VAGUE) or self._only_places(span):
            return
        if self._scope is Kind.NOT and span.part is not None and span.part.this:
            return
        turned = _complement(span)
        if turned is None and self._puts_right(span):
            self._said.replaced = True
        elif turned is None:
            self._said.time_ruled_out = True
        else:
            self._want_span(turned)

    def _puts_right(self, span: Span) -> bool:
        """`make it 7 not 5`"""
        exact = [wanted for wanted in self._said.spans if wanted.shape is Shape.EXACT]
        return span.shape is Shape.EXACT and bool(exact) and self._scope is Kind.NOT

    def _only_places(self, span: Span) -> bool:
        """`not home til 6 tonight`: the evening says where the 6 is and is not itself denied."""
        return span.shape is Shape.PART and any(shape(token) in OPPOSITE for token in self._tokens)

    def _want_span(self, span: Span) -> None:
        if self._denied and any(token.kind is Kind.DAY for token in self._tokens):
            self._said.implied_spans.append(span)
            return
        if self._fresh_spans:
            self._said.spans.clear()
            self._fresh_spans = False
        self._said.either_time = self._said.either_time or (self._joined_by_or and bool(self._said.spans))
        self._said.spans.append(span)


def _says_this(token: Token | None) -> bool:
    """`not tonight` rules out today as `not tomorrow morning` does not rule out tomorrow."""
    span = token.value if token is not None else None
    return isinstance(span, Span) and span.part is not None and span.part.this


def _edge(span: Span, *, last: bool) -> Clock | None:
    if span.part is not None:
        hour, minute = divmod(span.part.end if last else span.part.start, 60)
        return Clock(hour % 24, minute, fixed=True)
    return (span.last or span.first) if last else span.first


def _complement(span: Span) -> Span | None:
    """The rest of the day where that is one piece; None where it is not."""
    if span.shape in OPPOSITE:
        return Span(OPPOSITE[span.shape], span.first)
    if span.shape is not Shape.PART or span.part is None:
        return None
    start, end = span.part.start, span.part.end
    if start <= _DAY_STARTS and end < _DAY_ENDS:
        return Span(Shape.PART, part=Part(end, _DAY_ENDS, "pm"))
    if end >= _DAY_ENDS and start > _DAY_STARTS:
        return Span(Shape.PART, part=Part(_DAY_STARTS, start, "am"))
    return None
