"""Dispatchers pause, list and resume by command."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.db import Database
from bot.pauses.finding import Found, find_named
from bot.pauses.service import PauseService, PauseWanted
from bot.pauses.times import UnreadableTimeError, read_span
from bot.sop import ProtocolInForce
from connectors.desk import AnswerCode, CommandAnswer, DeskCommand
from connectors.pauses import PauseWhat

WHY_LIMIT = 240


class PauseCommands:
    """Each may see one command twice; the second time changes nothing and is answered the same."""

    def __init__(self, database: Database, clock: Clock, sop: ProtocolInForce, pauses: PauseService) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._pauses = pauses

    async def pause(self, command: DeskCommand) -> CommandAnswer:
        """`CommandKind.PAUSE`."""
        fields = command.fields
        try:
            what = PauseWhat(fields.get("what", ""))
        except ValueError:
            return _refused("unreadable")
        async with self._database.transaction() as session:
            name = fields.get("name", "").strip()
            found = await find_named(session, self._sop.current, what, name, command.occurred_at)
            if len(found) != 1:
                return _refused("several" if found else "unknown", f"{what.value} {name}".strip())
            return await self._pause(session, command, what, found[0])

    async def _pause(
        self, session: AsyncSession, command: DeskCommand, what: PauseWhat, found: Found
    ) -> CommandAnswer:
        # By when it was asked: a job that waits must not make it longer.
        asked_at = command.occurred_at
        try:
            starts_at, ends_at = read_span(command.fields, asked_at, ZoneInfo(found.timezone))
        except UnreadableTimeError:
            return _refused("unreadable")
        if (why_not := self._why_not(starts_at, ends_at, asked_at)) is not None:
            return _refused(why_not)
        wanted = PauseWanted(
            vendor_id=command.vendor_id,
            what=what,
            timezone=found.timezone,
            by=command.dispatcher,
            starts_at=starts_at,
            ends_at=ends_at,
            name=found.name,
            ref=found.ref,
            platform=found.platform,
            zone=found.zone,
            why=command.fields.get("why", "").strip()[:WHY_LIMIT],
        )
        pause = await self._pauses.pause(session, wanted)
        return CommandAnswer(code=AnswerCode.PAUSED, timezone=pause.timezone, pauses=(pause.notice(),))

    def _why_not(self, starts_at: datetime, ends_at: datetime | None, now: datetime) -> str | None:
        if ends_at is None:
            return None
        if ends_at <= now:
            return "past"
        longest = timedelta(hours=self._sop.current.pauses.longest_hours)
        return "too_long" if ends_at - max(starts_at, now) > longest else None

    async def show(self, command: DeskCommand) -> CommandAnswer:
        """`CommandKind.SHOW_PAUSES`."""
        async with self._database.transaction() as session:
            pauses = await self._pauses.listed(session)
        return CommandAnswer(code=AnswerCode.PAUSES, pauses=tuple(pauses))

    async def lift(self, command: DeskCommand) -> CommandAnswer:
        """`CommandKind.LIFT_PAUSE`."""
        number = command.fields.get("number", "")
        if not number.isdecimal():
            return _refused("no_such_pause")
        async with self._database.transaction() as session:
            pause = await self._pauses.lift(session, int(number), command.dispatcher)
        if pause is None:
            return _refused("no_such_pause")
        if pause.ended_by != command.dispatcher:
            return _refused("over")
        return CommandAnswer(code=AnswerCode.PAUSE_LIFTED, timezone=pause.timezone, pauses=(pause.notice(),))


def _refused(why: str, name: str = "") -> CommandAnswer:
    return CommandAnswer(code=AnswerCode.PAUSE_REFUSED, reasons=(why,), detail=name)
