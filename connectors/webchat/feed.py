"""What this connector needs of whoever keeps the conversations: lines in their order, and news of new ones."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Author(StrEnum):
    """Who wrote a line, as the person at the browser sees it."""

    YOU = "you"
    BOT = "bot"
    PERSON = "person"


class Line(Protocol):
    """One line of a conversation."""

    @property
    def number(self) -> int:
        """Counts from 1 within the conversation and only rises: whoever has seen a line has seen those before it."""
        ...

    @property
    def text(self) -> str: ...

    @property
    def at(self) -> datetime: ...

    @property
    def author(self) -> str:
        """A word of `Author`."""
        ...

    @property
    def client_id(self) -> str | None:
        """The id under which the browser sent it; None for our own lines."""
        ...


class News(Protocol):
    """Wakes up when something was put up for one conversation, in whichever process."""

    async def wait(self) -> None:
        """Returns at the next news, or after a while without: look again either way."""
        ...


class Feed(Protocol):
    """The conversations, read. Every reading method raises `StorageUnavailableError`."""

    async def newest_lines(self, address: str, at_most: int) -> Sequence[Line]:
        """The end of the conversation, oldest first."""
        ...

    async def lines_after(self, address: str, number: int, at_most: int) -> Sequence[Line]:
        """What follows line `number`, oldest first; nothing is ever added before a line that was given out."""
        ...

    async def is_answering(self, address: str) -> bool:
        """Whether the bot is busy with a text of this person right now."""
        ...

    def news_of(self, address: str) -> AbstractAsyncContextManager[News]:
        """Listens from the moment it is entered; what comes between two waits is not missed."""
        ...


class Board(Protocol):
    """Where outgoing lines become readable. Both raise `StorageUnavailableError`."""

    async def put_up(self, outbound_id: str) -> None:
        """Makes one message of the outbox readable, as the newest line. Again: no effect."""
        ...

    async def is_up(self, outbound_id: str) -> bool: ...
