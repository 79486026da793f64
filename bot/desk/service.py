"""Dispatcher tasks: opened once, decided by the first valid press, or by two people where it takes two."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import structlog
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.conversations.privacy import masked
from bot.db import Database
from bot.desk import rules
from bot.desk.keeper import ask, show
from bot.desk.models import UNSETTLED, DeskTask
from bot.errors import ConfigurationError
from bot.oncall.dispatchers import Dispatchers
from bot.sop import ProtocolInForce
from connectors.desk import Choice, TaskAction, TaskFacts, TaskKind, TaskRefusal, TaskState

log = structlog.get_logger()

Decided = Callable[[AsyncSession, DeskTask, TaskAction], Awaitable[TaskState]]
Expired = Callable[[AsyncSession, DeskTask], Awaitable[None]]

MOOT = "moot"
TIME_RAN_OUT = "time_ran_out"
AT_MOST = 100


@dataclass(frozen=True)
class TaskWanted:
    """What dispatchers are asked. The same `key` again feeds the open task instead of opening a second."""

    kind: TaskKind
    key: str
    timezone: str
    facts: TaskFacts
    zone: str = ""
    client: str = ""
    choices: tuple[Choice, ...] = (Choice.DONE,)
    approvals_needed: int = 1
    approved_by: tuple[str, ...] = ()
    """Who has approved by asking for it: of two people who must want it, the first."""
    channel: str | None = None
    """Where it is posted; None: the zone's channel."""
    expires_at: datetime | None = None
    """Day's time at which it ends by itself if nobody has decided it."""


class DeskTasks:
    def __init__(self, database: Database, clock: Clock, sop: ProtocolInForce) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._dispatchers = Dispatchers(sop)
        self._decided: dict[TaskKind, Decided] = {}
        self._expired: dict[TaskKind, Expired] = {}

    def on_decided(self, kind: TaskKind, decided: Decided) -> None:
        """`decided` runs in the gesture's transaction and says what state the task gets.

        `CARRYING_OUT` when a deferred job will `settle` it; `OPEN` when it is still to be decided, approvals
        beginning anew.
        """
        self._decided[kind] = decided

    def on_expired(self, kind: TaskKind, expired: Expired) -> None:
        """`expired` runs in the transaction that ends a task whose `expires_at` has passed."""
        self._expired[kind] = expired

    # --- opening and ending ---------------------------------------------------------------------

    async def open_once(self, session: AsyncSession, wanted: TaskWanted) -> UUID:
        """The id of the task that is open under this key now; its message follows.

        Raises:
            ConfigurationError: it offers a choice that nobody would carry out.
        """
        self._check(wanted)
        task = await self._insert(session, wanted)
        if task is None:
            task = await self.find_open(session, wanted.key)
            if task is None:  # settled between the two statements
                return await self.open_once(session, wanted)
            await self._feed(session, task, wanted)
            return task.id
        audit.record(
            session,
            self._clock.now(),
            "desk_task",
            str(task.id),
            "opened",
            kind=task.kind.value,
            key=task.key,
        )
        await ask(session, task)
        return task.id

    async def find_open(self, session: AsyncSession, key: str) -> DeskTask | None:
        """The unsettled task under this key, locked."""
        return await session.scalar(
            select(DeskTask)
            .where(col(DeskTask.key) == key, text(UNSETTLED))
            .with_for_update()
            .execution_options(populate_existing=True)
        )

    async def close(self, session: AsyncSession, key: str, outcome: str = MOOT) -> None:
        """Ends the open task of this key, if there is one: it settled itself. One being carried out goes on."""
        task = await self.find_open(session, key)
        if task is not None and task.state is TaskState.OPEN:
            await self._end(session, task, TaskState.EXPIRED, outcome, verb="closed")

    async def settle(self, session: AsyncSession, task_id: UUID, state: TaskState, outcome: str = "") -> None:
        """Ends a task that was being carried out; one that has ended already stays as it is."""
        task = await session.get_one(DeskTask, task_id, with_for_update=True)
        if not task.state.is_settled:
            await self._end(session, task, state, outcome, verb="settled")

    async def expire_due(self) -> int:
        """Ends what nobody decided in time; gives how many."""
        async with self._database.transaction() as session:
            due = await session.scalars(
                select(DeskTask)
                .where(col(DeskTask.state) == TaskState.OPEN, col(DeskTask.expires_at) <= self._clock.now())
                .order_by(col(DeskTask.expires_at))
                .limit(AT_MOST)
                .with_for_update(skip_locked=True)
            )
            tasks = list(due)
            for task in tasks:
                await self._end(session, task, TaskState.EXPIRED, TIME_RAN_OUT, verb="expired")
                if (expired := self._expired.get(task.kind)) is not None:
                    await expired(session, task)
        return len(tasks)

    # --- deciding -------------------------------------------------------------------------------

    async def act(self, session: AsyncSession, action: TaskAction) -> tuple[TaskRefusal | None, str | None]:
        """Applies one press: why it changed nothing, or None; and who had settled it, if somebody had."""
        task = await session.get(DeskTask, UUID(action.task_id), with_for_update=True)
        if task is None:
            log.warning("desk_task_unknown", task_id=action.task_id)
            return TaskRefusal.ALREADY_SETTLED, None
        refusal = rules.judge(task, action, await self._dispatchers.may_act(session))
        if refusal is None:
            await self._apply(session, task, action)
        return refusal, task.settled_by

    async def _apply(self, session: AsyncSession, task: DeskTask, action: TaskAction) -> None:
        now = self._clock.now()
        awaits_another = rules.needs_more(task, action)
        if action.choice is Choice.APPROVE:
            task.approved_by = [*task.approved_by, action.dispatcher]
        if not awaits_another:
            await self._decide(session, task, action)
        audit.record(
            session,
            now,
            "desk_task",
            str(task.id),
            _VERBS[action.choice],
            actor=action.dispatcher,
            state=task.state.value,
        )
        await show(session, task, self._clock)

    async def _decide(self, session: AsyncSession, task: DeskTask, action: TaskAction) -> None:
        decided = self._decided.get(task.kind)
        task.settled_by = action.dispatcher
        task.state = (
            await decided(session, task, action) if decided is not None else rules.UNHANDLED[action.choice]
        )
        if task.state is TaskState.OPEN:
            task.settled_by, task.approved_by = None, []
        if task.state.is_settled:
            task.settled_at = self._clock.now()

    # --- inside ---------------------------------------------------------------------------------

    def _check(self, wanted: TaskWanted) -> None:
        nobody_does = set(wanted.choices) - set(rules.UNHANDLED)
        if nobody_does and wanted.kind not in self._decided:
            raise ConfigurationError(f"nobody carries out what is decided about a {wanted.kind} task")

    async def _insert(self, session: AsyncSession, wanted: TaskWanted) -> DeskTask | None:
        """None when a task is open under this key already."""
        channel = wanted.channel or self._sop.current.escalations.channel_for(wanted.zone)
        values = {
            "id": uuid4(),
            "key": wanted.key,
            "kind": wanted.kind,
            "state": TaskState.OPEN,
            "zone": wanted.zone,
            "client": wanted.client,
            "timezone": wanted.timezone,
            "approvals_needed": wanted.approvals_needed,
            "approved_by": list(wanted.approved_by),
            "created_at": self._clock.now(),
            "asked_at": self._clock.wall(),
            "channel": channel,
            "revision": 1,
            "posted_revision": 0,
            "outcome": "",
            **_fed(wanted),
        }
        statement = insert(DeskTask).values(values)
        statement = statement.on_conflict_do_nothing(index_elements=["key"], index_where=text(UNSETTLED))
        task_id = (await session.execute(statement.returning(col(DeskTask.id)))).scalar_one_or_none()
        return await session.get_one(DeskTask, task_id) if task_id is not None else None

    async def _feed(self, session: AsyncSession, task: DeskTask, wanted: TaskWanted) -> None:
        news = _fed(wanted)
        if all(getattr(task, name) == value for name, value in news.items()):
            return
        for name, value in news.items():
            setattr(task, name, value)
        await show(session, task, self._clock)

    async def _end(
        self, session: AsyncSession, task: DeskTask, state: TaskState, outcome: str, *, verb: str
    ) -> None:
        now = self._clock.now()
        task.state, task.outcome, task.settled_at = state, outcome, now
        audit.record(
            session, now, "desk_task", str(task.id), verb, state=state.value, outcome=outcome, key=task.key
        )
        await show(session, task, self._clock)


_VERBS = {
    Choice.APPROVE: "approved",
    Choice.DECLINE: "declined",
    Choice.DONE: "done",
    Choice.ASSIGN: "assigned",
    Choice.REASON: "explained",
    Choice.AGAIN: "tried_again",
    Choice.SEND_BACK: "sent_back",
    Choice.HOLD: "held",
}


def _fed(wanted: TaskWanted) -> dict[str, object]:
    """What a later call with the same key changes. No code that opens a door is kept or shown."""
    facts = wanted.facts
    covered = {"words": masked(facts.words), "detail": masked(facts.detail)}
    return {
        "facts": facts.model_copy(update=covered).model_dump(mode="json"),
        "choices": [choice.value for choice in wanted.choices],
        "expires_at": wanted.expires_at,
    }
