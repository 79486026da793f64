"""Stops that failed, were planned or corrected as the same stop since, and fail again: that is followed up anew.

A platform may keep one stop for several tries (an OptimoRoute order that is merged onto another date), and a driver
may press "failed" by mistake.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.recovery.models import OVER, Recovery
from bot.sop import local_day
from bot.stops.models import StopEvent, StopRecord
from connectors.base import StopStatus


def is_followed() -> ColumnElement[bool]:
    """Whether this failure of the stop has its follow-up."""
    return (
        select(col(Recovery.id))
        .where(
            col(Recovery.stop_id) == col(StopRecord.id),
            col(Recovery.is_past).is_(False),
            ~_is_of_another_failure(),
        )
        .exists()
    )


async def is_of_another_failure(session: AsyncSession, recovery: Recovery) -> bool:
    """Whether the follow-up came to its end and its stop was not failed any more after it was opened."""
    found = await session.scalar(
        select(col(Recovery.id)).where(col(Recovery.id) == recovery.id, _is_of_another_failure())
    )
    return found is not None


async def put_behind(session: AsyncSession, stop_id: UUID) -> datetime | None:
    """Makes room for the follow-up of another failure; gives when the one before it ended, None where there is none."""
    ended = await session.scalars(
        update(Recovery)
        .where(
            col(Recovery.stop_id) == stop_id,
            col(Recovery.is_past).is_(False),
            _is_of_another_failure(),
        )
        .values(is_past=True)
        .returning(col(Recovery.settled_at))
        .execution_options(synchronize_session=False)
    )
    return max((at for at in ended if at is not None), default=None)


async def earlier_tries(session: AsyncSession, stop_id: UUID) -> int:
    """On how many other days of its zone the same stop had failed before: so often it was tried already."""
    failed_now = func.coalesce(col(StopRecord.completed_at), col(StopRecord.changed_at))
    found = await session.execute(
        select(col(Recovery.failed_at), failed_now, col(Recovery.timezone))
        .join(StopRecord, col(StopRecord.id) == col(Recovery.stop_id))
        .where(col(Recovery.stop_id) == stop_id, col(Recovery.is_past))
    )
    days = [(local_day(then, timezone), local_day(now, timezone)) for then, now, timezone in found]
    return len({then for then, now in days if then != now})


def _is_of_another_failure() -> ColumnElement[bool]:
    status = col(StopEvent.changes)["status"]
    left_failed = (
        select(col(StopEvent.id))
        .where(
            col(StopEvent.stop_id) == col(Recovery.stop_id),
            col(StopEvent.at) >= col(Recovery.opened_at),
            status[0].astext == StopStatus.FAILED.value,
        )
        .exists()
    )
    return and_(col(Recovery.state).in_(OVER), left_failed)
