"""Tells one recipient one thing unasked: by the best way that is open, introduced, and so that an answer continues it.

Nothing here decides whether the moment is right: the quiet hours are the caller's to keep.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.conversations.consent import ConsentLedger
from bot.conversations.manners import ONE_SEGMENT, names, was_written_to
from bot.conversations.models import Conversation
from bot.conversations.words import Words
from bot.durable.jobs import put_out
from bot.durable.models import Purpose
from bot.notifications.facts import Rules, rules_for
from bot.notifications.models import Notification, NotificationState, NotificationTry
from bot.notifications.persons import person_of
from bot.notifications.reaching import reach
from bot.notifications.ways import Way, ways_of
from bot.sop import ProtocolInForce, local_day
from bot.sop_notifications import NotificationKind
from bot.stops.models import StopRecord
from connectors.base import ChannelName, DeliveryWindow

TextOf = Callable[[str], str]
"""The text in a language, `en` or `es`."""


class Teller:
    def __init__(
        self,
        clock: Clock,
        sop: ProtocolInForce,
        consent: ConsentLedger,
        words: Words,
        channels: Collection[ChannelName],
    ) -> None:
        """`channels` are those that are switched on."""
        self._clock = clock
        self._sop = sop
        self._consent = consent
        self._words = words
        self._channels = channels

    async def address_book(self, session: AsyncSession, stop: StopRecord) -> list[Way]:
        """The ways that are open to this recipient now, best first."""
        order = self._rules(stop).channels
        return await ways_of(
            session,
            stop,
            order,
            consent=self._consent,
            channels=self._channels,
            now=self._clock.now(),
        )

    async def tell(
        self,
        session: AsyncSession,
        stop: StopRecord,
        kind: NotificationKind,
        text_of: TextOf,
        *,
        said: Mapping[str, str],
        useful_until: datetime | None,
        may_exceed_caps: bool = False,
        way: Way | None = None,
    ) -> Notification | None:
        """Queues one text; None where nobody can be written to, or enough was written for the day.

        `said` is what it promises: `eta_at`, `window_start_at`, `window_end_at` in ISO. `way` is one of the address
        book; without it the best one. The caller's transaction holds row and text together.
        """
        ways = [way] if way is not None else await self.address_book(session, stop)
        if not ways or not (may_exceed_caps or await self._is_within_caps(session, stop)):
            return None
        conversation = await reach(session, self._clock, ways[0], self._rules(stop).language, stop.id)
        text = await self._introduced(session, conversation, stop, text_of(conversation.language))
        told = self._row(stop, kind, said, useful_until)
        outbound_id = await put_out(
            session,
            conversation,
            text,
            Purpose.PROACTIVE,
            self._clock,
            stop_id=stop.id,
            useful_until=useful_until,
        )
        session.add_all([told, _try(told, ways[0], outbound_id)])
        self._record(session, stop, kind, ways[0])
        return told

    def _rules(self, stop: StopRecord) -> Rules:
        return rules_for(self._sop.current, stop.client)

    def _row(
        self,
        stop: StopRecord,
        kind: NotificationKind,
        said: Mapping[str, str],
        useful_until: datetime | None,
    ) -> Notification:
        now = self._clock.now()
        return Notification(
            stop_id=stop.id,
            kind=kind,
            person=person_of(stop),
            day=local_day(now, stop.timezone),
            decided_at=now,
            useful_until=useful_until,
            said=dict(said),
        )

    async def _introduced(
        self, session: AsyncSession, conversation: Conversation, stop: StopRecord, text: str
    ) -> str:
        """Who has never heard of us hears who writes, for whom, and how to end it."""
        if await was_written_to(session, conversation):
            return text
        operator, language = self._sop.current.operator.name, conversation.language
        by_phone = conversation.channel is not ChannelName.EMAIL
        last = self._words.say("utter_notice_first", language, message=text) if by_phone else text
        if not stop.client or names(text, stop.client):
            return f"{operator}: {last}"
        named = self._words.say(
            "utter_first_contact", language, operator=operator, client=stop.client, message=last
        )
        return named if len(named) <= ONE_SEGMENT else f"{operator}: {last}"

    async def _is_within_caps(self, session: AsyncSession, stop: StopRecord) -> bool:
        rules, today = self._rules(stop), local_day(self._clock.now(), stop.timezone)
        of_stop = await _count(session, col(Notification.day) == today, col(Notification.stop_id) == stop.id)
        of_person = await _count(
            session, col(Notification.day) == today, col(Notification.person) == person_of(stop)
        )
        return of_stop < rules.most_per_stop and of_person < rules.most_per_person

    def _record(self, session: AsyncSession, stop: StopRecord, kind: NotificationKind, way: Way) -> None:
        audit.record(
            session,
            self._clock.now(),
            "stop",
            str(stop.id),
            "recipient_notified",
            kind=kind.value,
            channel=way.channel.value,
        )


def told_by_person(
    stop: StopRecord, kind: NotificationKind, said: Mapping[str, str], now: datetime
) -> Notification:
    """What a dispatcher told the recipient by a text of their own making, for the rules to know of."""
    return Notification(
        stop_id=stop.id,
        kind=kind,
        person=person_of(stop),
        day=local_day(now, stop.timezone),
        decided_at=now,
        said=dict(said),
        state=NotificationState.REACHED,
        settled_at=now,
    )


def facts_said(
    eta_at: datetime | None, window: DeliveryWindow | None, *, is_not_today: bool = False
) -> dict[str, str]:
    """What a text promises, as it is kept with it: `eta_at`, `window_start_at`, `window_end_at`, `not_today`."""
    said = {} if eta_at is None else {"eta_at": eta_at.isoformat()}
    if window is not None:
        said["window_start_at"] = window.start_at.isoformat()
        said["window_end_at"] = window.end_at.isoformat()
    return said | ({"not_today": "yes"} if is_not_today else {})


def _try(told: Notification, way: Way, outbound_id: UUID | None) -> NotificationTry:
    return NotificationTry(
        notification_id=told.id, position=0, channel=way.channel, address=way.address, outbound_id=outbound_id
    )


async def _count(session: AsyncSession, *conditions: ColumnElement[bool]) -> int:
    left = col(Notification.state) != NotificationState.OUTDATED
    counted = select(func.count()).select_from(Notification).where(left, *conditions)
    return int(await session.scalar(counted) or 0)
