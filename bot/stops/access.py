"""Which stops a conversation may see, and which of them it may change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, case, func, or_, select, union_all
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.conversations.models import Conversation
from bot.stops.access_models import AccessLevel, StopAccess
from bot.stops.models import OPEN_STATUSES, PlatformFeed, StopRecord
from connectors.base import ChannelName

PROOF_LASTS = timedelta(hours=24)
"""Wall time for which somebody need not prove the same again."""
MOST_STOPS = 50
"""Of one person; the open ones and the nearest windows are kept."""
CHANNELS_WITH_PHONE = frozenset({ChannelName.SMS, ChannelName.WHATSAPP})
"""Where the carrier vouches for the address that writes."""


@dataclass(frozen=True)
class Seen:
    """A stop that the conversation may see."""

    stop: StopRecord
    feed_read_at: datetime | None
    is_own: bool
    """It may change it too."""


async def may_change(
    session: AsyncSession, conversation: Conversation, stop: StopRecord, wall: datetime
) -> bool:
    """Whether this conversation may change the stop: by its phone, or by what it proved in the last day.

    `wall` is `clock.wall()`.
    """
    if is_of_phone(conversation, stop):
        return True
    proved = await session.get(StopAccess, (conversation.id, stop.id))
    return proved is not None and proved.level is AccessLevel.CHANGE and proved.proved_at > wall - PROOF_LASTS


def is_of_phone(conversation: Conversation, stop: StopRecord) -> bool:
    """Whether the phone on the order is the one that writes. A household shares it."""
    phone = _phone_of(conversation)
    return phone is not None and stop.recipient_phone == phone


async def stops_seen_by(
    session: AsyncSession, conversation: Conversation, now: datetime, wall: datetime
) -> list[Seen]:
    """Everything this conversation may see, in one query; open stops first, then by how near their windows are."""
    proved = (
        col(StopAccess.conversation_id) == conversation.id,
        col(StopAccess.proved_at) > wall - PROOF_LASTS,
    )
    reached = select(col(StopAccess.stop_id).label("id")).where(*proved).subquery()
    phone = _phone_of(conversation)
    if phone is not None:
        of_phone = select(col(StopRecord.id)).where(col(StopRecord.recipient_phone) == phone)
        # A union, so that each half uses its own index.
        reached = union_all(select(reached.c.id), of_phone).subquery()
    distance = func.abs(func.extract("epoch", col(StopRecord.window_end_at) - now))
    rows = await session.execute(
        select(StopRecord, col(PlatformFeed.read_at), col(StopAccess.level))
        .outerjoin(PlatformFeed, col(PlatformFeed.platform) == col(StopRecord.platform))
        .outerjoin(StopAccess, and_(col(StopAccess.stop_id) == col(StopRecord.id), *proved))
        .where(col(StopRecord.id).in_(select(reached.c.id)))
        .order_by(col(StopRecord.status).in_(OPEN_STATUSES).desc(), distance.nulls_first())
        .limit(MOST_STOPS)
    )
    return [
        Seen(stop, read_at, is_of_phone(conversation, stop) or level is AccessLevel.CHANGE)
        for stop, read_at, level in rows
    ]


async def find_by_number(session: AsyncSession, numbers: Sequence[str]) -> list[Seen]:
    """Whatever stops carry one of these numbers (lower case) as tracking or order number, newest window first.

    Not for everybody's eyes: an order number may be easy to guess.
    """
    rows = await session.execute(
        select(StopRecord, col(PlatformFeed.read_at))
        .outerjoin(PlatformFeed, col(PlatformFeed.platform) == col(StopRecord.platform))
        .where(
            or_(
                func.lower(col(StopRecord.tracking)).in_(numbers),
                func.lower(col(StopRecord.order_ref)).in_(numbers),
            )
        )
        .order_by(col(StopRecord.window_end_at).desc())
        .limit(MOST_STOPS)
    )
    return [Seen(stop, read_at, is_own=False) for stop, read_at in rows]


async def grant(
    session: AsyncSession, conversation_id: UUID, stop_id: UUID, level: AccessLevel, clock: Clock
) -> None:
    """Lets a conversation see a stop, from now on for a day. Never takes a higher level away."""
    wall = clock.wall()
    statement = insert(StopAccess).values(
        conversation_id=conversation_id, stop_id=stop_id, level=level, proved_at=wall
    )
    is_higher = col(StopAccess.level) == AccessLevel.CHANGE
    highest = case((is_higher, col(StopAccess.level)), else_=statement.excluded.level)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["conversation_id", "stop_id"], set_={"level": highest, "proved_at": wall}
        )
    )
    audit.record(
        session,
        clock.now(),
        "stop",
        str(stop_id),
        "access_proved",
        actor="recipient",
        conversation_id=str(conversation_id),
        level=level.value,
    )


def _phone_of(conversation: Conversation) -> str | None:
    return conversation.address if conversation.channel in CHANNELS_WITH_PHONE else None
