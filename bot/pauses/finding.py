"""What a dispatcher means by a name: the zone, the client, the account or the route, as stops have it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.sop import Protocol, local_day
from bot.stops.models import PlatformFeed, RouteRecord, StopRecord
from connectors.pauses import PauseWhat

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Found:
    name: str
    """As people read it."""
    ref: str
    """As stops have it."""
    timezone: str
    """Where its stops are; the operator's, where it has none."""
    platform: str = ""
    """Of a route: its account."""
    zone: str = ""
    """In whose channel it is told."""


async def find_named(
    session: AsyncSession, sop: Protocol, what: PauseWhat, name: str, now: datetime
) -> list[Found]:
    """Whatever fits, whatever the letters' case; empty for a name that nobody knows, several for several routes."""
    match what:
        case PauseWhat.EVERYTHING:
            return [Found("", "", sop.operator.timezone)]
        case PauseWhat.ZONE:
            known = [zone.name for zone in sop.zones] + [*sop.on_call.zones]
            known += [name for name in sop.escalations.channels if name != "default"]
            found = await _of_stops(session, sop, StopRecord.zone, name, known)
            return [Found(each.name, each.ref, each.timezone, zone=each.ref) for each in found]
        case PauseWhat.CLIENT:
            known = [*sop.clients, *sop.sla.clients]
            return await _of_stops(session, sop, StopRecord.client, name, known)
        case PauseWhat.PLATFORM:
            feeds = await session.scalars(select(col(PlatformFeed.platform)))
            return [
                Found(each, each, sop.operator.timezone)
                for each in _fitting(name, [*sop.platforms.accounts, *feeds])
            ]
    return await _routes(session, sop, name, now)


async def _of_stops(
    session: AsyncSession, sop: Protocol, column: Any, name: str, known: Iterable[str]
) -> list[Found]:
    """The stops' own spelling goes first; a name that only sop.yml has is one too."""
    seen = (
        await session.execute(
            select(col(column), col(StopRecord.timezone))
            .where(func.lower(col(column)) == name.lower())
            .order_by(col(StopRecord.changed_at).desc())
            .limit(1)
        )
    ).one_or_none()
    if seen is not None:
        return [Found(seen[0], seen[0], seen[1])]
    return [Found(each, each, sop.operator.timezone) for each in _fitting(name, known)]


async def _routes(session: AsyncSession, sop: Protocol, name: str, now: datetime) -> list[Found]:
    """Routes of today, yesterday and tomorrow, by their name, their reference or their driver's."""
    today = local_day(now, sop.operator.timezone)
    rows = await session.execute(
        select(col(RouteRecord.name), col(RouteRecord.platform_ref), col(RouteRecord.platform))
        .where(
            func.lower(name).in_(
                [
                    func.lower(col(RouteRecord.name)),
                    func.lower(col(RouteRecord.platform_ref)),
                    func.lower(col(RouteRecord.driver_ref)),
                ]
            ),
            col(RouteRecord.day).between(today - DAY, today + DAY),
        )
        .distinct()
    )
    found = []
    for shown, ref, platform in rows:
        place = await _place(session, platform, ref)
        timezone, zone = place or (sop.operator.timezone, "")
        found.append(Found(shown or ref, ref, timezone, platform, zone))
    return found


async def _place(session: AsyncSession, platform: str, route_ref: str) -> tuple[str, str] | None:
    """Time zone and zone of one of its stops."""
    row = (
        await session.execute(
            select(col(StopRecord.timezone), col(StopRecord.zone))
            .where(col(StopRecord.platform) == platform, col(StopRecord.route_ref) == route_ref)
            .limit(1)
        )
    ).one_or_none()
    return (row[0], row[1]) if row is not None else None


def _fitting(name: str, known: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(each for each in known if each.casefold() == name.casefold()))[:1]
