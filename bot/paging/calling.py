"""Places calls, once each, whoever dies; hears what becomes of them; ends those that nobody needs any more.

A call that was attempted and not confirmed is looked for at the carrier before another is placed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.durable.queue import defer
from bot.paging import jobs, matter, rules
from bot.paging.matter import Standing
from bot.paging.models import Outcome, Page, PageKind, PageState
from bot.paging.service import ask_to_place
from bot.paging.telling import finish
from connectors.errors import (
    ChannelMisconfiguredError,
    ChannelUnavailableError,
    OutcomeUnknownError,
    UndeliverableError,
)
from connectors.voice import AnsweredBy, Caller, CallReport, OutgoingCall

log = structlog.get_logger()

NEXT_LOOK = timedelta(minutes=1)
"""Wall time between two questions what became of a call."""
SETTLING = timedelta(seconds=3)
"""A request without an answer may still arrive for so long."""


@dataclass(frozen=True)
class Attempt:
    page_id: UUID
    call: OutgoingCall
    attempted_at: datetime
    is_first: bool


class Calls:
    def __init__(self, database: Database, clock: Clock, caller: Caller | None) -> None:
        self._database = database
        self._clock = clock
        self._caller = caller

    async def place(self, page_id: UUID) -> None:
        """Calls, unless it was done, or nobody needs it any more.

        Raises:
            ChannelUnavailableError: not placed; the job is to be run again later.
        """
        if self._caller is None:
            return
        attempt = await self._claim(page_id)
        if attempt is None:
            return
        report = None if attempt.is_first else await self._find_earlier(self._caller, attempt)
        if report is None:
            report = await self._hand_over(self._caller, attempt)
        if report is not None:
            async with self._database.transaction() as session:
                await self.apply(session, report.model_copy(update={"call_id": attempt.call.call_id}))

    async def apply(self, session: AsyncSession, report: CallReport) -> None:
        """Raises the state of the call that the report is about; the last one ends it, with a line in the thread."""
        page = await self._find(session, report)
        if page is None:
            log.warning("call_report_without_page", vendor_id=report.vendor_id)
            return
        now = self._clock.now()
        if page.vendor_id is None:
            page.vendor_id = report.vendor_id
            audit.record(session, now, "page", str(page.id), "called", vendor_id=report.vendor_id)
            if page.stop_asked_at is not None and not report.status.is_over:
                await defer(session, jobs.end_call, lock=f"end:{page.id}", page_id=str(page.id))
        if report.answered_by is not AnsweredBy.UNKNOWN:
            page.answered_by = report.answered_by
        new = rules.state_after(page.state, report.status)
        if new is PageState.OVER and page.state is not PageState.OVER:
            await finish(session, page, rules.outcome_of(page, report), now)
        page.state = new

    async def end(self, page_id: UUID) -> None:
        """Raises `ChannelUnavailableError`: not ended; the job is to be run again later."""
        async with self._database.transaction() as session:
            page = await session.get_one(Page, page_id)
            vendor_id, is_over = page.vendor_id, page.state is PageState.OVER
        if self._caller is None or vendor_id is None or is_over:
            return
        try:
            await self._caller.end(vendor_id)
        except OutcomeUnknownError as exc:
            raise ChannelUnavailableError(exc.channel, "outcome unknown", retry_after=SETTLING) from exc
        except ChannelMisconfiguredError as exc:
            log.error("call_not_ended", page_id=str(page_id), code=exc.code)

    async def look(self, page_id: UUID) -> None:
        """Asks the carrier what became of a call of which nothing was heard for a while."""
        async with self._database.transaction() as session:
            page = await session.get_one(Page, page_id)
            vendor_id, token, is_over = page.vendor_id, page.token, page.state is PageState.OVER
        if self._caller is None or vendor_id is None or is_over:
            return
        try:
            report = await self._caller.look(vendor_id)
        except ChannelMisconfiguredError as exc:
            log.error("call_not_seen", page_id=str(page_id), code=exc.code)
            return
        async with self._database.transaction() as session:
            await self.apply(session, report.model_copy(update={"call_id": token}))

    async def watch(self, *, at_most: int = 100) -> int:
        """Looks after calls of which nothing was heard, and asks again for those that no job is left for."""
        wall = self._clock.wall()
        async with self._database.transaction() as session:
            due = await session.scalars(
                select(Page)
                .where(col(Page.look_at) <= wall)
                .order_by(col(Page.look_at))
                .limit(at_most)
                .with_for_update(skip_locked=True)
            )
            pages = list(due)
            for page in pages:
                page.look_at = wall + NEXT_LOOK
                if page.vendor_id is None:
                    await ask_to_place(session, page)
                else:
                    await defer(session, jobs.look_at_call, lock=f"look:{page.id}", page_id=str(page.id))
        return len(pages)

    # --- placing ----------------------------------------------------------------------------------

    async def _claim(self, page_id: UUID) -> Attempt | None:
        async with self._database.transaction() as session:
            page = await matter.lock(session, await session.get_one(Page, page_id))
            if page.state not in (PageState.QUEUED, PageState.CALLING) or page.vendor_id is not None:
                return None
            was_tried = page.state is PageState.CALLING
            if not was_tried and not await self._is_wanted(session, page):
                return None
            page.state = PageState.CALLING
            page.attempted_at = page.attempted_at if was_tried and page.attempted_at else self._clock.now()
            page.attempts += 1
            call = OutgoingCall(call_id=page.token, to=page.phone)
            return Attempt(page.id, call, page.attempted_at, is_first=not was_tried)

    async def _is_wanted(self, session: AsyncSession, page: Page) -> bool:
        """Ends the page where it is not."""
        now = self._clock.now()
        if (await matter.matter_of(session, page)).standing is not Standing.OPEN:
            await finish(session, page, Outcome.STOPPED, now)
            return False
        if page.give_up_at is not None and self._clock.wall() >= page.give_up_at:
            await finish(session, page, Outcome.UNDELIVERABLE, now)
            return False
        return True

    async def _find_earlier(self, caller: Caller, attempt: Attempt) -> CallReport | None:
        async with self._database.transaction() as session:
            known = await session.scalars(
                select(col(Page.vendor_id)).where(
                    col(Page.phone) == attempt.call.to, col(Page.vendor_id).is_not(None)
                )
            )
            known_ids = {vendor_id for vendor_id in known if vendor_id is not None}
        report = await caller.find(attempt.call, attempt.attempted_at, known_ids)
        log.info("call_reconciled", page_id=str(attempt.page_id), found=report is not None)
        return report

    async def _hand_over(self, caller: Caller, attempt: Attempt) -> CallReport | None:
        if not attempt.is_first and not await self._may_try_again(attempt.page_id):
            return None
        try:
            return await caller.place(attempt.call)
        except ChannelUnavailableError:
            await self._put_back(attempt.page_id)
            raise
        except OutcomeUnknownError as exc:
            # The page stays in `calling`; the next run asks the carrier first.
            raise ChannelUnavailableError(exc.channel, "outcome unknown", retry_after=SETTLING) from exc
        except UndeliverableError as exc:
            await self._close(attempt.page_id, Outcome.UNDELIVERABLE, exc.code)
        except ChannelMisconfiguredError as exc:
            log.error("caller_misconfigured", code=exc.code)
            await self._close(attempt.page_id, Outcome.REFUSED, exc.code)
        return None

    async def _may_try_again(self, page_id: UUID) -> bool:
        """The earlier attempt never arrived: before a second one, whether it is still wanted."""
        async with self._database.transaction() as session:
            page = await matter.lock(session, await session.get_one(Page, page_id))
            if page.vendor_id is not None or not await self._is_wanted(session, page):
                return False
            page.attempted_at = self._clock.now()
            return True

    async def _put_back(self, page_id: UUID) -> None:
        async with self._database.transaction() as session:
            page = await session.get_one(Page, page_id, with_for_update=True)
            if page.state is PageState.CALLING and page.vendor_id is None:
                page.state = PageState.QUEUED

    async def _close(self, page_id: UUID, outcome: Outcome, code: str | None) -> None:
        async with self._database.transaction() as session:
            page = await matter.lock(session, await session.get_one(Page, page_id))
            await finish(session, page, outcome, self._clock.now())
            audit.record(session, self._clock.now(), "page", str(page.id), "not_called", code=code)

    async def _find(self, session: AsyncSession, report: CallReport) -> Page | None:
        calls = select(Page).where(col(Page.kind) == PageKind.CALL)
        page = await session.scalar(calls.where(col(Page.vendor_id) == report.vendor_id))
        if page is None and report.call_id is not None:
            page = await session.scalar(calls.where(col(Page.token) == report.call_id))
        if page is None:
            return None
        page = await matter.lock(session, page)
        # Read after the lock was won: another report may have taught the vendor's id meanwhile.
        return page if page.vendor_id in (None, report.vendor_id) else None
