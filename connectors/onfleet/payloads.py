"""Onfleet's wire models, API v2: missing, null and additional fields are tolerated, all three are sent."""

from datetime import datetime, timedelta
from enum import IntEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from connectors.lenient import EPOCH, Lenient


def to_ms(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(milliseconds=1)


def from_ms(value: object) -> datetime:
    """Unix milliseconds as an aware instant. Raises `ValueError` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("expected unix milliseconds")
    try:
        return EPOCH + timedelta(milliseconds=value)
    except OverflowError as exc:
        raise ValueError(f"not an instant: {value}") from exc


Instant = Annotated[datetime, BeforeValidator(from_ms)]
"""Unix milliseconds on the wire."""

LngLat = Annotated[tuple[float, float] | None, BeforeValidator(lambda value: value or None)]
"""`[longitude, latitude]`; an empty list means unknown."""


class TaskState(IntEnum):
    UNASSIGNED = 0
    ASSIGNED = 1
    ACTIVE = 2
    COMPLETED = 3


class Trigger(IntEnum):
    """What a webhook can be registered for. Source: Onfleet API reference, Webhooks; 11 is not used."""

    TASK_STARTED = 0
    TASK_ETA = 1
    TASK_ARRIVAL = 2
    TASK_COMPLETED = 3
    TASK_FAILED = 4
    WORKER_DUTY = 5
    TASK_CREATED = 6
    TASK_UPDATED = 7
    TASK_DELETED = 8
    TASK_ASSIGNED = 9
    TASK_UNASSIGNED = 10
    TASK_DELAYED = 12
    TASK_CLONED = 13
    SMS_RECIPIENT_RESPONSE_MISSED = 14
    WORKER_CREATED = 15
    WORKER_DELETED = 16
    SMS_RECIPIENT_OPT_OUT = 17
    AUTO_DISPATCH_JOB_COMPLETED = 18
    TASK_BATCH_CREATE_JOB_COMPLETED = 19
    ROUTE_OPTIMIZATION_JOB_COMPLETED = 20
    ROUTE_PLAN_CREATED = 21
    ROUTE_PLAN_STARTED = 22
    ROUTE_PLAN_COMPLETED = 23
    WORKER_UPDATED = 24
    ROUTE_PLAN_UPDATED = 25
    ROUTE_PLAN_UNASSIGNED = 26
    ROUTE_PLAN_ASSIGNED = 27
    ROUTE_PLAN_DELAYED = 28
    PREDICTED_TASK_DELAY = 29


TRIGGER_NAMES: dict[Trigger, str] = {trigger: to_camel(trigger.name.lower()) for trigger in Trigger} | {
    Trigger.SMS_RECIPIENT_OPT_OUT: "SMSRecipientOptOut"
}


class Wire(Lenient):
    """Camel case on the wire."""

    model_config = ConfigDict(alias_generator=to_camel)


class WireAddress(Wire):
    name: str = ""
    number: str = ""
    street: str = ""
    apartment: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""
    unparsed: str = ""


class Destination(Wire):
    id: str = ""
    address: WireAddress = WireAddress()
    location: LngLat = None
    notes: str = ""


class Recipient(Wire):
    id: str = ""
    name: str = ""
    phone: str = ""
    skip_sms_notifications: bool = Field(default=False, alias="skipSMSNotifications")


class Container(Wire):
    type: str = ""
    worker: str | None = None
    team: str | None = None
    organization: str | None = None


class CompletionEvent(Wire):
    name: str = ""
    time: Instant | None = None
    location: LngLat = None


class CompletionDetails(Wire):
    success: bool | None = None
    time: Instant | None = None
    notes: str = ""
    failure_reason: str = ""
    failure_notes: str = ""
    success_notes: str = ""
    events: tuple[CompletionEvent, ...] = ()
    last_location: LngLat = None
    photo_upload_id: str | None = None
    photo_upload_ids: tuple[str, ...] = ()
    signature_upload_id: str | None = None
    signature_text: str = ""

    @property
    def photos(self) -> tuple[str, ...]:
        """Upload ids of the photos: the list where there is one, else the single one of older tasks."""
        return self.photo_upload_ids or ((self.photo_upload_id,) if self.photo_upload_id else ())

    @property
    def location(self) -> tuple[float, float] | None:
        """`[longitude, latitude]` where the driver was when the task ended, as near to it as Onfleet tells."""
        left = [event.location for event in self.events if event.name == "departure" and event.location]
        return left[-1] if left else self.last_location

    def time_of(self, name: str) -> datetime | None:
        return next((event.time for event in self.events if event.name == name), None)


class Metadatum(Wire):
    name: str = ""
    type: str = ""
    value: Any = None
    visibility: tuple[str, ...] = ()


class Overrides(Wire):
    recipient_name: str = ""
    recipient_skip_sms_notifications: bool | None = Field(default=None, alias="recipientSkipSMSNotifications")
    """Of this task only; None: as the recipient has it."""


PlanRef = Annotated[
    str | None, BeforeValidator(lambda value: value.get("id") if isinstance(value, dict) else value)
]
"""Id of a route plan. Its type inside a task is not published: the id, or the plan itself."""


class Task(Wire):
    id: str = Field(min_length=1)
    short_id: str = ""
    tracking_url: str | None = Field(default=None, alias="trackingURL")
    state: int | None = None
    organization: str = ""
    merchant: str = ""
    worker: str | None = None
    container: Container = Container()
    complete_after: Instant | None = None
    complete_before: Instant | None = None
    notes: str = ""
    destination: Destination = Destination()
    recipients: tuple[Recipient, ...] = ()
    overrides: Overrides = Overrides()
    completion_details: CompletionDetails = CompletionDetails()
    estimated_arrival_time: Instant | None = None
    eta: Instant | None = None
    delay_time: float | None = None
    quantity: float = 0
    service_time: float = 0
    """Minutes."""
    source_task_id: str | None = None
    route_plan: PlanRef = None
    metadata: tuple[Metadatum, ...] = ()
    time_created: Instant | None = None
    time_last_modified: Instant | None = None

    @property
    def worker_id(self) -> str | None:
        return self.worker or self.container.worker

    def metadata_text(self, name: str) -> str:
        return next((str(item.value) for item in self.metadata if item.name == name and item.value), "")


class Worker(Wire):
    id: str = Field(min_length=1)
    name: str = ""
    display_name: str = ""
    phone: str = ""
    on_duty: bool | None = None
    active_task: str | None = None
    tasks: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    capacity: float = 0
    location: LngLat = None
    time_last_seen: Instant | None = None


class HeldTasks(Wire):
    """A container: whose tasks they are, in driving order."""

    tasks: tuple[str, ...] = ()
    active_task: str | None = None


class RoutePlan(Wire):
    """Its `state` is left out: Onfleet publishes no list of them, the times say the same."""

    id: str = Field(min_length=1)
    name: str = ""
    tasks: tuple[str, ...] = ()
    worker: str | None = None
    start_time: Instant | None = None
    actual_start_time: Instant | None = None
    actual_end_time: Instant | None = None


class RoutePlanPage(Wire):
    route_plans: tuple[RoutePlan, ...] = ()


class Team(Wire):
    id: str = Field(min_length=1)
    name: str = ""


class Organization(Wire):
    id: str = Field(min_length=1)
    name: str = ""
    timezone: str = ""


class TaskPage(Wire):
    tasks: tuple[dict[str, Any], ...]
    """Not yet read as `Task`: one unreadable task must not hide the others."""
    last_id: str | None = None


class Webhook(Wire):
    id: str = Field(min_length=1)
    url: str = ""
    trigger: int
    is_enabled: bool = True


class AuthTest(Wire):
    message: str = ""


class ErrorDetail(Wire):
    error: int = 0
    message: str = ""
    cause: str = ""

    @model_validator(mode="before")
    @classmethod
    def _cause_as_text(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("cause") is not None:
            return {**value, "cause": str(value["cause"])}
        return value


class ErrorBody(Wire):
    code: str = ""
    message: ErrorDetail = ErrorDetail()


class WebhookData(Wire):
    task: Task | None = None
    worker: Worker | None = None


class WebhookBody(Wire):
    trigger_id: int
    trigger_name: str = ""
    task_id: str | None = None
    worker_id: str | None = None
    data: WebhookData = WebhookData()
    time: Instant | None = None
