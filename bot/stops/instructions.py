"""Writes what a recipient wants the driver to know to the platform's notes, where drivers read it.

Access codes stand there and nowhere else of ours: neither in the audit log nor in what is said back.
"""

from datetime import datetime
from typing import Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot import audit
from bot.clock import Clock
from bot.conversations.models import InboundText
from bot.db import Database
from bot.sla.rules import clock_time
from bot.stops.access import may_change
from bot.stops.answers import HandoffPromise, NoteOutcome, StopAnswer, Turn
from bot.stops.asker import get_conversation
from bot.stops.models import StopRecord
from bot.stops.note_text import Note, what_to_note
from bot.stops.sync import PlatformSync
from connectors.base import Capability, RoutingPlatform, Stop
from connectors.errors import PlatformError, PlatformRejectedError, StopNotFoundError

log = structlog.get_logger()


class AnswersAboutStops(Protocol):
    async def get_answer(self, stop_id: str) -> StopAnswer: ...


class AsksDispatcher(Protocol):
    async def ask(self, turn: Turn, kind: str, stop_id: str, *, words: str = "") -> HandoffPromise:
        """A dispatcher approves or declines; approved, the line is written to the platform."""
        ...


class TellsDriver(Protocol):
    async def relay(
        self, session: AsyncSession, stop: StopRecord, inbound: InboundText | None, said: Note
    ) -> None:
        """Also tells the driver who has the stop on the van; once per text."""
        ...


class InstructionService:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        platforms: dict[str, RoutingPlatform],
        sync: PlatformSync,
        stops: AnswersAboutStops,
        requests: AsksDispatcher,
        driver: TellsDriver | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._platforms = platforms
        self._sync = sync
        self._stops = stops
        self._requests = requests
        self._driver = driver

    async def leave(self, turn: Turn, stop_id: str, label: str = "") -> NoteOutcome:
        """Writes one line: what the recipient's own text says, codes in full, after a `label` if there is one.

        Doing it again with the same words changes nothing. What the platform refuses, cannot be told, or
        somebody else's stop is, goes to a dispatcher.

        Raises `NotFoundError` for a stop or conversation that is none of ours.
        """
        before = await self._stops.get_answer(stop_id)
        async with self._database.transaction() as session:
            conversation = await get_conversation(session, turn)
            record = await session.get_one(StopRecord, UUID(stop_id))
            inbound = await session.get(InboundText, UUID(turn.inbound_id)) if turn.inbound_id else None
            is_own = await may_change(session, conversation, record, self._clock.wall())
        words = inbound.text if inbound is not None else turn.text
        said = what_to_note(words, label)
        if before.status.is_closed:
            return _outcome("stop_closed", before, said)
        if not said.line:
            return _outcome("nothing_said", before, said)
        if not is_own:
            return await self._ask_for_it(turn, before, said, "not_yours")
        at = inbound.received_at if inbound is not None else self._clock.now()
        result = await self._write(record, said, at)
        if result != "noted":
            return await self._ask_for_it(turn, before, said, result)
        await self._record(turn, record, inbound, said)
        return _outcome("noted", before, said)

    async def _write(self, record: StopRecord, said: Note, at: datetime) -> str:
        """What became of the line, by the platform's own record of it afterwards."""
        platform = self._platforms.get(record.platform)
        if platform is None or Capability.ADD_NOTE not in platform.capabilities:
            return "refused_by_platform"
        try:
            held = await self._held(platform, record, said, at)
        except (PlatformRejectedError, StopNotFoundError) as exc:
            log.info("note_refused", stop_id=str(record.id), error=type(exc).__name__)
            return "refused_by_platform"
        except PlatformError as exc:
            log.warning("note_undecided", stop_id=str(record.id), error=type(exc).__name__)
            return "platform_down"
        await self._sync.store_confirmed(held)
        if said.code and Capability.ACCESS_CODE in platform.capabilities:
            await self._keep_code(platform, record, said.code)
        return "noted"

    async def _keep_code(self, platform: RoutingPlatform, record: StopRecord, code: str) -> None:
        """Puts the code where the platform shows it by itself, in place of an earlier one.

        The driver has it in the words of the recipient too, so a platform that does not take it is no failure.
        """
        try:
            await self._sync.store_confirmed(await platform.set_access_code(record.platform_ref, code))
        except PlatformError as exc:
            log.info("access_code_not_kept", stop_id=str(record.id), error=type(exc).__name__)

    async def _held(self, platform: RoutingPlatform, record: StopRecord, said: Note, at: datetime) -> Stop:
        stop = await platform.get_stop(record.platform_ref)
        if stands_in(stop.notes, said.line):
            return stop
        return await platform.add_note(record.platform_ref, note_line(said.line, at, record.timezone))

    async def _ask_for_it(self, turn: Turn, stop: StopAnswer, said: Note, result: str) -> NoteOutcome:
        promise = await self._requests.ask(turn, "note", stop.stop_id, words=said.line)
        return _outcome(result, stop, said, promise.respond_by)

    async def _record(self, turn: Turn, record: StopRecord, inbound: InboundText | None, said: Note) -> None:
        async with self._database.transaction() as session:
            if self._driver is not None:
                await self._driver.relay(session, record, inbound, said)
            audit.record(
                session,
                self._clock.now(),
                "stop",
                str(record.id),
                "note_added",
                actor="recipient",
                inbound_id=turn.inbound_id,
                has_code=said.has_code,
            )


def note_line(words: str, at: datetime, timezone: str) -> str:
    """As a driver reads it: `Recipient 11/22 3:05 pm: gate 4471#`, local to the stop."""
    local = at.astimezone(ZoneInfo(timezone))
    return f"Recipient {local:%-m/%-d} {clock_time(at, timezone)}: {words}"


def stands_in(notes: str, words: str) -> bool:
    """Whether a recipient's line with these words is among the notes, whenever it was left."""
    lines = [" ".join(line.split()) for line in notes.splitlines()]
    return any(line.startswith("Recipient ") and line.endswith(f"m: {words}") for line in lines)


def _outcome(result: str, stop: StopAnswer, said: Note, respond_by: datetime | None = None) -> NoteOutcome:
    return NoteOutcome.model_validate(
        {
            "result": result,
            "stop": stop,
            "has_code": said.has_code,
            "place": said.where,
            "respond_by": respond_by,
        }
    )
