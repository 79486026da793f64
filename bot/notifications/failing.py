"""A notification that did not arrive goes by the next channel while it is true; where none is left, that is said.

The outbox tells each failure once, in the transaction that ends the message, whatever order receipts come in.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.conversations.models import Conversation
from bot.durable.jobs import put_out
from bot.durable.models import OutboundText, OutboxState, Purpose
from bot.durable.outbox_ports import FailureDesk
from bot.notifications.address_models import AddressTrouble
from bot.notifications.carrier_codes import Next, meaning_of
from bot.notifications.facts import rules_for
from bot.notifications.leaving import is_overtaken
from bot.notifications.models import Notification, NotificationState, NotificationTry
from bot.notifications.reaching import reach
from bot.notifications.ways import Consent, Way, ways_of
from bot.sop import ProtocolInForce
from bot.sop_notifications import NotificationKind
from bot.stops.models import StopRecord
from connectors.base import ChannelName

AGAIN_AFTER = timedelta(minutes=3)
"""Of the day: a handset that was out of reach, or a carrier that was busy, may be well again by then."""
UNKNOWN_CODE = "unknown"


class Unreached(Protocol):
    """Hears that nobody can be told what they are to answer."""

    async def nobody_reached(self, session: AsyncSession, stop_id: UUID, why: str) -> None:
        """`why` is a word of `carrier_codes`: `landline`, `unreachable`, `filtered`."""
        ...


@dataclass(frozen=True)
class Tried:
    way: Way
    code: str


@dataclass(frozen=True)
class Step:
    """What follows a try that failed: a way to go, perhaps later; or how it ends."""

    way: Way | None = None
    is_later: bool = False
    ends: NotificationState | None = None


def what_next(
    tried: Sequence[Tried], ways: Sequence[Way], useful_until: datetime | None, now: datetime
) -> Step:
    """`tried` is oldest first, its last one has just failed; `ways` are open now, best first. Pure."""
    last = tried[-1]
    meaning = meaning_of(last.code)
    if meaning.then is Next.NOTHING or (useful_until is not None and useful_until <= now):
        return Step(ends=NotificationState.OUTDATED)
    is_useful_later = useful_until is None or now + AGAIN_AFTER < useful_until
    times = sum(each.way == last.way for each in tried)
    if meaning.then is Next.SAME_AGAIN and times == 1 and is_useful_later and last.way in ways:
        return Step(last.way, is_later=True)
    gone = {each.way for each in tried}
    fresh = next((way for way in ways if way not in gone), None)
    return Step(fresh) if fresh is not None else Step(ends=NotificationState.UNREACHED)


class UndeliveredNotifications:
    """Fulfils `FailureDesk` and `Arrivals`. What is no notification goes to `others`."""

    def __init__(
        self,
        clock: Clock,
        sop: ProtocolInForce,
        consent: Consent,
        channels: Collection[ChannelName],
        unreached: Unreached,
        others: FailureDesk,
    ) -> None:
        """`channels` are those that are switched on."""
        self._clock = clock
        self._sop = sop
        self._consent = consent
        self._channels = channels
        self._unreached = unreached
        self._others = others

    async def arrived(self, session: AsyncSession, row: OutboundText) -> None:
        if row.state is OutboxState.DELIVERED:
            await _forget_trouble(session, row)
        if row.purpose is not Purpose.PROACTIVE:
            return
        attempt = await _try_of(session, row)
        if attempt is None or attempt.error_code:
            return
        notification = await session.get_one(Notification, attempt.notification_id, with_for_update=True)
        if notification.state is NotificationState.WAITING:
            notification.state = NotificationState.REACHED
            notification.settled_at = self._clock.now()
            if notification.kind is NotificationKind.RUNNING_LATE:
                await _look_again(session, notification.stop_id)

    async def not_delivered(self, session: AsyncSession, row: OutboundText) -> None:
        if row.purpose is not Purpose.PROACTIVE:
            await self._others.not_delivered(session, row)
            return
        await _note_trouble(session, row, self._clock.now())
        attempt = await _try_of(session, row)
        if attempt is None:
            await self._others.not_delivered(session, row)
            return
        notification = await session.get_one(Notification, attempt.notification_id, with_for_update=True)
        if attempt.error_code:
            return
        attempt.error_code = row.error_code or UNKNOWN_CODE
        await self._go_on(session, notification, row)

    async def _go_on(self, session: AsyncSession, notification: Notification, row: OutboundText) -> None:
        # Locked first, as the look at stops does, which then writes to the same conversations; rows that only refer
        # to the stop are let through.
        stop = await session.get_one(StopRecord, notification.stop_id, with_for_update={"key_share": True})
        rules, now = rules_for(self._sop.current, stop.client), self._clock.now()
        tries = await _tries_of(session, notification)
        tried = [Tried(Way(each.channel, each.address), each.error_code) for each in tries]
        ways = await ways_of(
            session, stop, rules.channels, consent=self._consent, channels=self._channels, now=now
        )
        step = what_next(tried, ways, notification.useful_until, now)
        overtaken = await is_overtaken(session, notification, stop, rules, now)
        if step.way is not None and overtaken:
            step = Step(ends=NotificationState.OUTDATED)
        if step.way is not None:
            await self._send(session, notification, row, step, position=len(tries))
        elif step.ends is not None:
            await self._end(session, notification, stop, step.ends, row.error_code or UNKNOWN_CODE)
        if step.ends is NotificationState.UNREACHED and not overtaken:
            # Where it is overtaken, nobody is to answer this one: what came after it may have arrived.
            await self._unreached.nobody_reached(session, stop.id, meaning_of(row.error_code).why)

    async def _send(
        self,
        session: AsyncSession,
        notification: Notification,
        row: OutboundText,
        step: Step,
        *,
        position: int,
    ) -> None:
        """The same words by `step.way`: whoever could not be reached before has read none of them."""
        if step.way is None:
            return
        now = self._clock.now()
        before = await session.get_one(Conversation, row.conversation_id)
        conversation = await reach(session, self._clock, step.way, before.language, notification.stop_id)
        outbound_id = await put_out(
            session,
            conversation,
            row.text,
            Purpose.PROACTIVE,
            self._clock,
            not_before=now + AGAIN_AFTER if step.is_later else None,
            escalation_id=row.escalation_id,
            stop_id=row.stop_id,
            useful_until=notification.useful_until,
        )
        notification.state, notification.settled_at = NotificationState.WAITING, None
        session.add(
            NotificationTry(
                notification_id=notification.id,
                position=position,
                channel=step.way.channel,
                address=step.way.address,
                outbound_id=outbound_id,
            )
        )
        audit.record(
            session,
            now,
            "notification",
            str(notification.id),
            "tried_again" if step.is_later else "next_channel",
            channel=step.way.channel.value,
            code=row.error_code,
        )

    async def _end(
        self,
        session: AsyncSession,
        notification: Notification,
        stop: StopRecord,
        state: NotificationState,
        code: str,
    ) -> None:
        now = self._clock.now()
        notification.state, notification.settled_at = state, now
        audit.record(session, now, "notification", str(notification.id), state.value, code=code)
        if state is NotificationState.OUTDATED:
            # What is true by now is decided afresh, and said in other words.
            stop.notice_at = None


async def _look_again(session: AsyncSession, stop_id: UUID) -> None:
    """Who hears of a delay may be on time by then: only who has heard of it is told so."""
    await session.execute(update(StopRecord).where(col(StopRecord.id) == stop_id).values(notice_at=None))


async def _try_of(session: AsyncSession, row: OutboundText) -> NotificationTry | None:
    return await session.scalar(
        select(NotificationTry).where(col(NotificationTry.outbound_id) == row.id).with_for_update()
    )


async def _tries_of(session: AsyncSession, notification: Notification) -> Sequence[NotificationTry]:
    await session.flush()
    found = await session.scalars(
        select(NotificationTry)
        .where(col(NotificationTry.notification_id) == notification.id)
        .order_by(col(NotificationTry.position))
    )
    return found.all()


async def _note_trouble(session: AsyncSession, row: OutboundText, now: datetime) -> None:
    """Keeps what a carrier said of the address itself; what it said of us, or of one text, is not kept."""
    code = row.error_code or ""
    if meaning_of(code).unusable_after is None:
        return
    await session.execute(
        insert(AddressTrouble)
        .values(channel=row.channel, address=row.recipient, error_code=code, times=1, last_at=now)
        .on_conflict_do_update(
            index_elements=["channel", "address"],
            set_={"error_code": code, "times": col(AddressTrouble.times) + 1, "last_at": now},
        )
    )


async def _forget_trouble(session: AsyncSession, row: OutboundText) -> None:
    await session.execute(
        delete(AddressTrouble).where(
            col(AddressTrouble.channel) == row.channel, col(AddressTrouble.address) == row.recipient
        )
    )
