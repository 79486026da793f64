"""What drivers have texted about failed deliveries, for whoever follows them up, and for dispatchers."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.drivers.models import DriverReport, ReportState
from bot.drivers.threads import open_about
from bot.escalations.models import Escalation
from bot.incidents.models import IncidentPhoto, PhotoState
from bot.recovery.ports import DriverSaid


class ReportedFailures:
    """What drivers have texted about stops, for whoever follows up. Fulfils `DriversWords` of the recovery."""

    async def said_about(self, session: AsyncSession, stop_ids: Sequence[UUID]) -> Mapping[UUID, DriverSaid]:
        rows = await session.scalars(
            select(DriverReport)
            .where(col(DriverReport.stop_id).in_(stop_ids), col(DriverReport.state) == ReportState.TAKEN)
            .order_by(col(DriverReport.said_at))
        )
        return {
            row.stop_id: DriverSaid(row.reason, row.said_at, row.words)
            for row in rows
            if row.stop_id is not None and row.reason is not None
        }


async def report_photos(session: AsyncSession, stop_id: UUID) -> list[UUID]:
    """Ids of the pictures that drivers sent of this failed delivery, as far as they are kept, oldest first."""
    reports = await session.scalars(select(DriverReport).where(col(DriverReport.stop_id) == stop_id))
    texts = {text for report in reports for text in (str(report.inbound_id), *report.photo_texts)}
    found = await session.scalars(
        select(col(IncidentPhoto.id))
        .where(
            col(IncidentPhoto.inbound_id).in_([UUID(text) for text in texts]),
            col(IncidentPhoto.state) == PhotoState.KEPT,
        )
        .order_by(col(IncidentPhoto.came_at), col(IncidentPhoto.position))
    )
    return list(found)


async def about_picture(session: AsyncSession, inbound_id: UUID) -> Escalation | None:
    """Where dispatchers look at the stop of the report to which the pictures of this text belong; locked."""
    stop_id = await session.scalar(
        select(col(DriverReport.stop_id))
        .where(_brought(inbound_id), col(DriverReport.stop_id).is_not(None))
        .limit(1)
    )
    return await open_about(session, stop_id) if stop_id is not None else None


def _brought(inbound_id: UUID) -> ColumnElement[bool]:
    later = col(DriverReport.photo_texts).contains([str(inbound_id)])
    return or_(col(DriverReport.inbound_id) == inbound_id, later)
