"""Whether somebody awaits a parcel, whatever else they are to us."""

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.stops.models import OPEN_STATUSES, StopRecord


async def awaits_parcel(session: AsyncSession, phone: str) -> bool:
    waiting = exists().where(
        col(StopRecord.recipient_phone) == phone, col(StopRecord.status).in_(OPEN_STATUSES)
    )
    return bool(await session.scalar(select(waiting)))
