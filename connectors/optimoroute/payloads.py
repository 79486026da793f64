"""OptimoRoute's wire models, WS API v1: missing, null and additional fields are tolerated.

Times of day and dates stay text here: they are local to an account that does not name its zone.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from connectors.lenient import EPOCH, Lenient

PAGE = 500
"""Orders in a page of `search_orders` and in a bulk call, events in a page of `get_events`."""
RANGE_DAYS = 35
"""The longest `dateRange` of `search_orders`, both ends counted."""


def to_unix(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(seconds=1)


def from_unix(value: object) -> datetime:
    """Unix seconds, a number in data and text in the vendor's typed client. Raises `ValueError`."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("expected unix seconds")
    try:
        return EPOCH + timedelta(seconds=float(value))
    except OverflowError as exc:
        raise ValueError(f"not an instant: {value}") from exc


Instant = Annotated[datetime, BeforeValidator(from_unix)]
"""Unix seconds on the wire."""


class OrderStatus(StrEnum):
    UNSCHEDULED = "unscheduled"
    SCHEDULED = "scheduled"
    ON_ROUTE = "on_route"
    SERVICING = "servicing"
    SUCCESS = "success"
    FAILED = "failed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class DispatchState(StrEnum):
    NOT_SENT = "not_sent"
    SCHEDULED = "scheduled"
    SENT = "sent"


class Wire(Lenient):
    """Camel case on the wire; where a text is documented a number may come."""

    model_config = ConfigDict(alias_generator=to_camel, coerce_numbers_to_str=True)


class Answer(Wire):
    """The envelope around every answer."""

    success: bool
    code: str = ""
    message: str = ""


class Created(Answer):
    id: str = ""


class WireTimeWindow(Wire):
    tw_from: str
    """`HH:MM`"""
    tw_to: str


class DateRange(Wire):
    from_: str = Field(default="", alias="from")
    to: str = ""


class Location(Wire):
    location_no: str = ""
    location_name: str = ""
    address: str = ""
    latitude: float | None = None
    longitude: float | None = None
    check_in_time: float | None = None
    notes: str = ""


class AssignedTo(Wire):
    serial: str = ""
    external_id: str = ""

    @property
    def ref(self) -> str | None:
        return self.external_id or self.serial or None


class Order(Wire):
    """The fields that an order is read from, and that a second try of it takes over."""

    id: str = Field(min_length=1)
    order_no: str = ""
    date: str = ""
    type: str = "D"
    duration: float = 0
    priority: str = ""
    location: Location = Location()
    time_windows: tuple[WireTimeWindow, ...] = ()
    allowed_dates: DateRange | None = None
    assigned_to: AssignedTo = AssignedTo()
    load1: float = 0
    load2: float = 0
    load3: float = 0
    load4: float = 0
    skills: tuple[str, ...] = ()
    vehicle_features: tuple[str, ...] = ()
    notes: str = ""
    email: str = ""
    phone: str = ""
    notification_preference: str = ""
    custom_field1: str = ""
    custom_field2: str = ""
    custom_field3: str = ""
    custom_field4: str = ""
    custom_field5: str = ""

    def custom(self, field: str) -> str:
        """`field` is the wire's name, such as `customField1`; empty where there is no such field."""
        return getattr(self, field.replace("F", "_f"), "").strip() if field else ""


class LiveEstimate(Wire):
    arrival_time_dt: str = ""
    start_time_dt: str = ""


class Schedule(Wire):
    """Where an order stands in a plan, as `scheduleInformation` and with the same names in a route's stops."""

    driver_name: str = ""
    driver_serial: str = ""
    driver_external_id: str = ""
    vehicle_label: str = ""
    stop_number: int | None = None
    scheduled_at: str = ""
    scheduled_at_dt: str = ""
    arrival_time_dt: str = ""
    live_estimate: LiveEstimate = LiveEstimate()

    @property
    def driver_ref(self) -> str | None:
        return self.driver_external_id or self.driver_serial or None

    @property
    def serial(self) -> str:
        return self.driver_serial or self.driver_external_id


class FoundOrder(Wire):
    """One entry of `search_orders`."""

    id: str = Field(min_length=1)
    data: Order
    schedule_information: Schedule | None = None


class OrderPage(Answer):
    orders: tuple[dict[str, Any], ...] = ()
    """Not yet read as `FoundOrder`: one unreadable order must not hide the others."""
    after_tag: str | None = Field(default=None, alias="after_tag")


class OrderResult(Answer):
    """One entry of a bulk answer, in the order of the request."""

    order_no: str = ""
    id: str = ""
    data: Any = None


class BulkAnswer(Answer):
    orders: tuple[OrderResult, ...] = ()


class UpdatesAnswer(Answer):
    updates: tuple[OrderResult, ...] = ()
    orders: tuple[OrderResult, ...] = ()

    @property
    def results(self) -> tuple[OrderResult, ...]:
        return self.updates or self.orders


class SchedulingInfo(Answer):
    order_scheduled: bool = False
    schedule_information: Schedule | None = None


class RouteStop(Wire):
    """Depots and breaks carry a `type` and no order."""

    stop_number: int | None = None
    type: str = ""
    id: str = ""
    order_no: str = ""
    scheduled_at_dt: str = ""
    arrival_time_dt: str = ""
    travel_time: float = 0
    """Seconds."""


class WireRoute(Wire):
    driver_serial: str = ""
    driver_external_id: str = ""
    driver_name: str = ""
    vehicle_registration: str = ""
    vehicle_label: str = ""
    stops: tuple[RouteStop, ...] = ()

    @property
    def driver_ref(self) -> str:
        return self.driver_external_id or self.driver_serial

    @property
    def serial(self) -> str:
        return self.driver_serial or self.driver_external_id

    @property
    def order_ids(self) -> tuple[str, ...]:
        """In driving order."""
        return tuple(stop.id for stop in self.stops if stop.id)


class RoutesAnswer(Answer):
    routes: tuple[WireRoute, ...] = ()


class TimePoint(Wire):
    unix_timestamp: Instant | None = None


class Attachment(Wire):
    type: str = ""
    url: str = ""


class Form(Wire):
    note: str = ""
    images: tuple[Attachment, ...] = ()
    signature: Attachment = Attachment()


class Completion(Wire):
    status: str = ""
    start_time: TimePoint = TimePoint()
    end_time: TimePoint = TimePoint()
    form: Form = Form()
    tracking_url: str | None = Field(default=None, alias="tracking_url")


class MobileEvent(Wire):
    event: str = Field(min_length=1)
    unix_timestamp: Instant
    order_no: str = ""
    order_id: str = ""
    driver_serial: str = ""
    driver_external_id: str = ""
    driver_name: str = ""

    @property
    def driver_ref(self) -> str | None:
        return self.driver_external_id or self.driver_serial or None


class EventsAnswer(Answer):
    events: tuple[dict[str, Any], ...] = ()
    """Not yet read as `MobileEvent`."""
    tag: str = ""
    remaining_events: int = 0


class RoutesDispatch(Wire):
    state: str = ""


class DispatchAnswer(Answer):
    routes: RoutesDispatch = RoutesDispatch()
