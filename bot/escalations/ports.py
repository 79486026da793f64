"""What escalations need of others: somebody to page, what is paused, dispatchers' words. `bot.app` gives them."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.escalations.cause import Cause
from bot.escalations.models import Escalation, EscalationStep
from bot.oncall.people import OnCallPerson
from connectors.escalation import Happening, HappeningFacts, Refusal


class Pager(Protocol):
    """Texts and calls people. What becomes of each is told in the escalation's thread."""

    async def page(
        self, session: AsyncSession, escalation: Escalation, step: EscalationStep, person: OnCallPerson
    ) -> bool:
        """Asks for one text or one call, by `step.kind`, once per step however often it is asked.

        False when this person has no number: the thread says so, and the caller goes on to the next.
        """
        ...

    async def stop(self, session: AsyncSession, escalation_id: UUID) -> None:
        """Nothing more goes out about it: texts that wait are dropped, calls in progress are ended."""
        ...


class PausedCauses(Protocol):
    async def holds_back(
        self, session: AsyncSession, cause: Cause, stop_ids: Collection[UUID]
    ) -> frozenset[UUID] | None:
        """The stops of `stop_ids` that a maintenance window covers now; None: the whole cause is covered.

        What is held back is remembered, once per cause and stop, for the list at the window's end.
        """
        ...


class PausedSteps(Protocol):
    async def is_paused(self, session: AsyncSession, escalation: Escalation) -> datetime | None:
        """Until when a maintenance window covers an escalation that is open already; None: it is not paused."""
        ...


class DeskWords(Protocol):
    """What dispatchers read; the words stand with the workspace's connector."""

    def thread_line(self, kind: Happening, facts: HappeningFacts, now: datetime) -> str: ...

    def quiet_text(self, refusal: Refusal, holder: str | None = None, unsent: str = "") -> str:
        """`unsent`: the words of a refused reply, handed back to who wrote them."""
        ...

    def not_done_text(self, code: str, address_line: str = "") -> str: ...
