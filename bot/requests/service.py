"""Asks dispatchers, and carries what they decide back to the recipient. Each request is decided once."""

from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.conversations.handoff import promised_by
from bot.conversations.models import Conversation, InboundText
from bot.conversations.privacy import masked
from bot.db import Database
from bot.errors import NotFoundError
from bot.escalations.cause import Cause
from bot.escalations.rules import REQUEST
from bot.escalations.service import EscalationService, Opening
from bot.requests.models import DispatchRequest, RequestKind, RequestState
from bot.requests.rules import ASKS, Wanted
from bot.sop import ProtocolInForce
from bot.stops.answers import HandoffPromise, Turn
from bot.stops.models import StopRecord
from connectors.base import DeliveryWindow
from connectors.escalation import Happening, Severity


class RequestService:
    def __init__(
        self, database: Database, clock: Clock, sop: ProtocolInForce, escalations: EscalationService
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._escalations = escalations

    async def ask(
        self,
        turn: Turn,
        kind: str,
        stop_id: str,
        *,
        window: DeliveryWindow | None = None,
        words: str = "",
    ) -> HandoffPromise:
        """Asks dispatchers to approve or decline; gives by when the recipient hears.

        `kind` is a `RequestKind`. While one of this conversation, stop and kind is open, the newer wish takes
        its place, and the promise stays. `words` are the address or the note; for a note, what the recipient
        wrote when empty.

        Raises `NotFoundError` for a stop or conversation that is none of ours.
        """
        async with self._database.transaction() as session:
            conversation = await session.get(Conversation, UUID(turn.conversation_id))
            stop = await session.get(StopRecord, UUID(stop_id))
            if conversation is None or stop is None:
                raise NotFoundError("no such stop or conversation")
            conversation.language = turn.language
            said = await _original_words(session, turn)
            request = await self._open_or_new(session, turn, RequestKind(kind), stop)
            request.wanted = Wanted(
                window=window, words=words or (said if request.kind is RequestKind.NOTE else "")
            ).model_dump(mode="json")
            request.words, request.language = masked(said), turn.language
            request.escalation_id = await self._show(session, request, stop)
            audit.record(
                session,
                self._clock.now(),
                "request",
                str(request.id),
                "asked",
                actor="recipient",
                kind=request.kind.value,
                stop_id=stop_id,
                inbound_id=turn.inbound_id,
            )
            return HandoffPromise(respond_by=request.answer_by, timezone=stop.timezone)

    async def open_request(self, conversation_id: str, stop_id: str, kind: str) -> DispatchRequest | None:
        """The request of this kind that still waits for a decision, if there is one."""
        async with self._database.transaction() as session:
            return await session.scalar(_open(UUID(conversation_id), UUID(stop_id), RequestKind(kind)))

    async def _lock_open(
        self, session: AsyncSession, conversation_id: UUID, stop_id: UUID, kind: RequestKind
    ) -> DispatchRequest | None:
        query = _open(conversation_id, stop_id, kind)
        request_id = await session.scalar(query.with_only_columns(col(DispatchRequest.id)))
        if request_id is None:
            return None
        # The escalation is locked before the request, as by a dispatcher's gesture.
        await self._escalations.find_open(session, f"{REQUEST}{request_id}")
        return await session.scalar(query.with_for_update())

    async def _open_or_new(
        self, session: AsyncSession, turn: Turn, kind: RequestKind, stop: StopRecord
    ) -> DispatchRequest:
        now, conversation_id = self._clock.now(), UUID(turn.conversation_id)
        within = timedelta(minutes=self._sop.current.conversation.answer_by_person_minutes)
        request = await self._lock_open(session, conversation_id, stop.id, kind)
        if request is not None:
            request.answer_by = promised_by(now, within, request.answer_by)
            return request
        request = DispatchRequest(
            id=uuid4(),
            kind=kind,
            conversation_id=conversation_id,
            stop_id=stop.id,
            wanted={},
            stop_status=stop.status,
            inbound_id=UUID(turn.inbound_id) if turn.inbound_id else None,
            asked_at=now,
            answer_by=promised_by(now, within, None),
        )
        session.add(request)
        await session.flush()
        return request

    async def _show(self, session: AsyncSession, request: DispatchRequest, stop: StopRecord) -> UUID:
        cause = Cause(
            key=f"{REQUEST}{request.id}",
            severity=Severity.RECIPIENT_WAITING,
            why=ASKS[request.kind],
            timezone=stop.timezone,
            zone=stop.zone,
            client=stop.client,
            conversation_id=request.conversation_id,
            answer_by=request.answer_by,
        )
        opening = Opening(Happening.RECIPIENT_WROTE, request.words)
        await session.flush()
        return await self._escalations.raise_once(session, cause, stop.id, opening)


def _open(conversation_id: UUID, stop_id: UUID, kind: RequestKind) -> Select[DispatchRequest]:
    return select(DispatchRequest).where(
        col(DispatchRequest.conversation_id) == conversation_id,
        col(DispatchRequest.stop_id) == stop_id,
        col(DispatchRequest.kind) == kind,
        col(DispatchRequest.state) == RequestState.OPEN,
    )


async def _original_words(session: AsyncSession, turn: Turn) -> str:
    inbound = await session.get(InboundText, UUID(turn.inbound_id)) if turn.inbound_id else None
    return inbound.text if inbound is not None else turn.text
