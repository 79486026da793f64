"""What people do with an incident: say why it happened, plan what follows, close it."""

import re
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.clock import Clock
from bot.conversations.privacy import masked
from bot.db import Database
from bot.errors import DoorlineError, NotFoundError
from bot.incidents import queries
from bot.incidents.models import BrokenState, FollowUp, PromiseIncident
from bot.incidents.naming import FROM_SLACK, PERSON
from bot.incidents.watch import close_if_done, record
from bot.sop import Protocol, ProtocolInForce
from bot.stops.models import StopRecord
from connectors.base import FailureReason

LONGEST_NOTE = 2000


class NotInProtocolError(DoorlineError):
    """sop.yml does not know the cause, the exclusion or the person; `field` is which."""

    def __init__(self, field: str, value: str) -> None:
        super().__init__(f"sop.yml knows no {field.replace('_', ' ')} {value!r}")
        self.field = field


@dataclass(frozen=True)
class Said:
    """What a person says of an incident; None leaves it as it is."""

    root_cause: FailureReason | None = None
    exclusion: str | None = None
    """Empty: it counts."""
    note: str | None = None
    close: bool = False


@dataclass(frozen=True)
class FollowUpChange:
    """None leaves it as it is."""

    done: bool | None = None
    owner: str | None = None
    due_on: date | None = None


class IncidentHandling:
    def __init__(self, database: Database, clock: Clock, sop: ProtocolInForce) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop

    async def say(self, incident_id: UUID, said: Said, by: str) -> PromiseIncident:
        """What a person says stays, whatever the platform or the rules say later.

        Raises `NotFoundError`, `NotInProtocolError`.
        """
        async with self._database.transaction() as session:
            incident = await _locked(session, incident_id)
            await self.say_in(session, incident, said, by)
        return incident

    async def say_in(self, session: AsyncSession, incident: PromiseIncident, said: Said, by: str) -> None:
        now, sop = self._clock.now(), self._sop.current
        if said.root_cause is not None:
            _known(said.root_cause in sop.root_causes, "root_cause", said.root_cause.value)
            incident.root_cause, incident.root_cause_by = said.root_cause, by
            if incident.exclusion_by is None and not incident.by_hand:
                incident.exclusion = sop.sla.excluded_by_itself(said.root_cause)
            record(session, incident.id, now, "cause_said", by, cause=said.root_cause.value)
        if said.exclusion is not None:
            _known(not said.exclusion or said.exclusion in sop.sla.exclusions, "exclusion", said.exclusion)
            incident.exclusion, incident.exclusion_by = said.exclusion, by
            record(session, incident.id, now, "exclusion_said", by, exclusion=said.exclusion)
        if said.note is not None:
            incident.note = masked(said.note)[:LONGEST_NOTE]
            record(session, incident.id, now, "note_written", by)
        if said.close and incident.state is BrokenState.OPEN:
            incident.state, incident.closed_at, incident.closed_by = BrokenState.CLOSED, now, by
            record(session, incident.id, now, "closed", by)
        await self._close_if_done(session, incident)

    # --- what follows -------------------------------------------------------------------------

    async def plan(self, incident_id: UUID, what: str, owner: str, due_on: date, by: str) -> FollowUp:
        """Something to be done about it. A closed incident is open again: it is not dealt with yet.

        Raises `NotFoundError`, `NotInProtocolError`.
        """
        _known(is_somebody(owner, self._sop.current), "owner", owner)
        now = self._clock.now()
        async with self._database.transaction() as session:
            incident = await _locked(session, incident_id)
            planned = FollowUp(
                incident_id=incident.id,
                what=masked(what)[:LONGEST_NOTE],
                owner=owner,
                due_on=due_on,
                created_at=now,
                created_by=by,
            )
            session.add(planned)
            record(session, incident.id, now, "follow_up_planned", by, owner=owner, due_on=due_on.isoformat())
            if incident.state is BrokenState.CLOSED:
                incident.state, incident.closed_at, incident.closed_by = BrokenState.OPEN, None, None
                record(session, incident.id, now, "opened_again", by)
        return planned

    async def change_plan(self, follow_up_id: UUID, change: FollowUpChange, by: str) -> FollowUp:
        """Done, or somebody else's, or later. With the last one done the incident closes, if its cause is known.

        Raises `NotFoundError`, `NotInProtocolError`.
        """
        if change.owner is not None:
            _known(is_somebody(change.owner, self._sop.current), "owner", change.owner)
        async with self._database.transaction() as session:
            follow_up = await session.get(FollowUp, follow_up_id)
            if follow_up is None:
                raise NotFoundError(f"no follow-up {follow_up_id}")
            # The incident's lock first, as everybody takes it.
            incident = await _locked(session, follow_up.incident_id)
            await session.refresh(follow_up, with_for_update=True)
            self._apply(session, follow_up, change, by)
            await session.flush()
            await self._close_if_done(session, incident)
        return follow_up

    def _apply(self, session: AsyncSession, follow_up: FollowUp, change: FollowUpChange, by: str) -> None:
        now = self._clock.now()
        moved = (change.owner or follow_up.owner, change.due_on or follow_up.due_on)
        if moved != (follow_up.owner, follow_up.due_on):
            (follow_up.owner, follow_up.due_on), follow_up.reminded_at = moved, None
            facts = {"owner": moved[0], "due_on": moved[1].isoformat()}
            record(session, follow_up.incident_id, now, "follow_up_moved", by, **facts)
        if change.done is True and follow_up.is_open:
            follow_up.done_at, follow_up.done_by = now, by
            record(session, follow_up.incident_id, now, "follow_up_done", by, owner=follow_up.owner)
        if change.done is False and not follow_up.is_open:
            follow_up.done_at = follow_up.done_by = None
            record(session, follow_up.incident_id, now, "follow_up_undone", by, owner=follow_up.owner)

    async def _close_if_done(self, session: AsyncSession, incident: PromiseIncident) -> None:
        stop = await session.get(StopRecord, incident.stop_id) if incident.stop_id else None
        escalation = await queries.escalation_of(session, incident)
        await close_if_done(session, incident, stop, escalation, self._clock.now())


def is_somebody(owner: str, sop: Protocol) -> bool:
    """Whether this is a dispatcher's id: Slack's, or `person:KEY` of somebody of sop.yml."""
    if owner.startswith(PERSON):
        return owner.removeprefix(PERSON) in sop.people
    return re.fullmatch(FROM_SLACK, owner) is not None


def _known(is_known: bool, field: str, value: str) -> None:
    if not is_known:
        raise NotInProtocolError(field, value)


async def _locked(session: AsyncSession, incident_id: UUID) -> PromiseIncident:
    incident = await session.get(PromiseIncident, incident_id, with_for_update=True)
    if incident is None:
        raise NotFoundError(f"no incident {incident_id}")
    return incident
