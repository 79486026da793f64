"""Incidents that a dispatcher makes: of a message in Slack, or of a stop."""

from collections.abc import Mapping
from uuid import UUID, uuid4

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.db import Database
from bot.escalations.models import Escalation, EscalationStop
from bot.incidents.handling import IncidentHandling, Said
from bot.incidents.models import OF_PROMISES, BrokenKind, BrokenState, PromiseIncident
from bot.incidents.watch import record
from bot.sop import Protocol, ProtocolInForce
from bot.stops.models import StopRecord
from connectors.base import FailureReason
from connectors.desk import AnswerCode, CommandAnswer, DeskCommand


class IncidentMaking:
    def __init__(
        self, database: Database, clock: Clock, sop: ProtocolInForce, handling: IncidentHandling
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._handling = handling

    async def make(self, command: DeskCommand) -> CommandAnswer:
        """Of a message in Slack or of a stop. What has an incident already gets no second one.

        The same command again changes nothing.
        """
        kind, cause = _kind(command.fields), _cause(command.fields)
        async with self._database.transaction() as session:
            stop, escalation = await _about(session, command.fields)
            if stop is None and escalation is None:
                return CommandAnswer(code=AnswerCode.NOTHING_FOUND)
            known = await _find_known(session, kind, stop, escalation)
            if known is not None:
                is_new = known.source_id == command.vendor_id
                code = AnswerCode.INCIDENT_MADE if is_new else AnswerCode.INCIDENT_ALREADY_THERE
                return CommandAnswer(code=code, number=known.name, **_told(stop))
            incident = await self._insert(session, command, kind, stop, escalation)
            if incident is None:
                return await self._made_before(session, command, stop)
            said = Said(root_cause=cause, note=command.fields.get("words") or None)
            await self._handling.say_in(session, incident, said, command.dispatcher)
            return CommandAnswer(code=AnswerCode.INCIDENT_MADE, number=incident.name, **_told(stop))

    async def _made_before(
        self, session: AsyncSession, command: DeskCommand, stop: StopRecord | None
    ) -> CommandAnswer:
        made = await session.scalars(
            select(PromiseIncident).where(col(PromiseIncident.source_id) == command.vendor_id)
        )
        return CommandAnswer(code=AnswerCode.INCIDENT_MADE, number=made.one().name, **_told(stop))

    async def _insert(
        self,
        session: AsyncSession,
        command: DeskCommand,
        kind: BrokenKind,
        stop: StopRecord | None,
        escalation: Escalation | None,
    ) -> PromiseIncident | None:
        """None: the same command, carried out at the same time, has just made it."""
        now = self._clock.now()
        made = await session.scalar(
            insert(PromiseIncident)
            .values(
                id=uuid4(),
                kind=kind,
                by_hand=True,
                state=BrokenState.OPEN,
                stop_id=stop.id if stop else None,
                escalation_id=escalation.id if escalation else None,
                opened_at=now,
                opened_by=command.dispatcher,
                source_id=command.vendor_id,
                minutes_late=0,
                penalty_usd=0,
                exclusion="",
                note="",
                # Its escalation may still say why; without one there is nothing to look at.
                look_at=now if escalation else None,
                **_place(stop, escalation, self._sop.current),
            )
            .on_conflict_do_nothing(index_elements=["source_id"])
            .returning(col(PromiseIncident.id))
        )
        if made is None:
            return None
        record(session, made, now, "opened", command.dispatcher, kind=kind.value)
        return await session.get_one(PromiseIncident, made)


def _kind(fields: Mapping[str, str]) -> BrokenKind:
    wanted = fields.get("kind", "").strip()
    return BrokenKind(wanted) if wanted in set(BrokenKind) else BrokenKind.OTHER


def _cause(fields: Mapping[str, str]) -> FailureReason | None:
    wanted = fields.get("root_cause", "").strip()
    return FailureReason(wanted) if wanted in set(FailureReason) else None


async def _about(
    session: AsyncSession, fields: Mapping[str, str]
) -> tuple[StopRecord | None, Escalation | None]:
    """What the fields name; an escalation of one stop is about that stop."""
    stop = await _find_stop(session, fields.get("stop", "").strip())
    escalation = await _find_escalation(session, fields)
    if stop is None and escalation is not None and not fields.get("stop", "").strip():
        ids = await session.scalars(
            select(col(EscalationStop.stop_id))
            .where(col(EscalationStop.escalation_id) == escalation.id)
            .limit(2)
        )
        only = list(ids)
        stop = await session.get(StopRecord, only[0]) if len(only) == 1 else None
    return stop, escalation


async def _find_stop(session: AsyncSession, named: str) -> StopRecord | None:
    """The newest with this tracking or order number."""
    if not named:
        return None
    wanted = named.lower()
    return await session.scalar(
        select(StopRecord)
        .where(
            or_(
                func.lower(col(StopRecord.tracking)) == wanted,
                func.lower(col(StopRecord.order_ref)) == wanted,
            )
        )
        .order_by(col(StopRecord.window_end_at).desc().nulls_last(), col(StopRecord.id))
        .limit(1)
    )


async def _find_escalation(session: AsyncSession, fields: Mapping[str, str]) -> Escalation | None:
    try:
        return await session.get(Escalation, UUID(fields.get("escalation_id", "")))
    except ValueError:
        pass
    channel, ts = fields.get("message_channel", ""), fields.get("message_ts", "")
    if not channel or not ts:
        return None
    return await session.scalar(
        select(Escalation).where(col(Escalation.slack_channel) == channel, col(Escalation.slack_ts) == ts)
    )


async def _find_known(
    session: AsyncSession, kind: BrokenKind, stop: StopRecord | None, escalation: Escalation | None
) -> PromiseIncident | None:
    """The one that this would say again: of the same promise, or of the same kind and not closed yet."""
    if stop is not None:
        same_promise = col(PromiseIncident.promised_end_at).is_not_distinct_from(stop.window_end_at)
        same = col(PromiseIncident.kind).in_(OF_PROMISES) & same_promise
        if kind not in OF_PROMISES:
            same = (col(PromiseIncident.kind) == kind) & (col(PromiseIncident.state) == BrokenState.OPEN)
        about = (col(PromiseIncident.stop_id) == stop.id) & same
    else:
        of_it = col(PromiseIncident.escalation_id) == (escalation.id if escalation else None)
        about = of_it & col(PromiseIncident.stop_id).is_(None) & (col(PromiseIncident.kind) == kind)
    query = select(PromiseIncident).where(about, col(PromiseIncident.state) != BrokenState.WITHDRAWN)
    return await session.scalar(query.order_by(col(PromiseIncident.number)).limit(1))


def _place(stop: StopRecord | None, escalation: Escalation | None, sop: Protocol) -> dict[str, object]:
    """Whose it is and where. Of several clients it is nobody's: a client's token then does not see it."""
    if stop is not None:
        return {
            "client": stop.client,
            "zone": stop.zone,
            "timezone": stop.timezone,
            "promised_start_at": stop.window_start_at,
            "promised_end_at": stop.window_end_at,
        }
    if escalation is None:
        return {"client": "", "zone": "", "timezone": sop.operator.timezone}
    client = "" if ", " in escalation.client else escalation.client
    return {"client": client, "zone": escalation.zone, "timezone": escalation.timezone}


def _told(stop: StopRecord | None) -> dict[str, str]:
    if stop is None:
        return {}
    return {"address_line": stop.address_line, "tracking": stop.tracking, "timezone": stop.timezone}
