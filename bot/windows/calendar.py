"""Day meanings on a real calendar: which dates they are when the text arrived, and what is doubtful about them."""

import calendar
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from dateutil.easter import easter

from bot.windows.meaning import (
    AnyDay,
    Between,
    Bound,
    CalendarDay,
    Day,
    EasterDay,
    InMonth,
    Offset,
    Recurring,
    Shifted,
    Stretch,
    WeekdayName,
    Which,
    WholeMonth,
)
from bot.windows.reading import Doubt

FAR = timedelta(days=62)
"""Further off than this, a numbered date may be a slip."""
_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Dated:
    """A day phrase with its date, or without one and the doubt that forbids it."""

    day: date | None = None
    last_day: date | None = None
    doubt: Doubt | None = None


def dated(day: Day, today: date) -> Dated:
    """The dates that `day` means when said on `today`."""
    if isinstance(day, Offset):
        return _offset(day, today)
    if isinstance(day, WeekdayName):
        return _weekday(day, today)
    if isinstance(day, CalendarDay):
        return _calendar_day(day, today)
    if isinstance(day, InMonth | EasterDay):
        return _unless_far(next(found for found in _occurrences(day, today) if found >= today), today)
    if isinstance(day, Shifted):
        return _shifted(day, today)
    if isinstance(day, Stretch):
        return _stretch(day, today)
    if isinstance(day, WholeMonth):
        return _month(day, today)
    if isinstance(day, Between):
        return _between(day, today)
    if isinstance(day, Bound):
        return _bound(day, today)
    if isinstance(day, AnyDay):
        return Dated(doubt=Doubt.WHICH_DAY)
    return Dated(doubt=Doubt.RECURRING)


def ruled_out(day: Day, today: date) -> list[date]:
    """The dates in the coming week that a denied day phrase rules out."""
    if isinstance(day, WeekdayName) and day.which is Which.PLAIN and not day.weeks_later:
        return [_first_after(today, day.index)]
    if isinstance(day, Recurring):
        return sorted(_first_after(today, index) for index in day.weekdays)
    found = dated(day, today)
    if found.day is None:
        return []
    last = found.last_day or found.day
    count = min((last - found.day).days, 31)
    return [found.day + timedelta(days=offset) for offset in range(count + 1)]


def _first_after(today: date, weekday: int) -> date:
    return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)


def _monday(today: date) -> date:
    return today - timedelta(days=today.weekday())


def _offset(day: Offset, today: date) -> Dated:
    if day.days < 0:
        return Dated(doubt=Doubt.PAST)
    return _unless_far(today + timedelta(days=day.days), today)


def _unless_far(found: date, today: date) -> Dated:
    return Dated(found, doubt=Doubt.FAR_FUTURE if found - today > FAR else None)


def _weekday(day: WeekdayName, today: date) -> Dated:
    if day.which is Which.THIS:
        return _this_weekday(day, today)
    if day.which is Which.PLAIN:
        if day.index == today.weekday():
            return Dated(doubt=Doubt.SAME_WEEKDAY)
        return Dated(_first_after(today, day.index) + day.weeks_later * _WEEK)
    wanted = _monday(today) + _WEEK + day.index * _DAY + day.weeks_later * _WEEK
    nearer = day.which is Which.NEXT and _first_after(today, day.index) < wanted
    return Dated(wanted, doubt=Doubt.NEXT_WEEKDAY if nearer else None)


def _this_weekday(day: WeekdayName, today: date) -> Dated:
    wanted = _monday(today) + day.index * _DAY + day.weeks_later * _WEEK
    if wanted == today:
        return Dated(doubt=Doubt.SAME_WEEKDAY)
    return Dated(wanted) if wanted > today else Dated(doubt=Doubt.PAST)


def _calendar_day(day: CalendarDay, today: date) -> Dated:
    if day.month is None:
        return _next_numbered(day.day, today)
    if not _exists(day):
        return Dated(doubt=Doubt.INVALID_DATE)
    if day.year is not None:
        found = date(day.year, day.month, day.day)
        return _unless_far(found, today) if found >= today else Dated(doubt=Doubt.PAST)
    # Eight years hold a 29th of February whatever the year.
    years = range(today.year, today.year + 9)
    candidates = (date(year, day.month, day.day) for year in years if _exists(day, year))
    return _unless_far(next(found for found in candidates if found >= today), today)


def _exists(day: CalendarDay, year: int | None = None) -> bool:
    if day.month is None or not 1 <= day.month <= 12:
        return False
    # 2024 is a leap year: the 29th of February exists until a year says otherwise.
    length = calendar.monthrange(year or day.year or 2024, day.month)[1]
    return 1 <= day.day <= length


def _occurrences(day: InMonth | EasterDay, today: date) -> Iterator[date]:
    """Year by year, or month by month where none is named."""
    if isinstance(day, EasterDay):
        yield from (easter(today.year + ahead) + day.offset * _DAY for ahead in range(3))
        return
    first = today.replace(day=1)
    for _ in range(30):
        found = _nth_of_month(day, first) if day.month in (None, first.month) else None
        if found is not None:
            yield found
        first = _next_month(first)


def _nth_of_month(day: InMonth, first: date) -> date | None:
    days = (first + offset * _DAY for offset in range((_month_end(first) - first).days + 1))
    counted = [each for each in days if day.weekday in (None, each.weekday())]
    index = day.nth - 1 if day.nth > 0 else day.nth
    return counted[index] if index < len(counted) else None


def _shifted(day: Shifted, today: date) -> Dated:
    base = dated(day.day, today)
    if base.day is None:
        return base
    found = base.day + day.days * _DAY
    return Dated(found, doubt=base.doubt) if found >= today else Dated(doubt=Doubt.PAST)


def _next_numbered(number: int, today: date) -> Dated:
    """The next day of that number after today, in this month or the first that has it."""
    if not 1 <= number <= 31:
        return Dated(doubt=Doubt.INVALID_DATE)
    month = today.replace(day=1)
    while calendar.monthrange(month.year, month.month)[1] < number or month.replace(day=number) <= today:
        month = _next_month(month)
    found = month.replace(day=number)
    if number == today.day:
        return Dated(found, doubt=Doubt.SAME_DATE)
    short_month = calendar.monthrange(today.year, today.month)[1] < number
    return Dated(found, doubt=Doubt.FAR_FUTURE if short_month or found - today > FAR else None)


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _month_end(first: date) -> date:
    return _next_month(first) - _DAY


_STRETCHES: dict[Stretch, Callable[[date], tuple[date, date]]] = {
    Stretch.THIS_WEEK: lambda today: (today, _monday(today) + 6 * _DAY),
    Stretch.REST_OF_WEEK: lambda today: (
        min(today + _DAY, _monday(today) + 6 * _DAY),
        _monday(today) + 6 * _DAY,
    ),
    Stretch.NEXT_WEEK: lambda today: (_monday(today) + _WEEK, _monday(today) + _WEEK + 6 * _DAY),
    Stretch.THIS_WEEKEND: lambda today: (
        max(today, _monday(today) + 5 * _DAY),
        _monday(today) + 6 * _DAY,
    ),
    Stretch.NEXT_WEEKEND: lambda today: (
        _monday(today) + _WEEK + 5 * _DAY,
        _monday(today) + _WEEK + 6 * _DAY,
    ),
    Stretch.WEEK_AFTER_NEXT: lambda today: (
        _monday(today) + 2 * _WEEK,
        _monday(today) + 2 * _WEEK + 6 * _DAY,
    ),
    Stretch.WEEKEND_AFTER_NEXT: lambda today: (
        _monday(today) + 2 * _WEEK + 5 * _DAY,
        _monday(today) + 2 * _WEEK + 6 * _DAY,
    ),
    Stretch.THIS_MONTH: lambda today: (today, _month_end(today.replace(day=1))),
    Stretch.NEXT_MONTH: lambda today: (
        _next_month(today.replace(day=1)),
        _month_end(_next_month(today.replace(day=1))),
    ),
}


def _stretch(day: Stretch, today: date) -> Dated:
    if day is Stretch.SOME_END:
        return Dated(doubt=Doubt.WHICH_DAY)
    first, last = _STRETCHES[day](today)
    return Dated(first, last, Doubt.WHICH_DAY)


def _month(day: WholeMonth, today: date) -> Dated:
    if day.month == today.month:
        return _stretch(Stretch.THIS_MONTH, today)
    first = date(today.year + (day.month < today.month), day.month, 1)
    return Dated(first, _month_end(first), Doubt.WHICH_DAY)


def _between(day: Between, today: date) -> Dated:
    first = dated(day.first, today)
    if first.day is None:
        return first
    # `mon-wed`: the Wednesday after that Monday.
    last = dated(day.last, first.day if isinstance(day.last, WeekdayName) else today)
    if last.day is None or last.day <= first.day:
        return Dated(doubt=Doubt.CONFLICT)
    return Dated(first.day, last.day, Doubt.WHICH_DAY)


def _bound(day: Bound, today: date) -> Dated:
    found = dated(day.day, today)
    if found.day is None:
        return found
    if day.side in ("from", "until"):
        return Dated(found.day, doubt=Doubt.WHICH_DAY)
    if day.side == "after":
        return Dated(found.day + _DAY, doubt=Doubt.WHICH_DAY)
    last = found.day if day.side == "by" else found.day - _DAY
    if last < today:
        return Dated(doubt=Doubt.PAST)
    return Dated(today, last, Doubt.WHICH_DAY)
