"""Makes the dispatchers' workspace show what the tables say. One message per escalation and channel, whoever dies.

The newest revision wins; those in between are never shown. A post that was attempted and not confirmed is looked for
by its metadata before it is made again. What was handed over leaves a pointer behind.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.db import Database
from bot.escalations.lines import ThreadLines
from bot.escalations.models import Escalation
from bot.escalations.pointers import GONE_CODES, LOOK_BACK, Pointers, keep_left, message_at
from bot.escalations.ports import DeskWords
from bot.escalations.rules import Verdict
from bot.escalations.view import NO_SOURCES, ViewSources, build_view
from bot.oncall.people import PERSON
from bot.sop import ProtocolInForce
from connectors.errors import (
    ChannelError,
    ChannelMisconfiguredError,
    ChannelUnavailableError,
    OutcomeUnknownError,
)
from connectors.escalation import (
    DispatchDesk,
    DispatcherAction,
    EscalationView,
    PostedMessage,
    Refusal,
)

__all__ = ["GONE_CODES", "LOOK_BACK", "DeskKeeper"]

log = structlog.get_logger()


@dataclass(frozen=True)
class Seen:
    """An escalation as it was when this run looked at it."""

    escalation_id: UUID
    channel: str
    view: EscalationView
    revision: int
    posted_revision: int
    message: PostedMessage | None
    attempted_at: datetime | None
    """When a post was attempted before this run."""


class DeskKeeper:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        desk: DispatchDesk | None,
        words: DeskWords,
        sources: ViewSources = NO_SOURCES,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._desk = desk
        self._words = words
        self._sources = sources
        self._lines = ThreadLines(database, clock, sop, words)
        self._pointers = Pointers(database, clock, sop, sources)

    async def sync(self, escalation_id: UUID) -> None:
        """Posts or edits the message, then adds the lines that its thread lacks, in order.

        Raises:
            ChannelUnavailableError: the workspace cannot be reached or refuses; the job runs again later.
        """
        if self._desk is None:
            return
        try:
            await self._sync(self._desk, escalation_id)
        except ChannelUnavailableError:
            await self._note_delay(escalation_id)
            raise

    async def _note_delay(self, escalation_id: UUID) -> None:
        """Remembers since when the newest state waits: it is told with it, so that nobody takes it for fresh."""
        async with self._database.transaction() as session:
            escalation = await session.get_one(Escalation, escalation_id, with_for_update=True)
            if escalation.delayed_since is None and escalation.posted_revision < escalation.revision:
                escalation.delayed_since = self._clock.now()

    async def _sync(self, desk: DispatchDesk, escalation_id: UUID) -> None:
        try:
            message = await self._sync_message(desk, escalation_id)
            if message is None:
                # Handed over meanwhile: the job that was asked for then goes on in the other channel.
                return
            await self._lines.post(desk, escalation_id, message)
            await self._pointers.leave(desk, escalation_id)
        except OutcomeUnknownError as exc:
            raise ChannelUnavailableError(
                "slack", "outcome unknown", retry_after=timedelta(seconds=2)
            ) from exc
        except ChannelMisconfiguredError as exc:
            log.error("slack_misconfigured", code=exc.code)
            raise ChannelUnavailableError("slack", "misconfigured", exc.code, timedelta(seconds=30)) from exc

    # --- the message --------------------------------------------------------------------------

    async def _sync_message(self, desk: DispatchDesk, escalation_id: UUID) -> PostedMessage | None:
        """None: it is not in the channel any more that it was in when this run began."""
        seen = await self._look(escalation_id)
        if seen is None:
            return None
        message, shown = seen.message, seen.posted_revision
        if message is None:
            message, shown = await self._post(desk, seen)
            if not await self._remember(seen, message, shown):
                return None
        if shown < seen.revision:
            await self._edit(desk, escalation_id, message, seen.view)
            if not await self._remember(seen, message, seen.revision):
                return None
        return message

    async def _look(self, escalation_id: UUID) -> Seen | None:
        """Marks the attempt where there is no message yet. The row is not locked while it is looked at: whatever
        changes meanwhile has a revision of its own, and the clock does not find it held."""
        async with self._database.transaction() as session:
            escalation = await session.get_one(Escalation, escalation_id)
            now = self._clock.now()
            seen = Seen(
                escalation_id=escalation_id,
                channel=escalation.channel,
                view=await build_view(session, escalation, self._sop.current, now, sources=self._sources),
                revision=escalation.revision,
                posted_revision=escalation.posted_revision,
                message=message_at(escalation.slack_channel, escalation.slack_ts),
                attempted_at=escalation.post_attempted_at,
            )
            if seen.message is None and seen.attempted_at is None and not await _mark(session, seen, now):
                return None
            return seen

    async def _post(self, desk: DispatchDesk, seen: Seen) -> tuple[PostedMessage, int]:
        """The message, and the revision that it shows."""
        if seen.attempted_at is not None:
            since = seen.attempted_at - LOOK_BACK
            found = await desk.find_posted(seen.channel, str(seen.escalation_id), since)
            if found is not None:
                return found, seen.posted_revision
        return await desk.post(seen.channel, seen.view), seen.revision

    async def _edit(
        self, desk: DispatchDesk, escalation_id: UUID, message: PostedMessage, view: EscalationView
    ) -> None:
        try:
            await desk.update(message, view)
        except ChannelMisconfiguredError as exc:
            if exc.code not in GONE_CODES:
                raise
            # Somebody deleted it: dispatchers must not lose sight of the cause, so it is posted anew.
            log.warning("slack_message_gone", escalation_id=str(escalation_id), code=exc.code)
            await self._forget(escalation_id, message)
            raise ChannelUnavailableError("slack", "message gone", exc.code, timedelta(seconds=1)) from exc

    async def _forget(self, escalation_id: UUID, message: PostedMessage) -> None:
        async with self._database.transaction() as session:
            escalation = await session.get_one(Escalation, escalation_id, with_for_update=True)
            if message_at(escalation.slack_channel, escalation.slack_ts) == message:
                escalation.slack_channel = escalation.slack_ts = escalation.post_attempted_at = None

    async def _remember(self, seen: Seen, message: PostedMessage, revision: int) -> bool:
        """False: it was handed over meanwhile, and the message is one that it has left."""
        async with self._database.transaction() as session:
            escalation = await session.get_one(Escalation, seen.escalation_id, with_for_update=True)
            if escalation.channel != seen.channel:
                await keep_left(session, seen.escalation_id, seen.channel, message)
                return False
            escalation.slack_channel, escalation.slack_ts = message.channel, message.ts
            escalation.posted_revision = max(escalation.posted_revision, revision)
            if escalation.posted_revision >= escalation.revision:
                escalation.delayed_since = None
            return True

    # --- quiet words --------------------------------------------------------------------------

    async def refuse(self, action: DispatcherAction, verdict: Verdict, holder: str | None) -> None:
        """Tells one dispatcher, and nobody else, why a gesture changed nothing. May be lost."""
        refusal = _REFUSALS.get(verdict)
        if refusal is not None:
            text = self._words.quiet_text(refusal, holder, action.words)
            await self._whisper(action.channel, action.dispatcher, text)

    async def not_done(self, channel: str, dispatcher: str, code: str, address_line: str) -> None:
        """The platform refused what this dispatcher asked for. Stands in the thread too; may be lost."""
        await self._whisper(channel, dispatcher, self._words.not_done_text(code, address_line))

    async def _whisper(self, channel: str, dispatcher: str, text: str) -> None:
        if self._desk is None or not channel or dispatcher.startswith(PERSON):
            # They texted or pressed a key: `bot.paging` answers them there.
            return
        try:
            await self._desk.tell_quietly(channel, dispatcher, text)
        except ChannelError as exc:
            log.warning("quiet_word_lost", code=exc.code)


_REFUSALS = {
    Verdict.ALREADY_HELD: Refusal.ALREADY_HELD,
    Verdict.ALREADY_RESOLVED: Refusal.RESOLVED,
    Verdict.NOT_ALLOWED: Refusal.NOT_A_DISPATCHER,
    Verdict.NOT_YOURS: Refusal.NOT_YOURS,
    Verdict.NOTHING_TO_DECIDE: Refusal.NOTHING_TO_DECIDE,
    Verdict.ALREADY_DECIDED: Refusal.ALREADY_DECIDED,
    Verdict.NOBODY_TO_REPLY_TO: Refusal.NOBODY_TO_REPLY_TO,
    Verdict.OPTED_OUT: Refusal.OPTED_OUT,
    Verdict.REACTION_NOT_ENOUGH: Refusal.REACTION_NOT_ENOUGH,
    Verdict.NOT_POSSIBLE: Refusal.NOT_POSSIBLE,
}


async def _mark(session: AsyncSession, seen: Seen, now: datetime) -> bool:
    """The post is attempted, in the channel that was seen; False: it is another one by now."""
    marked = await session.scalar(
        update(Escalation)
        .where(
            col(Escalation.id) == seen.escalation_id,
            col(Escalation.channel) == seen.channel,
            col(Escalation.slack_ts).is_(None),
        )
        .values(post_attempted_at=now)
        .returning(col(Escalation.id))
        .execution_options(synchronize_session=False)
    )
    return marked is not None
