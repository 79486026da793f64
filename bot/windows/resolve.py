"""From a phrase to a reading: what was said, on the calendar of the stop's zone, at the moment it was received."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from bot.windows.calendar import Dated, dated, ruled_out
from bot.windows.clauses import Said, understand
from bot.windows.holidays import public_holidays
from bot.windows.meaning import (
    AnyDay,
    Day,
    Recurring,
    Shape,
    SingleDay,
    Span,
    WeekdayName,
    Which,
)
from bot.windows.reading import Doubt, WindowReading
from bot.windows.slots import CLOSES, OPEN_ENDED, Slot, settle

# The first of these that applies is the reason; whatever stands before HOLIDAY in _MUST_ASK is never booked unasked.
_MUST_ASK = (
    Doubt.CONFLICT,
    Doubt.INVALID_DATE,
    Doubt.PAST,
    Doubt.SAME_WEEKDAY,
    Doubt.RECURRING,
    Doubt.EXCLUDED_DAY,
    Doubt.WHICH_DAY,
    Doubt.OUTSIDE_HOURS,
    Doubt.EXCLUDED_TIME,
    Doubt.WHICH_TIME,
    Doubt.VAGUE,
    Doubt.NO_TIME,
)
_MAY_ASK = (
    Doubt.SEVERAL_DAYS,
    Doubt.NEXT_WEEKDAY,
    Doubt.SAME_DATE,
    Doubt.FAR_FUTURE,
    Doubt.HOLIDAY,
    Doubt.NO_DATE,
    Doubt.AM_PM,
    Doubt.IN_PROGRESS,
)


@dataclass(frozen=True)
class _Moment:
    """When the text was received, as the stop's zone sees it."""

    at: datetime
    holidays_of: str

    @property
    def today(self) -> date:
        return self.at.date()

    @property
    def minute(self) -> int:
        return self.at.hour * 60 + self.at.minute


def read_window(text: str, *, now: datetime, timezone: str, locale: str = "en-US") -> WindowReading:
    """What `text` says about when a delivery should come; the convention is docs/delivery-times.md.

    `now` is aware; `timezone` is the stop's. Never raises on any text: what cannot be read asks, with
    `no_time` as the reason.
    """
    moment = _Moment(now.astimezone(ZoneInfo(timezone)), locale)
    said = understand(text, locale)
    if elapsed := next((span for span in said.spans if span.shape is Shape.ELAPSED), None):
        return _elapsed(elapsed, moment)
    return _read(said, moment)


# --- days ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Days:
    """The dates wanted. `doubt` without a date forbids booking; `named` is False when no day was said."""

    dates: tuple[date, ...] = ()
    date_end: date | None = None
    doubt: Doubt | None = None
    named: bool = True
    excluded: tuple[date, ...] = ()

    @property
    def first(self) -> date | None:
        return self.dates[0] if self.dates else None


def _days(said: Said, today: date) -> _Days:
    excluded = tuple(sorted({day for ruled in said.excluded for day in ruled_out(ruled, today)}))
    wanted = _wanted(said)
    if not wanted:
        doubt = Doubt.EXCLUDED_DAY if said.excluded else None
        return _Days(doubt=doubt, named=bool(said.excluded), excluded=excluded)
    found = [_apposed(group, today) for group in wanted]
    if len(found) > 1:
        found = [_a_week_on(day, group, today) for day, group in zip(found, wanted, strict=True)]
    refusal = next((day for day in found if day.day is None), None)
    usable = [day for day in found if day.day is not None and (day.last_day or day.day not in excluded)]
    if refusal is not None and (refusal.doubt is not Doubt.PAST or not usable):
        return _refused(refusal, excluded)
    if not usable:
        return _Days(doubt=Doubt.EXCLUDED_DAY, excluded=excluded)
    return _usable(usable, excluded)


def _a_week_on(day: Dated, group: list[Day], today: date) -> Dated:
    """Among several weekdays offered, today's own name means the next one."""
    return Dated(today + timedelta(days=7)) if day.doubt is Doubt.SAME_WEEKDAY and len(group) == 1 else day


def _refused(day: Dated, excluded: tuple[date, ...]) -> _Days:
    doubt = Doubt.EXCLUDED_DAY if excluded and day.doubt in (Doubt.WHICH_DAY, Doubt.RECURRING) else day.doubt
    return _Days(doubt=doubt, excluded=excluded)


def _usable(found: list[Dated], excluded: tuple[date, ...]) -> _Days:
    dates = tuple(dict.fromkeys(day.day for day in found if day.day))
    if found[0].last_day or found[0].doubt is Doubt.WHICH_DAY:
        return _Days(dates[:1], found[0].last_day, found[0].doubt, excluded=excluded)
    doubts = [day.doubt for day in found if day.doubt]
    return _Days(dates, doubt=Doubt.SEVERAL_DAYS if len(dates) > 1 else next(iter(doubts), None))


def _wanted(said: Said) -> list[list[Day]]:
    """The days said, those that name one day twice (`tuesday, june 16`) together; a single day beats a stretch."""
    groups: list[list[Day]] = []
    most = max((_precision(day) for day in said.days), default=0)
    for day, beside in zip(said.days, said.apposed, strict=True):
        if _precision(day) < most:
            continue
        if groups and beside and _names_the_same(groups[-1][-1], day):
            groups[-1].append(day)
        else:
            groups.append([day])
    return groups


def _precision(day: Day) -> int:
    if isinstance(day, SingleDay):
        return 3
    return {Recurring: 1, AnyDay: 0}.get(type(day), 2)


def _names_the_same(one: Day, other: Day) -> bool:
    return isinstance(one, WeekdayName) != isinstance(other, WeekdayName) or type(one) is not type(other)


def _apposed(group: list[Day], today: date) -> Dated:
    """One date out of its several names; they must agree."""
    named = [day for day in group if isinstance(day, WeekdayName) and day.which is Which.PLAIN]
    firm = [dated(day, today) for day in group if day not in named]
    if not firm:
        return dated(group[0], today)
    first = firm[0]
    if any(other.day != first.day for other in firm):
        return Dated(doubt=Doubt.CONFLICT)
    if first.day and any(first.day.weekday() != day.index for day in named):
        return Dated(doubt=Doubt.CONFLICT)
    return first


# --- the whole ----------------------------------------------------------------------------------


def _read(said: Said, moment: _Moment) -> WindowReading:
    days = _days(said, moment.today)
    if not days.named:
        return _unnamed(said, moment)
    if days.doubt is Doubt.PAST:
        return _reading(doubts=[Doubt.PAST])
    on_today = days.first == moment.today and days.date_end is None
    slot = _settled(said, moment, passed=moment.minute if on_today else 0)
    if len(days.dates) > 1 and sum(span.shape not in OPEN_ENDED for span in said.spans) > 1:
        slot = Doubt.WHICH_TIME
    if len(days.dates) > 1 and slot is Doubt.CONFLICT:
        slot = Doubt.WHICH_TIME
    if on_today and _is_over(slot, moment.minute):
        if len(days.dates) == 1:
            return _reading(doubts=[Doubt.PAST])
        days = replace(days, dates=days.dates[1:], doubt=Doubt.SEVERAL_DAYS if len(days.dates) > 2 else None)
    doubts = [days.doubt, *_time_doubts(said, slot), _holiday(days.first, moment)]
    anytime = any(span.shape is Shape.ANY for span in said.spans)
    return _reading(
        dates=days.dates,
        date_end=days.date_end,
        slot=slot,
        doubts=doubts,
        excluded=days.excluded,
        lenient=anytime and days.date_end is not None,
    )


def _unnamed(said: Said, moment: _Moment) -> WindowReading:
    """No day said: today while it can still be met, else tomorrow."""
    slot = _settled(said, moment, passed=moment.minute)
    day = moment.today
    if not isinstance(slot, Slot):
        open_question = (
            Doubt.WHICH_DAY if any(span.shape is Shape.ANY for span in said.spans) else Doubt.NO_TIME
        )
        doubts = _time_doubts(said, slot) or [open_question]
        return _reading(doubts=doubts)
    if _is_over(slot, moment.minute):
        day += timedelta(days=1)
        slot = _settled(said, moment, passed=0)
    begun = (
        day == moment.today
        and isinstance(slot, Slot)
        and slot.kind == "closed"
        and slot.start < moment.minute
    )
    return _reading(
        dates=(day,),
        slot=slot,
        doubts=[
            *_time_doubts(said, slot),
            Doubt.NO_DATE if said.replaced else None,
            Doubt.IN_PROGRESS if begun else None,
            _holiday(day, moment),
        ],
    )


def _settled(said: Said, moment: _Moment, passed: int) -> Slot | Doubt | None:
    if any(span.shape is Shape.SAME_TIME for span in said.spans):
        return Slot(moment.minute, moment.minute + 60, "exact")
    return settle(said.spans, passed, either=said.either_time)


def _is_over(slot: Slot | Doubt | None, minute: int) -> bool:
    """Whether today is too late for it; no time at all means the service day."""
    if isinstance(slot, Slot):
        end = slot.end if slot.is_outside else min(slot.end, CLOSES)
        return slot.start < minute if slot.kind == "exact" else end <= minute
    return minute >= CLOSES


def _time_doubts(said: Said, slot: Slot | Doubt | None) -> list[Doubt | None]:
    if isinstance(slot, Doubt):
        return [slot]
    if slot is None:
        return [Doubt.EXCLUDED_TIME] if said.time_ruled_out else []
    return [Doubt.OUTSIDE_HOURS if slot.is_outside else None, slot.doubt]


def _holiday(day: date | None, moment: _Moment) -> Doubt | None:
    return Doubt.HOLIDAY if day and day in public_holidays(moment.holidays_of) else None


def _elapsed(span: Span, moment: _Moment) -> WindowReading:
    """`in 3 hours`: counted on the clock that never changes, then read on the wall."""
    zone = moment.at.tzinfo
    start = (moment.at.astimezone(UTC) + timedelta(minutes=span.minutes)).astimezone(zone)
    end = (moment.at.astimezone(UTC) + timedelta(minutes=span.until_minutes)).astimezone(zone)
    begin = start.hour * 60 + start.minute
    if span.until_minutes <= span.minutes:
        slot = Slot(begin, begin + 60, "exact")
    else:
        length = (end.date() - start.date()).days * 24 * 60 + end.hour * 60 + end.minute - begin
        slot = Slot(begin, begin + max(length, 1))
    doubts = [Doubt.OUTSIDE_HOURS if slot.is_outside else None, _holiday(start.date(), moment)]
    return _reading(dates=(start.date(),), slot=slot, doubts=doubts)


def _reading(
    *,
    dates: tuple[date, ...] = (),
    date_end: date | None = None,
    slot: Slot | Doubt | None = None,
    doubts: list[Doubt | None],
    excluded: tuple[date, ...] = (),
    lenient: bool = False,
) -> WindowReading:
    reason = next((doubt for doubt in (*_MUST_ASK, *_MAY_ASK) if doubt in doubts), None)
    ask: Literal["no", "yes", "ok"] = "yes" if reason in _MUST_ASK else "ok" if reason else "no"
    usable = slot.clipped() if isinstance(slot, Slot) and not slot.is_outside else None
    return WindowReading(
        date=dates[0] if dates else None,
        date_end=date_end,
        start=_time(usable.start) if usable else None,
        end=_time(usable.end) if usable else None,
        ask="ok" if lenient and reason is Doubt.WHICH_DAY else ask,
        reason=reason,
        alternatives=dates if len(dates) > 1 else (),
        exclude=excluded,
    )


def _time(minute: int) -> time:
    return time(*divmod(minute, 60))
