"""Carries one wanted change out at its platform, and tells what became of it: in the thread, and who asked."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.escalations.deeds.asking_platform import NEEDS, ask_for_write
from bot.escalations.deeds.models import DeedWrite, WriteKind, WriteState
from bot.escalations.deeds.recipient_texts import Message, Order, RecipientTexts, Told
from bot.escalations.models import Escalation
from bot.escalations.thread import note, show
from bot.stops.models import StopRecord
from bot.stops.sync import PlatformSync
from connectors.base import DeliveryWindow, RoutingPlatform, Stop
from connectors.errors import (
    PlatformError,
    PlatformRejectedError,
    PlatformUnavailableError,
    Refused,
    StopNotFoundError,
)
from connectors.escalation import Happening

log = structlog.get_logger()

STRANDED_AFTER = timedelta(minutes=30)


class Whisper(Protocol):
    """A quiet word to who asked; `DeskKeeper` fulfils it."""

    async def not_done(self, channel: str, dispatcher: str, code: str, address_line: str) -> None: ...


class DeedWriter:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        platforms: Mapping[str, RoutingPlatform],
        sync: PlatformSync,
        texts: RecipientTexts,
        whisper: Whisper,
    ) -> None:
        self._database = database
        self._clock = clock
        self._platforms = platforms
        self._sync = sync
        self._texts = texts
        self._whisper = whisper

    async def carry_out(self, write_id: UUID) -> None:
        """Between two commits; writing the same again changes nothing more.

        Raises `PlatformUnavailableError`: to be tried again.
        """
        async with self._database.transaction() as session:
            write = await session.get_one(DeedWrite, write_id)
            stop = await session.get_one(StopRecord, write.stop_id)
        if write.state is not WriteState.ASKED:
            return
        code = await self._write(write, stop)
        if not await self._conclude(write_id, code) or not code:
            return
        await self._whisper.not_done(write.asked_in, write.asked_by, code, stop.address_line)

    async def ask_for_stranded(self) -> int:
        """Asks again for writes whose job gave up; gives how many."""
        wall = self._clock.wall()
        async with self._database.transaction() as session:
            found = await session.scalars(
                select(DeedWrite)
                .where(
                    col(DeedWrite.state) == WriteState.ASKED,
                    col(DeedWrite.tried_at) <= wall - STRANDED_AFTER,
                )
                .limit(100)
                .with_for_update(skip_locked=True)
            )
            stranded = list(found)
            for write in stranded:
                stop = await session.get_one(StopRecord, write.stop_id)
                write.tried_at = wall
                await ask_for_write(session, write, stop.platform)
        return len(stranded)

    async def _write(self, write: DeedWrite, stop: StopRecord) -> str:
        """Empty once the platform holds it; else the code of why not."""
        platform = self._platforms.get(stop.platform)
        if platform is None or NEEDS[write.kind] not in platform.capabilities:
            return "not_possible"
        if not stop.is_open:
            return Refused.FINISHED
        try:
            await self._sync.store_confirmed(await _written(platform, stop, write))
        except PlatformUnavailableError:
            raise
        except StopNotFoundError:
            await self._sync.look_again(stop.platform, stop.platform_ref)
            return "not_found"
        except PlatformRejectedError as exc:
            return exc.code or "refused"
        except PlatformError as exc:
            log.error("deed_not_written", write_id=str(write.id), error=type(exc).__name__)
            return "unavailable"
        return ""

    async def _conclude(self, write_id: UUID, code: str) -> bool:
        """Whether this run was the one that ended it."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            write = await session.get_one(DeedWrite, write_id, with_for_update=True)
            if write.state is not WriteState.ASKED:
                return False
            escalation = await session.get_one(Escalation, write.escalation_id, with_for_update=True)
            write.state = WriteState.REFUSED if code else WriteState.DONE
            write.code, write.settled_at = code, now
            _tell_thread(session, escalation, write, now)
            if write.kind is WriteKind.MOVE_WINDOW and not code and write.wanted.get("tell"):
                await self._tell_recipient(session, escalation, write, now)
            await show(session, escalation)
        return True

    async def _tell_recipient(
        self, session: AsyncSession, escalation: Escalation, write: DeedWrite, now: datetime
    ) -> None:
        stop = await session.get_one(StopRecord, write.stop_id)
        order = Order(escalation.id, Message.WINDOW_MOVED, write.asked_by)
        told = await self._texts.tell(session, stop, order)
        facts = {"message": order.message.value, "stops": 1}
        by, stop_id = write.asked_by, stop.id
        if told is Told.SENT:
            kind = Happening.RECIPIENT_TOLD
            note(session, escalation, kind, now, dispatcher=by, stop_id=stop_id, facts=facts)
        elif told in (Told.NO_PHONE, Told.OPTED_OUT):
            kind = Happening.REPLY_NOT_SENT
            note(session, escalation, kind, now, dispatcher=by, stop_id=stop_id, words=told.value)


async def _written(platform: RoutingPlatform, stop: StopRecord, write: DeedWrite) -> Stop:
    """The stop as the platform holds it afterwards."""
    if write.kind is WriteKind.REASSIGN:
        return await platform.assign_driver(stop.platform_ref, str(write.wanted["driver"]))
    return await platform.change_window(stop.platform_ref, window_of(write))


def window_of(write: DeedWrite) -> DeliveryWindow:
    return DeliveryWindow(
        start_at=datetime.fromisoformat(write.wanted["start_at"]),
        end_at=datetime.fromisoformat(write.wanted["end_at"]),
    )


def _tell_thread(session: AsyncSession, escalation: Escalation, write: DeedWrite, now: datetime) -> None:
    by, stop_id = write.asked_by, write.stop_id
    if write.code:
        note(session, escalation, Happening.NOT_DONE, now, dispatcher=by, stop_id=stop_id, words=write.code)
    elif write.kind is WriteKind.REASSIGN:
        name = str(write.wanted.get("driver_name", ""))
        note(session, escalation, Happening.REASSIGNED, now, dispatcher=by, stop_id=stop_id, words=name)
    else:
        facts = {"window": window_of(write).model_dump(mode="json")}
        note(session, escalation, Happening.WINDOW_MOVED, now, dispatcher=by, stop_id=stop_id, facts=facts)
    verb = f"{write.kind.value}_{'refused' if write.code else 'done'}"
    details = {"stop_id": str(stop_id), "code": write.code}
    audit.record(session, now, "escalation", str(escalation.id), verb, actor=by, **details)
