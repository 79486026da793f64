"""What of lateness is open already, what people are done with, and what a storm takes up."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, any_, bindparam, select
from sqlalchemy import Uuid as SqlUuid
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import col

from bot.escalations import queries
from bot.escalations.cause import Cause
from bot.escalations.models import Escalation, EscalationStop
from bot.escalations.moving import merge
from bot.sla.causes import STORM, LateCause, Standing
from bot.sop_escalations import Escalations as Policy
from connectors.escalation import EscalationState, Severity

OF_LATENESS = (Severity.AT_RISK, Severity.BREACHED)
HELD = (EscalationState.ACKNOWLEDGED, EscalationState.SNOOZED)


async def standing(session: AsyncSession, keys: Collection[str]) -> Standing:
    """`keys` are those of the causes that are late now."""
    rows = await session.execute(
        select(col(Escalation.cause_key), col(Escalation.state), col(Escalation.shown)).where(
            col(Escalation.state) != EscalationState.RESOLVED, col(Escalation.severity).in_(OF_LATENESS)
        )
    )
    found = {key: (state, shown) for key, state, shown in rows}
    unsettled = await unsettled_stops(session)
    return Standing(
        merged=await _merged(session, keys),
        single=frozenset(key for key in found if not key.startswith(STORM)),
        held=frozenset(key for key, (state, _) in found.items() if state in HELD),
        storms=frozenset(key for key in found if key.startswith(STORM)),
        taken_up={stop_id: key for _, key, stop_id in unsettled if key.startswith(STORM)},
        shown={key: shown for key, (_, shown) in found.items()},
    )


async def unsettled_stops(session: AsyncSession) -> list[tuple[UUID, str, UUID]]:
    """Of the open escalations about lateness: id, cause key, and one of the stops that still count. Not locked."""
    rows = await session.execute(
        select(col(Escalation.id), col(Escalation.cause_key), col(EscalationStop.stop_id))
        .join(EscalationStop, col(EscalationStop.escalation_id) == col(Escalation.id))
        .where(
            col(Escalation.state) != EscalationState.RESOLVED,
            col(Escalation.severity).in_(OF_LATENESS),
            col(EscalationStop.settled_at).is_(None),
        )
        .order_by(col(Escalation.id))
    )
    return [(row[0], row[1], row[2]) for row in rows]


async def _merged(session: AsyncSession, keys: Collection[str]) -> dict[str, str]:
    """For causes whose newest escalation went into another, as long as that one is open: its key."""
    into = aliased(Escalation)
    merged: dict[str, str] = {}
    wanted = set(keys)
    while wanted:
        rows = await session.execute(
            select(col(Escalation.cause_key), col(into.cause_key), col(into.state), col(into.merged_into))
            .join(into, col(into.id) == col(Escalation.merged_into))
            .where(col(Escalation.cause_key).in_(wanted))
            .order_by(col(Escalation.raised_at))
        )
        found = {key: (target, state, further) for key, target, state, further in rows}
        merged |= {key: to for key, (to, state, further) in found.items() if _goes_on(state, further)}
        wanted = {to for to, _, further in found.values() if further is not None} - merged.keys()
    return merged


def _goes_on(state: EscalationState, further: UUID | None) -> bool:
    return state is not EscalationState.RESOLVED or further is not None


async def done_by_person(
    session: AsyncSession, causes: Sequence[LateCause], merged: Mapping[str, str]
) -> dict[str, frozenset[UUID]]:
    """By cause, its stops that a person has resolved: as part of it, or of a storm of that day."""
    stops = {stop.stop_id: cause for cause in causes for stop in cause.stops}
    rows = await session.execute(
        select(col(EscalationStop.stop_id), col(Escalation.cause_key))
        .join(Escalation, col(Escalation.id) == col(EscalationStop.escalation_id))
        .where(
            col(EscalationStop.stop_id) == any_(bindparam("stops", list(stops), ARRAY(SqlUuid()))),
            col(Escalation.resolved_by).is_not(None),
            col(Escalation.merged_into).is_(None),
        )
    )
    done: dict[str, set[UUID]] = defaultdict(set)
    for stop_id, key in rows:
        cause = stops[stop_id]
        is_storm_of_day = key.startswith(STORM) and key.endswith(f":{cause.day}")
        if key == cause.key or is_storm_of_day or key == merged.get(cause.key):
            done[cause.key].add(stop_id)
    return {key: frozenset(stop_ids) for key, stop_ids in done.items()}


async def take_up(
    session: AsyncSession,
    storm_id: UUID,
    cause: Cause,
    single: Collection[str],
    policy: Policy,
    now: datetime,
) -> None:
    """The escalations of single causes that nobody has taken yet go on in the storm's."""
    rows = await session.scalars(
        select(col(Escalation.id)).where(
            col(Escalation.cause_key).in_(single), col(Escalation.state) == EscalationState.RAISED
        )
    )
    ids = set(rows)
    if not ids:
        return
    locked = await queries.locked(session, storm_id, *ids)
    storm = locked[storm_id]
    for escalation_id in sorted(ids):
        await merge(session, locked[escalation_id], storm, None, policy, now)
    # The cause has counted their stops already.
    storm.why, storm.client, storm.exposure_usd = cause.why, cause.client, cause.exposure_usd
