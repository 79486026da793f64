"""Where our stops differ from the platforms', field by field. An empty list is what Doorline is worth."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict
from sqlalchemy import or_, select
from sqlmodel import col

from bot.db import Database
from bot.stops.columns import as_json, columns_of
from bot.stops.models import StopRecord
from connectors.base import RoutingPlatform, Stop
from connectors.errors import StopNotFoundError

NOT_COMPARED = frozenset({"changed_at"})
"""When the platform last touched a stop says nothing about it."""
A_DAY = timedelta(days=1)


class Difference(BaseModel):
    """One field of one stop. `field` is `stop` where one side has none: values are statuses then, or None."""

    model_config = ConfigDict(frozen=True)

    platform: str
    platform_ref: str
    field: str
    ours: Any
    theirs: Any


def differences(ours: Iterable[StopRecord], theirs: Iterable[Stop]) -> list[Difference]:
    """Pure. Access codes in notes are compared as we keep them, hidden."""
    records = {(record.platform, record.platform_ref): record for record in ours}
    stops = {(stop.platform, stop.platform_ref): stop for stop in theirs}
    found: list[Difference] = []
    for key in sorted(records.keys() | stops.keys()):
        found += _of_stop(key, records.get(key), stops.get(key))
    return found


def _of_stop(key: tuple[str, str], record: StopRecord | None, stop: Stop | None) -> list[Difference]:
    platform, ref = key
    if record is None or stop is None:
        ours = record.status.value if record else None
        theirs = stop.status.value if stop else None
        return [Difference(platform=platform, platform_ref=ref, field="stop", ours=ours, theirs=theirs)]
    return [
        Difference(
            platform=platform, platform_ref=ref, field=name, ours=as_json(ours), theirs=as_json(theirs)
        )
        for name, theirs in columns_of(stop).items()
        if name not in NOT_COMPARED and (ours := getattr(record, name)) != theirs
    ]


class DifferenceFinder:
    """Asks the platforms themselves: what a connector reads, beside what the sync has stored of it."""

    def __init__(self, database: Database, platforms: Mapping[str, RoutingPlatform]) -> None:
        self._database = database
        self._platforms = platforms

    async def of_day(self, account: str, day: date, timezone: str) -> list[Difference]:
        """Of every stop whose window or plan is on that day, on either side.

        `timezone` is the account's. Raises `PlatformError`. While drivers are out, what changed since the last
        read of the platform differs.
        """
        platform = self._platforms[account]
        theirs = {stop.platform_ref: stop async for stop in platform.stops_of_day(day)}
        ours = await self._records(account, theirs, day, timezone)
        for record in ours:
            if record.platform_ref not in theirs:
                stop = await _find(platform, record.platform_ref)
                if stop is not None:
                    theirs[record.platform_ref] = stop
        known = [record for record in ours if record.platform_ref in theirs or record.is_open]
        return differences(known, theirs.values())

    async def _records(
        self, account: str, refs: Iterable[str], day: date, timezone: str
    ) -> Sequence[StopRecord]:
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone))
        start, end, planned = (
            col(StopRecord.window_start_at),
            col(StopRecord.window_end_at),
            col(StopRecord.planned_at),
        )
        until = midnight + A_DAY
        on_day = or_((start < until) & (end > midnight), (planned >= midnight) & (planned < until))
        async with self._database.transaction() as session:
            found = await session.scalars(
                select(StopRecord).where(
                    col(StopRecord.platform) == account,
                    or_(on_day, col(StopRecord.platform_ref).in_(list(refs))),
                )
            )
            return found.all()


async def _find(platform: RoutingPlatform, platform_ref: str) -> Stop | None:
    try:
        return await platform.get_stop(platform_ref)
    except StopNotFoundError:
        return None
