"""What a page is about, as it stands now: an escalation, or Doorline's own illness."""

from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.escalations.models import Escalation, EscalationStop
from bot.paging.models import OperatorAlert, Page
from bot.stops.models import StopRecord
from connectors.escalation import EscalationState

MOST_STOPS = 3


class Standing(StrEnum):
    OPEN = "open"
    """Nobody has it."""
    HELD = "held"
    OVER = "over"


@dataclass(frozen=True)
class Matter:
    """`subject` is an escalation's id or an alert's; pages about the same one share it."""

    subject: str
    standing: Standing
    reason: str
    """A severity, or an `OperatorReason`."""
    holder: str | None = None
    """Dispatcher id of who has it."""
    zone: str = ""
    client: str = ""
    why: str = ""
    timezone: str = "UTC"
    exposure_usd: int = 0
    count: int = 0
    stops: tuple[StopRecord, ...] = field(default=(), repr=False)
    """The first of those that somebody is still needed for."""


async def lock(session: AsyncSession, page: Page) -> Page:
    """The page, locked after what it is about: everybody takes the two in this order."""
    await session.flush()
    if page.escalation_id is not None:
        await session.get(Escalation, page.escalation_id, with_for_update=True, populate_existing=True)
    if page.alert_id is not None:
        await session.get(OperatorAlert, page.alert_id, with_for_update=True, populate_existing=True)
    return await session.get_one(Page, page.id, with_for_update=True, populate_existing=True)


async def matter_of(session: AsyncSession, page: Page) -> Matter:
    if page.alert_id is not None:
        return _of_alert(await session.get_one(OperatorAlert, page.alert_id))
    return await of_escalation(session, await session.get_one(Escalation, page.escalation_id))


def _of_alert(alert: OperatorAlert) -> Matter:
    standing = Standing.OPEN if alert.taken_by is None else Standing.HELD
    return Matter(
        subject=str(alert.id),
        standing=Standing.OVER if alert.over_at is not None else standing,
        reason=alert.reason.value,
        holder=alert.taken_by,
    )


async def of_escalation(session: AsyncSession, escalation: Escalation) -> Matter:
    stops = await _unsettled(session, escalation)
    standing = {EscalationState.RAISED: Standing.OPEN, EscalationState.RESOLVED: Standing.OVER}
    return Matter(
        subject=str(escalation.id),
        standing=standing.get(escalation.state, Standing.HELD),
        reason=escalation.severity.value,
        holder=escalation.acknowledged_by or escalation.snoozed_by,
        zone=escalation.zone,
        client=escalation.client,
        why=escalation.why,
        timezone=escalation.timezone,
        exposure_usd=escalation.exposure_usd,
        count=len(stops),
        stops=tuple(stops[:MOST_STOPS]),
    )


async def _unsettled(session: AsyncSession, escalation: Escalation) -> list[StopRecord]:
    rows = await session.scalars(
        select(StopRecord)
        .join(EscalationStop, col(EscalationStop.stop_id) == col(StopRecord.id))
        .where(col(EscalationStop.escalation_id) == escalation.id, col(EscalationStop.settled_at).is_(None))
        .order_by(col(StopRecord.window_end_at), col(StopRecord.sequence))
    )
    return list(rows)
