"""Takes gestures of dispatchers in from the edge: stored with their job, then answered."""

from bot.clock import Clock
from bot.db import Database
from bot.durable import inbox
from bot.durable.queue import defer
from bot.escalations import queries
from bot.escalations.jobs import handle_dispatcher_action
from connectors.escalation import DispatcherAction


class ReceiveGesture:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def __call__(self, action: DispatcherAction) -> None:
        """Raises `StorageUnavailableError` when nothing could be stored."""
        async with inbox.storing(self._database) as session:
            event_id = await inbox.store(session, "slack.action", action.vendor_id, action, self._clock.now())
            if event_id is not None:
                # A modal names the escalation, a thread its message: both must wait for each other.
                found = action.escalation_id or await queries.id_at(
                    session, action.channel, action.message_ts
                )
                lock = f"gesture:{found or action.message_ts}"
                await defer(session, handle_dispatcher_action, lock=lock, event_id=str(event_id))
