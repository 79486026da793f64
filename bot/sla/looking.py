"""Looks at the stops whose verdict can have changed, and remembers what it found of them.

These are the stops that changed, those that are late, those whose verdict can change by time alone, those that go by
a route on which something changed, and those of drivers who fell silent. All others stand as they did: a full look
would find the same.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, TIMESTAMP, Boolean, Text, any_, bindparam, literal_column, select, text
from sqlalchemy import Uuid as SqlUuid
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot import audit
from bot.db import Database
from bot.sla.findings import NEVER, Feeds, Finding, Sight
from bot.sla.routes import paces_of
from bot.sla.rules import has_good_eta
from bot.stops.models import DriverRecord, PlatformFeed, StopRecord

BATCH = 2_000

COLUMNS = (
    col(StopRecord.id),
    col(StopRecord.platform),
    col(StopRecord.status),
    col(StopRecord.client),
    col(StopRecord.zone),
    col(StopRecord.service_kind),
    col(StopRecord.timezone),
    col(StopRecord.window_start_at),
    col(StopRecord.window_end_at),
    col(StopRecord.eta_at),
    col(StopRecord.service_seconds),
    col(StopRecord.driver_ref),
    col(StopRecord.route_ref),
    col(StopRecord.completed_at),
    col(StopRecord.confirmed_at),
    col(StopRecord.sla_state),
    col(StopRecord.risk_since),
    col(StopRecord.watch_at),
    col(StopRecord.is_estimated),
    col(DriverRecord.seen_at),
    # The row's version: what changed meanwhile is not overwritten, and looked at in the next round.
    literal_column("stop.xmin::text", Text()).label("version"),
)

_DUE = text("""
    WITH due AS MATERIALIZED (
        SELECT id, platform, driver_ref, watch_at IS NULL AS is_changed FROM stop
        WHERE watch_at IS NULL OR watch_at <= :now OR platform = ANY(:turned)
    ), on_changed_routes AS (
        SELECT id, platform, driver_ref FROM stop
        WHERE is_estimated AND (platform, driver_ref) IN (SELECT platform, driver_ref FROM due WHERE is_changed)
    ), of_silent_drivers AS (
        SELECT stop.id, stop.platform, stop.driver_ref FROM driver
        JOIN stop ON stop.platform = driver.platform AND stop.driver_ref = driver.platform_ref
        WHERE driver.seen_at < :heard AND driver.platform <> ALL(:quiet)
            AND stop.window_end_at BETWEEN :yesterday AND :horizon
            AND stop.watch_at > :now AND stop.watch_at < '9000-01-01'
            AND (stop.status = 'out_for_delivery' OR stop.status = 'arriving' AND stop.is_estimated)
    )
    SELECT id FROM (
        SELECT id, platform, driver_ref FROM due
        UNION SELECT id, platform, driver_ref FROM on_changed_routes
        UNION SELECT id, platform, driver_ref FROM of_silent_drivers
    ) AS found ORDER BY platform, driver_ref
""").columns(id=SqlUuid())
"""By van, so that few batches ask for the pace of the same one."""

_ALL = text("""
    SELECT id FROM stop WHERE watch_at IS NULL OR watch_at < '9000-01-01' ORDER BY platform, driver_ref
""").columns(id=SqlUuid())

_REMEMBER = text("""
    WITH mine AS (
        SELECT found.* FROM stop
        JOIN unnest(:ids, :versions, :states, :risks, :watches, :estimates)
            AS found (id, version, state, risk_since, watch_at, is_estimated) ON found.id = stop.id
        WHERE stop.xmin::text = found.version
        ORDER BY stop.id FOR NO KEY UPDATE OF stop SKIP LOCKED
    )
    UPDATE stop SET sla_state = mine.state, risk_since = mine.risk_since,
        watch_at = mine.watch_at, is_estimated = mine.is_estimated
    FROM mine WHERE stop.id = mine.id
    RETURNING stop.id
""").bindparams(
    bindparam("ids", type_=ARRAY(SqlUuid())),
    bindparam("versions", type_=ARRAY(Text())),
    bindparam("states", type_=ARRAY(Text())),
    bindparam("risks", type_=ARRAY(TIMESTAMP(timezone=True))),
    bindparam("watches", type_=ARRAY(TIMESTAMP(timezone=True))),
    bindparam("estimates", type_=ARRAY(Boolean())),
)


async def feeds_at(session: AsyncSession, stale_after: timedelta, now: datetime) -> Feeds:
    rows = await session.execute(select(col(PlatformFeed.platform), col(PlatformFeed.read_at)))
    read_at = {platform: at for platform, at in rows if at is not None}
    quiet = frozenset(platform for platform, at in read_at.items() if now - at > stale_after)
    return Feeds(read_at, quiet)


async def due_stops(session: AsyncSession, sight: Sight, turned: Collection[str]) -> Sequence[UUID]:
    """Ids of the stops to look at; `turned` are the accounts whose news became old, or fresh again.

    A driver who falls silent changes no stop: whoever has stops that were last judged by fresh news is looked for.
    """
    times = {
        "now": sight.now,
        "heard": sight.now - sight.stale_after,
        "yesterday": sight.now - timedelta(days=1),
        "horizon": sight.horizon,
    }
    accounts = {"turned": sorted(turned), "quiet": sorted(sight.feeds.quiet)}
    return (await session.scalars(_DUE, times | accounts)).all()


async def all_open(session: AsyncSession) -> Sequence[UUID]:
    """Ids of all stops that are not over for the watch."""
    return (await session.scalars(_ALL)).all()


async def look(database: Database, sight: Sight, ids: Sequence[UUID]) -> AsyncIterator[list[Finding]]:
    """The late ones of each batch; what is new of any of them is remembered, in a transaction for each.

    A round that ends half way loses nothing: what is late is looked at in every round until it is told and over.
    """
    for start in range(0, len(ids), BATCH):
        async with database.transaction() as session:
            found = await _look_at(session, sight, ids[start : start + BATCH])
        yield [finding for finding in found if finding.is_late]


async def _look_at(session: AsyncSession, sight: Sight, ids: Sequence[UUID]) -> list[Finding]:
    rows = (await session.execute(_rows_of(ids))).all()
    stops = [sight.watched(row) for row in rows]
    vans = {
        (row.platform, row.driver_ref): sight.heard_until(row)
        for row, stop in zip(rows, stops, strict=True)
        if stop is not None and row.driver_ref and not has_good_eta(stop, sight.now)
    }
    paces = await paces_of(session, vans, sight.sla.estimate, sight.now)
    seen = [(row, sight.judge(row, stop, paces)) for row, stop in zip(rows, stops, strict=True)]
    await _remember(session, seen, sight.now)
    return [finding for _, finding in seen]


def _rows_of(ids: Sequence[UUID]) -> Any:
    return (
        select(*COLUMNS)
        .select_from(StopRecord)
        .outerjoin(
            DriverRecord,
            (col(DriverRecord.platform) == col(StopRecord.platform))
            & (col(DriverRecord.platform_ref) == col(StopRecord.driver_ref)),
        )
        .where(col(StopRecord.id) == any_(bindparam("ids", list(ids), ARRAY(SqlUuid()))))
    )


async def _remember(session: AsyncSession, seen: Sequence[tuple[Any, Finding]], now: datetime) -> None:
    new = [(row, finding) for row, finding in seen if _is_news(row, finding, now)]
    if not new:
        return
    written = set(
        await session.scalars(
            _REMEMBER,
            {
                "ids": [finding.stop_id for _, finding in new],
                "versions": [row.version for row, _ in new],
                "states": [finding.assessment.state.value for _, finding in new],
                "risks": [finding.assessment.risk_since for _, finding in new],
                "watches": [finding.watch_at for _, finding in new],
                "estimates": [finding.is_estimated for _, finding in new],
            },
        )
    )
    for _, finding in new:
        if finding.stop_id in written and finding.is_turn:
            _tell_audit(session, finding, now)


def _is_news(row: Any, finding: Finding, now: datetime) -> bool:
    before = (row.sla_state, row.risk_since, row.is_estimated)
    after = (finding.assessment.state, finding.assessment.risk_since, finding.is_estimated)
    return before != after or not _comes_in_time(row.watch_at, finding.watch_at, now)


def _comes_in_time(known: datetime | None, wanted: datetime, now: datetime) -> bool:
    """Whether what is remembered does: a look too early finds nothing, and costs less than a row written each time
    that a route moves on by a minute."""
    return known == wanted or (known is not None and now < known < wanted < NEVER)


def _tell_audit(session: AsyncSession, finding: Finding, now: datetime) -> None:
    state, why = finding.assessment.state.value, finding.assessment.why
    audit.record(session, now, "stop", str(finding.stop_id), state, why=why)
