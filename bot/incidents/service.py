"""Opens incidents, adds to them, and closes them with their escalation. Each change is one transaction."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.clock import Clock
from bot.conversations.handoff import Handoff
from bot.conversations.models import Conversation, InboundText
from bot.conversations.privacy import masked
from bot.db import Database
from bot.errors import NotFoundError
from bot.escalations.models import Escalation
from bot.escalations.rules import WAITING
from bot.escalations.service import EscalationService
from bot.escalations.thread import show
from bot.incidents import rules
from bot.incidents.models import Incident, IncidentState
from bot.incidents.photos import PhotoKeeper
from bot.sop import ProtocolInForce
from bot.stops.answers import HandoffPromise, IncidentAnswer, IncidentKind, Turn
from bot.stops.models import StopRecord
from bot.stops.proof import meters_from_address, proof_of
from connectors.escalation import EscalationState


class IncidentService:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        handoff: Handoff,
        escalations: EscalationService,
        photos: PhotoKeeper,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._handoff = handoff
        self._escalations = escalations
        self._photos = photos

    async def open(self, turn: Turn, kind: IncidentKind, stop_id: str) -> IncidentAnswer:
        """Opens one, or adds the words to the open one of this stop and kind; a dispatcher is called.

        Pictures that the conversation sent shortly before belong to it.

        Raises `NotFoundError` for a stop or conversation that is none of ours.
        """
        async with self._database.transaction() as session:
            conversation, stop, inbound = await _about(session, turn, stop_id)
            await self._close_settled(session)
            promise = await self._call(session, conversation, inbound, kind, stop_id)
            incident = await self._open_or_new(session, conversation, kind, stop)
            incident.words = rules.with_words(
                incident.words, masked(inbound.text if inbound is not None else turn.text)
            )
            await self._show_proof(session, conversation, incident, stop)
            await self._photos.match(session, incident)
            return await self._answer(session, incident, promise)

    async def add_photos(self, turn: Turn, incident_id: str | None) -> IncidentAnswer | None:
        """Keeps the pictures of this text with the incident; with None the newest open one of the conversation,
        or one that was opened shortly before and is closed already.

        None back: there is no incident; the pictures are kept, for one that is opened soon.

        Raises `NotFoundError` for a conversation or an incident that is none of ours.
        """
        async with self._database.transaction() as session:
            conversation, inbound = await _said(session, turn)
            await self._close_settled(session)
            incident = await self._incident_for(session, conversation, incident_id)
            if inbound is not None:
                await self._photos.want(session, inbound, incident.id if incident is not None else None)
            if incident is None:
                return None
            await self._photos.match(session, incident)
            promise = await self._call(session, conversation, inbound, incident.kind, str(incident.stop_id))
            return await self._answer(session, incident, promise)

    async def keep_photos(
        self, session: AsyncSession, conversation: Conversation, inbound: InboundText
    ) -> None:
        """Keeps what somebody sends to a dispatcher who talks with them; no dispatcher is called."""
        if inbound.media:
            incident = await self._incident_for(session, conversation, None)
            await self._photos.want(session, inbound, incident.id if incident is not None else None)

    async def close_settled(self) -> int:
        """Closes the incidents whose escalation a dispatcher has resolved; gives how many."""
        async with self._database.transaction() as session:
            return await self._close_settled(session)

    async def _call(
        self,
        session: AsyncSession,
        conversation: Conversation,
        inbound: InboundText | None,
        kind: IncidentKind,
        stop_id: str,
    ) -> HandoffPromise:
        about = inbound.id if inbound is not None else None
        reason = rules.REASONS[kind]
        return await self._handoff.escalate(session, conversation, reason, about=about, stop_id=stop_id)

    async def _open_or_new(
        self, session: AsyncSession, conversation: Conversation, kind: IncidentKind, stop: StopRecord
    ) -> Incident:
        now = self._clock.now()
        opened = await session.scalar(
            insert(Incident)
            .values(
                kind=kind,
                stop_id=stop.id,
                conversation_id=conversation.id,
                words="",
                state=IncidentState.OPEN,
                opened_at=now,
                waiting_since=self._clock.wall(),
                proof=stop.proof,
                meters_from_address=meters_from_address(stop),
                driver_ref=stop.driver_ref,
            )
            # Two reports of one household at once: the second waits here and finds the first.
            .on_conflict_do_nothing(index_elements=["stop_id", "kind"], index_where=text("state = 'open'"))
            .returning(col(Incident.id))
        )
        if opened is not None:
            self._record(session, opened, "opened", now, kind=kind.value, stop_id=str(stop.id))
        found = await session.scalars(
            select(Incident)
            .where(
                col(Incident.stop_id) == stop.id,
                col(Incident.kind) == kind,
                col(Incident.state) == IncidentState.OPEN,
            )
            .with_for_update()
        )
        return found.one()

    async def _show_proof(
        self, session: AsyncSession, conversation: Conversation, incident: Incident, stop: StopRecord
    ) -> None:
        escalation = await self._escalations.find_open(session, f"{WAITING}{conversation.id}")
        if escalation is None:
            return
        incident.escalation_id = incident.escalation_id or escalation.id
        if stop.is_open:
            return
        sentence = rules.proof_sentence(
            proof_of(stop), meters_from_address(stop), stop.timezone, self._clock.now()
        )
        why = rules.with_proof(escalation.why, sentence)
        if why != escalation.why:
            escalation.why = why
            await show(session, escalation)

    async def _incident_for(
        self, session: AsyncSession, conversation: Conversation, incident_id: str | None
    ) -> Incident | None:
        if incident_id is not None:
            incident = await session.get(Incident, UUID(incident_id))
            if incident is None:
                raise NotFoundError(f"no incident {incident_id}")
            return incident
        minutes = self._sop.current.incidents.photo_minutes
        own = col(Incident.conversation_id) == conversation.id
        newest = select(Incident).where(own).order_by(col(Incident.waiting_since).desc()).limit(1)
        still_open = await session.scalar(newest.where(col(Incident.state) == IncidentState.OPEN))
        if still_open is not None:
            return still_open
        lately = self._clock.wall() - timedelta(minutes=minutes)
        return await session.scalar(newest.where(col(Incident.waiting_since) >= lately))

    async def _close_settled(self, session: AsyncSession) -> int:
        closed = await session.execute(
            update(Incident)
            .where(
                col(Incident.state) == IncidentState.OPEN,
                col(Incident.escalation_id) == col(Escalation.id),
                col(Escalation.state) == EscalationState.RESOLVED,
            )
            .values(state=IncidentState.CLOSED, closed_at=col(Escalation.resolved_at))
            .returning(col(Incident.id))
            .execution_options(synchronize_session=False)
        )
        ids = list(closed.scalars())
        for incident_id in ids:
            self._record(session, incident_id, "closed", self._clock.now())
        return len(ids)

    async def _answer(
        self, session: AsyncSession, incident: Incident, promise: HandoffPromise
    ) -> IncidentAnswer:
        await session.flush()
        return IncidentAnswer(
            incident_id=str(incident.id),
            kind=incident.kind,
            photos=await self._photos.count(session, incident.id),
            respond_by=promise.respond_by,
            timezone=promise.timezone,
        )

    def _record(
        self, session: AsyncSession, incident_id: UUID, verb: str, at: datetime, **details: str
    ) -> None:
        audit.record(session, at, "incident", str(incident_id), verb, **details)


async def _about(
    session: AsyncSession, turn: Turn, stop_id: str
) -> tuple[Conversation, StopRecord, InboundText | None]:
    conversation, inbound = await _said(session, turn)
    stop = await session.get(StopRecord, UUID(stop_id))
    if stop is None:
        raise NotFoundError(f"no stop {stop_id}")
    return conversation, stop, inbound


async def _said(session: AsyncSession, turn: Turn) -> tuple[Conversation, InboundText | None]:
    conversation = await session.get(Conversation, UUID(turn.conversation_id))
    if conversation is None:
        raise NotFoundError(f"no conversation {turn.conversation_id}")
    conversation.language = turn.language
    return conversation, await session.get(InboundText, UUID(turn.inbound_id)) if turn.inbound_id else None
