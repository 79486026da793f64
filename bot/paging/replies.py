"""What people on call text back, taken before any model: it is theirs, they want more, or words for the thread.

Whoever is on call may also be a recipient or a driver: a text is ours only where a page is what was last said.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.conversations.models import Conversation, InboundText
from bot.durable.models import OutboundText, Purpose
from bot.escalations.models import Escalation
from bot.escalations.thread import ask_for_sync, note
from bot.paging import matter
from bot.paging.matter import Matter, Standing
from bot.paging.models import Outcome, Page
from bot.paging.rules import ANSWERABLE, STILL_CURIOUS, TALKING, Meaning, TextAnswer, chosen, read_answer
from bot.paging.taking import Taking
from bot.paging.words import PageWords
from bot.stops.models import OPEN_STATUSES, StopRecord
from connectors.base import ChannelName
from connectors.escalation import Happening

WORDS_KEPT = 600
MOST_PAGES = 30
MOST_OPTIONS = 9
UNSENT = [outcome for outcome in Outcome if outcome.was_never_sent]


class PageReplies:
    """Fulfils `ColleagueReplies` of the conversations."""

    def __init__(self, clock: Clock, taking: Taking, words: PageWords) -> None:
        self._clock = clock
        self._taking = taking
        self._words = words

    async def take(
        self, session: AsyncSession, conversation: Conversation, inbound: InboundText
    ) -> str | None:
        """The answer to what somebody says about a page; None where the text is about something else."""
        if conversation.channel is not ChannelName.SMS:
            return None
        pages = await self._pages_of(session, conversation.address)
        if not pages:
            return None
        answer = read_answer(inbound.text)
        if not await self._is_about_pages(session, conversation, pages, answer):
            return None
        said = await self._answer(session, pages, answer, inbound)
        if said is not None:
            for page in pages:
                page.said_at = self._clock.now()
        return said

    async def _answer(
        self, session: AsyncSession, pages: list[Page], answer: TextAnswer, inbound: InboundText
    ) -> str | None:
        newest = _one_per_subject(pages)
        matters = {page.id: await matter.matter_of(session, page) for page in newest}
        open_ones = [page for page in newest if matters[page.id].standing is Standing.OPEN]
        picked = chosen(newest, answer, self._clock.now())
        if picked is not None:
            return await self._take(session, picked, inbound)
        match answer.meaning:
            case Meaning.TAKE:
                return await self._take_newest(session, newest, open_ones, matters, inbound)
            case Meaning.MORE:
                page = (open_ones or newest)[0]
                return self._words.more(matters[page.id], page.language)
            case Meaning.WORDS:
                return await self._pass_on(session, (open_ones or newest)[0], matters, inbound)
            case Meaning.NUMBER:
                return None

    async def _take_newest(
        self,
        session: AsyncSession,
        newest: list[Page],
        open_ones: list[Page],
        matters: dict[UUID, Matter],
        inbound: InboundText,
    ) -> str | None:
        if len(open_ones) > 1:
            return self._ask_which(open_ones, [matters[page.id] for page in open_ones])
        if open_ones:
            return await self._take(session, open_ones[0], inbound)
        page = newest[0]
        if page.created_at < self._clock.now() - STILL_CURIOUS:
            return None
        found = matters[page.id]
        return self._taking.words(self._taking.standing_for(page, found), found, page.language)

    def _ask_which(self, pages: list[Page], matters: list[Matter]) -> str:
        now = self._clock.now()
        for number, page in enumerate(pages[:MOST_OPTIONS], start=1):
            page.option, page.asked_which_at = number, now
        return self._words.which(matters[:MOST_OPTIONS], pages[0].language)

    async def _take(self, session: AsyncSession, page: Page, inbound: InboundText) -> str:
        page = await matter.lock(session, page)
        page.asked_which_at = None
        taken = await self._taking.take(session, page, "sms:1", f"sms:{inbound.vendor_id}")
        found = await matter.matter_of(session, page)
        return self._taking.words(taken, found, page.language)

    async def _pass_on(
        self, session: AsyncSession, page: Page, matters: dict[UUID, Matter], inbound: InboundText
    ) -> str | None:
        """Other words soon after a page go into its thread, unless they may be about a parcel of their own."""
        now, found = self._clock.now(), matters[page.id]
        is_fresh = page.said_at is not None and page.said_at >= now - TALKING
        words = inbound.text.strip()[:WORDS_KEPT]
        if not words or not is_fresh or page.escalation_id is None or found.standing is Standing.OVER:
            return None
        if await _awaits_a_parcel(session, page.phone):
            return None
        escalation = await session.get_one(Escalation, page.escalation_id)
        note(session, escalation, Happening.NOTED, now, dispatcher=page.dispatcher, words=words)
        await ask_for_sync(session, escalation)
        return self._words.noted(page.language, is_open=found.standing is Standing.OPEN)

    async def _pages_of(self, session: AsyncSession, phone: str) -> list[Page]:
        """Newest first."""
        rows = await session.scalars(
            select(Page)
            .where(
                col(Page.phone) == phone,
                col(Page.created_at) >= self._clock.now() - ANSWERABLE,
                col(Page.outcome).is_(None) | col(Page.outcome).not_in(UNSENT),
            )
            .order_by(col(Page.created_at).desc(), col(Page.kind).desc())
            .limit(MOST_PAGES)
        )
        return list(rows)

    async def _is_about_pages(
        self, session: AsyncSession, conversation: Conversation, pages: list[Page], answer: TextAnswer
    ) -> bool:
        if answer.is_explicit:
            return True
        said_at = max((page.said_at for page in pages if page.said_at is not None), default=None)
        return said_at is not None and not await _said_since(session, conversation, said_at)


def _one_per_subject(pages: list[Page]) -> list[Page]:
    """The newest page of each subject, newest first."""
    newest: dict[object, Page] = {}
    for page in pages:
        newest.setdefault(page.escalation_id or page.alert_id, page)
    return list(newest.values())


async def _said_since(session: AsyncSession, conversation: Conversation, at: datetime) -> bool:
    """Whether something else was texted to this phone since: an answer may be to that."""
    said = exists().where(
        col(OutboundText.conversation_id) == conversation.id,
        col(OutboundText.created_at) > at,
        col(OutboundText.purpose) != Purpose.PAGE,
    )
    return bool(await session.scalar(select(said)))


async def _awaits_a_parcel(session: AsyncSession, phone: str) -> bool:
    waiting = exists().where(
        col(StopRecord.recipient_phone) == phone, col(StopRecord.status).in_(OPEN_STATUSES)
    )
    return bool(await session.scalar(select(waiting)))
