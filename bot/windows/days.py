"""Rules that read day phrases: tokens -> a DAY token."""

from dataclasses import replace

from bot.windows.meaning import (
    AnyDay,
    Between,
    Bound,
    CalendarDay,
    Day,
    InMonth,
    Offset,
    Recurring,
    Shifted,
    SingleDay,
    Span,
    Stretch,
    WeekdayName,
    Which,
    WholeMonth,
)
from bot.windows.tokens import Built, Kind, Rule, Token, numbers, values

_FIRST_YEAR = 2020
_DAYS_IN = {Kind.DAYS: 1, Kind.WEEKS: 7, Kind.FORTNIGHTS: 14}
_WORK_WEEK = (0, 4)
"""Monday to Friday: a habit, not a stretch of days."""


def _day(day: Day) -> Token:
    return Token(Kind.DAY, day)


def _month(tokens: list[Token]) -> int:
    return next(token.value for token in tokens if token.kind is Kind.MONTH)  # type: ignore[return-value]


def _weekdays(tokens: list[Token]) -> list[int]:
    return [token.value for token in tokens if token.kind is Kind.WEEKDAY and isinstance(token.value, int)]


def _singles(tokens: list[Token]) -> list[SingleDay]:
    return [day for day in values(tokens, object) if isinstance(day, SingleDay)]


def _date_in_month(tokens: list[Token]) -> Built:
    """A numbered day of a named month, with a year where one follows."""
    day, *rest = numbers(tokens)
    year = rest[0] if rest else None
    if not 1 <= day <= 31 or (year is not None and not _FIRST_YEAR <= year <= _FIRST_YEAR + 79):
        return None
    return _day(CalendarDay(day, _month(tokens), year))


def _dates_in_month(tokens: list[Token]) -> Built:
    first, last = numbers(tokens)
    month = _month(tokens)
    return _day(Between(CalendarDay(first, month), CalendarDay(last, month)))


def _choice_in_month(tokens: list[Token]) -> Built:
    first, last = numbers(tokens)
    month = _month(tokens)
    return [_day(CalendarDay(first, month)), Token(Kind.OR), _day(CalendarDay(last, month))]


def _spanish_dates(tokens: list[Token]) -> Built:
    if tokens[0].value != "days":
        return None
    first, last = numbers(tokens)
    return _day(Between(CalendarDay(first), CalendarDay(last)))


def _numbered_between(tokens: list[Token]) -> Built:
    """`entre el 15 y el 17`"""
    first, last = numbers(tokens)
    return _day(Between(CalendarDay(first), CalendarDay(last)))


def _numbered(tokens: list[Token]) -> Built:
    (day,) = numbers(tokens)
    return _day(CalendarDay(day))


def _weekday_and_number(tokens: list[Token]) -> Built:
    """`friday 13`, `el viernes 12`: below 13 an English number is an hour."""
    (day,) = numbers(tokens)
    named = any(token.kind is Kind.THE_DAY for token in tokens)
    if day <= 12 and not named:
        return None
    return [_day(WeekdayName(_weekdays(tokens)[0])), _day(CalendarDay(day))]


def _weekday(which: Which) -> Rule:
    words = {
        Which.NEXT_WEEK: "next_week on|the_day|article* weekday",
        Which.NEXT: "next weekday",
        Which.THIS: "this coming? weekday",
        Which.PLAIN: "coming? weekday",
    }

    def build(tokens: list[Token]) -> Built:
        plain = which is Which.PLAIN or any(token.kind is Kind.COMING for token in tokens)
        return _day(WeekdayName(_weekdays(tokens)[0], Which.PLAIN if plain else which))

    return Rule(words[which], build)


def _all_weekdays(which: Which) -> "Rule":
    """A word like `next` said once for several weekdays."""
    pattern = {
        Which.NEXT_WEEK: "next_week on? weekday or|and weekday",
        Which.NEXT: "next weekday or|and weekday",
        Which.THIS: "this weekday or|and weekday",
    }[which]

    def build(tokens: list[Token]) -> Built:
        first, last = (_day(WeekdayName(index, which)) for index in _weekdays(tokens))
        return [first, Token(Kind.OR), last]

    return Rule(pattern, build)


def _weekdays_next_week(tokens: list[Token]) -> Built:
    said = [_day(WeekdayName(index, Which.NEXT_WEEK)) for index in _weekdays(tokens)]
    return [said[0], Token(Kind.OR), said[1]] if len(said) > 1 else said


def _weekday_this_week(tokens: list[Token]) -> Built:
    return _day(WeekdayName(_weekdays(tokens)[0], Which.THIS))


def _weekday_next(tokens: list[Token]) -> Built:
    return _day(WeekdayName(_weekdays(tokens)[0], Which.NEXT))


def _length(tokens: list[Token]) -> int:
    return next(_DAYS_IN[token.kind] for token in tokens if token.kind in _DAYS_IN)


def _days_ahead(tokens: list[Token]) -> Built:
    count = (numbers(tokens) or [1])[0]
    return _day(Offset(count * _length(tokens)))


def _days_from(tokens: list[Token]) -> Built:
    """`3 days from tomorrow`, `2 weeks from friday`, `a week from now`."""
    count = (numbers(tokens) or [1])[0] * _length(tokens)
    if values(tokens, Span):
        return _day(Offset(count))
    day = next(iter(_singles(tokens)), None)
    if isinstance(day, Offset):
        return _day(Offset(day.days + count))
    if isinstance(day, WeekdayName) and count % 7 == 0:
        return _day(WeekdayName(day.index, day.which, weeks_later=count // 7))
    return _day(Shifted(day, count)) if day else None


def _beside_day(tokens: list[Token]) -> Built:
    """`the day before friday`"""
    day = next(iter(_singles(tokens)), None)
    before = any(token.kind is Kind.BEFORE for token in tokens)
    return _day(Shifted(day, -1 if before else 1)) if day else None


def _or_day_after(tokens: list[Token]) -> Built:
    """`tomorrow or the day after`"""
    day = next(iter(_singles(tokens)), None)
    return [tokens[0], Token(Kind.OR), _day(Shifted(day, 1))] if day else None


def _weekdays_from_now(tokens: list[Token]) -> Built:
    """`two fridays from now`"""
    (count,) = numbers(tokens)
    recurring = next(iter(values(tokens, Recurring)), Recurring())
    if len(recurring.weekdays) != 1 or count < 1:
        return None
    return _day(WeekdayName(recurring.weekdays[0], weeks_later=count - 1))


def _nth_in_month(tokens: list[Token]) -> Built:
    nth = numbers(tokens)[0]
    weekday = next(iter(_weekdays(tokens)), None)
    month = next((token.value for token in tokens if token.kind is Kind.MONTH), None)
    stretches = values(tokens, Stretch)
    if nth > 5 or (stretches and stretches[0] is not Stretch.THIS_MONTH):
        return None
    return _day(InMonth(nth, weekday, month if isinstance(month, int) else None))


def _coming_days(tokens: list[Token]) -> Built:
    """`in the next 3 days`, `within 2 days`"""
    if tokens[0].value != "within" and not any(token.kind is Kind.NEXT for token in tokens):
        return None
    return _day(Between(Offset(0), Offset(numbers(tokens)[0] * _length(tokens))))


def _weekday_after_next(tokens: list[Token]) -> Built:
    return _day(WeekdayName(_weekdays(tokens)[0], Which.NEXT, weeks_later=1))


def _weekday_weeks(tokens: list[Token]) -> Built:
    count = (numbers(tokens) or [1])[0] * _length(tokens)
    return _day(WeekdayName(_weekdays(tokens)[0], weeks_later=count // 7))


def _weekday_in_eight(tokens: list[Token]) -> Built:
    """`el martes en ocho`: eight days by the Spanish count are a week."""
    weeks = {8: 1, 15: 2}.get(numbers(tokens[1:])[0])
    return _day(WeekdayName(_weekdays(tokens)[0], weeks_later=weeks)) if weeks else None


def _days_ago(tokens: list[Token]) -> Built:
    return _day(Offset(-(numbers(tokens) or [1])[0] * _length(tokens)))


def _between(tokens: list[Token]) -> Built:
    days = _singles(tokens)
    if len(days) != 2:
        return None
    first, last = days
    if _is_work_week(first, last):
        return _day(Recurring((0, 1, 2, 3, 4)))
    if isinstance(last, CalendarDay) and isinstance(first, CalendarDay) and last.month and not first.month:
        first = CalendarDay(first.day, last.month)
    return _day(Between(first, last))


def _is_work_week(first: SingleDay, last: SingleDay) -> bool:
    if not (isinstance(first, WeekdayName) and isinstance(last, WeekdayName)):
        return False
    return (first.index, last.index) == _WORK_WEEK


def _bound(tokens: list[Token]) -> Built:
    days = _singles(tokens)
    if not days:
        return None
    word = tokens[0]
    if word.kind is Kind.AFTER and word.value == "from":
        return _day(Bound(days[0], "until"))
    if word.value == "onwards":
        return _day(Bound(days[0], "from"))
    if word.kind is Kind.BY or word.value == "by":
        return _day(Bound(days[0], "by"))
    if word.kind is Kind.BEFORE:
        return _day(Bound(days[0], "before"))
    if word.kind is Kind.UNTIL:
        return _day(Bound(days[0], "until"))
    return _day(Bound(days[0], "after" if word.kind is Kind.AFTER else "from"))


def _from_on(tokens: list[Token]) -> Built:
    days = _singles(tokens)
    return _day(Bound(days[0], "from")) if days else None


def _the_other(tokens: list[Token]) -> Built:
    day = next(iter(_singles(tokens)), None)
    if not isinstance(day, WeekdayName):
        return None
    return _day(replace(day, weeks_later=day.weeks_later + 1))


def _constant(pattern: str, day: Day) -> Rule:
    return Rule(pattern, lambda tokens: _day(day))


def _whole_month(tokens: list[Token]) -> Built:
    if tokens[0].kind is Kind.EDGE and tokens[0].value == "end":
        return _day(Stretch.SOME_END)
    return _day(WholeMonth(_month(tokens)))


def _unchanged_word(tokens: list[Token]) -> Built:
    return Token(Kind.WORD)


DATE_RULES: tuple[Rule, ...] = (
    Rule("the? ordinal weekday|days of|in this|the* month|months|day", _nth_in_month),
    Rule("the? ordinal|next weeks of|in the? month", _whole_month),
    Rule("month the? nth dash|to|until the? nth", _dates_in_month),
    Rule("the? nth dash|to|until the? nth of? month", _dates_in_month),
    Rule("of num to num of? month", _dates_in_month),
    Rule("month the? nth or|and the? nth", _choice_in_month),
    Rule("the? nth or|and the? nth of? month", _choice_in_month),
    Rule("of num to num", _spanish_dates),
    Rule("between the_day num and|dash|to the_day num", _numbered_between),
    Rule("the_day wordnum of the? month", _date_in_month),
    Rule("the? nth of? the? month break? of? four", _date_in_month),
    Rule("month the? nth break? four", _date_in_month),
    Rule("the? nth of? the? month", _date_in_month),
    Rule("month the? nth", _date_in_month),
    Rule("the? ordinal", _numbered),
)
"""Read before clock times: they use up numbers that would look like hours."""

DAY_RULES: tuple[Rule, ...] = (
    Rule("the_day num word", _unchanged_word),
    Rule("next weeks", lambda tokens: Token(Kind.NEXT_WEEK)),
    Rule("the? weekday after next", _weekday_after_next),
    Rule("the_day? weekday the_day? num", _weekday_and_number),
    Rule("the_day num", _numbered),
    Rule("weekday or|and weekday of|in|on|the|from* next_week", _weekdays_next_week),
    Rule("weekday of|in|on|the|from* next_week", _weekdays_next_week),
    Rule("weekday of|in|on|the|from* this_week", _weekday_this_week),
    Rule("this_week on? weekday", _weekday_this_week),
    Rule("weekday count? weeks|fortnights", _weekday_weeks),
    Rule("weekday in wordnum days?", _weekday_in_eight),
    Rule("weekday next", _weekday_next),
    _all_weekdays(Which.NEXT_WEEK),
    _all_weekdays(Which.NEXT),
    _all_weekdays(Which.THIS),
    _weekday(Which.NEXT_WEEK),
    _weekday(Which.NEXT),
    _weekday(Which.THIS),
    _weekday(Which.PLAIN),
    Rule("count days|weeks|fortnights from|on|after|of|the* day|span", _days_from),
    Rule("weeks|fortnights on|from|after the? day", _days_from),
    Rule("day weeks|fortnights", _days_from),
    Rule("count days|weeks|fortnights ago", _days_ago),
    Rule("ago count days|weeks|fortnights", _days_ago),
    Rule("in the? next? count days|weeks", _coming_days),
    Rule("in count days|weeks|fortnights", _days_ahead),
    Rule("count day from span", _weekdays_from_now),
    Rule("the? days after|before the? day", _beside_day),
    Rule("day or the? days after", _or_day_after),
    _constant("in count months", AnyDay()),
    _constant("next the? weekend", Stretch.NEXT_WEEKEND),
    _constant("weekend next", Stretch.NEXT_WEEKEND),
    _constant("weekend of|in|the* next_week", Stretch.NEXT_WEEKEND),
    _constant("this|coming|the_day|article* weekend", Stretch.THIS_WEEKEND),
    _constant("next_week", Stretch.NEXT_WEEK),
    _constant("this_week", Stretch.THIS_WEEK),
    Rule("in|edge|next|this|part the? month", _whole_month),
    _constant("every", Recurring()),
    Rule("between|from? the? day dash|to|until the? day", _between),
    Rule("between the? day and the? day", _between),
    Rule("from|after the? day onwards", _from_on),
    Rule("the? day onwards", _from_on),
)

OTHER_RULES: tuple[Rule, ...] = (
    Rule("not day break* the_day? other|next", _the_other),
    Rule("day not break* the_day? other|next", _the_other),
)
"""`not this saturday, the one after`."""

BOUND_RULES: tuple[Rule, ...] = (Rule("by|before|until|after|from on? the? day", _bound),)
