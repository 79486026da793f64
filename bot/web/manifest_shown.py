"""What the manifest's page prints of a view: words and times where the stops are. Pure."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.base import DeliveryWindow, StopStatus
from connectors.desk import ManifestChange, ManifestLine, ManifestRoute, ManifestView, ShiftState
from connectors.follow_up import FollowUpState
from connectors.follow_up_words import follow_up_words, second_try_words

STATUSES = {
    StopStatus.PLANNED: "Planned",
    StopStatus.ASSIGNED: "Assigned",
    StopStatus.OUT_FOR_DELIVERY: "On the way",
    StopStatus.ARRIVING: "Arriving",
    StopStatus.DELIVERED: "Delivered",
    StopStatus.FAILED: "Failed",
    StopStatus.CANCELLED: "Cancelled",
    StopStatus.RETURNED: "Returned",
}
WAITING = (StopStatus.PLANNED, StopStatus.ASSIGNED)
SHIFTS = {
    ShiftState.NOT_ASKED: "",
    ShiftState.ASKED: "asked, no answer yet",
    ShiftState.CONFIRMED: "confirmed",
    ShiftState.REFUSED: "said no",
    ShiftState.SILENT: "did not answer",
}
CHANGES = {
    ManifestChange.ADDED: "Added",
    ManifestChange.CANCELLED: "Cancelled",
    ManifestChange.MOVED: "Moved",
    ManifestChange.REASSIGNED: "Reassigned",
}


def shown(view: ManifestView) -> dict[str, Any]:
    """One zone's manifest for the template."""
    routes = [_route(route, view) for route in view.routes]
    if view.without_route:
        routes.append(_loose(view))
    changes = [line.change for line in view.lines if line.change is not None]
    return {
        "zone": view.zone or "No zone",
        "day": day_words(view.day),
        "stops": view.stops,
        "routes": routes,
        "route_count": len(view.routes),
        "load": amount(sum(line.load for line in view.lines if not line.is_off)),
        "as_of": clock_words(view.as_of, view),
        "posted_at": clock_words(view.posted_at, view) if view.posted_at is not None else "",
        "changes": [
            (CHANGES[change].lower(), changes.count(change)) for change in ManifestChange if change in changes
        ],
    }


def _route(route: ManifestRoute, view: ManifestView) -> dict[str, Any]:
    return {
        "name": route.name,
        "driver": route.driver_name if route.driver_name != route.name else "",
        "has_driver": bool(route.driver_name),
        "shift": SHIFTS[route.shift],
        "shift_is_bad": route.shift in (ShiftState.REFUSED, ShiftState.SILENT),
        "starts": clock_words(route.starts_at, view) if route.starts_at is not None else "",
        "load": amount(route.load) if route.load or route.capacity is not None else "",
        "capacity": amount(route.capacity) if route.capacity is not None else "",
        "is_over": route.is_over_capacity,
        **_lines(route.lines, view),
    }


def _loose(view: ManifestView) -> dict[str, Any]:
    return {
        "name": "Without a route",
        "driver": "",
        "has_driver": True,
        "shift": "",
        "shift_is_bad": False,
        "starts": "",
        "load": "",
        "capacity": "",
        "is_over": False,
        **_lines(view.without_route, view),
    }


def _lines(lines: tuple[ManifestLine, ...], view: ManifestView) -> dict[str, Any]:
    """What is off has no number: the numbers count what is to be driven."""
    number = 0
    rows = []
    for line in lines:
        number += not line.is_off
        rows.append(_line(line, view) | {"number": "" if line.is_off else number})
    return {"lines": rows, "stops": number, "has_loads": any(line.load for line in lines)}


def _line(line: ManifestLine, view: ManifestView) -> dict[str, Any]:
    return {
        "address": line.address_line or "Address unknown",
        "recipient": line.recipient_name,
        "client": line.client,
        "tracking": line.tracking,
        "order": line.order_ref,
        "window": window_words(line.window, view),
        # Who expects a stop at 3 pm knows that somebody has it.
        "status": STATUSES[line.status] if line.eta_at is None or line.status not in WAITING else "",
        "eta": clock_words(line.eta_at, view) if line.eta_at is not None else "",
        "load": amount(line.load) if line.load else "",
        "is_off": line.is_off,
        "is_done": line.status.is_closed and not line.is_off,
        "is_delivered": line.status is StopStatus.DELIVERED,
        "is_failed": line.status is StopStatus.FAILED,
        "change": CHANGES[line.change] if line.change is not None else "",
        "was": _was(line, view),
        "follow_up": follow_up_words(line.follow_up, view.timezone, view.as_of) if line.follow_up else "",
        "needs_somebody": line.follow_up is not None
        and line.follow_up.state is FollowUpState.WITH_DISPATCHER,
        "second_try": second_try_words(line.second_try) if line.second_try else "",
    }


def _was(line: ManifestLine, view: ManifestView) -> dict[str, Any] | None:
    """How it stood when the manifest was posted; None where that is not told."""
    if line.change not in (ManifestChange.MOVED, ManifestChange.REASSIGNED):
        return None
    window = window_words(line.earlier_window, view) if line.earlier_window is not None else None
    is_given_first = line.change is ManifestChange.REASSIGNED and not line.earlier_driver_name
    return {"window": window, "driver": "with nobody" if is_given_first else line.earlier_driver_name}


# --- words ------------------------------------------------------------------------------------------


def day_words(day: date) -> str:
    """`Mon, Nov 23`."""
    return f"{day:%a}, {day:%b} {day.day}"


def clock_words(moment: datetime, view: ManifestView) -> str:
    """`9:05 am`, with the day when it is another one."""
    local = moment.astimezone(ZoneInfo(view.timezone))
    other = f"{day_words(local.date())}, " if local.date() != view.day else ""
    return f"{other}{_hour(local)} {_half(local)}"


def window_words(window: DeliveryWindow | None, view: ManifestView) -> dict[str, str]:
    """`hours` such as `2-4 pm` or `11 am-1 pm`, and the `day` when it starts on another one."""
    if window is None:
        return {"day": "", "hours": "any time"}
    zone = ZoneInfo(view.timezone)
    start, end = window.start_at.astimezone(zone), window.end_at.astimezone(zone)
    is_one_half = _half(start) == _half(end) and start.date() == end.date()
    begins = _hour(start) if is_one_half else f"{_hour(start)} {_half(start)}"
    return {
        "day": day_words(start.date()) if start.date() != view.day else "",
        "hours": f"{begins}-{_hour(end)} {_half(end)}",
    }


def amount(value: float) -> str:
    """`40`, `12.5`, `1,200`."""
    return f"{round(value, 2):,.2f}".rstrip("0").rstrip(".")


def _hour(local: datetime) -> str:
    hour = local.hour % 12 or 12
    return f"{hour}:{local:%M}" if local.minute else str(hour)


def _half(local: datetime) -> str:
    return "am" if local.hour < 12 else "pm"
