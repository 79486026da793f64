"""What a dispatcher presses about a failed delivery: why it failed, or what becomes of the parcel."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.desk.models import DeskTask
from bot.desk.service import DeskTasks
from bot.recovery.answers import Preference
from bot.recovery.calls import BY_HAND_ONLY
from bot.recovery.ending import Endings
from bot.recovery.models import ReasonSource, Recovery, RecoveryState
from bot.recovery.opening import Opening
from bot.recovery.transitions import Transitions
from bot.stops.models import StopRecord
from connectors.base import FailureReason
from connectors.desk import Choice, TaskAction, TaskKind, TaskState

UNSETTLED = (RecoveryState.ASKING, RecoveryState.WITH_DISPATCHER)
ENDED = {
    Choice.AGAIN: TaskState.APPROVED,
    Choice.SEND_BACK: TaskState.APPROVED,
    Choice.HOLD: TaskState.APPROVED,
    Choice.REASON: TaskState.DONE,
    Choice.DONE: TaskState.DONE,
}


class DispatcherDecisions:
    """The task is locked by the press; it ends with it, so that nothing else closes it."""

    def __init__(self, transitions: Transitions, opening: Opening, endings: Endings) -> None:
        self._transitions = transitions
        self._opening = opening
        self._endings = endings

    def listen(self, tasks: DeskTasks) -> None:
        for kind in (TaskKind.FAILURE_REASON, TaskKind.FOLLOW_UP):
            tasks.on_decided(kind, self.decide)

    async def decide(self, session: AsyncSession, task: DeskTask, action: TaskAction) -> TaskState:
        recovery = await session.get(Recovery, _recovery_id(task), with_for_update=True)
        ended = ENDED[action.choice]
        # Ended first: the follow-up closes whatever tasks of it are open.
        task.state = ended
        await session.flush()
        is_to_do = set(task.told.reasons) & {why.value for why in BY_HAND_ONLY}
        if recovery is None or is_to_do or recovery.state not in (*UNSETTLED, RecoveryState.BOOKED):
            return ended
        stop = await session.get_one(StopRecord, recovery.stop_id)
        await self._apply(session, recovery, stop, task, action)
        return ended

    async def _apply(
        self,
        session: AsyncSession,
        recovery: Recovery,
        stop: StopRecord,
        task: DeskTask,
        action: TaskAction,
    ) -> None:
        by = action.dispatcher
        if action.choice is Choice.AGAIN:
            await self._again(session, recovery, stop, task, by)
        elif recovery.state is RecoveryState.BOOKED:
            return
        elif action.choice is Choice.REASON:
            reason = FailureReason(action.value)
            await self._opening.explain(session, recovery, reason, by, ReasonSource.DISPATCHER)
        elif action.choice is Choice.SEND_BACK:
            await self._endings.send_back(session, recovery, stop, by)
        elif action.choice is Choice.HOLD:
            await self._endings.hold(session, recovery, stop, by)
        else:
            await self._transitions.closed(session, recovery, stop, by, "by_hand")

    async def _again(
        self, session: AsyncSession, recovery: Recovery, stop: StopRecord, task: DeskTask, by: str
    ) -> None:
        """What the recipient wanted stays as it was said; what was shown as the window is meant."""
        wanted = task.told.wanted_window
        kept = Preference.model_validate(recovery.preference) if recovery.preference else Preference()
        await self._endings.try_again(session, recovery, stop, by)
        if wanted is not None or recovery.answered_at is not None:
            kept = kept.model_copy(update={"window": wanted or kept.window})
            recovery.preference = kept.model_dump(mode="json")


def _recovery_id(task: DeskTask) -> UUID:
    """`recovery:<id>` and `recovery:<id>:reason`; see `calls`."""
    return UUID(task.key.split(":")[1])
