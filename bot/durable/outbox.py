"""Nothing leaves except through the outbox: a row first, then one attempt at a time, reconciled when in doubt.

`queued -> sending -> sent -> delivered | undelivered | failed`. `sending` is committed before the carrier is
called: a row found in `sending` by a later job may have left, so the carrier is asked before it is sent again.
"""

from datetime import timedelta
from typing import Protocol
from uuid import UUID

import structlog
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.db import Database
from bot.durable.models import OutboundText, OutboxState, Purpose
from connectors.base import Channel, ChannelName, OutboundMessage, Receipt, ReceiptStatus
from connectors.errors import (
    ChannelMisconfiguredError,
    ChannelUnavailableError,
    OutcomeUnknownError,
    RecipientOptedOutError,
    UndeliverableError,
)

log = structlog.get_logger()

OPTED_OUT_CODE = "21610"
"""The recipient told the carrier STOP. Source: Twilio error reference."""

OPEN_STATES = (OutboxState.QUEUED, OutboxState.SENDING)

STRANDED = """
    SELECT id, conversation_id FROM outbound_message
    WHERE state IN ('queued', 'sending') AND NOT EXISTS (
        SELECT 1 FROM procrastinate_jobs
        WHERE task_name = 'send_message' AND status IN ('todo', 'doing')
          AND args ->> 'outbound_id' = outbound_message.id::text
    )
    ORDER BY created_at LIMIT 100
"""


class ConsentGate(Protocol):
    """Who may not be written to. The ledger behind it belongs to the conversations."""

    async def is_opted_out(self, session: AsyncSession, address: str) -> bool: ...

    async def carrier_refused(self, session: AsyncSession, address: str, error_code: str) -> None:
        """The carrier says that this person told it STOP."""
        ...


class Thread(Protocol):
    """The conversation that a message belongs to."""

    id: UUID
    channel: ChannelName
    address: str


async def add(
    session: AsyncSession,
    conversation: Thread,
    text: str,
    purpose: Purpose,
    clock: Clock,
    in_reply_to: UUID | None = None,
) -> UUID | None:
    """Queues one message within the session's transaction; None when this text was answered so before."""
    statement = (
        insert(OutboundText)
        .values(
            conversation_id=conversation.id,
            in_reply_to=in_reply_to,
            purpose=purpose,
            channel=conversation.channel,
            recipient=conversation.address,
            text=text,
            state=OutboxState.QUEUED,
            created_at=clock.now(),
            attempts=0,
        )
        .on_conflict_do_nothing(index_elements=["in_reply_to", "purpose"])
        .returning(col(OutboundText.id))
    )
    return (await session.execute(statement)).scalar_one_or_none()


class Outbox:
    """Takes queued messages to their carriers. Called by jobs, one conversation at a time."""

    def __init__(
        self, database: Database, clock: Clock, channels: dict[ChannelName, Channel], consent: ConsentGate
    ) -> None:
        self._database = database
        self._clock = clock
        self._channels = channels
        self._consent = consent

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
        message = OutboundMessage(
            outbound_id=str(row.id), channel=row.channel, recipient=row.recipient, text=row.text
        )
        receipt = None if is_first_attempt else await self._find_earlier(channel, message, row)
        if receipt is None:
            receipt = await self._hand_over(channel, message)
        if receipt is not None:
            await self.apply_receipt(receipt.model_copy(update={"outbound_id": str(outbound_id)}))

    async def _claim(self, outbound_id: UUID) -> tuple[OutboundText, bool] | None:
        async with self._database.transaction() as session:
            row = await session.get(OutboundText, outbound_id, with_for_update=True)
            if row is None or row.state not in OPEN_STATES:
                return None
            if row.purpose is not Purpose.CONSENT and await self._consent.is_opted_out(
                session, row.recipient
            ):
                _finish(row, OutboxState.FAILED, "opted_out", self._clock)
                return None
            is_first_attempt = row.state is OutboxState.QUEUED
            row.state = OutboxState.SENDING
            if is_first_attempt:
                row.attempted_at = self._clock.now()
            row.attempts += 1
            return row, is_first_attempt

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
        except ChannelUnavailableError:
            await self._put_back(outbound_id)
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
            await self._put_back(outbound_id)
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
                _finish(row, new_state, receipt.error_code, self._clock)
                if receipt.error_code == OPTED_OUT_CODE:
                    await self._consent.carrier_refused(session, row.recipient, OPTED_OUT_CODE)

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

    async def _put_back(self, outbound_id: UUID) -> None:
        async with self._database.transaction() as session:
            row = await session.get(OutboundText, outbound_id, with_for_update=True)
            if row is not None and row.state is OutboxState.SENDING and row.vendor_id is None:
                row.state = OutboxState.QUEUED

    async def _close(self, outbound_id: UUID, state: OutboxState, error_code: str | None) -> None:
        async with self._database.transaction() as session:
            row = await session.get(OutboundText, outbound_id, with_for_update=True)
            if row is not None and row.state in OPEN_STATES:
                _finish(row, state, error_code, self._clock)
                audit.record(session, self._clock.now(), "message", str(row.id), state.value, code=error_code)

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


def _finish(row: OutboundText, state: OutboxState, error_code: str | None, clock: Clock) -> None:
    row.state = state
    row.error_code = error_code or row.error_code
    if state not in (OutboxState.QUEUED, OutboxState.SENDING, OutboxState.SENT):
        row.finished_at = clock.now()
