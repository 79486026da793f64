"""The values that words stand for, before they meet a calendar or a clock."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Meridiem = Literal["am", "pm"]


@dataclass(frozen=True)
class Clock:
    """A time of day as written. Without `meridiem` and below 13 it may be morning or evening."""

    hour: int
    minute: int = 0
    meridiem: Meridiem | None = None
    fixed: bool = False
    """Written on 24 hours (`14:00`, `0830`) or a word for one moment (noon)."""


@dataclass(frozen=True)
class Part:
    """A part of the day, in minutes from midnight."""

    start: int
    end: int
    meridiem: Meridiem
    this: bool = False
    """Said with `this`, so today is meant."""


class Shape(StrEnum):
    EXACT = "exact"
    AROUND = "around"
    AFTER = "after"
    BEFORE = "before"
    BY = "by"
    """Like BEFORE, except that `home by 5` means from 5 on."""
    UNTIL = "until"
    """Like BEFORE, except that `out until 5` means from 5 on."""
    RANGE = "range"
    PART = "part"
    ELAPSED = "elapsed"
    SAME_TIME = "same_time"
    ANY = "any"
    VAGUE = "vague"


@dataclass(frozen=True)
class Span:
    """A time phrase."""

    shape: Shape
    first: Clock | None = None
    last: Clock | None = None
    part: Part | None = None
    minutes: int = 0
    """ELAPSED: from now."""
    until_minutes: int = 0
    """ELAPSED: end of the interval, from now; 0 where one moment is meant."""
    firm: bool = False
    """Says when someone is there whatever the clause around it denies (`not home until after 5`)."""


class Which(StrEnum):
    PLAIN = "plain"
    THIS = "this"
    NEXT = "next"
    NEXT_WEEK = "next_week"


@dataclass(frozen=True)
class Offset:
    """Days from today."""

    days: int


@dataclass(frozen=True)
class WeekdayName:
    index: int
    """Monday is 0."""
    which: Which = Which.PLAIN
    weeks_later: int = 0


@dataclass(frozen=True)
class CalendarDay:
    day: int
    month: int | None = None
    year: int | None = None


class Stretch(StrEnum):
    """Days that come in a row."""

    THIS_WEEK = "this_week"
    REST_OF_WEEK = "rest_of_week"
    NEXT_WEEK = "next_week"
    THIS_WEEKEND = "this_weekend"
    NEXT_WEEKEND = "next_weekend"
    WEEK_AFTER_NEXT = "week_after_next"
    WEEKEND_AFTER_NEXT = "weekend_after_next"
    THIS_MONTH = "this_month"
    NEXT_MONTH = "next_month"
    SOME_END = "some_end"
    """`end of the month`: no day can be named."""


@dataclass(frozen=True)
class WholeMonth:
    month: int


@dataclass(frozen=True)
class Between:
    first: "SingleDay"
    last: "SingleDay"


@dataclass(frozen=True)
class Bound:
    """`by friday`, `after the 12th`: days up to or from one day."""

    day: "SingleDay"
    side: Literal["by", "before", "from", "after", "until"]


@dataclass(frozen=True)
class Recurring:
    """`mondays`, `weekdays`: no single day is meant."""

    weekdays: tuple[int, ...] = ()


@dataclass(frozen=True)
class AnyDay:
    """`any day`: as good as no day, but said."""


@dataclass(frozen=True)
class InMonth:
    """`first tuesday of july`, `last day of the month`."""

    nth: int
    """1 is the first, -1 the last."""
    weekday: int | None = None
    """None counts every day."""
    month: int | None = None
    """None: the month we are in."""


@dataclass(frozen=True)
class EasterDay:
    """Days from Easter Sunday."""

    offset: int


@dataclass(frozen=True)
class Shifted:
    """`the day before friday`."""

    day: "SingleDay"
    days: int


SingleDay = Offset | WeekdayName | CalendarDay | InMonth | EasterDay | Shifted
Day = SingleDay | Stretch | WholeMonth | Between | Bound | Recurring | AnyDay
