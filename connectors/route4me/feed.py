"""Lines of the activity feed, polled or pushed, as events that say what to look at again. Pure."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.base import PlatformEvent
from connectors.route4me.mapping import ORDER_REF, STOP_REF
from connectors.route4me.payloads import Activity, to_ts

KINDS: Mapping[str, str] = {
    "mark-destination-visited": "stop_arriving",
    "mark-destination-departed": "stop_updated",
    "geofence-entered": "stop_arriving",
    "geofence-left": "stop_updated",
    "driver-arrived-early": "stop_arriving",
    "driver-arrived-late": "stop_arriving",
    "driver-arrived-on-time": "stop_arriving",
    "destination-out-sequence": "stop_updated",
    "note-insert": "stop_updated",
    "insert-destination": "stop_created",
    "update-destinations": "stop_updated",
    "delete-destination": "stop_deleted",
    "move-destination": "stop_assigned",
    "order-created": "stop_created",
    "order-updated": "stop_updated",
    "order-deleted": "stop_deleted",
    "approved-to-execute": "route_released",
    "unapproved-to-execute": "route_updated",
    "route-started": "route_started",
    "route-completed": "route_finished",
    "route-owner-changed": "route_updated",
    "route-vehicle-changed": "route_updated",
    "route-optimized": "route_updated",
    "route-duplicate": "route_updated",
    "route-merge": "route_updated",
    "route-update": "route_updated",
    "route-delete": "route_deleted",
}
"""What the sync acts on, by `activity_type`; routing-platforms.md 3.7 and 3.8. The rest is answered and logged."""

STATUS_KINDS: Mapping[str, str] = {
    "completed": "stop_delivered",
    "failed": "stop_failed",
    "skipped": "stop_failed",
    "empty": "stop_updated",
}
"""Of `route-destination-status`, by `detailed_event`."""

OVERLAP_SECONDS = 900
"""A phone without reception tells what it did later, under the time at which it did it."""
SLICE_SECONDS = 3_600
"""How much of the feed is read at once: it comes newest first, and is to be applied oldest first."""


def kind_of(activity: Activity) -> str | None:
    if activity.activity_type == "route-destination-status":
        return STATUS_KINDS.get(activity.detailed_event.lower(), "stop_updated")
    return KINDS.get(activity.activity_type)


def to_event(
    activity: Activity,
    platform: str,
    vendor_id: str,
    read_at: datetime,
    known_ref: Callable[[str], str | None],
) -> PlatformEvent | None:
    """The event; None for a kind that changes nothing here, and for one that names nothing.

    It names the stop or the route and carries nothing of them: whoever knows the address of our webhook could
    have made it up. `known_ref` gives our name of a stop by its number on the route.
    """
    kind = kind_of(activity)
    stop_ref = _stop_ref(activity, known_ref)
    route_ref = activity.to_route_id or activity.route_id or None
    if kind is None or (stop_ref is None and route_ref is None):
        return None
    return PlatformEvent(
        platform=platform,
        vendor_id=vendor_id,
        kind=kind,
        occurred_at=activity.activity_timestamp or read_at,
        stop_ref=stop_ref,
        route_ref=route_ref,
    )


def _stop_ref(activity: Activity, known_ref: Callable[[str], str | None]) -> str | None:
    order_id = activity.order.order_id if activity.order else activity.order_id
    if order_id:
        return ORDER_REF + order_id
    if not activity.route_destination_id:
        return None
    if (known := known_ref(activity.route_destination_id)) is not None:
        return known
    # Not told whether an order stands behind it: the route is looked at instead.
    return STOP_REF + activity.route_destination_id if activity.tells_order else None


# --- the cursor ---


@dataclass(frozen=True)
class Cursor:
    """Up to where the feed was read. Unix seconds."""

    origin: int
    """Nothing from before is told."""
    until: int
    seen: tuple[str, ...] = ()
    """What was told already of the stretch that is read again."""

    @property
    def start(self) -> int:
        return max(self.origin, self.until - OVERLAP_SECONDS)

    def end(self, now: datetime) -> int:
        return min(to_ts(now), self.until + SLICE_SECONDS)

    def write(self) -> str:
        return json.dumps({"origin": self.origin, "until": self.until, "seen": self.seen})


def read_cursor(written: str) -> Cursor:
    """Raises `ValueError` for what is no cursor of ours."""
    try:
        held = json.loads(written)
        return Cursor(int(held["origin"]), int(held["until"]), tuple(str(item) for item in held["seen"]))
    except (KeyError, TypeError, json.JSONDecodeError) as exc:
        raise ValueError("not a cursor of Route4Me's feed") from exc


def fresh(activities: Iterable[Activity], cursor: Cursor) -> list[Activity]:
    """What was not told yet, oldest first; an activity that stands there twice is told once."""
    by_id = {
        activity.activity_id: activity
        for activity in activities
        if activity.activity_id and activity.activity_id not in cursor.seen
    }
    # The feed is newest first: of one second, the lower line came first.
    newest_first = enumerate(by_id.values())
    return [line for _, line in sorted(newest_first, key=lambda item: (_second(item[1]), -item[0]))]


def advanced(cursor: Cursor, activities: Sequence[Activity], until: int) -> Cursor:
    """The cursor after `activities`, all that was read, were told."""
    kept_from = max(cursor.origin, until - OVERLAP_SECONDS)
    seen = tuple(activity.activity_id for activity in activities if _second(activity) >= kept_from)
    return Cursor(cursor.origin, until, tuple(dict.fromkeys(seen)))


def _second(activity: Activity) -> int:
    return to_ts(activity.activity_timestamp) if activity.activity_timestamp else 0
