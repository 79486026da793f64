"""Gathers what one Slack message shows, from the tables, at one instant."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.conversations.models import Conversation, InboundText
from bot.conversations.privacy import masked
from bot.drivers.words import DriverEta, eta_by_driver
from bot.escalations import rules
from bot.escalations.driver_view import driver_facts, is_drivers
from bot.escalations.ending_view import causes_asked
from bot.escalations.models import Escalation, EscalationStep, EscalationStop
from bot.escalations.naming import names_of, next_words
from bot.escalations.writer import RECIPIENT, Writer, writer_of
from bot.oncall.people import OnCall
from bot.requests.models import DispatchRequest, RequestState
from bot.requests.rules import decision_of
from bot.sop import Protocol
from bot.stops.models import PlatformFeed, StopRecord
from bot.stops.rules import confirmed_at, eta_of_promise
from connectors.base import ChannelName, StopStatus
from connectors.escalation import EscalationLine, EscalationState, EscalationView

FRESH = timedelta(minutes=10)
WORDS_COUNT_FOR = timedelta(hours=24)
LONGEST_WORDS = 200
LINES = 8
"""Stops that a message lists; a storm's other stops are counted, and listed in a window."""
LATE_BY = timedelta(seconds=30)
"""From when on it is told that the workspace took a state late."""


@dataclass(frozen=True)
class ViewSources:
    """What a view shows beside the tables; `bot.app` hands it in."""

    on_call: OnCall | None = None
    board_url: str = ""


NO_SOURCES = ViewSources()


async def build_view(
    session: AsyncSession,
    escalation: Escalation,
    protocol: Protocol,
    now: datetime,
    *,
    sources: ViewSources = NO_SOURCES,
    all_stops: bool = False,
) -> EscalationView:
    """`all_stops`: with a line for each, for a window; else what a message has room for."""
    members = await stops_of(session, escalation.id)
    shown = members if all_stops else first_of(members)
    writer = await _writer(session, escalation, members, protocol)
    lines = await _lines(session, escalation, shown, writer, now)
    late_by = now - escalation.delayed_since if escalation.delayed_since else timedelta(0)
    view = EscalationView(
        escalation_id=str(escalation.id),
        severity=escalation.severity,
        state=escalation.state,
        zone=escalation.zone,
        client=escalation.client,
        timezone=escalation.timezone,
        why=escalation.why,
        lines=tuple(lines),
        more_stops=len(members) - len(shown),
        exposure_usd=escalation.exposure_usd,
        acknowledged_by=escalation.acknowledged_by,
        acknowledged_until=escalation.acknowledged_until,
        snoozed_by=escalation.snoozed_by,
        snoozed_until=escalation.snoozed_until,
        resolved_by=escalation.resolved_by,
        outcome=escalation.outcome,
        root_cause=escalation.root_cause,
        exclusion=escalation.exclusion,
        is_noise=escalation.is_noise,
        causes_asked=causes_asked(escalation, members, protocol.root_causes),
        can_reply=escalation.conversation_id is not None,
        waiting=writer.kind,
        decision=await _decision(session, escalation),
        names=names_of(escalation, protocol.people),
        board_url=sources.board_url,
        delayed_since=escalation.delayed_since if late_by > LATE_BY else None,
    )
    coming = await _coming(session, escalation, protocol, sources)
    driver = await driver_facts(session, escalation, members, protocol.sla.estimate, now)
    return view.model_copy(update={**coming, **driver})


def first_of(stops: Sequence[StopRecord]) -> Sequence[StopRecord]:
    """What a message lists: all of a few; of many those that are still open before the others."""
    if len(stops) <= LINES:
        return stops
    return sorted(stops, key=lambda stop: not stop.is_open)[:LINES]


async def _coming(
    session: AsyncSession, escalation: Escalation, protocol: Protocol, sources: ViewSources
) -> Mapping[str, object]:
    """What happens next if nobody takes it, and who is on call."""
    if escalation.state is not EscalationState.RAISED:
        return {}
    steps = await session.scalars(
        select(EscalationStep).where(col(EscalationStep.escalation_id) == escalation.id)
    )
    step = rules.next_step(list(steps))
    if step is None:
        return {}
    line = (
        await sources.on_call.line(session, escalation.zone, step.due_at)
        if sources.on_call is not None and sources.on_call.is_set_up(escalation.zone)
        else ()
    )
    words = next_words(step, line, protocol)
    return {
        "next_step": words,
        "next_step_at": step.due_at if words else None,
        "on_call": line[0].name if line else "",
    }


async def _lines(
    session: AsyncSession, escalation: Escalation, stops: Sequence[StopRecord], writer: Writer, now: datetime
) -> list[EscalationLine]:
    words = await _last_words(session, {stop.recipient_phone for stop in stops if stop.recipient_phone}, now)
    etas = await eta_by_driver(session, stops, now)
    lines = [
        await _stop_line(session, stop, words.get(stop.recipient_phone or ""), etas.get(stop.id), now)
        for stop in stops
    ]
    if escalation.conversation_id is None:
        return lines
    return [await _waiting_line(session, escalation.conversation_id, lines, writer, now)]


async def _writer(
    session: AsyncSession, escalation: Escalation, stops: Sequence[StopRecord], protocol: Protocol
) -> Writer:
    if escalation.conversation_id is None:
        return RECIPIENT
    conversation = await session.get_one(Conversation, escalation.conversation_id)
    if any(stop.recipient_phone == conversation.address for stop in stops):
        return RECIPIENT
    return await writer_of(session, conversation, protocol)


async def _decision(session: AsyncSession, escalation: Escalation) -> str:
    request = await session.scalar(
        select(DispatchRequest).where(
            col(DispatchRequest.escalation_id) == escalation.id,
            col(DispatchRequest.state) == RequestState.OPEN,
        )
    )
    return decision_of(request, escalation.client, escalation.timezone) if request is not None else ""


async def stops_of(session: AsyncSession, escalation_id: UUID) -> list[StopRecord]:
    """The escalation's stops in the order of their windows, the settled ones too."""
    rows = await session.scalars(
        select(StopRecord)
        .join(EscalationStop, col(EscalationStop.stop_id) == col(StopRecord.id))
        .where(col(EscalationStop.escalation_id) == escalation_id)
        .order_by(col(StopRecord.window_end_at), col(StopRecord.sequence))
    )
    return list(rows)


async def _stop_line(
    session: AsyncSession,
    stop: StopRecord,
    words: InboundText | None,
    by_driver: DriverEta | None,
    now: datetime,
) -> EscalationLine:
    feed = await session.get(PlatformFeed, stop.platform)
    age = now - confirmed_at(stop, feed.read_at if feed else None)
    return EscalationLine(
        stop_id=str(stop.id),
        tracking=stop.tracking,
        client=stop.client,
        address_line=stop.address_line,
        window=stop.window,
        eta_at=by_driver.at if by_driver is not None else eta_of_promise(stop),
        eta_age=age if age > FRESH and stop.is_open and by_driver is None else None,
        status=stop.status,
        person_name=stop.recipient_name,
        last_words=masked(words.text)[:LONGEST_WORDS] if words else "",
        last_words_at=words.received_at if words else None,
        completed_at=stop.completed_at,
    )


async def _waiting_line(
    session: AsyncSession, conversation_id: UUID, lines: list[EscalationLine], writer: Writer, now: datetime
) -> EscalationLine:
    """Somebody who waits for a person: how to reach them, and their stop where we know it."""
    conversation = await session.get_one(Conversation, conversation_id)
    words = (await _last_words(session, {conversation.address}, now)).get(conversation.address)
    line = lines[0] if lines else _NO_STOP
    is_hidden = conversation.channel is ChannelName.WEBCHAT or await is_drivers(session, conversation.address)
    return line.model_copy(
        update={
            # A browser's session is no address that anybody could use, a driver's number is nobody's to see: Reply
            # reaches them, and nothing else.
            "person_phone": None if is_hidden else conversation.address,
            "person_name": line.person_name if writer == RECIPIENT else writer.name,
            "last_words": masked(words.text)[:LONGEST_WORDS] if words else "",
            "last_words_at": words.received_at if words else None,
        }
    )


_NO_STOP = EscalationLine(
    stop_id="", tracking="", client="", address_line="", window=None, eta_at=None, status=StopStatus.PLANNED
)


async def _last_words(
    session: AsyncSession, addresses: Collection[str], now: datetime
) -> dict[str, InboundText]:
    """The newest text of each, by address, where there is one that still counts."""
    if not addresses:
        return {}
    rows = await session.execute(
        select(col(Conversation.address), InboundText)
        .join(Conversation, col(Conversation.id) == col(InboundText.conversation_id))
        .where(
            col(Conversation.address).in_(addresses),
            col(InboundText.received_at) > now - WORDS_COUNT_FOR,
            col(InboundText.text) != "",
        )
        .order_by(col(Conversation.address), col(InboundText.received_at).desc())
        .ext(distinct_on(col(Conversation.address)))
    )
    return {row[0]: row[1] for row in rows}
