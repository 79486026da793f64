"""`/doorline who`: who is on call now, and who comes next."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.db import Database
from bot.oncall.people import OnCallPerson
from bot.oncall.service import OnCallService, SourceAge, ZoneDuty
from connectors.desk import AnswerCode, CommandAnswer, DeskCommand
from connectors.duty import DutyLine, DutyPerson


class WhoIsOnCall:
    def __init__(self, database: Database, clock: Clock, on_call: OnCallService) -> None:
        self._database = database
        self._clock = clock
        self._on_call = on_call

    async def __call__(self, command: DeskCommand) -> CommandAnswer:
        zone = command.fields.get("zone", "").strip()
        async with self._database.transaction() as session:
            duties = await self.duties(session, [zone] if zone else self._on_call.zones())
        return CommandAnswer(code=AnswerCode.ON_CALL, duties=tuple(duties))

    async def duties(self, session: AsyncSession, zones: list[str]) -> list[DutyLine]:
        """As they are told; a zone for which nobody is named is left out."""
        now = self._clock.now()
        found = [await self._on_call.zone_duty(session, zone, now) for zone in zones]
        return [_told(each, self._clock.wall()) for each in found if each is not None]


def _told(duty: ZoneDuty, wall: datetime) -> DutyLine:
    # Of several sources the oldest copy is the one to doubt.
    ages = [wall - each.read_at for each in duty.stale if each.read_at is not None]
    return DutyLine(
        zone=duty.zone,
        timezone=duty.timezone,
        line=tuple(_person(each) for each in duty.line),
        source=duty.source.value,
        until=duty.until,
        next=_person(duty.next) if duty.next else None,
        strangers=duty.strangers,
        stale=bool(duty.stale),
        stale_for=max(ages) if ages and not _never_read(duty.stale) else None,
    )


def _never_read(stale: tuple[SourceAge, ...]) -> bool:
    return any(each.read_at is None for each in stale)


def _person(person: OnCallPerson) -> DutyPerson:
    return DutyPerson(name=person.name, slack=person.slack, has_phone=person.phone is not None)
