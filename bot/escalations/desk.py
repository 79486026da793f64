"""Makes the dispatchers' workspace show what the tables say. One message per escalation, whoever dies.

The newest revision wins; those in between are never shown. A post or a thread line that was attempted and
not confirmed is looked for by its metadata before it is made again.
"""

from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlmodel import col

from bot.clock import Clock
from bot.db import Database
from bot.escalations.models import Escalation, EscalationNote
from bot.escalations.rules import Verdict
from bot.escalations.view import build_view
from bot.sop import ProtocolInForce
from bot.stops.models import StopRecord
from connectors.base import (
    DispatchDesk,
    DispatcherAction,
    EscalationView,
    Happening,
    HappeningFacts,
    PostedMessage,
    Refusal,
)
from connectors.errors import (
    ChannelError,
    ChannelMisconfiguredError,
    ChannelUnavailableError,
    OutcomeUnknownError,
)

log = structlog.get_logger()

GONE_CODES = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "is_inactive"})
"""Slack's answers to an edit of a message that is no longer ours to edit."""

LOOK_BACK = timedelta(minutes=5)
"""Clocks of the workspace and ours may differ by this much when an earlier post is looked for."""


class DeskWords(Protocol):
    """What dispatchers read; the words stand with the workspace's connector."""

    def thread_line(self, kind: Happening, facts: HappeningFacts, now: datetime) -> str: ...

    def quiet_text(self, refusal: Refusal, holder: str | None) -> str: ...


class DeskKeeper:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        desk: DispatchDesk | None,
        words: DeskWords,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._desk = desk
        self._words = words

    async def sync(self, escalation_id: UUID) -> None:
        """Posts or edits the message, then adds the lines that its thread lacks, in order.

        Raises:
            ChannelUnavailableError: the workspace cannot be reached or refuses; the job runs again later.
        """
        if self._desk is None:
            return
        try:
            message = await self._sync_message(self._desk, escalation_id)
            await self._sync_thread(self._desk, escalation_id, message)
        except OutcomeUnknownError as exc:
            raise ChannelUnavailableError(
                "slack", "outcome unknown", retry_after=timedelta(seconds=2)
            ) from exc
        except ChannelMisconfiguredError as exc:
            log.error("slack_misconfigured", code=exc.code)
            raise ChannelUnavailableError("slack", "misconfigured", exc.code, timedelta(seconds=30)) from exc

    async def _sync_message(self, desk: DispatchDesk, escalation_id: UUID) -> PostedMessage:
        async with self._database.transaction() as session:
            escalation = await session.get_one(Escalation, escalation_id, with_for_update=True)
            view = await build_view(session, escalation, self._sop.current.escalations, self._clock.now())
            attempted_at = escalation.post_attempted_at
            if escalation.slack_ts is None and attempted_at is None:
                escalation.post_attempted_at = self._clock.now()
            revision, posted_revision = escalation.revision, escalation.posted_revision
            message = _posted(escalation)
        if message is None:
            if attempted_at is not None:
                message = await desk.find_posted(
                    escalation.channel, str(escalation_id), attempted_at - LOOK_BACK
                )
            if message is None:
                message = await desk.post(escalation.channel, view)
                posted_revision = revision
            await self._remember(escalation_id, message, posted_revision)
        if posted_revision < revision:
            await self._edit(desk, escalation_id, message, view)
            await self._remember(escalation_id, message, revision)
        return message

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
            async with self._database.transaction() as session:
                escalation = await session.get_one(Escalation, escalation_id, with_for_update=True)
                escalation.slack_channel = escalation.slack_ts = escalation.post_attempted_at = None
            raise ChannelUnavailableError("slack", "message gone", exc.code, timedelta(seconds=1)) from exc

    async def _remember(self, escalation_id: UUID, message: PostedMessage, revision: int) -> None:
        async with self._database.transaction() as session:
            escalation = await session.get_one(Escalation, escalation_id, with_for_update=True)
            escalation.slack_channel, escalation.slack_ts = message.channel, message.ts
            escalation.posted_revision = max(escalation.posted_revision, revision)

    async def _sync_thread(self, desk: DispatchDesk, escalation_id: UUID, message: PostedMessage) -> None:
        while (note := await self._next_note(escalation_id)) is not None:
            was_attempted = note.attempted_at is not None
            if not was_attempted:
                await self._mark(note.id, attempted=True)
            if not (was_attempted and await desk.find_in_thread(message, str(note.id))):
                line = self._words.thread_line(note.kind, await self._facts(note), self._clock.now())
                await desk.post_in_thread(message, line, str(note.id), note.mention)
            await self._mark(note.id, attempted=False)

    async def _next_note(self, escalation_id: UUID) -> EscalationNote | None:
        async with self._database.transaction() as session:
            return await session.scalar(
                select(EscalationNote)
                .where(
                    col(EscalationNote.escalation_id) == escalation_id,
                    col(EscalationNote.posted_at).is_(None),
                )
                .order_by(col(EscalationNote.created_at), col(EscalationNote.id))
                .limit(1)
            )

    async def _mark(self, note_id: UUID, *, attempted: bool) -> None:
        async with self._database.transaction() as session:
            note = await session.get_one(EscalationNote, note_id)
            if attempted:
                note.attempted_at = self._clock.now()
            else:
                note.posted_at = self._clock.now()

    async def _facts(self, note: EscalationNote) -> HappeningFacts:
        async with self._database.transaction() as session:
            escalation = await session.get_one(Escalation, note.escalation_id)
            stop = await session.get(StopRecord, note.stop_id) if note.stop_id is not None else None
        facts = HappeningFacts(
            timezone=escalation.timezone, dispatcher=note.dispatcher, until=note.until, words=note.words
        )
        if stop is None:
            return facts
        about_stop = {
            "address_line": stop.address_line,
            "eta_at": stop.eta_at,
            "window": stop.window,
            "completed_at": stop.completed_at,
            "words": note.words or stop.failure_note,
        }
        return facts.model_copy(update=about_stop)

    async def refuse(self, action: DispatcherAction, verdict: Verdict, holder: str | None) -> None:
        """Tells one dispatcher, and nobody else, why a gesture changed nothing. May be lost."""
        refusal = _REFUSALS.get(verdict)
        if self._desk is None or refusal is None:
            return
        text = self._words.quiet_text(refusal, holder)
        try:
            await self._desk.tell_quietly(action.channel, action.dispatcher, text)
        except ChannelError as exc:
            log.warning("quiet_word_lost", code=exc.code)


_REFUSALS = {
    Verdict.ALREADY_HELD: Refusal.ALREADY_HELD,
    Verdict.ALREADY_RESOLVED: Refusal.RESOLVED,
    Verdict.NOT_ALLOWED: Refusal.NOT_A_DISPATCHER,
    Verdict.NOT_YOURS: Refusal.NOT_YOURS,
}


def _posted(escalation: Escalation) -> PostedMessage | None:
    if escalation.slack_channel is None or escalation.slack_ts is None:
        return None
    return PostedMessage(channel=escalation.slack_channel, ts=escalation.slack_ts)
