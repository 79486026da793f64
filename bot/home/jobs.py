"""What the queue calls for dispatchers' pages."""

from uuid import UUID

from bot.durable import inbox
from bot.durable.queue import JobContext, PatientRetry, queue, services_of
from connectors.home import HomeAction


@queue.task(name="handle_home_action", pass_context=True, retry=PatientRetry())
async def handle_home_action(context: JobContext, event_id: str) -> None:
    services = services_of(context)
    async with services.database.transaction() as session:
        event = await inbox.claim(session, UUID(event_id), services.clock.now())
        if event is not None:
            await services.homes.act(session, HomeAction.model_validate(event.payload))


@queue.task(name="sync_home", pass_context=True, retry=PatientRetry())
async def sync_home(context: JobContext, dispatcher: str) -> None:
    await services_of(context).homes.sync(dispatcher)
