"""What the queue calls for the routing platforms: whole reads and single events."""

from uuid import UUID

from bot.durable import inbox
from bot.durable.queue import JobContext, PatientRetry, queue, services_of
from connectors.base import PlatformEvent
from connectors.errors import PlatformError


@queue.task(name="read_platform", pass_context=True, retry=PatientRetry())
async def read_platform(context: JobContext, platform: str) -> None:
    """One whole read. One that the platform fails is not run again: the next is due soon, and the feed knows."""
    services = services_of(context)
    try:
        changed = await services.sync.read_all(platform)
    except PlatformError:
        return
    if changed:
        await services.sweep.run()


@queue.task(name="read_platform_events", pass_context=True, retry=PatientRetry())
async def read_platform_events(context: JobContext, platform: str) -> None:
    """What happened on a platform that does not push. A failed look is not repeated: the next is due soon."""
    services = services_of(context)
    try:
        changed = await services.sync.read_events(platform)
    except PlatformError:
        return
    if changed:
        await services.sweep.run()


@queue.task(name="apply_platform_event", pass_context=True, retry=PatientRetry())
async def apply_platform_event(context: JobContext, event_id: str) -> None:
    """Applies one webhook; marked as handled afterwards, because applying it twice changes nothing."""
    services = services_of(context)
    async with services.database.transaction() as session:
        stored = await inbox.peek(session, UUID(event_id))
    if stored is None:
        return
    changed = await services.sync.apply_event(PlatformEvent.model_validate(stored.payload))
    async with services.database.transaction() as session:
        await inbox.claim(session, UUID(event_id), services.clock.now())
    if changed:
        await services.sweep.run()
