"""A zone's manifest of one day as one message that is edited in place. Pure.

One line per route, so that 2,000 stops are still read on a phone; what does not fit is counted and linked.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    ContextBlock,
    DividerBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from connectors.base import StopStatus
from connectors.desk import ManifestChange, ManifestLine, ManifestRoute, ManifestView, ShiftState
from connectors.follow_up import FollowUp, FollowUpState
from connectors.follow_up_words import follow_up_words, second_try_words
from connectors.slack.desk_words import NAME_LIMIT
from connectors.slack.mrkdwn import foreign, link, moment, one_line, pack, window_words
from connectors.slack.task_facts import load_words

ROUTES_BUDGET, CHANGES_BUDGET = 7000, 3000
"""Characters, markup counted: far below where Slack answers `msg_blocks_too_long`."""

ROUTES_SHOWN, CHANGES_SHOWN = 60, 20

FAILED_BUDGET, FAILED_SHOWN = 1500, 12
SECOND_TRY_LIMIT = 160

SHIFTS = {
    ShiftState.NOT_ASKED: "",
    ShiftState.ASKED: "asked",
    ShiftState.CONFIRMED: ":white_check_mark: confirmed",
    ShiftState.REFUSED: ":x: said no",
    ShiftState.SILENT: ":grey_question: no answer",
}


def manifest_blocks(view: ManifestView, now: datetime) -> list[dict[str, Any]]:
    """The message as Block Kit. Raises nothing for any view."""
    blocks: list[Block] = [HeaderBlock(text=PlainTextObject(text=manifest_text(view)))]
    changes = _changes(view, now)
    if changes:
        blocks += [*_sections(changes), DividerBlock()]
    failed = _failed(view, now)
    if failed:
        blocks += [*_sections(failed), DividerBlock()]
    blocks += _sections(_routes(view, now) or ["No stops."])
    blocks.append(ContextBlock(elements=[_text(_footer(view, now))]))
    return [block.to_dict() for block in blocks]


def manifest_text(view: ManifestView) -> str:
    """`Manifest · North · Mon, Nov 23 · 212 stops on 14 routes`: the header, and what a notification shows."""
    planned, routes = _planned(view.lines), len(view.routes)
    stops = "1 stop" if planned == 1 else f"{planned:,} stops"
    on_routes = f" on {'1 route' if routes == 1 else f'{routes:,} routes'}" if routes else ""
    day = f"{view.day:%a}, {view.day:%b} {view.day.day}"
    parts = ["Manifest", one_line(view.zone, NAME_LIMIT), day, f"{stops}{on_routes}"]
    return " · ".join(part for part in parts if part)


# --- what has changed -------------------------------------------------------------------------------


def _changes(view: ManifestView, now: datetime) -> list[str]:
    if view.posted_at is None:
        return []
    changed = [(line, "") for line in view.without_route if line.change is not None]
    changed += [
        (line, route.driver_name or route.name)
        for route in view.routes
        for line in route.lines
        if line.change is not None
    ]
    lines = [f"• {_change(line, driver, view, now)}" for line, driver in changed]
    if not lines:
        return []
    heading = f"*{len(lines):,} changed since {moment(view.posted_at, view.timezone, now)}*"
    return [heading, *_cut(lines, CHANGES_BUDGET, CHANGES_SHOWN, "more", view)]


def _change(line: ManifestLine, driver: str, view: ManifestView, now: datetime) -> str:
    window = window_words(line.window, view.timezone, now) if line.window else ""
    earlier = window_words(line.earlier_window, view.timezone, now) if line.earlier_window else ""
    whose, was = foreign(driver, NAME_LIMIT), foreign(line.earlier_driver_name, NAME_LIMIT)
    match line.change:
        case ManifestChange.CANCELLED:
            return " · ".join(part for part in (f"Cancelled: ~{_where(line)}~", whose) if part)
        case ManifestChange.MOVED:
            moved = f"{window or 'no window'}{f', was {earlier}' if earlier else ''}"
            return " · ".join(part for part in (f"Moved: {_where(line)}", moved, whose) if part)
        case ManifestChange.REASSIGNED:
            new = f"now {whose or 'without a route'}{f', was {was}' if was else ''}"
            return f"Reassigned: {_where(line)} · {new}"
    return " · ".join(part for part in (f"Added: {_where(line)}", window, whose or "no route yet") if part)


def _where(line: ManifestLine) -> str:
    known = line.address_line or line.tracking or line.order_ref
    # A tilde would end the stroke through what was cancelled.
    return foreign(known, NAME_LIMIT).replace("~", "-") or "address unknown"


# --- what failed, and what tries again ----------------------------------------------------------------


def _failed(view: ManifestView, now: datetime) -> list[str]:
    """How failures are followed up, those with dispatch first; then what second tries have to know."""
    followed = [(line, line.follow_up) for line in view.lines if line.follow_up is not None]
    followed.sort(
        key=lambda each: (each[1].state is not FollowUpState.WITH_DISPATCHER, each[1].state.is_over)
    )
    lines = [f"• {_where(line)} · {_told(told, view, now)}" for line, told in followed]
    again = [
        f"• {_where(line)} · {foreign(second_try_words(line.second_try), SECOND_TRY_LIMIT)}"
        for line in view.lines
        if line.second_try is not None and _is_planned(line)
    ]
    return [
        *_titled(f"{_failures(len(lines))} followed up", lines, view),
        *_titled("1 second try" if len(again) == 1 else f"{len(again):,} second tries", again, view),
    ]


def _titled(title: str, lines: list[str], view: ManifestView) -> list[str]:
    return [f"*{title}*", *_cut(lines, FAILED_BUDGET, FAILED_SHOWN, "more", view)] if lines else []


def _failures(count: int) -> str:
    return "1 failure" if count == 1 else f"{count:,} failures"


def _told(told: FollowUp, view: ManifestView, now: datetime) -> str:
    sign = ":warning: " if told.state is FollowUpState.WITH_DISPATCHER else ""
    return sign + foreign(follow_up_words(told, view.timezone, now), SECOND_TRY_LIMIT)


# --- one line per route ------------------------------------------------------------------------------


def _routes(view: ManifestView, now: datetime) -> list[str]:
    loose = _planned(view.without_route)
    lines = _cut(
        [f"• {_route(route, view, now)}" for route in _worst_first(view.routes)],
        ROUTES_BUDGET,
        ROUTES_SHOWN,
        "more routes",
        view,
    )
    if loose:
        lines.insert(0, f":warning: *{'1 stop' if loose == 1 else f'{loose:,} stops'} without a route*")
    return lines


def _worst_first(routes: Iterable[ManifestRoute]) -> list[ManifestRoute]:
    """What needs somebody must not be what is cut off."""
    return sorted(routes, key=lambda route: not _needs_somebody(route))


def _needs_somebody(route: ManifestRoute) -> bool:
    return route.is_over_capacity or route.shift in (ShiftState.REFUSED, ShiftState.SILENT)


def _route(route: ManifestRoute, view: ManifestView, now: datetime) -> str:
    driver, name = foreign(route.driver_name, NAME_LIMIT), foreign(route.name, NAME_LIMIT)
    who = f"*{driver or name or 'No driver yet'}*"
    planned = _planned(route.lines)
    parts = [
        who,
        name if driver and name != driver else "",
        "1 stop" if planned == 1 else f"{planned:,} stops",
        _first(route, view, now),
        SHIFTS[route.shift],
        load_words(route.load, route.capacity) if route.capacity is not None else "",
    ]
    return " · ".join(part for part in parts if part)


def _first(route: ManifestRoute, view: ManifestView, now: datetime) -> str:
    """When it starts and where to."""
    first = next((line for line in route.lines if _is_planned(line)), None)
    if first is None:
        return ""
    if route.starts_at is not None:
        return f"starts {moment(route.starts_at, view.timezone, now)} at {_where(first)}"
    window = f" {window_words(first.window, view.timezone, now)}" if first.window else ""
    return f"first{window} at {_where(first)}"


def _planned(lines: Iterable[ManifestLine]) -> int:
    return sum(1 for line in lines if _is_planned(line))


def _is_planned(line: ManifestLine) -> bool:
    return not line.is_off and line.status is not StopStatus.CANCELLED


# --- fitting in -------------------------------------------------------------------------------------


def _cut(lines: list[str], budget: int, most: int, more: str, view: ManifestView) -> list[str]:
    """As many as fit, then how many do not and where they are."""
    shown: list[str] = []
    for line in lines[:most]:
        budget -= len(line) + 1
        if budget < 0:
            break
        shown.append(line)
    hidden = len(lines) - len(shown)
    where = f", {link(view.page_url, 'see the manifest')}" if view.page_url else ""
    return [*shown, f"and {hidden:,} {more}{where}"] if hidden else shown


def _footer(view: ManifestView, now: datetime) -> str:
    parts = [f"As of {moment(view.as_of, view.timezone, now)}"]
    if view.page_url:
        parts.append(link(view.page_url, "Whole manifest"))
    return " · ".join(parts)


def _sections(lines: list[str]) -> list[SectionBlock]:
    return [SectionBlock(text=_text(text)) for text in pack(lines)]


def _text(text: str) -> MarkdownTextObject:
    return MarkdownTextObject(text=text, verbatim=True)
