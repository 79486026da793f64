"""An escalation that goes elsewhere: to another zone's dispatchers, or into another escalation."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.escalations import queries, rules, transitions
from bot.escalations.changing import make, standing_of
from bot.escalations.growing import grew
from bot.escalations.models import Escalation, EscalationPost, EscalationStop
from bot.escalations.rounds import begin_round
from bot.escalations.thread import note, show
from bot.sop_escalations import Escalations as Policy
from connectors.escalation import Happening, Severity

SEVERITIES = (
    Severity.AT_RISK,
    Severity.NOBODY_ON_CALL,
    Severity.PLATFORM_SILENT,
    Severity.RECIPIENT_WAITING,
    Severity.FAILED,
    Severity.BREACHED,
)
"""From the one that matters least; a merged escalation keeps the worse of two."""


async def hand_over(
    session: AsyncSession, escalation: Escalation, zone: str, by: str, policy: Policy, now: datetime
) -> bool:
    """Another zone's dispatchers have it from now on: raised there, its steps from the start.

    Where that is another channel, the message in the old one stays in `escalation_post` until it ends with a pointer,
    and the new channel gets one of its own. False when it is over, or there already.
    """
    if zone == escalation.zone:
        return False
    change = transitions.open_again(standing_of(escalation), Happening.HANDED_OVER, by)
    if not await make(session, escalation, change, now, words=zone, zone=zone):
        return False
    escalation.zone = zone
    await _move_to(session, escalation, policy.channel_for(zone), now)
    await begin_round(session, escalation, policy, now)
    await show(session, escalation)
    return True


async def _move_to(session: AsyncSession, escalation: Escalation, channel: str, now: datetime) -> None:
    if channel == escalation.channel:
        return
    back = await session.get(EscalationPost, (escalation.id, channel))
    if escalation.slack_ts is not None or escalation.post_attempted_at is not None:
        session.add(
            EscalationPost(
                escalation_id=escalation.id,
                channel=escalation.channel,
                slack_channel=escalation.slack_channel,
                slack_ts=escalation.slack_ts,
                attempted_at=escalation.post_attempted_at,
                moved_to=channel,
                left_at=now,
            )
        )
    escalation.channel, escalation.posted_revision = channel, 0
    escalation.slack_channel = back.slack_channel if back is not None else None
    escalation.slack_ts = back.slack_ts if back is not None else None
    escalation.post_attempted_at = back.attempted_at if back is not None else None
    if back is not None:
        await session.delete(back)


async def merge(
    session: AsyncSession,
    escalation: Escalation,
    into: Escalation,
    by: str | None,
    policy: Policy,
    now: datetime,
) -> bool:
    """It goes on in another escalation: its stops move there, its own steps end, and both threads say so.

    What its cause brings later goes there too, as long as that is open. Both rows come locked, the one with the lower
    id first (`queries.locked`). False when either is over, or when somebody waits for an answer in it.
    """
    if escalation.id == into.id or not into.is_open or escalation.conversation_id is not None:
        return False
    change = transitions.end(standing_of(escalation), by, now, Happening.MERGED)
    if not await make(session, escalation, change, now, words=into.why, into=str(into.id)):
        return False
    escalation.merged_into = into.id
    await session.execute(
        update(Escalation).where(col(Escalation.merged_into) == escalation.id).values(merged_into=into.id)
    )
    joined = await _move_stops(session, escalation, into, now)
    into.severity = worse_of(into.severity, escalation.severity)
    into.why = rules.with_reason(into.why, escalation.why)
    into.client = ", ".join(sorted({*_names(into.client), *_names(escalation.client)}))
    into.exposure_usd += escalation.exposure_usd
    into.minutes_late = max(into.minutes_late, escalation.minutes_late)
    into.shown = rules.with_digests(into.shown, escalation.shown)
    note(session, into, Happening.MERGED, now, dispatcher=by, words=escalation.why)
    audit.record(
        session,
        now,
        "escalation",
        str(into.id),
        "merged_from",
        actor=by or audit.SYSTEM,
        source=str(escalation.id),
        stops=joined,
    )
    await grew(session, into, policy, now)
    await show(session, escalation)
    await show(session, into)
    return True


async def _move_stops(session: AsyncSession, escalation: Escalation, into: Escalation, now: datetime) -> int:
    """Copies the stops that are still open, and settles them here; a stop of both is not told twice."""
    there = await queries.members(session, into.id)
    moved = 0
    for stop_id, member in (await queries.members(session, escalation.id)).items():
        if member.settled_at is not None:
            continue
        member.settled_at = now
        if stop_id not in there:
            session.add(EscalationStop(escalation_id=into.id, stop_id=stop_id, joined_at=now))
        else:
            there[stop_id].settled_at = None
        moved += 1
    await session.flush()
    return moved


def worse_of(one: Severity, other: Severity) -> Severity:
    return max(one, other, key=SEVERITIES.index)


def _names(clients: str) -> list[str]:
    return [name for name in clients.split(", ") if name]
