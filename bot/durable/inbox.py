"""Edges store, then answer. The second arrival of the same event changes nothing.

`store` commits nothing itself: the caller stores the event and defers its job in one transaction.
`claim` is the first step of the event's job: only one run, ever, gets the event.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.db import Database
from bot.durable.models import InboxEvent
from bot.errors import DatabaseUnavailableError
from connectors.errors import StorageUnavailableError


async def store(
    session: AsyncSession, source: str, vendor_id: str, payload: BaseModel, at: datetime
) -> UUID | None:
    """The new event's id, or None when this event was stored before."""
    statement = (
        insert(InboxEvent)
        .values(
            source=source,
            vendor_id=_storable(vendor_id),
            payload=_storable(payload.model_dump(mode="json")),
            received_at=at,
        )
        .on_conflict_do_nothing(index_elements=["source", "vendor_id"])
        .returning(col(InboxEvent.id))
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def claim(session: AsyncSession, event_id: UUID, at: datetime) -> InboxEvent | None:
    """The event, locked and marked as handled within this transaction; None when it was handled before."""
    event = await session.get(InboxEvent, event_id, with_for_update=True)
    if event is None or event.handled_at is not None:
        return None
    event.handled_at = at
    return event


@asynccontextmanager
async def storing(database: Database) -> AsyncIterator[AsyncSession]:
    """A transaction for an inbound edge.

    Raises:
        StorageUnavailableError: the database is gone; the edge answers 503 and the vendor delivers again.
    """
    try:
        async with database.transaction() as session:
            yield session
    except (DatabaseUnavailableError, OSError) as exc:
        raise StorageUnavailableError(str(exc)) from exc


async def peek(session: AsyncSession, event_id: UUID) -> InboxEvent | None:
    """The event unless it was handled, without claiming it: for work that may safely be done twice."""
    event = await session.get(InboxEvent, event_id)
    return event if event is not None and event.handled_at is None else None


def _storable(value: Any) -> Any:
    """Without NUL, which PostgreSQL keeps neither in text nor in JSON, and which nobody means."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, dict):
        return {key: _storable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return value
