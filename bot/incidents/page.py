"""An incident's report in the three shapes that leave us: a page that needs nothing else, JSON, plain text. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from bot.incidents.entries import local_clock
from bot.incidents.models import BrokenKind, BrokenState
from bot.incidents.report import IncidentReport, TimelineLine, spell_minutes
from bot.reports.fonts import embedded_faces

OURS = Path(__file__).parent / "templates"
REPORTS = Path(__file__).parents[1] / "reports" / "templates"
"""Its style is that of the other reports."""

TITLES = {
    BrokenKind.BREACH: "Late delivery",
    BrokenKind.FAILED_DELIVERY: "Failed delivery",
    BrokenKind.MISSING: "Missing parcel",
    BrokenKind.DAMAGED: "Damaged parcel",
    BrokenKind.OTHER: "Incident",
}
STATES = {BrokenState.OPEN: "open", BrokenState.CLOSED: "closed", BrokenState.WITHDRAWN: "withdrawn"}

_templates = Environment(
    loader=FileSystemLoader(OURS),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Day:
    day: str
    lines: list[TimelineLine]


def as_html(report: IncidentReport) -> str:
    styles = [folder / name for folder, name in ((REPORTS, "report.css"), (OURS, "incident.css"))]
    style = embedded_faces() + "".join(each.read_text(encoding="utf-8") for each in styles)
    return _templates.get_template("incident.html").render(
        report=report,
        style=style,
        title=TITLES[report.kind],
        state=STATES[report.state],
        cause=spoken_cause(report),
        cause_note="" if report.root_cause else "Nobody has said why",
        late=spoken_lateness(report),
        finished=_finished(report),
        exposure_note=_exposure_note(report),
        taken=_taken(report),
        taken_note=_taken_note(report),
        facts=list(_facts(report)),
        days=_days(report.timeline),
        day=_day,
        day_of=lambda moment: _day(moment.astimezone(ZoneInfo(report.timezone)).date()),
    )


def as_json(report: IncidentReport) -> str:
    return report.model_dump_json(indent=2)


def as_text(report: IncidentReport) -> str:
    """For a terminal, and for whoever pastes it into a mail."""
    lines = [
        f"{report.number}  {TITLES[report.kind]}, {STATES[report.state]}",
        report.headline,
        "",
        *(f"{name + ':':<16}{value}" for name, value in _facts(report)),
        f"{'Root cause:':<16}{spoken_cause(report)}",
        f"{'Cost exposure:':<16}${report.exposure_usd:,}",
    ]
    lines += [f"{'Excluded:':<16}{report.exclusion_label}"] if report.exclusion else []
    lines += [f"{'Note:':<16}{report.note}"] if report.note else []
    for each in report.follow_ups:
        done = f"done by {each.done_by}" if each.done_at else "not done"
        lines.append(f"{'Follow-up:':<16}{each.what} ({each.owner}, by {_day(each.due_on)}, {done})")
    for group in _days(report.timeline):
        lines += ["", group.day]
        for line in group.lines:
            receipt = f" ({line.receipt})" if line.receipt else ""
            lines.append(f"  {line.local_time:>11}  {line.who}: {line.what}{receipt}")
            lines += [f"{'':15}| {said}" for said in line.words.splitlines()]
    return "\n".join(lines) + "\n"


def spoken_cause(report: IncidentReport) -> str:
    return report.root_cause.value.replace("_", " ").capitalize() if report.root_cause else "Not said yet"


def spoken_lateness(report: IncidentReport) -> str:
    if report.kind is not BrokenKind.BREACH or report.state is BrokenState.WITHDRAWN:
        return "-"
    return spell_minutes(report.minutes_late)


def _finished(report: IncidentReport) -> str:
    if report.finished_at is None:
        return "Not delivered yet" if report.kind is BrokenKind.BREACH else ""
    verb = "Failed" if report.kind is BrokenKind.FAILED_DELIVERY else "Delivered"
    return f"{verb} {local_clock(report.finished_at, report.timezone)}"


def _exposure_note(report: IncidentReport) -> str:
    if report.exclusion and report.penalty_usd:
        return f"Excluded; ${report.penalty_usd:,} otherwise"
    return "Penalty by the agreement" if report.exposure_usd else "No penalty"


def _taken(report: IncidentReport) -> str:
    minutes = report.response.minutes_to_take
    if minutes is None:
        return "Not taken" if report.response.told_at else "Not told"
    return f"after {spell_minutes(minutes)}" if minutes else "at once"


def _taken_note(report: IncidentReport) -> str:
    if report.response.told_at is None:
        return ""
    return f"Told {local_clock(report.response.told_at, report.timezone)}"


def _facts(report: IncidentReport) -> Iterator[tuple[str, str]]:
    facts = {
        "Client": report.client,
        "Zone": report.zone,
        "Recipient": report.recipient_name,
        "Address": report.address_line,
        "Tracking": report.tracking,
        "Order": report.order_ref,
        "Promised": report.promised,
        "Opened": _moment(report.opened_at, report.timezone),
        "Closed": _moment(report.closed_at, report.timezone),
    }
    return ((name, value) for name, value in facts.items() if value)


def _moment(moment: datetime | None, timezone: str) -> str:
    if moment is None:
        return ""
    return f"{_day(moment.astimezone(ZoneInfo(timezone)).date())}, {local_clock(moment, timezone)}"


def _day(day: date) -> str:
    return f"{day:%b} {day.day}, {day.year}"


def _days(lines: list[TimelineLine]) -> list[Day]:
    return [Day(day, list(group)) for day, group in groupby(lines, key=lambda line: line.local_day)]
