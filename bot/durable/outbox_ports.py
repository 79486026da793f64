"""What the outbox needs of others, as protocols that `bot.app` fulfils, and the codes that they say to each other."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from bot.durable.models import OutboundText

OPTED_OUT_CODE = "21610"
"""The recipient told the carrier STOP. Source: Twilio error reference."""

OPTED_OUT = "opted_out"
"""Our own word for a message that we kept back because the person has left."""

OUTDATED = "outdated"
"""Our own word for a message that we kept back because it is no use any more."""

QUEUE_FULL = "21611"
"""The carrier holds ten hours of messages of our sender. Source: messaging-contracts A10."""

SENDER_BUSY = "sender_busy"
"""Verb of the audit line of a message that found the queue full, once each."""


class ConsentGate(Protocol):
    """Who may not be written to. The ledger behind it belongs to the conversations."""

    async def is_opted_out(self, session: AsyncSession, address: str) -> bool: ...

    async def carrier_refused(self, session: AsyncSession, address: str, error_code: str) -> None:
        """The carrier says that this person told it STOP."""
        ...


class FailureDesk(Protocol):
    """Hears of messages that will never arrive. The escalations stand behind it."""

    async def not_delivered(self, session: AsyncSession, row: OutboundText) -> None:
        """Called once per message, in the transaction that ends it."""
        ...


class Arrivals(Protocol):
    """Hears of messages that a carrier took, and of those that arrived."""

    async def arrived(self, session: AsyncSession, row: OutboundText) -> None:
        """Called when the state becomes `sent`, and when it becomes `delivered`, in that transaction."""
        ...


@dataclass(frozen=True)
class Judgement:
    is_overtaken: bool = False
    """It is not what would be said by now."""
    not_before: datetime | None = None
    """It may not leave at this hour; day's time."""


MAY_LEAVE = Judgement()


class Gate(Protocol):
    """Looks at what was written unasked once more, at the moment at which it is about to leave."""

    async def judge(self, session: AsyncSession, row: OutboundText) -> Judgement: ...


class Books(Protocol):
    """Counts what leaves without having waited for the sender's pace."""

    async def book(self, text: str) -> None: ...
