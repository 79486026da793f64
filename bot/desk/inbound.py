"""Takes presses and commands in from the edge: stored with their job, then answered."""

from bot.clock import Clock
from bot.db import Database
from bot.desk.jobs import handle_desk_command, handle_task_action
from bot.durable import inbox
from bot.durable.queue import defer
from connectors.desk import DeskCommand, TaskAction


class ReceiveTaskActions:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def __call__(self, action: TaskAction) -> None:
        """Raises `StorageUnavailableError` when nothing could be stored."""
        async with inbox.storing(self._database) as session:
            event_id = await inbox.store(session, "slack.task", action.vendor_id, action, self._clock.now())
            if event_id is not None:
                await defer(
                    session, handle_task_action, lock=f"task:{action.task_id}", event_id=str(event_id)
                )


class ReceiveCommands:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def __call__(self, command: DeskCommand) -> None:
        """Raises `StorageUnavailableError` when nothing could be stored."""
        async with inbox.storing(self._database) as session:
            event_id = await inbox.store(
                session, "slack.command", command.vendor_id, command, self._clock.now()
            )
            if event_id is not None:
                # What one dispatcher commands happens in the order in which they commanded it.
                lock = f"command:{command.dispatcher}"
                await defer(session, handle_desk_command, lock=lock, event_id=str(event_id))
