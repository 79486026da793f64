"""Tells operators that Doorline itself is ill, past Slack: by text and by phone, once until it is well again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.oncall.people import OnCallPerson
from bot.paging.models import OperatorAlert, OperatorReason, PageKind
from bot.paging.service import About, Paging

__all__ = ["OperatorPages", "OperatorReason", "OperatorsOnCall"]


class OperatorsOnCall(Protocol):
    def operators(self) -> tuple[OnCallPerson, ...]:
        """Empty: sop.yml names nobody for it."""
        ...

    async def line(self, session: AsyncSession, zone: str, at: datetime) -> tuple[OnCallPerson, ...]: ...


class OperatorPages:
    def __init__(self, clock: Clock, paging: Paging, on_call: OperatorsOnCall, *, can_call: bool) -> None:
        self._clock = clock
        self._paging = paging
        self._on_call = on_call
        self._can_call = can_call

    async def page(self, session: AsyncSession, key: str, reason: OperatorReason, at: datetime) -> int:
        """Texts and calls the operators, or who is on call, once per key until `over`; gives how many people.

        0 where it was told before, and where nobody can be reached: that is logged as an error of its own.
        """
        alert_id = await session.scalar(
            insert(OperatorAlert)
            .values(key=key, reason=reason.value, raised_at=at)
            .on_conflict_do_nothing(index_elements=["key"], index_where=col(OperatorAlert.over_at).is_(None))
            .returning(col(OperatorAlert.id))
        )
        if alert_id is None:
            return 0
        reached = 0
        for person in await self._people(session, at):
            asked = [
                await self._paging.ask(session, About(alert_id=alert_id), kind, person)
                for kind in self._kinds
            ]
            reached += any(asked)
        audit.record(
            session, at, "operator_alert", str(alert_id), "raised", reason=reason.value, people=reached
        )
        return reached

    async def over(self, session: AsyncSession, key: str) -> bool:
        """It is well again: what waits is dropped, calls end. False when nothing was wrong."""
        alert = await session.scalar(
            select(OperatorAlert)
            .where(col(OperatorAlert.key) == key, col(OperatorAlert.over_at).is_(None))
            .with_for_update()
        )
        if alert is None:
            return False
        alert.over_at = self._clock.now()
        audit.record(session, alert.over_at, "operator_alert", str(alert.id), "over")
        await session.flush()
        await self._paging.stop_alert(session, alert.id)
        return True

    @property
    def _kinds(self) -> Sequence[PageKind]:
        return (PageKind.TEXT, PageKind.CALL) if self._can_call else (PageKind.TEXT,)

    async def _people(self, session: AsyncSession, at: datetime) -> Sequence[OnCallPerson]:
        return self._on_call.operators() or await self._on_call.line(session, "", at)
