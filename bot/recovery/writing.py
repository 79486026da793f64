"""Writes a second try to the platform and reads it back: once, however often it is tried, whoever was killed."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

import structlog
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.conversations.models import InboundText
from bot.db import Database
from bot.recovery import queries
from bot.recovery.addresses import corrected
from bot.recovery.answers import Preference
from bot.recovery.codes import code_in
from bot.recovery.ending import ask_to_write
from bot.recovery.informing import Informing
from bot.recovery.models import Recovery, RecoveryState, Why
from bot.recovery.notes import note_of
from bot.recovery.transitions import DEFAULT, RECIPIENT, Transitions
from bot.recovery.windows import BookableWindows, next_service_day
from bot.sop import ProtocolInForce
from bot.stops.models import StopRecord
from bot.stops.sync import PlatformSync
from connectors.base import (
    ACCESS_CODE_LABEL,
    Address,
    Capability,
    DeliveryWindow,
    Reattempt,
    RoutingPlatform,
    Stop,
)
from connectors.errors import PlatformError, PlatformUnavailableError

log = structlog.get_logger()

LEASE = timedelta(minutes=1)
AGAIN_SOON = timedelta(seconds=2)
STRANDED_AFTER = timedelta(minutes=2)
"""Wall time after which a second try on its way is asked for again: its job may be gone."""


class WriteResult(StrEnum):
    BOOKED = "booked"
    MOOT = "moot"
    """It was not to be written any more."""
    REFUSED = "refused"
    NOT_POSSIBLE = "not_possible"
    NO_WINDOW = "no_window"


@dataclass(frozen=True)
class Written:
    result: WriteResult
    again_id: UUID | None = None
    """The second try, as we know it."""
    window: DeliveryWindow | None = None
    """That was wanted, or is booked."""
    detail: str = ""
    """The platform's own words."""
    lacks_code: bool = False
    """Booked without the code that was agreed: nobody has it any more."""


@dataclass(frozen=True)
class Order:
    """What is to be written, read in one transaction."""

    recovery: Recovery
    stop: StopRecord
    again: StopRecord | None
    """The second try where one stands already: then it is changed."""
    preference: Preference
    code: str
    cancelled_tries: int
    """How many earlier second tries were cancelled on the platform."""
    is_code_lost: bool
    """There was one, and nobody has it any more: neither we nor the second try."""


class SecondTries:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        platforms: dict[str, RoutingPlatform],
        sync: PlatformSync,
        windows: BookableWindows,
        transitions: Transitions,
        informing: Informing,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._platforms = platforms
        self._sync = sync
        self._windows = windows
        self._transitions = transitions
        self._informing = informing

    async def write(self, recovery_id: UUID, *, tell: bool) -> Written:
        """Between two commits the platform is asked; it finds by our reference what an earlier try made.

        `tell`: the recipient hears of the booking; not where a text of theirs is being answered by it.

        Raises `PlatformUnavailableError`: to be tried again.
        """
        order = await self._order(recovery_id)
        if order is None:
            return Written(WriteResult.MOOT)
        try:
            return await self._write(order, tell=tell)
        finally:
            await self._let_go(order)

    async def _write(self, order: Order, *, tell: bool) -> Written:
        platform = self._platforms.get(order.stop.platform)
        if platform is None or Capability.REATTEMPT not in platform.capabilities:
            return Written(WriteResult.NOT_POSSIBLE, window=order.preference.window)
        window = await self._window(order)
        if window is None:
            return Written(WriteResult.NO_WINDOW)
        try:
            held = await self._held(platform, order, window)
        except PlatformUnavailableError:
            raise
        except PlatformError as exc:
            log.info("second_try_refused", recovery_id=str(order.recovery.id), error=type(exc).__name__)
            return Written(WriteResult.REFUSED, window=window, detail=exc.detail)
        again_id = await self._sync.store_confirmed(held)
        return await self._booked(order, again_id, window, tell=tell)

    async def ask_for_stranded(self) -> int:
        """Asks again for second tries on their way whose job is gone; gives how many."""
        before = self._clock.wall() - STRANDED_AFTER
        async with self._database.transaction() as session:
            found = await session.execute(
                select(Recovery, StopRecord)
                .join(StopRecord, col(StopRecord.id) == col(Recovery.stop_id))
                .where(
                    col(Recovery.state) == RecoveryState.WRITING,
                    or_(col(Recovery.tried_at).is_(None), col(Recovery.tried_at) <= before),
                )
                .limit(100)
                .with_for_update(of=Recovery, skip_locked=True)
            )
            stranded = [(recovery, stop) for recovery, stop in found]
            for recovery, stop in stranded:
                recovery.tried_at = self._clock.wall()
                await ask_to_write(session, recovery, stop)
        return len(stranded)

    # --- inside ---------------------------------------------------------------------------------

    async def _order(self, recovery_id: UUID) -> Order | None:
        """Raises `PlatformUnavailableError` while another process writes it."""
        wall = self._clock.wall()
        async with self._database.transaction() as session:
            recovery = await session.get(Recovery, recovery_id, with_for_update=True)
            if recovery is None or recovery.state is not RecoveryState.WRITING:
                return None
            stop = await session.get_one(StopRecord, recovery.stop_id)
            if recovery.lease_until is not None and recovery.lease_until > wall:
                raise PlatformUnavailableError(stop.platform, "the second try is being written", AGAIN_SOON)
            recovery.tried_at, recovery.lease_until = wall, wall + LEASE
            preference = Preference.model_validate(recovery.preference)
            again = await _second_try(session, recovery, stop)
            inbound = await _text_with_code(session, preference)
            code = code_in(inbound.text) if inbound is not None else ""
            is_lost = preference.has_code and not code and not _stands_there(recovery, again, inbound)
            cancelled = await queries.cancelled_tries(session, stop)
            return Order(recovery, stop, again, preference, code, cancelled, is_lost)

    async def _let_go(self, order: Order) -> None:
        async with self._database.transaction() as session:
            recovery = await session.get_one(Recovery, order.recovery.id, with_for_update=True)
            if recovery.lease_until == order.recovery.lease_until:  # else another process has it by now
                recovery.lease_until = None

    async def _window(self, order: Order) -> DeliveryWindow | None:
        """What was agreed, else the next that can be booked; nobody having answered, the next service day's.

        None as well where what the recipient agreed to has gone by: they have agreed to nothing else.
        """
        agreed = order.preference.window
        if agreed is not None and agreed.end_at > self._clock.now():
            return agreed
        if agreed is not None and order.recovery.settled_by == RECIPIENT:
            return None
        if order.again is not None and order.again.window is not None:
            return order.again.window
        if order.recovery.settled_by == RECIPIENT:
            return next(iter(await self._windows.offers(str(order.stop.id))), None)
        ahead = self._sop.current.redelivery.days_ahead
        return await next_service_day(self._windows, order.stop, self._clock.now(), ahead)

    async def _held(self, platform: RoutingPlatform, order: Order, window: DeliveryWindow) -> Stop:
        """The second try as the platform holds it, made or changed to what is wanted now."""
        recovery = order.recovery
        on_file = order.preference.has_code and not order.is_code_lost
        told = order.preference.model_copy(update={"has_code": on_file})
        note = note_of(told, recovery.attempt, recovery.reason)
        if order.again is not None:
            held = await platform.get_stop(order.again.platform_ref)
        else:
            address = await self._address(platform, order)
            wanted = Reattempt(
                own_ref=own_ref(recovery.id, order.cancelled_tries),
                window=window,
                note=note,
                access_code=order.code,
                address=address,
            )
            held = await platform.reattempt(order.stop.platform_ref, wanted)
        return await self._changed(platform, held, window, note, order.code)

    async def _changed(
        self, platform: RoutingPlatform, held: Stop, window: DeliveryWindow, note: str, code: str
    ) -> Stop:
        """An earlier try, or an earlier answer, may have left it with another window or other notes."""
        if held.window != window:
            held = await platform.change_window(held.platform_ref, window)
        if note not in held.notes and Capability.ADD_NOTE in platform.capabilities:
            held = await platform.add_note(held.platform_ref, note)
        has_code = f"{ACCESS_CODE_LABEL}{code}" in held.notes.splitlines()
        if code and not has_code and Capability.ACCESS_CODE in platform.capabilities:
            held = await platform.set_access_code(held.platform_ref, code)
        return held

    async def _address(self, platform: RoutingPlatform, order: Order) -> Address | None:
        """The corrected one, once a dispatcher has approved it: before that nothing is written."""
        if not order.preference.address:
            return None
        return corrected(order.preference.address, (await platform.get_stop(order.stop.platform_ref)).address)

    async def _booked(self, order: Order, again_id: UUID, window: DeliveryWindow, *, tell: bool) -> Written:
        async with self._database.transaction() as session:
            recovery = await self._transitions.locked(session, order.recovery.id)
            if recovery is None or recovery.state is not RecoveryState.WRITING:
                return Written(WriteResult.MOOT)
            stop = await session.get_one(StopRecord, recovery.stop_id)
            again = await session.get_one(StopRecord, again_id, populate_existing=True)
            if Preference.model_validate(recovery.preference) != order.preference:
                # Another answer came meanwhile: it stays to be written, to the stop that there is now.
                recovery.reattempt_id = again_id
                await ask_to_write(session, recovery, stop)
                return Written(WriteResult.MOOT)
            await self._transitions.booked(session, recovery, stop, again, recovery.settled_by)
            if order.is_code_lost:
                await self._transitions.calls.ask_what(session, recovery, again, Why.CODE_LOST)
            # Of a second try that a dispatcher made by approving it they have heard with the approval.
            is_approved = order.recovery.reattempt_id is not None and order.again is not None
            if tell and (not is_approved or recovery.settled_by == RECIPIENT):
                by_default = recovery.settled_by == DEFAULT
                response = "utter_recovery_told_next_day" if by_default else "utter_recovery_told_booked"
                await self._informing.inform(session, recovery, again, response, window)
        return Written(WriteResult.BOOKED, again_id, window, lacks_code=order.is_code_lost)


def own_ref(recovery_id: UUID, cancelled_tries: int = 0) -> str:
    """Our reference of the second try: the same however often it is written.

    Another one once the platform has cancelled it: under the old one the cancelled try would be found.
    """
    return f"RC-{recovery_id.hex[:12].upper()}" + (f"-{cancelled_tries + 1}" if cancelled_tries else "")


async def _second_try(session: AsyncSession, recovery: Recovery, stop: StopRecord) -> StopRecord | None:
    """Ours, or one that somebody has made by hand: the parcel needs no two."""
    again = await queries.again_of(session, recovery) or await queries.second_try_of(session, stop)
    return again if again is not None and again.is_open else None


async def _text_with_code(session: AsyncSession, preference: Preference) -> InboundText | None:
    """The recipient's own text: the code is read from there, and kept nowhere."""
    if not preference.has_code or preference.code_inbound_id is None:
        return None
    return await session.get(InboundText, UUID(preference.code_inbound_id))


def _stands_there(recovery: Recovery, again: StopRecord | None, inbound: InboundText | None) -> bool:
    """Whether the second try was booked with that text's code before: it has it, or a dispatcher was called."""
    if again is None or recovery.settled_at is None:
        return False
    return inbound is None or inbound.received_at <= recovery.settled_at
