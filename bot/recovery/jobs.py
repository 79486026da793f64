"""What the queue calls for followed-up failures."""

from uuid import UUID

from bot.durable.queue import JobContext, PatientRetry, queue, services_of
from bot.errors import DialogueUnavailableError


@queue.task(
    name="take_recovery_step", pass_context=True, retry=PatientRetry(weather=(DialogueUnavailableError,))
)
async def take_recovery_step(context: JobContext, step_id: str) -> None:
    await services_of(context).recovery_ladder.take(UUID(step_id))


@queue.task(name="write_recovery", pass_context=True, retry=PatientRetry())
async def write_recovery(context: JobContext, recovery_id: str) -> None:
    await services_of(context).recovery_conclusions.write_decided(UUID(recovery_id))


@queue.task(name="note_failure", pass_context=True, retry=PatientRetry())
async def note_failure(context: JobContext, recovery_id: str) -> None:
    await services_of(context).recovery_conclusions.note_failure(UUID(recovery_id))
