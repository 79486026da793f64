"""What the board and the manifest read: followed-up failures, and what is known of late stops."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, any_, bindparam, func, or_, select
from sqlalchemy import Uuid as SqlUuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.board.rules import follow_up_of, second_try_of
from bot.desk.models import DeskTask
from bot.escalations.models import Escalation, EscalationStop
from bot.notifications.models import Notification, NotificationState
from bot.recovery.models import OVER, Recovery, RecoveryState, RecoveryStep
from bot.requests.models import UNDECIDED, DispatchRequest
from bot.sop_notifications import NotificationKind
from bot.stops.models import DriverRecord, StopRecord
from connectors.base import DeliveryWindow
from connectors.desk import TaskState
from connectors.escalation import EscalationState
from connectors.follow_up import FollowUp, SecondTry

OPEN = tuple(state for state in RecoveryState if state not in OVER)
MOST_FOLLOW_UPS = 1000
TASK_KEY = "recovery"
SAID = (NotificationState.WAITING, NotificationState.REACHED)


@dataclass(frozen=True)
class Followed:
    recovery: Recovery
    stop: StopRecord
    told: FollowUp


# --- follow-ups --------------------------------------------------------------------------------------


async def follow_ups_of(session: AsyncSession, stop_ids: Collection[UUID]) -> dict[UUID, FollowUp]:
    """By the stop that failed: that of its last failure."""
    if not stop_ids:
        return {}
    rows = await session.scalars(
        select(Recovery).where(_is_one_of(Recovery.stop_id, stop_ids), col(Recovery.is_past).is_(False))
    )
    recoveries = list(rows)
    told = await _told(session, recoveries)
    return {each.stop_id: told[each.id] for each in recoveries}


async def second_tries_of(session: AsyncSession, stop_ids: Collection[UUID]) -> dict[UUID, SecondTry]:
    """By the stop that tries again."""
    if not stop_ids:
        return {}
    rows = await session.scalars(select(Recovery).where(_is_one_of(Recovery.reattempt_id, stop_ids)))
    return {each.reattempt_id: second_try_of(each) for each in rows if each.reattempt_id is not None}


async def followed(session: AsyncSession, settled_since: datetime) -> list[Followed]:
    """All that are open, the oldest first, then those that were settled since, the newest first."""
    is_open = col(Recovery.state).in_(OPEN)
    rows = await session.execute(
        select(Recovery, StopRecord)
        .join(StopRecord, col(StopRecord.id) == col(Recovery.stop_id))
        .where(or_(is_open, col(Recovery.settled_at) >= settled_since))
        .order_by(is_open.desc(), col(Recovery.settled_at).desc(), col(Recovery.failed_at), col(Recovery.id))
        .limit(MOST_FOLLOW_UPS)
    )
    found = [(row[0], row[1]) for row in rows]
    told = await _told(session, [recovery for recovery, _ in found])
    return [Followed(recovery, stop, told[recovery.id]) for recovery, stop in found]


async def open_follow_ups(session: AsyncSession) -> list[Recovery]:
    rows = await session.scalars(
        select(Recovery)
        .where(col(Recovery.state).in_(OPEN))
        .order_by(col(Recovery.failed_at), col(Recovery.id))
        .limit(MOST_FOLLOW_UPS)
    )
    return list(rows)


async def _told(session: AsyncSession, recoveries: Sequence[Recovery]) -> dict[UUID, FollowUp]:
    steps = await _waiting_steps(session, [each.id for each in recoveries if each.state in OPEN])
    again = [each.reattempt_id for each in recoveries if each.reattempt_id is not None]
    windows = await _windows(session, again)
    return {
        each.id: follow_up_of(
            each, steps.get(each.id, ()), windows.get(each.reattempt_id) if each.reattempt_id else None
        )
        for each in recoveries
    }


async def _waiting_steps(
    session: AsyncSession, recovery_ids: Collection[UUID]
) -> Mapping[UUID, Sequence[RecoveryStep]]:
    if not recovery_ids:
        return {}
    rows = await session.scalars(
        select(RecoveryStep).where(
            _is_one_of(RecoveryStep.recovery_id, recovery_ids),
            col(RecoveryStep.fired_at).is_(None),
            col(RecoveryStep.cancelled_at).is_(None),
        )
    )
    found: dict[UUID, list[RecoveryStep]] = defaultdict(list)
    for step in rows:
        found[step.recovery_id].append(step)
    return found


async def _windows(session: AsyncSession, stop_ids: Collection[UUID]) -> Mapping[UUID, DeliveryWindow]:
    if not stop_ids:
        return {}
    columns = (col(StopRecord.id), col(StopRecord.window_start_at), col(StopRecord.window_end_at))
    rows = await session.execute(
        select(*columns).where(
            _is_one_of(StopRecord.id, stop_ids), col(StopRecord.window_end_at).is_not(None)
        )
    )
    return {row[0]: DeliveryWindow(start_at=row[1], end_at=row[2]) for row in rows if row[1] is not None}


async def tasks_of(session: AsyncSession, recovery_ids: Collection[UUID]) -> dict[UUID, DeskTask]:
    """The open dispatcher tasks about them, the newest of each: their keys are `recovery:ID[:…]`."""
    if not recovery_ids:
        return {}
    ids = {str(each): each for each in recovery_ids}
    rows = await session.scalars(
        select(DeskTask)
        .where(
            col(DeskTask.state).in_([state for state in TaskState if not state.is_settled]),
            col(DeskTask.key).startswith(f"{TASK_KEY}:"),
        )
        .order_by(col(DeskTask.created_at))
    )
    asked = {task.key.split(":")[1]: task for task in rows}
    return {ids[key]: task for key, task in asked.items() if key in ids}


async def requests_of(session: AsyncSession, stop_ids: Collection[UUID]) -> dict[UUID, Escalation]:
    """The escalation with Approve and Decline of what the recipients of these stops want, by stop."""
    if not stop_ids:
        return {}
    rows = await session.execute(
        select(col(DispatchRequest.stop_id), Escalation)
        .join(Escalation, col(Escalation.id) == col(DispatchRequest.escalation_id))
        .where(_is_one_of(DispatchRequest.stop_id, stop_ids), col(DispatchRequest.state).in_(UNDECIDED))
        .order_by(col(DispatchRequest.asked_at))
    )
    return {row[0]: row[1] for row in rows}


# --- late stops --------------------------------------------------------------------------------------


async def escalations_of(session: AsyncSession, stop_ids: Collection[UUID]) -> dict[UUID, Escalation]:
    """The newest unresolved escalation of each of these stops."""
    if not stop_ids:
        return {}
    rows = await session.execute(
        select(col(EscalationStop.stop_id), Escalation)
        .join(Escalation, col(Escalation.id) == col(EscalationStop.escalation_id))
        .where(
            _is_one_of(EscalationStop.stop_id, stop_ids),
            col(Escalation.state) != EscalationState.RESOLVED,
            col(EscalationStop.settled_at).is_(None),
        )
        .order_by(col(Escalation.raised_at))
    )
    return {row[0]: row[1] for row in rows}


async def told_late(session: AsyncSession, stop_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """When the recipients of these were told last that they are late."""
    if not stop_ids:
        return {}
    rows = await session.execute(
        select(col(Notification.stop_id), func.max(col(Notification.decided_at)))
        .where(
            _is_one_of(Notification.stop_id, stop_ids),
            col(Notification.kind) == NotificationKind.RUNNING_LATE,
            col(Notification.state).in_(SAID),
        )
        .group_by(col(Notification.stop_id))
    )
    return {row[0]: row[1] for row in rows}


async def driver_names(session: AsyncSession, stops: Collection[StopRecord]) -> dict[tuple[str, str], str]:
    """By platform and its reference."""
    refs = {stop.driver_ref for stop in stops if stop.driver_ref is not None}
    if not refs:
        return {}
    rows = await session.scalars(select(DriverRecord).where(col(DriverRecord.platform_ref).in_(refs)))
    return {(row.platform, row.platform_ref): row.name for row in rows}


def _is_one_of(column: Any, ids: Collection[UUID]) -> ColumnElement[bool]:
    # One array, not thousands of parameters.
    return col(column) == any_(bindparam(None, list(ids), ARRAY(SqlUuid()), unique=True))
