"""Onfleet's route plans, and what stands in its drivers' lists, as Doorline's routes. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date

from connectors.base import Route, RouteStatus, Stop, StopStatus
from connectors.onfleet.mapping import Account, read_route_ref
from connectors.onfleet.payloads import RoutePlan, Worker

BEGUN = frozenset({StopStatus.OUT_FOR_DELIVERY, StopStatus.ARRIVING, StopStatus.DELIVERED, StopStatus.FAILED})


def in_driving_order(stops: Iterable[Stop]) -> list[Stop]:
    """Finished ones first, by when they were finished, then those that are left; else as they came."""
    return sorted(stops, key=_place)


def _place(stop: Stop) -> tuple[int, float]:
    if stop.completed_at is not None:
        return 0, stop.completed_at.timestamp()
    return 1, float("inf") if stop.sequence is None else float(stop.sequence)


def planned_route(plan: RoutePlan, day: date, account: Account) -> Route:
    return Route(
        platform=account.name,
        platform_ref=plan.id,
        name=plan.name,
        day=day,
        driver_ref=plan.worker,
        status=_status_of_plan(plan),
        starts_at=plan.actual_start_time or plan.start_time,
        stop_refs=plan.tasks,
    )


def _status_of_plan(plan: RoutePlan) -> RouteStatus:
    if plan.actual_end_time is not None:
        return RouteStatus.FINISHED
    if plan.actual_start_time is not None:
        return RouteStatus.STARTED
    return RouteStatus.RELEASED if plan.worker else RouteStatus.PLANNED


def day_of_plan(plan: RoutePlan, stops: Sequence[Stop], day: date, account: Account) -> bool:
    """Whether the plan belongs to `day`: it starts then or, with no start, one of that day's `stops` is in it."""
    if plan.start_time is not None:
        return account.local_date(plan.start_time) == day
    return any(stop.route_ref == plan.id for stop in stops)


def listed_routes(
    stops: Iterable[Stop], workers: Iterable[Worker], day: date, account: Account
) -> list[Route]:
    """One route per driver for the stops of `day` that are in no plan. Onfleet knows no start of these."""
    names = {worker.id: worker.display_name or worker.name for worker in workers}
    by_route: dict[str, list[Stop]] = {}
    for stop in stops:
        whose = read_route_ref(stop.route_ref or "")
        if stop.route_ref is not None and whose is not None and whose[1] == day:
            by_route.setdefault(stop.route_ref, []).append(stop)
    return [
        Route(
            platform=account.name,
            platform_ref=ref,
            name=names.get(held[0].driver_ref or "", ""),
            day=day,
            driver_ref=held[0].driver_ref,
            status=_status_of(held),
            stop_refs=tuple(stop.platform_ref for stop in in_driving_order(held)),
        )
        for ref, held in by_route.items()
    ]


def _status_of(stops: Sequence[Stop]) -> RouteStatus:
    """Drivers see a task as soon as it is theirs: what has not begun is with the driver already."""
    if all(stop.status.is_closed for stop in stops):
        return RouteStatus.FINISHED
    return RouteStatus.STARTED if any(stop.status in BEGUN for stop in stops) else RouteStatus.RELEASED
