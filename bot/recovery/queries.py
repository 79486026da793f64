"""What is read about failed stops and their follow-ups."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from bot.notifications.models import Notification, NotificationState
from bot.recovery import failing_again
from bot.recovery.models import ReasonSource, Recovery, RecoveryState, RecoveryStep, Why
from bot.sop_notifications import NotificationKind
from bot.stops.models import StopRecord
from connectors.base import StopStatus

LONGEST_CHAIN = 20
OPEN = (RecoveryState.ASKING, RecoveryState.WRITING, RecoveryState.WITH_DISPATCHER)

Again = aliased(StopRecord)
"""The stop that tries another one again."""


def is_tried_again() -> ColumnElement[bool]:
    """Whether the platform has a second try of the stop, whoever made it; one that was taken off is none."""
    return (
        select(col(Again.id))
        .where(
            col(Again.platform) == col(StopRecord.platform),
            col(Again.reattempt_of) == col(StopRecord.platform_ref),
            col(Again.status) != StopStatus.CANCELLED,
        )
        .exists()
    )


async def failed_and_not_followed(session: AsyncSession, since: datetime, at_most: int) -> list[StopRecord]:
    """Stops that failed at `since` or later and that nobody follows up or tries again yet, oldest first."""
    failed_at = func.coalesce(col(StopRecord.completed_at), col(StopRecord.changed_at))
    found = await session.scalars(
        select(StopRecord)
        .where(
            col(StopRecord.status) == StopStatus.FAILED,
            failed_at >= since,
            ~failing_again.is_followed(),
            ~is_tried_again(),
        )
        .order_by(failed_at)
        .limit(at_most)
    )
    return list(found)


async def without_reason(session: AsyncSession, at_most: int) -> list[tuple[Recovery, StopRecord]]:
    """Follow-ups that nobody was asked about because nobody has said why it failed, newest first."""
    found = await session.execute(
        select(Recovery, StopRecord)
        .join(StopRecord, col(StopRecord.id) == col(Recovery.stop_id))
        .where(
            col(Recovery.state) == RecoveryState.WITH_DISPATCHER,
            col(Recovery.detail) == Why.UNKNOWN_REASON,
            col(Recovery.reason_source) != ReasonSource.DISPATCHER,
            col(Recovery.asked_at).is_(None),
            col(StopRecord.status) == StopStatus.FAILED,
        )
        .order_by(col(Recovery.opened_at).desc())
        .limit(at_most)
    )
    return [(recovery, stop) for recovery, stop in found]


async def attempt_of(session: AsyncSession, stop: StopRecord) -> int:
    """Which try of its parcel a stop is: the first is 1."""
    attempt, before = 1 + await failing_again.earlier_tries(session, stop.id), stop.reattempt_of
    while before is not None and attempt < LONGEST_CHAIN:
        attempt += 1
        found = await session.execute(
            select(col(StopRecord.id), col(StopRecord.reattempt_of)).where(
                col(StopRecord.platform) == stop.platform, col(StopRecord.platform_ref) == before
            )
        )
        if (row := found.one_or_none()) is None:
            break
        attempt += await failing_again.earlier_tries(session, row.id)
        before = row.reattempt_of
    return attempt


async def second_try_of(session: AsyncSession, stop: StopRecord) -> StopRecord | None:
    """The newest stop that tries this one again."""
    return await session.scalar(
        select(StopRecord)
        .where(
            col(StopRecord.platform) == stop.platform,
            col(StopRecord.reattempt_of) == stop.platform_ref,
            col(StopRecord.status) != StopStatus.CANCELLED,
        )
        .order_by(col(StopRecord.changed_at).desc())
        .limit(1)
    )


async def link_second_tries(session: AsyncSession, since: datetime) -> int:
    """Second tries that were promised or made by hand, once the platform shows them; gives how many.

    Of follow-ups that ended at `since` or later.
    """
    newest = (
        select(col(Again.id))
        .join(StopRecord, col(StopRecord.platform) == col(Again.platform))
        .where(
            col(StopRecord.id) == col(Recovery.stop_id),
            col(Again.reattempt_of) == col(StopRecord.platform_ref),
            col(Again.status) != StopStatus.CANCELLED,
        )
        .order_by(col(Again.changed_at).desc())
        .limit(1)
        .scalar_subquery()
    )
    linked = await session.execute(
        update(Recovery)
        .where(
            col(Recovery.reattempt_id).is_(None),
            col(Recovery.is_past).is_(False),
            col(Recovery.state).in_((RecoveryState.BOOKED, RecoveryState.CLOSED)),
            col(Recovery.settled_at) >= since,
            newest.is_not(None),
        )
        .values(reattempt_id=newest)
        .execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", linked).rowcount


async def booked_and_cancelled(session: AsyncSession, since: datetime, at_most: int) -> list[UUID]:
    """Follow-ups that ended at `since` or later with a second try that was cancelled on the platform."""
    found = await session.scalars(
        select(col(Recovery.id))
        .join(Again, col(Again.id) == col(Recovery.reattempt_id))
        .join(StopRecord, col(StopRecord.id) == col(Recovery.stop_id))
        .where(
            col(Recovery.state) == RecoveryState.BOOKED,
            col(Recovery.is_past).is_(False),
            col(Recovery.settled_at) >= since,
            col(Again.status) == StopStatus.CANCELLED,
            col(StopRecord.status) == StopStatus.FAILED,
        )
        .limit(at_most)
    )
    return list(found)


async def cancelled_tries(session: AsyncSession, stop: StopRecord) -> int:
    """How many second tries of the stop were cancelled on the platform."""
    found = await session.scalar(
        select(func.count())
        .select_from(StopRecord)
        .where(
            col(StopRecord.platform) == stop.platform,
            col(StopRecord.reattempt_of) == stop.platform_ref,
            col(StopRecord.status) == StopStatus.CANCELLED,
        )
    )
    return found or 0


async def again_of(session: AsyncSession, recovery: Recovery) -> StopRecord | None:
    """The second try that is booked, unless it was taken off again."""
    if recovery.reattempt_id is None:
        return None
    again = await session.get_one(StopRecord, recovery.reattempt_id)
    return None if again.status is StopStatus.CANCELLED else again


async def of_stop(session: AsyncSession, stop_id: UUID) -> Recovery | None:
    """The follow-up of a stop's last failure, or the one that led to this second try."""
    return await session.scalar(
        select(Recovery)
        .where((col(Recovery.stop_id) == stop_id) | (col(Recovery.reattempt_id) == stop_id))
        .order_by((col(Recovery.stop_id) == stop_id).desc(), col(Recovery.opened_at).desc())
        .limit(1)
    )


async def pending_after(session: AsyncSession, step: RecoveryStep) -> Sequence[RecoveryStep]:
    found = await session.scalars(
        select(RecoveryStep).where(
            col(RecoveryStep.recovery_id) == step.recovery_id,
            col(RecoveryStep.position) > step.position,
            col(RecoveryStep.fired_at).is_(None),
            col(RecoveryStep.cancelled_at).is_(None),
        )
    )
    return list(found)


async def was_reached(session: AsyncSession, recovery: Recovery) -> bool:
    """Whether a question of ours arrived, as far as carriers have said."""
    lost = (NotificationState.UNREACHED, NotificationState.OUTDATED)
    arrived = select(col(Notification.id)).where(
        col(Notification.stop_id) == recovery.stop_id,
        col(Notification.decided_at) >= recovery.opened_at,
        col(Notification.kind) == NotificationKind.FAILED,
        col(Notification.state).not_in(lost),
    )
    return bool(await session.scalar(select(arrived.exists())))


async def was_reminded(session: AsyncSession, recovery_id: UUID) -> bool:
    """Whether the recipient was written to more than once."""
    sent = await session.scalar(
        select(func.count())
        .select_from(RecoveryStep)
        .where(col(RecoveryStep.recovery_id) == recovery_id, col(RecoveryStep.result) == "sent")
    )
    return (sent or 0) > 1
