"""Failed stops and their follow-ups, as rows."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.recovery.models import Recovery, RecoveryState, RecoveryStep
from bot.sop_recovery import Flow, RungKind
from bot.stops.models import StopRecord
from connectors.base import FailureReason, StopStatus
from tests.bot.manifest.day import stop


def recovery_of(failed: StopRecord, failed_at: datetime, **facts: Any) -> Recovery:
    """Being asked about since a minute after it failed."""
    usual: dict[str, Any] = {
        "stop_id": failed.id,
        "client": failed.client,
        "zone": failed.zone,
        "timezone": failed.timezone,
        "reason": FailureReason.ACCESS_ISSUE,
        "flow": Flow.ACCESS_CODE,
        "state": RecoveryState.ASKING,
        "failed_at": failed_at,
        "opened_at": failed_at,
        "asked_at": failed_at + timedelta(minutes=1),
    }
    return Recovery(**(usual | facts))


def step(recovery: Recovery, kind: RungKind, minutes: int, position: int = 0, **facts: Any) -> RecoveryStep:
    due_at = recovery.failed_at + timedelta(minutes=minutes)
    return RecoveryStep(recovery_id=recovery.id, kind=kind, due_at=due_at, position=position, **facts)


async def failed(
    session: AsyncSession, tracking: str, failed_at: datetime, *, remind: int | None = 120, **facts: Any
) -> Recovery:
    """Inserts the stop and its follow-up with one step that waits; keys of `stop_…` are the stop's."""
    of_stop = {key.removeprefix("stop_"): facts.pop(key) for key in list(facts) if key.startswith("stop_")}
    row = stop(tracking, status=StopStatus.FAILED, completed_at=failed_at, **of_stop)
    session.add(row)
    await session.flush()
    recovery = recovery_of(row, failed_at, **facts)
    session.add(recovery)
    await session.flush()
    if remind is not None:
        session.add(step(recovery, RungKind.REMIND, remind))
        await session.flush()
    return recovery
