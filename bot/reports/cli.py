"""`doorline report …`: made from the database, written to a file or to the terminal."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import TypeVar

import typer

from bot.clock import Clock, SystemClock
from bot.db import Database
from bot.errors import ConfigurationError
from bot.reports import wording
from bot.reports.errors import BadPeriodError, NothingPromisedError
from bot.reports.records import Period
from bot.reports.report import SlaReport
from bot.reports.service import SlaReports
from bot.reports.writing import Format, Written, write
from bot.sop import ProtocolInForce

T = TypeVar("T")


def period_asked(start: str, end: str) -> Period:
    """Raises `BadPeriodError`: that is no day."""
    return Period(_day(start, "--from"), _day(end, "--to"))


def make_sla(
    database_url: str,
    sop: ProtocolInForce,
    client: str,
    period: Period,
    clock: Clock | None = None,
) -> SlaReport:
    """Raises as `SlaReports.make`, and `NothingPromisedError`: there is nothing to report."""

    async def work(database: Database) -> SlaReport:
        return await SlaReports(database, clock or SystemClock(), sop).make(client, period)

    report = asyncio.run(_with(database_url, work))
    if not (report.figures.total.promised or report.figures.total.open):
        raise NothingPromisedError(
            f"no delivery window of {report.client} ended in {wording.span(period.start, period.end)}"
        )
    return report


def write_sla(report: SlaReport, wanted: Format, out: Path | None) -> None:
    """Raises `ConfigurationError`: the file cannot be written, or PDF is not possible here."""
    deliver(write(report, wanted), out, is_text=wanted is not Format.PDF)


def deliver(written: Written, out: Path | None, *, is_text: bool) -> None:
    """Writes to `out`, else text to the terminal and anything else to a file of its own name, and says so."""
    if out is None and is_text:
        sys.stdout.buffer.write(written.content)
        sys.stdout.buffer.flush()
        return
    path = out or Path(written.filename)
    try:
        path.write_bytes(written.content)
    except OSError as exc:
        raise ConfigurationError(f"cannot write {path}: {exc.strerror}") from exc
    typer.echo(f"{path}: {len(written.content):,} bytes", err=True)


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise BadPeriodError(f"expected {option} such as 2026-11-01, found {text!r}") from exc


async def _with(database_url: str, work: Callable[[Database], Awaitable[T]]) -> T:
    database = Database(database_url, pool_size=1)
    try:
        return await work(database)
    finally:
        await database.close()
