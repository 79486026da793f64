"""Calls a dispatcher about a failed delivery: why it failed, or what becomes of the parcel."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from bot.desk.service import DeskTasks, TaskWanted
from bot.recovery.models import Recovery, RecoveryState, Why
from bot.stops.models import StopRecord
from connectors.base import Capability, DeliveryWindow, FailureReason, RoutingPlatform
from connectors.desk import Choice, TaskFacts, TaskKind

CAUSES = (
    FailureReason.RECIPIENT_UNAVAILABLE,
    FailureReason.ACCESS_ISSUE,
    FailureReason.ADDRESS_ISSUE,
    FailureReason.REFUSED,
    FailureReason.DAMAGED,
    FailureReason.VEHICLE,
    FailureReason.WEATHER,
)
"""What a dispatcher may choose, the likeliest first."""

BY_HAND_ONLY = frozenset({Why.PICK_UP, Why.SEND_BACK, Why.CODE_LOST})
"""It is decided; somebody has to do it."""


def reason_key(recovery: Recovery) -> str:
    return f"recovery:{recovery.id}:reason"


def follow_up_key(recovery: Recovery) -> str:
    return f"recovery:{recovery.id}"


def to_do_key(recovery: Recovery, why: Why) -> str:
    """Of what is to be done by hand: it stays when the follow-up is over."""
    return f"recovery:{recovery.id}:{why.value}"


class RecoveryCalls:
    def __init__(self, tasks: DeskTasks, platforms: Mapping[str, RoutingPlatform]) -> None:
        self._tasks = tasks
        self._platforms = platforms

    async def ask_why(self, session: AsyncSession, recovery: Recovery, stop: StopRecord) -> None:
        """Which cause it was; the follow-up starts with the answer."""
        facts = _facts(recovery, stop, Why.UNKNOWN_REASON).model_copy(update={"causes": CAUSES})
        choices = (Choice.REASON, Choice.SEND_BACK, Choice.DONE)
        await self._open(session, recovery, TaskKind.FAILURE_REASON, reason_key(recovery), facts, choices)

    async def ask_what(
        self,
        session: AsyncSession,
        recovery: Recovery,
        stop: StopRecord,
        why: Why,
        *,
        again_at: DeliveryWindow | None = None,
        detail: str = "",
        place: str = "",
    ) -> None:
        """What becomes of it. `again_at`: the window of a second try, where one is known already."""
        facts = _facts(recovery, stop, why).model_copy(
            update={"wanted_window": again_at, "detail": detail, "place": place}
        )
        key = to_do_key(recovery, why) if why in BY_HAND_ONLY else follow_up_key(recovery)
        choices = self._choices(recovery, stop, why)
        await self._open(session, recovery, TaskKind.FOLLOW_UP, key, facts, choices)

    def _choices(self, recovery: Recovery, stop: StopRecord, why: Why) -> tuple[Choice, ...]:
        if why in BY_HAND_ONLY:
            return (Choice.DONE,)
        again = (Choice.AGAIN,) if self._may_try_again(stop, why) else ()
        # A second try that stands goes on: to hold it or send it back is done at the platform.
        ends = () if recovery.state is RecoveryState.BOOKED else (Choice.HOLD, Choice.SEND_BACK)
        return (*again, *ends, Choice.DONE)

    def _may_try_again(self, stop: StopRecord, why: Why) -> bool:
        platform = self._platforms.get(stop.platform)
        has_such = platform is not None and Capability.REATTEMPT in platform.capabilities
        return has_such and why is not Why.NOT_POSSIBLE

    async def lock(self, session: AsyncSession, recovery: Recovery) -> None:
        """Locks the open tasks before the follow-up, as a dispatcher's press does: neither waits for the other."""
        for key in _keys(recovery):
            await self._tasks.find_open(session, key)

    async def close(self, session: AsyncSession, recovery: Recovery) -> None:
        """Nothing is to be decided any more, and nothing held for who has thought better of it."""
        for key in _keys(recovery):
            await self._tasks.close(session, key)

    async def _open(
        self,
        session: AsyncSession,
        recovery: Recovery,
        kind: TaskKind,
        key: str,
        facts: TaskFacts,
        choices: tuple[Choice, ...],
    ) -> None:
        wanted = TaskWanted(
            kind=kind,
            key=key,
            timezone=recovery.timezone,
            facts=facts,
            zone=recovery.zone,
            client=recovery.client,
            choices=choices,
        )
        await self._tasks.open_once(session, wanted)


def _keys(recovery: Recovery) -> tuple[str, ...]:
    """Of the tasks that end with what they are about, in the order in which they are locked."""
    return follow_up_key(recovery), reason_key(recovery), to_do_key(recovery, Why.PICK_UP)


def _facts(recovery: Recovery, stop: StopRecord, why: Why) -> TaskFacts:
    return TaskFacts(
        address_line=stop.address_line,
        tracking=stop.tracking,
        order_ref=stop.order_ref or "",
        recipient_name=stop.recipient_name,
        window=stop.window,
        words=recovery.words,
        reasons=(why.value,),
        cause=recovery.reason,
        failed_at=recovery.failed_at,
        attempt=recovery.attempt,
        platform=stop.platform,
    )
