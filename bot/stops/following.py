"""Reads the log of stop events once and in order: nothing is left out, and nothing is read twice.

Ids are handed out before the transactions that use them commit, in any order: a reader that just went on from the
highest id it saw would leave out what committed later with a lower one. So the end of each stretch is found while
nobody writes: a lock that waits for the writers under way, held for the one question of what the last id is.
"""

from sqlalchemy import BigInteger, Column, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from bot.db import Database
from bot.stops.models import StopEvent

AT_MOST = 5000
"""Events in one stretch."""
PATIENCE = text("SET LOCAL lock_timeout = '300ms'")
"""Writers queue behind us while we wait for one of them: rather look again later."""
NOBODY_WRITES = text("LOCK TABLE stop_event IN SHARE MODE")


class StopEventCursor(SQLModel, table=True):
    __tablename__ = "stop_event_cursor"

    reader: str = Field(primary_key=True)
    event_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    """Everything up to here was read."""


async def settled_end(database: Database, reader: str) -> int | None:
    """Up to which event `reader` may read on now; None when there is nothing new, or writers are too busy.

    A reader that is new begins at the end: what happened before is no news.
    """
    async with database.transaction() as session:
        cursor = await session.get(StopEventCursor, reader)
        if cursor is not None and await _last_id(session) <= cursor.event_id:
            return None
    async with database.transaction() as session:
        end = await _end_of_log(session)
        if end is not None and cursor is None:
            values = {"reader": reader, "event_id": end}
            await session.execute(insert(StopEventCursor).values(values).on_conflict_do_nothing())
    return end if cursor is not None else None


async def take(session: AsyncSession, reader: str, end: int) -> list[StopEvent]:
    """The next events up to `end`, which count as read once the session's transaction commits.

    None of them while another replica is reading.
    """
    cursor = await session.scalar(
        select(StopEventCursor).where(col(StopEventCursor.reader) == reader).with_for_update(skip_locked=True)
    )
    if cursor is None:
        return []
    rows = await session.scalars(
        select(StopEvent)
        .where(col(StopEvent.id) > cursor.event_id, col(StopEvent.id) <= end)
        .order_by(col(StopEvent.id))
        .limit(AT_MOST)
    )
    events = list(rows)
    if events:
        cursor.event_id = events[-1].id or cursor.event_id
    return events


async def _last_id(session: AsyncSession) -> int:
    return int(await session.scalar(select(func.max(col(StopEvent.id)))) or 0)


async def _end_of_log(session: AsyncSession) -> int | None:
    try:
        async with session.begin_nested():
            await session.execute(PATIENCE)
            await session.execute(NOBODY_WRITES)
            return await _last_id(session)
    except OperationalError as exc:
        if exc.connection_invalidated or getattr(exc.orig, "sqlstate", None) != "55P03":
            raise
        return None  # lock_not_available. Source: PostgreSQL, appendix A.
