"""The people whom dispatch can call, as the rest of the product sees them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

PERSON = "person:"
"""How the dispatcher id of somebody without a Slack account begins; their key of sop.yml follows."""


@dataclass(frozen=True, slots=True)
class OnCallPerson:
    """Somebody who can be called. `phone` is E.164; without one they are neither texted nor called."""

    key: str
    name: str
    slack: str | None = None
    phone: str | None = None
    language: str = "en"

    @property
    def dispatcher(self) -> str:
        """As gestures and the audit log name them."""
        return self.slack or f"{PERSON}{self.key}"

    @property
    def mention(self) -> str:
        return f"<@{self.slack}>" if self.slack else ""


class OnCall(Protocol):
    async def line(self, session: AsyncSession, zone: str, at: datetime) -> tuple[OnCallPerson, ...]:
        """Whom to call for this zone at this instant, in order: who is on call, then the next ones.

        Empty: nobody is, though sop.yml names an on-call rota; `is_set_up` tells that from having none.
        """
        ...

    def is_set_up(self, zone: str) -> bool:
        """Whether sop.yml says who is on call for this zone at all."""
        ...

    async def may_acknowledge(self, session: AsyncSession) -> frozenset[str]:
        """Dispatcher ids that may take, resolve and decide; empty: everybody in the channel."""
        ...
