"""OptimoRoute's mobile events, polled: what each is about, and what only they tell of drivers. Pure but for memory."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import structlog

from connectors.base import PlatformEvent, RouteStatus
from connectors.lenient import readable
from connectors.optimoroute.local_time import local_date
from connectors.optimoroute.mapping import Account, route_ref
from connectors.optimoroute.payloads import MobileEvent, to_unix

KINDS = {
    "start_service": "stop_arriving",
    "success": "stop_delivered",
    "failed": "stop_failed",
    "rejected": "stop_failed",
    "on_duty": "driver_duty",
    "off_duty": "driver_duty",
    "start_route": "route_started",
    "end_route": "route_finished",
    "start_time_changed": "route_changed",
}
DUTY = {"on_duty": True, "off_duty": False}
ROUTE_STATUSES = {"start_route": RouteStatus.STARTED, "end_route": RouteStatus.FINISHED}

log = structlog.get_logger(__name__)


def read_events(raw_events: Iterable[dict[str, Any]], platform: str) -> list[MobileEvent]:
    """Oldest first, each fact once. What cannot be read is logged and skipped."""
    read: dict[str, MobileEvent] = {}
    for raw in raw_events:
        for event in readable(MobileEvent, raw, platform):
            read.setdefault(fact_of(event), event)
    return sorted(read.values(), key=lambda event: event.unix_timestamp)


def fact_of(event: MobileEvent) -> str:
    """What names a fact: OptimoRoute numbers no event."""
    about = event.order_id or event.order_no or event.driver_serial or event.driver_external_id
    return f"{event.event}:{about}:{to_unix(event.unix_timestamp)}"


def to_event(event: MobileEvent, account: Account, order_id: str | None) -> PlatformEvent | None:
    """None for an event about nothing that we know of. `order_id` is looked up where the event has none."""
    kind = KINDS.get(event.event, "stop_updated" if order_id else None)
    if kind is None:
        log.info("optimoroute_event_not_handled", platform=account.name, told=event.event)
        return None
    serial = event.driver_serial or event.driver_external_id
    is_of_route = kind.startswith("route_") and serial
    day = local_date(event.unix_timestamp, account.zone_info)
    return PlatformEvent(
        platform=account.name,
        vendor_id=f"{account.name}:{fact_of(event)}",
        kind=kind,
        occurred_at=event.unix_timestamp,
        stop_ref=order_id,
        route_ref=route_ref(day.isoformat(), serial) if is_of_route else None,
        driver_ref=event.driver_ref,
        on_duty=DUTY.get(event.event),
    )


class Told:
    """What only events tell of drivers and routes: the newest of each, whatever order they come in."""

    def __init__(self) -> None:
        self._duty: dict[str, tuple[datetime, bool]] = {}
        self._routes: dict[str, tuple[datetime, RouteStatus]] = {}

    def note(self, event: MobileEvent, account: Account) -> None:
        at = event.unix_timestamp
        if event.event in DUTY and event.driver_ref:
            _keep_newer(self._duty, event.driver_ref, at, DUTY[event.event])
        if event.event in ROUTE_STATUSES and event.driver_ref:
            serial = event.driver_serial or event.driver_external_id
            ref = route_ref(local_date(at, account.zone_info).isoformat(), serial)
            _keep_newer(self._routes, ref, at, ROUTE_STATUSES[event.event])

    @property
    def duty(self) -> dict[str, bool]:
        """By driver reference."""
        return {ref: on_duty for ref, (_, on_duty) in self._duty.items()}

    def status_of(self, ref: str) -> RouteStatus | None:
        return self._routes[ref][1] if ref in self._routes else None


def _keep_newer(known: dict[str, tuple[datetime, Any]], ref: str, at: datetime, value: object) -> None:
    if ref not in known or known[ref][0] <= at:
        known[ref] = (at, value)
