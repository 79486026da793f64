"""What an escalation leaves behind in a channel that it was handed over from: its message ends with a pointer."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.db import Database
from bot.escalations.models import Escalation, EscalationPost
from bot.escalations.view import ViewSources, build_view
from bot.sop import ProtocolInForce
from connectors.errors import ChannelMisconfiguredError
from connectors.escalation import DispatchDesk, EscalationView, PostedMessage

GONE_CODES = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "is_inactive"})
"""Slack's answers to an edit of a message that is no longer ours to edit."""

LOOK_BACK = timedelta(minutes=5)
"""Clocks of the workspace and ours may differ by this much when an earlier post is looked for."""


class Pointers:
    def __init__(self, database: Database, clock: Clock, sop: ProtocolInForce, sources: ViewSources) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._sources = sources

    async def leave(self, desk: DispatchDesk, escalation_id: UUID) -> None:
        async with self._database.transaction() as session:
            left = await session.scalars(
                select(EscalationPost).where(
                    col(EscalationPost.escalation_id) == escalation_id,
                    col(EscalationPost.pointed_at).is_(None),
                )
            )
            posts = list(left)
            view = await self._view(session, escalation_id) if posts else None
        for post in posts:
            if view is not None:
                pointer = view.model_copy(update={"moved_to": view.zone or post.moved_to})
                await self._point(desk, post, pointer)

    async def _view(self, session: AsyncSession, escalation_id: UUID) -> EscalationView:
        escalation = await session.get_one(Escalation, escalation_id)
        now = self._clock.now()
        return await build_view(session, escalation, self._sop.current, now, sources=self._sources)

    async def _point(self, desk: DispatchDesk, post: EscalationPost, pointer: EscalationView) -> None:
        """The old message becomes a pointer; one that was perhaps posted is looked for first."""
        message = message_at(post.slack_channel, post.slack_ts)
        if message is None and post.attempted_at is not None:
            since = post.attempted_at - LOOK_BACK
            message = await desk.find_posted(post.channel, str(post.escalation_id), since)
        if message is not None:
            try:
                await desk.update(message, pointer)
            except ChannelMisconfiguredError as exc:
                if exc.code not in GONE_CODES:
                    raise
        async with self._database.transaction() as session:
            kept = await session.get(EscalationPost, (post.escalation_id, post.channel), with_for_update=True)
            if kept is None or kept.left_at != post.left_at:
                # Handed back meanwhile: it is shown there again, or leaves a newer pointer.
                return
            kept.pointed_at = self._clock.now()
            if message is not None:
                kept.slack_channel, kept.slack_ts = message.channel, message.ts


async def keep_left(session: AsyncSession, escalation_id: UUID, channel: str, message: PostedMessage) -> None:
    """The message that was posted in a channel while the escalation was handed over from it."""
    left = await session.get(EscalationPost, (escalation_id, channel), with_for_update=True)
    if left is not None and left.slack_ts is None:
        left.slack_channel, left.slack_ts = message.channel, message.ts


def message_at(channel: str | None, ts: str | None) -> PostedMessage | None:
    return None if channel is None or ts is None else PostedMessage(channel=channel, ts=ts)
