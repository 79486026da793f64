"""Which windows a stop can be moved to, and moving its promise on the platform."""

from datetime import date, datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.errors import NotFoundError
from bot.sop import ProtocolInForce
from bot.stops.answers import RescheduleOutcome, StopAnswer, Turn
from bot.stops.finder import StopFinder
from bot.stops.models import OPEN_STATUSES, StopRecord
from bot.stops.sync import PlatformSync
from bot.windows import offers
from bot.windows.holidays import public_holidays
from bot.windows.offers import BookingRules, ServiceWindows
from connectors.base import DeliveryWindow, RoutingPlatform
from connectors.errors import PlatformError, PlatformRejectedError, StopNotFoundError

log = structlog.get_logger()


class StopService:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        platforms: dict[str, RoutingPlatform],
        sync: PlatformSync,
        finder: StopFinder,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._platforms = platforms
        self._sync = sync
        self._finder = finder

    # --- windows ------------------------------------------------------------------------------

    async def offers(self, stop_id: str, without: date | None = None) -> tuple[DeliveryWindow, ...]:
        """The next windows that may be booked for this stop, by `redelivery` in sop.yml; soonest first.

        `without` is a local day that does not suit.
        """
        stop, rules = await self._bookable(stop_id)
        found = offers.offered_windows(
            self._clock.now(), stop.timezone, service_windows=self._service_windows(), **rules
        )
        others = [
            window
            for window in found
            if window != stop.window and offers.day_of(window, stop.timezone) != without
        ]
        return tuple(others[: self._sop.current.redelivery.offers])

    async def windows_on(self, stop_id: str, day: date) -> tuple[DeliveryWindow, ...]:
        """The windows of one local day that may be booked for this stop, soonest first."""
        stop, rules = await self._bookable(stop_id)
        return tuple(
            offers.windows_on(
                day, self._clock.now(), stop.timezone, service_windows=self._service_windows(), **rules
            )
        )

    async def windows_within(self, stop_id: str, window: DeliveryWindow) -> tuple[DeliveryWindow, ...]:
        """The windows that may be booked for this stop and overlap a wished one, soonest first."""
        stop, rules = await self._bookable(stop_id)
        return tuple(
            offers.windows_within(
                window, self._clock.now(), stop.timezone, service_windows=self._service_windows(), **rules
            )
        )

    async def why_not_bookable_for(self, stop_id: str, window: DeliveryWindow) -> str | None:
        """`closed_day`, `too_soon`, `too_far` by `redelivery` in sop.yml, or `full`: the zone can take no more then."""
        stop, rules = await self._bookable(stop_id)
        return self._why_not(stop, window, rules)

    # --- moving -------------------------------------------------------------------------------

    async def reschedule(self, turn: Turn, stop_id: str, window: DeliveryWindow) -> RescheduleOutcome:
        """Writes the new window to the platform and reads it back; says what the platform now holds.

        Booking the same window again changes nothing. `refused_by_platform` also where who writes may not
        move this stop, or the window has filled up by now: a dispatcher may still do it.
        """
        before = await self._finder.get_answer(stop_id)
        if before.status.is_closed:
            return RescheduleOutcome(result="stop_closed", stop=before)
        stop, rules = await self._bookable(stop_id)
        platform = self._platforms.get(stop.platform)
        is_allowed = before.can_change_window and await self._finder.may_change(turn, stop_id)
        is_full = window != stop.window and self._why_not(stop, window, rules) == "full"
        if platform is None or not is_allowed or is_full:
            return RescheduleOutcome(result="refused_by_platform", stop=before)
        try:
            stored = await platform.change_window(stop.platform_ref, window)
        except (PlatformRejectedError, StopNotFoundError) as exc:
            log.info("reschedule_refused", stop_id=stop_id, error=type(exc).__name__)
            return RescheduleOutcome(result="refused_by_platform", stop=before)
        except PlatformError as exc:
            log.warning("reschedule_undecided", stop_id=stop_id, error=type(exc).__name__)
            return RescheduleOutcome(result="platform_down", stop=before)
        await self._sync.store_confirmed(stored)
        await self._record_booking(turn, before, window)
        return RescheduleOutcome(result="booked", stop=await self._finder.get_answer(stop_id))

    async def _record_booking(self, turn: Turn, before: StopAnswer, window: DeliveryWindow) -> None:
        old = before.window.model_dump(mode="json") if before.window else None
        async with self._database.transaction() as session:
            audit.record(
                session,
                self._clock.now(),
                "stop",
                before.stop_id,
                "window_changed",
                actor="recipient",
                inbound_id=turn.inbound_id,
                old=old,
                new=window.model_dump(mode="json"),
            )

    # --- rules --------------------------------------------------------------------------------

    async def _bookable(self, stop_id: str) -> tuple[StopRecord, BookingRules]:
        """The stop, and what may be booked for it. Raises `NotFoundError` for an id that is none of ours."""
        async with self._database.transaction() as session:
            stop = await session.get(StopRecord, UUID(stop_id))
            if stop is None:
                raise NotFoundError(f"no stop {stop_id}")
            return stop, await self._rules_for(session, stop)

    async def _rules_for(self, session: AsyncSession, stop: StopRecord) -> BookingRules:
        rules, redelivery = self._rules(), self._sop.current.redelivery
        if redelivery.capacity_per_window is not None:
            horizon = self._clock.now() + timedelta(days=redelivery.days_ahead + 1)
            booked = await _windows_of_zone(session, stop, self._clock.now(), horizon)
            rules["capacity"] = redelivery.capacity_per_window
            rules["booked"] = _count(booked, stop.timezone, self._service_windows())
        return rules

    def _rules(self) -> BookingRules:
        redelivery = self._sop.current.redelivery
        return BookingRules(
            days_ahead=redelivery.days_ahead,
            cutoff_minutes=redelivery.cutoff_minutes,
            blocked=public_holidays(redelivery.holidays_of),
            weekdays=redelivery.open_weekdays,
        )

    def _why_not(self, stop: StopRecord, window: DeliveryWindow, rules: BookingRules) -> str | None:
        return offers.why_not_bookable(
            window, self._clock.now(), stop.timezone, service_windows=self._service_windows(), **rules
        )

    def _service_windows(self) -> ServiceWindows:
        return [(window.start, window.end) for window in self._sop.current.redelivery.windows]


async def _windows_of_zone(
    session: AsyncSession, stop: StopRecord, since: datetime, until: datetime
) -> list[tuple[DeliveryWindow, int]]:
    """The windows that other open stops of the same zone hold, each with how many hold it."""
    start, end = col(StopRecord.window_start_at), col(StopRecord.window_end_at)
    rows = await session.execute(
        select(start, end, func.count())
        .where(
            col(StopRecord.status).in_(OPEN_STATUSES),
            col(StopRecord.zone) == stop.zone,
            col(StopRecord.id) != stop.id,
            end > since,
            start < until,
        )
        .group_by(start, end)
    )
    return [(DeliveryWindow(start_at=start, end_at=end), count) for start, end, count in rows]


def _count(
    booked: list[tuple[DeliveryWindow, int]], timezone: str, service_windows: ServiceWindows
) -> dict[DeliveryWindow, int]:
    counts: dict[DeliveryWindow, int] = {}
    for window, count in booked:
        for held in offers.count_bookings([window], timezone, service_windows):
            counts[held] = counts.get(held, 0) + count
    return counts
