"""What the queue calls for pages: place calls, end them, hear what became of them."""

from uuid import UUID

from bot.durable import inbox
from bot.durable.queue import JobContext, PatientRetry, queue, services_of
from connectors.voice import CallReport


@queue.task(name="place_call", pass_context=True, retry=PatientRetry())
async def place_call(context: JobContext, page_id: str) -> None:
    await services_of(context).calls.place(UUID(page_id))


@queue.task(name="end_call", pass_context=True, retry=PatientRetry())
async def end_call(context: JobContext, page_id: str) -> None:
    await services_of(context).calls.end(UUID(page_id))


@queue.task(name="look_at_call", pass_context=True, retry=PatientRetry(give_up_after=3))
async def look_at_call(context: JobContext, page_id: str) -> None:
    await services_of(context).calls.look(UUID(page_id))


@queue.task(name="apply_call_report", pass_context=True, retry=PatientRetry())
async def apply_call_report(context: JobContext, event_id: str) -> None:
    """Marked as handled with the change itself."""
    services = services_of(context)
    async with services.database.transaction() as session:
        event = await inbox.claim(session, UUID(event_id), services.clock.now())
        if event is not None:
            await services.calls.apply(session, CallReport.model_validate(event.payload))
