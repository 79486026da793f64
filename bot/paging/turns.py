"""What is said on the phone, turn by turn. Fulfils `connectors.voice.AnswerTurn`.

The person waits meanwhile: one transaction of ours, no vendor.
"""

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.durable import inbox
from bot.paging import matter
from bot.paging.matter import Matter, Standing
from bot.paging.models import Page, PageKind, PageState
from bot.paging.taking import Taking
from bot.paging.words import PageWords
from connectors.voice import AnsweredBy, CallTurn, Spoken

TAKE_KEY = "1"
MOST_TURNS = 3
"""So often the question is put again, with or without a key; then the call ends."""
LONGEST_WAIT = "5s"
"""For a lock. Twilio gives us 15 s, and asks again."""
UNKNOWN_LANGUAGE = "en"


class PhoneTurns:
    def __init__(self, database: Database, clock: Clock, taking: Taking, words: PageWords) -> None:
        self._database = database
        self._clock = clock
        self._taking = taking
        self._words = words

    async def __call__(self, turn: CallTurn) -> Spoken:
        """Raises `StorageUnavailableError` when nothing could be stored."""
        async with inbox.storing(self._database) as session:
            await session.execute(text(f"SET LOCAL lock_timeout = '{LONGEST_WAIT}'"))
            page = await self._page_of(session, turn)
            if page is None:
                return self._goodbye(self._words.over(UNKNOWN_LANGUAGE), UNKNOWN_LANGUAGE)
            if AnsweredBy.MACHINE in (turn.answered_by, page.answered_by):
                # A mailbox takes nothing: whoever hears it later must not think that they were the one.
                page.answered_by = AnsweredBy.MACHINE
                return Spoken(language=page.language, lines=())
            return await self._answer(session, page, turn)

    async def _page_of(self, session: AsyncSession, turn: CallTurn) -> Page | None:
        """Locked; what its first report would have told is learned here too."""
        found = await session.scalar(
            select(Page).where(col(Page.token) == turn.call_id, col(Page.kind) == PageKind.CALL)
        )
        page = await matter.lock(session, found) if found is not None else None
        if page is None or page.vendor_id not in (None, turn.vendor_id):
            return None
        page.vendor_id = turn.vendor_id
        if page.state is not PageState.OVER:
            page.state = PageState.ANSWERED
        return page

    async def _answer(self, session: AsyncSession, page: Page, turn: CallTurn) -> Spoken:
        found = await matter.matter_of(session, page)
        if turn.key:
            is_new = await self._is_stored(session, page, turn)
            if turn.key == TAKE_KEY and is_new:
                return await self._take(session, page, turn)
        if found.standing is not Standing.OPEN:
            taken = self._taking.standing_for(page, found)
            return self._goodbye(self._taking.words(taken, found, page.language), page.language)
        if turn.turn >= MOST_TURNS:
            return Spoken(language=page.language, lines=self._words.no_key(page.language))
        return Spoken(language=page.language, lines=self._words.cause(found, page.language), asks=True)

    async def _is_stored(self, session: AsyncSession, page: Page, turn: CallTurn) -> bool:
        """Twilio may ask twice for one pressed key: the second time it changes nothing."""
        now = self._clock.now()
        vendor_id = f"{turn.vendor_id}:{turn.turn}:{turn.key}"
        event_id = await inbox.store(session, "twilio.key", vendor_id, turn, now)
        if event_id is None:
            return False
        await inbox.claim(session, event_id, now)
        audit.record(session, now, "page", str(page.id), "pressed", actor=page.dispatcher, key=turn.key)
        return True

    async def _take(self, session: AsyncSession, page: Page, turn: CallTurn) -> Spoken:
        vendor_id = f"{turn.vendor_id}:{turn.turn}"
        taken = await self._taking.take(session, page, f"call:{TAKE_KEY}", vendor_id)
        found: Matter = await matter.matter_of(session, page)
        return self._goodbye(self._taking.words(taken, found, page.language), page.language)

    def _goodbye(self, first: str, language: str) -> Spoken:
        return Spoken(language=language, lines=self._words.goodbye(language, first))
