"""What the queue calls for what clients want."""

from uuid import UUID

from bot.durable.queue import JobContext, PatientRetry, queue, services_of


@queue.task(name="enter_stop", pass_context=True, retry=PatientRetry())
async def enter_stop(context: JobContext, request_id: str) -> None:
    await services_of(context).stop_entry.enter(UUID(request_id))


@queue.task(name="apply_stop_change", pass_context=True, retry=PatientRetry())
async def apply_stop_change(context: JobContext, change_id: str) -> None:
    await services_of(context).change_writer.apply(UUID(change_id))


@queue.task(name="carry_out_bulk", pass_context=True, retry=PatientRetry())
async def carry_out_bulk(context: JobContext, bulk_id: str) -> None:
    await services_of(context).bulk_changes.carry_out(UUID(bulk_id))


@queue.task(name="take_in_upload", pass_context=True, retry=PatientRetry())
async def take_in_upload(context: JobContext, upload_id: str) -> None:
    await services_of(context).uploads.go_on(UUID(upload_id))
