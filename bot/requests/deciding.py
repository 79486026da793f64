"""Approved, declined, closed in another way, or moot: ends a request once and tells the recipient."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.conversations.models import Conversation
from bot.conversations.notices import Notices
from bot.conversations.privacy import masked
from bot.db import Database
from bot.durable.outbox_ports import OPTED_OUT
from bot.durable.queue import defer
from bot.escalations import holding
from bot.escalations.models import Escalation
from bot.escalations.rules import Verdict
from bot.escalations.thread import mention_of, note, show
from bot.requests import jobs
from bot.requests.models import UNDECIDED, DispatchRequest, RequestKind, RequestState
from bot.requests.rules import Carried, Outcome, Wanted, is_moot, why_not
from bot.stops.models import StopRecord
from connectors.base import CLOSED_STATUSES
from connectors.escalation import DispatcherAction, DispatcherVerb, Happening

CarryOut = Callable[[DispatchRequest], Awaitable[Outcome]]
"""Writes an approved request to the platform and reads it back; run twice, it changes nothing more."""

AT_THE_PLATFORM = frozenset(
    {RequestKind.RESCHEDULE, RequestKind.REDELIVER, RequestKind.NOTE, RequestKind.SEND_BACK}
)
"""Kinds that a platform may be able to carry out."""


class Deciding:
    """Fulfils `Decisions` of the escalations."""

    def __init__(self, database: Database, clock: Clock, notices: Notices, carry_out: CarryOut) -> None:
        self._database = database
        self._clock = clock
        self._notices = notices
        self._carry_out = carry_out

    async def decide(
        self, session: AsyncSession, escalation: Escalation, action: DispatcherAction
    ) -> Verdict:
        """The first decision counts. An approval that a platform can carry out is carried out by a job."""
        request = await _of_escalation(session, escalation)
        if request is None or request.state is not RequestState.OPEN:
            return Verdict.NOTHING_TO_DECIDE if request is None else Verdict.ALREADY_DECIDED
        request.decided_by, request.decided_at = action.dispatcher, self._clock.now()
        if action.verb is DispatcherVerb.DECLINE:
            await self._end(session, escalation, request, RequestState.DECLINED)
        elif request.kind in AT_THE_PLATFORM:
            request.state = RequestState.APPROVING
            await defer(
                session, jobs.carry_out_request, lock=f"request:{request.id}", request_id=str(request.id)
            )
        else:
            await self._end(session, escalation, request, RequestState.APPROVED)
        return Verdict.APPLIED

    async def carry_out(self, request_id: UUID) -> None:
        """Writes an approved request to the platform. What it refuses is to be decided again."""
        async with self._database.transaction() as session:
            request = await session.get_one(DispatchRequest, request_id)
        if request.state is not RequestState.APPROVING:
            return
        await self._conclude(request_id, await self._carry_out(request))

    async def give_up(self, request_id: UUID) -> None:
        """Carrying it out fails for a reason of our own: it is to be decided again."""
        await self._conclude(request_id, Outcome(result=Carried.UNAVAILABLE))

    async def _conclude(self, request_id: UUID, outcome: Outcome) -> None:
        async with self._database.transaction() as session:
            escalation = await _escalation_of(session, request_id)
            request = await session.get_one(DispatchRequest, request_id, with_for_update=True)
            if request.state is not RequestState.APPROVING:
                return
            if outcome.result in (Carried.DONE, Carried.BY_HAND):
                await self._end(session, escalation, request, RequestState.APPROVED)
            else:
                await self._open_again(session, escalation, request, outcome)

    async def close_undecided(
        self, session: AsyncSession, escalation: Escalation, dispatcher: str
    ) -> Verdict:
        """Resolved without a decision: a dispatcher dealt with it in another way."""
        request = await _of_escalation(session, escalation)
        if request is None or request.state is not RequestState.OPEN:
            return Verdict.ALREADY_DECIDED
        request.decided_by, request.decided_at = dispatcher, self._clock.now()
        await self._end(session, escalation, request, RequestState.EXPIRED)
        return Verdict.APPLIED

    async def expire_moot(self) -> int:
        """Ends the requests about stops that were over first, and tells so; gives how many."""
        ended = 0
        for request_id in await self._about_closed_stops():
            async with self._database.transaction() as session:
                escalation = await _escalation_of(session, request_id)
                request = await session.get_one(DispatchRequest, request_id, with_for_update=True)
                stop = await session.get_one(StopRecord, request.stop_id)
                if request.state is RequestState.OPEN and is_moot(request, stop.status):
                    request.decided_at = self._clock.now()
                    await self._end(session, escalation, request, RequestState.EXPIRED)
                    ended += 1
        return ended

    async def _about_closed_stops(self) -> list[UUID]:
        async with self._database.transaction() as session:
            found = await session.scalars(
                select(col(DispatchRequest.id))
                .join(StopRecord, col(StopRecord.id) == col(DispatchRequest.stop_id))
                .where(
                    col(DispatchRequest.state) == RequestState.OPEN,
                    col(StopRecord.status).in_(CLOSED_STATUSES),
                    col(StopRecord.status) != col(DispatchRequest.stop_status),
                )
                .limit(200)
            )
            return list(found)

    async def _open_again(
        self, session: AsyncSession, escalation: Escalation, request: DispatchRequest, outcome: Outcome
    ) -> None:
        now, approver = self._clock.now(), request.decided_by
        request.state = RequestState.OPEN
        request.decided_by = request.decided_at = None
        note(
            session,
            escalation,
            Happening.NOT_CARRIED_OUT,
            now,
            dispatcher=approver,
            words=why_not(outcome),
            mention=mention_of(approver),
        )
        audit.record(
            session,
            now,
            "request",
            str(request.id),
            "not_carried_out",
            actor=approver or audit.SYSTEM,
            result=outcome.result.value,
        )
        await show(session, escalation)

    async def _end(
        self, session: AsyncSession, escalation: Escalation, request: DispatchRequest, state: RequestState
    ) -> None:
        now, by = self._clock.now(), request.decided_by
        told = await self._tell(session, escalation, request, _response(request, state))
        request.state, request.told_at = state, now if told else None
        request.wanted = _without_codes(request.wanted)
        audit.record(session, now, "request", str(request.id), state.value, actor=by or audit.SYSTEM)
        if state in _HAPPENINGS:
            note(session, escalation, _HAPPENINGS[state], now, dispatcher=by)
        if not told:
            note(session, escalation, Happening.REPLY_NOT_SENT, now, words=OPTED_OUT)
        await holding.resolve(session, escalation, by, _OUTCOMES.get((state, by is not None), ""), now)

    async def _tell(
        self, session: AsyncSession, escalation: Escalation, request: DispatchRequest, response: str
    ) -> bool:
        conversation = await session.get_one(Conversation, request.conversation_id)
        stop = await session.get_one(StopRecord, request.stop_id)
        window = Wanted.model_validate(request.wanted).window
        told = await self._notices.tell_of_stop(
            session, conversation, response, stop, window, escalation_id=escalation.id
        )
        return told is not None


def _without_codes(wanted: dict[str, Any]) -> dict[str, Any]:
    return wanted | {"words": masked(str(wanted.get("words", "")))}


_HAPPENINGS = {RequestState.APPROVED: Happening.APPROVED, RequestState.DECLINED: Happening.DECLINED}
_OUTCOMES = {
    (RequestState.APPROVED, True): "Approved",
    (RequestState.DECLINED, True): "Declined",
    (RequestState.EXPIRED, False): "The stop was over before it was decided",
}


_APPROVED = {
    RequestKind.RESCHEDULE: "utter_request_approved_reschedule",
    RequestKind.REDELIVER: "utter_request_approved_reschedule",
    RequestKind.CHANGE_ADDRESS: "utter_request_approved_change_address",
    RequestKind.SEND_BACK: "utter_request_approved_send_back",
    RequestKind.HOLD: "utter_request_approved_hold",
    RequestKind.NOTE: "utter_request_approved_note",
}
_DECLINED = {
    RequestKind.RESCHEDULE: "utter_request_declined_reschedule",
    RequestKind.REDELIVER: "utter_request_declined_redeliver",
    RequestKind.CHANGE_ADDRESS: "utter_request_declined_change_address",
    RequestKind.SEND_BACK: "utter_request_declined_send_back",
    RequestKind.HOLD: "utter_request_declined_hold",
    RequestKind.NOTE: "utter_request_declined_note",
}


def _response(request: DispatchRequest, state: RequestState) -> str:
    if state is RequestState.EXPIRED:
        return "utter_request_closed" if request.decided_by is not None else "utter_request_too_late"
    if state is RequestState.DECLINED:
        return _DECLINED[request.kind]
    moves = request.kind in (RequestKind.RESCHEDULE, RequestKind.REDELIVER)
    if moves and Wanted.model_validate(request.wanted).window is None:
        return "utter_request_approved_moved"
    return _APPROVED[request.kind]


async def _of_escalation(session: AsyncSession, escalation: Escalation) -> DispatchRequest | None:
    return await session.scalar(
        select(DispatchRequest)
        .where(
            col(DispatchRequest.escalation_id) == escalation.id,
        )
        .order_by(col(DispatchRequest.state).in_(UNDECIDED).desc())
        .limit(1)
        .with_for_update()
    )


async def _escalation_of(session: AsyncSession, request_id: UUID) -> Escalation:
    """Locked before the request, as by a dispatcher's gesture: neither waits for the other."""
    return (
        await session.scalars(
            select(Escalation)
            .join(DispatchRequest, col(DispatchRequest.escalation_id) == col(Escalation.id))
            .where(col(DispatchRequest.id) == request_id)
            .with_for_update(of=Escalation)
        )
    ).one()
