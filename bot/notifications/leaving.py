"""What was decided and has not left yet, while the day went on: may it still, and may it now?"""

from datetime import datetime, timedelta

from sqlalchemy import exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.conversations.quiet import hold_until
from bot.drivers.words import eta_by_driver
from bot.durable.models import OutboundText
from bot.durable.outbox_ports import MAY_LEAVE, Judgement
from bot.notifications.facts import Rules, Said, rules_for
from bot.notifications.models import Notification, NotificationState, NotificationTry
from bot.notifications.persons import is_held
from bot.notifications.reading import eta_believed, known_zone, said_from
from bot.recovery.models import Recovery
from bot.sop import ProtocolInForce, QuietHours, local_day
from bot.sop_notifications import NotificationKind
from bot.stops.models import StopRecord
from connectors.base import DeliveryWindow, StopStatus

ENDING_OF = {
    NotificationKind.DELIVERED: StopStatus.DELIVERED,
    NotificationKind.FAILED: StopStatus.FAILED,
    NotificationKind.RETURNED: StopStatus.RETURNED,
}
STANDING = (NotificationState.WAITING, NotificationState.REACHED)
HELD_AGAIN = timedelta(minutes=1)
"""How soon it is asked again whether a dispatcher still holds the conversation."""


def fits_status(kind: NotificationKind, status: StopStatus) -> bool:
    """Whether a stop of this status may still be told so: of a finished one only its own ending. Pure.

    An ending that the platform took back is not told either.
    """
    ending = ENDING_OF.get(kind)
    return status is ending if ending is not None else not status.is_closed


def says_what_is_so(said: Said, window: DeliveryWindow | None, eta_at: datetime | None, rules: Rules) -> bool:
    """Whether a text that has waited is true by the stop's window and ETA of now. Pure.

    Without a known ETA nothing contradicts the one that it names.
    """
    if said.window is not None and said.window != window:
        return False
    if said.eta_at is None or eta_at is None:
        return True
    is_late_text = said.kind is NotificationKind.RUNNING_LATE
    limit = rules.running_late.again_minutes if is_late_text else rules.later.minutes
    if abs(eta_at - said.eta_at) >= timedelta(minutes=limit):
        return False
    is_late = window is not None and eta_at >= window.end_at
    return is_late if is_late_text else not (is_late and said.kind is NotificationKind.BACK_ON_TIME)


def quiet_until(
    stop: StopRecord, timezone: str, decided_at: datetime, rules: QuietHours, now: datetime
) -> datetime | None:
    """The end of the stop's quiet hours where `now` lies in them, else None. Pure.

    The shorter ones count for what is about a delivery of the day, and on that day for what was decided to be so:
    within the longer ones nothing else is decided.
    """
    about = (stop.window_start_at, stop.eta_at, stop.completed_at)
    today = local_day(now, timezone)
    is_of_today = any(local_day(each, timezone) == today for each in about if each is not None)
    was_urgent = hold_until(decided_at, timezone, rules, urgent=False) is not None
    is_urgent = is_of_today or (was_urgent and local_day(decided_at, timezone) == today)
    return hold_until(now, timezone, rules, urgent=is_urgent)


async def is_overtaken(
    session: AsyncSession, notification: Notification, stop: StopRecord, rules: Rules, now: datetime
) -> bool:
    """It is not so any more, something newer was said of the stop or is on its way, or the question is answered."""
    if not fits_status(notification.kind, stop.status):
        return True
    if not says_what_is_so(said_from(notification), stop.window, await _eta(session, stop, now), rules):
        return True
    since = notification.decided_at
    newer = exists().where(
        col(Notification.stop_id) == stop.id,
        col(Notification.decided_at) > since,
        col(Notification.state).in_(STANDING),
    )
    answered = exists().where(
        col(Recovery.stop_id) == stop.id,
        or_(col(Recovery.answered_at) > since, col(Recovery.settled_at) > since),
    )
    return bool(await session.scalar(select(or_(newer, answered))))


class NotificationGate:
    """Fulfils `outbox_ports.Gate`. Other messages than notifications may leave."""

    def __init__(self, clock: Clock, sop: ProtocolInForce) -> None:
        self._clock = clock
        self._sop = sop

    async def judge(self, session: AsyncSession, row: OutboundText) -> Judgement:
        found = await session.execute(
            select(Notification, StopRecord)
            .join(NotificationTry, col(NotificationTry.notification_id) == col(Notification.id))
            .join(StopRecord, col(StopRecord.id) == col(Notification.stop_id))
            .where(col(NotificationTry.outbound_id) == row.id)
        )
        told = found.one_or_none()
        if told is None:
            return MAY_LEAVE
        notification, stop = told
        protocol, now = self._sop.current, self._clock.now()
        if await is_overtaken(session, notification, stop, rules_for(protocol, stop.client), now):
            return Judgement(is_overtaken=True)
        if await is_held(session, stop):
            return Judgement(not_before=now + HELD_AGAIN)
        zone = known_zone(stop.timezone, protocol.operator.timezone)
        held_until = quiet_until(stop, zone, notification.decided_at, protocol.quiet_hours, now)
        return Judgement(not_before=held_until)


async def _eta(session: AsyncSession, stop: StopRecord, now: datetime) -> datetime | None:
    word = (await eta_by_driver(session, [stop], now)).get(stop.id)
    return eta_believed(stop, word, now)
