"""What the queue calls for drivers' routes."""

from uuid import UUID

from bot.durable.queue import JobContext, PatientRetry, queue, services_of


@queue.task(name="give_route", pass_context=True, retry=PatientRetry())
async def give_route(context: JobContext, shift_id: str, task_id: str, stop_ids: list[str]) -> None:
    giving = services_of(context).route_giving
    await giving.give(UUID(shift_id), UUID(task_id), [UUID(stop_id) for stop_id in stop_ids])
