"""What the queue calls for inbound texts."""

from uuid import UUID

import structlog

from bot.durable.queue import JobContext, PatientRetry, queue, services_of
from bot.errors import DatabaseUnavailableError, DialogueUnavailableError

log = structlog.get_logger()

GIVE_UP_AFTER = 4
"""A text that fails this often for a reason that is not the weather goes to a dispatcher."""


@queue.task(
    name="handle_message",
    pass_context=True,
    retry=PatientRetry(weather=(DialogueUnavailableError, DatabaseUnavailableError)),
)
async def handle_message(context: JobContext, inbound_id: str) -> None:
    """Answers one text; the conversation's next text waits until this one is settled."""
    conversations = services_of(context).conversations
    try:
        await conversations.handle(UUID(inbound_id))
    except (DialogueUnavailableError, DatabaseUnavailableError):
        raise
    except Exception:
        if context.job.attempts + 1 < GIVE_UP_AFTER:
            raise
        log.exception("text_parked", inbound_id=inbound_id)
        await conversations.park(UUID(inbound_id), "failed")
