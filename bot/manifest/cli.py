"""`doorline manifest`: the day's manifests, read from the database at one instant."""

import asyncio
from collections.abc import Sequence
from datetime import date
from enum import StrEnum

from rich.console import Console

from bot.clock import Clock
from bot.db import Database
from bot.drivers.queries import shift_states
from bot.errors import NotFoundError
from bot.manifest.days import read_day
from bot.manifest.facts import DayFacts
from bot.manifest.reading import ManifestReader
from bot.manifest.rules import manifest_of
from bot.manifest.writing import as_csv, as_json, tables
from bot.sop import Protocol
from connectors.desk import ManifestView


class Format(StrEnum):
    TABLE = "table"
    CSV = "csv"
    JSON = "json"


class NoSuchManifestError(NotFoundError):
    """There is no such day or zone; its text is for who asked."""


def day_asked(written: str | None, sop: Protocol, clock: Clock) -> date:
    """Today where the operator is, if none is given. Raises `NoSuchManifestError`."""
    if written is None:
        return clock.now().astimezone(sop.zone).date()
    try:
        return read_day(written)
    except ValueError as exc:
        raise NoSuchManifestError(f"expected --date such as 2026-11-23, found {written!r}") from exc


def read_manifests(
    database_url: str, clock: Clock, sop: Protocol, day: date, zone: str | None
) -> list[ManifestView]:
    """Of all zones, or of one. Raises `NoSuchManifestError` for a zone that nobody knows."""
    facts = asyncio.run(_read(database_url, clock, day))
    zones = facts.zones if zone is None else [_known(zone, facts, sop)]
    return [manifest_of(facts, name, facts.timezone_of(name) or sop.operator.timezone) for name in zones]


def write(views: Sequence[ManifestView], day: date, wanted: Format, console: Console) -> None:
    if wanted is Format.CSV:
        console.file.write(as_csv(views))
    elif wanted is Format.JSON:
        console.file.write(as_json(views) + "\n")
    else:
        _print(views, day, console)


def _print(views: Sequence[ManifestView], day: date, console: Console) -> None:
    if not any(view.lines for view in views):
        console.print(f"No stops on {day.isoformat()}.")
    for view in views:
        for grid in tables(view):
            console.print(grid)


def _known(zone: str, facts: DayFacts, sop: Protocol) -> str:
    """The zone as it is written everywhere; one of the protocol may be empty on that day."""
    names = {name.casefold(): name for name in [*(each.name for each in sop.zones), *facts.zones]}
    if zone.casefold() not in names:
        known = ", ".join(sorted(name or '""' for name in names.values())) or "none"
        raise NoSuchManifestError(f"no zone {zone!r} on {facts.day.isoformat()}; there are: {known}")
    return names[zone.casefold()]


async def _read(database_url: str, clock: Clock, day: date) -> DayFacts:
    database = Database(database_url, pool_size=1)
    try:
        return await ManifestReader(database, clock, shift_states).read(day)
    finally:
        await database.close()
