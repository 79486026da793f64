"""Route4Me's stops, orders, members and words as Doorline's stops, drivers and reasons. Pure.

A stop's reference must outlive its route. `order:<order_id>` where an order stands behind it: the order stays
when the stop is put on a route, taken off it, or moved. `stop:<route_destination_id>` where a stop was put on a
route without an order. Which route it is on now is looked up (`where.py`).

What Route4Me has no field for stands in a stop's `custom_fields` and in an order's `EXT_FIELD_custom_data`, under
the names below. Writing custom fields adds to those that stand there; on an order all of them are written.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import IntEnum
from zoneinfo import ZoneInfo

from connectors.base import (
    ACCESS_CODE_LABEL,
    DeliveryWindow,
    Driver,
    ProofOfDelivery,
    Route,
    RouteStatus,
    Stop,
    StopStatus,
)
from connectors.errors import UnreadablePayloadError
from connectors.phones import to_e164
from connectors.route4me.payloads import (
    CapacityProfile,
    Member,
    Note,
    Order,
    R4MRoute,
    RouteAddress,
    UserLocation,
    Vehicle,
)
from connectors.route4me.places import parse_address
from connectors.route4me.reasons import failure_reason
from connectors.route4me.windows import (
    Pair,
    midnight_utc,
    route_day,
    window_of_order,
    window_of_stop,
)

PLATFORM = "route4me"
ORDER_REF = "order:"
STOP_REF = "stop:"

OWN_REF = "own_ref"
ORDER_NUMBER = "order_ref"
REATTEMPT_OF = "reattempt_of"
ACCESS_CODE = "access_code"
NOTES = "notes"
LOAD = "load"

DRIVES = "SUB_ACCOUNT_DRIVER"
PICTURES = frozenset({"png", "jpg", "jpeg", "webp", "gif", "heic"})
HAS_ESTIMATES = (RouteStatus.STARTED, RouteStatus.FINISHED)
"""Afterwards too: what was told of a stop must not change because its route came to an end."""


class OrderStatus(IntEnum):
    """Source: routing-platforms.md 3.7; those that are not named here mean that it waits to be planned."""

    FAILED = 11
    SKIPPED = 12
    DONE = 13
    CANCELLED = 14
    UNABLE_TO_DELIVER = 17
    HOLD_FOR_PICKUP = 18


LAST_KNOWN_ORDER_STATUS = 18
ORDER_STATUSES: Mapping[int, StopStatus] = {
    OrderStatus.FAILED: StopStatus.FAILED,
    OrderStatus.SKIPPED: StopStatus.FAILED,
    OrderStatus.DONE: StopStatus.DELIVERED,
    OrderStatus.CANCELLED: StopStatus.CANCELLED,
    OrderStatus.UNABLE_TO_DELIVER: StopStatus.FAILED,
    OrderStatus.HOLD_FOR_PICKUP: StopStatus.RETURNED,
}
STOP_STATUSES: Mapping[str, StopStatus] = {
    "completed": StopStatus.DELIVERED,
    "failed": StopStatus.FAILED,
    "skipped": StopStatus.FAILED,
}
"""Of `additional_status`; `Empty` clears it."""
ROUTE_STATUSES: Mapping[str, RouteStatus] = {
    "started": RouteStatus.STARTED,
    "paused": RouteStatus.STARTED,
    "resumed": RouteStatus.STARTED,
    "completed": RouteStatus.FINISHED,
}


@dataclass(frozen=True)
class Account:
    """The conventions of one Route4Me account."""

    timezone: str
    name: str = PLATFORM
    client_key: str = "client"
    zone_key: str = "zone"
    service_key: str = "service"
    """Names of the custom fields that hold the shipper, the zone and the kind of delivery."""
    tracking_page: str | None = None
    """Address of the recipient's page with `{tracking}` in it; Route4Me tells the number only."""
    service_day: tuple[time, time] = (time(8), time(21))
    """Local hours that close a one-sided window."""

    @property
    def zone_info(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def local_date(self, instant: datetime) -> date:
        return instant.astimezone(self.zone_info).date()

    def tracking_url(self, tracking: str) -> str | None:
        return self.tracking_page.replace("{tracking}", tracking) if self.tracking_page and tracking else None


def ref_of(address: RouteAddress) -> str:
    if address.order_id:
        return ORDER_REF + address.order_id
    return STOP_REF + address.route_destination_id


# --- stops on a route ---


def place_of(address: RouteAddress, route: R4MRoute) -> int | None:
    """Place among the stops that are left, 0 is next."""
    left = open_stops(route)
    return left.index(address) if address in left else None


def visits(route: R4MRoute) -> list[RouteAddress]:
    ordered = sorted(route.addresses, key=lambda address: address.sequence_no or 0)
    return [address for address in ordered if not address.is_depot]


def open_stops(route: R4MRoute) -> list[RouteAddress]:
    """What is left of the route, in driving order: the first is being driven to once the route has started."""
    return [address for address in visits(route) if not _is_over(address)]


def _is_over(address: RouteAddress) -> bool:
    return address.is_departed or address.additional_status.strip().lower() in STOP_STATUSES


def to_stop(
    address: RouteAddress,
    route: R4MRoute,
    route_status: RouteStatus,
    account: Account,
    read_at: datetime,
) -> Stop:
    """The stop as it stood at `read_at`, which is also its `changed_at`: Route4Me tells no time of a change.

    Raises `UnreadablePayloadError` for a status that Route4Me does not document.
    """
    day = route_day(route.parameters.route_date)
    window = stop_window(address, day, account, read_at)
    for_today = window is None or account.local_date(window.start_at) <= account.local_date(read_at)
    status = status_of(address, route, route_status, for_today=for_today)
    failed, custom = status is StopStatus.FAILED, address.custom_fields
    planned = address.manifest.scheduled_arrival_time_ts or address.manifest.projected_arrival_time_ts
    eta = address.manifest.estimated_arrival_time_ts
    remarks = driver_notes(address.notes)
    return Stop(
        platform=account.name,
        platform_ref=ref_of(address),
        tracking=address.tracking_number or address.route_destination_id,
        order_ref=custom.get(ORDER_NUMBER) or address.order_no or None,
        own_ref=custom.get(OWN_REF) or None,
        reattempt_of=custom.get(REATTEMPT_OF) or None,
        status=status,
        address=parse_address(address.address, address.lat, address.lng),
        client=custom.get(account.client_key, ""),
        zone=custom.get(account.zone_key, ""),
        timezone=account.timezone,
        recipient_name=_full_name(address.first_name, address.last_name) or address.alias,
        recipient_phone=to_e164(address.phone),
        recipient_email=address.email or None,
        window=window,
        planned_at=planned,
        # Before the route starts Route4Me repeats the plan as its estimate.
        eta_at=eta if route_status in HAS_ESTIMATES or eta != planned else None,
        sequence=place_of(address, route),
        route_ref=route.route_id,
        driver_ref=route.member_id or None,
        service=timedelta(seconds=address.time) if address.time else None,
        service_kind=custom.get(account.service_key, "").strip(),
        load=address.weight or _number(custom.get(LOAD)),
        notes=notes_text(custom, dispatcher_notes(address.notes)),
        tracking_url=account.tracking_url(address.tracking_number),
        arrived_at=arrived_at(address),
        completed_at=completed_at(address) if status.is_closed else None,
        failure_reason=failure_reason(remarks) if failed else None,
        failure_note=failure_note(address, remarks) if failed else "",
        proof=to_proof(address, remarks) if status.is_closed else None,
        changed_at=read_at,
    )


def closed_status(address: RouteAddress) -> StopStatus | None:
    """None while the stop is open. Raises `UnreadablePayloadError` for an unknown status."""
    told = address.additional_status.strip().lower()
    if told in STOP_STATUSES:
        return STOP_STATUSES[told]
    if told not in ("", "empty"):
        raise UnreadablePayloadError(f"stop {address.route_destination_id} has the unknown status {told}")
    return StopStatus.DELIVERED if address.is_departed else None


def status_of(
    address: RouteAddress, route: R4MRoute, route_status: RouteStatus, *, for_today: bool
) -> StopStatus:
    """Source: routing-platforms.md 5.2. "Arrived" is never derived from an ETA."""
    if (closed := closed_status(address)) is not None:
        return closed
    if is_at_the_door(address):
        return StopStatus.ARRIVING
    if not route.member_id:
        return StopStatus.PLANNED
    if route_status is RouteStatus.STARTED and for_today:
        return StopStatus.OUT_FOR_DELIVERY
    return StopStatus.ASSIGNED


def is_at_the_door(address: RouteAddress) -> bool:
    return address.is_visited or address.geofence_detected_visited_timestamp is not None


def has_begun(route: R4MRoute) -> bool:
    """Whether the stops alone say that the driver has left: saves asking for the route's status."""
    return any(_is_over(address) or is_at_the_door(address) for address in route.addresses)


def arrived_at(address: RouteAddress) -> datetime | None:
    if not (is_at_the_door(address) or address.is_departed):
        return None
    return (
        address.manifest.actual_arrival_time_ts
        or address.timestamp_last_visited
        or address.geofence_detected_visited_timestamp
    )


def completed_at(address: RouteAddress) -> datetime | None:
    """The last that is known to have happened at the door: a status carries no time of its own."""
    left = address.timestamp_last_departed or address.manifest.actual_departure_time_ts
    told = [note.ts_added for note in address.notes if note.ts_added]
    return left or max(told, default=None) or arrived_at(address) or address.timestamp_last_visited


def stop_window(
    address: RouteAddress, day: date, account: Account, read_at: datetime
) -> DeliveryWindow | None:
    """The promise: of two windows the first that is not over at `read_at`, else the last."""
    pairs = (
        (address.time_window_start, address.time_window_end),
        (address.time_window_start_2, address.time_window_end_2),
    )
    opening, closing = (datetime.combine(day, at, account.zone_info) for at in account.service_day)
    offsets = tuple(int((at - midnight_utc(day)).total_seconds()) for at in (opening, closing))
    windows = (window_of_stop(_closed_pair(pair, offsets), day, account.zone_info) for pair in pairs)
    return _first_not_over(windows, read_at)


def _closed_pair(pair: Pair, service_day: Sequence[int]) -> Pair:
    start, end = pair
    if start is None and end is None:
        return pair
    return (service_day[0] if start is None else start, service_day[1] if end is None else end)


def _first_not_over(windows: Iterable[DeliveryWindow | None], read_at: datetime) -> DeliveryWindow | None:
    known = [window for window in windows if window is not None]
    ahead = [window for window in known if read_at < window.end_at]
    return ahead[0] if ahead else (known[-1] if known else None)


# --- notes, proof ---


def driver_notes(notes: Iterable[Note]) -> list[Note]:
    """What drivers told from the door, newest first: typed, with a picture, or written on a phone."""
    told = [note for note in notes if not _is_from_the_desk(note)]
    return sorted(told, key=lambda note: (note.ts_added is not None, note.ts_added), reverse=True)


def dispatcher_notes(notes: Iterable[Note]) -> list[str]:
    return [note.contents.strip() for note in notes if _is_from_the_desk(note) and note.contents.strip()]


def _is_from_the_desk(note: Note) -> bool:
    return note.device_type in ("", "web") and not note.activity_type and not note.upload_id


def notes_text(custom: Mapping[str, str], others: Iterable[str] = ()) -> str:
    """What the driver reads: our notes, the desk's, and our access code on a line of its own."""
    code = custom.get(ACCESS_CODE, "")
    lines = [*custom.get(NOTES, "").splitlines(), *others, *([ACCESS_CODE_LABEL + code] if code else [])]
    return "\n".join(dict.fromkeys(line.strip() for line in lines if line.strip()))


def failure_note(address: RouteAddress, remarks: Sequence[Note]) -> str:
    words = next((note.contents.strip() for note in remarks if note.contents.strip()), "")
    return words or (address.additional_status if address.additional_status.lower() == "skipped" else "")


def to_proof(address: RouteAddress, remarks: Sequence[Note]) -> ProofOfDelivery | None:
    """What the driver left; None where there is nothing at all, not even a place."""
    pictures = [note for note in remarks if note.upload_url and note.upload_extension.lower() in PICTURES]
    signatures = [note for note in pictures if "sign" in note.upload_type.lower()]
    photos = [note for note in pictures if note not in signatures]
    where = _where_done(address, remarks)
    done = address.is_departed or closed_status(address) is StopStatus.DELIVERED
    spoken = [note.contents.strip() for note in remarks if note.contents.strip() and note not in signatures]
    proof = ProofOfDelivery(
        photo_urls=tuple(note.upload_url for note in reversed(photos)),
        signature_url=signatures[0].upload_url if signatures else None,
        signed_by=signatures[0].contents.strip() if signatures else "",
        note=spoken[0] if spoken and done and closed_status(address) is not StopStatus.FAILED else "",
        latitude=where[0],
        longitude=where[1],
    )
    return None if proof == ProofOfDelivery() else proof.model_copy(update={"at": completed_at(address)})


def _where_done(address: RouteAddress, remarks: Sequence[Note]) -> tuple[float | None, float | None]:
    places = [
        (address.departed_lat, address.departed_lng),
        *((note.lat, note.lng) for note in remarks),
        (address.visited_lat, address.visited_lng),
    ]
    return next((place for place in places if None not in place), (None, None))


# --- orders that are on no route ---


def order_to_stop(order: Order, account: Account, read_at: datetime) -> Stop:
    """An order that waits to be planned. Raises `UnreadablePayloadError` for an unknown status."""
    if not 0 <= order.order_status_id <= LAST_KNOWN_ORDER_STATUS:
        raise UnreadablePayloadError(f"order {order.order_id} has the unknown status {order.order_status_id}")
    custom, status = order.custom_data, ORDER_STATUSES.get(order.order_status_id, StopStatus.PLANNED)
    place = parse_address(order.address_1, order.cached_lat, order.cached_lng)
    if not place.city:
        place = place.model_copy(update={"city": order.address_city, "postcode": order.address_zip})
    return Stop(
        platform=account.name,
        platform_ref=ORDER_REF + order.order_id,
        tracking=order.tracking_number or custom.get(ORDER_NUMBER) or order.order_id,
        order_ref=custom.get(ORDER_NUMBER) or None,
        own_ref=custom.get(OWN_REF) or None,
        reattempt_of=custom.get(REATTEMPT_OF) or None,
        status=status,
        address=place,
        client=custom.get(account.client_key, ""),
        zone=custom.get(account.zone_key, ""),
        timezone=account.timezone,
        recipient_name=_full_name(order.first_name, order.last_name) or order.address_alias,
        recipient_phone=to_e164(order.phone),
        recipient_email=order.email or None,
        window=order_window(order, account, read_at),
        service=timedelta(seconds=order.service_time) if order.service_time else None,
        service_kind=custom.get(account.service_key, "").strip(),
        load=_number(custom.get(LOAD)),
        notes=notes_text(custom),
        tracking_url=account.tracking_url(order.tracking_number),
        completed_at=order.updated_timestamp if status.is_closed else None,
        failure_reason=failure_reason(()) if status is StopStatus.FAILED else None,
        changed_at=read_at,
    )


def order_day(order: Order) -> date | None:
    try:
        return date.fromisoformat(order.scheduled_for)
    except ValueError:
        return None


def order_window(order: Order, account: Account, read_at: datetime) -> DeliveryWindow | None:
    day = order_day(order)
    if day is None:
        return None
    zone = order_zone(order, account)
    pairs = ((order.window_start, order.window_end), (order.window_start_2, order.window_end_2))
    return _first_not_over((window_of_order(pair, day, zone) for pair in pairs), read_at)


def order_zone(order: Order, account: Account) -> ZoneInfo:
    """The order's own zone; the account's where it has none or one that nobody knows."""
    try:
        return ZoneInfo(order.timezone or account.timezone)
    except (KeyError, ValueError, OSError):
        return account.zone_info


# --- routes and drivers ---


def to_route(route: R4MRoute, status: RouteStatus, account: Account) -> Route:
    day = route_day(route.parameters.route_date)
    starts = route.parameters.route_time
    return Route(
        platform=account.name,
        platform_ref=route.route_id,
        name=route.parameters.route_name,
        day=day,
        driver_ref=route.member_id or None,
        status=status,
        starts_at=midnight_utc(day) + timedelta(seconds=starts) if starts else None,
        stop_refs=tuple(ref_of(address) for address in visits(route)),
    )


def to_route_status(told: str, route: R4MRoute) -> RouteStatus:
    """`told` is v5's word for it, empty where v5 knows nothing of the route."""
    if told.lower() in ROUTE_STATUSES:
        return ROUTE_STATUSES[told.lower()]
    if has_begun(route):
        return RouteStatus.STARTED if open_stops(route) else RouteStatus.FINISHED
    return RouteStatus.RELEASED if route.approved_for_execution else RouteStatus.PLANNED


def to_driver(
    member: Member, location: UserLocation | None, capacity: float | None, account: Account
) -> Driver:
    seen = location.tracking if location else None
    zone = member.custom_data.get(account.zone_key)
    return Driver(
        platform=account.name,
        platform_ref=member.member_id,
        name=_full_name(member.member_first_name, member.member_last_name),
        phone=to_e164(member.member_phone),
        zones=(zone,) if zone else (),
        capacity=capacity,
        latitude=seen.position_lat if seen else None,
        longitude=seen.position_lng if seen else None,
        seen_at=seen.activity_timestamp if seen else None,
    )


def capacity_of(
    route: R4MRoute, vehicles: Iterable[Vehicle], profiles: Iterable[CapacityProfile]
) -> float | None:
    """The weight that a route's vehicle takes: the route's own limit, else its vehicle's profile."""
    if route.parameters.vehicle_max_cargo_weight:
        return route.parameters.vehicle_max_cargo_weight
    wanted = {
        vehicle.vehicle_capacity_profile_id
        for vehicle in vehicles
        if vehicle.vehicle_id and vehicle.vehicle_id == route.parameters.vehicle_id
    } - {""}
    return next((profile.max_weight for profile in profiles if profile.profile_id in wanted), None)


def _full_name(first: str, last: str) -> str:
    return f"{first} {last}".strip()


def _number(told: str | None) -> float:
    try:
        return float(told or 0)
    except ValueError:
        return 0.0
