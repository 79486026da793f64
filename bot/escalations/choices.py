"""What the windows of an escalation offer, in one quick read. Fulfils `connectors.choices.EscalationChoices`."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from bot.clock import Clock
from bot.db import Database
from bot.escalations.deeds.handing_over import zones_for
from bot.escalations.deeds.merging import id_in
from bot.escalations.deeds.working import open_stops
from bot.escalations.models import Escalation, EscalationStop
from bot.escalations.view import ViewSources, build_view
from bot.sop import ProtocolInForce, local_day
from bot.stops.models import OPEN_STATUSES, DriverRecord, StopRecord
from connectors.base import Capability, RoutingPlatform
from connectors.choices import DriverChoice, OtherEscalation, WindowChoices
from connectors.errors import StorageUnavailableError
from connectors.escalation import EscalationState

MOST_OTHERS = 50
MOST_DRIVERS = 99


class Choices:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        sop: ProtocolInForce,
        platforms: Mapping[str, RoutingPlatform],
        sources: ViewSources,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sop = sop
        self._platforms = platforms
        self._sources = sources

    async def choices(self, escalation_id: str) -> WindowChoices | None:
        """None for an escalation that is not ours. Raises `StorageUnavailableError`."""
        found = id_in(escalation_id)
        if found is None:
            return None
        try:
            async with self._database.transaction() as session:
                escalation = await session.get(Escalation, found)
                return await self._read(session, escalation) if escalation is not None else None
        except (DBAPIError, OSError) as exc:
            raise StorageUnavailableError("the choices cannot be read") from exc

    async def _read(self, session: AsyncSession, escalation: Escalation) -> WindowChoices:
        protocol, now = self._sop.current, self._clock.now()
        view = await build_view(session, escalation, protocol, now, sources=self._sources, all_stops=True)
        stops = await open_stops(session, escalation.id)
        return WindowChoices(
            view=view,
            open_stop_ids=tuple(str(stop.id) for stop in stops),
            drivers=await self._drivers(session, stops, now),
            zones=zones_for(protocol, escalation.zone),
            others=await _others(session, escalation),
            root_causes=protocol.root_causes,
            exclusions={code: each.label for code, each in protocol.sla.exclusions.items()},
            can_move_window=any(self._can(stop, Capability.CHANGE_WINDOW) for stop in stops),
            has_driver=any(stop.driver_ref is not None for stop in stops),
        )

    def _can(self, stop: StopRecord, capability: Capability) -> bool:
        platform = self._platforms.get(stop.platform)
        return platform is not None and capability in platform.capabilities

    async def _drivers(
        self, session: AsyncSession, stops: list[StopRecord], now: datetime
    ) -> tuple[DriverChoice, ...]:
        """Of the accounts that can; not who drives all of it now. On duty first, then few stops before many."""
        able = {stop.platform for stop in stops if self._can(stop, Capability.ASSIGN_DRIVER)}
        driving = {(stop.platform, stop.driver_ref) for stop in stops}
        own = driving.pop() if len(driving) == 1 else None
        if not able:
            return ()
        rows = await session.scalars(select(DriverRecord).where(col(DriverRecord.platform).in_(able)))
        left = await _stops_left(session, able, stops[0].timezone, now)
        found = [
            DriverChoice(
                driver_ref=driver.platform_ref,
                name=driver.name,
                stops_left=left.get((driver.platform, driver.platform_ref), 0),
                on_duty=driver.on_duty,
                zone=", ".join(driver.zones),
            )
            for driver in rows
            if (driver.platform, driver.platform_ref) != own
        ]
        return tuple(sorted(found, key=_likeliest)[:MOST_DRIVERS])


def _likeliest(driver: DriverChoice) -> tuple[bool, bool, int, str]:
    return (driver.on_duty is False, driver.on_duty is None, driver.stops_left or 0, driver.name)


async def _stops_left(
    session: AsyncSession, platforms: set[str], timezone: str, now: datetime
) -> dict[tuple[str, str | None], int]:
    """Open stops of the local day, by platform and driver."""
    rows = await session.execute(
        select(col(StopRecord.platform), col(StopRecord.driver_ref), func.count())
        .where(
            col(StopRecord.platform).in_(platforms),
            col(StopRecord.driver_ref).is_not(None),
            col(StopRecord.status).in_(OPEN_STATUSES),
            func.date(func.timezone(timezone, col(StopRecord.window_end_at))) == local_day(now, timezone),
        )
        .group_by(col(StopRecord.platform), col(StopRecord.driver_ref))
    )
    return {(row[0], row[1]): row[2] for row in rows}


async def _others(session: AsyncSession, escalation: Escalation) -> tuple[OtherEscalation, ...]:
    """Open ones into which it could go, those of its zone first, the newest before older ones."""
    rows = await session.execute(
        select(Escalation, func.count(col(EscalationStop.stop_id)))
        .join(EscalationStop, col(EscalationStop.escalation_id) == col(Escalation.id))
        .where(
            col(Escalation.id) != escalation.id,
            col(Escalation.state) != EscalationState.RESOLVED,
            col(Escalation.conversation_id).is_(None),
        )
        .group_by(col(Escalation.id))
        .order_by((col(Escalation.zone) != escalation.zone), col(Escalation.raised_at).desc())
        .limit(MOST_OTHERS)
    )
    found = [(other, stops) for other, stops in rows]
    first = await _addresses(session, [other.id for other, _ in found])
    return tuple(
        OtherEscalation(
            escalation_id=str(other.id),
            severity=other.severity,
            zone=other.zone,
            client=other.client,
            stops=stops,
            address_line=first.get(other.id, ""),
        )
        for other, stops in found
    )


async def _addresses(session: AsyncSession, escalation_ids: list[UUID]) -> dict[UUID, str]:
    """Of the first stop of each."""
    rows = await session.execute(
        select(col(EscalationStop.escalation_id), col(StopRecord.address_line))
        .join(StopRecord, col(StopRecord.id) == col(EscalationStop.stop_id))
        .where(col(EscalationStop.escalation_id).in_(escalation_ids))
        .order_by(col(EscalationStop.escalation_id), col(StopRecord.window_end_at), col(StopRecord.sequence))
        .ext(distinct_on(col(EscalationStop.escalation_id)))
    )
    return {row[0]: row[1] for row in rows}
