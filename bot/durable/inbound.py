"""Takes receipts of the carriers in from the edge: stored with their job, then answered."""

from bot.clock import Clock
from bot.db import Database
from bot.durable import inbox
from bot.durable.jobs import apply_receipt
from bot.durable.queue import defer
from connectors.base import Receipt


class ReceiveReceipts:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def __call__(self, receipt: Receipt) -> None:
        """Raises `StorageUnavailableError` when nothing could be stored."""
        async with inbox.storing(self._database) as session:
            vendor_id = f"{receipt.vendor_id}:{receipt.status.value}:{receipt.error_code or ''}"
            event_id = await inbox.store(session, "twilio.receipt", vendor_id, receipt, self._clock.now())
            if event_id is not None:
                await defer(
                    session, apply_receipt, lock=f"receipt:{receipt.vendor_id}", event_id=str(event_id)
                )
