"""Finds the stop that a text is about, and moves its promise on the platform."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.conversations.models import Conversation
from bot.db import Database
from bot.errors import NotFoundError
from bot.sop import ProtocolInForce
from bot.stops import rules
from bot.stops.answers import HandoffPromise, RescheduleOutcome, StopAnswer, StopQuestion, Turn
from bot.stops.models import PlatformFeed, StopRecord
from bot.stops.sync import PlatformSync
from bot.windows.holidays import public_holidays
from bot.windows.offers import offered_windows, why_not_bookable
from connectors.base import Capability, DeliveryWindow, RoutingPlatform
from connectors.errors import PlatformError, PlatformRejectedError, StopNotFoundError

log = structlog.get_logger()

GUESSING_LOCK = timedelta(days=1)


class AskDispatcher(Protocol):
    """Hands a request to a person; the escalations stand behind it."""

    async def ask_dispatcher(self, turn: Turn, reason: str, stop_id: str | None = None) -> HandoffPromise: ...


class StopService:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        platforms: dict[str, RoutingPlatform],
        sync: PlatformSync,
        handoff: AskDispatcher,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._platforms = platforms
        self._sync = sync
        self._handoff = handoff

    async def stops_in_question(self, turn: Turn) -> StopQuestion:
        """Which stops this text is about. Never shows one person's stop to another.

        A tracking number in the text comes first, then the stops of the phone that wrote.
        """
        now = self._clock.now()
        async with self._database.transaction() as session:
            conversation = await _conversation(session, turn)
            # Rasa knows it by now; what is said without Rasa follows.
            conversation.language = turn.language
            own = await _stops_of_phone(session, conversation.address)
            if named := await _named_among(session, own, turn.text):
                return await self._question(session, "one", [named], now)
            if rules.looks_like_reference(turn.text):
                found = await self._look_up(session, conversation, turn.text, now)
                return await self._question(session, "one" if found else "no_such_tracking", found, now)
            candidates = rules.askable(own, now)
            if candidates:
                kind = "one" if len(candidates) == 1 else "several"
                return await self._question(session, kind, candidates, now)
            return StopQuestion(kind="nothing_open" if own else "unknown_phone", now=now)

    async def get_answer(self, stop_id: str) -> StopAnswer:
        """Raises `NotFoundError` for an id that is none of ours."""
        async with self._database.transaction() as session:
            stop = await session.get(StopRecord, UUID(stop_id))
            if stop is None:
                raise NotFoundError(f"no stop {stop_id}")
            return await self._answer(session, stop, self._clock.now())

    async def offers(self, stop_id: str) -> tuple[DeliveryWindow, ...]:
        """The next windows that may be booked for this stop, by `redelivery` in sop.yml; soonest first."""
        answer = await self.get_answer(stop_id)
        redelivery = self._sop.current.redelivery
        windows = offered_windows(
            self._clock.now(),
            answer.timezone,
            service_windows=[(window.start, window.end) for window in redelivery.windows],
            days_ahead=redelivery.days_ahead,
            cutoff_minutes=redelivery.cutoff_minutes,
            blocked=public_holidays(redelivery.holidays_of),
            weekdays=redelivery.open_weekdays,
        )
        return tuple(window for window in windows if window != answer.window)[: redelivery.offers]

    def why_not_bookable(self, window: DeliveryWindow, timezone: str) -> str | None:
        """`closed_day`, `too_soon` or `too_far` by `redelivery` in sop.yml; None where it may be booked."""
        redelivery = self._sop.current.redelivery
        return why_not_bookable(
            window,
            self._clock.now(),
            timezone,
            days_ahead=redelivery.days_ahead,
            cutoff_minutes=redelivery.cutoff_minutes,
            blocked=public_holidays(redelivery.holidays_of),
            weekdays=redelivery.open_weekdays,
        )

    async def reschedule(self, turn: Turn, stop_id: str, window: DeliveryWindow) -> RescheduleOutcome:
        """Writes the new window to the platform and reads it back; says what the platform now holds.

        Booking the same window again changes nothing. What the platform refuses, or cannot be asked, goes
        to a dispatcher.
        """
        before = await self.get_answer(stop_id)
        if before.status.is_closed:
            return RescheduleOutcome(result="stop_closed", stop=before)
        async with self._database.transaction() as session:
            record = await session.get_one(StopRecord, UUID(stop_id))
        platform = self._platforms.get(record.platform)
        if not await self._is_owner(turn, record):
            # A tracking number is enough to look, not to move: it stands on the parcel for all to read.
            return await self._ask_for_it(turn, before, "refused_by_platform")
        if platform is None or not before.can_change_window:
            return await self._ask_for_it(turn, before, "refused_by_platform")
        try:
            stored = await platform.change_window(record.platform_ref, window)
        except (PlatformRejectedError, StopNotFoundError) as exc:
            log.info("reschedule_refused", stop_id=stop_id, error=type(exc).__name__)
            return await self._ask_for_it(turn, before, "refused_by_platform")
        except PlatformError as exc:
            log.warning("reschedule_undecided", stop_id=stop_id, error=type(exc).__name__)
            return await self._ask_for_it(turn, before, "platform_down")
        await self._sync.store_confirmed(stored)
        await self._record_booking(turn, before, window)
        return RescheduleOutcome(result="booked", stop=await self.get_answer(stop_id))

    async def _is_owner(self, turn: Turn, record: StopRecord) -> bool:
        async with self._database.transaction() as session:
            conversation = await _conversation(session, turn)
        return record.recipient_phone is not None and record.recipient_phone == conversation.address

    async def _ask_for_it(self, turn: Turn, stop: StopAnswer, result: str) -> RescheduleOutcome:
        promise = await self._handoff.ask_dispatcher(turn, f"reschedule:{result}", stop.stop_id)
        return RescheduleOutcome.model_validate(
            {"result": result, "stop": stop, "respond_by": promise.respond_by}
        )

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

    async def _look_up(
        self, session: AsyncSession, conversation: Conversation, text: str, now: datetime
    ) -> list[StopRecord]:
        """The one stop that a text names by its number, unless this conversation has guessed too often."""
        since = conversation.wrong_tracking_since
        if since is not None and now - since > GUESSING_LOCK:
            conversation.wrong_tracking_tries, conversation.wrong_tracking_since = 0, None
        if conversation.wrong_tracking_tries >= self._sop.current.conversation.wrong_tracking_tries:
            return []
        found = await session.scalars(
            select(StopRecord)
            .where(func.lower(col(StopRecord.tracking)).in_(rules.tracking_candidates(text)))
            .order_by(col(StopRecord.window_end_at).desc())
            .limit(1)
        )
        stops = list(found)
        if not stops:
            locked = await session.get_one(Conversation, conversation.id, with_for_update=True)
            locked.wrong_tracking_tries += 1
            locked.wrong_tracking_since = locked.wrong_tracking_since or now
        return stops

    async def _question(
        self, session: AsyncSession, kind: str, stops: Sequence[StopRecord], now: datetime
    ) -> StopQuestion:
        answers = [await self._answer(session, stop, now) for stop in stops]
        return StopQuestion.model_validate({"kind": kind, "stops": tuple(answers), "now": now})

    async def _answer(self, session: AsyncSession, stop: StopRecord, now: datetime) -> StopAnswer:
        feed = await session.get(PlatformFeed, stop.platform)
        data_at = rules.confirmed_at(stop, feed.read_at if feed else None)
        stale_after = timedelta(minutes=self._sop.current.conversation.stale_after_minutes)
        platform = self._platforms.get(stop.platform)
        can_change = platform is not None and Capability.CHANGE_WINDOW in platform.capabilities
        return StopAnswer(
            stop_id=str(stop.id),
            tracking=stop.tracking,
            client=stop.client,
            address_line=stop.address_line,
            timezone=stop.timezone,
            status=stop.status,
            window=stop.window,
            eta_at=rules.eta_of_promise(stop),
            stops_away=stop.sequence,
            data_at=data_at,
            stale=stop.is_open and now - data_at > stale_after,
            completed_at=stop.completed_at,
            failure_reason=stop.failure_reason,
            can_change_window=can_change and stop.is_open,
        )


async def _conversation(session: AsyncSession, turn: Turn) -> Conversation:
    try:
        conversation_id = UUID(turn.conversation_id)
    except ValueError as exc:
        raise NotFoundError(f"no conversation {turn.conversation_id}") from exc
    conversation = await session.get(Conversation, conversation_id)
    if conversation is None:
        raise NotFoundError(f"no conversation {turn.conversation_id}")
    return conversation


async def _stops_of_phone(session: AsyncSession, phone: str) -> list[StopRecord]:
    """What is known of one phone, the newest windows first, bounded."""
    rows = await session.scalars(
        select(StopRecord)
        .where(col(StopRecord.recipient_phone) == phone)
        .order_by(col(StopRecord.window_end_at).desc())
        .limit(50)
    )
    return list(rows)


async def _named_among(session: AsyncSession, own: Sequence[StopRecord], text: str) -> StopRecord | None:
    candidates = set(rules.tracking_candidates(text))
    return next((stop for stop in own if stop.tracking.lower() in candidates), None)
