"""What the queue calls to carry deeds out at a routing platform."""

from uuid import UUID

from bot.durable.queue import JobContext, PatientRetry, queue, services_of


@queue.task(name="carry_out_deed", pass_context=True, retry=PatientRetry())
async def carry_out_deed(context: JobContext, write_id: str) -> None:
    await services_of(context).deed_writer.carry_out(UUID(write_id))
