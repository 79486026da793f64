"""Sections `people`, `on_call` and `pauses` of `sop.yml`: whom dispatch can call, who is on duty when, and how
long dispatch may keep Doorline quiet."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time
from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import Field, NaiveDatetime, model_validator

from bot.sop_parts import Section, TimeZoneName, Weekday

PersonKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]

DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES


class Person(Section):
    """A dispatcher, or somebody above them, who can be called."""

    name: str = Field(min_length=1, max_length=60)
    slack: str | None = Field(default=None, pattern=r"^[UW][A-Z0-9]{2,}$")
    """Slack user id; None: only by phone."""
    phone: str | None = Field(default=None, pattern=r"^\+[1-9][0-9]{6,14}$")
    """E.164; None: neither texted nor called."""
    email: str | None = Field(default=None, pattern=r"^[^@\s]+@[^@\s]+$")
    """By which a calendar names them."""
    language: str = Field(default="en", pattern="^(en|es)$")
    """In which they are texted and called."""
    zones: frozenset[str] = frozenset()
    """Whose board and manifest they see first; empty: all."""


class DutyHours(Section):
    """Local times, half open; an end that is not after the start is on the day after."""

    start: time
    end: time

    @property
    def minutes(self) -> int:
        length = (_minute(self.end) - _minute(self.start)) % DAY_MINUTES
        return length or DAY_MINUTES


class Rotation(Section):
    """People who take turns of the same length, in this order, over and over."""

    people: tuple[PersonKey, ...]
    every_days: int | None = Field(default=None, ge=1, le=366)
    every_weeks: int | None = Field(default=None, ge=1, le=52)
    handover_on: Weekday | None = None
    """Of turns of weeks; must be the weekday of `starts_on`, said so that nobody has to look it up."""
    handover_at: time = time(8)
    """Local."""
    starts_on: date
    """The day on which the first of `people` begins; before it, nobody is on call."""

    @property
    def days(self) -> int:
        return self.every_days or 7 * (self.every_weeks or 1)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.people:
            raise ValueError("expected somebody in people")
        if (self.every_days is None) == (self.every_weeks is None):
            raise ValueError("expected either every_days or every_weeks")
        if self.handover_on is not None and self.days % 7:
            raise ValueError("expected no handover_on, turns of days move through the week")
        if self.handover_on not in (None, Weekday.of(self.starts_on)):
            raise ValueError(
                f"expected starts_on to be a {self.handover_on}, {self.starts_on} is a {Weekday.of(self.starts_on)}"
            )
        return self


class Layer(Section):
    """Who is on call on these days and hours: people in turns, or a calendar, or a Slack user group."""

    days: frozenset[Weekday] = frozenset()
    """On which its hours begin; empty: every day."""
    hours: DutyHours | None = None
    """None: around the clock."""
    rotation: Rotation | None = None
    calendar: str | None = Field(default=None, pattern=r"^(https?|webcal)://\S+$", repr=False)
    """Address of an iCal feed. An event's attendees or title name the person: by email, name, key or Slack id."""
    group: str | None = Field(default=None, pattern=r"^S[A-Z0-9]{2,}$")
    """Slack user group id; its members in Slack's order."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(each is not None for each in (self.rotation, self.calendar, self.group)) != 1:
            raise ValueError("expected one of rotation, calendar and group")
        return self


class Override(Section):
    """Somebody else, for once. Local times, half open."""

    person: PersonKey
    start: NaiveDatetime
    end: NaiveDatetime

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.start >= self.end:
            raise ValueError(f"expected start before end, got {self.start} .. {self.end}")
        return self


SOURCES = ("rotation", "calendar", "group")


class Duty(Section):
    """Who is on call for a zone. `layers` may be left out: one rotation, calendar or group around the clock."""

    timezone: TimeZoneName | None = None
    """Where its local times are; None: the operator's."""
    layers: tuple[Layer, ...]
    """The first whose hours it is, and that has somebody, decides."""
    overrides: tuple[Override, ...] = ()
    backups: tuple[PersonKey, ...] = ()
    """Called in this order after those who are on call and the next ones of their rotation."""
    allow_gaps: bool = False
    """Whether there may be hours of the week for which no layer is."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        if not isinstance(value, dict) or "layers" in value:
            return value
        layer = {name: value[name] for name in SOURCES if name in value}
        return {name: each for name, each in value.items() if name not in layer} | {"layers": [layer]}

    @model_validator(mode="after")
    def _whole(self) -> Self:
        ordered = sorted(self.overrides, key=lambda each: each.start)
        for earlier, later in pairwise(ordered):
            if later.start < earlier.end:
                raise ValueError(f"expected overrides that do not overlap, found two at {later.start}")
        gap = next(gaps_of(self.layers), None)
        if gap is not None and not self.allow_gaps:
            raise ValueError(
                f"expected layers for the whole week, nobody is on call {gap}; `allow_gaps: true` if so meant"
            )
        return self

    @property
    def named(self) -> frozenset[str]:
        """Keys of `people` that it names."""
        turns = {key for layer in self.layers if layer.rotation for key in layer.rotation.people}
        return frozenset(turns | {each.person for each in self.overrides} | set(self.backups))


class OnCallRules(Section):
    """Who is on call. Left empty, nobody is named, and a mention calls `escalations.mention`."""

    default: Duty | None = None
    """For every zone that is not in `zones`."""
    zones: dict[str, Duty] = Field(default_factory=dict)
    operators: tuple[PersonKey, ...] = ()
    """Who is called when Doorline itself is ill; empty: who is on call."""
    refresh_minutes: int = Field(default=5, ge=1, le=24 * 60)
    """How often calendars and user groups are read."""

    def duty_of(self, zone: str) -> Duty | None:
        """None: nobody is named for it. A zone is found whatever its letters' case."""
        own = next((duty for name, duty in self.zones.items() if name.casefold() == zone.casefold()), None)
        return own or self.default

    @property
    def duties(self) -> tuple[Duty, ...]:
        return (*self.zones.values(), *((self.default,) if self.default else ()))

    def strangers(self, people: Mapping[str, Person]) -> list[str]:
        """Keys that are named here and are not in `people`."""
        named = {key for duty in self.duties for key in duty.named} | set(self.operators)
        return sorted(named - people.keys())


class PauseRules(Section):
    """Maintenance windows, in which what they cover is held back and listed afterwards."""

    longest_hours: int = Field(default=72, ge=1, le=24 * 60)
    remind_hours: int = Field(default=12, ge=1, le=24 * 7)
    """How often the channel is reminded of one that runs until it is lifted."""


# --- hours of the week that nobody has ------------------------------------------------------------------


def gaps_of(layers: Iterable[Layer]) -> Iterator[str]:
    """Each stretch of the week for which no layer is: `saturday 20:00 to monday 08:00`."""
    free = [True] * WEEK_MINUTES
    for layer in layers:
        for start, length in _stretches(layer):
            for minute in range(start, start + length):
                free[minute % WEEK_MINUTES] = False
    if all(free):
        yield "at any time"
        return
    # The week is a ring: a gap over Sunday's midnight is one gap.
    starts = [minute for minute in range(WEEK_MINUTES) if free[minute] and not free[minute - 1]]
    for start in starts:
        length = next(n for n in range(1, WEEK_MINUTES) if not free[(start + n) % WEEK_MINUTES])
        yield f"{_week_time(start)} to {_week_time((start + length) % WEEK_MINUTES)}"


def _stretches(layer: Layer) -> Iterator[tuple[int, int]]:
    for number, weekday in enumerate(Weekday):
        if not layer.days or weekday in layer.days:
            start = _minute(layer.hours.start) if layer.hours else 0
            yield number * DAY_MINUTES + start, layer.hours.minutes if layer.hours else DAY_MINUTES


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


def _week_time(minute: int) -> str:
    day, rest = divmod(minute, DAY_MINUTES)
    return f"{list(Weekday)[day]} {rest // 60:02d}:{rest % 60:02d}"
