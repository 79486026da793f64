"""Asks for texts and calls to people on call, and takes them back. Fulfils `bot.escalations.ports.Pager`."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import Select, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.conversations.consent import ConsentLedger
from bot.conversations.models import Conversation
from bot.durable.jobs import put_out
from bot.durable.models import OutboundText, OutboxState, Purpose
from bot.durable.queue import defer
from bot.escalations.models import Escalation, EscalationStep
from bot.oncall.people import OnCallPerson
from bot.paging import jobs, matter
from bot.paging.models import Outcome, Page, PageKind, PageState
from bot.paging.telling import STOPPED, finish, tell
from bot.paging.words import PageWords
from bot.sop_escalations import TierKind
from connectors.base import ChannelName
from connectors.escalation import Happening

FIRST_LOOK = timedelta(minutes=1)
"""Wall time after which a call of which nothing was heard is looked after."""
GIVE_UP_AFTER = timedelta(minutes=10)
"""Wall time: a call that comes later than this tells old news."""


@dataclass(frozen=True)
class About:
    """What a page is about; one of the two."""

    escalation_id: UUID | None = None
    step_id: UUID | None = None
    alert_id: UUID | None = None


class Paging:
    def __init__(self, clock: Clock, consent: ConsentLedger, words: PageWords, *, can_call: bool) -> None:
        """`can_call` False: no number can call, or Twilio is off. Then whoever was to be called is texted."""
        self._clock = clock
        self._consent = consent
        self._words = words
        self._can_call = can_call

    async def page(
        self, session: AsyncSession, escalation: Escalation, step: EscalationStep, person: OnCallPerson
    ) -> bool:
        """As `Pager.page`. Adds its lines to the thread and leaves it to the caller to show the escalation."""
        wants_call = step.kind is TierKind.CALL and self._can_call
        kind = PageKind.CALL if wants_call else PageKind.TEXT
        return await self.ask(session, About(escalation.id, step.id), kind, person)

    async def ask(self, session: AsyncSession, about: About, kind: PageKind, person: OnCallPerson) -> bool:
        """One text or call to one person, once per step or alert. False when it cannot reach them."""
        page = await self._new(session, about, kind, person)
        if page is None:
            known = await self._known(session, about, kind, person)
            return known.outcome is None or not known.outcome.was_never_sent
        why_not = await self._why_not(session, page)
        if why_not is not None:
            await finish(session, page, why_not, self._clock.now())
            return False
        if kind is PageKind.TEXT:
            await self._text(session, page)
        else:
            await self._call(session, page)
        return True

    async def stop(self, session: AsyncSession, escalation_id: UUID) -> None:
        """As `Pager.stop`."""
        await self.stop_all(
            session,
            list(await session.scalars(_open_pages().where(col(Page.escalation_id) == escalation_id))),
        )

    async def stop_alert(self, session: AsyncSession, alert_id: UUID) -> None:
        await self.stop_all(
            session, list(await session.scalars(_open_pages().where(col(Page.alert_id) == alert_id)))
        )

    async def stop_all(self, session: AsyncSession, pages: Sequence[Page]) -> None:
        dropped = await self._drop_texts(session, [page.outbound_id for page in pages if page.outbound_id])
        for found in pages:
            page = await matter.lock(session, found)
            if page.kind is PageKind.CALL:
                await self._stop_call(session, page)
            elif page.outbound_id in dropped:
                await finish(session, page, Outcome.STOPPED, self._clock.now())

    # --- asking -----------------------------------------------------------------------------------

    async def _new(
        self, session: AsyncSession, about: About, kind: PageKind, person: OnCallPerson
    ) -> Page | None:
        """None when this person was asked about this already."""
        page_id = await session.scalar(
            insert(Page)
            .values(
                id=uuid4(),
                escalation_id=about.escalation_id,
                step_id=about.step_id,
                alert_id=about.alert_id,
                kind=kind,
                person=person.key,
                name=person.name,
                dispatcher=person.dispatcher,
                phone=person.phone or "",
                language=person.language,
                state=PageState.QUEUED,
                token=secrets.token_urlsafe(24),
                answered_by="unknown",
                created_at=self._clock.now(),
                said_at=self._clock.now(),
                attempts=0,
            )
            .on_conflict_do_nothing()
            .returning(col(Page.id))
        )
        return await session.get_one(Page, page_id) if page_id is not None else None

    async def _known(self, session: AsyncSession, about: About, kind: PageKind, person: OnCallPerson) -> Page:
        rows = await session.scalars(
            select(Page).where(
                col(Page.step_id).is_not_distinct_from(about.step_id),
                col(Page.alert_id).is_not_distinct_from(about.alert_id),
                col(Page.person) == person.key,
                *([col(Page.kind) == kind] if about.alert_id is not None else []),
            )
        )
        return rows.one()

    async def _why_not(self, session: AsyncSession, page: Page) -> Outcome | None:
        if not page.phone:
            return Outcome.NO_PHONE
        if page.kind is PageKind.TEXT and await self._consent.is_opted_out(session, page.phone):
            return Outcome.REFUSED
        return None

    async def _text(self, session: AsyncSession, page: Page) -> None:
        now = self._clock.now()
        conversation = await self._conversation_with(session, page)
        words = self._words.text(await matter.matter_of(session, page), page.language)
        page.outbound_id = await put_out(
            session, conversation, words, Purpose.PAGE, self._clock, escalation_id=page.escalation_id
        )
        page.state = PageState.SENT
        await tell(session, page, Happening.TEXTED, now, shown=False)

    async def _call(self, session: AsyncSession, page: Page) -> None:
        wall = self._clock.wall()
        page.look_at, page.give_up_at = wall + FIRST_LOOK, wall + GIVE_UP_AFTER
        await tell(session, page, Happening.CALLED, self._clock.now(), shown=False)
        await ask_to_place(session, page)

    async def _conversation_with(self, session: AsyncSession, page: Page) -> Conversation:
        await session.execute(
            insert(Conversation)
            .values(
                channel=ChannelName.SMS,
                address=page.phone,
                # The number that we write from is the carrier's to choose until they write to one.
                our_address="",
                language=page.language,
                created_at=self._clock.now(),
                wrong_tracking_tries=0,
            )
            .on_conflict_do_nothing(index_elements=["channel", "address"])
        )
        found = await session.scalars(
            select(Conversation).where(
                col(Conversation.channel) == ChannelName.SMS, col(Conversation.address) == page.phone
            )
        )
        return found.one()

    # --- taking back --------------------------------------------------------------------------------

    async def _drop_texts(self, session: AsyncSession, outbound_ids: Sequence[UUID]) -> set[UUID]:
        """Those that had not left yet."""
        if not outbound_ids:
            return set()
        dropped = await session.scalars(
            update(OutboundText)
            .where(col(OutboundText.id).in_(outbound_ids), col(OutboundText.state) == OutboxState.QUEUED)
            .values(state=OutboxState.FAILED, error_code=STOPPED, finished_at=self._clock.now(), due_at=None)
            .returning(col(OutboundText.id))
            .execution_options(synchronize_session=False)
        )
        return set(dropped)

    async def _stop_call(self, session: AsyncSession, page: Page) -> None:
        """A call in which the key was pressed goes on: they are just being told that they have it."""
        if page.state is PageState.OVER or page.outcome is Outcome.ACKNOWLEDGED:
            return
        if page.state is PageState.QUEUED and page.attempted_at is None:
            await finish(session, page, Outcome.STOPPED, self._clock.now())
            return
        page.stop_asked_at = page.stop_asked_at or self._clock.now()
        if page.vendor_id is not None:
            await defer(session, jobs.end_call, lock=f"end:{page.id}", page_id=str(page.id))


async def ask_to_place(session: AsyncSession, page: Page) -> None:
    """One call to a person at a time: the next one waits until this one's outcome is known, so that a lost answer
    is never taken for another call's."""
    await defer(session, jobs.place_call, lock=f"call:{page.person}", page_id=str(page.id))


def _open_pages() -> Select[Page]:
    return select(Page).where(col(Page.state) != PageState.OVER).order_by(col(Page.created_at), col(Page.id))
