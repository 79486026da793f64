"""What we remember of each platform's feed: when it was read, when it is due, where its events go on."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.stops.models import PlatformFeed
from connectors.errors import (
    PlatformError,
    PlatformMisconfiguredError,
    PlatformRejectedError,
    PlatformUnavailableError,
)

TROUBLES = (PlatformUnavailableError, PlatformMisconfiguredError, PlatformRejectedError, PlatformError)
"""Kinds of failures that dispatchers are told apart."""


async def claim_due_reads(
    session: AsyncSession, names: Sequence[str], now: datetime, next_at: datetime
) -> list[str]:
    """The platforms whose next whole read is due, claimed: their next one is moved to `next_at`."""
    await _begin_feeds(session, names, now)
    feeds = await session.scalars(
        select(PlatformFeed)
        .where(col(PlatformFeed.next_read_at) <= now, col(PlatformFeed.platform).in_(names))
        .with_for_update(skip_locked=True)
    )
    due = list(feeds)
    for feed in due:
        feed.next_read_at = next_at
    return [feed.platform for feed in due]


async def claim_due_events(
    session: AsyncSession, names: Sequence[str], now: datetime, next_at: datetime
) -> list[str]:
    """The platforms that are to be asked what happened, claimed in the same way."""
    if not names:
        return []
    await _begin_feeds(session, names, now)
    due_at = col(PlatformFeed.next_events_at)
    feeds = await session.scalars(
        select(PlatformFeed)
        .where(or_(due_at.is_(None), due_at <= now), col(PlatformFeed.platform).in_(names))
        .with_for_update(skip_locked=True)
    )
    due = list(feeds)
    for feed in due:
        feed.next_events_at = next_at
    return [feed.platform for feed in due]


async def remember_read(session: AsyncSession, name: str, began_at: datetime, next_at: datetime) -> None:
    """A whole read that began then came to its end."""
    feed = await session.get(PlatformFeed, name, with_for_update=True)
    if feed is None:
        return
    if feed.failing_since is not None:
        audit.record(session, next_at, "platform", name, "feed_back", actor=name)
    feed.read_at, feed.failing_since, feed.last_error = began_at, None, ""
    feed.next_read_at = next_at


async def remember_failure(
    session: AsyncSession, name: str, error: PlatformError, now: datetime, pause: timedelta
) -> None:
    feed = await session.get(PlatformFeed, name, with_for_update=True)
    if feed is None:
        return
    feed.last_error = next(kind.__name__ for kind in TROUBLES if isinstance(error, kind))
    feed.next_read_at = now + pause
    if feed.failing_since is None:
        feed.failing_since = now
        audit.record(session, now, "platform", name, "feed_lost", actor=name)


async def keep_cursor(session: AsyncSession, name: str, cursor: str, read_whole_at: datetime | None) -> None:
    """What lies before `cursor` is stored, or is covered by the whole read that becomes due at `read_whole_at`."""
    feed = await session.get(PlatformFeed, name, with_for_update=True)
    if feed is None:
        return
    feed.cursor = cursor
    if read_whole_at is not None:
        feed.next_read_at = min(feed.next_read_at, read_whole_at)


async def put_off_events(session: AsyncSession, name: str, until: datetime) -> None:
    """A look at a platform's events is over, however it ended."""
    feed = await session.get(PlatformFeed, name, with_for_update=True)
    if feed is not None:
        feed.next_events_at = until


def silent_since(feed: PlatformFeed, watched_since: datetime) -> datetime:
    """Since when nothing has come from a platform. Pure.

    A read that fails says so. Where none fails and none succeeds, as when its job is stuck, it counts from the
    last success, but from no earlier than we have watched: what was not read while we were down is not silence.
    """
    if feed.failing_since is not None:
        return feed.failing_since
    return max(feed.read_at or feed.begun_at or watched_since, watched_since)


async def _begin_feeds(session: AsyncSession, names: Sequence[str], now: datetime) -> None:
    """Rows for platforms that are new; they are due at once."""
    known = set(await session.scalars(select(col(PlatformFeed.platform))))
    for name in names:
        if name not in known:
            await session.execute(
                insert(PlatformFeed)
                .values(platform=name, next_read_at=now, begun_at=now, last_error="")
                .on_conflict_do_nothing()
            )
