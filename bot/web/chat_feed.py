"""Web chat's conversations over PostgreSQL: lines from the tables, news by LISTEN and NOTIFY.

Whichever process puts a line up, every process that holds a socket of that conversation hears of it. While the
listening connection is lost, sockets look once a second instead.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError

from bot.clock import Clock
from bot.conversations import chat
from bot.conversations.chat import NEWS_CHANNEL, ShownLine
from bot.db import Database, is_connection_lost
from bot.durable.inbox import storing
from connectors.base import InboundMessage, ReceiveMessage

LISTEN_AGAIN_SECONDS = 1.0
LOOK_SECONDS_LISTENING = 20.0
LOOK_SECONDS_DEAF = 1.0

log = structlog.get_logger()


class ChatFeed:
    """Reads, puts up and wakes. One per process; the listening starts with the first open socket."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ear = Ear(database)

    async def newest_lines(self, address: str, at_most: int) -> Sequence[ShownLine]:
        async with storing(self._database) as session:
            return await chat.newest_lines(session, address, at_most)

    async def lines_after(self, address: str, number: int, at_most: int) -> Sequence[ShownLine]:
        async with storing(self._database) as session:
            return await chat.lines_after(session, address, number, at_most)

    async def is_answering(self, address: str) -> bool:
        async with storing(self._database) as session:
            return await chat.is_answering(session, address)

    async def put_up(self, outbound_id: str) -> None:
        async with storing(self._database) as session:
            await chat.number_message(session, UUID(outbound_id), self._clock.now())

    async def put_up_texts(self, address: str) -> None:
        """What the person wrote, for their other tabs and for later."""
        async with storing(self._database) as session:
            await chat.number_texts(session, address)

    async def is_up(self, outbound_id: str) -> bool:
        async with storing(self._database) as session:
            return await chat.is_up(session, UUID(outbound_id))

    @asynccontextmanager
    async def news_of(self, address: str) -> AsyncIterator["AddressNews"]:
        with self._ear.for_address(address) as news:
            yield news

    async def aclose(self) -> None:
        await self._ear.aclose()


class AddressNews:
    """News of one conversation, for one socket."""

    def __init__(self, ear: "Ear") -> None:
        self._ear = ear
        self.came = asyncio.Event()

    async def wait(self) -> None:
        patience = LOOK_SECONDS_LISTENING if self._ear.hears else LOOK_SECONDS_DEAF
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self.came.wait()
        self.came.clear()


class Ear:
    """The one connection of this process that listens, and who wants to know."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: defaultdict[str, set[AddressNews]] = defaultdict(set)
        self._listening: asyncio.Task[None] | None = None
        self.hears = False

    @contextmanager
    def for_address(self, address: str) -> Iterator[AddressNews]:
        if self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(self._listen_forever())
        news = AddressNews(self)
        self._waiting[address].add(news)
        try:
            yield news
        finally:
            self._waiting[address].discard(news)
            if not self._waiting[address]:
                del self._waiting[address]

    async def aclose(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening

    async def _listen_forever(self) -> None:
        while True:
            try:
                await self._listen()
            except Exception as exc:
                if not (is_connection_lost(exc) or isinstance(exc, DBAPIError | OSError)):
                    raise
                log.warning("chat_news_lost", error=type(exc).__name__)
            finally:
                self.hears = False
                self._wake_everybody()
            await asyncio.sleep(LISTEN_AGAIN_SECONDS)

    async def _listen(self) -> None:
        async with self._database.engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None  # noqa: S101 - the connection was just opened
            try:
                await driver.execute(f"LISTEN {NEWS_CHANNEL}")
                self.hears = True
                # What was put up while nobody listened.
                self._wake_everybody()
                async for news in driver.notifies():
                    self._wake(news.payload)
            finally:
                # Back in the pool it would go on collecting news for nobody.
                await connection.invalidate()

    def _wake(self, address: str) -> None:
        for news in self._waiting.get(address, ()):
            news.came.set()

    def _wake_everybody(self) -> None:
        for address in self._waiting:
            self._wake(address)


class ReceiveChatTexts:
    """Stores a text as every channel does, then makes it readable for the person's browsers."""

    def __init__(self, receive: ReceiveMessage, feed: ChatFeed) -> None:
        self._receive = receive
        self._feed = feed

    async def __call__(self, message: InboundMessage) -> None:
        """Raises `StorageUnavailableError`: perhaps stored, and the same text again changes nothing."""
        await self._receive(message)
        await self._feed.put_up_texts(message.sender)
