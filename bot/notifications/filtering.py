"""Carriers that filter our texts (30007) are told to who runs Doorline: the words or the sender have to change."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.db import Database
from bot.durable.models import OutboundText
from bot.notifications.carrier_codes import FILTERED
from bot.paging.models import OperatorReason
from bot.sop import ProtocolInForce
from connectors.base import ChannelName

KEY = "texts:filtered"
LOOKS_BACK = timedelta(hours=1)
FEWEST_TEXTS = 20
"""Of fewer one alone would be a large share."""


class PageOperator(Protocol):
    """As `bot.sla.selfwatch.PageOperator`."""

    async def page(self, session: AsyncSession, key: str, reason: OperatorReason, at: datetime) -> int: ...

    async def over(self, session: AsyncSession, key: str) -> bool: ...


@dataclass(frozen=True)
class Share:
    texts: int
    filtered: int

    def is_above(self, percent: int) -> bool:
        return self.texts >= FEWEST_TEXTS and self.filtered * 100 > self.texts * percent


async def filtered_share(session: AsyncSession, since: datetime) -> Share:
    """Of the texts that a carrier took since then."""
    counts = await session.execute(
        select(func.count(), func.count().filter(col(OutboundText.error_code) == FILTERED)).where(
            col(OutboundText.sent_at) > since, col(OutboundText.channel) == ChannelName.SMS
        )
    )
    texts, filtered = counts.one()
    return Share(texts, filtered)


class FilterWatch:
    def __init__(
        self, database: Database, clock: Clock, sop: ProtocolInForce, operator: PageOperator
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._operator = operator

    async def look(self) -> None:
        now = self._clock.now()
        async with self._database.transaction() as session:
            share = await filtered_share(session, now - LOOKS_BACK)
            if share.is_above(self._sop.current.messaging.filtered_alert_percent):
                await self._operator.page(session, KEY, OperatorReason.TEXTS_FILTERED, now)
            else:
                await self._operator.over(session, KEY)
