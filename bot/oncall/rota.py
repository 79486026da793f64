"""Pure: who is on call at an instant, and which shifts there are between two.

Local times become instants by one rule: a time that comes twice when the clocks go back is the first of the two,
one that the clocks skip is as long after midnight as it would have been. So what ends and what begins at one local
time do so at one instant, on every day of the year.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo

from bot.oncall.naming import people_named
from bot.oncall.people import OnCallPerson
from bot.sop_oncall import Duty, Layer, Override, Person, Rotation
from bot.sop_parts import Weekday
from connectors.duty import FeedShift, GroupMember

DAY = timedelta(days=1)


class Source(StrEnum):
    """By what somebody is on call."""

    OVERRIDE = "override"
    ROTATION = "rotation"
    CALENDAR = "calendar"
    GROUP = "group"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Feeds:
    """What is kept elsewhere, as last read: calendars by their address, groups by their id."""

    calendars: Mapping[str, Sequence[FeedShift]] = field(default_factory=dict)
    groups: Mapping[str, Sequence[GroupMember]] = field(default_factory=dict)


@dataclass(frozen=True)
class OnDuty:
    line: tuple[OnCallPerson, ...]
    """Whom to call, in order: who is on call, the next ones, the backups. Empty: nobody is on call."""
    source: Source
    strangers: tuple[str, ...] = ()
    """Names in a calendar's events of this instant that nobody of sop.yml has."""


@dataclass(frozen=True)
class Shift:
    """[start_at, end_at), cut off where one asked for less."""

    start_at: datetime
    end_at: datetime
    person: OnCallPerson | None
    """None: nobody is on call."""
    source: Source


def on_call_at(
    duty: Duty, people: Mapping[str, Person], at: datetime, zone: ZoneInfo, feeds: Feeds
) -> OnDuty:
    """`at` is aware; `zone` is where the duty's local times are.

    An override takes the place of who would have been on call: that person is not called at all meanwhile.
    """
    regular = _regular(duty, people, at, zone, feeds)
    override = next((each for each in duty.overrides if _override_holds(each, at, zone)), None)
    if override is None:
        backups = _persons(duty.backups, people) if regular.line else ()
        return OnDuty(_each_once((*regular.line, *backups)), regular.source, regular.strangers)
    stands_in = _person(override.person, people)
    others = (*regular.line[1:], *_persons(duty.backups, people))
    line = [person for person in others if person not in regular.line[:1]]
    return OnDuty(_each_once((stands_in, *line)), Source.OVERRIDE, regular.strangers)


def shifts_between(
    duty: Duty, people: Mapping[str, Person], start: datetime, end: datetime, zone: ZoneInfo, feeds: Feeds
) -> list[Shift]:
    """Who has it from `start` to `end` without a hole: a stretch that nobody has is a shift of nobody."""
    inside = {at for at in _changes(duty, start, end, zone, feeds) if start < at < end}
    edges = [start, *sorted(inside), end]
    shifts: list[Shift] = []
    for begins, ends in pairwise(edges):
        now = on_call_at(duty, people, begins, zone, feeds)
        person = now.line[0] if now.line else None
        if shifts and (shifts[-1].person, shifts[-1].source) == (person, now.source):
            shifts[-1] = Shift(shifts[-1].start_at, ends, person, now.source)
        else:
            shifts.append(Shift(begins, ends, person, now.source))
    return shifts


# --- whose turn it is -----------------------------------------------------------------------------------


def _regular(duty: Duty, people: Mapping[str, Person], at: datetime, zone: ZoneInfo, feeds: Feeds) -> OnDuty:
    """By the first layer whose hours it is and that has somebody."""
    strangers: list[str] = []
    for layer in duty.layers:
        if not _layer_holds(layer, at, zone):
            continue
        found = _of_layer(layer, people, at, zone, feeds)
        strangers += found.strangers
        if found.line:
            return OnDuty(found.line, found.source, tuple(strangers))
    return OnDuty((), Source.NOBODY, tuple(strangers))


def _of_layer(
    layer: Layer, people: Mapping[str, Person], at: datetime, zone: ZoneInfo, feeds: Feeds
) -> OnDuty:
    if layer.rotation is not None:
        return OnDuty(_turn(layer.rotation, people, at, zone), Source.ROTATION)
    if layer.calendar is not None:
        return _in_calendar(feeds.calendars.get(layer.calendar, ()), people, at)
    members = feeds.groups.get(layer.group or "", ())
    return OnDuty(tuple(_member(each, people) for each in members), Source.GROUP)


def _turn(
    rotation: Rotation, people: Mapping[str, Person], at: datetime, zone: ZoneInfo
) -> tuple[OnCallPerson, ...]:
    """Whoever's turn it is, then the next ones; nobody before the rotation begins."""
    days = (at.astimezone(zone).date() - rotation.starts_on).days
    guess = days // rotation.days
    # Around a change of the clocks the local day alone may be one off.
    turn = next((n for n in (guess + 1, guess, guess - 1) if _handover(rotation, n, zone) <= at), guess)
    if turn < 0:
        return ()
    first = turn % len(rotation.people)
    return _persons((*rotation.people[first:], *rotation.people[:first]), people)


def _handover(rotation: Rotation, turn: int, zone: ZoneInfo) -> datetime:
    return _instant(rotation.starts_on + turn * rotation.days * DAY, rotation.handover_at, zone)


def _in_calendar(shifts: Iterable[FeedShift], people: Mapping[str, Person], at: datetime) -> OnDuty:
    """Of events at once the one that began last comes first: it was laid over the others."""
    now = [shift for shift in shifts if shift.start_at <= at < shift.end_at]
    now.sort(key=lambda shift: (-shift.start_at.timestamp(), shift.end_at, shift.names))
    found, strangers = [], []
    for shift in now:
        keys = people_named(shift.names, people)
        found += keys
        strangers += [] if keys else [shift.names[0]]
    return OnDuty(_persons(found, people), Source.CALENDAR, tuple(strangers))


# --- when something holds -------------------------------------------------------------------------------


def _override_holds(override: Override, at: datetime, zone: ZoneInfo) -> bool:
    start, end = _override_edges(override, zone)
    return start <= at < end


def _override_edges(override: Override, zone: ZoneInfo) -> tuple[datetime, datetime]:
    start, end = override.start, override.end
    return _instant(start.date(), start.time(), zone), _instant(end.date(), end.time(), zone)


def _layer_holds(layer: Layer, at: datetime, zone: ZoneInfo) -> bool:
    today = at.astimezone(zone).date()
    # Hours that pass midnight began yesterday; by the clocks' change the day may also have gone back.
    return any(
        start <= at < end
        for day in (today - DAY, today, today + DAY)
        for start, end in _hours(layer, day, zone)
    )


def _hours(layer: Layer, day: date, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """The layer's stretch that begins on this local day, if there is one."""
    if layer.days and Weekday.of(day) not in layer.days:
        return
    begins, ends = (layer.hours.start, layer.hours.end) if layer.hours else (time(), time())
    last = day if ends > begins else day + DAY
    yield _instant(day, begins, zone), _instant(last, ends, zone)


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at.replace(fold=0), zone).astimezone(UTC)


def _changes(duty: Duty, start: datetime, end: datetime, zone: ZoneInfo, feeds: Feeds) -> Iterator[datetime]:
    """Every instant at which somebody else may be on call; also some at which nobody changes."""
    for override in duty.overrides:
        yield from _override_edges(override, zone)
    first = start.astimezone(zone).date() - DAY
    days = [first + n * DAY for n in range((end - start).days + 4)]
    for layer in duty.layers:
        for day in days:
            for stretch in _hours(layer, day, zone):
                yield from stretch
            if layer.rotation is not None:
                yield _instant(day, layer.rotation.handover_at, zone)
        for shift in feeds.calendars.get(layer.calendar or "", ()):
            yield from (shift.start_at, shift.end_at)


# --- people -----------------------------------------------------------------------------------------------


def person_of(key: str, person: Person) -> OnCallPerson:
    return OnCallPerson(key, person.name, person.slack, person.phone, person.language)


def _person(key: str, people: Mapping[str, Person]) -> OnCallPerson:
    return person_of(key, people[key])


def _persons(keys: Iterable[str], people: Mapping[str, Person]) -> tuple[OnCallPerson, ...]:
    return _each_once(_person(key, people) for key in keys)


def _member(member: GroupMember, people: Mapping[str, Person]) -> OnCallPerson:
    """Somebody of a Slack group; whoever is not in sop.yml is only mentioned."""
    key = next((key for key, person in people.items() if person.slack == member.slack), None)
    if key is not None:
        return _person(key, people)
    return OnCallPerson(member.slack.lower(), member.name or member.slack, member.slack)


def _each_once(persons: Iterable[OnCallPerson]) -> tuple[OnCallPerson, ...]:
    return tuple(dict.fromkeys(persons))
