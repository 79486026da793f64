"""What the queue calls for escalations: show them, and take dispatchers' gestures in."""

from uuid import UUID

from bot.durable import inbox
from bot.durable.queue import JobContext, PatientRetry, queue, services_of
from bot.escalations.rules import Verdict
from connectors.escalation import DispatcherAction


@queue.task(name="sync_escalation", pass_context=True, retry=PatientRetry())
async def sync_escalation(context: JobContext, escalation_id: str) -> None:
    await services_of(context).desk_keeper.sync(UUID(escalation_id))


@queue.task(name="handle_dispatcher_action", pass_context=True, retry=PatientRetry())
async def handle_dispatcher_action(context: JobContext, event_id: str) -> None:
    services = services_of(context)
    async with services.database.transaction() as session:
        event = await inbox.claim(session, UUID(event_id), services.clock.now())
        if event is None:
            return
        action = DispatcherAction.model_validate(event.payload)
        verdict, escalation = await services.gestures.act(session, action)
        holder = (escalation.resolved_by or escalation.acknowledged_by) if escalation is not None else None
    if verdict is not Verdict.APPLIED:
        await services.desk_keeper.refuse(action, verdict, holder)


@queue.task(name="stop_paging", pass_context=True, retry=PatientRetry())
async def stop_paging(context: JobContext, escalation_id: str) -> None:
    """Somebody has it, or it is over: texts that wait are dropped, calls in progress are ended."""
    services = services_of(context)
    async with services.database.transaction() as session:
        await services.escalations.stop_paging(session, UUID(escalation_id))
