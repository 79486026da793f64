"""Writes what the platforms tell into our tables, each function inside its caller's transaction.

News older than what we hold is dropped, so repeated and reordered webhooks change nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel, col

from bot.stops.columns import TOLD_FIELDS, UNKNOWN_TO_WEBHOOKS, UNWATCHED_FIELDS, as_json, columns_of
from bot.stops.models import DriverRecord, RouteRecord, SlaState, StopEvent, StopRecord
from connectors.base import Driver, Route, RouteStatus, Stop, StopStatus


async def store_stops(session: AsyncSession, stops: Sequence[Stop], source: str, now: datetime) -> list[UUID]:
    """Stops of one account; gives our ids of those that changed in something that matters."""
    if not stops:
        return []
    known = await _known_stops(session, stops)
    newest = {stop.platform_ref: stop for stop in sorted(stops, key=lambda stop: stop.changed_at)}
    new = [stop for ref, stop in newest.items() if ref not in known]
    changed = [
        record.id for ref, record in known.items() if _apply(session, record, newest[ref], source, now)
    ]
    return changed + await _insert_stops(session, new, source, now)


async def cancel_stops(
    session: AsyncSession, platform: str, refs: Sequence[str], source: str, now: datetime
) -> list[UUID]:
    """Ends the open ones among these: the platform does not know them any more."""
    records = await session.scalars(
        select(StopRecord)
        .where(col(StopRecord.platform) == platform, col(StopRecord.platform_ref).in_(refs))
        .order_by(col(StopRecord.id))
        .with_for_update()
    )
    cancelled = [record for record in records if record.is_open]
    for record in cancelled:
        _append_event(session, record.id, source, now, {"status": [record.status.value, "cancelled"]})
        record.status = StopStatus.CANCELLED
        record.notice_at = None
        record.completed_at = record.changed_at = record.confirmed_at = now
        record.watch_at = None
    return [record.id for record in cancelled]


async def store_drivers(session: AsyncSession, drivers: Sequence[Driver]) -> None:
    if not drivers:
        return
    # Whoever writes several drivers locks them in this order: a read and its events never wait for each other.
    rows = [
        driver.model_dump() | {"zones": list(driver.zones)}
        for driver in sorted(drivers, key=lambda driver: driver.platform_ref)
    ]
    await session.execute(_upsert(DriverRecord, ("platform", "platform_ref"), rows[0]), rows)


async def store_duty(session: AsyncSession, platform: str, on_duty: Mapping[str, bool]) -> None:
    """`on_duty` by the drivers' references."""
    for driver_ref in sorted(on_duty):
        await session.execute(
            update(DriverRecord)
            .where(col(DriverRecord.platform) == platform, col(DriverRecord.platform_ref) == driver_ref)
            .values(on_duty=on_duty[driver_ref])
        )


async def store_routes(session: AsyncSession, platform: str, routes: Sequence[Route], now: datetime) -> None:
    """All routes of one account's day; those it showed before and shows no more are over."""
    rows = [
        route.model_dump(exclude={"platform", "stop_refs"}) | {"platform": platform, "updated_at": now}
        for route in sorted(routes, key=lambda route: route.platform_ref)
    ]
    if rows:
        await session.execute(_upsert(RouteRecord, ("platform", "platform_ref", "day"), rows[0]), rows)
    await session.execute(
        update(RouteRecord)
        .where(
            col(RouteRecord.platform) == platform,
            col(RouteRecord.status) != RouteStatus.FINISHED,
            col(RouteRecord.updated_at) < now,
        )
        .values(status=RouteStatus.FINISHED)
    )


def _upsert(kind: type[SQLModel], keys: Sequence[str], columns: Iterable[str]) -> Insert:
    """For many rows in one round trip: one with known `keys` takes the new values of the other `columns`."""
    statement = insert(kind)
    taken = {name: statement.excluded[name] for name in columns if name not in keys}
    return statement.on_conflict_do_update(index_elements=list(keys), set_=taken)


async def _known_stops(session: AsyncSession, stops: Sequence[Stop]) -> dict[str, StopRecord]:
    refs = [stop.platform_ref for stop in stops]
    rows = await session.scalars(
        select(StopRecord)
        .where(col(StopRecord.platform) == stops[0].platform, col(StopRecord.platform_ref).in_(refs))
        .order_by(col(StopRecord.id))
        .with_for_update()
    )
    return {row.platform_ref: row for row in rows}


async def _insert_stops(
    session: AsyncSession, stops: Sequence[Stop], source: str, now: datetime
) -> list[UUID]:
    """Those of them that nobody has inserted meanwhile."""
    if not stops:
        return []
    statement = (
        insert(StopRecord)
        .on_conflict_do_nothing(index_elements=["platform", "platform_ref"])
        .returning(col(StopRecord.id), col(StopRecord.status))
    )
    rows = [
        columns_of(stop)
        | {
            "platform": stop.platform,
            "platform_ref": stop.platform_ref,
            "confirmed_at": now,
            "sla_state": SlaState.ON_TRACK,
        }
        for stop in sorted(stops, key=lambda stop: stop.platform_ref)
    ]
    inserted = (await session.execute(statement, rows)).all()
    for stop_id, status in inserted:
        _append_event(session, stop_id, source, now, {"status": [None, status.value]})
    return [stop_id for stop_id, _ in inserted]


def _apply(session: AsyncSession, record: StopRecord, stop: Stop, source: str, now: datetime) -> bool:
    """True when something that matters changed."""
    if stop.changed_at < record.changed_at:
        return False
    columns = columns_of(stop)
    if source.endswith(":webhook"):
        columns = {
            name: value
            for name, value in columns.items()
            if value is not None or name not in UNKNOWN_TO_WEBHOOKS or _is_over(stop, name)
        }
    changes = {name: value for name, value in columns.items() if getattr(record, name) != value}
    if not changes:
        return False
    told = {
        name: [as_json(getattr(record, name)), as_json(changes[name])]
        for name in TOLD_FIELDS
        if name in changes
    }
    for name, value in changes.items():
        setattr(record, name, value)
    if not changes.keys() <= UNWATCHED_FIELDS:
        record.watch_at = record.notice_at = None
    record.confirmed_at = now
    if told:
        _append_event(session, record.id, source, now, told)
    return True


def _is_over(stop: Stop, field: str) -> bool:
    """A stop that is closed has no place in what is left of its route, and a webhook knows that."""
    return field == "sequence" and stop.status.is_closed


def _append_event(
    session: AsyncSession, stop_id: UUID, source: str, now: datetime, changes: dict[str, Any]
) -> None:
    session.add(StopEvent(stop_id=stop_id, at=now, source=source, changes=changes))
