"""What the queue calls for requests."""

from uuid import UUID

import structlog

from bot.durable.queue import JobContext, PatientRetry, queue, services_of
from bot.errors import DatabaseUnavailableError

log = structlog.get_logger()

GIVE_UP_AFTER = 4
"""An approval that fails this often for a reason of our own is a dispatcher's again."""


@queue.task(name="carry_out_request", pass_context=True, retry=PatientRetry())
async def carry_out_request(context: JobContext, request_id: str) -> None:
    deciding = services_of(context).deciding
    try:
        await deciding.carry_out(UUID(request_id))
    except DatabaseUnavailableError:
        raise
    except Exception:
        if context.job.attempts + 1 < GIVE_UP_AFTER:
            raise
        log.exception("request_given_up", request_id=request_id)
        await deciding.give_up(UUID(request_id))
