"""Gathers what one Slack message shows, from the tables, at one instant."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.conversations.models import Conversation, InboundText
from bot.conversations.privacy import masked
from bot.escalations import rules
from bot.escalations.models import Escalation, EscalationStep, EscalationStop
from bot.sop import Escalations, TierKind
from bot.stops.models import DriverRecord, PlatformFeed, StopRecord
from bot.stops.rules import confirmed_at, eta_of_promise
from connectors.base import EscalationLine, EscalationState, EscalationView, StopStatus

FRESH = timedelta(minutes=10)
WORDS_COUNT_FOR = timedelta(hours=24)
LONGEST_WORDS = 200


async def build_view(
    session: AsyncSession, escalation: Escalation, policy: Escalations, now: datetime
) -> EscalationView:
    stops = await stops_of(session, escalation.id)
    steps = await session.scalars(
        select(EscalationStep).where(col(EscalationStep.escalation_id) == escalation.id)
    )
    step = rules.next_step(list(steps)) if escalation.state is EscalationState.RAISED else None
    lines = [await _stop_line(session, stop, now) for stop in stops]
    if escalation.conversation_id is not None:
        lines = [await _waiting_line(session, escalation.conversation_id, lines, now)]
    return EscalationView(
        escalation_id=str(escalation.id),
        severity=escalation.severity,
        state=escalation.state,
        zone=escalation.zone,
        client=escalation.client,
        timezone=escalation.timezone,
        why=escalation.why,
        driver_name=await _driver_name(session, stops),
        lines=tuple(lines),
        exposure_usd=escalation.exposure_usd,
        acknowledged_by=escalation.acknowledged_by,
        acknowledged_until=escalation.acknowledged_until,
        resolved_by=escalation.resolved_by,
        outcome=escalation.outcome,
        next_step=f"mentions {policy.mention}" if step is not None and step.kind is TierKind.MENTION else "",
        next_step_at=step.due_at if step is not None and step.kind is TierKind.MENTION else None,
    )


async def stops_of(session: AsyncSession, escalation_id: UUID) -> list[StopRecord]:
    """The escalation's stops in the order of their windows, the settled ones too."""
    rows = await session.scalars(
        select(StopRecord)
        .join(EscalationStop, col(EscalationStop.stop_id) == col(StopRecord.id))
        .where(col(EscalationStop.escalation_id) == escalation_id)
        .order_by(col(StopRecord.window_end_at), col(StopRecord.sequence))
    )
    return list(rows)


async def _stop_line(session: AsyncSession, stop: StopRecord, now: datetime) -> EscalationLine:
    feed = await session.get(PlatformFeed, stop.platform)
    age = now - confirmed_at(stop, feed.read_at if feed else None)
    words = await _last_words(session, stop.recipient_phone, now)
    return EscalationLine(
        stop_id=str(stop.id),
        tracking=stop.tracking,
        client=stop.client,
        address_line=stop.address_line,
        window=stop.window,
        eta_at=eta_of_promise(stop),
        eta_age=age if age > FRESH and stop.is_open else None,
        status=stop.status,
        recipient_name=stop.recipient_name,
        last_words=masked(words.text)[:LONGEST_WORDS] if words else "",
        last_words_at=words.received_at if words else None,
        completed_at=stop.completed_at,
    )


async def _waiting_line(
    session: AsyncSession, conversation_id: UUID, lines: list[EscalationLine], now: datetime
) -> EscalationLine:
    """Somebody who waits for a person: how to reach them, and their stop where we know it."""
    conversation = await session.get_one(Conversation, conversation_id)
    words = await _last_words(session, conversation.address, now)
    line = lines[0] if lines else _NO_STOP
    return line.model_copy(
        update={
            "recipient_phone": conversation.address,
            "last_words": masked(words.text)[:LONGEST_WORDS] if words else "",
            "last_words_at": words.received_at if words else None,
        }
    )


_NO_STOP = EscalationLine(
    stop_id="", tracking="", client="", address_line="", window=None, eta_at=None, status=StopStatus.PLANNED
)


async def _last_words(session: AsyncSession, phone: str | None, now: datetime) -> InboundText | None:
    if phone is None:
        return None
    return await session.scalar(
        select(InboundText)
        .join(Conversation, col(Conversation.id) == col(InboundText.conversation_id))
        .where(
            col(Conversation.address) == phone,
            col(InboundText.received_at) > now - WORDS_COUNT_FOR,
            col(InboundText.text) != "",
        )
        .order_by(col(InboundText.received_at).desc())
        .limit(1)
    )


async def _driver_name(session: AsyncSession, stops: list[StopRecord]) -> str:
    refs = {(stop.platform, stop.driver_ref) for stop in stops if stop.driver_ref is not None}
    if len(refs) != 1:
        return ""
    platform, ref = refs.pop()
    name = await session.scalar(
        select(col(DriverRecord.name)).where(
            col(DriverRecord.platform) == platform, col(DriverRecord.platform_ref) == ref
        )
    )
    return name or ""
