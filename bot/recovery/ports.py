"""What following up a failure needs of others, as protocols that `bot.app` fulfils."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.sop_recovery import RungKind
from connectors.base import ChannelName, FailureReason


class AskResult(StrEnum):
    READY = "ready"
    """There is a text, and somebody to send it to."""
    BUSY = "busy"
    """A conversation is under way that must not be trampled: to be tried again in some minutes."""
    NOBODY_TO_ASK = "nobody_to_ask"
    """No address, none that can be written to, or the recipient has left."""
    NO_OTHER_WAY = "no_other_way"
    """Of the second channel: there is only one."""


@dataclass(frozen=True)
class Asking:
    """One rung that writes to the recipient."""

    recovery_id: str
    stop_id: str
    """The stop that failed."""
    rung: RungKind
    """`ask`, `remind` or `second_channel`."""
    key: str
    """Of the rung: the same however often it is tried."""
    was_tried: bool = False
    """An earlier try may have begun the dialogue already."""
    may_wait: bool = True
    """False: it was put off often enough; a conversation under way is written into, but no form is touched."""


@dataclass(frozen=True)
class Prepared:
    """What is to be said, not sent yet."""

    result: AskResult
    text: str = ""
    language: str = "en"
    conversation_id: str = ""
    channel: ChannelName | None = None
    address: str = ""


class Asker(Protocol):
    async def prepare(self, asking: Asking) -> Prepared:
        """Begins the dialogue and gives its words; in no transaction of the caller's. The same key again says the same.

        Raises `DialogueUnavailableError`: to be tried again.
        """
        ...

    async def send(self, session: AsyncSession, asking: Asking, prepared: Prepared) -> bool:
        """Puts the words out in the caller's transaction, in which the rung is marked as fired.

        False where there is nobody to write to any more.
        """
        ...


class TellClient(Protocol):
    async def tell(
        self, session: AsyncSession, client: str, kind: str, subject_id: UUID, facts: dict[str, Any]
    ) -> None:
        """One fact for the shipper, by the ways that it has chosen, in the caller's transaction."""
        ...


@dataclass(frozen=True)
class DriverSaid:
    """Why it failed, by the driver's text."""

    reason: FailureReason
    at: datetime
    words: str = ""
    """Access codes masked."""


class DriversWords(Protocol):
    async def said_about(self, session: AsyncSession, stop_ids: Sequence[UUID]) -> Mapping[UUID, DriverSaid]:
        """The newest that drivers have said about these stops, where one has said something."""
        ...


class NothingSaid:
    """Fulfils `DriversWords` where no driver can text."""

    async def said_about(self, session: AsyncSession, stop_ids: Sequence[UUID]) -> Mapping[UUID, DriverSaid]:
        return {}


class NobodyTold:
    """Fulfils `TellClient` where no client is told."""

    async def tell(
        self, session: AsyncSession, client: str, kind: str, subject_id: UUID, facts: dict[str, Any]
    ) -> None:
        return None


class NoDialogue:
    """Fulfils `Asker` where nobody can be asked: a dispatcher has every failure."""

    async def prepare(self, asking: Asking) -> Prepared:
        return Prepared(AskResult.NOBODY_TO_ASK)

    async def send(self, session: AsyncSession, asking: Asking, prepared: Prepared) -> bool:
        return False
