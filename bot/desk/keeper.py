"""Makes the workspace show what the desk's rows say: one message per row, edited in place, whoever dies.

The newest revision wins; those in between are never shown. A post that was attempted and not confirmed is
looked for by its metadata before it is made again.
"""

from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.db import Database
from bot.desk import jobs
from bot.desk.models import DeskBoard, DeskTask
from bot.durable.queue import defer
from bot.escalations.desk import GONE_CODES, LOOK_BACK
from connectors.desk import CommandAnswer, DeskPost, DeskPosts, TaskAction, TaskRefusal
from connectors.errors import (
    ChannelError,
    ChannelMisconfiguredError,
    ChannelUnavailableError,
    OutcomeUnknownError,
)
from connectors.escalation import PostedMessage

log = structlog.get_logger()

ASKED_AGAIN_AFTER = timedelta(minutes=5)
"""Longer than any job waits between two tries: whoever is behind for so long has lost its job."""

AT_MOST = 100

Row = DeskTask | DeskBoard
Posted = TypeVar("Posted", DeskTask, DeskBoard)


async def ask(session: AsyncSession, row: Row) -> None:
    """Asks for the row's message to show its newest revision, once the transaction commits."""
    job = jobs.sync_desk_task if isinstance(row, DeskTask) else jobs.sync_desk_board
    await defer(session, job, lock=f"desk:{row.id}", post_id=str(row.id))


async def show(session: AsyncSession, row: Row, clock: Clock) -> None:
    """The same for a row that has just changed."""
    row.revision += 1
    row.asked_at = clock.wall()
    await ask(session, row)


class QuietWords(Protocol):
    """What one dispatcher reads alone; the words stand with the workspace's connector."""

    def task_refusal_text(self, refusal: TaskRefusal, settled_by: str | None = None) -> str: ...

    def answer_text(self, answer: CommandAnswer, now: datetime) -> str: ...


class PostKeeper:
    def __init__(self, database: Database, clock: Clock, desk: DeskPosts | None, words: QuietWords) -> None:
        self._database = database
        self._clock = clock
        self._desk = desk
        self._words = words

    async def sync(self, table: type[DeskTask] | type[DeskBoard], post_id: UUID) -> None:
        """Posts the row's message, or edits it where it does not show the newest revision yet.

        Raises:
            ChannelUnavailableError: the workspace cannot be reached or refuses; the job runs again later.
        """
        if self._desk is None:
            return
        try:
            await self._sync(self._desk, table, post_id)
        except OutcomeUnknownError as exc:
            raise ChannelUnavailableError(
                "slack", "outcome unknown", retry_after=timedelta(seconds=2)
            ) from exc
        except ChannelMisconfiguredError as exc:
            log.error("slack_misconfigured", code=exc.code)
            raise ChannelUnavailableError("slack", "misconfigured", exc.code, timedelta(seconds=30)) from exc

    async def _sync(self, desk: DeskPosts, table: type[DeskTask] | type[DeskBoard], post_id: UUID) -> None:
        async with self._database.transaction() as session:
            row: Row = await session.get_one(table, post_id, with_for_update=True)
            attempted_at, message = row.post_attempted_at, _posted(row)
            if message is None and attempted_at is None:
                row.post_attempted_at = self._clock.now()
            revision, posted_revision, view = row.revision, row.posted_revision, row.shown()
        if message is None:
            if attempted_at is not None:
                message = await desk.find_view(row.channel, str(post_id), attempted_at - LOOK_BACK)
            if message is None:
                message = await desk.post_view(row.channel, str(post_id), view)
                posted_revision = revision
            await self._remember(table, post_id, message, posted_revision)
        if posted_revision < revision:
            await self._edit(desk, table, post_id, message, view)
            await self._remember(table, post_id, message, revision)

    async def _edit(
        self,
        desk: DeskPosts,
        table: type[DeskTask] | type[DeskBoard],
        post_id: UUID,
        message: PostedMessage,
        view: DeskPost,
    ) -> None:
        try:
            await desk.update_view(message, view)
        except ChannelMisconfiguredError as exc:
            if exc.code not in GONE_CODES:
                raise
            # Somebody deleted it: what is to be decided must stay in sight, so it is posted anew.
            log.warning("slack_message_gone", post_id=str(post_id), code=exc.code)
            async with self._database.transaction() as session:
                row: Row = await session.get_one(table, post_id, with_for_update=True)
                row.slack_channel = row.slack_ts = row.post_attempted_at = None
            raise ChannelUnavailableError("slack", "message gone", exc.code, timedelta(seconds=1)) from exc

    async def _remember(
        self,
        table: type[DeskTask] | type[DeskBoard],
        post_id: UUID,
        message: PostedMessage,
        revision: int,
    ) -> None:
        async with self._database.transaction() as session:
            row: Row = await session.get_one(table, post_id, with_for_update=True)
            row.slack_channel, row.slack_ts = message.channel, message.ts
            row.posted_revision = max(row.posted_revision, revision)

    async def ask_for_stranded(self) -> int:
        """Asks again for rows whose job gave up; gives how many. Showing a row twice changes nothing."""
        if self._desk is None:
            return 0
        async with self._database.transaction() as session:
            behind: list[Row] = [
                *await self._behind(session, DeskTask),
                *await self._behind(session, DeskBoard),
            ]
            for row in behind:
                row.asked_at = self._clock.wall()
                await ask(session, row)
        return len(behind)

    async def _behind(self, session: AsyncSession, table: type[Posted]) -> list[Posted]:
        rows = await session.scalars(
            select(table)
            .where(
                col(table.posted_revision) < col(table.revision),
                col(table.asked_at) <= self._clock.wall() - ASKED_AGAIN_AFTER,
            )
            .limit(AT_MOST)
            .with_for_update(skip_locked=True)
        )
        return list(rows)

    # --- what one dispatcher reads alone --------------------------------------------------------

    async def refuse(self, action: TaskAction, refusal: TaskRefusal, settled_by: str | None) -> None:
        """Tells one dispatcher, and nobody else, why a press changed nothing. May be lost."""
        if self._desk is None:
            return
        text = self._words.task_refusal_text(refusal, settled_by)
        try:
            await self._desk.tell_quietly(action.channel, action.dispatcher, text)
        except ChannelError as exc:
            log.warning("quiet_word_lost", code=exc.code)

    async def tell_answer(self, channel: str, dispatcher: str, answer: CommandAnswer) -> None:
        """Tells one dispatcher what became of a command; at least once, as soon as the workspace is there.

        Raises:
            ChannelUnavailableError: not told; the job runs again later.
        """
        if self._desk is None:
            return
        text = self._words.answer_text(answer, self._clock.now())
        try:
            await self._desk.tell_quietly(channel, dispatcher, text)
        except (OutcomeUnknownError, ChannelMisconfiguredError) as exc:
            # Perhaps read already, or never readable there: telling it again and again helps nobody.
            log.warning("command_answer_lost", code=exc.code)


def _posted(row: Row) -> PostedMessage | None:
    if row.slack_channel is None or row.slack_ts is None:
        return None
    return PostedMessage(channel=row.slack_channel, ts=row.slack_ts)
