"""What is told of an escalation: lines of its thread, and the message itself shown anew."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.conversations.privacy import masked
from bot.durable.queue import defer
from bot.escalations import jobs
from bot.escalations.models import Escalation, EscalationNote
from bot.oncall.people import PERSON
from connectors.escalation import Happening

SAID_BY_PEOPLE = frozenset(
    {
        Happening.RECIPIENT_WROTE,
        Happening.TRANSCRIPT,
        Happening.REPLIED,
        Happening.RECIPIENT_TOLD,
        Happening.DRIVER_ASKED,
        Happening.DRIVER_ANSWERED,
        Happening.DRIVER_WROTE,
        Happening.DRIVER_REPORTED,
        Happening.NOTED,
    }
)


def note(
    session: AsyncSession,
    escalation: Escalation,
    kind: Happening,
    at: datetime,
    *,
    dispatcher: str | None = None,
    stop_id: UUID | None = None,
    until: datetime | None = None,
    words: str = "",
    mention: str = "",
    person: str = "",
    facts: dict[str, Any] | None = None,
) -> None:
    """Adds one line; what people said is kept without its codes. Shown by the next `show`.

    `facts` are what else `HappeningFacts` needs, by its names, as JSON.
    """
    session.add(
        EscalationNote(
            escalation_id=escalation.id,
            kind=kind,
            dispatcher=dispatcher,
            stop_id=stop_id,
            until=until,
            words=masked(words) if kind in SAID_BY_PEOPLE else words,
            mention=mention,
            person=person,
            facts=facts or {},
            created_at=at,
        )
    )


async def show(session: AsyncSession, escalation: Escalation) -> None:
    """Asks for the message to show its newest state, and for the lines that its thread lacks."""
    escalation.revision += 1
    await ask_for_sync(session, escalation)


async def ask_for_sync(session: AsyncSession, escalation: Escalation) -> None:
    await defer(
        session, jobs.sync_escalation, lock=f"slack:{escalation.id}", escalation_id=str(escalation.id)
    )


def mention_of(dispatcher: str | None) -> str:
    """Calls one dispatcher; only a line's `mention` notifies anybody. Who has no Slack account is not called."""
    return f"<@{dispatcher}>" if dispatcher and not dispatcher.startswith(PERSON) else ""
