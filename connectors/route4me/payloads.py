"""Route4Me's wire models, v4 and v5: missing, null and additional fields are tolerated, all three are sent.

Ids come as numbers in some answers and as strings in others: they are strings here.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, ConfigDict, Field, model_validator

from connectors.lenient import EPOCH, Lenient

FIRST_INSTANT = 1_000_000_000
"""Smaller numbers are no instants: Route4Me's own example writes `timestamp_last_visited: 36000`."""


def to_ts(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(seconds=1)


def from_ts(value: object) -> datetime | None:
    """Unix seconds as an aware instant; None for nothing, 0, and what cannot be one."""
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < FIRST_INSTANT:
        return None
    try:
        return EPOCH + timedelta(seconds=value)
    except OverflowError:
        return None


def _to_id(value: object) -> str:
    """Route4Me writes no id as null, an empty text or 0."""
    return "" if value in (None, 0, "0", False) else str(value).strip()


def _to_words(value: object) -> object:
    """An object of words; Route4Me writes an empty one as an empty list, and an order's as a list of objects."""
    if isinstance(value, list):
        merged: dict[str, Any] = {}
        for part in value:
            merged |= part if isinstance(part, dict) else {}
        value = merged
    if not isinstance(value, dict):
        return {}
    return {str(key): str(item) for key, item in value.items() if item is not None}


def _to_seconds(value: object) -> int | None:
    if isinstance(value, bool) or value in (None, ""):
        return None
    return int(float(str(value)))


Id = Annotated[str, BeforeValidator(_to_id)]
Ts = Annotated[datetime | None, BeforeValidator(from_ts)]
"""Unix seconds on the wire."""
Words = Annotated[dict[str, str], BeforeValidator(_to_words)]
Seconds = Annotated[int | None, BeforeValidator(_to_seconds)]
"""Of a day; which midnight they count from, `mapping` knows."""


class Wire(Lenient):
    """Where a text is documented a number may come."""

    model_config = ConfigDict(coerce_numbers_to_str=True)


class Note(Wire):
    note_id: Id = ""
    ts_added: Ts = None
    activity_type: str = ""
    contents: str = ""
    lat: float | None = None
    lng: float | None = None
    device_type: str = ""
    upload_id: str = ""
    upload_extension: str = ""
    upload_url: str = ""
    upload_type: str = ""


class Manifest(Wire):
    projected_arrival_time_ts: Ts = None
    scheduled_arrival_time_ts: Ts = None
    estimated_arrival_time_ts: Ts = None
    actual_arrival_time_ts: Ts = None
    actual_departure_time_ts: Ts = None


class RouteAddress(Wire):
    """A stop on a route, or the route's depot."""

    route_destination_id: Id = ""
    route_id: Id = ""
    order_id: Id = ""
    is_depot: bool = False
    alias: str = ""
    address: str = ""
    lat: float | None = None
    lng: float | None = None
    sequence_no: int | None = None
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    order_no: str = ""
    reference_no: str = ""
    weight: float = 0.0
    time: int = 0
    """Service at the door, in seconds."""
    time_window_start: Seconds = None
    time_window_end: Seconds = None
    time_window_start_2: Seconds = None
    time_window_end_2: Seconds = None
    is_visited: bool = False
    timestamp_last_visited: Ts = None
    visited_lat: float | None = None
    visited_lng: float | None = None
    is_departed: bool = False
    timestamp_last_departed: Ts = None
    departed_lat: float | None = None
    departed_lng: float | None = None
    geofence_detected_visited_timestamp: Ts = None
    additional_status: str = ""
    tracking_number: str = ""
    custom_fields: Words = Field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    manifest: Manifest = Manifest()


class RouteParameters(Wire):
    route_name: str = ""
    route_date: Annotated[int, Field(ge=0, le=10**11)] = 0
    """Unix seconds of 00:00 UTC of the route's day."""
    route_time: int = 0
    """Start, in seconds from there."""
    vehicle_id: Id = ""
    vehicle_max_cargo_weight: float | None = None


class R4MRoute(Wire):
    """A whole route; in lists `addresses` is empty."""

    route_id: Id = ""
    member_id: Id = ""
    approved_for_execution: bool = False
    parameters: RouteParameters = RouteParameters()
    addresses: tuple[RouteAddress, ...] = ()


class RouteStatusAnswer(Wire):
    status: str = ""


class Order(Wire):
    order_id: Id = ""
    order_status_id: int = 0
    scheduled_for: str = Field("", alias="day_scheduled_for_YYMMDD")
    """`YYYY-MM-DD`, in spite of its name on the wire."""
    address_alias: str = ""
    address_1: str = ""
    address_2: str = ""
    address_city: str = ""
    address_zip: str = ""
    cached_lat: float | None = None
    cached_lng: float | None = None
    first_name: str = Field("", alias="EXT_FIELD_first_name")
    last_name: str = Field("", alias="EXT_FIELD_last_name")
    email: str = Field("", alias="EXT_FIELD_email")
    phone: str = Field("", alias="EXT_FIELD_phone")
    custom_data: Words = Field(default_factory=dict, alias="EXT_FIELD_custom_data")
    in_route_count: int = 0
    window_start: Seconds = Field(None, alias="local_time_window_start")
    window_end: Seconds = Field(None, alias="local_time_window_end")
    window_start_2: Seconds = Field(None, alias="local_time_window_start_2")
    window_end_2: Seconds = Field(None, alias="local_time_window_end_2")
    timezone: str = Field("", alias="local_timezone_string")
    service_time: int = 0
    tracking_number: str = ""
    updated_timestamp: Ts = None


class OrderPage(Wire):
    results: tuple[Any, ...] = ()
    """Orders, one by one to be read: an unreadable one must not hide the others."""
    total: int = 0


class Member(Wire):
    member_id: Id = ""
    member_type: str = ""
    member_first_name: str = ""
    member_last_name: str = ""
    member_phone: str = ""
    timezone: str = ""
    custom_data: Words = Field(default_factory=dict)


class MemberPage(Wire):
    results: tuple[Member, ...] = ()


class LocatedMember(Wire):
    member_id: Id = ""


class Tracking(Wire):
    member_id: Id = ""
    position_lat: float | None = None
    position_lng: float | None = None
    activity_timestamp: Ts = None
    route_id: Id = ""


class UserLocation(Wire):
    member_data: LocatedMember = LocatedMember()
    tracking: Tracking = Tracking()


class Vehicle(Wire):
    vehicle_id: Id = ""
    vehicle_capacity_profile_id: Id = ""


class CapacityProfile(Wire):
    profile_id: Id = Field("", validation_alias=AliasChoices("vehicle_capacity_profile_id", "id"))
    max_weight: float | None = None


class ActivityOrder(Wire):
    order_id: Id = ""


class Activity(Wire):
    """One line of the activity feed, as polled and as pushed.

    The key of the account's owner and e-mail addresses may stand in it: they are not read.
    """

    activity_id: Id = ""
    activity_type: str = ""
    activity_timestamp: Ts = None
    detailed_event: str = ""
    route_id: Id = ""
    to_route_id: Id = ""
    route_destination_id: Id = ""
    order_id: Id = ""
    tells_order: bool = False
    """Whether `order_id` was told at all: null means there is none, absent means nothing."""
    order: ActivityOrder | None = None

    @model_validator(mode="before")
    @classmethod
    def _note_what_is_told(cls, value: Any) -> Any:
        # `order_id: null` says that the stop has no order; a missing key says nothing.
        return value | {"tells_order": "order_id" in value} if isinstance(value, dict) else value


class ActivityPage(Wire):
    results: tuple[Any, ...] = ()
    total: int | None = None


class Geocoded(Wire):
    """One line of the geocoder's answer; without coordinates it was not found."""

    address: str = ""
    lat: float | None = None
    lng: float | None = None


class Answer(Wire):
    """Of calls that answer with little: `translate` has looked at what it says already."""
