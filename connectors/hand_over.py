"""Events for the clients' own systems: what is posted, and how it was taken."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any, Protocol

from pydantic import AwareDatetime

from connectors.base import Record


class EventPost(Record):
    """One event for one address."""

    event_id: str
    """Stays the same over all tries and replays: the client's system knows by it what it has."""
    url: str
    secrets: tuple[str, ...]
    """`whsec_...`; more than one while a client changes over."""
    kind: str
    occurred_at: AwareDatetime
    data: Mapping[str, Any]
    """Plain JSON."""


class Taking(StrEnum):
    """What became of a post."""

    TAKEN = "taken"
    REFUSED = "refused"
    """The system is there and does not want this one event."""
    UNAVAILABLE = "unavailable"
    """Nobody is there, too slow, overloaded or broken: all others would fare the same."""
    GONE = "gone"
    """The system says that it wants no more events, ever (410)."""


class PostAnswer(Record):
    taking: Taking
    status: int | None = None
    """HTTP; None where there was no answer."""
    error: str = ""
    """A code: `timeout`, `connection`, `address_refused`, `http_503`. Never the system's own words."""
    retry_after: timedelta | None = None


class ClientSystems(Protocol):
    async def post(self, event: EventPost) -> PostAnswer:
        """Tries once, within ten seconds. Raises nothing of the wire: how it went is the answer."""
        ...

    def why_not(self, url: str) -> str:
        """Empty when events may be posted there as far as the URL tells; else why not, a code."""
        ...

    async def aclose(self) -> None: ...
