"""Keeps the pages that dispatchers look at current: the newest state wins, those in between are never drawn.

A page is looked at again for some hours after it was opened. What changed is published by a job, one at a time per
page; the ticks in between gather what happened since.
"""

from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.db import Database
from bot.durable import inbox
from bot.durable.queue import defer
from bot.home import jobs, rules
from bot.home.models import DispatcherSetting, HomeTab
from bot.home.reading import Day, HomeReader
from connectors.errors import (
    ChannelMisconfiguredError,
    ChannelUnavailableError,
    OutcomeUnknownError,
)
from connectors.home import HomeAction, HomeDesk, HomeGesture

log = structlog.get_logger()

CURRENT_FOR = timedelta(hours=4)
ASKED_AGAIN_AFTER = timedelta(minutes=5)
"""Longer than any job waits between two tries: whoever is behind for so long has lost its job."""

AT_MOST = 200


class HomeService:
    def __init__(self, database: Database, clock: Clock, reader: HomeReader, desk: HomeDesk | None) -> None:
        self._database = database
        self._clock = clock
        self._reader = reader
        self._desk = desk

    # --- what dispatchers do ----------------------------------------------------------------------

    async def act(self, session: AsyncSession, action: HomeAction) -> None:
        """Remembers what was opened or chosen, and has the page drawn anew once the transaction commits."""
        tab = await self._tab(session, action.dispatcher)
        match action.gesture:
            case HomeGesture.OPENED:
                tab.opened_at, tab.page = self._clock.wall(), 0
            case HomeGesture.PAGE:
                tab.page = _page(action.values)
            case HomeGesture.ZONES | HomeGesture.LANGUAGE:
                await self._set(session, action)
        tab.digest = ""
        await self._ask(session, tab)

    async def _tab(self, session: AsyncSession, dispatcher: str) -> HomeTab:
        wall = self._clock.wall()
        values = {
            "dispatcher": dispatcher,
            "opened_at": wall,
            "asked_at": wall,
            "revision": 0,
            "posted_revision": 0,
        }
        await session.execute(
            insert(HomeTab).values(values).on_conflict_do_nothing(index_elements=["dispatcher"])
        )
        return await session.get_one(HomeTab, dispatcher, with_for_update=True, populate_existing=True)

    async def _set(self, session: AsyncSession, action: HomeAction) -> None:
        changes: dict[str, object] = {"changed_at": self._clock.now()}
        if action.gesture is HomeGesture.ZONES:
            changes["zones"] = sorted(set(action.values))
        else:
            changes["language"] = next(iter(action.values), None)
        await session.execute(
            insert(DispatcherSetting)
            .values(dispatcher=action.dispatcher, **changes)
            .on_conflict_do_update(index_elements=["dispatcher"], set_=changes)
        )

    # --- keeping them current ---------------------------------------------------------------------

    async def refresh(self) -> int:
        """Asks for the pages that show something else than they should; gives how many. What did not change costs
        one look and no call."""
        if self._desk is None:
            return 0
        if not await self._is_any_open():
            return 0
        workspace_url = await self._desk.workspace_url()
        async with self._database.transaction() as session:
            tabs = await self._open_tabs(session)
            day = await self._reader.read_day(session, workspace_url)
            behind = [tab for tab in tabs if await self._is_behind(session, tab, day)]
            for tab in behind:
                await self._ask(session, tab)
        return len(behind)

    async def _is_any_open(self) -> bool:
        async with self._database.transaction() as session:
            newest = await session.scalar(select(func.max(col(HomeTab.opened_at))))
        return newest is not None and newest > self._clock.wall() - CURRENT_FOR

    async def _open_tabs(self, session: AsyncSession) -> list[HomeTab]:
        """Locked; those that another process looks at now are left to it."""
        rows = await session.scalars(
            select(HomeTab)
            .where(col(HomeTab.opened_at) > self._clock.wall() - CURRENT_FOR)
            .order_by(col(HomeTab.dispatcher))
            .limit(AT_MOST)
            .with_for_update(skip_locked=True)
        )
        return list(rows)

    async def _is_behind(self, session: AsyncSession, tab: HomeTab, day: Day) -> bool:
        if tab.posted_revision < tab.revision:
            return tab.asked_at <= self._clock.wall() - ASKED_AGAIN_AFTER
        return rules.digest(await self._reader.view(session, tab, day)) != tab.digest

    async def _ask(self, session: AsyncSession, tab: HomeTab) -> None:
        tab.revision += 1
        tab.asked_at = self._clock.wall()
        await defer(session, jobs.sync_home, lock=f"home:{tab.dispatcher}", dispatcher=tab.dispatcher)

    async def sync(self, dispatcher: str) -> None:
        """Publishes the page as it stands now, unless it shows the newest revision already.

        Raises:
            ChannelUnavailableError: the workspace cannot be reached or refuses; the job runs again later.
        """
        if self._desk is None:
            return
        workspace_url = await self._desk.workspace_url()
        async with self._database.transaction() as session:
            tab = await session.get(HomeTab, dispatcher)
            if tab is None or tab.posted_revision >= tab.revision:
                return
            revision, seen = tab.revision, tab.seen
            view = await self._reader.view(session, tab, await self._reader.read_day(session, workspace_url))
        try:
            mark: str | None = await self._desk.publish_home(dispatcher, view, seen)
        except OutcomeUnknownError as exc:
            raise ChannelUnavailableError(
                "slack", "outcome unknown", retry_after=timedelta(seconds=2)
            ) from exc
        except ChannelMisconfiguredError as exc:
            # A page that this workspace does not take now is drawn again with its next change.
            log.error("home_not_published", dispatcher=dispatcher, code=exc.code)
            mark = seen
        async with self._database.transaction() as session:
            tab = await session.get_one(HomeTab, dispatcher, with_for_update=True)
            tab.posted_revision, tab.digest, tab.seen = (
                max(tab.posted_revision, revision),
                rules.digest(view),
                mark,
            )


class ReceiveHomeActions:
    """Takes them in from the edge: stored under their id with their job, the second arrival changes nothing."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def __call__(self, action: HomeAction) -> None:
        """Raises `StorageUnavailableError` when nothing could be stored."""
        async with inbox.storing(self._database) as session:
            event_id: UUID | None = await inbox.store(
                session, "slack.home", action.vendor_id, action, self._clock.now()
            )
            if event_id is not None:
                lock = f"home:{action.dispatcher}"
                await defer(session, jobs.handle_home_action, lock=lock, event_id=str(event_id))


def _page(values: tuple[str, ...]) -> int:
    """0 where it is no page of ours."""
    value = next(iter(values), "")
    return int(value) if value.isascii() and value.isdigit() and len(value) <= 3 else 0
