"""What is known of who drives an escalation's stops: name, how far behind, what they answered."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import exists, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.drivers.models import DriverQuestion, DriverWord
from bot.escalations.models import Escalation
from bot.sla.routes import behind_plan
from bot.sop_sla import Estimate
from bot.stops.models import DriverRecord, StopRecord

SAID_BEFORE = timedelta(hours=1)
"""What a driver said so long before it was raised is about it."""
BEHIND = "behind plan"
"""Where the reason says so already, it is not said twice."""


async def driver_facts(
    session: AsyncSession,
    escalation: Escalation,
    stops: Sequence[StopRecord],
    rules: Estimate,
    now: datetime,
) -> Mapping[str, object]:
    """Fields of `EscalationView`."""
    if not escalation.is_open:
        return {}
    driving = [stop for stop in stops if stop.is_open and stop.driver_ref is not None]
    behind = ""
    if driving and BEHIND not in escalation.why:
        behind = await behind_plan(session, [stop.id for stop in driving], rules, now)
    return {
        "driver_name": await _driver_name(session, stops),
        "driver_behind": behind,
        "has_driver": bool(driving),
        **await _said(session, escalation, driving),
    }


async def is_drivers(session: AsyncSession, phone: str) -> bool:
    """Whether it is the number of somebody who drives for us."""
    return bool(await session.scalar(select(exists().where(col(DriverRecord.phone) == phone))))


async def _said(
    session: AsyncSession, escalation: Escalation, driving: Sequence[StopRecord]
) -> Mapping[str, object]:
    """By the newest question and the newest word, asked for or not; 0 minutes: on time, as the driver says."""
    question = await session.scalar(
        select(DriverQuestion)
        .where(col(DriverQuestion.escalation_id) == escalation.id)
        .order_by(col(DriverQuestion.asked_at).desc())
        .limit(1)
    )
    word = await _newest_word(session, escalation, driving)
    if word is not None and (question is None or question.asked_at <= word.said_at):
        return {"driver_texted_at": word.said_at, "driver_minutes": 0 if word.is_on_time else word.minutes}
    if question is None:
        return {}
    return {
        "driver_asked_at": question.asked_at,
        "driver_texted_at": question.answered_at,
        "driver_minutes": 0 if question.is_on_time else question.minutes,
    }


async def _newest_word(
    session: AsyncSession, escalation: Escalation, driving: Sequence[StopRecord]
) -> DriverWord | None:
    """Of a driver of these stops, since it was raised or shortly before."""
    vans = {(stop.platform, stop.driver_ref) for stop in driving}
    if not vans:
        return None
    return await session.scalar(
        select(DriverWord)
        .where(
            tuple_(col(DriverWord.platform), col(DriverWord.driver_ref)).in_(vans),
            col(DriverWord.said_at) >= escalation.raised_at - SAID_BEFORE,
        )
        .order_by(col(DriverWord.said_at).desc())
        .limit(1)
    )


async def _driver_name(session: AsyncSession, stops: Sequence[StopRecord]) -> str:
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
