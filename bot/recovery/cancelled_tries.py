"""Second tries that were booked and are cancelled now: the recipient still expects the parcel."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.intake.models import ChangeKind, ChangeState, StopChange
from bot.recovery import queries
from bot.recovery.informing import Informing
from bot.recovery.models import Recovery, RecoveryState
from bot.recovery.transitions import PLATFORM, Transitions
from bot.requests.models import DispatchRequest, RequestKind, RequestState
from bot.stops.models import StopRecord
from connectors.base import StopStatus


async def go_on(
    session: AsyncSession, recovery: Recovery, transitions: Transitions, informing: Informing
) -> bool:
    """Whether anything changed. A dispatcher decides what becomes of it, unless somebody has: with a second try of
    their own, by sending it back as the recipient asked, or by a cancellation of the client's.

    In the caller's transaction, on a follow-up that `Transitions.locked` has given.
    """
    if recovery.state is not RecoveryState.BOOKED or recovery.reattempt_id is None:
        return False
    again = await session.get_one(StopRecord, recovery.reattempt_id)
    if again.status is not StopStatus.CANCELLED:
        return False
    stop = await session.get_one(StopRecord, recovery.stop_id)
    if (other := await queries.second_try_of(session, stop)) is not None:
        await transitions.booked(session, recovery, stop, other, PLATFORM)
        if other.window is not None and other.window != again.window:
            response = "utter_recovery_told_booked"
            await informing.inform(session, recovery, other, response, other.window)
    elif (request := await _sent_back(session, again)) is not None:
        by = request.decided_by or audit.SYSTEM
        await transitions.sent_back(session, recovery, stop, by, is_done=True)
    elif (change := await _cancelled_by_client(session, again)) is not None:
        by = change.decided_by or change.asked_by or change.client
        await transitions.closed(session, recovery, stop, by, "taken_back")
    else:
        await transitions.try_cancelled(session, recovery, stop, again.window)
    return True


async def _sent_back(session: AsyncSession, again: StopRecord) -> DispatchRequest | None:
    """The approved wish that cancelled it."""
    return await session.scalar(
        select(DispatchRequest)
        .where(
            col(DispatchRequest.stop_id) == again.id,
            col(DispatchRequest.kind) == RequestKind.SEND_BACK,
            col(DispatchRequest.state).in_((RequestState.APPROVING, RequestState.APPROVED)),
        )
        .limit(1)
    )


async def _cancelled_by_client(session: AsyncSession, again: StopRecord) -> StopChange | None:
    return await session.scalar(
        select(StopChange)
        .where(
            col(StopChange.stop_id) == again.id,
            col(StopChange.kind) == ChangeKind.CANCEL,
            col(StopChange.state).in_((ChangeState.APPLYING, ChangeState.APPLIED)),
        )
        .limit(1)
    )
