"""A report as one page that needs nothing else: charts, style and words in one file."""

import base64
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from bot.reports import wording
from bot.reports.charts import BAD, PALE, Bar, DayPoint, Mark, Picture, by_day, by_name, stacked
from bot.reports.fonts import embedded_faces
from bot.reports.report import SlaFigures, SlaReport

MISSED_SHOWN = 120
"""More would bury the rest; JSON has them all."""
ZONES_DRAWN = 14
DAYS_DRAWN = 2
"""Fewer days make no line."""
AMBER = "#e0a13a"
CAUSE_PARTS = (("late", BAD), ("failed", AMBER), ("excluded", PALE))

FOLDER = Path(__file__).parent / "templates"

_templates = Environment(
    loader=FileSystemLoader(FOLDER),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.globals["words"] = wording


def page(template: str, **values: object) -> str:
    """Any template of ours, with `words` and the reports' own style at hand."""
    style = embedded_faces() + (FOLDER / "report.css").read_text(encoding="utf-8")
    return _templates.get_template(template).render(style=style, **values)


def sla_page(report: SlaReport) -> str:
    """The whole page. Takes about a second: call it in a thread."""
    figures = report.figures
    return page(
        "sla.html",
        report=report,
        figures=figures,
        charts={name: _embedded(picture) for name, picture in _pictures(report).items()},
        missed=figures.missed[:MISSED_SHOWN],
    )


def _embedded(picture: Picture) -> dict[str, str]:
    return {
        "src": "data:image/svg+xml;base64," + base64.b64encode(picture.svg()).decode(),
        "alt": picture.alt,
    }


def _pictures(report: SlaReport) -> dict[str, Picture]:
    found: dict[str, Picture] = {}
    if sum(bool(day.tally.counted) for day in report.figures.days) >= DAYS_DRAWN:
        found["days"] = days_picture(report.figures)
    if len(report.figures.zones) > 1:
        found["zones"] = _zones_picture(report)
    if report.figures.causes:
        found["causes"] = _causes_picture(report)
    return found


def days_picture(figures: SlaFigures, *, size: tuple[float, float] = (7.4, 2.5)) -> Picture:
    points = [DayPoint(each.day, each.tally.on_time_percent, each.target_percent) for each in figures.days]
    known = [(point.percent, point.day) for point in points if point.percent is not None]
    missed = sum(day.is_met is False for day in figures.days)
    worst = min(known, default=None)
    alt = "On-time rate of each day."
    if worst is not None:
        alt += f" Lowest on {wording.day(worst[1])} with {wording.percent(worst[0])};"
        alt += f" below target on {missed} of {len(known)} days."
    return by_day(points, alt, size=size)


def _zones_picture(report: SlaReport) -> Picture:
    """The worst ones, where there are very many; the table has them all."""
    worst_first = sorted(
        report.figures.zones, key=lambda zone: (zone.tally.on_time_percent or 0.0, zone.name)
    )
    drawn = {zone.name for zone in worst_first[:ZONES_DRAWN]}
    marks = [
        Mark(zone.name, zone.tally.on_time_percent, zone.target_percent)
        for zone in report.figures.zones
        if zone.name in drawn
    ]
    told = ", ".join(f"{mark.name} {wording.percent(mark.percent)}" for mark in marks)
    return by_name(marks, f"On-time rate of each zone: {told}.")


def _causes_picture(report: SlaReport) -> Picture:
    bars = [
        Bar(wording.cause(count.cause), (count.late, count.failed, count.excluded))
        for count in report.figures.causes
    ]
    told = ", ".join(f"{bar.name} {sum(bar.values)}" for bar in bars)
    return stacked(bars, CAUSE_PARTS, f"Missed deliveries by cause: {told}.")
