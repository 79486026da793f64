"""Nothing leaves except through the outbox: a row first, then one attempt at a time, reconciled when in doubt.

`queued -> sending -> sent -> delivered | undelivered | failed`. `sending` is committed before the carrier is
called: a row found in `sending` by a later job may have left, so the carrier is asked before it is sent again.
"""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.durable.models import OutboundText, OutboxState, Purpose
from bot.durable.outbox_ports import (
    MAY_LEAVE,
    OPTED_OUT,
    OPTED_OUT_CODE,
    OUTDATED,
    QUEUE_FULL,
    SENDER_BUSY,
    Arrivals,
    Books,
    ConsentGate,
    FailureDesk,
    Gate,
    Judgement,
)
from bot.durable.pacing import IS_PACED, is_paced
from connectors.base import Channel, ChannelName, OutboundMessage, Receipt, ReceiptStatus
from connectors.errors import (
    ChannelMisconfiguredError,
    ChannelUnavailableError,
    OutcomeUnknownError,
    RecipientOptedOutError,
    UndeliverableError,
)

log = structlog.get_logger()

OPEN_STATES = (OutboxState.QUEUED, OutboxState.SENDING)

STRANDED = """
    SELECT id, conversation_id FROM outbound_message
    WHERE state IN ('queued', 'sending') AND due_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM procrastinate_jobs
        WHERE task_name = 'send_message' AND status IN ('todo', 'doing')
          AND args ->> 'outbound_id' = outbound_message.id::text
    )
    ORDER BY created_at LIMIT 100
"""


class Outbox:
    """Takes queued messages to their carriers. Called by jobs, one conversation at a time."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        channels: dict[ChannelName, Channel],
        consent: ConsentGate,
        failures: FailureDesk | None = None,
        arrivals: Arrivals | None = None,
        gate: Gate | None = None,
        books: Books | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._channels = channels
        self._consent = consent
        self._failures = failures
        self._arrivals = arrivals
        self._gate = gate
        self._books = books

    async def send(self, outbound_id: UUID) -> None:
        """Sends one message unless it left already.

        Raises:
            ChannelUnavailableError: not sent; the job is to be run again later.
        """
        claimed = await self._claim(outbound_id)
        if claimed is None:
            return
        row, is_first_attempt = claimed
        channel = self._channels.get(row.channel)
        if channel is None:
            await self._close(outbound_id, OutboxState.FAILED, "channel_off")
            return
        message = _message(row, self._carriers_time(row))
        receipt = None if is_first_attempt else await self._find_earlier(channel, message, row)
        if receipt is None:
            if not is_first_attempt and not await self._may_leave_after_all(outbound_id):
                return
            receipt = await self._hand_over(channel, message)
        if receipt is not None:
            await self.apply_receipt(receipt.model_copy(update={"outbound_id": str(outbound_id)}))
            await self._book(row)

    def _carriers_time(self, row: OutboundText) -> timedelta | None:
        """How long the carrier may try, by its own clock: the pretended day may run faster than that."""
        speed = self._clock.speed
        if row.useful_until is None or speed <= 0:
            return None
        return (row.useful_until - self._clock.now()) / speed

    async def _book(self, row: OutboundText) -> None:
        has_waited = is_paced(row.purpose, row.channel)
        if self._books is not None and row.channel is ChannelName.SMS and not has_waited:
            await self._books.book(row.text)

    async def _claim(self, outbound_id: UUID) -> tuple[OutboundText, bool] | None:
        async with self._database.transaction() as session:
            row = await session.get(OutboundText, outbound_id, with_for_update=True)
            if row is None or row.state not in OPEN_STATES:
                return None
            if not await self._may_leave(session, row):
                return None
            is_first_attempt = row.state is OutboxState.QUEUED
            row.state = OutboxState.SENDING
            if is_first_attempt:
                row.attempted_at = self._clock.now()
            row.attempts += 1
            return row, is_first_attempt

    async def _may_leave(self, session: AsyncSession, row: OutboundText) -> bool:
        """Ends, or holds, what may not. One that perhaps left already is judged after it was looked for."""
        may_always = row.purpose is Purpose.CONSENT
        if not may_always and await self._consent.is_opted_out(session, row.recipient):
            await self._finish(session, row, OutboxState.FAILED, OPTED_OUT)
            return False
        if row.state is not OutboxState.QUEUED:
            return True
        judgement = await self._judge(session, row)
        leaves_at = judgement.not_before or self._clock.now()
        if judgement.is_overtaken or is_outdated(row, leaves_at):
            await self._finish(session, row, OutboxState.FAILED, OUTDATED)
            return False
        # Held: the clock gives it out again.
        row.due_at = judgement.not_before
        return judgement.not_before is None

    async def _may_leave_after_all(self, outbound_id: UUID) -> bool:
        """The carrier does not hold what perhaps had left: it is judged as if it were new, however late it is."""
        async with self._database.transaction() as session:
            row = await session.get_one(OutboundText, outbound_id, with_for_update=True)
            if row.state is not OutboxState.SENDING:
                return False
            row.state = OutboxState.QUEUED
            may_leave = await self._may_leave(session, row)
            if may_leave:
                row.state = OutboxState.SENDING
            return may_leave

    async def _judge(self, session: AsyncSession, row: OutboundText) -> Judgement:
        if row.purpose is not Purpose.PROACTIVE or self._gate is None:
            return MAY_LEAVE
        return await self._gate.judge(session, row)

    async def _find_earlier(
        self, channel: Channel, message: OutboundMessage, row: OutboundText
    ) -> Receipt | None:
        attempted_at = row.attempted_at or row.created_at
        async with self._database.transaction() as session:
            known = await session.scalars(
                select(col(OutboundText.vendor_id)).where(
                    col(OutboundText.recipient) == row.recipient,
                    col(OutboundText.vendor_id).is_not(None),
                    col(OutboundText.created_at) >= attempted_at - timedelta(days=1),
                )
            )
            known_ids = {vendor_id for vendor_id in known if vendor_id is not None}
        receipt = await channel.find_sent(message, attempted_at, known_ids)
        log.info("outbox_reconciled", outbound_id=message.outbound_id, found=receipt is not None)
        return receipt

    async def _hand_over(self, channel: Channel, message: OutboundMessage) -> Receipt | None:
        outbound_id = UUID(message.outbound_id)
        try:
            return await channel.send(message)
        except ChannelUnavailableError as exc:
            await self._put_back(outbound_id, exc.code)
            raise
        except OutcomeUnknownError as exc:
            # The row stays in `sending`; the next run asks the carrier first.
            raise ChannelUnavailableError(
                exc.channel, "outcome unknown", retry_after=timedelta(seconds=3)
            ) from exc
        except RecipientOptedOutError as exc:
            await self._record_carrier_opt_out(message)
            await self._close(outbound_id, OutboxState.FAILED, exc.code)
        except UndeliverableError as exc:
            await self._close(outbound_id, OutboxState.FAILED, exc.code)
        except ChannelMisconfiguredError as exc:
            log.error("channel_misconfigured", channel=exc.channel, code=exc.code)
            await self._put_back(outbound_id, exc.code)
            raise ChannelUnavailableError(
                exc.channel, "misconfigured", exc.code, timedelta(seconds=30)
            ) from exc
        return None

    async def apply_receipt(self, receipt: Receipt) -> None:
        """Raises the state of the message that the receipt is about; never lowers it.

        A receipt may come before the create call has returned: then it carries our id, and the vendor's id
        is learned from it.
        """
        async with self._database.transaction() as session:
            row = await self._find_row(session, receipt)
            if row is None:
                log.warning("receipt_without_message", vendor_id=receipt.vendor_id)
                return
            if row.vendor_id is None:
                row.vendor_id = receipt.vendor_id
                audit.record(
                    session, self._clock.now(), "message", str(row.id), "sent", vendor_id=receipt.vendor_id
                )
            if row.sent_at is None:
                row.sent_at = self._clock.now()
            new_state = _state_after(row.state, receipt.status)
            if new_state is not row.state:
                if receipt.error_code == OPTED_OUT_CODE:
                    await self._consent.carrier_refused(session, row.recipient, OPTED_OUT_CODE)
                await self._finish(session, row, new_state, receipt.error_code)

    async def _find_row(self, session: AsyncSession, receipt: Receipt) -> OutboundText | None:
        query = select(OutboundText).with_for_update()
        by_vendor = await session.scalar(query.where(col(OutboundText.vendor_id) == receipt.vendor_id))
        if by_vendor is not None or receipt.outbound_id is None:
            return by_vendor
        try:
            outbound_id = UUID(receipt.outbound_id)
        except ValueError:
            return None
        row = await session.scalar(query.where(col(OutboundText.id) == outbound_id))
        # Read after the lock was won: another receipt may have taught the vendor's id meanwhile.
        return row if row is not None and row.vendor_id in (None, receipt.vendor_id) else None

    async def find_stranded(self) -> list[tuple[UUID, UUID]]:
        """Messages that still wait although no job is left to send them: (message, conversation), bounded."""
        async with self._database.transaction() as session:
            rows = await session.execute(text(STRANDED))
            return [(row.id, row.conversation_id) for row in rows]

    async def claim_due(self, session: AsyncSession, *, at_most: int = 200) -> list[tuple[UUID, UUID]]:
        """Messages whose time has come, (message, conversation), oldest first; each is given out once.

        Not those that wait for the sender's pace: see `Pacer`.
        """
        due = await session.scalars(
            select(OutboundText)
            .where(col(OutboundText.due_at) <= self._clock.now(), ~IS_PACED)
            .order_by(col(OutboundText.due_at), col(OutboundText.created_at))
            .limit(at_most)
            .with_for_update(skip_locked=True)
        )
        rows = list(due)
        for row in rows:
            row.due_at = None
        return [(row.id, row.conversation_id) for row in rows]

    async def _put_back(self, outbound_id: UUID, code: str | None) -> None:
        async with self._database.transaction() as session:
            row = await session.get(OutboundText, outbound_id, with_for_update=True)
            if row is None or row.state is not OutboxState.SENDING or row.vendor_id is not None:
                return
            row.state = OutboxState.QUEUED
            if code == QUEUE_FULL and row.attempts == 1:
                audit.record(session, self._clock.now(), "message", str(row.id), SENDER_BUSY, code=code)

    async def _close(self, outbound_id: UUID, state: OutboxState, error_code: str | None) -> None:
        async with self._database.transaction() as session:
            row = await session.get(OutboundText, outbound_id, with_for_update=True)
            if row is not None and row.state in OPEN_STATES:
                await self._finish(session, row, state, error_code)
                audit.record(session, self._clock.now(), "message", str(row.id), state.value, code=error_code)

    async def _finish(
        self, session: AsyncSession, row: OutboundText, state: OutboxState, error_code: str | None
    ) -> None:
        row.state = state
        row.error_code = error_code or row.error_code
        if state not in (*OPEN_STATES, OutboxState.SENT):
            row.finished_at = self._clock.now()
        if self._failures is not None and state in (OutboxState.UNDELIVERED, OutboxState.FAILED):
            await self._failures.not_delivered(session, row)
        if self._arrivals is not None and state in (OutboxState.SENT, OutboxState.DELIVERED):
            await self._arrivals.arrived(session, row)

    async def _record_carrier_opt_out(self, message: OutboundMessage) -> None:
        async with self._database.transaction() as session:
            await self._consent.carrier_refused(session, message.recipient, OPTED_OUT_CODE)


_STATE_OF = {
    ReceiptStatus.QUEUED: OutboxState.SENT,
    ReceiptStatus.SENDING: OutboxState.SENT,
    ReceiptStatus.SENT: OutboxState.SENT,
    ReceiptStatus.DELIVERED: OutboxState.DELIVERED,
    ReceiptStatus.UNDELIVERED: OutboxState.UNDELIVERED,
    ReceiptStatus.FAILED: OutboxState.FAILED,
}
_RANK = {OutboxState.QUEUED: 0, OutboxState.SENDING: 1, OutboxState.SENT: 2}


def _state_after(state: OutboxState, status: ReceiptStatus) -> OutboxState:
    """The higher of both; what is final stays."""
    wanted = _STATE_OF[status]
    return wanted if _RANK.get(wanted, 3) > _RANK.get(state, 3) else state


def is_outdated(row: OutboundText, now: datetime) -> bool:
    """At the very instant at which it stops being useful it is not sent any more."""
    return row.useful_until is not None and row.useful_until <= now


def _message(row: OutboundText, useful_for: timedelta | None) -> OutboundMessage:
    return OutboundMessage(
        outbound_id=str(row.id),
        channel=row.channel,
        recipient=row.recipient,
        text=row.text,
        subject=row.subject or "",
        in_reply_to=row.in_reply_to_vendor_id or "",
        references=tuple(row.thread_references or ()),
        useful_for=useful_for,
    )
