"""Phone calls to our own people: what we ask a carrier for, what it tells us of them, what is said on the phone."""

from collections.abc import Awaitable, Callable, Set
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from connectors.base import Probe, Record


class OutgoingCall(Record):
    call_id: str
    """Ours, and hard to guess: it travels in the URLs that the carrier calls, and finds what is to be said."""
    to: str
    """E.164."""


class CallStatus(StrEnum):
    QUEUED = "queued"
    RINGING = "ringing"
    ANSWERED = "answered"
    COMPLETED = "completed"
    """It was answered, by somebody or something, and is over."""
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    FAILED = "failed"
    """The number does not work, or no carrier takes it there."""
    CANCELED = "canceled"
    """Ended by us before anybody answered."""

    @property
    def is_over(self) -> bool:
        return self not in (CallStatus.QUEUED, CallStatus.RINGING, CallStatus.ANSWERED)


class AnsweredBy(StrEnum):
    UNKNOWN = "unknown"
    """Nobody looked, or it could not be told."""
    PERSON = "person"
    MACHINE = "machine"


class CallReport(Record):
    """What the carrier says of one call. Reports come late, twice, and in any order."""

    vendor_id: str
    status: CallStatus
    call_id: str | None = None
    """Ours, when the report carries it."""
    answered_by: AnsweredBy = AnsweredBy.UNKNOWN


class CallTurn(Record):
    """The carrier asks what comes next: somebody has just answered, pressed a key, or pressed none in time."""

    call_id: str
    vendor_id: str
    turn: int = 0
    """0 when it is answered; each question that was put counts one more."""
    key: str = ""
    """`0` to `9`, `*`, `#`; empty: none was pressed."""
    answered_by: AnsweredBy = AnsweredBy.UNKNOWN


class Spoken(Record):
    """What is said now. With `asks`, one key is waited for, and the next turn follows; else it hangs up after it."""

    language: str
    lines: tuple[str, ...]
    asks: bool = False


class Caller(Protocol):
    """Places calls. Used by jobs only, one call to a person at a time."""

    async def place(self, call: OutgoingCall) -> CallReport:
        """Asks for one call, once: never repeats a request whose outcome is unknown.

        Raises `ChannelUnavailableError` (not placed, try later), `OutcomeUnknownError` (perhaps placed: look for it
        first), `UndeliverableError` (this number never works), `ChannelMisconfiguredError`.
        """
        ...

    async def find(
        self, call: OutgoingCall, attempted_at: datetime, known_vendor_ids: Set[str]
    ) -> CallReport | None:
        """The carrier's record of an earlier attempt to place `call`, or None if it never arrived there.

        Looks among the calls to that number since shortly before `attempted_at`, without those of
        `known_vendor_ids`. Raises as `place`.
        """
        ...

    async def look(self, vendor_id: str) -> CallReport:
        """What became of a call. Raises as `place`."""
        ...

    async def end(self, vendor_id: str) -> None:
        """Stops the ringing, or hangs up. A call that is over already is no error. Raises as `place`."""
        ...

    async def probe(self) -> Probe: ...


AnswerTurn = Callable[[CallTurn], Awaitable[Spoken]]
"""Stores what was pressed, decides, and gives the words. The same turn again gives words for what is so by then.

Raises `StorageUnavailableError` when nothing could be stored; the edge answers 503 and the carrier asks again.
"""

ReceiveCallReport = Callable[[CallReport], Awaitable[None]]
"""Stores, then returns; raises `StorageUnavailableError` when nothing could be stored."""
