"""A day's manifests as a table for a terminal, as CSV and as JSON. Pure."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.table import Table

from bot.manifest.days import zone_of
from connectors.base import DeliveryWindow
from connectors.desk import ManifestLine, ManifestRoute, ManifestView
from connectors.follow_up_words import follow_up_words, second_try_words

COLUMNS = (
    "date",
    "zone",
    "route",
    "driver",
    "shift",
    "number",
    "window_start",
    "window_end",
    "address",
    "recipient",
    "client",
    "tracking",
    "order_ref",
    "load",
    "status",
    "eta",
    "change",
    "earlier_window_start",
    "earlier_window_end",
    "earlier_driver",
    "stop_id",
    "follow_up",
    "second_try",
)
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A spreadsheet runs a cell that begins so. Source: OWASP, CSV injection."""


def as_csv(views: Iterable[ManifestView]) -> str:
    """One row per stop, times local to the zone in ISO 8601; what is off has no number."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for view in views:
        for route, lines in _parts(view):
            for number, line in _numbered(lines):
                writer.writerow([_harmless(cell) for cell in _cells(view, route, number, line)])
    return out.getvalue()


def as_json(views: Sequence[ManifestView]) -> str:
    """A list, also of one."""
    return json.dumps([view.model_dump(mode="json") for view in views], ensure_ascii=False, indent=2)


def tables(view: ManifestView) -> list[Table]:
    """One table per route."""
    return [_table(view, route, lines) for route, lines in _parts(view)]


def _table(view: ManifestView, route: ManifestRoute | None, lines: Sequence[ManifestLine]) -> Table:
    grid = Table(title=_title(view, route, lines), title_justify="left", title_style="bold")
    for name in (
        "#",
        "window",
        "stop",
        "recipient",
        "client",
        "parcel",
        "status",
        "ETA",
        "change",
        "follow-up",
    ):
        grid.add_column(
            name, no_wrap=name in ("#", "window", "ETA"), justify="right" if name == "#" else "left"
        )
    for number, line in _numbered(lines):
        grid.add_row(*_row(view, number, line), style="strike" if line.is_off else "")
    return grid


def _title(view: ManifestView, route: ManifestRoute | None, lines: Sequence[ManifestLine]) -> str:
    stops = sum(not line.is_off for line in lines)
    parts = [view.zone or "no zone", view.day.isoformat()]
    if route is None:
        return " · ".join([*parts, "without a route", f"{stops} stops"])
    load = f"load {route.load:g}" + (f" of {route.capacity:g}" if route.capacity is not None else "")
    who = [route.name, route.driver_name if route.driver_name != route.name else "", route.shift.value]
    parts += [*who, f"{stops} stops", f"{load}, too much" if route.is_over_capacity else load]
    return " · ".join(part for part in parts if part)


def _row(view: ManifestView, number: str, line: ManifestLine) -> list[str]:
    parcel = f"{line.tracking} {line.order_ref}".strip()
    eta = f"{_local(line.eta_at, view):%H:%M}" if line.eta_at is not None else ""
    who = [line.address_line, line.recipient_name, line.client, parcel]
    return [
        number,
        _hours(line.window, view),
        *who,
        line.status.value,
        eta,
        _change(line, view),
        " ".join(_follow_up(line, view)).strip(),
    ]


def _change(line: ManifestLine, view: ManifestView) -> str:
    if line.change is None:
        return ""
    was = [_hours(line.earlier_window, view)] if line.earlier_window is not None else []
    was += [line.earlier_driver_name] if line.earlier_driver_name else []
    return f"{line.change.value}, was {', '.join(was)}" if was else line.change.value


def _parts(view: ManifestView) -> list[tuple[ManifestRoute | None, Sequence[ManifestLine]]]:
    """The routes, then what nobody has."""
    routes: list[tuple[ManifestRoute | None, Sequence[ManifestLine]]] = [
        (route, route.lines) for route in view.routes
    ]
    return [*routes, (None, view.without_route)] if view.without_route else routes


def _numbered(lines: Iterable[ManifestLine]) -> list[tuple[str, ManifestLine]]:
    number = 0
    numbered = []
    for line in lines:
        number += not line.is_off
        numbered.append(("" if line.is_off else str(number), line))
    return numbered


def _cells(view: ManifestView, route: ManifestRoute | None, number: str, line: ManifestLine) -> list[str]:
    return [
        view.day.isoformat(),
        view.zone,
        route.name if route is not None else "",
        route.driver_name if route is not None else "",
        route.shift.value if route is not None else "",
        number,
        *_bounds(line.window, view),
        line.address_line,
        line.recipient_name,
        line.client,
        line.tracking,
        line.order_ref,
        f"{line.load:g}",
        line.status.value,
        _local(line.eta_at, view).isoformat() if line.eta_at is not None else "",
        line.change.value if line.change is not None else "",
        *_bounds(line.earlier_window, view),
        line.earlier_driver_name,
        line.stop_id,
        *_follow_up(line, view),
    ]


def _follow_up(line: ManifestLine, view: ManifestView) -> tuple[str, str]:
    """How its failure is followed up, and what the driver of a second try has to know."""
    state = follow_up_words(line.follow_up, view.timezone, view.as_of) if line.follow_up else ""
    return state, second_try_words(line.second_try) if line.second_try else ""


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _bounds(window: DeliveryWindow | None, view: ManifestView) -> tuple[str, str]:
    if window is None:
        return "", ""
    return _local(window.start_at, view).isoformat(), _local(window.end_at, view).isoformat()


def _hours(window: DeliveryWindow | None, view: ManifestView) -> str:
    if window is None:
        return "any time"
    start, end = _local(window.start_at, view), _local(window.end_at, view)
    other = f"{start:%a %d} " if start.date() != view.day else ""
    return f"{other}{start:%H:%M}-{end:%H:%M}"


def _local(moment: datetime, view: ManifestView) -> datetime:
    return moment.astimezone(zone_of(view.timezone))
