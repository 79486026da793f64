"""Looks at the stops of which something may be news to their recipients, tells it, and notes when to look again.

One replica looks at a time. A batch is one transaction: what was decided, the text's row and the time of the next
look commit together, so that nobody is told a thing twice, and a round that ends half way loses nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import ARRAY, TIMESTAMP, Uuid, bindparam, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.conversations.words import Words
from bot.db import Database
from bot.links import SignedLinks
from bot.notifications.facts import Due
from bot.notifications.models import NoticeWatch
from bot.notifications.reading import Library, Sight, read_library, said_from, sight_of
from bot.notifications.rules import NEVER, due_notifications, next_look
from bot.notifications.telling import Teller, facts_said
from bot.notifications.wording import Scene, Speech, response_of
from bot.sop import Protocol, ProtocolInForce
from bot.sop_notifications import NotificationKind
from bot.stops.models import StopRecord
from bot.stops.proof import has_pictures, proof_of

log = structlog.get_logger()

ONE_LOOK_AT_A_TIME = 4_711_006
"""Key of the advisory lock: two replicas never count the same person's texts at once."""
BATCH = 500
MOST_TOLD = 50
"""In one transaction: the stops of a batch stay locked while it tells."""
BATCHES = 20
"""In one round: the first look at many stops goes in slices, and lets the clock go on."""
TROUBLE = timedelta(minutes=5)
"""A stop that cannot be told of is left alone for so long, and the others are told."""
LONG_OVER = timedelta(days=1)

_CLEAR = text("""
    UPDATE stop SET notice_at = '9999-01-01' WHERE id IN (
        SELECT id FROM stop WHERE notice_at IS NULL AND (
            (status IN ('delivered', 'failed', 'cancelled', 'returned')
                AND coalesce(completed_at, changed_at) < :long_over)
            OR (recipient_phone IS NULL AND recipient_email IS NULL)
        ) LIMIT 20000 FOR NO KEY UPDATE SKIP LOCKED
    )
""")
"""What is long over, and what has nobody to write to: no rule has anything to say of these."""

_REMEMBER = text("""
    UPDATE stop SET notice_at = found.notice_at
    FROM unnest(:ids, :looks) AS found (id, notice_at) WHERE stop.id = found.id
""").bindparams(
    bindparam("ids", type_=ARRAY(Uuid())), bindparam("looks", type_=ARRAY(TIMESTAMP(timezone=True)))
)


@dataclass
class Round:
    """What one batch has come to so far."""

    library: Library
    protocol: Protocol
    now: datetime
    looks: dict[UUID, datetime]
    told: int = 0


class NotificationService:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        teller: Teller,
        words: Words,
        speech: Speech,
        proof_links: SignedLinks,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._teller = teller
        self._words = words
        self._speech = speech
        self._proof_links = proof_links

    async def look(self) -> int:
        """One round; gives how many stops were looked at. A round that finds another under way does nothing."""
        if not self._sop.current.notifications.enabled:
            return 0
        async with self._database.transaction() as session:
            locked = await session.scalar(
                text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": ONE_LOOK_AT_A_TIME}
            )
            return await self._go_through(session) if locked else 0

    async def _go_through(self, holding: AsyncSession) -> int:
        looked = 0
        async with self._database.transaction() as session:
            await session.execute(_CLEAR, {"long_over": self._clock.now() - LONG_OVER})
        for _ in range(BATCHES):
            found = await self._batch()
            looked += found
            if not found:
                break
            # The server ends a transaction that stands idle, and the lock with it.
            await holding.execute(text("SELECT 1"))
        return looked

    async def _batch(self) -> int:
        now, protocol = self._clock.now(), self._sop.current
        async with self._database.transaction() as session:
            stops = await _claim(session, now)
            if not stops:
                return 0
            library = await read_library(session, stops, now)
            here = Round(library, protocol, now, looks={})
            # The rows of what is told are written together, at the end.
            with session.no_autoflush:
                for stop in stops:
                    if here.told == MOST_TOLD:
                        break
                    await self._look_at(session, stop, here)
            await _remember(session, here.looks)
        return len(here.looks)

    async def _look_at(self, session: AsyncSession, stop: StopRecord, here: Round) -> None:
        try:
            sight = sight_of(stop, here.library, here.protocol, here.now)
            await _keep_watch(session, sight, here.library)
            due = due_notifications(sight.stop, sight.history, sight.rules, here.now)
            here.looks[stop.id] = (
                await self._tell(session, sight, due[0], here) if due else _next_look(sight, here.now)
            )
        except (ValueError, KeyError, TypeError):
            # One stop with something unheard of must not keep all others from being told.
            log.exception("notification_failed", stop_id=str(stop.id))
            here.looks[stop.id] = here.now + TROUBLE

    async def _tell(self, session: AsyncSession, sight: Sight, due: Due, here: Round) -> datetime:
        """Tells it; gives when to look again."""
        stop = sight.record
        told = await self._teller.tell(
            session,
            stop,
            due.kind,
            lambda language: self._text(sight, due, language),
            said=facts_said(due.eta_at, due.window),
            useful_until=due.useful_until,
            may_exceed_caps=True,
        )
        here.told += 1
        if told is None:
            return NEVER
        here.library.said[stop.id].append(said_from(told))
        here.library.persons.add(stop, told.day, here.now)
        after = sight_of(stop, here.library, here.protocol, here.now)
        return _next_look(after, here.now)

    def _text(self, sight: Sight, due: Due, language: str) -> str:
        record = sight.record
        link = ""
        if due.kind is NotificationKind.DELIVERED and has_pictures(proof_of(record)):
            link = self._proof_links.link(record.id, language)
        scene = Scene(
            record.client, sight.stop.timezone, self._clock.now(), language, sight.stop.follow_up, link
        )
        response, slots = response_of(due, scene, self._speech)
        return self._words.say(response, language, **slots)


async def _claim(session: AsyncSession, now: datetime) -> Sequence[StopRecord]:
    """First those whose time has come, then those that changed. Nobody waits for a row that is being written."""
    notice_at = col(StopRecord.notice_at)
    due = select(StopRecord).where(notice_at <= now).order_by(notice_at).limit(BATCH // 2)
    changed = select(StopRecord).where(notice_at.is_(None)).limit(BATCH // 2)
    found: list[StopRecord] = []
    for query in (due, changed):
        found += await session.scalars(query.with_for_update(skip_locked=True, key_share=True))
    return found


async def _remember(session: AsyncSession, looks: dict[UUID, datetime]) -> None:
    await session.execute(_REMEMBER, {"ids": list(looks), "looks": list(looks.values())})


async def _keep_watch(session: AsyncSession, sight: Sight, library: Library) -> None:
    """Keeps since when it is late, on time again, near, or far from what was told, where that is new."""
    stop, before = sight.stop, library.watches.get(sight.stop.stop_id)
    found = {
        "late_since": stop.late_since,
        "on_time_since": stop.on_time_since,
        "near_since": stop.near_since,
        "moved_since": stop.moved_since,
    }
    known = {name: getattr(before, name) if before is not None else None for name in found}
    if found == known:
        return
    statement = insert(NoticeWatch).values(stop_id=stop.stop_id, **found)
    await session.execute(statement.on_conflict_do_update(index_elements=["stop_id"], set_=found))


def _next_look(sight: Sight, now: datetime) -> datetime:
    """When the decision can change by time alone, also because the driver's word is not believed any more."""
    return min(next_look(sight.stop, sight.history, sight.rules, now), sight.word_ends_at or NEVER)
