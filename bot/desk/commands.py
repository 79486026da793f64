"""What dispatchers command: one handler per kind, the answer told quietly to who asked."""

from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from bot import audit
from bot.clock import Clock
from bot.conversations.privacy import masked
from bot.db import Database
from bot.desk.jobs import tell_command_answer
from bot.durable.queue import defer
from bot.oncall.dispatchers import Dispatchers
from connectors.desk import AnswerCode, CommandAnswer, CommandKind, DeskCommand

log = structlog.get_logger()

Handler = Callable[[DeskCommand], Awaitable[CommandAnswer]]


class DeskCommands:
    def __init__(self, database: Database, clock: Clock, dispatchers: Dispatchers) -> None:
        self._database = database
        self._clock = clock
        self._dispatchers = dispatchers
        self._handlers: dict[CommandKind, Handler] = {}

    def on(self, kind: CommandKind, handler: Handler) -> None:
        """`handler` makes its own transactions and may see one command twice: `vendor_id` tells."""
        self._handlers[kind] = handler

    async def carry_out(self, command: DeskCommand) -> CommandAnswer:
        """Who may act on escalations may command."""
        async with self._database.transaction() as session:
            allowed = await self._dispatchers.may_act(session)
        if allowed and command.dispatcher not in allowed:
            return CommandAnswer(code=AnswerCode.NOT_A_DISPATCHER)
        handler = self._handlers.get(command.kind)
        if handler is None:
            log.error("command_not_handled", kind=command.kind.value)
            return CommandAnswer(code=AnswerCode.NOT_POSSIBLE_THERE)
        return await handler(command)

    async def answer_later(self, session: AsyncSession, command: DeskCommand, answer: CommandAnswer) -> None:
        """Records what became of it, and asks for the dispatcher to be told once the transaction commits."""
        audit.record(
            session,
            self._clock.now(),
            "desk_command",
            command.vendor_id,
            command.kind.value,
            actor=command.dispatcher,
            answer=answer.code.value,
        )
        await defer(
            session,
            tell_command_answer,
            channel=command.channel,
            dispatcher=command.dispatcher,
            answer=answer.model_copy(update={"detail": masked(answer.detail)}).model_dump_json(),
        )
