"""What becomes of pages, told in the thread of the escalation, and of texts that never arrive."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.durable.models import OutboundText, Purpose
from bot.durable.outbox_ports import OPTED_OUT, OPTED_OUT_CODE, FailureDesk
from bot.escalations.models import Escalation
from bot.escalations.thread import ask_for_sync, note
from bot.paging import matter
from bot.paging.models import Outcome, Page, PageState
from connectors.escalation import Happening

STOPPED = "stopped"
"""Error code of a text that was dropped before it left, because nobody needs it any more."""


async def tell(
    session: AsyncSession, page: Page, kind: Happening, at: datetime, words: str = "", *, shown: bool = True
) -> None:
    """Adds a line to the thread of what the page is about. `shown` False: the caller shows the escalation anyway."""
    if page.escalation_id is None:
        return
    escalation = await session.get_one(Escalation, page.escalation_id)
    note(session, escalation, kind, at, person=page.name, words=words)
    if shown:
        await ask_for_sync(session, escalation)


async def finish(session: AsyncSession, page: Page, outcome: Outcome, at: datetime) -> None:
    """Ends a page that is locked, once: with its line and its audit line."""
    if page.state is PageState.OVER:
        return
    page.state, page.outcome, page.over_at, page.look_at = PageState.OVER, outcome, at, None
    kind = Happening.PAGE_FAILED if outcome.was_never_sent else Happening.CALL_OVER
    await tell(session, page, kind, at, outcome.value)
    audit.record(session, at, "page", str(page.id), "over", outcome=outcome.value, person=page.person)


class UndeliveredPages:
    """Tells when the carrier cannot deliver the text of a page; what is no page goes to `others`. Fulfils
    `FailureDesk`."""

    def __init__(self, clock: Clock, others: FailureDesk) -> None:
        self._clock = clock
        self._others = others

    async def not_delivered(self, session: AsyncSession, row: OutboundText) -> None:
        if row.purpose is not Purpose.PAGE:
            await self._others.not_delivered(session, row)
            return
        page = await session.scalar(select(Page).where(col(Page.outbound_id) == row.id))
        if page is None or row.error_code == STOPPED:
            return
        page = await matter.lock(session, page)
        has_left = row.error_code in (OPTED_OUT, OPTED_OUT_CODE)
        outcome = Outcome.REFUSED if has_left else Outcome.UNDELIVERABLE
        await finish(session, page, outcome, self._clock.now())
