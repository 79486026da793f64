"""Does what a recipient wants with a failed parcel: writes the second try, holds the parcel, or asks a dispatcher."""

from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.db import Database
from bot.recovery import queries
from bot.recovery.answering import Verdict, is_answerable, verdict_on
from bot.recovery.answers import FollowUpOutcome, Preference
from bot.recovery.ending import ask_to_write
from bot.recovery.models import Recovery, RecoveryState, Why
from bot.recovery.notes import note_of
from bot.recovery.rules import points_of
from bot.recovery.transitions import RECIPIENT, Transitions
from bot.recovery.windows import BookableWindows
from bot.recovery.writing import SecondTries, WriteResult, Written
from bot.sop import ProtocolInForce
from bot.stops.answers import HandoffPromise, StopAnswer, Turn
from bot.stops.models import StopRecord
from connectors.base import Capability, DeliveryWindow, RoutingPlatform
from connectors.errors import PlatformUnavailableError

ASKED_FOR = {
    Verdict.ASK_AGAIN: "redeliver",
    Verdict.ASK_ADDRESS: "change_address",
    Verdict.ASK_HOLD: "hold",
    Verdict.ASK_SEND_BACK: "send_back",
}


class AnswersAboutStops(Protocol):
    async def get_answer(self, stop_id: str) -> StopAnswer: ...

    async def may_change(self, turn: Turn, stop_id: str) -> bool: ...


class AsksDispatcher(Protocol):
    async def ask(
        self, turn: Turn, kind: str, stop_id: str, *, window: DeliveryWindow | None = None, words: str = ""
    ) -> HandoffPromise:
        """A dispatcher approves or declines; the recipient hears of it."""
        ...


class Agreements:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        platforms: dict[str, RoutingPlatform],
        stops: AnswersAboutStops,
        windows: BookableWindows,
        requests: AsksDispatcher,
        transitions: Transitions,
        tries: SecondTries,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._platforms = platforms
        self._stops = stops
        self._windows = windows
        self._requests = requests
        self._transitions = transitions
        self._tries = tries

    async def agree(self, turn: Turn, recovery_id: UUID, wanted: Preference) -> FollowUpOutcome:
        """See `RecoveryService.answer`."""
        verdict, recovery, again = await self._judge(turn, recovery_id, wanted)
        stop_id = _newest(recovery, again)
        match verdict:
            case Verdict.OVER:
                return await self._outcome("over", stop_id)
            case Verdict.SAME:
                is_held = recovery.state is RecoveryState.PICK_UP
                window = again.window if again is not None else None
                return await self._outcome("pick_up" if is_held else "booked", stop_id, window=window)
            case Verdict.WRITE:
                return await self._book(turn, recovery, again, wanted)
            case Verdict.PICK_UP:
                return await self._hold(turn, recovery.id, wanted, stop_id)
            case _:
                return await self._ask(turn, recovery, again, wanted, ASKED_FOR[verdict])

    # --- judging --------------------------------------------------------------------------------

    async def _judge(
        self, turn: Turn, recovery_id: UUID, wanted: Preference
    ) -> tuple[Verdict, Recovery, StopRecord | None]:
        async with self._database.transaction() as session:
            recovery = await session.get_one(Recovery, recovery_id)
            again = await queries.again_of(session, recovery)
            stop = await session.get_one(StopRecord, recovery.stop_id)
        platform = self._platforms.get(stop.platform)
        may_write = platform is not None and Capability.REATTEMPT in platform.capabilities
        may_write = may_write and await self._stops.may_change(turn, str(stop.id))
        verdict = verdict_on(
            recovery.state,
            recovery.detail,
            Preference.model_validate(recovery.preference) if recovery.preference else None,
            again.status if again is not None else None,
            wanted,
            may_write=may_write,
            has_points=bool(points_of(self._sop.current.recovery, recovery.zone)),
        )
        return verdict, recovery, again

    # --- a second try ---------------------------------------------------------------------------

    async def _book(
        self, turn: Turn, recovery: Recovery, again: StopRecord | None, wanted: Preference
    ) -> FollowUpOutcome:
        stop_id = _newest(recovery, again)
        if (problem := await self._problem(stop_id, again, wanted.window)) is not None:
            return await self._outcome("not_bookable", stop_id, window=wanted.window, problem=problem)
        if not await self._take(turn, recovery.id, wanted):
            return await self._outcome("over", stop_id)
        try:
            written = await self._tries.write(recovery.id, tell=False)
        except PlatformUnavailableError:
            await self._try_later(recovery.id)
            return await self._outcome("platform_down", stop_id, window=wanted.window)
        if written.result is WriteResult.BOOKED:
            again_id, lacks_code = str(written.again_id), written.lacks_code
            return await self._outcome("booked", again_id, window=written.window, lacks_code=lacks_code)
        return await self._not_written(turn, recovery.id, wanted, written, stop_id)

    async def _problem(
        self, stop_id: str, again: StopRecord | None, window: DeliveryWindow | None
    ) -> str | None:
        is_held = again is not None and again.window == window
        if window is None or is_held:
            return None
        return await self._windows.why_not_bookable_for(stop_id, window)

    async def _take(self, turn: Turn, recovery_id: UUID, wanted: Preference) -> bool:
        """Keeps the answer and stops the ladder, in one transaction; False where it has ended meanwhile."""
        async with self._database.transaction() as session:
            recovery = await self._answerable(session, recovery_id)
            if recovery is None:
                return False
            await self._answered(session, recovery, turn, wanted)
            await self._transitions.writing(session, recovery, RECIPIENT)
            # Written at once; what is left of it by a crash is found by its wall time.
            recovery.tried_at = self._clock.wall()
        return True

    async def _try_later(self, recovery_id: UUID) -> None:
        async with self._database.transaction() as session:
            recovery = await session.get_one(Recovery, recovery_id)
            await ask_to_write(session, recovery, await session.get_one(StopRecord, recovery.stop_id))

    async def _not_written(
        self, turn: Turn, recovery_id: UUID, wanted: Preference, written: Written, stop_id: str
    ) -> FollowUpOutcome:
        """What the platform refused a dispatcher is asked for; what was booked before stays booked."""
        async with self._database.transaction() as session:
            recovery = await self._transitions.locked(session, recovery_id)
            is_ours = recovery is not None and recovery.state is RecoveryState.WRITING
            again = await queries.again_of(session, recovery) if recovery is not None else None
            if recovery is not None and is_ours:
                stands = again is not None and again.is_open
                recovery.state = RecoveryState.BOOKED if stands else RecoveryState.WITH_DISPATCHER
        if recovery is None or not is_ours:
            return await self._outcome("platform_down", stop_id, window=wanted.window)
        wanted = wanted.model_copy(update={"window": written.window or wanted.window})
        kind = "reschedule" if recovery.state is RecoveryState.BOOKED else "redeliver"
        return await self._ask(turn, recovery, again, wanted, kind)

    # --- what people do -------------------------------------------------------------------------

    async def _ask(
        self, turn: Turn, recovery: Recovery, again: StopRecord | None, wanted: Preference, kind: str
    ) -> FollowUpOutcome:
        """A request with Approve and Decline; once it is decided the watch goes on from there."""
        stop_id = _newest(recovery, again)
        words = wanted.address or note_of(wanted, recovery.attempt, recovery.reason)
        promise = await self._requests.ask(turn, kind, stop_id, window=wanted.window, words=words)
        if again is None:
            await self._wait_for_request(turn, recovery.id, wanted)
        by = promise.respond_by
        return await self._outcome("asked_dispatcher", stop_id, window=wanted.window, respond_by=by)

    async def _wait_for_request(self, turn: Turn, recovery_id: UUID, wanted: Preference) -> None:
        async with self._database.transaction() as session:
            recovery = await self._answerable(session, recovery_id)
            if recovery is None:
                return
            stop = await session.get_one(StopRecord, recovery.stop_id)
            await self._answered(session, recovery, turn, wanted)
            await self._transitions.with_dispatcher(session, recovery, stop, Why.REQUEST)

    async def _hold(self, turn: Turn, recovery_id: UUID, wanted: Preference, stop_id: str) -> FollowUpOutcome:
        """At the named place, or the first there is."""
        async with self._database.transaction() as session:
            recovery = await self._answerable(session, recovery_id)
            if recovery is not None:
                places = points_of(self._sop.current.recovery, recovery.zone)
                place = wanted.pick_up_point or (places[0].name if places else "")
                stop = await session.get_one(StopRecord, recovery.stop_id)
                await self._answered(session, recovery, turn, wanted)
                await self._transitions.pick_up(session, recovery, stop, RECIPIENT, place)
        return await self._outcome("pick_up" if recovery is not None else "over", stop_id)

    # --- inside ---------------------------------------------------------------------------------

    async def _answerable(self, session: AsyncSession, recovery_id: UUID) -> Recovery | None:
        """Locked; None where it has ended meanwhile."""
        recovery = await self._transitions.locked(session, recovery_id)
        again = await queries.again_of(session, recovery) if recovery is not None else None
        if recovery is None or not is_answerable(recovery.state, again.status if again else None):
            return None
        return recovery

    async def _answered(
        self, session: AsyncSession, recovery: Recovery, turn: Turn, wanted: Preference
    ) -> None:
        recovery.preference = wanted.model_dump(mode="json")
        recovery.conversation_id = UUID(turn.conversation_id)
        await self._transitions.answered(session, recovery, wanted.choice.value, turn.inbound_id)

    async def _outcome(self, result: str, stop_id: str, **more: Any) -> FollowUpOutcome:
        stop = await self._stops.get_answer(stop_id)
        return FollowUpOutcome.model_validate({"result": result, "stop": stop, **more})


def _newest(recovery: Recovery, again: StopRecord | None) -> str:
    """The stop that is spoken of: the second try where there is one."""
    return str(again.id if again is not None else recovery.stop_id)
