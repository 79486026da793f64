"""`doorline platforms …`: the capability matrix, and where our stops differ from the platforms'."""

import asyncio
import json
from datetime import UTC, date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from bot.app.accounts import Account
from bot.app.vendors import open_platform, open_vendors
from bot.clock import SystemClock
from bot.db import Database
from bot.errors import ConfigurationError
from bot.platforms.matrix import Matrix, markdown, rows
from bot.serve import database
from bot.settings import VENDORS, Settings
from bot.sop import load_protocol
from bot.stops.accounts import VENDOR_NAMES
from bot.stops.differences import Difference, DifferenceFinder
from connectors.errors import PlatformError


class AbilitiesFormat(StrEnum):
    TABLE = "table"
    MARKDOWN = "markdown"


class DifferencesFormat(StrEnum):
    TABLE = "table"
    JSON = "json"


def show_abilities(form: AbilitiesFormat) -> None:
    matrix = vendor_matrix()
    if form is AbilitiesFormat.MARKDOWN:
        typer.echo(markdown(VENDOR_NAMES, matrix))
    else:
        grid = Table("", *(VENDOR_NAMES[vendor] for vendor in matrix), title="What the platforms can do")
        for row in rows(matrix):
            grid.add_row(*row)
        Console().print(grid)


def show_differences(settings: Settings, day: str, account: str, form: DifferencesFormat) -> bool:
    """Prints them; whether there are any."""
    found = asyncio.run(find_differences(settings, day, account))
    if form is DifferencesFormat.JSON:
        typer.echo(json.dumps([difference.model_dump(mode="json") for difference in found], indent=2))
    else:
        _print(found)
    return bool(found)


def vendor_matrix() -> Matrix:
    """From the connectors as they are made for any account: nothing is called."""
    samples = [Account(vendor, vendor, "UTC", SecretStr("-"), "http://localhost") for vendor in VENDORS]
    now = SystemClock().now
    return {sample.name: dict(open_platform(sample, now).abilities) for sample in samples}


async def find_differences(settings: Settings, day: str, account: str) -> list[Difference]:
    """Of one local day, on one account or all that are on.

    Raises `ConfigurationError` for a day or an account that is none, and when a platform cannot be read.
    """
    clock = SystemClock()
    vendors = open_vendors(settings, clock, load_protocol(settings.doorline_sop))
    wanted = [each for each in vendors.accounts if account in ("", each.name)]
    if not wanted:
        raise ConfigurationError(f"no account {account} is on" if account else "no routing platform is on")
    found = []
    try:
        with database(settings) as ready:
            ours = Database(ready.database_url or "")
            finder = DifferenceFinder(ours, vendors.platforms)
            for each in wanted:
                found += await finder.of_day(each.name, _day(day, each.timezone), each.timezone)
            await ours.close()
    except PlatformError as exc:
        raise ConfigurationError(f"cannot compare: {exc}") from exc
    finally:
        await vendors.aclose()
    return found


def _day(day: str, timezone: str) -> date:
    if not day:
        return datetime.now(UTC).astimezone(ZoneInfo(timezone)).date()
    try:
        return date.fromisoformat(day)
    except ValueError as exc:
        raise ConfigurationError(f"--day: expected YYYY-MM-DD, found {day}") from exc


def _print(found: list[Difference]) -> None:
    if not found:
        typer.echo("no differences")
        return
    grid = Table("account", "stop", "field", "ours", "theirs", title=f"{len(found)} differences")
    for each in found:
        grid.add_row(each.platform, each.platform_ref, each.field, str(each.ours), str(each.theirs))
    Console().print(grid)
