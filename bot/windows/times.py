"""Rules that read time phrases: tokens -> a SPAN token."""

from dataclasses import replace

from bot.windows.meaning import Clock, Offset, Part, Shape, Span
from bot.windows.tokens import Built, Kind, Rule, Token, numbers, values

_AFTERNOON = Part(12 * 60, 17 * 60, "pm")
_MORNING = Part(8 * 60, 12 * 60, "am")
_MINUTES_IN = {Kind.HOURS: 60, Kind.MINS: 1}


def _hour(clock: Clock) -> Token:
    return Token(Kind.HOUR, clock)


def _span(shape: Shape, first: Clock, last: Clock | None = None, *, firm: bool = False) -> Token:
    return Token(Kind.SPAN, Span(shape, first, last, firm=firm))


def _clock(token: Token) -> Clock | None:
    """The token as a time of day, or None where its number cannot be one."""
    if isinstance(token.value, Clock):
        return token.value
    if not isinstance(token.value, int):
        return None
    hour, minute = divmod(token.value, 100) if token.kind is Kind.FOUR else (token.value, 0)
    if hour > 24 or minute > 59:
        return None
    return Clock(hour % 24, minute, fixed=hour > 12 or hour == 0)


def _clocks(tokens: list[Token]) -> list[Clock] | None:
    """Every clock among the tokens, or None when a number cannot be one."""
    found = [_clock(token) for token in tokens if token.kind in _CLOCK_KINDS]
    return None if None in found else [clock for clock in found if clock]


_CLOCK_KINDS = (Kind.HOUR, Kind.NUM, Kind.WORDNUM, Kind.FOUR)


# --- clock times --------------------------------------------------------------------------------


def _with_suffix(tokens: list[Token]) -> Built:
    clocks = _clocks(tokens)
    suffix = tokens[-1].value
    if not clocks or suffix not in ("am", "pm") or clocks[0].fixed:
        return None
    return _hour(replace(clocks[0], meridiem="am" if suffix == "am" else "pm"))


def _with_part(tokens: list[Token]) -> Built:
    """`5 in the afternoon`, `las 8 de la noche`."""
    clocks, parts = _clocks(tokens), values(tokens, Part)
    if not clocks or clocks[0].fixed or clocks[0].meridiem:
        return None
    if clocks[0].hour == 12 and parts[0].meridiem == "am":
        return _hour(replace(clocks[0], fixed=True))  # `las 12 de la mañana` is noon
    if clocks[0].hour == 12 and parts[0].start >= 17 * 60:
        return _hour(replace(clocks[0], hour=0, fixed=True))
    return _hour(replace(clocks[0], meridiem=parts[0].meridiem))


def _spaced(tokens: list[Token]) -> Built:
    """`5 30`, `5 30 pm`"""
    hour, minute = numbers(tokens)[:2]
    if minute not in (15, 30, 45) or not 1 <= hour <= 12:
        return None
    clock = Clock(hour, minute)
    return _with_suffix([_hour(clock), tokens[2]]) if len(tokens) > 2 else _hour(clock)


def _on_the_hour(tokens: list[Token]) -> Built:
    clocks = _clocks(tokens)
    return _hour(clocks[0]) if clocks else None


def _shifted(tokens: list[Token], minutes: int) -> Built:
    clocks = _clocks(tokens[-1:]) or _clocks(tokens)
    if not clocks:
        return None
    clock = clocks[0]
    if minutes >= 0:
        return _hour(replace(clock, minute=minutes))
    hour = clock.hour - 1 or 12
    return _hour(replace(clock, hour=hour, minute=60 + minutes))


def _half(tokens: list[Token]) -> Built:
    return _shifted(tokens, 30)


def _quarter_past(tokens: list[Token]) -> Built:
    return _shifted(tokens, 15)


def _quarter_to(tokens: list[Token]) -> Built:
    return _shifted(tokens, -15)


def _minutes_past(tokens: list[Token]) -> Built:
    minutes = numbers(tokens)[0]
    return _shifted(tokens, minutes) if minutes < 60 else None


def _minutes_to(tokens: list[Token]) -> Built:
    """`at ten to five`; only behind a preposition, because `five to seven` alone is a range."""
    minutes = numbers(tokens)[0]
    if minutes not in (5, 10, 20, 25):
        return None
    hour = _shifted(tokens, -minutes)
    return [tokens[0], hour] if isinstance(hour, Token) else None


def _clause_end(tokens: list[Token]) -> Built:
    """`after 5 im at work til then` gives the reason and wants nothing."""
    return Token(Kind.BREAK)


def _many_minutes_to(tokens: list[Token]) -> Built:
    """`twenty to six`, which no range begins with; `diez para las cinco`."""
    minutes = numbers(tokens)[0]
    if minutes not in ((20, 25) if tokens[1].kind is Kind.TO else (5, 10, 20, 25)):
        return None
    return _shifted(tokens, -minutes) if tokens[1].kind is Kind.TO or tokens[1].value == "to" else None


def _worded_minutes(tokens: list[Token]) -> Built:
    minutes = tokens[-1].value
    return _shifted(tokens[:1], minutes) if isinstance(minutes, int) else None


def _hours_of_day(tokens: list[Token]) -> Built:
    """`18hr`, `a las 8 horas`; `3 hours` is a length of time."""
    clocks = _clocks(tokens)
    said_as_time = tokens[0].kind is Kind.AT
    if not clocks or not (said_as_time or clocks[0].hour > 12 or tokens[0].kind is Kind.HOUR):
        return None
    return [tokens[0], _hour(clocks[0])] if said_as_time else _hour(clocks[0])


CLOCK_RULES: tuple[Rule, ...] = (
    Rule("clock oclock", _on_the_hour),
    Rule("num num suffix?", _spaced),
    Rule("clock suffix", _with_suffix),
    Rule("half past? num|wordnum|hour", _half),
    Rule("quarter past num|wordnum|hour", _quarter_past),
    Rule("quarter to|until|before|of num|wordnum|hour", _quarter_to),
    Rule("num|wordnum mins? past num|wordnum|hour", _minutes_past),
    Rule("at|after|before|by|around|until wordnum to num|wordnum", _minutes_to),
    Rule("wordnum to|at num|wordnum", _many_minutes_to),
    Rule("unavailable before_that", _clause_end),
    Rule("num|wordnum|hour minutes", _worded_minutes),
    Rule("clock of|in the? part", _with_part),
)


# --- lengths of time ----------------------------------------------------------------------------


def _elapsed(tokens: list[Token]) -> Built:
    unit = next(_MINUTES_IN[token.kind] for token in reversed(tokens) if token.kind in _MINUTES_IN)
    halves = 0.5 if any(token.kind is Kind.HALF for token in tokens) else 0.0
    first, *rest = [int((count + halves) * unit) for count in numbers(_counting(tokens, halves)) or [0]]
    if tokens[0].value == "within":
        return Token(Kind.SPAN, Span(Shape.ELAPSED, until_minutes=first))
    if rest:
        return Token(Kind.SPAN, Span(Shape.ELAPSED, minutes=first, until_minutes=rest[0]))
    if any(token.kind in (Kind.ISH, Kind.AROUND) for token in tokens):
        return Token(Kind.SPAN, Span(Shape.ELAPSED, minutes=first - 30, until_minutes=first + 30))
    return Token(Kind.SPAN, Span(Shape.ELAPSED, minutes=first))


def _counting(tokens: list[Token], halves: float) -> list[Token]:
    """`half an hour` has no whole hour in it; `an hour and a half` has one."""
    if not halves:
        return tokens
    before_half = tokens[: next(i for i, token in enumerate(tokens) if token.kind is Kind.HALF)]
    counted = [token for token in before_half if token.kind in (Kind.NUM, Kind.WORDNUM, Kind.ONE)]
    return counted[:1] if any(token.kind in (Kind.HOURS, Kind.AND) for token in before_half) else []


def _hours_and_minutes(tokens: list[Token]) -> Built:
    """`en una hora y media`; `y media` is thirty minutes wherever it stands."""
    hours = (numbers(tokens) or [1])[0]
    extra = tokens[-1].value
    return (
        Token(Kind.SPAN, Span(Shape.ELAPSED, minutes=hours * 60 + extra)) if isinstance(extra, int) else None
    )


LENGTH_RULES: tuple[Rule, ...] = (
    Rule("in around? count? hours minutes", _hours_and_minutes),
    Rule("in around? count and one? half hours ish?", _elapsed),
    Rule("in around? count hours and one? half ish?", _elapsed),
    Rule("in around? one? half one? hours ish?", _elapsed),
    Rule("in around? count dash|to|or count hours|mins ish?", _elapsed),
    Rule("in around? the? count hours|mins ish?", _elapsed),
    Rule("one? half one? hours from span", _elapsed),
    Rule("count hours|mins from span", _elapsed),
    Rule("at? the? clock hours", _hours_of_day),
)


# --- spans --------------------------------------------------------------------------------------


def _range(tokens: list[Token]) -> Built:
    clocks = _clocks(tokens)
    return _span(Shape.RANGE, *clocks) if clocks and len(clocks) == 2 else None


def _range_to_part(tokens: list[Token]) -> Built:
    """`entre las 9 y mediodia`, `from 9 to lunch`: up to where that part begins."""
    clocks, (part,) = _clocks(tokens), values(tokens, Part)
    ends = Clock(*divmod(part.start, 60), fixed=True)
    return _span(Shape.RANGE, clocks[0], ends) if clocks and part.start < 24 * 60 else None


def _moved_hour(tokens: list[Token]) -> Built:
    """`move it from 2 to 5` is no range."""
    clocks = _clocks(tokens)
    return [tokens[0], Token(Kind.INSTEAD), _span(Shape.EXACT, clocks[1])] if clocks else None


def _either(tokens: list[Token]) -> Built:
    """`around 2 or 3` is around both."""
    clocks = _clocks(tokens)
    return [_span(Shape.AROUND, clock) for clock in clocks] if clocks else None


def _shaped(pattern: str, shape: Shape, *, firm: bool = False) -> Rule:
    def build(tokens: list[Token]) -> Built:
        clocks = _clocks(tokens)
        return _span(shape, clocks[0], firm=firm) if clocks else None

    return Rule(pattern, build)


def _or_after(tokens: list[Token]) -> Built:
    """`before 10 or after 4`: another offer beside the one before it, where `10 or later` is one."""
    clocks = _clocks(tokens)
    if not clocks or tokens[0].value != "or":
        return None
    return [Token(Kind.OR), _span(Shape.AFTER, clocks[0])]


def _beside_part(tokens: list[Token]) -> Built:
    """`after lunch` starts where lunch ends, `before lunch` ends where it starts."""
    (part,) = values(tokens, Part)
    after = tokens[0].kind is Kind.AFTER
    hour, minute = divmod(part.end if after else part.start, 60)
    return _span(Shape.AFTER if after else Shape.BEFORE, Clock(hour % 24, minute, fixed=True))


def _this_part(tokens: list[Token]) -> Built:
    (part,) = values(tokens, Part)
    return [Token(Kind.DAY, Offset(0)), Token(Kind.SPAN, Span(Shape.PART, part=replace(part, this=True)))]


def _part(tokens: list[Token]) -> Built:
    (part,) = values(tokens, Part)
    return Token(Kind.SPAN, Span(Shape.PART, part=part))


def _late_part(tokens: list[Token]) -> Built:
    """`late tomorrow evening`: the last two hours of that part."""
    (part,) = values(tokens, Part)
    late = replace(part, start=max(part.start, part.end - 2 * 60))
    return [*(token for token in tokens if token.kind is Kind.DAY), Token(Kind.PART, late)]


def _late(tokens: list[Token]) -> Built:
    return Token(Kind.SPAN, Span(Shape.VAGUE))


def _aft(tokens: list[Token]) -> Built:
    return Token(Kind.PART, _AFTERNOON) if tokens[0].value == "aft" else None


def _lone_suffix(tokens: list[Token]) -> Built:
    return Token(Kind.PART, _MORNING if tokens[0].value == "am" else _AFTERNOON)


def _unchanged_word(tokens: list[Token]) -> Built:
    return Token(Kind.WORD)


def _corrected(tokens: list[Token]) -> Built:
    """`at 5 no wait 6`"""
    clocks = _clocks(tokens)
    return [tokens[0], _span(Shape.EXACT, clocks[0])] if clocks else None


def _by_day_at(tokens: list[Token]) -> Built:
    clocks = _clocks(tokens)
    day = next(token for token in tokens if token.kind is Kind.DAY)
    return [day, _span(Shape.BEFORE, clocks[0])] if clocks else None


def _by_day_part(tokens: list[Token]) -> Built:
    return [token for token in tokens if token.kind in (Kind.DAY, Kind.PART)]


RANGE_RULES: tuple[Rule, ...] = (
    Rule("change from at? the? clock to at? the? clock", _moved_hour),
    Rule("from|of|between the? clock at the? clock", _range),
    Rule("between at|around? the? clock and|or|dash|to|until at|around? the? clock ish?", _range),
    Rule("between|from|of|at|around* the? clock ish? dash|to|until at|around? the? clock ish?", _range),
    Rule("from the? clock and the? clock", _range),
    Rule("between|from|of at? the? clock and|to|dash|until in? the? part", _range_to_part),
)

SPAN_RULES: tuple[Rule, ...] = (
    Rule("at? around the? clock or at|around? the? clock ish?", _either),
    Rule("correction at? the? clock", _corrected),
    Rule("since at|around? the? clock|day|part", _unchanged_word),
    Rule("instead_of at|around? the? clock ish?", lambda tokens: Token(Kind.INSTEAD)),
    Rule("by|before|until the? day at? the? hour", _by_day_at),
    Rule("by|before|until the? day at the? clock", _by_day_at),
    Rule("by|before|until the? day part", _by_day_part),
    Rule("onwards at? the? clock", _or_after),
    _shaped("from|after? at|around? the? clock ish? onwards", Shape.AFTER),
    _shaped("onwards at? the? clock", Shape.AFTER),
    _shaped("by|before? at? the? clock or_earlier", Shape.BEFORE),
    _shaped("or_earlier at? the? clock", Shape.BEFORE),
    _shaped("home_from at|by|around|until|after|before|the* clock ish?", Shape.AFTER, firm=True),
    _shaped("leaves at|by|around|before|the* clock ish?", Shape.BEFORE, firm=True),
    _shaped("until after at|around? the? clock", Shape.AFTER, firm=True),
    _shaped("after|past at|around? the? clock ish?", Shape.AFTER),
    _shaped("from at|around? the? clock ish?", Shape.AFTER),
    _shaped("before at|around? the? clock ish?", Shape.BEFORE),
    _shaped("by at|around? the? clock ish?", Shape.BY),
    _shaped("until at|around? the? clock ish?", Shape.UNTIL),
    _shaped("at? around at? the? clock ish?", Shape.AROUND),
    _shaped("at? the? clock ish", Shape.AROUND),
    _shaped("at the? clock", Shape.EXACT),
    _shaped("article clock", Shape.EXACT),
    _shaped("hour", Shape.EXACT),
    Rule("after", _aft),
    Rule("late on? the? day in? the? part", _late_part),
    Rule("late", _late),
    Rule("suffix", _lone_suffix),
    Rule("after|before in? the? part", _beside_part),
    Rule("this the? part", _this_part),
    Rule("part", _part),
)


# --- bare hours ---------------------------------------------------------------------------------


def with_bare_hours(tokens: list[Token]) -> list[Token]:
    """Reads `tomorrow 5` and a lone `10` as times, when nothing else in the text is one."""
    if any(span.shape not in (Shape.ANY, Shape.VAGUE, Shape.PART) for span in values(tokens, Span)):
        return tokens
    return [
        _span(Shape.EXACT, clock) if (clock := _bare_hour(tokens, index)) else token
        for index, token in enumerate(tokens)
    ]


def _bare_hour(tokens: list[Token], index: int) -> Clock | None:
    token = tokens[index]
    before = tokens[index - 1].kind if index else Kind.BREAK
    after = tokens[index + 1].kind if index + 1 < len(tokens) else Kind.BREAK
    if token.kind is Kind.WORDNUM:
        welcome = before in (Kind.DAY, Kind.BREAK) and after in (Kind.BREAK, Kind.DAY)
    else:
        welcome = token.kind in (Kind.NUM, Kind.FOUR) and after not in _NOT_AFTER_AN_HOUR
        welcome = welcome and (before is not Kind.WORD or after is Kind.BREAK)
    return _clock(token) if welcome and token.value else None


_NOT_AFTER_AN_HOUR = (Kind.WORD, Kind.DAYS, Kind.WEEKS, Kind.MONTHS, Kind.HOURS, Kind.MINS, Kind.FORTNIGHTS)
