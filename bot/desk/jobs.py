"""What the queue calls for the desk: show posts, take presses and commands in, answer who commanded."""

from uuid import UUID

from bot.conversations.privacy import masked
from bot.desk.models import DeskBoard, DeskTask
from bot.durable import inbox
from bot.durable.queue import JobContext, PatientRetry, queue, services_of
from connectors.desk import CommandAnswer, DeskCommand, TaskAction

ACCESS_CODE = "access_code"


@queue.task(name="sync_desk_task", pass_context=True, retry=PatientRetry())
async def sync_desk_task(context: JobContext, post_id: str) -> None:
    await services_of(context).desk_posts.sync(DeskTask, UUID(post_id))


@queue.task(name="sync_desk_board", pass_context=True, retry=PatientRetry())
async def sync_desk_board(context: JobContext, post_id: str) -> None:
    await services_of(context).desk_posts.sync(DeskBoard, UUID(post_id))


@queue.task(name="handle_task_action", pass_context=True, retry=PatientRetry())
async def handle_task_action(context: JobContext, event_id: str) -> None:
    services = services_of(context)
    async with services.database.transaction() as session:
        event = await inbox.claim(session, UUID(event_id), services.clock.now())
        if event is None:
            return
        action = TaskAction.model_validate(event.payload)
        refusal, settled_by = await services.desk_tasks.act(session, action)
    if refusal is not None:
        await services.desk_posts.refuse(action, refusal, settled_by)


@queue.task(name="handle_desk_command", pass_context=True, retry=PatientRetry())
async def handle_desk_command(context: JobContext, event_id: str) -> None:
    """Marked as handled afterwards: handlers may see one command twice and know it by its `vendor_id`."""
    services = services_of(context)
    async with services.database.transaction() as session:
        event = await inbox.peek(session, UUID(event_id))
    if event is None:
        return
    command = DeskCommand.model_validate(event.payload)
    answer = await services.desk_commands.carry_out(command)
    async with services.database.transaction() as session:
        claimed = await inbox.claim(session, UUID(event_id), services.clock.now())
        if claimed is not None:
            claimed.payload = without_codes(command).model_dump(mode="json")
            await services.desk_commands.answer_later(session, command, answer)


def without_codes(command: DeskCommand) -> DeskCommand:
    """What is kept of a command once it is carried out: nothing that opens a door."""
    fields = {name: "" if name == ACCESS_CODE else masked(value) for name, value in command.fields.items()}
    return command.model_copy(update={"fields": fields})


@queue.task(name="tell_command_answer", pass_context=True, retry=PatientRetry())
async def tell_command_answer(context: JobContext, channel: str, dispatcher: str, answer: str) -> None:
    await services_of(context).desk_posts.tell_answer(
        channel, dispatcher, CommandAnswer.model_validate_json(answer)
    )
