"""Takes news of calls in from the edge: stored with their job, then answered."""

from bot.clock import Clock
from bot.db import Database
from bot.durable import inbox
from bot.durable.queue import defer
from bot.paging.jobs import apply_call_report
from connectors.voice import CallReport


class ReceiveCallReports:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def __call__(self, report: CallReport) -> None:
        """Raises `StorageUnavailableError` when nothing could be stored."""
        async with inbox.storing(self._database) as session:
            vendor_id = f"{report.vendor_id}:{report.status.value}"
            event_id = await inbox.store(session, "twilio.call", vendor_id, report, self._clock.now())
            if event_id is not None:
                lock = f"call:{report.vendor_id}"
                await defer(session, apply_call_report, lock=lock, event_id=str(event_id))
