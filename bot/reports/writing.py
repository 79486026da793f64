"""A report in the forms in which it leaves: HTML, PDF, CSV, JSON. The same report gives the same bytes."""

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.manifest.writing import FORMULA
from bot.reports.report import SecondTries, SlaReport, Tally, Told, ZoneFigures, ZoneRecovery
from bot.sop_reports import Format

__all__ = ["COLUMNS", "MEDIA_TYPES", "Format", "Written", "as_csv", "as_json", "filename", "write"]

MEDIA_TYPES = {
    Format.HTML: "text/html; charset=utf-8",
    Format.PDF: "application/pdf",
    Format.CSV: "text/csv; charset=utf-8",
    Format.JSON: "application/json",
}

COLUMNS = {
    "day": "local day on which the window ended",
    "zone": "zone of the stop; `No zone` where it has none",
    "target_percent": "agreed on-time share, mean over the row's stops",
    "promised": "stops whose window is over",
    "on_time": "of those, delivered in time",
    "late": "of those, delivered late or not yet delivered",
    "failed": "of those, failed or returned",
    "excluded": "late or failed ones that do not count",
    "open": "stops whose window is not over; they count nowhere",
    "on_time_percent": "on time of promised without excluded; empty where nothing counts",
    "on_time_percent_with_excluded": "on time of promised",
    "penalty_usd": "agreed amount for each late stop that counts",
    "failures": "deliveries that failed on this day, whatever their window was",
    "followed_up": "of those, followed up",
    "asked": "of those, whose recipient was asked",
    "answered": "of those, answered by the recipient",
    "second_tries": "of the followed up, for which another try was booked",
    "second_tries_over": "of those tries, over",
    "second_tries_delivered": "of those, delivered",
    "sent_back": "of the followed up, sent back",
    "unanswered": "of the asked, settled without an answer",
    "late_told": "of the late, whose recipient was told before the window ended",
    "messages": "sent unasked to the recipients of the promised stops",
}
"""One row per day and zone that had stops or failures, by day, then by zone."""


@dataclass(frozen=True)
class Written:
    content: bytes
    media_type: str
    filename: str


def write(report: SlaReport, wanted: Format) -> Written:
    """Takes up to several seconds: call it in a thread. Raises `PdfUnavailableError`."""
    return Written(_WRITERS[wanted](report), MEDIA_TYPES[wanted], filename(report, wanted))


def filename(report: SlaReport, wanted: Format) -> str:
    """Of letters that every file system takes."""
    client = re.sub(r"[^A-Za-z0-9]+", "-", report.client).strip("-").lower() or "client"
    return f"sla-{client}-{report.start}-to-{report.end}.{wanted.value}"


def as_json(report: SlaReport) -> str:
    """Times in ISO 8601, UTC; see `bot/reports/report.py` for each field."""
    return json.dumps(report.model_dump(mode="json"), ensure_ascii=False, indent=2) + "\n"


def as_csv(report: SlaReport) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for each in report.figures.days:
        zones = {zone.name: zone for zone in each.zones}
        followed = {zone.name: zone for zone in each.recovery}
        for name in sorted({*zones, *followed}):
            writer.writerow(
                [
                    each.day.isoformat(),
                    _harmless(name),
                    *_promises(zones.get(name)),
                    *_follow_ups(followed.get(name)),
                ]
            )
    return out.getvalue()


def _promises(zone: ZoneFigures | None) -> list[object]:
    """Nothing promised there on that day: no target."""
    return [f"{zone.target_percent:g}", *_cells(zone.tally)] if zone is not None else ["", *_cells(Tally())]


def _follow_ups(zone: ZoneRecovery | None) -> list[object]:
    tries, told = (zone.tries, zone.told) if zone is not None else (SecondTries(), Told())
    return [
        tries.failed,
        tries.followed_up,
        tries.asked,
        tries.answered,
        tries.booked,
        tries.over,
        tries.delivered,
        tries.sent_back,
        tries.unanswered,
        told.late_told,
        told.messages,
    ]


def _cells(tally: Tally) -> list[object]:
    return [
        tally.promised,
        tally.on_time,
        tally.late,
        tally.failed,
        tally.excluded,
        tally.open,
        "" if tally.on_time_percent is None else tally.on_time_percent,
        "" if tally.on_time_percent_with_excluded is None else tally.on_time_percent_with_excluded,
        tally.penalty_usd,
    ]


def _harmless(cell: str) -> str:
    """A zone's name comes from the platform; a spreadsheet must not run it."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _as_html(report: SlaReport) -> bytes:
    # Imported here: what draws is heavy, and only the process that draws shall load it.
    from bot.reports.page import sla_page

    return sla_page(report).encode()


def _as_pdf(report: SlaReport) -> bytes:
    from bot.reports.page import sla_page
    from bot.reports.pdf import to_pdf

    return to_pdf(sla_page(report))


_WRITERS: Mapping[Format, Callable[[SlaReport], bytes]] = {
    Format.HTML: _as_html,
    Format.PDF: _as_pdf,
    Format.CSV: lambda report: as_csv(report).encode(),
    Format.JSON: lambda report: as_json(report).encode(),
}
