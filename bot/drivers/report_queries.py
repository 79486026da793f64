"""Finds reports of failed deliveries that wait for more of what their drivers say."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.drivers.models import DriverReport, ReportState

ANSWERS_FOR = timedelta(minutes=30)
"""A question of ours is answered, a picture belongs to the report, within so long."""


async def begun_by(session: AsyncSession, phone: str, now: datetime) -> DriverReport | None:
    """The newest of a moment ago, locked: one that waits for an answer, or to which pictures may come."""
    return await session.scalar(
        select(DriverReport)
        .where(
            col(DriverReport.phone) == phone,
            col(DriverReport.said_at) > now - ANSWERS_FOR,
            col(DriverReport.state) != ReportState.PASSED_ON,
        )
        .order_by((col(DriverReport.state) == ReportState.ASKING).desc(), col(DriverReport.said_at).desc())
        .limit(1)
        .with_for_update()
    )


async def asked_with(session: AsyncSession, report: DriverReport) -> list[DriverReport]:
    """All that one text told of, and that wait for the same answer; locked."""
    found = await session.scalars(
        select(DriverReport)
        .where(
            col(DriverReport.inbound_id) == report.inbound_id, col(DriverReport.state) == ReportState.ASKING
        )
        .order_by(col(DriverReport.id))
        .with_for_update()
    )
    return list(found)
