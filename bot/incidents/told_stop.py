"""Pure: what the routing platform said of the stop, as lines of the timeline."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from bot.incidents.entries import Entry, Source, local_window
from bot.incidents.evidence import Evidence
from bot.incidents.naming import Names
from bot.sla.rules import clock_time
from bot.stops.models import StopEvent

WORTH_TELLING = timedelta(minutes=10)
"""An ETA that moves by less than this is not told, unless it crosses the window's end."""
OURS = "doorline"


def told_stop(evidence: Evidence, names: Names) -> Iterator[Entry]:
    last_eta: datetime | None = None
    for event in evidence.events:
        parts = [*_status(event), *_window(event, evidence), *_driver(event, evidence, names)]
        eta = _instant(event.changes, "eta_at")
        if eta is not None and _is_worth_telling(last_eta, eta, evidence.incident.promised_end_at):
            parts.append(_eta(last_eta, eta, evidence.incident.timezone))
            last_eta = eta
        for place, what in enumerate(parts):
            who = _who(event.source)
            yield Entry(event.at, who, what, Source.PLATFORM, (event.id or 0, str(place)))


def _who(source: str) -> str:
    """The platform, or us where a change of ours was written there."""
    name = source.partition(":")[0]
    return "Doorline" if name == OURS else name.capitalize()


def _status(event: StopEvent) -> list[str]:
    if "status" not in event.changes:
        return []
    before, after = event.changes["status"]
    if before is None:
        return [f"Stop entered the plan: {_spoken(after)}"]
    reason = event.changes.get("failure_reason", [None, None])[1]
    return [_spoken(after).capitalize() + (f": {_spoken(reason)}" if reason else "")]


def _window(event: StopEvent, evidence: Evidence) -> list[str]:
    """One change of both ends; the end that did not change is the promise's."""
    if not {"window_start_at", "window_end_at"} & event.changes.keys():
        return []
    start = _instant(event.changes, "window_start_at") or evidence.incident.promised_start_at
    end = _instant(event.changes, "window_end_at") or evidence.incident.promised_end_at
    if start is None or end is None or start >= end:
        return ["Delivery window changed"]
    return [f"Delivery window is now {local_window(start, end, evidence.incident.timezone)}"]


def _driver(event: StopEvent, evidence: Evidence, names: Names) -> list[str]:
    if "driver_ref" not in event.changes:
        return []
    ref = event.changes["driver_ref"][1]
    if ref is None:
        return ["Taken off its driver"]
    name = "" if names.for_client else evidence.drivers.get(ref, "")
    return [f"Given to {name}" if name else "Given to a driver"]


def _is_worth_telling(last: datetime | None, eta: datetime, window_end: datetime | None) -> bool:
    if last is None or abs(eta - last) >= WORTH_TELLING:
        return True
    return window_end is not None and (last < window_end) != (eta < window_end)


def _eta(last: datetime | None, eta: datetime, timezone: str) -> str:
    before = f", {clock_time(last, timezone)} before" if last is not None else ""
    return f"ETA {clock_time(eta, timezone)}{before}"


def _instant(changes: dict[str, Any], field: str) -> datetime | None:
    after = changes.get(field, [None, None])[1]
    return datetime.fromisoformat(after) if after else None


def _spoken(word: str) -> str:
    return word.replace("_", " ")
