"""OptimoRoute's orders, schedules and words as Doorline's stops, drivers, routes and reasons. Pure.

Conventions on an order, the field names being the account's to choose:
`orderNo` is what the recipient knows, and on an order that Doorline created also its own reference; such an
order is marked `doorline` in `own_field`. `client_field` and `zone_field` hold the shipper and the zone,
`order_field` the client's own number, `reattempt_field` the id of the failed order that is tried again. An
access code stands in `notes` on a line of its own, so that it is read at this stop only; `location.notes`
belongs to the place and is left alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.address_lines import parts_of
from connectors.base import (
    ACCESS_CODE_LABEL,
    Address,
    DeliveryWindow,
    Driver,
    FailureReason,
    ProofOfDelivery,
    Route,
    RouteStatus,
    Stop,
    StopStatus,
)
from connectors.errors import UnreadablePayloadError
from connectors.failure_words import reason_in
from connectors.optimoroute.local_time import known_zone, read_day, read_moment, read_window
from connectors.optimoroute.payloads import (
    Completion,
    Location,
    Order,
    OrderStatus,
    Schedule,
    WireRoute,
)
from connectors.phones import to_e164

PLATFORM = "optimoroute"
OWN_MARK = "doorline"
CUSTOM_FIELDS = tuple(f"customField{number}" for number in range(1, 6))

STATUSES: Mapping[OrderStatus, StopStatus] = {
    OrderStatus.UNSCHEDULED: StopStatus.PLANNED,
    OrderStatus.SCHEDULED: StopStatus.ASSIGNED,
    OrderStatus.ON_ROUTE: StopStatus.OUT_FOR_DELIVERY,
    OrderStatus.SERVICING: StopStatus.ARRIVING,
    OrderStatus.SUCCESS: StopStatus.DELIVERED,
    OrderStatus.FAILED: StopStatus.FAILED,
    OrderStatus.REJECTED: StopStatus.FAILED,
    OrderStatus.CANCELLED: StopStatus.CANCELLED,
}
UNDER_WAY = frozenset({OrderStatus.ON_ROUTE, OrderStatus.SERVICING})
FINISHED = frozenset({OrderStatus.SUCCESS, OrderStatus.FAILED, OrderStatus.REJECTED, OrderStatus.CANCELLED})

DRIVEN = FINISHED - {OrderStatus.CANCELLED}
"""What only a driver makes of an order; a dispatcher cancels without any van."""


@dataclass(frozen=True)
class ConfiguredDriver:
    """What OptimoRoute does not tell of a driver: it has no list of them, no phones and no capacities."""

    external_id: str = ""
    serial: str = ""
    name: str = ""
    phone: str | None = None
    zones: tuple[str, ...] = ()
    capacity: float | None = None
    """In the unit of `load1`."""

    @property
    def ref(self) -> str:
        return self.external_id or self.serial


@dataclass(frozen=True)
class Account:
    """The conventions of one OptimoRoute account.

    Raises `ValueError` for an unknown or empty zone, and for custom fields that are none or are used twice.
    """

    timezone: str
    name: str = PLATFORM
    client_field: str = "customField1"
    zone_field: str = "customField2"
    order_field: str = "customField3"
    reattempt_field: str = "customField4"
    own_field: str = "customField5"
    drivers: tuple[ConfiguredDriver, ...] = ()

    def __post_init__(self) -> None:
        known_zone(self.timezone)
        used = (self.client_field, self.zone_field, self.order_field, self.reattempt_field, self.own_field)
        if set(used) != set(CUSTOM_FIELDS):
            raise ValueError(f"each of {', '.join(CUSTOM_FIELDS)} is used once, not {', '.join(used)}")

    @property
    def zone_info(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


@dataclass(frozen=True)
class Progress:
    """A driver's route of one day, and how far it is driven."""

    route: WireRoute
    day: date
    statuses: Mapping[str, OrderStatus] = field(default_factory=dict)
    """By order id. Orders without an entry wait."""

    @property
    def is_under_way(self) -> bool:
        """The driver has left with the load: is on the way to a stop, or done with one."""
        return any(status in UNDER_WAY or status in DRIVEN for status in self.statuses.values())

    @property
    def is_over(self) -> bool:
        ids = self.route.order_ids
        return bool(ids) and all(self.statuses.get(order_id) in FINISHED for order_id in ids)

    @property
    def remaining(self) -> tuple[str, ...]:
        """Ids of the unfinished orders, next first; the one being driven to or served leads."""
        left = [item for item in self.route.order_ids if self.statuses.get(item) not in FINISHED]
        return tuple(sorted(left, key=lambda item: self.statuses.get(item) not in UNDER_WAY))


@dataclass(frozen=True)
class Surroundings:
    """What an order does not carry itself."""

    schedule: Schedule | None = None
    completion: Completion = field(default_factory=Completion)
    progress: Progress | None = None
    """Of the route on which it is scheduled."""


def to_stop(order: Order, account: Account, read_at: datetime, around: Surroundings | None = None) -> Stop:
    """The stop as read at `read_at`. Raises `UnreadablePayloadError` for a status that is not documented.

    OptimoRoute does not say when an order changed: `changed_at` is when it was read.
    """
    around = around or Surroundings()
    wire_status = order_status(order.id, around)
    plan = holding_plan(order, around.schedule, wire_status)
    status = stop_status(wire_status, plan, around.progress, read_at, account)
    zone, completion = account.zone_info, around.completion
    failed = status is StopStatus.FAILED
    ours = is_own(order, account)
    return Stop(
        platform=account.name,
        platform_ref=order.id,
        tracking=order.order_no or order.id,
        order_ref=order_ref_of(order, account),
        own_ref=order.order_no if ours else None,
        reattempt_of=(order.custom(account.reattempt_field) or None) if ours else None,
        status=status,
        address=to_address(order.location),
        client=order.custom(account.client_field),
        zone=order.custom(account.zone_field),
        timezone=account.timezone,
        recipient_name=order.location.location_name,
        recipient_phone=to_e164(order.phone),
        recipient_email=order.email or None,
        window=window_of(order, account, read_at),
        planned_at=planned_at(order, plan, zone) if plan else None,
        eta_at=eta_of(plan, status, zone),
        sequence=sequence_of(order.id, status, plan, around.progress),
        route_ref=route_ref(plan_day(order, plan), plan.serial) if plan else None,
        driver_ref=driver_of(order, plan),
        service=timedelta(minutes=order.duration) if order.duration else None,
        load=order.load1,
        notes=order.notes,
        tracking_url=completion.tracking_url,
        is_texted_by_platform=is_written_to(order),
        arrived_at=completion.start_time.unix_timestamp,
        completed_at=completion.end_time.unix_timestamp if status.is_closed else None,
        failure_reason=failure_reason(completion.form.note) if failed else None,
        failure_note=completion.form.note.strip() if failed else "",
        proof=to_proof(completion, status),
        changed_at=read_at,
    )


SILENT = frozenset({"dont_notify", "off"})
"""`off` is seen from one integration only. Source: routing-platforms 4.4."""


def is_written_to(order: Order) -> bool | None:
    """Whether OptimoRoute may write to the recipient, by text or mail; None where the order does not say."""
    wanted = order.notification_preference
    return wanted not in SILENT if wanted else None


# --- status, plan and window ------------------------------------------------------------------


def order_status(order_id: str, around: Surroundings) -> OrderStatus:
    """What the completion details say; where they say nothing, whether the order is scheduled."""
    told = around.completion.status
    if not told:
        return OrderStatus.SCHEDULED if around.schedule else OrderStatus.UNSCHEDULED
    try:
        return OrderStatus(told)
    except ValueError as exc:
        raise UnreadablePayloadError(f"optimoroute order {order_id} has the unknown status {told}") from exc


def holding_plan(order: Order, schedule: Schedule | None, status: OrderStatus) -> Schedule | None:
    """The schedule, as long as it is true.

    An edit does not move a planned stop: until the next planning a stop that was promised for another day, or
    given to another driver, still stands on the old route. Before the driver leaves for it the edit counts.
    """
    if schedule is None or schedule.driver_ref is None:
        return None
    if status is OrderStatus.UNSCHEDULED:
        return None
    if status is OrderStatus.SCHEDULED:
        wanted = order.assigned_to.ref
        other_driver = wanted not in (None, schedule.driver_external_id, schedule.driver_serial)
        if other_driver or order.date != plan_day(order, schedule):
            return None
    return schedule


def plan_day(order: Order, plan: Schedule) -> str:
    """`YYYY-MM-DD`. A schedule may come with a time of day only."""
    return plan.scheduled_at_dt[:10] or order.date


def planned_at(order: Order, plan: Schedule, zone: ZoneInfo) -> datetime | None:
    told = plan.scheduled_at_dt or (f"{order.date} {plan.scheduled_at}" if plan.scheduled_at else "")
    return read_moment(told, zone)


def stop_status(
    status: OrderStatus,
    plan: Schedule | None,
    progress: Progress | None,
    read_at: datetime,
    account: Account,
) -> StopStatus:
    """What a recipient would call it.

    "Scheduled" says nothing of the van: a scheduled stop of today counts as out for delivery as soon as its
    driver is under way.
    """
    if status is not OrderStatus.SCHEDULED:
        return STATUSES[status]
    if plan is None:
        return StopStatus.PLANNED
    today = read_at.astimezone(account.zone_info).date()
    is_out = progress is not None and progress.is_under_way and progress.day <= today
    return StopStatus.OUT_FOR_DELIVERY if is_out else StopStatus.ASSIGNED


def eta_of(plan: Schedule | None, status: StopStatus, zone: ZoneInfo) -> datetime | None:
    """The live estimate only: a planned time does not follow the day."""
    if plan is None or status.is_closed:
        return None
    return read_moment(plan.live_estimate.arrival_time_dt, zone)


def sequence_of(
    order_id: str, status: StopStatus, plan: Schedule | None, progress: Progress | None
) -> int | None:
    if status.is_closed or plan is None or progress is None or order_id not in progress.remaining:
        return None
    return progress.remaining.index(order_id)


def driver_of(order: Order, plan: Schedule | None) -> str | None:
    """Who has it by the plan, else whom it is meant for."""
    return plan.driver_ref if plan else order.assigned_to.ref


def window_of(order: Order, account: Account, read_at: datetime) -> DeliveryWindow | None:
    """Of several windows the first that is not over, else the last. No window means no promise."""
    day = read_day(order.date)
    if day is None:
        return None
    told = (read_window(day, item.tw_from, item.tw_to, account.zone_info) for item in order.time_windows)
    windows = sorted((window for window in told if window), key=lambda window: window.start_at)
    return next((window for window in windows if window.end_at > read_at), windows[-1] if windows else None)


def is_own(order: Order, account: Account) -> bool:
    return order.custom(account.own_field) == OWN_MARK and bool(order.order_no)


def order_ref_of(order: Order, account: Account) -> str | None:
    """The client's own number; an order that the client's system made carries it as `orderNo`."""
    if told := order.custom(account.order_field):
        return told
    return None if is_own(order, account) else order.order_no or None


# --- place, person, proof ---------------------------------------------------------------------


def to_address(location: Location) -> Address:
    """OptimoRoute keeps an address as one line; the usual US form is taken apart, any other stays whole."""
    told = parts_of(location.address)
    if len(told) > 1:
        told["line"] = told["line"].replace(", ", " ")
    return Address(**told, latitude=location.latitude, longitude=location.longitude)


def to_proof(completion: Completion, status: StopStatus) -> ProofOfDelivery | None:
    """What the driver left; None where there is nothing. Who signed, and where, is not told."""
    if not status.is_closed:
        return None
    form = completion.form
    proof = ProofOfDelivery(
        photo_urls=tuple(image.url for image in form.images if image.url),
        signature_url=form.signature.url or None,
        note=form.note.strip() if status is StopStatus.DELIVERED else "",
    )
    if proof == ProofOfDelivery():
        return None
    return proof.model_copy(update={"at": completion.end_time.unix_timestamp})


def failure_reason(note: str) -> FailureReason:
    """OptimoRoute has no reasons: by the driver's note."""
    return reason_in(note) or FailureReason.OTHER


# --- notes ------------------------------------------------------------------------------------


def with_note(notes: str, note: str) -> str:
    """`notes` with one more line; as they are where that line already stands there."""
    line = " ".join(note.split())
    if not line or line in notes.splitlines():
        return notes
    return f"{notes.rstrip()}\n{line}".lstrip("\n")


def with_access_code(notes: str, code: str) -> str:
    """`notes` with this code on a line of its own, the last, and any earlier code of ours dropped."""
    return with_note(without_access_code(notes), ACCESS_CODE_LABEL + code)


def without_access_code(notes: str) -> str:
    kept = [line for line in notes.splitlines() if not line.startswith(ACCESS_CODE_LABEL.rstrip())]
    return "\n".join(kept)


# --- routes and drivers -----------------------------------------------------------------------


def route_ref(day: str, serial: str) -> str:
    return f"{day}:{serial}"


def read_route_ref(ref: str) -> tuple[date, str] | None:
    day, _, serial = ref.partition(":")
    told = read_day(day)
    return (told, serial) if told and serial else None


def to_route(progress: Progress, status: RouteStatus, account: Account) -> Route:
    wire = progress.route
    serial = wire.serial
    return Route(
        platform=account.name,
        platform_ref=route_ref(progress.day.isoformat(), serial),
        name=wire.vehicle_label or wire.driver_name or serial,
        day=progress.day,
        driver_ref=wire.driver_ref or None,
        status=status,
        starts_at=starts_at(wire, account.zone_info),
        stop_refs=wire.order_ids,
    )


def starts_at(route: WireRoute, zone: ZoneInfo) -> datetime | None:
    """When the driver leaves for the first planned stop."""
    for stop in route.stops:
        arrival = read_moment(stop.arrival_time_dt or stop.scheduled_at_dt, zone)
        if arrival is not None:
            return arrival - timedelta(seconds=stop.travel_time)
    return None


def route_status(progress: Progress, *, is_sent: bool, told: RouteStatus | None) -> RouteStatus:
    """`told` is what the drivers' events said. A finished route stays finished."""
    if told is RouteStatus.FINISHED or progress.is_over:
        return RouteStatus.FINISHED
    if told is RouteStatus.STARTED or progress.is_under_way:
        return RouteStatus.STARTED
    return RouteStatus.RELEASED if is_sent else RouteStatus.PLANNED


def to_drivers(routes: Iterable[WireRoute], account: Account, duty: Mapping[str, bool]) -> list[Driver]:
    """Whoever has one of `routes`, then the configured drivers that have none; `duty` by reference."""
    told = {route.driver_ref: route for route in routes if route.driver_ref}
    known = {ref: _configured(route, account) for ref, route in told.items()}
    idle = [driver for driver in account.drivers if driver.ref and driver not in known.values()]
    return [
        *(_driver(ref, known[ref], route.driver_name, account, duty) for ref, route in told.items()),
        *(_driver(driver.ref, driver, "", account, duty) for driver in idle),
    ]


def _configured(route: WireRoute, account: Account) -> ConfiguredDriver:
    for driver in account.drivers:
        is_named = driver.external_id and driver.external_id == route.driver_external_id
        if is_named or (driver.serial and driver.serial == route.driver_serial):
            return driver
    return ConfiguredDriver()


def _driver(
    ref: str, known: ConfiguredDriver, name: str, account: Account, duty: Mapping[str, bool]
) -> Driver:
    return Driver(
        platform=account.name,
        platform_ref=ref,
        name=known.name or name or ref,
        phone=to_e164(known.phone or ""),
        zones=known.zones,
        on_duty=duty.get(ref),
        capacity=known.capacity,
    )


def wire_assignee(driver_ref: str, routes: Iterable[WireRoute], account: Account) -> dict[str, Any] | None:
    """How an order names this driver; None for one whom neither routes nor configuration know."""
    for route in routes:
        if driver_ref == route.driver_external_id:
            return {"externalId": driver_ref}
        if driver_ref == route.driver_serial:
            return {"serial": driver_ref}
    for driver in account.drivers:
        if driver_ref == driver.external_id:
            return {"externalId": driver_ref}
        if driver_ref == driver.serial:
            return {"serial": driver_ref}
    return None
