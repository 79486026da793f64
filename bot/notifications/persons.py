"""Whom we write to about a stop, and what they got from us lately, about whatever stop: in bulk."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.conversations.models import ConsentChange, ConsentWord, Conversation
from bot.durable.models import OutboundText, OutboxState, Purpose
from bot.escalations.models import Escalation
from bot.escalations.rules import WAITING
from bot.notifications.models import Notification, NotificationState
from bot.stops.models import StopRecord
from connectors.base import ChannelName
from connectors.escalation import EscalationState

UNASKED = (Purpose.NOTICE, Purpose.PERSON, Purpose.PROACTIVE)
LATELY = timedelta(days=1)


@dataclass
class Persons:
    """By address. What is told while a batch is gone through is added at once."""

    opted_out: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()
    """Whose conversation a dispatcher holds."""
    written_at: dict[str, datetime] = field(default_factory=dict)
    told: dict[tuple[str, date], int] = field(default_factory=lambda: defaultdict(int))
    """Of one person on one local day."""

    def last_written_at(self, stop: StopRecord) -> datetime | None:
        return max((at for at in map(self.written_at.get, addresses_of(stop)) if at), default=None)

    def is_opted_out(self, stop: StopRecord) -> bool:
        """True too where there is no address at all."""
        return set(addresses_of(stop)) <= self.opted_out

    def is_held(self, stop: StopRecord) -> bool:
        return not self.held.isdisjoint(addresses_of(stop))

    def add(self, stop: StopRecord, day: date, at: datetime) -> None:
        self.told[person_of(stop), day] += 1
        self.written_at[person_of(stop)] = at


def person_of(stop: StopRecord) -> str:
    """Whose texts of a day are counted together; empty where there is nobody to write to."""
    return stop.recipient_phone or stop.recipient_email or ""


def addresses_of(stop: StopRecord) -> list[str]:
    return [address for address in (stop.recipient_phone, stop.recipient_email) if address]


async def read_persons(session: AsyncSession, stops: Sequence[StopRecord], now: datetime) -> Persons:
    addresses = sorted({address for stop in stops for address in addresses_of(stop)})
    people = sorted({person_of(stop) for stop in stops} - {""})
    return Persons(
        await _opted_out(session, addresses),
        await _held(session, addresses),
        dict(await _written(session, addresses, now)),
        defaultdict(int, await _told(session, people, now)),
    )


async def is_held(session: AsyncSession, stop: StopRecord) -> bool:
    """Whether a dispatcher holds a conversation with its recipient now."""
    return bool(await _held(session, addresses_of(stop)))


async def _opted_out(session: AsyncSession, addresses: Iterable[str]) -> frozenset[str]:
    newest = await session.execute(
        select(col(ConsentChange.address), col(ConsentChange.word))
        .where(col(ConsentChange.address).in_(addresses))
        .order_by(col(ConsentChange.address), col(ConsentChange.id).desc())
        .ext(distinct_on(col(ConsentChange.address)))
    )
    return frozenset(address for address, word in newest if word is ConsentWord.OPTED_OUT)


async def _held(session: AsyncSession, addresses: Iterable[str]) -> frozenset[str]:
    found = await session.scalars(
        select(col(Conversation.address))
        .join(Escalation, col(Escalation.conversation_id) == col(Conversation.id))
        .where(
            col(Conversation.address).in_(addresses),
            col(Escalation.state) == EscalationState.ACKNOWLEDGED,
            col(Escalation.cause_key) == func.concat(WAITING, col(Conversation.id)),
        )
    )
    return frozenset(found)


async def _written(session: AsyncSession, addresses: Iterable[str], now: datetime) -> Mapping[str, datetime]:
    """When each got the last text that answers none of theirs; what was never sent does not count."""
    found = await session.execute(
        select(
            col(Conversation.address),
            # What was held through the night reaches them when it leaves.
            func.max(func.greatest(col(OutboundText.created_at), col(OutboundText.sent_at))),
        )
        .join(OutboundText, col(OutboundText.conversation_id) == col(Conversation.id))
        .where(
            col(Conversation.address).in_(addresses),
            col(Conversation.channel).in_((ChannelName.SMS, ChannelName.WHATSAPP, ChannelName.EMAIL)),
            col(OutboundText.purpose).in_(UNASKED),
            col(OutboundText.state) != OutboxState.FAILED,
            col(OutboundText.created_at) > now - LATELY,
        )
        .group_by(col(Conversation.address))
    )
    return dict(found.all())


async def _told(session: AsyncSession, people: Iterable[str], now: datetime) -> dict[tuple[str, date], int]:
    person, day = col(Notification.person), col(Notification.day)
    found = await session.execute(
        select(person, day, func.count())
        .where(
            person.in_(people),
            # Local days are at most one before the day in UTC.
            day >= (now - LATELY).date(),
            col(Notification.state) != NotificationState.OUTDATED,
        )
        .group_by(person, day)
    )
    return {(person, day): count for person, day, count in found}
