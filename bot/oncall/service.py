"""Who is on call, from sop.yml and what others keep; fulfils `bot.oncall.people.OnCall`."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.oncall.dispatchers import Dispatchers
from bot.oncall.models import OnCallSource
from bot.oncall.people import PERSON, OnCallPerson
from bot.oncall.rota import Feeds, OnDuty, Shift, Source, on_call_at, person_of, shifts_between
from bot.oncall.sources import calendar_key, group_key, kept, members_of
from bot.sop import ProtocolInForce
from bot.sop_oncall import Duty
from connectors.duty import Calendars, FeedShift

STALE_AFTER_ROUNDS = 3
"""A copy that missed so many rounds of reading is told with its age."""

LOOK_AHEAD = timedelta(days=35)
MOST_SPANS = 64
"""Of calendars that were made out for one stretch of time: enough for every zone's board."""


@dataclass(frozen=True)
class SourceAge:
    """A calendar or a group that could not be read lately."""

    key: str
    read_at: datetime | None
    """Wall time of the copy in force; None: it was never read."""
    why: str


@dataclass(frozen=True)
class ZoneDuty:
    """Who has a zone now, as people are told it."""

    zone: str
    """Empty: every zone that has no rota of its own."""
    timezone: str
    line: tuple[OnCallPerson, ...]
    source: Source
    until: datetime | None
    """When somebody else has it; None: not within the next weeks."""
    next: OnCallPerson | None
    strangers: tuple[str, ...]
    stale: tuple[SourceAge, ...]


class OnCallService:
    def __init__(self, clock: Clock, sop: ProtocolInForce, calendars: Calendars) -> None:
        self._clock = clock
        self._sop = sop
        self._calendars = calendars
        self._dispatchers = Dispatchers(sop)
        self._spans: dict[tuple[str, str, datetime, datetime], tuple[FeedShift, ...]] = {}

    # --- what escalations ask -----------------------------------------------------------------------

    async def line(self, session: AsyncSession, zone: str, at: datetime) -> tuple[OnCallPerson, ...]:
        return (await self.on_duty(session, zone, at)).line

    def is_set_up(self, zone: str) -> bool:
        return self._duty(zone) is not None

    async def may_acknowledge(self, session: AsyncSession) -> frozenset[str]:
        return await self._dispatchers.may_act(session)

    # --- what others ask ----------------------------------------------------------------------------

    async def on_duty(self, session: AsyncSession, zone: str, at: datetime) -> OnDuty:
        """The line, by what it came about, and whom nobody knows."""
        duty = self._duty(zone)
        if duty is None:
            return OnDuty((), Source.NOBODY)
        feeds = await self._feeds(session, duty, at, at)
        return on_call_at(duty, self._sop.current.people, at, self._zone(duty), feeds)

    async def shifts(self, session: AsyncSession, zone: str, start: datetime, end: datetime) -> list[Shift]:
        """Who has this zone from `start` to `end`, without a hole; empty where no rota is set up."""
        duty = self._duty(zone)
        if duty is None:
            return []
        feeds = await self._feeds(session, duty, start, end)
        return shifts_between(duty, self._sop.current.people, start, end, self._zone(duty), feeds)

    async def zone_duty(self, session: AsyncSession, zone: str, at: datetime) -> ZoneDuty | None:
        """None where no rota is set up for this zone."""
        duty = self._duty(zone)
        if duty is None:
            return None
        on_duty = await self.on_duty(session, zone, at)
        shifts = await self.shifts(session, zone, at, at + LOOK_AHEAD)
        own = [shift.person == shifts[0].person for shift in shifts]
        then = next((shift for shift, same in zip(shifts, own, strict=True) if not same), None)
        return ZoneDuty(
            zone=zone,
            timezone=self._zone(duty).key,
            line=on_duty.line,
            source=on_duty.source,
            until=then.start_at if then else None,
            next=then.person if then else None,
            strangers=on_duty.strangers,
            stale=tuple(await self.stale(session, duty)),
        )

    async def on_call_until(
        self, session: AsyncSession, zone: str, dispatcher: str, at: datetime
    ) -> datetime | None:
        """When the shift of this dispatcher ends, if it is theirs now; at most some weeks ahead."""
        for shift in await self.shifts(session, zone, at, at + LOOK_AHEAD):
            if shift.person is None or shift.person.dispatcher != dispatcher:
                return shift.start_at if shift.start_at > at else None
            last = shift.end_at
        return last if self.is_set_up(zone) else None

    def zones(self) -> list[str]:
        """Zones with a rota of their own, then the empty name where the others have one."""
        rules = self._sop.current.on_call
        return [*sorted(rules.zones), *([""] if rules.default else [])]

    def people(self) -> tuple[OnCallPerson, ...]:
        """Everybody of sop.yml, in its order."""
        return tuple(person_of(key, person) for key, person in self._sop.current.people.items())

    def find_person(self, dispatcher: str) -> OnCallPerson | None:
        """By Slack user id or `person:KEY`."""
        return next(
            (each for each in self.people() if dispatcher in (each.slack, f"{PERSON}{each.key}")), None
        )

    def operators(self) -> tuple[OnCallPerson, ...]:
        """Who is called when Doorline itself is ill; empty: sop.yml names nobody for it."""
        people = self._sop.current.people
        return tuple(person_of(key, people[key]) for key in self._sop.current.on_call.operators)

    async def stale(self, session: AsyncSession, duty: Duty) -> list[SourceAge]:
        """Sources of this rota whose copy missed several rounds of reading, or that were never read."""
        keys = _source_keys(duty)
        rows = await kept(session, keys)
        rounds = timedelta(minutes=self._sop.current.on_call.refresh_minutes) * STALE_AFTER_ROUNDS
        too_old = self._clock.wall() - rounds
        return [
            SourceAge(key, row.read_at if row else None, row.why if row else "")
            for key, row in ((key, rows.get(key)) for key in keys)
            if row is None or row.read_at is None or row.read_at < too_old
        ]

    # --- inside -------------------------------------------------------------------------------------

    def _duty(self, zone: str) -> Duty | None:
        return self._sop.current.on_call.duty_of(zone)

    def _zone(self, duty: Duty) -> ZoneInfo:
        return ZoneInfo(duty.timezone) if duty.timezone else self._sop.current.zone

    async def _feeds(self, session: AsyncSession, duty: Duty, start: datetime, end: datetime) -> Feeds:
        rows = await kept(session, _source_keys(duty))
        groups = {
            layer.group: members_of(rows[group_key(layer.group)])
            for layer in duty.layers
            if layer.group and group_key(layer.group) in rows
        }
        calendars = {
            layer.calendar: await self._made_out(rows[calendar_key(layer.calendar)], duty, start, end)
            for layer in duty.layers
            if layer.calendar and calendar_key(layer.calendar) in rows
        }
        return Feeds(calendars, groups)

    async def _made_out(
        self, row: OnCallSource, duty: Duty, start: datetime, end: datetime
    ) -> tuple[FeedShift, ...]:
        """A feed's events around that time. Years of events take a while: made out once per copy and day."""
        if row.content is None:
            return ()
        zone = self._zone(duty)
        first = start.replace(hour=0, minute=0, second=0, microsecond=0)
        last = end.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        key = (row.digest, zone.key, first, last)
        if key not in self._spans:
            shifts = await asyncio.to_thread(self._calendars.shifts, row.content, first, last, zone)
            while len(self._spans) >= MOST_SPANS:
                self._spans.pop(next(iter(self._spans)))
            self._spans[key] = shifts
        return self._spans[key]


def _source_keys(duty: Duty) -> Sequence[str]:
    calendars = [calendar_key(layer.calendar) for layer in duty.layers if layer.calendar]
    return [*calendars, *(group_key(layer.group) for layer in duty.layers if layer.group)]
