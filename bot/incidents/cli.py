"""`doorline report incident`: one incident, read from the database at one instant, in the shape that is asked for."""

import asyncio
import sys
from enum import StrEnum
from pathlib import Path

from bot.db import Database
from bot.errors import ConfigurationError
from bot.incidents.page import as_html, as_json, as_text
from bot.incidents.report import IncidentReport, IncidentReports
from bot.reports.pdf import to_pdf
from bot.sop import ProtocolInForce


class Format(StrEnum):
    TEXT = "text"
    HTML = "html"
    PDF = "pdf"
    JSON = "json"


def read_report(
    database_url: str, sop: ProtocolInForce, name: str, *, for_client: bool = False
) -> IncidentReport:
    """Raises `NotFoundError` for an id or a number of no incident."""
    return asyncio.run(_read(database_url, sop, name, for_client))


async def _read(database_url: str, sop: ProtocolInForce, name: str, for_client: bool) -> IncidentReport:
    database = Database(database_url, pool_size=1)
    try:
        return await IncidentReports(database, sop).read(name, for_client=for_client)
    finally:
        await database.close()


def write_report(report: IncidentReport, wanted: Format, out: Path | None) -> None:
    """To a file, or to standard output, where a PDF does not belong on a screen.

    Raises `ConfigurationError`: the file cannot be written, or a library for PDF is missing.
    """
    if out is None and wanted is Format.PDF and sys.stdout.isatty():
        raise ConfigurationError("a PDF needs --out FILE")
    content = shaped(report, wanted)
    if out is None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
        return
    try:
        out.write_bytes(content)
    except OSError as exc:
        raise ConfigurationError(f"{out}: {exc.strerror}") from exc


def shaped(report: IncidentReport, wanted: Format) -> bytes:
    if wanted is Format.PDF:
        return to_pdf(as_html(report))
    write = {Format.HTML: as_html, Format.JSON: as_json, Format.TEXT: as_text}[wanted]
    return write(report).encode()
